// The latest conversions, ten rows, each with its source and how it was matched; a press opens the receipt over the page.

import { h, fill, icon } from '../dom.js';
import { amount, clock, dayOf, today, shortDay, exact, zoneName, currencySign, showsMoney, labelOf } from '../format.js';
import { matchMark } from './table.js';

/** @param {() => import('../app.js').Params} now @param {(id: string) => void} open */
export function recentOrders(now, open) {
  const body = h('div.panel-body');
  const all = h('a.go.small', { href: '#' }, 'All conversions');
  const el = h('section.sheet.panel', { 'data-part': 'RecentOrders', 'aria-label': 'Latest conversions' },
    h('header', null, h('h2', null, 'Latest conversions'), h('span.tag.faint', null, zoneName()), h('div.r', null, all)), body);
  el.addEventListener('click', (e) => {
    if (e.ctrlKey || e.metaKey || e.shiftKey) return; // the browser opens the link its own way
    const row = /** @type {HTMLElement} */ (e.target).closest('tr[data-id]');
    if (!row || getSelection()?.toString()) return;
    e.preventDefault();
    e.stopPropagation();
    open(row.getAttribute('data-id') ?? '');
  });

  /** @param {any} r */
  const row = (r) => h('tr', { 'data-id': r.id },
    h('td.fit.faint', { 'data-tip': exact(r.happened_at) }, dayOf(r.happened_at) === today() ? clock(r.happened_at) : shortDay(r.happened_at)),
    h('th.c-what', { scope: 'row' }, h('a.open', { href: now().app.href('conversions', now().view.only([]), r.id) }, h('bdi.cut', null, labelOf(r)))),
    now().site.hides_people ? null : h('td.quiet.c-who.hide-s', null, r.who.display ? h('bdi.cut', null, r.who.display) : h('span.faint', null, r.who.is_erased ? 'erased' : 'no address given')),
    showsMoney() && h('td.num', null, r.amount ? amount(r.amount) : h('span.faint', null, '–')),
    h('td.c-source', null, r.credited.length ? h('bdi.cut', null, r.credited[0].source, r.credited.length > 1 && h('span.faint', null, ` +${r.credited.length - 1}`)) : h('span.quiet', null, 'Unattributed')),
    h('td.c-match', null, matchMark(r.match)), h('td.fit.hide-s', null, r.chat && icon('chat', 's', 'A chat helped')));

  const heads = () => /** @type {[string, string][]} */ ([['Time', ''], ['What', ''], !now().site.hides_people && ['Who', 'hide-s'], showsMoney() && [`Amount, ${currencySign()}`, 'num'], ['Source', ''], ['Matched by', ''],
    ['', 'hide-s']].filter(Boolean));

  return { el,
    /** @param {any[]} list */
    draw(list) {
      const { app, view } = now();
      all.setAttribute('href', app.href('conversions', view.with({ show: '', by: '', each: '', compare: 'previous' })));
      const focused = el.contains(document.activeElement) ? document.activeElement?.closest('tr')?.getAttribute('data-id') : null;
      fill(body, list.length ? h('table.t.t-latest', null, h('caption.vh', null, 'Latest conversions'), h('thead', null, h('tr', null, heads().map(([name, cls]) => h('th', { scope: 'col', class: cls }, name || h('span.vh', null, 'Chat'))))), h('tbody', null, list.map(row)))
        : h('div.empty.small', null, h('p', null, view.isFiltered ? 'Nothing fits these filters.' : 'No conversion on these days.')));
      if (focused) /** @type {HTMLElement|null} */ (body.querySelector(`tr[data-id="${focused}"] a`))?.focus({ preventScroll: true });
    } };
}
