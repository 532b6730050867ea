// The table of a ledger, its pages of rows, and the marks that stand in its cells.

import { get } from '../api.js';
import { h, fill, icon, kbd, announce, isPhone } from '../dom.js';
import { toldSentence, matchWord, stateWord, statusWord, PLATFORM_LETTERS, DIMENSIONS, points, plural, count, clock, zoneName } from '../format.js';

/** @typedef {import('../dom.js').Kid} Kid */
/**
 * @typedef {Object} Column
 * @property {string} id also its class: c-id
 * @property {Kid} head
 * @property {string} [classes] num, fit, hide-m (not under 1560 px), hide-l (not under 1280 px), hide-s (not under 1000 px)
 * @property {(row: any) => Kid} cell
 * @property {(row: any) => {dim: string, value: string}|null} [filter] what a click on the cell filters by
 * @property {string} [sort] the value of `sort` that this column stands for
 * @property {boolean} [rowHead] the cell that names the row and opens it
 * @property {(answer: any) => Kid} [foot]
 */

/**
 * @param {{label: string, columns: Column[], key: (row: any) => string, open: (row: any) => void, href?: (row: any) => string,
 *   group?: (row: any) => string|null, groupHead?: (group: string) => Kid, onfilter?: (dim: string, value: string, not: boolean) => void,
 *   onsort?: (sort: string) => void, select?: {label: (row: any) => string, changed: (ids: Set<string>) => void}, rowClass?: (row: any) => string, classes?: string}} how
 */
