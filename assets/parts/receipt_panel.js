// The receipt as a panel over the ledger; on a phone it fills the screen.

import { get } from '../api.js';
import { h, fill, icon } from '../dom.js';
import { openDialog, closeButton } from './menu.js';
import { receipt } from './receipt.js';
import { replayDeliveries } from './replay.js';

/**
 * @param {import('../app.js').Params} p @param {string} id
 * @param {{step: (id: string, n: 1|-1) => void, closed: (id: string, x: number|null, y: number|null) => void}} on `closed` gets the place of a press on the shade
 */
export function openReceipt(p, id, on) {
  let at = id, turn = 0;
  /** @type {[number, number]|null} */ let shade = null;
  const box = h('div.rc');
  const { el, close } = openDialog({ label: 'Receipt', slide: 'side', onclose: () => on.closed(at, shade?.[0] ?? null, shade?.[1] ?? null) }, box);
  el.addEventListener('click', (e) => { if (e.target === el) shade = [e.clientX, e.clientY]; }, { capture: true });
  el.addEventListener('keydown', (e) => {
    if (e.ctrlKey || e.metaKey || e.altKey || /** @type {HTMLElement} */ (e.target).matches('input, textarea, select, pre, .scroll')) return;
    const k = e.key.toLowerCase();
    if (k === 'j' || k === 'arrowdown') { e.preventDefault(); on.step(at, 1); } else if (k === 'k' || k === 'arrowup') { e.preventDefault(); on.step(at, -1); }
  });
  const tools = h('div.rc-tools', null,
    h('button.btn.icon.bare', { type: 'button', 'aria-label': 'Row before', 'data-tip': 'Row before  K', onclick: () => on.step(at, -1) }, icon('up', 's')),
    h('button.btn.icon.bare', { type: 'button', 'aria-label': 'Next row', 'data-tip': 'Next row  J', onclick: () => on.step(at, 1) }, icon('down', 's')),
      closeButton(close));

  /** @param {boolean} quiet keep what is on screen while asking */
  async function show(quiet) {
    const mine = ++turn;
    if (!quiet) { if (!box.firstChild) fill(box, h('header', null, tools), h('div.skeleton', null, Array.from({ length: 9 }, () => h('i'))));
      else box.classList.add('dim'); }
    try {
      const answer = await loadReceipt(p, at);
      if (mine !== turn || !el.open) return;
      const open = [...box.querySelectorAll('details')].map((d) => d.open);
      const scrolled = box.querySelector('.rc-body')?.scrollTop ?? 0;
      const { head, body, foot } = receipt(answer,
        { url: p.app.href('conversions', undefined, at), may: p.may,
        replay: () => replayDeliveries(p, answer.deliveries.map((/** @type {any} */ d) => d.id), () => show(true)) });
      fill(box, h('header', null, head, tools), body, foot);
      if (quiet) { [...box.querySelectorAll('details')].forEach((d, i) => { d.open = open[i] ?? false; }); body.scrollTop = scrolled; }
    } catch (error) {
      if (mine !== turn) return;
      fill(box, h('header', null, tools), trouble(/** @type {any} */ (error), () => show(false)));
    } finally { if (mine === turn) box.classList.remove('dim'); }
  }
  show(false);

  return { get id() { return at; }, close, refresh: () => show(true), show: (/** @type {string} */ next) => { if (next !== at) { at = next; show(false); } } };
}

/** @param {import('../app.js').Params} p @param {string} id */
export async function loadReceipt(p, id) {
  const base = `/api/sites/${p.site.site}`;
  const answer = await get(`${base}/receipts/${encodeURIComponent(id)}`, new URLSearchParams({ model: p.view.model, window: p.view.window }));
  // Two connections of one platform are told apart by their names, which only the list of connections knows.
  const twice = answer.deliveries.some((/** @type {any} */ d) => answer.deliveries.some((/** @type {any} */ o) => o.platform === d.platform
    && o.connection !== d.connection));
  if (twice) {
    const known = await get(`${base}/connections`).catch(() => ({ items: [] }));
    const names = new Map(known.items.map((/** @type {any} */ c) => [c.connection, c.name]));
    for (const d of answer.deliveries) if (answer.deliveries.some((/** @type {any} */ o) => o.platform === d.platform && o !== d)) d.connection_name = names.get(d.connection);
  }
  return answer;
}

/** @param {any} error @param {() => void} again */
export function trouble(error, again) {
  const gone = error.status === 404;
  return h('div.trouble', { role: 'alert' }, icon('alert'),
    h('p', null, h('b', null, gone ? 'There is no receipt at this address.' : 'This receipt could not be fetched.'), ' ',
    gone ? 'It may belong to another site, or the person was erased.' : error.message), !gone && h('button.btn', { type: 'button', onclick: again }, 'Try again'));
}
