// A panel of the overview: a table of a report whose rows filter, with its total, its rows of a few put together, the whole of it
// in a dialog, and its CSV.

import { h, fill, icon } from '../dom.js';
import { count, plural, valueWord, currencySign, bare, roundMoney, money, showsMoney } from '../format.js';
import { own } from './figures.js';
import { openDialog, dialogHead } from './menu.js';

/** @typedef {import('../dom.js').Kid} Kid */
/**
 * @typedef {{id: string, head: Kid, classes?: string, value: (row: any) => number, cell: (row: any) => Kid, foot?: (total: any) => Kid}} PanelColumn
 * @typedef {{title: string, dim: string, path: string, part?: string, columns: PanelColumn[], most: number, name?: (row: any) => string,
 *   filter?: (row: any) => {dim: string, value: string}|null, first: string, none: string, sort: string, bar?: boolean}} PanelUse
 */

/** What nobody is credited with, or nobody knows, stands last. @param {any} r */
const isLast = (r) => r.name === 'unattributed' || r.name === 'unknown' || r.name === '(not set)' && 'quantity' in r;

/** Columns that may be seen. @param {PanelUse} use */
const columnsOf = (use) => (showsMoney() ? use.columns : use.columns.filter((c) => !['net', 'first', 'last'].includes(c.id)));

/** @param {Kid} n */
const dash = (n) => n ?? '–';

/** A number that a lens may have cut: "12", "12.4". @param {number} n */
export const share = (n) => (Number.isInteger(n) ? count(n) : n.toFixed(1));

/** @type {(name: string, column?: string) => PanelColumn} net revenue through the lens, or beside it */
export const netColumn = (name, column) => {
  const of = (/** @type {any} */ row) => own((column ? row[column] : row)?.net);
  return { id: column ?? 'net', head: `${name}${column ? '' : `, ${currencySign()}`}`, classes: column ? 'num quiet hide-s' : 'num', value: (r) => of(r).minor,
    cell: (r) => (column ? roundMoney(of(r)) : bare(of(r))), foot: (t) => (column ? roundMoney(of(t)) : bare(of(t))) };
};
/** @type {PanelColumn} */
export const visitsColumn = { id: 'visits', head: 'Visits', classes: 'num', value: (r) => r.visits, cell: (r) => (r.name === 'unattributed' ? '–' : count(r.visits)),
  foot: (t) => count(t.visits) };
/** @type {PanelColumn} */
export const conversionsColumn = { id: 'conversions', head: 'Conv.', classes: 'num', value: (r) => r.conversions, cell: (r) => share(r.conversions),
  foot: (t) => share(t.conversions) };
/** @type {PanelColumn} the rate with its range where it is one of a few */
export const rateColumn = { id: 'rate', head: 'Rate', classes: 'num', value: (r) => r.conversion_rate ?? -1, cell: (r) => rateText(r), foot: (t) => rateText(t) };

/** @param {any} r */
function rateText(r) {
  if (r.conversion_rate === null) return '–';
  const pc = (/** @type {number} */ v) => (v * 100).toFixed(1);
  return [`${pc(r.conversion_rate)}%`, r.conversion_range && h('span.faint', null, ` (${pc(r.conversion_range[0])}–${pc(r.conversion_range[1])})`)];
}

/** What a row was in the time it is compared with: "Before: 34 visits, 3 conversions, €1,240.00 net". @param {any} r */
const wasText = (r) => (r.before ? `Before: ${plural(r.before.visits, 'visit')}, ${share(r.before.conversions)} ${r.before.conversions === 1 ? 'conversion' : 'conversions'}${
  own(r.before.net).minor ? `, ${money(own(r.before.net))} net` : ''}` : null);