export function createTable(how) {
  const head = h('tr'), body = h('tbody'), foot = h('tfoot');
  const el = h('table.t', { class: how.classes ?? '' }, h('caption.vh', null, how.label), h('thead', null, head), body, foot);
  /** @type {Map<string, {row: any, text: string, el: HTMLElement}>} */ let known = new Map();
  /** @type {any[]} */ let rows = [];
  /** @type {Set<string>} */ const selected = new Set();
  let lastTick = '';
  /** @type {HTMLElement|null} */ let here = null;
  const allBox = /** @type {HTMLInputElement|null} */ (how.select
    ? h('input', { type: 'checkbox', 'aria-label': 'Select all rows on screen',
    onchange: () => { for (const r of rows) tick(how.key(r), !!allBox?.checked); changed(); } }) : null);

  /** @param {string} sort the column in force @param {string} fallback the sort that holds where none is said */
  function drawHead(sort, fallback) {
    fill(head, allBox && h('th.fit.c-tick', { scope: 'col' }, allBox), how.columns.map((c) => {
      const on = c.sort !== undefined && c.sort === (sort || fallback);
      const word = c.sort !== undefined
        ? h('button', { type: 'button', 'data-focus': `sort-${c.sort}`, onclick: () => how.onsort?.(c.sort === fallback ? '' : c.sort ?? '') }, c.head,
        on && icon('down', 's sort')) : c.head;
      return h('th', { scope: 'col', class: `${c.classes ?? ''} c-${c.id}`, 'aria-sort': on ? 'descending' : null }, word);
    }));
  }

  /** @param {any} row */
  function drawRow(row) {
    const id = how.key(row);
    const tr = h('tr', { 'data-id': id, class: how.rowClass?.(row) ?? '' });
    if (how.select) tr.append(h('td.fit.c-tick', null,
      h('input', { type: 'checkbox', 'aria-label': how.select.label(row), checked: selected.has(id),
      onclick: (/** @type {MouseEvent} */ e) => ticked(id, /** @type {HTMLInputElement} */ (e.target).checked, e.shiftKey) })));
    for (const c of how.columns) {
      const inside = c.cell(row);
      const by = c.filter?.(row);
      let content = inside;
      if (c.rowHead) content = how.href ? h('a.open', { href: how.href(row), 'data-roam': true, tabindex: '-1' }, inside)
        : h('button.open', { type: 'button', 'data-roam': true, tabindex: '-1' }, inside);
      else if (by) content = h('button.cell', { type: 'button', 'data-roam': true, tabindex: '-1', 'data-dim': by.dim, 'data-value': by.value },
        h('span.cut', null, inside), icon('filter', 's fi'));
      tr.append(h(c.rowHead ? 'th' : 'td', { scope: c.rowHead ? 'row' : null, class: `${c.classes ?? ''} c-${c.id}` }, content));
    }
    return tr;
  }

  /** @param {any[]} next @param {Set<string>} [fresh] rows that came in just now */
  function set(next, fresh) {
    rows = next;
    /** @type {typeof known} */ const seen = new Map();
    /** @type {HTMLElement[]} */ const order = [];
    let group = /** @type {string|null} */ (null);
    for (const row of rows) {
      const id = how.key(row), text = JSON.stringify(row), old = known.get(id);
      const g = how.group?.(row) ?? null;
      if (g !== null && g !== group) {
        const gid = `group:${g}`, oldGroup = known.get(gid);
        const tr = oldGroup?.el ?? h('tr.days', null, h('th', { colspan: how.select ? 3 : 2, scope: 'rowgroup' }, how.groupHead?.(g) ?? g),
          how.columns.slice(2).map((c) => h('td', { class: `${c.classes ?? ''} c-${c.id}` })));
        seen.set(gid, { row: null, text: '', el: tr });
        order.push(tr);
      }
      group = g;
      const tr = old && old.text === text ? old.el : drawRow(row);
      if (fresh?.has(id)) tr.classList.add('fresh');
      seen.set(id, { row, text, el: tr });
      order.push(tr);
    }
    // Rows stay where they are unless they moved, so that the focus and the reader's place stay too.
    order.forEach((tr, i) => { if (body.children[i] !== tr) body.insertBefore(tr, body.children[i] ?? null); });
    while (body.children.length > order.length) body.lastElementChild?.remove();
    known = seen;
    if (!here?.isConnected) settle(/** @type {HTMLElement|null} */ (body.querySelector('tr[data-id]')));
    for (const id of selected) if (!known.has(id)) selected.delete(id);
    if (how.select) changed();
  }

  /** The one row that Tab reaches. @param {HTMLElement|null} tr */
  function settle(tr) {
    here?.querySelectorAll('[data-roam]').forEach((x) => x.setAttribute('tabindex', '-1'));
    here = tr;
    here?.querySelectorAll('[data-roam]').forEach((x) => x.setAttribute('tabindex', '0'));
  }

  /** @param {1|-1} step @returns {boolean} */
  function move(step) {
    const all = /** @type {HTMLElement[]} */ ([...body.querySelectorAll('tr[data-id]')]);
    if (!all.length) return false;
    const at = body.contains(document.activeElement) && here ? all.indexOf(here) + step : step > 0 ? 0 : all.length - 1;
    const to = all[Math.max(0, Math.min(all.length - 1, at))];
    settle(to);
    /** @type {HTMLElement|null} */ (to.querySelector('.open'))?.focus({ preventScroll: true });
    to.scrollIntoView({ block: 'nearest' });
    return true;
  }

  /** @param {string} id @param {boolean} on */
  function tick(id, on) {
    if (on) selected.add(id); else selected.delete(id);
    const box = /** @type {HTMLInputElement|null|undefined} */ (known.get(id)?.el.querySelector('input[type=checkbox]'));
    if (box) box.checked = on;
  }
  /** @param {string} id @param {boolean} on @param {boolean} through with Shift: all rows since the last one */
  function ticked(id, on, through) {
    const ids = rows.map(how.key), a = ids.indexOf(lastTick), b = ids.indexOf(id);
    if (through && a >= 0) ids.slice(Math.min(a, b), Math.max(a, b) + 1).forEach((x) => tick(x, on)); else tick(id, on);
    lastTick = id;
    changed();
  }
  function changed() {
    for (const [id, { el: tr }] of known) if (!id.startsWith('group:')) tr.classList.toggle('on', selected.has(id));
    if (allBox) { allBox.checked = selected.size > 0 && selected.size === rows.length; allBox.indeterminate = selected.size > 0 && selected.size < rows.length; }
    how.select?.changed(selected);
  }

  body.addEventListener('focusin', (e) => { const tr = /** @type {HTMLElement} */ (e.target).closest('tr'); if (tr && tr !== here) settle(tr); });
  body.addEventListener('click', (e) => {
    const at = /** @type {HTMLElement} */ (e.target);
    const id = at.closest('tr')?.getAttribute('data-id');
    const row = id ? known.get(id)?.row : null;
    if (!row || at.closest('input, a:not(.open), .c-tick')) return;
    const cell = /** @type {HTMLElement|null} */ (at.closest('[data-dim]'));
    if (cell && !(isPhone() && e.detail > 0)) { how.onfilter?.(cell.dataset.dim ?? '', cell.dataset.value ?? '', e.altKey); return; }
    if (e.ctrlKey || e.metaKey || e.shiftKey) return; // the browser opens the link its own way
    if (getSelection()?.toString()) return;
    e.preventDefault();
    settle(at.closest('tr'));
    how.open(row);
  });

  return {
    el, drawHead, set, move,
    get rows() { return rows; },
    /** @param {any} answer */
    drawFoot(answer) {
      if (!how.columns.some((c) => c.foot)) return;
      fill(foot, answer && h('tr', null, how.columns.map((c) => h('td', { class: `${c.classes ?? ''} c-${c.id}` }, c.foot?.(answer)))));
    },
    /** Marks the row whose panel is open. @param {string|null} id */
    current(id) {
      body.querySelector('tr[aria-current]')?.removeAttribute('aria-current');
      if (id) known.get(id)?.el.setAttribute('aria-current', 'true');
    },
    /** @param {string} id @param {1|-1} step */
    neighbour(id, step) { const at = rows.findIndex((r) => how.key(r) === id); return at < 0 ? null : rows[at + step] ?? null; },
    /** @param {string} id */
    focus(id) { const tr = known.get(id)?.el; if (tr) { settle(tr); /** @type {HTMLElement|null} */ (tr.querySelector('.open'))?.focus({ preventScroll: true }); } },
    clearSelection() { for (const id of [...selected]) tick(id, false); changed(); },
    key: (/** @type {KeyboardEvent} */ e) => {
      if (e.shiftKey) return false;
      const k = e.key.toLowerCase();
      if (k === 'j' || (e.key === 'ArrowDown' && body.contains(document.activeElement))) return move(1);
      if (k === 'k' || (e.key === 'ArrowUp' && body.contains(document.activeElement))) return move(-1);
      if (e.key === ' ' && how.select && here?.contains(document.activeElement)
        && document.activeElement?.matches('.open')) { const id = here.getAttribute('data-id') ?? ''; ticked(id, !selected.has(id), false); return true; }
      return false;
    },
  };
}

