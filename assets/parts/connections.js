// The strip of sending connections: mode, what waits, what failed, and the one button that helps now.

import { post } from '../api.js';
import { h, icon, announce } from '../dom.js';
import { count, when, exact, plural } from '../format.js';
import { isResting, rank, remedy, standing, worstFirst } from './connection_state.js';
import { bringUp } from './in_place.js';
import { confirm } from './menu.js';

const MODES = [['shadow', 'Built and checked, not sent'], ['test', 'Sent to the platform’s test view only'], ['live', 'Sent for real']];

/**
 * The strip is brought up in place: what is under a pointer or has the focus stays the same element. So one listener hears all.
 * @param {HTMLElement} strip @param {() => import('../app.js').Params} now @param {() => void} again after something was done
 * @param {(dim: string, value: string, state: string) => void} filter
 */
export function connectionStrip(strip, now, again, filter) {
  /** @type {Map<string, any>} */ let cards = new Map();
  strip.addEventListener('click', async (e) => {
    const button = /** @type {HTMLElement|null} */ (/** @type {HTMLElement} */ (e.target).closest('button[data-do]'));
    const c = cards.get(button?.closest('[data-connection]')?.getAttribute('data-connection') ?? ''), what = button?.getAttribute('data-do') ?? '';
    if (!button || !c || button.hasAttribute('aria-disabled')) return;
    const value = button.getAttribute('data-value') ?? '';
    if (what === 'filter') { filter('connection', c.connection, value); return; }
    // Not `disabled`: that would take the focus away.
    button.setAttribute('aria-disabled', 'true');
    if (what === 'mode') await setMode(c, value, now());
    else await act(`${c.connection}/${what}`, {}, now(), what === 'resume' ? `${c.name} goes on.` : `${c.name} is paused. New ones wait; none is lost.`);
    button.removeAttribute('aria-disabled');
    again();
  });

  return {
    /** @param {any[]} items sending connections */
    draw(items) {
      cards = new Map(items.map((c) => [c.connection, c]));
      // What could not be fetched a moment ago, or is only sketched, goes.
      strip.querySelectorAll(':scope > .skeleton, :scope > .trouble').forEach((el) => el.remove());
      if (!items.length) { bringUp(strip, [nobody(now())]); return; }
      bringUp(strip, [h('header', null, h('h2', null, 'Connections'), h('span.tag.faint', null, 'the last 30 days; what waits, of any day')), h('ul', null, inOrder(items).map((c) => one(c, now())))]);
    },
  };

  /** Worst first: what needs the owner stands on top. But nothing moves away from under a hand. @param {any[]} items */
  function inOrder(items) {
    const sorted = worstFirst(items);
    const place = [...strip.querySelectorAll('[data-connection]')].map((el) => el.getAttribute('data-connection'));
    if (!place.length || !(strip.matches(':hover') || strip.contains(document.activeElement))) return sorted;
    const at = (/** @type {any} */ c) => { const i = place.indexOf(c.connection); return i < 0 ? place.length : i; };
    return sorted.sort((a, b) => at(a) - at(b));
  }
}

/** @param {import('../app.js').Params} p */
const nobody = (p) => h('div.empty', null, icon('connections'),
  h('p', null, h('b', null, 'No platform is connected that could be told.'),
  ' A new one starts in shadow: everything is built and shown, nothing is sent, until you say so.'),
  p.may && h('div.acts', null, h('a.btn', { href: p.app.href('connections') }, 'Choose a platform')));