/** @param {() => import('../app.js').Params} now @param {PanelUse} use @param {Kid} [tools] */
export function panel(now, use, tools) {
  const body = h('div.panel-body');
  const head = h('header', null, h('h2', null, use.title), tools, h('div.r', null,
    h('button.btn.icon.bare.small', { type: 'button', 'aria-label': `All of ${use.title.toLowerCase()}`, 'data-tip': 'All rows, with search', onclick: () => expand() }, icon('expand', 's'))));
  const el = h('section.sheet.panel', { 'data-part': use.part, 'aria-label': use.title }, head, body);
  /** @type {any} */ let table = null;
  let isOpen = false;

  el.addEventListener('click', (e) => pressed(now, e));

  /** @param {any} next */
  function draw(next) {
    table = next;
    const focused = el.contains(document.activeElement) ? document.activeElement?.getAttribute('data-focus') : null;
    fill(body, tableOf());
    if (focused) /** @type {HTMLElement|null} */ (el.querySelector(`[data-focus="${CSS.escape(focused)}"]`))?.focus({ preventScroll: true });
  }

  function tableOf() {
    const all = table.items;
    if (!all.length) return h('div.empty.small', null, h('p', null, use.none));
    const few = all.filter((/** @type {any} */ r) => r.is_few);
    const enough = all.filter((/** @type {any} */ r) => !r.is_few && !isLast(r));
    const last = all.filter((/** @type {any} */ r) => isLast(r));
    const areAllFew = !enough.length;
    // Where all are few there is no rank at all: by name, and said so.
    const ranked = areAllFew ? [...few].sort((a, b) => a.name.localeCompare(b.name)) : enough.slice(0, use.most);
    const others = areAllFew ? ranked.splice(use.most) : enough.slice(use.most);
    const max = Math.max(1, ...ranked.map((/** @type {any} */ r) => own(r.net).minor));
    const rows = [...ranked.map((r) => rowOf(r, max))];
    if (others.length) rows.push(summed(others, plural(others.length, 'other'), max, () => expand()));
    if (!areAllFew && few.length === 1) rows.push(rowOf(few[0], max));
    if (!areAllFew && few.length > 1) {
      rows.push(summed(few, `${few.length} more, too few to rank`, max, () => { isOpen = !isOpen; draw(table); }, isOpen));
      if (isOpen) rows.push(...few.map((/** @type {any} */ r) => rowOf(r, max, 'inner')));
    }
    rows.push(...last.map((/** @type {any} */ r) => rowOf(r, max, 'un')));
    return h('table.t.t-panel', null, h('caption.vh', null, use.title), h('thead', null, h('tr', null, h('th', { scope: 'col' }, use.first), columnsOf(use).map((c) => [h('th', { scope: 'col',
      class: `${c.classes ?? ''} c-${c.id}`, 'aria-sort': c.id === use.sort && !areAllFew ? 'descending' : null }, c.head, c.id === use.sort && !areAllFew && icon('down', 's sort')),
      use.bar && c.id === use.sort && h('td.wb', { 'aria-hidden': 'true' })]))),
      h('tbody', null, rows),
      h('tfoot', null, h('tr', null, h('th', { scope: 'row' }, areAllFew && all.length > 1 && 'is_few' in all[0] ? ['All', h('span.faint', null, ' too few to rank')] : 'All'),
        columnsOf(use).map((c) => [h('td', { class: `${c.classes ?? ''} c-${c.id}` }, c.foot?.(table.total)), use.bar && c.id === use.sort && h('td.wb')]))));
  }

  /** @param {any} r @param {number} max @param {string} [cls] */
  function rowOf(r, max, cls = '') {
    const by = use.filter ? use.filter(r) : r.name === 'unattributed' && use.dim !== 'landing' ? { dim: 'source', value: r.name } : { dim: use.dim, value: r.name };
    const word = use.name ? use.name(r) : valueWord(use.dim, r.name);
    const name = h('bdi.cut', { 'data-tip': word.length > 24 ? word : null }, word);
    return h('tr', { class: cls, 'data-tip': wasText(r) }, h('th.max', { scope: 'row' }, by ? h('button.cell', { type: 'button', 'data-dim': by.dim, 'data-value': by.value,
      'data-focus': `${use.dim}-${r.name}`, 'aria-label': `Only ${word}` }, name, icon('filter', 's fi')) : h('span.cell.still', null, name)), cells(r, max));
  }

  /** @param {any} r @param {number} max */
  const cells = (r, max) => columnsOf(use).map((c) => [h('td', { class: `${c.classes ?? ''} c-${c.id}` }, dash(c.cell(r))),
    use.bar && c.id === use.sort && h('td.wb', null, thin(own(r.net).minor / max, r.name === 'unattributed' || r.isSum))]);

  /** @param {any[]} list @param {string} word @param {number} max @param {() => void} act @param {boolean} [expanded] */
  function summed(list, word, max, act, expanded) {
    const sum = addUp(list);
    return h('tr.thin', null, h('th.max', { scope: 'row' }, h('button.cell', { type: 'button', 'aria-expanded': expanded === undefined ? null : String(expanded), onclick: act },
      h('span.cut', null, word), icon(expanded ? 'up' : 'down', 's fi'))), cells(sum, max));
  }

  function expand() {
    if (!table) return;
    let sort = use.sort, q = '';
    const list = h('div.scroll.all');
    const search = /** @type {HTMLInputElement} */ (h('input.in', { type: 'search', 'aria-label': `Search ${use.title.toLowerCase()}`, placeholder: 'Search', autofocus: true, autocomplete: 'off', spellcheck: 'false',
      oninput: () => { q = search.value.trim().toLowerCase(); drawAll(); } }));
    const { el: dialog, close } = openDialog({ label: use.title, classes: 'wide' }, [dialogHead(use.title, () => close(), h('label.find', null, icon('search', 's'), search)), list,
      h('footer.all-foot', null, h('span.faint', null, `${plural(table.rows, 'row')}${table.rows > table.items.length ? `, the ${table.items.length} largest shown` : ''}`), csvLink(now(), use))]);
    dialog.addEventListener('click', (e) => { if (pressed(now, e)) close(); });
    const word = (/** @type {any} */ r) => (use.name ? use.name(r) : valueWord(use.dim, r.name));
    const columns = [...columnsOf(use)];
    if (table.items.some((/** @type {any} */ r) => 'conversion_rate' in r)) columns.splice(2, 0, rateColumn);
    const drawAll = () => {
      const column = columns.find((c) => c.id === sort);
      const rows = table.items.filter((/** @type {any} */ r) => word(r).toLowerCase().includes(q));
      if (column) rows.sort((/** @type {any} */ a, /** @type {any} */ b) => column.value(b) - column.value(a)); else rows.sort((/** @type {any} */ a, /** @type {any} */ b) => word(a).localeCompare(word(b)));
      const by = (/** @type {string} */ id, /** @type {Kid} */ name) => h('button', { type: 'button', onclick: () => { sort = id; drawAll(); } }, name, sort === id && icon('down', 's sort'));
      fill(list, h('table.t.t-panel', null, h('thead', null, h('tr', null, h('th', { scope: 'col', 'aria-sort': sort === 'name' ? 'ascending' : null }, by('name', use.first)),
        columns.map((c) => h('th', { scope: 'col', class: (c.classes ?? '').replace('hide-s', ''), 'aria-sort': sort === c.id ? 'descending' : null }, by(c.id, c.head))))),
        h('tbody', null, rows.map((/** @type {any} */ r) => h('tr', null, h('th.max', { scope: 'row' }, h('button.cell', { type: 'button', 'data-dim': r.name === 'unattributed' && use.dim !== 'landing' ? 'source' : use.filter ? null : use.dim,
          'data-value': r.name }, h('bdi.cut', null, word(r)), !use.filter && icon('filter', 's fi'))), columns.map((c) => h('td', { class: (c.classes ?? '').replace('hide-s', '') }, dash(c.cell(r))))))),
        h('tfoot', null, h('tr', null, h('th', { scope: 'row' }, 'All'), columns.map((c) => h('td', { class: (c.classes ?? '').replace('hide-s', '') }, c.foot?.(table.total)))))));
    };
    drawAll();
  }

  return { el, head, draw };
}

