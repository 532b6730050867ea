// The tree of channels, sources, campaigns and contents: opened in place, walked with arrow keys, each row with a menu.

import { h, fill, icon, add } from '../dom.js';
import { plural, valueWord, DIMENSIONS } from '../format.js';
import { compared, isAlike, isSilent } from './compared.js';
import { pop, menuItem } from './menu.js';

/** @typedef {import('./source_columns.js').SourceColumn} SourceColumn */
/** @typedef {{channel: string, source: string, campaign: string}} Place */
/** @typedef {{row: any, way: string[], id: string}} Spot a row and the names on the way down to it */

const LEVELS = ['channel', 'source', 'campaign', 'content', 'term'];
const NOTHING = ['(not set)', 'unattributed'];

/**
 * @param {() => import('../app.js').Params} now
 * @param {{below: (at: Place) => Promise<any>, rename: (preset: any) => void, spend: (preset: any) => void, sort: (id: string) => void}} use
 */
export function campaignTree(now, use) {
  const el = h('div.tree-box.scroll');
  /** @type {any} */ let table = null;
  /** @type {SourceColumn[]} */ let columns = [];
  let sort = 'net', age = 0, flat = '', alike = false, silent = true;
  /** @type {Set<string>} */ const open = new Set();
  /** What stands below a campaign, fetched when it is opened. @type {Map<string, any>} */ const contents = new Map();
  /** @type {Map<string, Spot>} */ const spots = new Map();

  /** Figures have changed: what was fetched below campaigns is asked for again. */
  function forget() {
    age++;
    contents.clear();
  }

  /** @param {any} next @param {SourceColumn[]} cols @param {string} by @param {string} only rows of one dimension, without anything below */
  function draw(next, cols, by, only) {
    table = next;
    flat = only;
    alike = isAlike(table.compare, now().view.days());
    silent = !table.compare || isSilent(table);
    columns = cols;
    sort = cols.some((c) => c.id === by) ? by : cols[0].id;
    redraw();
  }

  function redraw() {
    const focused = el.contains(document.activeElement) ? document.activeElement?.getAttribute('data-focus') : null;
    spots.clear();
    const body = h('tbody');
    rows(body, table.items, [], table.rows);
    fill(el, h('table.t.t-panel.t-tree', null, h('caption.vh', null, flat ? `By ${DIMENSIONS[flat].toLowerCase()}` : 'Channels, their sources, their campaigns'), h('thead', null, h('tr', null, h('th', { scope: 'col' }, flat ? DIMENSIONS[flat] : 'Channel, source, campaign'),
      columns.map((c) => h('th.num', { scope: 'col', 'aria-sort': c.id === sort ? 'descending' : null }, h('button', { type: 'button', 'data-focus': `sort-${c.id}`, onclick: () => use.sort(c.id) }, c.head(), c.id === sort && icon('down', 's sort')))))),
    body, h('tfoot', null, h('tr', null, h('th', { scope: 'row' }, 'All'), columns.map((c) => h('td.num', null, c.cell({ ...table.total, name: '' }), !silent && compared(c, table.total, alike)))))));
    if (focused) /** @type {HTMLElement|null} */ (el.querySelector(`[data-focus="${CSS.escape(focused)}"]`))?.focus({ preventScroll: true });
  }

  /** @param {HTMLElement} body @param {any[]} items @param {string[]} way @param {number} all */
  function rows(body, items, way, all) {
    const column = columns.find((c) => c.id === sort);
    const isLast = (/** @type {any} */ r) => Number(r.name === 'unattributed');
    const sorted = column ? [...items].sort((a, b) => isLast(a) - isLast(b) || column.value(b) - column.value(a)) : items;
    for (const row of sorted) {
      const at = [...way, row.name], id = JSON.stringify(at), spot = { row, way: at, id };
      spots.set(id, spot);
      add(body, rowOf(spot));
      if (!open.has(id)) continue;
      if (at.length === 3) belowCampaign(body, spot);
      else rows(body, row.items ?? [], at, row.rows ?? 0);
    }
    if (all > items.length) add(body, said(way.length, `${plural(all - items.length, 'smaller row')} not shown. Filter to see them.`));
  }

  /** @param {HTMLElement} body @param {Spot} spot */
  function belowCampaign(body, spot) {
    const got = contents.get(spot.id);
    if (!got) fetchBelow(spot);
    if (!got?.items && !got?.error) add(body, said(3, 'One moment …'));
    else if (got.error) add(body, said(3, `Could not be fetched. ${got.error}`));
    else if (got.items.every((/** @type {any} */ r) => r.name === '(not set)')) add(body, said(3, 'No link of this campaign names its content.'));
    else rows(body, got.items, spot.way, got.rows);
  }

  /** @param {number} level @param {string} text */
  const said = (level, text) => h('tr.said', null, h('th.max', { scope: 'row', class: `l-${level}`, colspan: columns.length + 1 }, h('span.faint', null, text)));

  /** @param {Spot} spot */
  function rowOf({ row, way, id }) {
    const level = way.length - 1, dim = flat || LEVELS[level];
    const hasBelow = level === 2 ? way[0] !== 'unattributed' : !!row.items;
    const word = row.name === '(not set)' ? `No ${DIMENSIONS[dim].toLowerCase()} named` : valueWord(dim, row.name);
    const isOpen = open.has(id);
    const name = h('bdi.cut', { 'data-tip': word.length > 28 ? word : row.is_few ? 'Too few to rank' : null }, word);
    const head = h('th.max', { scope: 'row', class: `l-${level}` }, h('div.twig', null,
      hasBelow ? h('button.cell', { type: 'button', 'data-focus': id, 'data-id': id, 'aria-expanded': String(isOpen), onclick: () => toggle(id) }, icon('right', `s turn${isOpen ? ' open' : ''}`), name)
        : h('span.cell.still', { tabindex: '-1', 'data-focus': id, 'data-id': id }, h('span.gap'), name),
      h('button.btn.icon.bare.small.act', { type: 'button', 'data-focus': `menu-${id}`, 'aria-label': `What to do with ${word}`, 'aria-haspopup': 'dialog',
        onclick: (/** @type {Event} */ e) => menu(id, word, /** @type {HTMLElement} */ (e.currentTarget)) }, icon('menu', 's'))));
    return h('tr', { class: `${row.name === 'unattributed' ? 'un' : ''}${row.is_few ? ' few' : ''}`, 'data-level': String(level) }, head, columns.map((c) => h('td.num', { class: c.quiet ? 'quiet' : '' }, c.cell(row), !silent && compared(c, row, alike))));
  }

  /** @param {string} id */
  function toggle(id) {
    const spot = spots.get(id);
    if (!spot) return;
    if (open.delete(id)) { redraw(); return; }
    open.add(id);
    redraw();
  }

  /** @param {Spot} spot */
  async function fetchBelow({ way, id }) {
    const mine = age;
    contents.set(id, {});
    let got;
    try { got = await use.below({ channel: way[0], source: way[1], campaign: way[2] }); } catch (error) {
      if (/** @type {any} */ (error).code === 'signed_out') return;
      got = { error: /** @type {any} */ (error).message };
    }
    if (mine !== age) return;
    contents.set(id, got);
    redraw();
  }

  /** The filters that a row stands for: a campaign is one of its source. @param {string[]} way @returns {[string, string][]} */
  function filters(way) {
    if (way[0] === 'unattributed') return [['source', 'unattributed']];
    if (flat) return [[flat, way[0]]];
    if (way.length === 1) return [['channel', way[0]]];
    return way.slice(1).map((name, i) => [LEVELS[i + 1], name]);
  }

  /** @param {string} id @param {string} word @param {HTMLElement} anchor */
  function menu(id, word, anchor) {
    const spot = spots.get(id), p = now();
    if (!spot) return;
    const all = filters(spot.way), level = spot.way.length - 1, own = spot.way[level];
    const only = () => p.app.go(all.reduce((view, [dim, value]) => view.plus(dim, value, false), p.view));
    const without = () => { const [dim, value] = all[all.length - 1]; p.app.go(p.view.plus(dim, value, true)); };
    const items = [menuItem({ name: 'Show only this', sign: 'filter', act: () => { box.close(); only(); } }),
      menuItem({ name: 'Leave it out', sign: 'x', note: level > 1 ? `This ${LEVELS[level]} of every source` : undefined, act: () => { box.close(); without(); } })];
    const dim = flat || LEVELS[level];
    if (p.may && ['source', 'medium', 'campaign'].includes(dim) && !NOTHING.includes(own)) items.push(menuItem({ name: 'Rename or merge', sign: 'again', note: 'Shows first what it would change', act: () => {
      box.close();
      use.rename({ dimension: dim, from: own, within: level === 2 ? spot.way[1] : '' });
    } }));
    const source = spot.way[1] ?? '';
    if (p.may && !flat && (level === 1 || level === 2) && !NOTHING.includes(source)) items.push(menuItem({ name: 'Add spend', sign: 'plus', note: 'What it has cost', act: () => {
      box.close();
      use.spend({ source, campaign: level === 2 && !NOTHING.includes(own) ? own : '' });
    } }));
    const box = pop(anchor, word, items);
  }

  /** Arrows walk the rows, right opens, left closes or goes to the parent, M opens the menu. @param {KeyboardEvent} e */
  function key(e) {
    if (e.shiftKey || e.ctrlKey || e.metaKey || e.altKey) return false;
    const at = /** @type {HTMLElement|null} */ (document.activeElement)?.closest?.('.t-tree [data-id]');
    const all = /** @type {HTMLElement[]} */ ([...el.querySelectorAll('[data-id]')]);
    if (!at) { if (e.key !== 'ArrowDown' || !all.length || document.activeElement?.closest?.('input, select, [popover], dialog')) return false; all[0].focus(); return true; }
    const id = at.getAttribute('data-id') ?? '', i = all.indexOf(/** @type {HTMLElement} */ (at));
    const side = (e.key === 'ArrowRight' ? 1 : e.key === 'ArrowLeft' ? -1 : 0) * (document.dir === 'rtl' ? -1 : 1);
    if (e.key === 'ArrowDown' || e.key === 'ArrowUp') { all[i + (e.key === 'ArrowDown' ? 1 : -1)]?.focus(); return true; }
    if (side > 0) { if (at.getAttribute('aria-expanded') === 'false') toggle(id); else all[i + 1]?.focus(); return true; }
    if (side < 0) {
      if (at.getAttribute('aria-expanded') === 'true') toggle(id);
      else { const up = JSON.stringify((spots.get(id)?.way ?? []).slice(0, -1)); all.find((x) => x.getAttribute('data-id') === up)?.focus(); }
      return true;
    }
    if (e.key.toLowerCase() === 'm') { /** @type {HTMLElement|null} */ (el.querySelector(`[data-focus="${CSS.escape(`menu-${id}`)}"]`))?.click(); return true; }
    return false;
  }

  return { el, draw, forget, key };
}