/** @param {any} c @param {import('../app.js').Params} p */
function one(c, p) {
  const n = c.counts;
  const figure = (/** @type {string} */ state, /** @type {number} */ value, /** @type {string} */ word, /** @type {string} */ tone) => h('button.cn-n',
    { type: 'button', disabled: !value, class: value ? tone : '', 'data-tip': value ? `Show ${word}` : null, 'data-do': 'filter', 'data-value': state },
    h('b', null, count(value)), h('span', null, word));
  return h('li.cn', { 'data-connection': c.connection },
    h('div.cn-name', null, h('b.cut', null, h('a', { href: p.app.href('connections', undefined, c.connection) }, h('bdi', null, c.name))), status(c)),
    h('div.cn-mode', null, modeSwitch(c, p)),
    h('div.cn-counts', null, figure('delivered', n.delivered + n.accepted, 'told', ''), figure('pending', n.pending + n.held, 'waiting', n.held ? 'warn' : ''),
      figure('skipped', n.skipped, 'not sent', ''), figure('refused', n.refused, 'refused', 'bad'), figure('dead', n.dead, 'given up', 'bad')),
    h('div.cn-act', null, p.may && action(c)));
}

/** @param {any} c */
function status(c) {
  const [word, sign, tone] = standing(c);
  if (rank(c) < 4) return h('span.st', { class: tone || 'quiet', 'data-status': c.status }, icon(sign, 's'), h('span', null, h('b', null, word), ...said(c)));
  return h('span.st.quiet', null, icon('check', 's ok'), c.last_event_at ? h('span', { 'data-tip': exact(c.last_event_at) }, `Last: ${when(c.last_event_at)}`)
    : c.mode === 'shadow' ? 'ready: built and checked, nothing is sent' : 'ready, nothing yet');
}

/** What there is to say of a connection that does not simply work. @param {any} c */
function said(c) {
  if (isResting(c)) {
    const next = c.breaker.next_try_at;
    return [': it failed several times in a row, ', next ? h('span', { 'data-tip': exact(next) }, `next try ${when(next)}`) : 'just now one is tried'];
  }
  // Whoever paused it knows.
  if (c.status === 'paused' && (!c.reason || c.reason === 'Paused by hand.')) return [': new ones wait, none is lost'];
  return c.reason ? [`: ${c.reason}`] : [];
}

/** @param {any} c @param {import('../app.js').Params} p */
function modeSwitch(c, p) {
  if (!p.may || !c.mode) return h('span.tag.box', { 'data-tip': MODES.find(([m]) => m === c.mode)?.[1] }, c.mode ?? 'off');
  return h('div.seg', { role: 'group', 'aria-label': `Mode of ${c.name}` },
    MODES.filter(([mode]) => c.modes.includes(mode)).map(([mode, note]) => h('button', { type: 'button', 'aria-pressed': String(c.mode === mode), 'data-tip': note, 'data-focus': `${c.connection}-${mode}`,
      'data-do': 'mode', 'data-value': mode }, mode)));
}

/** @param {any} c @param {string} mode @param {import('../app.js').Params} p */
async function setMode(c, mode, p) {
  if (mode === c.mode) return;
  if (mode === 'live') {
    const yes = await confirm({ title: `Send to ${c.name} for real?`, yes: 'Go live', text: [
      h('p', null, `From now on every new conversion with marketing consent is sent to ${c.name}.`),
      c.counts.skipped > 0 && h('p', null, `${plural(c.counts.skipped, 'one', 'that were')} not sent so far stay unsent, unless you replay them.`.replace(/^1 one/,
        'The one').replace(/^([\d,]+) that were/, 'The $1'))] });
    if (!yes) return;
  }
  await act(`${c.connection}/mode`, { mode }, p, mode === 'live' ? `${c.name} is live.` : mode === 'test' ? `${c.name}: to the test view only.`
    : `${c.name}: built and checked, not sent.`);
}

/** @param {any} c */
function action(c) {
  const helps = remedy(c);
  if (!helps) return null;
  const [what, sign, word] = helps;
  return h('button.btn.small', { type: 'button', class: what === 'pause' ? 'bare' : '', 'data-focus': `${c.connection}-go`, 'data-do': what }, icon(sign, 's'), word);
}

/** @param {string} path @param {object} body @param {import('../app.js').Params} p @param {string} done */
async function act(path, body, p, done) {
  try { await post(`/api/sites/${p.site.site}/connections/${path}`, body); p.app.toast(done);
    } catch (error) { p.app.toast(`Not changed. ${/** @type {any} */ (error).message}`); announce('Not changed'); }
}