/** A press on a row filters by it, with Alt it leaves it out. @param {() => import('../app.js').Params} now @param {MouseEvent} e */
function pressed(now, e) {
  const cell = /** @type {HTMLElement|null} */ (/** @type {HTMLElement} */ (e.target).closest('[data-dim]'));
  if (!cell) return false;
  const p = now();
  p.app.go(p.view.plus(cell.dataset.dim ?? '', cell.dataset.value ?? '', e.altKey));
  return true;
}

/** @param {import('../app.js').Params} p @param {PanelUse} use */
function csvLink(p, use) {
  if (p.site.role === 'client') return null;
  const ask = p.view.ask(p.app.use);
  if (use.path === 'reports/sources') ask.set('by', use.dim);
  return h('a.btn.small', { href: `/api/sites/${p.site.site}/${use.path}.csv?${ask}`, download: true }, icon('export', 's'), 'CSV');
}

/** Rows added up; money of unlike currencies never. @param {any[]} list */
export function addUp(list) {
  const part = (/** @type {(r: any) => any} */ of) => {
    /** @type {Map<string, number>} */ const net = new Map();
    for (const r of list) for (const m of of(r)?.net ?? []) net.set(m.currency, (net.get(m.currency) ?? 0) + m.minor);
    const add = (/** @type {string} */ key) => list.reduce((n, r) => n + (of(r)?.[key] ?? 0), 0);
    return { net: [...net].map(([currency, minor]) => ({ currency, minor })), conversions: add('conversions'), orders: add('orders'), quantity: add('quantity') };
  };
  return { ...part((r) => r), first: part((r) => r.first), last: part((r) => r.last), visits: list.reduce((n, r) => n + (r.visits ?? 0), 0), name: '', isSum: true, conversion_rate: null };
}

/** The thin bar behind the sorted figure. @param {number} part @param {boolean} pale */
function thin(part, pale) {
  const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
  svg.setAttribute('class', `bar-h${pale ? ' none' : ''}`);
  svg.setAttribute('viewBox', '0 0 100 6');
  svg.setAttribute('preserveAspectRatio', 'none');
  svg.setAttribute('aria-hidden', 'true');
  for (const [cls, size] of [['bg', 100], ['fg', Math.max(0, Math.min(100, part * 100))]]) {
    const rect = document.createElementNS('http://www.w3.org/2000/svg', 'rect');
    rect.setAttribute('class', String(cls));
    rect.setAttribute('width', String(size));
    rect.setAttribute('height', '6');
    svg.append(rect);
  }
  return svg;
}
