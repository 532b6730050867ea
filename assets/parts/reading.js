// The list of a platform: when it was read and what came of it, what is under way, what comes next.

import { h, icon } from '../dom.js';
import { count, plural, when, exact, shortDay } from '../format.js';
import { isSold, oneOf } from './connection_state.js';
import { confirm } from './menu.js';

/**
 * Its buttons say what they do in `data-act`; the page listens.
 * @param {any} c a connection whose list is read @param {import('../app.js').Params} p
 */
export function reading(c, p) {
  const r = c.pull;
  const may = p.may && (c.status === 'ok' || c.status === 'needs_attention');
  // What is read already need not be asked for; where something stands in its way, it may be tried at once.
  const busy = (!r || r.is_under_way) && !r?.sentence;
  return h('div.rdg', { role: 'group', 'aria-label': `Reading of ${c.name}` },
    h('div.rdg-head', null, h('b', null, 'Its records'), h('span', null, said(r, c)),
      may && h('span.rdg-acts', null,
        h('button.btn.small.bare', { type: 'button', 'data-act': 'pull', 'data-focus': `pull-${c.connection}`, 'aria-disabled': busy ? 'true' : null }, icon('down', 's'), busy ? 'Reading…' : 'Read now'),
        !busy && h('button.btn.small.bare', { type: 'button', 'data-act': 'back', 'data-focus': `back-${c.connection}` }, icon('back', 's'), 'Read back…'))),
    r?.is_under_way && r.reached_at && h('progress', { max: 1000, value: share(r), 'aria-label': 'How far the list is read' }),
    r?.sentence && h('p.cc-trouble', null, icon('alert', 's'), h('span', null, r.sentence, ' ',
      h('span', { 'data-tip': exact(r.next_at) }, `It goes on by itself ${soon(r.next_at)}.`))));
}

/** @param {any} r @param {any} c */
function said(r, c) {
  if (!r) return 'The first reading begins in a moment.';
  if (r.is_under_way) {
    const first = !r.has_history;
    if (!r.pages && !r.records) return first ? 'The first reading begins in a moment.' : 'They are being read.';
    return [first ? 'The first reading is under way' : 'They are being read', r.since && ` from ${shortDay(r.since)} on`, r.reached_at && `, and has come to ${shortDay(r.reached_at)}`, ': ',
      `${plural(r.records, 'record')} in ${plural(r.pages, 'page')}${isSold(c) ? `, ${count(r.orders)} new` : ''}.`];
  }
  return [r.last_at ? h('span', { 'data-tip': exact(r.last_at) }, `Last read ${when(r.last_at)}: `) : 'Not read yet. ',
    r.last_at && `${news(r, c)}. `,
    r.back_to ? `Next they are read from ${shortDay(r.back_to)} on.` : !r.sentence && h('span', { 'data-tip': exact(r.next_at) }, `Next ${soon(r.next_at)}.`)];
}

/** Of what is not sold it is not counted how many are new. @param {any} r @param {any} c */
const news = (r, c) => (isSold(c) ? r.orders ? plural(r.orders, `new ${oneOf(c)}`) : 'nothing new' : r.records ? plural(r.records, oneOf(c)) : 'nothing new');

/** A time that has just passed is due. @param {string} at */
const soon = (at) => (new Date(at).getTime() - Date.now() < 20000 ? 'in a moment' : when(at));

/** How much of the time that is read lies behind, in thousandths. @param {any} r */
function share(r) {
  const [from, to] = [new Date(r.since ?? r.reached_at).getTime(), new Date(r.began_at ?? Date.now()).getTime()];
  return to > from ? Math.round(Math.min(1, (new Date(r.reached_at).getTime() - from) / (to - from)) * 1000) : 0;
}

/** How many days of the list are to be read once more; null for none. @param {any} c @returns {Promise<number|null>} */
export async function askDays(c) {
  const input = /** @type {HTMLInputElement} */ (h('input.in.days', { type: 'number', name: 'days', min: 1, max: 3650, value: 30, id: 'back-days' }));
  input.addEventListener('keydown', (e) => { if (e.key === 'Enter') { e.preventDefault(); /** @type {HTMLElement|null} */ (input.closest('.ask')?.querySelector('.btn.main') ?? null)?.click(); } });
  const yes = await confirm({ title: `Read ${c.name} once more?`, yes: 'Read them', text: [
    h('p', null, 'What is known already counts once. What was missed is fetched.'),
    h('p', null, h('label', { for: 'back-days' }, 'Days back '), input)] });
  const days = Math.round(Number(input.value));
  return yes && days >= 1 ? Math.min(days, 3650) : null;
}
