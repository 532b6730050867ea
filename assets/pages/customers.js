// Customers: what they are worth, how often they bought, and how they began. Every row opens the person.

import { get } from '../api.js';
import { h, fill, styles } from '../dom.js';
import { amount, money, count, plural, exact, shortDay, dayOf, today, zoneName, currencySign, countryName } from '../format.js';
import { createTable, createList, ledgerHead } from '../parts/table.js';
import { nothing, yet, sumsBeside } from '../parts/nothing.js';
import { figure, pressed, big, apart, ofOwn, share, spanOf } from '../parts/buyers.js';

export const title = 'Customers';

export const ready = styles(new URL('../css/customers.css', import.meta.url));

/** @type {import('../app.js').BarUse} */
export const bar = { range: true, filters: ['buyer', 'source'], search: true, exports: 'customers', rows: true };

const WORDS = /** @type {Record<string, string>} */ ({ new: 'New', returning: 'Returning' });
// Who was erased is nobody, and has a first sale.
const key = (/** @type {any} */ row) => row.id ?? row.first_conversion;

/** @param {HTMLElement} root @param {import('../app.js').Params} params */
export function render(root, params) {
  let p = params;
  const { app, site } = params;
  /** @type {any} */ let total = null;
  let asked = '', gone = false, timer = 0;

  const href = (/** @type {any} */ row) => (row.is_erased ? app.href('conversions', undefined, row.first_conversion) : app.href('people', undefined, row.id));
  const figures = h('div.stmt', { hidden: true });
  const others = h('footer.others', { hidden: true });
  const table = createTable({
    label: `Customers, times in ${zoneName()}`, columns: columns(), key, classes: 't-customers',
    href, open: (row) => app.navigate(href(row)),
    onfilter: (dim, value, not) => app.go(p.view.plus(dim, value, not)),
    onsort: (sort) => app.go({ sort }),
    rowClass: (row) => (row.first ? '' : 'un'),
  });
  const list = createList({ url: `/api/sites/${site.site}/customers`, what: 'customers', table, key, empty, answered });
  const head = ledgerHead({ dim: 'buyer', word: (v) => WORDS[v] ?? v, label: 'Search e-mail, phone or customer number', placeholder: 'E-mail, phone, number', now: () => p });
  // Looking for somebody is for those who may see people.
  if (site.role === 'client') head.el.querySelector('.find')?.remove();

  /** @param {any} a */
  function answered(a) {
    app.figuresAt = list.fetchedAt || new Date().toISOString();
    total = a.total;
    head.draw([{ value: 'new', count: total.new }, { value: 'returning', count: total.returning }]);
  }

  function empty() {
    return nothing(() => p, { none: 'No customer fits.', all: 'Show all customers', days: 'Nobody bought in these days.', searched: (q) => ['Nobody who bought is known by ', q, '.'],
      first: () => yet('customers', 'Nobody has bought yet.', 'Whoever does stands here with what they are worth. Connect the shop: earlier orders come along.',
        { href: app.href('connections'), word: 'Connect a shop' }) });
  }

  const sums = sumsBeside(() => get(`/api/sites/${site.site}/reports/customers`, spanOf(p, today())), drawHead);

  function drawHead() {
    const { report } = sums;
    figures.hidden = !report || !report.worth.customers;
    if (!report) return;
    const { customers, buyers, worth } = report;
    const filter = p.view.filters.find((f) => f.dim === 'buyer' && !f.not);
    const only = (/** @type {string} */ word) => ({ on: !!filter?.values.includes(word), off: !customers[word],
      act: () => app.go(filter?.values.includes(word) ? { filters: p.view.filters.filter((f) => f !== filter) } : p.view.plus('buyer', word, false)) });
    const own = ofOwn(buyers.new.net), first = own ? `${money(own)} net` : 'no money';
    fill(figures,
      figure('Worth of a customer', big(worth.average), worth.median ? ['half are worth more than ', money(worth.median)] : 'net of refunds', 'Over all time: what is left after refunds and cancellations, on average'),
      figure('Bought', count(customers.all), [plural(report.orders, 'order'), `, ${p.view.rangeName().toLowerCase()}`]),
      pressed('New', count(customers.new), share(customers.new, customers.all), only('new')),
      pressed('Returning', count(customers.returning), share(customers.returning, customers.all), only('returning')),
      figure('From repeat orders', ofOwn(buyers.returning.net) ? money(/** @type {any} */ (ofOwn(buyers.returning.net))) : '–',
        `from ${plural(buyers.returning.orders, 'order')}, net`, `Money of orders that were not a customer’s first. First ones: ${first}.`));
    const more = apart(report.net);
    others.hidden = !more;
    fill(others, more);
  }

  /** @param {boolean} [force] */
  function load(force) {
    const ask = p.view.ask(bar);
    if (!force && ask.toString() === asked) return;
    asked = ask.toString();
    table.drawHead(p.view.sort, 'lifetime');
    list.load(ask);
    sums.load();
  }

  app.suggest = (dim) => {
    if (dim === 'buyer') return ['new', 'returning'].map((value) => ({ value, count: total?.[value] }));
    return [...new Set(table.rows.map((r) => r.first?.source ?? 'unattributed'))].sort().map((value) => ({ value }));
  };

  fill(root, h('h1.vh', null, title), h('section.sheet.ledger', { 'aria-label': title }, figures, head.el, list.el, others));
  head.draw([]);
  load(true);
  return {
    /** @param {import('../app.js').Params} next */
    update(next) { const came = next.view.toString() === p.view.toString(); p = next; head.sync(); load(came); if (sums.report) drawHead(); },
    /** @param {string} name */
    live(name) {
      if (name !== 'conversion' && name !== 'again') return;
      clearTimeout(timer);
      timer = setTimeout(async () => { if (gone) return; await list.refresh(true); if (!gone) sums.load(); }, 800);
    },
    key: (/** @type {KeyboardEvent} */ e) => table.key(e),
    leave() { gone = true; clearTimeout(timer); head.stop(); list.stop(); sums.stop(); },
  };
}

