// Who is in a step of a funnel, or left there: a list on the side. A row opens the line of that person over all systems.

import { get } from '../api.js';
import { h, fill, icon, announce } from '../dom.js';
import { count, plural, exact, when, money, platform, shortDay, valueWord } from '../format.js';
import { own } from './figures.js';
import { openDialog, dialogHead } from './menu.js';
import { milestoneWord } from './funnel_words.js';

/** @typedef {import('../dom.js').Kid} Kid */

const PAGE = 50;
/** What became of a booking. @type {Record<string, string>} */
const OUTCOMES = { came: 'came', no_show: 'did not come', not_told: 'nobody said', cancelled: 'cancelled', open: 'still to come' };

/** Who somebody is, as far as may be said. @param {any} row */
function nameOf(row) {
  if (row.kind === 'erased') return h('span.faint', null, 'Somebody who was erased');
  if (row.kind === 'browser') return h('span', null, 'A visitor without a name');
  return row.who?.display ? h('bdi', null, row.who.display) : h('span', null, row.who?.contact ? `Person ${String(row.who.contact).replace(/\D+/, '')}` : 'Somebody');
}

/** @param {any} row */
const cameFrom = (row) => (row.first ? h('bdi', null, [valueWord('source', row.first.source), row.first.campaign].filter(Boolean).join(', ')) : h('span.faint', null, 'not known where from'));

/**
 * @param {import('../app.js').Params} p
 * @param {{id: string, title: string, url: string, ask: URLSearchParams, steps: (row: any) => [Kid, string|null][], closed: (id: string) => void}} how
 *   `steps` are what is known of a row: its name and when it was
 */
export function openPeople(p, how) {
  const body = h('div.rc-body.fp'), box = h('div.rc.people-of', null);
  const { el, close } = openDialog({ label: how.title, slide: 'side', onclose: () => how.closed(how.id) }, box);
  const list = h('ol.fp-list'), foot = h('div.fp-foot'), sum = h('span.faint');
  fill(box, dialogHead(/** @type {any} */ (how.title), close, sum), body);
  let n = 0;

  /** @param {string|null} cursor */
  async function load(cursor) {
    const ask = new URLSearchParams(how.ask);
    ask.set('limit', String(PAGE));
    if (cursor) ask.set('cursor', cursor);
    if (!cursor) fill(body, h('div.skeleton', { 'aria-hidden': 'true' }, Array.from({ length: 7 }, () => h('i'))));
    try {
      const answer = await get(how.url, ask);
      if (!el.open) return;
      if (!cursor) {
        fill(sum, count(answer.total));
        fill(body, answer.total ? [list, foot] : h('div.empty', null, icon('person'), h('p', null, 'Nobody, on these days.')));
        announce(answer.total === 1 ? '1 person' : `${count(answer.total)} people`);
      }
      list.append(...answer.items.map(row));
      fill(foot, answer.next && h('button.btn.small', { type: 'button', onclick: (/** @type {Event} */ e) => { /** @type {HTMLButtonElement} */ (e.currentTarget).disabled = true; load(answer.next); } }, 'Show more'));
    } catch (error) {
      const err = /** @type {any} */ (error);
      if (!el.open || err.code === 'signed_out') return;
      const again = h('button.btn', { type: 'button', onclick: () => load(cursor) }, 'Try again');
      fill(cursor ? foot : body, h('div.trouble', { role: 'alert' }, icon('alert'), h('p', null, h('b', null, 'These people could not be fetched.'), ` ${err.message}`), again));
    }
  }

  /** @param {any} row */
  function row(row) {
    const inside = h('div.fp-line', { hidden: true, id: `fp-${++n}` }), net = own(row.net).minor ? money(own(row.net)) : '';
    const said = row.outcome ? [OUTCOMES[row.outcome] ?? row.outcome, row.bought_at && 'bought'].filter(Boolean).join(', ') : plural(row.reached, 'step');
    const button = h('button.fp-row', { type: 'button', 'aria-expanded': 'false', 'aria-controls': inside.id, onclick: () => {
      inside.hidden = !inside.hidden;
      button.setAttribute('aria-expanded', String(!inside.hidden));
      if (!inside.hidden && !inside.firstChild) open(row, inside);
    } }, icon('right', 's turn'), h('span.fp-who', null, nameOf(row)), h('span.fp-said', null, said), h('span.fp-net', null, net),
    h('small', null, cameFrom(row), ` · ${shortDay(row.booked_at ?? row.steps?.[0])}`));
    return h('li', null, button, inside);
  }

  /** What is known at once, then the whole line. @param {any} row @param {HTMLElement} inside */
  async function open(row, inside) {
    const steps = how.steps(row).filter(([, at]) => at);
    const short = h('ol.fp-steps', null, steps.map(([name, at]) => h('li', null, h('span', null, name), h('time.faint', { 'data-tip': exact(/** @type {string} */ (at)) }, when(/** @type {string} */ (at))))));
    const contact = row.who?.contact;
    const links = h('p.fp-links', null, contact && p.site.role !== 'client' && h('a.go', { href: p.app.href('people', undefined, contact) }, 'The person'));
    fill(inside, short, links);
    if (!contact || p.site.part) return;
    try {
      const line = await get(`/api/sites/${p.site.site}/reports/show_up/line/${contact}`);
      if (!inside.isConnected || !line.items.length) return;
      fill(inside, h('ol.fp-steps', null, line.items.map(happened)), links);
    } catch { /* what is shown already is true; the person's own page says more */ }
  }

  /** @param {any} x */
  function happened(x) {
    const about = [x.source && (x.what === 'visit' ? x.source : platform(x.source)), x.name, x.minutes !== null && `${count(x.minutes)} min there`, x.starts_at && `for ${when(x.starts_at)}`, x.amount && money(x.amount)].filter(Boolean);
    return h('li', null, h('span', null, milestoneWord(x.what), about.length > 0 && h('bdi.faint', null, ` ${about.join(', ')}`)), h('time.faint', { 'data-tip': exact(x.at) }, when(x.at)));
  }

  load(null);
  return { id: how.id, close };
}