/**
 * The head of a ledger: one tab per value of its main dimension, the zone, and the search box.
 * @param {{dim: string, word: (value: string) => string, label: string, placeholder: string, now: () => import('../app.js').Params}} how
 */
export function ledgerHead({ dim, word, label, placeholder, now }) {
  let timer = 0;
  const look = (ms = 250) => {
    clearTimeout(timer);
    timer = setTimeout(() => {
      const q = search.value.trim(), { app, view } = now();
      if (q !== view.q) app.go({ q }, { replace: true });
    }, ms);
  };
  const search = /** @type {HTMLInputElement} */ (h('input.in', {
    type: 'search', 'data-search': true, 'aria-label': label, placeholder, value: now().view.q, autocomplete: 'off', spellcheck: 'false',
    oninput: () => look(),
    onkeydown: (/** @type {KeyboardEvent} */ e) => {
      if (e.key !== 'Escape' || !search.value) return;
      search.value = '';
      look(0);
      e.stopPropagation();
    },
  }));
  const tabs = h('div.tabs', { role: 'group', 'aria-label': DIMENSIONS[dim] });
  const el = h('header', null, tabs, h('span.tag.faint.zone', null, zoneName()),
    h('div.r', null, h('label.find', null, icon('search', 's'), search, kbd('/'))));

  return {
    el,
    /** @param {{value: string, count: number}[]} facets */
    draw(facets) {
      const { app, view } = now();
      const filter = view.filters.find((f) => f.dim === dim);
      const on = !filter ? '' : !filter.not && filter.values.length === 1 ? filter.values[0] : null;
      const rest = view.filters.filter((f) => f.dim !== dim);
      const tab = (/** @type {string} */ value, /** @type {import('../dom.js').Kid} */ name) => h('button', {
        type: 'button', 'aria-pressed': String(on === value),
        onclick: () => app.go({ filters: value ? [...rest, { dim, not: false, values: [value] }] : rest }),
      }, name);
      fill(tabs, tab('', 'All'), facets.map((f) => tab(f.value, [word(f.value), h('span.faint', null, ` ${count(f.count)}`)])));
    },
    /** The search may have been changed from outside. */
    sync() { if (document.activeElement !== search) search.value = now().view.q; },
    stop: () => clearTimeout(timer),
  };
}

const PAGE = 50;

/**
 * A table that is fetched page by page. The last rows stay, dimmed, while others are on their way; an error is said in place.
 * @param {{url: string, what: string, table: ReturnType<typeof createTable>, key: (row: any) => string,
 *   answered: (answer: any) => void, empty: (answer: any) => Kid}} how `what`: "conversions", for sentences
 */
