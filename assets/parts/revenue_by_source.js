// Where it came from: by channel, source, campaign or landing page, with what the first and the last touch would earn beside it.

import { h, fill } from '../dom.js';
import { panel, netColumn, visitsColumn, conversionsColumn, share } from './panel.js';
import { own } from './figures.js';

const BY = [['channel', 'Channel'], ['source', 'Source'], ['campaign', 'Campaign'], ['content', 'Content'], ['term', 'Term'], ['landing', 'Landing page']];

/** @param {string} by */
export const byOf = (by) => BY.find(([id]) => id === by)?.[0] ?? 'source';

/** @param {() => import('../app.js').Params} now */
export function revenueBySource(now) {
  const tabs = h('div.tabs', { role: 'group', 'aria-label': 'By' });
  /** @type {import('./panel.js').PanelUse} */
  const use = { title: 'Where it came from', dim: 'source', path: 'reports/sources', part: 'RevenueBySource', most: 10, first: 'Source', sort: 'net', bar: true, columns: [],
    none: 'Nothing came in on these days.' };
  const box = panel(now, use, tabs);
  return { el: box.el,
    /** @param {any} table */
    draw(table) {
      const { app } = now();
      use.dim = table.by;
      use.first = BY.find(([id]) => id === table.by)?.[1] ?? 'Source';
      // A shop that sells nothing here compares the touches by what they brought in numbers.
      const hasMoney = own(table.total.sold).minor !== 0 || own(table.total.back).minor !== 0;
      const count = (/** @type {string} */ column) => ({ id: column, classes: 'num quiet hide-s', value: (/** @type {any} */ r) => r[column].conversions,
        head: column === 'first' ? 'First touch' : 'Last touch', cell: (/** @type {any} */ r) => share(r[column].conversions), foot: (/** @type {any} */ t) => share(t[column].conversions) });
      use.sort = hasMoney ? 'net' : 'conversions';
      use.bar = hasMoney;
      // Whoever is shown a part is not told who opened or closed it.
      const ends = !table.total.first ? [] : hasMoney ? [netColumn('First touch', 'first'), netColumn('Last touch', 'last')] : [count('first'), count('last')];
      use.columns = [visitsColumn, conversionsColumn, netColumn('Net revenue'), ...ends];
      fill(tabs, BY.map(([id, name]) => h('button', { type: 'button', 'data-focus': `by-${id}`, 'aria-pressed': String(id === table.by),
        onclick: () => app.go({ by: id === 'source' ? '' : id }, { replace: true }) }, name)));
      box.draw(table);
    } };
}