/** @returns {import('../parts/table.js').Column[]} */
function columns() {
  const sign = `, ${currencySign()}`;
  const none = () => h('span.faint', null, '–');
  const at = (/** @type {string|null} */ time) => (time ? h('span', { 'data-tip': exact(time) }, shortDay(time, dayOf(time).slice(0, 4) !== today().slice(0, 4))) : none());
  return [
    { id: 'who', head: 'Who', rowHead: true, cell: (r) => (r.is_erased ? h('span.faint', null, 'Somebody who was erased') : h('bdi.cut', null, r.who.display ?? 'no address given')) },
    { id: 'source', head: 'First source', cell: sourceCell, filter: (r) => ({ dim: 'source', value: r.first?.source ?? 'unattributed' }) },
    { id: 'country', head: 'Country', classes: 'quiet hide-l', cell: (r) => (r.country ? countryName(r.country) : none()) },
    { id: 'first', head: 'First order', classes: 'num hide-s', sort: 'first', cell: (r) => at(r.first_at) },
    { id: 'last', head: 'Last order', classes: 'num hide-s', sort: 'last', cell: (r) => at(r.last_at) },
    { id: 'orders', head: 'Orders', classes: 'num', sort: 'orders', cell: (r) => h('span.many', { 'data-word': r.orders === 1 ? ' order' : ' orders' }, count(r.orders)) },
    { id: 'average', head: `Average${sign}`, classes: 'num hide-s', sort: 'average', cell: (r) => (r.average ? amount(r.average) : none()) },
    { id: 'worth', head: `Worth${sign}`, classes: 'num', sort: 'lifetime',
      cell: (r) => (r.lifetime ? h('span', { 'data-tip': r.others.length ? `Also ${r.others.map(money).join(', ')}, kept apart` : null }, amount(r.lifetime), r.others.length > 0 && h('span.faint', null, ' +'))
      : r.others.length ? h('span.faint', null, r.others.map(money).join(', ')) : none()) },
  ];
}

/** @param {any} r */
function sourceCell(r) {
  if (!r.first) return h('span.quiet', { 'data-tip': 'No visit before the first order is known' }, 'Unattributed');
  const plain = !r.first.medium || ['(none)', 'none', 'referral'].includes(r.first.medium);
  const tip = [r.first.channel, [r.first.source, r.first.medium].filter(Boolean).join(' / '), r.first.campaign].filter(Boolean).join(' · ');
  return h('span', { 'data-tip': tip }, h('bdi', null, r.first.source), !plain && h('span.faint', null, ` ${r.first.medium}`));
}