export function createList({ url, what, table, key, answered, empty }) {
  const state = h('div.state', { hidden: true });
  const moreButton = h('button.btn', { type: 'button', onclick: () => more() }, 'Show more');
  const foot = h('div.more', { hidden: true }, moreButton);
  const el = h('div.listing', null, state, table.el, foot);
  /** @type {URLSearchParams} */ let query = new URLSearchParams();
  /** @type {string|null} */ let next = null;
  /** @type {AbortController|null} */ let running = null;
  let fetched = '', known = false, busy = false;
  const eye = new IntersectionObserver((seen) => { if (seen[0].isIntersecting) more(); }, { rootMargin: '400px' });

  const dim = () => { const t = setTimeout(() => el.classList.add('dim'), 300); return () => { clearTimeout(t); el.classList.remove('dim'); }; };
  /** @param {Kid} content */
  const say = (content) => { fill(state, content); state.hidden = !content; };

  /** @param {URLSearchParams} ask */
  async function load(ask) {
    query = ask;
    running?.abort();
    const mine = running = new AbortController();
    const undim = dim();
    if (!known) { say(skeleton()); table.el.hidden = true; el.setAttribute('aria-busy', 'true'); }
    foot.hidden = true;
    try {
      const q = new URLSearchParams(query);
      q.set('limit', String(PAGE));
      const answer = await get(url, q, mine.signal);
      if (mine !== running) return;
      fetched = new Date().toISOString();
      known = true;
      show(answer, answer.items);
      announce(answer.total ? plural(answer.total.count, what.replace(/s$/, '').replace(/ie$/, 'y'), what) : plural(answer.items.length, 'row'));
    } catch (error) {
      if (mine.signal.aborted || mine !== running) return;
      failed(error, () => load(query));
    } finally { undim(); if (mine === running) el.removeAttribute('aria-busy'); }
  }

  /** @param {any} answer @param {any[]} rows @param {Set<string>} [fresh] */
  function show(answer, rows, fresh) {
    next = answer.next;
    say(rows.length ? null : empty(answer));
    table.el.hidden = !rows.length;
    table.set(rows, fresh);
    table.drawFoot(answer);
    answered(answer);
    foot.hidden = !next;
    eye.unobserve(foot);
    if (next) eye.observe(foot);
  }

  /** @param {any} error @param {() => void} again */
  function failed(error, again) {
    if (error.code === 'signed_out') return;
    table.el.hidden = !table.rows.length;
    foot.hidden = true;
    const kept = table.rows.length ? ` What you see is of ${clock(fetched)}.` : ' Nothing is lost: counting goes on.';
    say(h('div.trouble', { role: 'alert' }, icon('alert'),
      h('p', null, h('b', null, error.code === 'offline' ? 'The server could not be reached.' : `The ${what} could not be fetched.`), ' ',
      error.code === 'offline' ? '' : error.message, kept,
      error.requestId && h('small.faint', null, ` Request ${error.requestId}`)), h('button.btn', { type: 'button', onclick: again }, 'Try again')));
  }

  async function more() {
    if (!next || busy) return;
    busy = true;
    const mine = running;
    moreButton.textContent = 'Fetching more…';
    try {
      const q = new URLSearchParams(query);
      q.set('limit', String(PAGE));
      q.set('cursor', next);
      const answer = await get(url, q, mine?.signal);
      if (mine !== running) return;
      const have = new Set(table.rows.map(key));
      next = answer.next;
      table.set([...table.rows, ...answer.items.filter((/** @type {any} */ r) => !have.has(key(r)))]);
      foot.hidden = !next;
      // Observed anew: while it stayed in sight, the observer would not speak again.
      eye.unobserve(foot);
      if (next) eye.observe(foot);
    } catch (error) {
      if (!mine?.signal.aborted) { foot.hidden = false; eye.unobserve(foot); failedMore(error); }
    } finally { busy = false; if (next) moreButton.textContent = 'Show more'; }
  }
  /** @param {any} error */
  function failedMore(error) {
    if (error.code !== 'signed_out') announce('More rows could not be fetched.');
    moreButton.textContent = 'Could not be fetched. Try again';
  }

  /**
   * Fetches the head again without disturbing the reader.
   * @param {boolean} insert new rows go in; else they are only counted
   * @returns {Promise<number>} how many rows are new
   */
  async function refresh(insert) {
    if (!known) return 0;
    const mine = running;
    const have = new Set(table.rows.map(key));
    const q = new URLSearchParams(query);
    q.set('limit', String(Math.min(200, Math.max(PAGE, table.rows.length))));
    let answer;
    try { answer = await get(url, q, mine?.signal); } catch { return 0; }
    if (mine !== running) return 0;
    fetched = new Date().toISOString();
    const fresh = new Set(answer.items.map(key).filter((/** @type {string} */ id) => !have.has(id)));
    const items = insert ? answer.items : answer.items.filter((/** @type {any} */ r) => have.has(key(r)));
    const last = items.length ? table.rows.findIndex((r) => key(r) === key(items[items.length - 1])) : -1;
    const tail = table.rows.length > items.length && last >= 0 ? table.rows.slice(last + 1) : [];
    show(tail.length ? { ...answer, next } : answer, [...items, ...tail], insert ? fresh : undefined);
    return fresh.size;
  }

  return { el, load, refresh, get fetchedAt() { return fetched; }, stop: () => { running?.abort(); eye.disconnect(); } };
}

