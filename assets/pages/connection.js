// One connection: connecting a platform, or the settings of one that is there.

import { get, post, remove } from '../api.js';
import { h, fill, icon, announce, styles } from '../dom.js';
import { exact, platform as platformName, plural } from '../format.js';
import { confirm } from '../parts/menu.js';
import { connecting } from '../parts/connecting.js';
import { actIn } from '../parts/connection_acts.js';
import { statusOf, modesOf, ending } from '../parts/connection_card.js';
import { remedy } from '../parts/connection_state.js';
import { settingsForm } from '../parts/connection_form.js';
import { happenings } from '../parts/happenings.js';
import { hookState } from '../parts/hook_state.js';
import { bringUp } from '../parts/in_place.js';
import { reading } from '../parts/reading.js';
import { tryIt } from '../parts/trial.js';

export const title = 'Connection';

export const ready = styles(new URL('../css/connections.css', import.meta.url));

/** @type {import('../app.js').BarUse} */
export const bar = {};

/** @param {HTMLElement} root @param {import('../app.js').Params} params */
export function render(root, params) {
  let p = params;
  const base = `/api/sites/${params.site.site}`;
  const id = params.id ?? '';
  const adding = id.startsWith('+') ? id.slice(1) : null;
  const owner = params.site.role === 'owner';
  let gone = false, timer = 0;
  /** @type {((name: string) => void)|null} */ let heard = null;
  /** @type {(() => void)|null} */ let left = null;
  const box = h('div.cx', null, h('section.sheet', null, h('div.skeleton', null, Array.from({ length: 7 }, () => h('i')))));
  fill(root, h('p.up', null, h('a.go', { href: p.app.href('connections') }, icon('left', 's'), 'All connections')), box);

  async function show() {
    try {
      const [platforms, cards] = await Promise.all([get(`${base}/platforms`), get(`${base}/connections`)]);
      if (gone) return;
      if (adding !== null) add(platforms.items.find((/** @type {any} */ f) => f.platform === adding), cards.items.filter((/** @type {any} */ c) => c.platform === adding));
      else {
        const card = cards.items.find((/** @type {any} */ c) => c.connection === id);
        if (!card) { nothing('There is no connection at this address.', 'It may have been removed, or belong to another site.'); return; }
        const set = p.may ? await get(`${base}/connections/${encodeURIComponent(id)}`) : null;
        if (!gone) edit(platforms.items.find((/** @type {any} */ f) => f.platform === card.platform), card, set);
      }
    } catch (error) {
      const err = /** @type {any} */ (error);
      if (gone || err.code === 'signed_out') return;
      fill(box, h('section.sheet', null, h('div.trouble', { role: 'alert' }, icon('alert'), h('p', null, h('b', null, 'This page could not be fetched.'), ` ${err.message}`),
        h('button.btn', { type: 'button', onclick: show }, 'Try again'))));
    }
  }

  /** @param {string} bold @param {import('../dom.js').Kid} rest @param {import('../dom.js').Kid} [acts] */
  function nothing(bold, rest, acts) {
    fill(box, h('section.sheet', null, h('h1.vh', null, title), h('div.empty', null, icon('connections'), h('p', null, h('b', null, bold), ' ', rest),
      h('div.acts', null, acts, h('a.btn.bare', { href: p.app.href('connections') }, 'All connections')))));
  }

  // ---- connecting ----

  /** @param {any} f what the platform says of itself; none where this version has no connector for it @param {any[]} there */
  function add(f, there) {
    const name = f?.name ?? platformName(adding ?? '');
    document.title = `Connect ${name} · ${p.site.name} · HaloTrack`;
    if (!f) {
      nothing(`This version cannot connect ${name} yet.`, [`The connector comes with an update, and this page becomes its form. Until then ${name} can send its orders and leads to the address of a form connection.`],
        h('a.btn', { href: p.app.href('connections', undefined, '+forms') }, 'Connect by address'));
      return;
    }
    const head = h('header', null, h('h1', null, `Connect ${name}`));
    const already = there.length > 0 && h('p.note', null, icon('check', 's'), h('span', null, `${name} is connected already: `,
      there.map((c, i) => [i > 0 && ', ', h('a.go', { href: p.app.href('connections', undefined, c.connection) }, h('bdi', null, c.name)), ' ', statusOf(c)]), '. Another one stands beside it.'));
    if (!owner) { fill(box, h('section.sheet', null, head, h('div.cx-body', null, already, h('p', null, 'Only an owner can connect a platform: keys are involved.')))); return; }
    const { el } = settingsForm(f, { button: `Connect ${name}`, wait: f.registers ? `Asking ${name} whether the keys are right…` : undefined, send: async (settings) => {
      const made = await post(`${base}/connections`, { platform: f.platform, settings, wait: false });
      if (!gone) connected(f, made);
    } });
    fill(box, h('section.sheet', null, head, h('div.cx-body', null, already, h('p.quiet', null, `It ${f.purpose}.`), steps(f), el,
      f.docs_url && h('p.faint.small', null, h('a.go', { href: f.docs_url, target: '_blank', rel: 'noopener noreferrer' }, `${name}’s own description`)))));
    /** @type {HTMLElement|null} */ (box.querySelector('form .in'))?.focus();
  }

  /** @param {any} f */
  const steps = (f) => f.steps.length > 0 && h('ol.cx-steps', null, f.steps.map((/** @type {string} */ s) => h('li', null, s)));

  /** What follows a saved configuration. @param {any} f @param {any} made */
  function connected(f, made) {
    const flow = connecting(f, made, p);
    const name = h('h1', { tabindex: '-1' }, f.name);
    fill(box, h('section.sheet', null, h('header', null, name), flow.el));
    // The form is gone, and the focus with it.
    name.focus();
    heard = (name) => { if (name === 'connection') { clearTimeout(timer); timer = setTimeout(flow.heard, 200); } };
    left = flow.leave;
    announce('The configuration is saved.');
  }

  // ---- settings ----

  /** @param {any} f @param {any} card @param {any} set */
  function edit(f, card, set) {
    document.title = `${card.name} · ${p.site.name} · HaloTrack`;
    const tried = h('div', { role: 'status' });
    const standing = h('div.cx-standing');
    const say = (/** @type {string} */ path, /** @type {object} */ body, /** @type {string} */ done) => async () => {
      try { await post(`${base}/connections/${id}/${path}`, body); p.app.toast(done); } catch (error) { p.app.toast(`Not changed. ${/** @type {any} */ (error).message}`); }
      show();
    };
    bringUp(standing, standingOf(card));
    // News change what stands there and nothing else: what is typed below stays.
    const refresh = async () => {
      timer = 0;
      const { items } = await get(`${base}/connections`).catch(() => ({ items: [] }));
      const now = items.find((/** @type {any} */ c) => c.connection === id);
      if (!now || gone) return;
      if (now.status !== card.status) { show(); return; }
      bringUp(standing, standingOf(card = now));
    };
    actIn(standing, () => p, () => card, refresh);
    heard = (name) => { if (['connection', 'conversion'].includes(name)) timer ||= setTimeout(refresh, 300); };
    const [what, sign, word] = remedy(card) ?? ['', '', ''];
    fill(box, h('section.sheet', null,
      h('header', null, h('h1', null, h('bdi', null, card.name)), statusOf(card), p.may && h('div.r', null,
        h('button.btn.small', { type: 'button', onclick: () => test(tried) }, 'Test'),
        what && h('button.btn.small', { type: 'button', class: what === 'pause' ? 'bare' : '', onclick: say(what, {}, what === 'pause' ? `${card.name} is paused.` : `${card.name} goes on.`) }, icon(sign, 's'), word))),
      h('div.cx-body', null, card.reason && h('p.note', { class: card.status === 'needs_attention' ? 'bad' : '' }, icon('alert', 's'), h('span', null, card.reason)), tried,
        standing, p.may && f?.steps.length > 0 && h('details.cx-more', null, h('summary', null, 'How it is set up'), steps(f)), tryIt(f, card.hook_url), card.mode && mode(card))),
    set && f && owner && f.fields.length > 0 && h('section.sheet', { 'aria-label': 'Settings' }, h('header', null, h('h2', null, 'Settings')), h('div.cx-body', null,
      settingsForm(f, { button: 'Save', settings: set.settings, secrets: set.secrets, send: async (settings) => {
        if (!Object.keys(settings).length) { p.app.toast('Nothing was changed.'); return; }
        const now = await post(`${base}/connections/${id}`, { settings });
        p.app.toast(now.status === 'ok' ? 'Saved.' : `Saved. ${now.reason ?? ''}`);
        if (!gone) show();
      } }).el)),
    owner ? h('section.sheet', { 'aria-label': 'Remove' }, h('header', null, h('h2', null, 'Remove')), h('div.cx-body', null,
      h('p.quiet', null, 'What it told and was told stays in your books. Its keys are deleted', card.hook_url && ', its address stops working at once', ', and what still waits for it is cancelled.'),
      h('div.acts', null, h('button.btn.danger', { type: 'button', onclick: () => end(card) }, `Remove ${card.name}`))))
      : p.may && h('p.faint.cx-note', null, 'Only an owner can see and change settings: keys are involved.'));
  }

  /** @param {any} card */
  const standingOf = (card) => [h('div.cc-lines', null, ending(card), happenings(card, p, 10)), (card.receives || card.registration) && hookState(card, p), card.pulls && reading(card, p),
    (card.receives || card.pulls) && h('p.faint.small', null, card.last_event_at ? `Last heard of ${exact(card.last_event_at)}.` : card.pull?.last_at ? 'By webhook nothing has come in yet.' : 'Nothing has come in yet.')]
    .filter((x) => x instanceof Element);

  /** @param {any} card */
  function mode(card) {
    const choose = async (/** @type {string} */ to) => {
      if (to === 'live' && !await confirm({ title: `Send to ${card.name} for real?`, yes: 'Go live', text: h('p', null, `From now on every new conversion with marketing consent is sent to ${card.name}.`) })) { show(); return; }
      try { await post(`${base}/connections/${id}/mode`, { mode: to }); p.app.toast(`${card.name}: ${to}.`); } catch (error) { p.app.toast(`Not changed. ${/** @type {any} */ (error).message}`); }
      show();
    };
    return h('fieldset.choices', { disabled: !p.may }, h('legend', null, 'How it delivers'), modesOf(card).map(([m, word, note]) => h('label.choice', null,
      h('input', { type: 'radio', name: 'mode', value: m, checked: card.mode === m, onchange: () => choose(m) }), h('span', null, h('b', null, word), h('small', null, note)))));
  }

  /** @param {HTMLElement} tried */
  async function test(tried) {
    fill(tried, h('p.wait', null, h('span.beat', { 'aria-hidden': 'true' }), h('span', null, 'Looking…')));
    try {
      const t = await post(`${base}/connections/${id}/test`);
      if (gone) return;
      fill(tried, h('div.note', { class: t.is_ready ? '' : 'warn' }, icon(t.is_ready ? 'check' : 'alert', 's'), h('div', null, h('b', null, t.is_ready ? 'It is ready.' : 'It is not ready.'),
        h('ul', null, t.checked.map((/** @type {string} */ s) => h('li', null, s)), t.not_checked.map((/** @type {string} */ s) => h('li.faint', null, s))))));
    } catch (error) { fill(tried, h('p.note.bad', null, icon('alert', 's'), h('span', null, /** @type {any} */ (error).message))); }
  }

  /** @param {any} card */
  async function end(card) {
    const waiting = card.counts.pending + card.counts.held;
    const yes = await confirm({ title: `Remove ${card.name}?`, yes: 'Remove it', danger: true, text: [
      h('p', null, waiting ? `${plural(waiting, 'delivery waits', 'deliveries wait')} for it and will be cancelled.` : 'Nothing waits for it.'),
      h('p', null, 'It cannot be brought back; it can be connected anew with its keys.')] });
    if (!yes) return;
    try {
      await remove(`${base}/connections/${id}`);
      p.app.toast(`${card.name} is removed.`);
      p.app.navigate(p.app.href('connections'), { replace: true });
    } catch (error) { p.app.toast(`Not removed. ${/** @type {any} */ (error).message}`); }
  }

  show();
  return {
    /** @param {import('../app.js').Params} next */
    update(next) { p = next; },
    /** @param {string} name */
    live(name) { heard?.(name); },
    leave() { gone = true; clearTimeout(timer); left?.(); },
  };
}
