// Columns of the page of sources: which there are, and which somebody chose. The choice stands in the address; the browser
// remembers the last one.

import { h, isPhone } from '../dom.js';
import { count, bare, roundMoney, currencySign, ownCurrency, plural, showsMoney, showsAll } from '../format.js';
import { own } from './figures.js';
import { rateColumn, share } from './panel.js';
import { pop } from './menu.js';

/** @typedef {import('../dom.js').Kid} Kid */
/**
 * @typedef {{id: string, name: string, head: () => Kid, quiet?: boolean, value: (row: any) => number, cell: (row: any) => Kid, was?: import('./compared.js').Was}} SourceColumn
 *   `was` says how it is compared; what has none is not
 */

const dash = (/** @type {number} */ n, /** @type {Kid} */ said) => (n ? said : '–');
/** @type {(id: string, name: string) => SourceColumn} */
const part = (id, name) => ({ id, name, head: () => name, value: (r) => r[id], cell: (r) => dash(r[id], share(r[id])),
  was: { good: 1, cases: (r) => r[id], text: share } });
/** @type {(id: string, name: string, of: (r: any) => any, quiet?: boolean) => SourceColumn} */
const sum = (id, name, of, quiet = false) => ({ id, name, quiet, head: () => `${name}, ${currencySign()}`,
  value: (/** @type {any} */ r) => own(of(r)).minor, cell: (/** @type {any} */ r) => dash(own(of(r)).minor, quiet ? roundMoney(own(of(r))) : bare(own(of(r)))),
  was: quiet ? undefined : { good: id === 'back' ? -1 : 1, cases: (/** @type {any} */ r) => r.orders, text: (/** @type {number} */ v) => roundMoney({ minor: v, currency: ownCurrency() }) } });

/** @type {(id: string, name: string, head: string) => SourceColumn} */
const cost = (id, name, head) => ({ id, name, head: () => `${head}, ${currencySign()}`, value: (r) => r[id]?.minor ?? -1, cell: (r) => (r[id] ? bare(r[id]) : '–') });

/** Every column, in the order in which it stands. @type {SourceColumn[]} */
const COLUMNS = [
  { id: 'visits', name: 'Visits', head: () => 'Visits', value: (r) => r.visits, cell: (r) => dash(r.visits, count(r.visits)),
    was: { good: 1, cases: (r) => r.visits, text: count } },
  part('leads', 'Leads'), part('orders', 'Orders'), part('conversions', 'Conversions'),
  { id: 'rate', name: 'Conversion rate', head: () => 'Rate', value: rateColumn.value, cell: rateColumn.cell,
    was: { good: 1, isRate: true, cases: (r) => r.visits, text: (v) => (v < 0 ? '–' : `${(v * 100).toFixed(1)}%`) } },
  sum('sold', 'Sold', (r) => r.sold), sum('back', 'Refunds', (r) => r.back), sum('net', 'Net revenue', (r) => r.net),
  sum('first', 'First touch', (r) => r.first.net, true), sum('last', 'Last touch', (r) => r.last.net, true),
  { id: 'balance', name: 'Opens or closes', head: () => 'Opens, closes', value: (r) => r.first.conversions - r.last.conversions, cell: balance },
  { ...sum('spend', 'Spend', (r) => r.spend), was: undefined },
  { id: 'new_customers', name: 'New customers', head: () => 'New customers', value: (r) => r.new_customers ?? 0, cell: (r) => dash(r.new_customers ?? 0, count(r.new_customers)) },
  cost('cost_per_lead', 'Cost per lead', 'Per lead'), cost('cost_per_order', 'Cost per order', 'Per order'), cost('cost_per_customer', 'Cost per new customer', 'Per customer'),
  { id: 'return', name: 'Return', head: () => 'Return', value: (r) => r.return_percent ?? -1, cell: (r) => (typeof r.return_percent === 'number' ? `${(r.return_percent / 100).toFixed(2)}×` : '–') },
];
/** What a row has cost, where anything was spent on these days. */
const OF_SPEND = ['spend', 'new_customers', 'cost_per_lead', 'cost_per_order', 'cost_per_customer', 'return'];
let knowsSpend = false;
/** Whether the figures that are shown know of spend. @param {any} table */
export const sawSpend = (table) => { knowsSpend = table?.total?.spend !== undefined; };