const skeleton = () => h('div.skeleton', { 'aria-hidden': 'true' }, Array.from({ length: 8 }, () => h('i')));

// ---- marks ----

const STRENGTH = /** @type {Record<string, string>} */ ({ session: 'ev4', code: 'ev3', click: 'ev3', email: 'ev2', phone: 'ev2', customer_id: 'ev2', coupon: 'ev2',
  imported: 'ev1', stated: 'ev1', none: 'ev0' });

/** The evidence, filled by its strength, always with its word. @param {{type: string, asserted: boolean, sentence?: string, confidence_bp?: number}} match */
export function matchMark(match) {
  const tip = match.sentence ? `${match.sentence}${match.confidence_bp && match.confidence_bp < 10000 ? ` Certainty ${points(match.confidence_bp)}.` : ''}` : null;
  return h('span.ev', { 'data-tip': tip }, icon(match.asserted ? 'ev1' : STRENGTH[match.type] ?? 'ev0'), h('span.cut', null, matchWord(match)));
}

const STATUS_SIGNS = /** @type {Record<string, [string, string]>} */ ({ paid: ['check', 'ok'], won: ['check', 'ok'], pending: ['clock', ''],
  part_refunded: ['half', ''], refunded: ['back', ''], cancelled: ['x', ''], new: ['ring', ''], contacted: ['chat', ''], qualified: ['half', ''], lost: ['x', ''] });

/** @param {string} status */
export function statusMark(status) {
  const [sign, tone] = STATUS_SIGNS[status] ?? ['ring', ''];
  return h('span.st', null, icon(sign, `s ${tone}`), statusWord(status));
}

const STATE_SIGNS = /** @type {Record<string, [string, string]>} */ ({ delivered: ['check', 'ok'], accepted: ['check', ''], pending: ['clock', ''],
  leased: ['up', ''], skipped: ['minus', ''], refused: ['stop', 'bad'], dead: ['x', 'bad'], held: ['pause', 'warn'], cancelled: ['x', ''] });

/** @param {{state: string, reason?: string|null, mode?: string}} d */
export function stateMark(d) {
  const [sign, tone] = STATE_SIGNS[d.state] ?? ['ring', ''];
  return h('span.st', { class: tone }, icon(sign, 's'), d.state === 'skipped' && d.reason === 'shadow' ? 'shadow' : stateWord(d.state));
}

const TOLD = /** @type {Record<string, [string, string]>} */ ({ delivered: ['y', '✓'], accepted: ['a', '✓'], pending: ['p', '…'], leased: ['p', '…'],
  skipped: ['d', '–'], refused: ['x', '✕'], dead: ['x', '✕'], held: ['h', '‖'], cancelled: ['d', '–'] });

/**
 * Who was told, in a word each: letters, a sign and a border, so colour is not needed.
 * @param {{platform: string, state: string, mode: string, reason: string|null}[]} deliveries
 */
export function toldMarks(deliveries) {
  if (!deliveries.length) return h('span.faint', null, '–');
  const shown = deliveries.slice(0, deliveries.length > 4 ? 3 : 4);
  return h('span.fw', null, shown.map((d) => {
    const [cls, sign] = TOLD[d.state] ?? ['d', '–'];
    const said = toldSentence(d);
    return h(`span.${cls}`, { role: 'img', 'aria-label': said, 'data-tip': said }, PLATFORM_LETTERS[d.platform] ?? d.platform.slice(0, 2), h('i', null, sign));
  }), deliveries.length > 4 && h('span.d',
    { role: 'img', 'aria-label': deliveries.slice(3).map(toldSentence).join('; '), 'data-tip': deliveries.slice(3).map(toldSentence).join('; ') },
    `+${deliveries.length - 3}`));
}
