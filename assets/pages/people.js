// Everybody the site knows by an address, a phone or a customer number.

import { h, fill } from '../dom.js';
import { count, exact, shortDay, dayOf, today, zoneName } from '../format.js';
import { nothing, yet } from '../parts/nothing.js';
import { createTable, createList, ledgerHead } from '../parts/table.js';

export const title = 'People';

/** @type {import('../app.js').BarUse} */
export const bar = { search: true, exports: 'contacts', rows: true };

const key = (/** @type {any} */ row) => row.id;

/** @param {HTMLElement} root @param {import('../app.js').Params} params */
export function render(root, params) {
  let p = params;
  const { app, site } = params;
  let asked = '';
  const table = createTable({
    label: `People, times in ${zoneName()}`, columns: columns(), key, classes: 't-people',
    href: (row) => app.href('people', undefined, row.id), open: (row) => app.navigate(app.href('people', undefined, row.id)),
  });
  const list = createList({ url: `/api/sites/${site.site}/contacts`, what: 'people', table, key, empty,
    answered: () => { app.figuresAt = list.fetchedAt || new Date().toISOString(); } });
  const head = ledgerHead({ dim: 'kind', word: (v) => v, label: 'Search e-mail, phone or customer number', placeholder: 'E-mail, phone, number', now: () => p });
  head.el.querySelector('.tabs')?.remove();

  function empty() {
    return nothing(() => p, { none: 'Nobody is known by that.', all: 'Show everybody', days: '', searched: () => 'Write the whole address, or its beginning.',
      first: () => yet('customers', 'Nobody yet.', 'Whoever sends a form or buys something stands here, with the way they came.') });
  }

  /** @param {boolean} [force] */
  function load(force) {
    const ask = p.view.ask(bar);
    if (!force && ask.toString() === asked) return;
    asked = ask.toString();
    table.drawHead('', '');
    list.load(ask);
  }

  fill(root, h('h1.vh', null, title), h('section.sheet.ledger', { 'aria-label': title }, head.el, list.el));
  load(true);
  return {
    /** @param {import('../app.js').Params} next */
    update(next) { const came = next.view.toString() === p.view.toString(); p = next; head.sync(); load(came); },
    key: (/** @type {KeyboardEvent} */ e) => table.key(e),
    leave() { head.stop(); list.stop(); },
  };
}

/** @returns {import('../parts/table.js').Column[]} */
function columns() {
  const at = (/** @type {string} */ time) => h('span', { 'data-tip': exact(time) }, shortDay(time, dayOf(time).slice(0, 4) !== today().slice(0, 4)));
  return [
    { id: 'who', head: 'Who', rowHead: true, cell: (r) => h('bdi.cut', null, r.display ?? r.first_name ?? 'no address given') },
    { id: 'country', head: 'Country', classes: 'quiet hide-s', cell: (r) => r.country ?? h('span.faint', null, '–') },
    { id: 'first', head: 'First known', classes: 'num hide-s', cell: (r) => at(r.first_seen_at) },
    { id: 'last', head: 'Last heard of', classes: 'num', cell: (r) => at(r.last_seen_at) },
    { id: 'n', head: 'Conversions', classes: 'num', cell: (r) => count(r.conversions) },
  ];
}