/** Those that may be seen: without amounts where they are hidden, without first and last visits of others. */
export const offered = () => COLUMNS.filter((c) => (!OF_SPEND.includes(c.id) || (knowsSpend && (showsMoney() || c.id === 'new_customers'))) && (showsMoney() || !['sold', 'back', 'net', 'first', 'last'].includes(c.id)) && (showsAll() || !['first', 'last', 'balance'].includes(c.id)));

const USUAL = ['visits', 'leads', 'orders', 'back', 'net', 'spend', 'return', 'balance'];
/** As many as stand beside the names without scrolling. */
const USUAL_NARROW = ['visits', 'net'];
const KEPT = 'halo-source-columns';

/** @param {string} show what the address says @returns {SourceColumn[]} */
export function chosen(show) {
  let words = show.split(',');
  if (!show) { try { words = (localStorage.getItem(KEPT) ?? '').split(','); } catch { words = []; } }
  const known = offered().filter((c) => words.includes(c.id));
  const usual = isPhone() ? USUAL_NARROW : USUAL;
  return known.length ? known : offered().filter((c) => usual.includes(c.id) || (!showsMoney() && c.id === 'conversions'));
}

/** @param {() => import('../app.js').Params} now @param {HTMLElement} anchor */
export function chooseColumns(now, anchor) {
  const on = new Set(chosen(now().view.show).map((c) => c.id));
  const put = () => {
    const show = offered().filter((c) => on.has(c.id)).map((c) => c.id).join(',');
    try { localStorage.setItem(KEPT, show); } catch { /* nothing is kept in a private window */ }
    now().app.go({ show }, { replace: true });
  };
  pop(anchor, 'Columns', h('div.col-list', null, offered().map((c) => h('label.check', null, h('input', { type: 'checkbox', name: c.id, checked: on.has(c.id),
    onchange: (/** @type {Event} */ e) => {
      const box = /** @type {HTMLInputElement} */ (e.target);
      if (box.checked) on.add(c.id); else on.delete(c.id);
      if (!on.size) { on.add(c.id); box.checked = true; }
      put();
    } }), h('span', null, c.name)))), 'cols-menu');
}

/** How much of what it takes part in it begins, and how much it ends: said in numbers, drawn as two bars from the middle. @param {any} r */
function balance(r) {
  const first = r.first.conversions, last = r.last.conversions, most = Math.max(first, last);
  if (!most) return '–';
  const SVG = 'http://www.w3.org/2000/svg', svg = document.createElementNS(SVG, 'svg');
  svg.setAttribute('class', 'scale');
  svg.setAttribute('viewBox', '0 0 48 8');
  svg.setAttribute('aria-hidden', 'true');
  const bar = (/** @type {string} */ cls, /** @type {number} */ x, /** @type {number} */ width) => {
    const rect = document.createElementNS(SVG, 'rect');
    for (const [key, v] of Object.entries({ class: cls, x, y: 1, width, height: 6 })) rect.setAttribute(key, String(v));
    svg.append(rect);
  };
  const size = (/** @type {number} */ n) => Math.round(n / most * 22 * 10) / 10;
  bar('opens', 23 - size(first), size(first));
  bar('closes', 25, size(last));
  const word = `Opens ${plural(Math.round(first * 10) / 10, 'conversion')}, closes ${plural(Math.round(last * 10) / 10, 'conversion')}`;
  return h('span.balance-mark', { 'data-tip': word }, h('span.vh', null, word), h('span.n', { 'aria-hidden': 'true' }, share(first)), svg, h('span.n', { 'aria-hidden': 'true' }, share(last)));
}
