// Where it came from: by channel, source, campaign or landing page, with what the first and the last touch would earn beside it.

import { h, fill } from '../dom.js';
import { addUp, panel, netColumn, visitsColumn, conversionsColumn, share } from './panel.js';
import { own } from './figures.js';

/** Partners have figures of their own: they earn by links and coupons, whatever visit is credited. */
const PARTNERS = 'affiliate';
const BY = [['channel', 'Channel'], ['source', 'Source'], ['campaign', 'Campaign'], ['content', 'Content'], ['term', 'Term'], ['landing', 'Landing page'], [PARTNERS, 'Affiliate']];

/** Those that a site shows: whoever is shown a part of it is not told of partners. @param {import('../app.js').Site} site */
const bysOf = (site) => BY.filter(([id]) => id !== PARTNERS || (!site.part && site.role !== 'client'));

/** @param {string} by @param {import('../app.js').Site} site */
export const byOf = (by, site) => bysOf(site).find(([id]) => id === by)?.[0] ?? 'source';

/** What partners brought, as the table takes it. @param {any} report */
export function ofPartners(report) {
  const items = report.items.filter((/** @type {any} */ r) => r.clicks || r.conversions || r.net.length)
    .map((/** @type {any} */ r) => ({ name: r.codes[0], label: r.name || r.codes[0], visits: r.clicks, conversions: r.conversions, net: r.net }))
    .sort((/** @type {any} */ a, /** @type {any} */ b) => own(b.net).minor - own(a.net).minor || b.conversions - a.conversions);
  return { by: PARTNERS, items, rows: items.length, total: { ...addUp(items), first: null } };
}

/** @param {() => import('../app.js').Params} now */
export function revenueBySource(now) {
  const tabs = h('div.tabs', { role: 'group', 'aria-label': 'By' });
  /** @type {import('./panel.js').PanelUse} */
  const use = { title: 'Where it came from', dim: 'source', path: 'reports/sources', part: 'RevenueBySource', most: 10, first: 'Source', sort: 'net', bar: true, columns: [],
    none: 'Nothing came in on these days.' };
  const box = panel(now, use, tabs);
  const note = h('p.faint.small.panel-note', { hidden: true }, 'Partners’ figures are of all their sales on these days: filters leave them as they are.');
  box.el.append(note);
  return { el: box.el,
    /** @param {any} table */
    draw(table) {
      const { app, site, view } = now(), isOfPartners = table.by === PARTNERS;
      use.path = isOfPartners ? 'reports/affiliates' : 'reports/sources';
      use.name = isOfPartners ? (r) => r.label ?? r.name : undefined;
      use.none = isOfPartners ? 'No partner sent anybody on these days.' : 'Nothing came in on these days.';
      note.hidden = !isOfPartners || !view.filters.length;
      use.dim = table.by;
      use.first = BY.find(([id]) => id === table.by)?.[1] ?? 'Source';
      // A shop that sells nothing here compares the touches by what they brought in numbers.
      const hasMoney = own(isOfPartners ? table.total.net : table.total.sold).minor !== 0 || own(table.total.back ?? []).minor !== 0;
      const count = (/** @type {string} */ column) => ({ id: column, classes: 'num quiet hide-s', value: (/** @type {any} */ r) => r[column].conversions,
        head: column === 'first' ? 'First touch' : 'Last touch', cell: (/** @type {any} */ r) => share(r[column].conversions), foot: (/** @type {any} */ t) => share(t[column].conversions) });
      use.sort = hasMoney ? 'net' : 'conversions';
      use.bar = hasMoney;
      // Whoever is shown a part is not told who opened or closed it.
      const ends = !table.total.first ? [] : hasMoney ? [netColumn('First touch', 'first'), netColumn('Last touch', 'last')] : [count('first'), count('last')];
      use.columns = [isOfPartners ? { ...visitsColumn, head: 'Clicks' } : visitsColumn, conversionsColumn, netColumn('Net revenue'), ...ends];
      fill(tabs, bysOf(site).map(([id, name]) => h('button', { type: 'button', 'data-focus': `by-${id}`, 'aria-pressed': String(id === table.by),
        onclick: () => app.go({ by: id === 'source' ? '' : id }, { replace: true }) }, name)));
      box.draw(table);
    } };
}
