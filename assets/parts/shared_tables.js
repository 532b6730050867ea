// Tables of a share link's pages: plain, without filters, with nothing in them that the link hides.

import { h, add, icon } from '../dom.js';
import { clock, count, day, percent, money, headline, exact, plural, valueWord, statusWord, labelOf } from '../format.js';
import { dayBars } from './day_bars.js';

/** @typedef {import('../dom.js').Kid} Kid */

const MOST = 20;
/** @param {any} share @param {any[]|undefined} all */
const ownOf = (share, all) => (all ?? []).find((m) => m.currency === share.currency) ?? { minor: 0, currency: share.currency };
const parts = (/** @type {number} */ n) => count(Math.round(n * 100) / 100);
const sums = (/** @type {any[]} */ all) => all.map(money).join(', ') || '–';

/** @param {string} title @param {Kid} side @param {Kid} inner */
const sheet = (title, side, inner) => h('section.sheet', { 'aria-label': title }, h('header', null, h('h2', null, title), side), inner);

/** @param {string} label @param {[string, string][]} heads names and classes @param {Kid} rows */
const table = (label, heads, rows) => h('div.scroll', { tabindex: '0', role: 'group', 'aria-label': label }, h('table.t', null, h('caption.vh', null, label),
  h('thead', null, h('tr', null, heads.filter(Boolean).map(([name, cls]) => h('th', { scope: 'col', class: cls }, name)))), h('tbody', null, rows)));

/** @param {any} head @param {any} series @param {any} share */
export function overviewOf(head, series, share) {
  const one = (/** @type {string} */ word, /** @type {Kid} */ figure) => h('div', null, h('dt', null, word), h('dd', null, figure));
  const rate = head.conversion_rate === null ? '–' : [percent(head.conversion_rate), head.conversion_range && h('small', null, ` (${head.conversion_range.map(percent).join('–')})`)];
  const value = share.hides_money ? (/** @type {any} */ d) => d.conversions.all : (/** @type {any} */ d) => ownOf(share, d.net).minor;
  const by = (/** @type {string} */ title, /** @type {string} */ first, /** @type {string} */ dim, /** @type {any} */ t) => t.items.length > 0 && sheet(title, null,
    table(title, /** @type {any} */ ([[first, ''], dim === 'product' ? ['Sold', 'num'] : ['Visits', share.hides_money ? 'num' : 'num hide-s'], dim !== 'product' && ['Conversions', 'num'], !share.hides_money && ['Net', 'num']]),
      t.items.slice(0, MOST).map((/** @type {any} */ r) => h('tr', null, h('th', { scope: 'row' }, h('bdi', null, dim === 'product' && r.name === '(not set)' ? 'Not listed by the shop' : valueWord(dim, r.name))),
        h('td.num', { class: dim === 'product' || share.hides_money ? '' : 'hide-s' }, dim === 'product' ? count(r.quantity) : count(r.visits)), dim !== 'product' && h('td.num', null, parts(r.conversions)), !share.hides_money && h('td.num', null, sums(r.net))))));
  return [
    h('dl.sheet.sh-top', null, !share.hides_money && one('Net', headline(ownOf(share, head.net))), one('Conversions', count(head.conversions.all)), one('Orders', count(head.orders)),
      one('Leads', count(head.conversions.lead)), one('Visits', count(head.visits)), one('Conversion rate', rate)),
    series.items.length > 1 && sheet(share.hides_money ? 'Conversions by day' : 'Net by day', null,
      dayBars(series.items, value, (/** @type {any} */ d) => (share.hides_money ? count(d.conversions.all) : d.net.map(money).join(' ') || '0'))),
    by('Where they came from', 'Source', 'source', head.sources), by('What sold', 'Product or service', 'product', head.products),
    h('div.sh-pair', null, by('Countries', 'Country', 'country', head.countries), by('Devices', 'Device', 'device', head.devices)),
  ];
}

