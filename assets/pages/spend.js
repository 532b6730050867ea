// What advertising has cost: every amount, typed in or brought in a file, with what it came to on the days that are shown.

import { get } from '../api.js';
import { h, fill, icon, styles } from '../dom.js';
import { amount, money, span, today, count, plural, zoneName } from '../format.js';
import { nothing, yet, sumsBeside } from '../parts/nothing.js';
import { createTable, createList } from '../parts/table.js';
import { figure, big, ofOwn, spanOf } from '../parts/buyers.js';
import { openDialog, dialogHead } from '../parts/menu.js';
import { openSpend } from '../parts/spend_form.js';
import { inOthers, leftOut } from '../parts/left_out.js';

export const title = 'Spend';

export const ready = Promise.all(['spend', 'bring'].map((name) => styles(new URL(`../css/${name}.css`, import.meta.url))));

/** @type {import('../app.js').BarUse} */
export const bar = { range: true, exports: 'spend', rows: true };

/** @param {HTMLElement} root @param {import('../app.js').Params} params */
export function render(root, params) {
  // Whether anything was ever written down: then empty days are only that.
  let p = params, asked = '', hasAny = true, gone = false;
  const { app, site } = params;
  const figures = h('div.stmt', { hidden: true }), apart = h('p.apart', { hidden: true, role: 'status' });
  const edit = (/** @type {any} */ row) => (p.may ? openSpend(p, row, () => load(true)) : app.toast('Only owners and editors change it.'));
  const table = createTable({ label: `Spend, days in ${zoneName()}`, columns: columns(), key: (row) => row.id, classes: 't-spend', open: edit });
  const list = createList({ url: `/api/sites/${site.site}/spend`, what: 'amounts', table, key: (/** @type {any} */ row) => row.id, empty,
    answered: () => { app.figuresAt = list.fetchedAt || new Date().toISOString(); } });
  const add = (/** @type {string} */ cls) => h(`button.btn${cls}`, { type: 'button', 'data-focus': 'add-spend', 'aria-haspopup': 'dialog', onclick: () => openSpend(p, {}, () => load(true)) }, icon('plus', 's'), 'Add spend');
  const bring = () => h('button.btn.small', { type: 'button', 'data-focus': 'bring-spend', 'aria-haspopup': 'dialog', onclick: openFile }, 'Bring in a file');

  async function openFile() {
    const { bringIn } = await import('../parts/bring_in.js');
    const part = bringIn(p, { kind: 'spend', brought: () => load(true) });
    const { close } = openDialog({ label: 'Bring in spend', classes: 'bring-box', onclose: () => part.stop() }, [dialogHead('Bring in spend', () => close()), h('div.body', null, part.el)]);
  }

  function empty() {
    const first = () => h('div.empty', null, icon('spend'), h('p', null, h('b', null, 'What did the advertising cost?'), ' With it, every source and campaign shows what a lead, an order and a new customer cost, and what came back.'),
        p.may && h('div.acts', null, add('.main'), bring()));
    return hasAny ? nothing(() => p, { none: 'No amount fits.', all: 'Show all amounts', days: 'Nothing was spent on these days.', first }) : first();
  }

  async function begin() {
    try { hasAny = (await get(`/api/sites/${site.site}/spend`, new URLSearchParams({ limit: '1' }))).items.length > 0; } catch { /* the list says it */ }
    if (!gone) load(true);
  }

  // The same figures as on the overview.
  const sums = sumsBeside(() => get(`/api/sites/${site.site}/reports/overview`, spanOf(p, today())), (report) => {
    const spent = report?.spend && ofOwn(report.spend);
    const said = spent ? leftOut(report) : null;
    figures.hidden = !spent;
    apart.hidden = !said;
    fill(apart, said);
    if (!spent) return;
    fill(figures, figure('Spend', big(spent), report.spend.length > 1 ? `and ${report.spend.filter((/** @type {any} */ m) => m.currency !== spent.currency).map(money).join(', ')}` : 'on the days shown'),
      figure('Cost of a lead', report.cost_per_lead ? money(report.cost_per_lead) : '–', plural(report.conversions.lead, 'lead')),
      figure('Cost of an order', report.cost_per_order ? money(report.cost_per_order) : '–', plural(report.conversions.sale - inOthers(report, 'orders'), 'order')),
      figure('Cost of a new customer', report.cost_per_customer ? money(report.cost_per_customer) : '–', plural(report.new_customers_own, 'new customer')),
      figure('Return', report.return_percent === null ? '–' : `${(report.return_percent / 100).toFixed(2)}×`, 'net for each unit spent'));
  });

  /** @param {boolean} [force] */
  function load(force) {
    const ask = p.view.ask(bar);
    if (!force && ask.toString() === asked) return;
    if (force && asked) hasAny = true;
    asked = ask.toString();
    table.drawHead('', '');
    list.load(ask);
    sums.load();
  }

  fill(root, h('h1.vh', null, title), h('section.sheet.ledger', { 'aria-label': title }, figures, apart,
    h('header', null, h('span.tag.faint.zone', null, zoneName()), h('div.r', null, p.may && bring(), p.may && add('.small'))), list.el));
  begin();
  return {
    /** @param {import('../app.js').Params} next */
    update(next) { p = next; load(); },
    key: (/** @type {KeyboardEvent} */ e) => table.key(e),
    leave() { gone = true; list.stop(); sums.stop(); },
  };
}

/** @returns {import('../parts/table.js').Column[]} */
function columns() {
  return [
    { id: 'days', head: 'Days', rowHead: true, cell: (r) => span(r.from, r.to) },
    { id: 'source', head: 'Source', cell: (r) => h('bdi.cut', null, r.source) },
    { id: 'medium', head: 'Medium', classes: 'quiet hide-s', cell: (r) => h('bdi.cut', null, r.medium) },
    { id: 'campaign', head: 'Campaign', cell: (r) => (r.campaign ? h('bdi.cut', null, r.campaign) : h('span.faint', null, '–')) },
    { id: 'note', head: 'Note', classes: 'quiet hide-s', cell: (r) => (r.note ? h('bdi.cut', null, r.note) : r.import ? h('span.faint', null, 'from a file') : '') },
    { id: 'amount', head: 'Amount', classes: 'num', cell: (r) => amount(r.amount) },
  ];
}