/** Channels, in each its sources, in each its campaigns. @param {any} tree @param {any} share */
export function sourcesOf(tree, share) {
  const rows = /** @type {HTMLElement[]} */ ([]);
  const put = (/** @type {any[]} */ items, /** @type {number} */ level) => {
    for (const r of items) {
      const dim = ['channel', 'source', 'campaign'][level];
      rows.push(h('tr', { 'data-level': level }, h('th', { scope: 'row', class: `sh-l${level}` }, h('bdi', null, r.name === '(not set)' ? 'no name' : valueWord(dim, r.name))),
        h('td.num.hide-s', null, r.name === 'unattributed' ? '–' : count(r.visits)), h('td.num.hide-s', null, parts(r.leads)), h('td.num.hide-s', null, parts(r.orders)), h('td.num', null, parts(r.conversions)),
        !share.hides_money && h('td.num', null, sums(r.net))));
      if (r.items) put(r.items, level + 1);
    }
  };
  put(tree.items, 0);
  if (!rows.length) return h('section.sheet', null, h('div.empty', null, h('p', null, h('b', null, 'Nothing came in on these days.'), ' Choose other days above.')));
  rows.push(h('tr.sum', null, h('th', { scope: 'row' }, 'All'), h('td.num.hide-s', null, count(tree.total.visits)), h('td.num.hide-s', null, parts(tree.total.leads)), h('td.num.hide-s', null, parts(tree.total.orders)),
    h('td.num', null, parts(tree.total.conversions)), !share.hides_money && h('td.num', null, sums(tree.total.net))));
  return sheet('Channels, sources, campaigns', null, table('Channels, their sources, their campaigns', /** @type {any} */ ([['Where from', ''], ['Visits', 'num hide-s'], ['Leads', 'num hide-s'], ['Orders', 'num hide-s'],
    ['Conversions', 'num'], !share.hides_money && ['Net', 'num']]), rows));
}

/** On a phone the amount needs the room of the weekday and the time. @param {string} at */
function whenOf(at) {
  const [weekday, ...date] = day(at).split(' ');
  return [h('span.hide-s', null, `${weekday} `), date.join(' '), h('span.hide-s', null, `, ${clock(at)}`)];
}

const LISTS = /** @type {Record<string, [string, string, string]>} */ ({ conversions: ['Conversions', 'conversion', 'Net'], orders: ['Orders', 'order', 'Net'], leads: ['Leads', 'lead', 'Worth'] });

/**
 * The newest first, with how many stand where.
 * @param {'conversions'|'orders'|'leads'} what @param {any} list @param {any} share
 * @param {{next: (cursor: string) => Promise<any>, csv: string, none: string}} more
 */
export function ledgerOf(what, list, share, more) {
  const [title, one, worth] = LISTS[what];
  // What a lead may be worth is no money that came in: among conversions only sales have a net.
  const amount = (/** @type {any} */ c) => (what === 'leads' ? c.amount : what === 'orders' || c.kind === 'sale' ? c.net : null);
  const line = (/** @type {any} */ c) => h('tr', null, h('td.fit', { 'data-tip': exact(c.happened_at) }, whenOf(c.happened_at)), h('td', null, h('bdi', null, share.hides_people ? valueWord('kind', c.kind) : labelOf(c)), h('span.faint', null, ` ${statusWord(c.status)}`)),
    h('td', null, h('bdi', null, valueWord('source', c.source ?? 'unattributed')), c.campaign && h('span.faint.hide-s', null, ' ', h('bdi', null, c.campaign))),
    !share.hides_people && h('td', null, c.who ?? '–'), !share.hides_money && h('td.num', null, amount(c) ? money(amount(c)) : '–'));
  const body = h('tbody'), foot = h('div.more');
  let next = list.next;
  const put = (/** @type {any[]} */ items) => { for (const c of items) body.append(line(c)); };
  const drawMore = () => {
    foot.hidden = !next;
    foot.replaceChildren();
    if (!next) return;
    const button = /** @type {HTMLButtonElement} */ (h('button.btn', { type: 'button', onclick: async () => {
      button.disabled = true;
      try { const page = await more.next(next); next = page.next; put(page.items); drawMore(); } catch (error) { button.disabled = false; button.textContent = `Try again: ${/** @type {any} */ (error).message}`; }
    } }, 'Show more'));
    foot.append(button);
  };
  put(list.items);
  drawMore();
  const box = table(`${title}, the newest first`, /** @type {any} */ ([['When', ''], ['What', ''], ['From', ''], !share.hides_people && ['Who', ''], !share.hides_money && [worth, 'num']]), null);
  box.querySelector('tbody')?.replaceWith(body);
  const stages = h('p.sh-stages.quiet', null, plural(list.count, one), list.count > 0 && [': ', list.statuses.map((/** @type {any} */ s, /** @type {number} */ i) => [i > 0 && ', ', h('b', null, count(s.count)), ` ${statusWord(s.value)}`])],
    !share.hides_money && list.amounts.length > 0 && what !== 'conversions' && `. ${what === 'orders' ? 'Net' : 'Worth'} ${sums(what === 'orders' ? list.net : list.amounts)}`);
  const out = sheet(title, h('div.r', null, h('a.btn.small', { href: more.csv, download: true }, icon('export', 's'), 'CSV')), [stages,
    list.items.length ? box : h('div.empty', null, h('p', null, h('b', null, 'Nothing in these days.'), ` ${more.none}`))]);
  add(out, foot);
  return out;
}
