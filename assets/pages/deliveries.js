// Deliveries: who was told what, what they answered, and what to do about the rest.

import { get, post } from '../api.js';
import { h, fill, icon } from '../dom.js';
import { clock, day, dayOf, today, exact, when, platform, plural, count, stateWord, whySentence, eventWord, zoneName } from '../format.js';
import { createTable, createList, ledgerHead, stateMark } from '../parts/table.js';
import { nothing, yet } from '../parts/nothing.js';
import { connectionStrip } from '../parts/connections.js';
import { replayDeliveries } from '../parts/replay.js';

export const title = 'Deliveries';

/** @type {import('../app.js').BarUse} */
export const bar = { range: true, filters: ['state', 'platform', 'kind', 'connection', 'conversion'], search: true, exports: 'deliveries', rows: true, picks: true };

const key = (/** @type {any} */ row) => row.id;
/** One may still be stopped. */
const WAITING = ['pending', 'held'];

/** @param {HTMLElement} root @param {import('../app.js').Params} params */
export function render(root, params) {
  let p = params;
  const { app, site, may } = params;
  const base = `/api/sites/${site.site}`;
  /** @type {any} */ let answer = null;
  /** @type {Map<string, string>} */ const names = new Map();
  /** @type {Set<string>} connections that are not the only one of their platform */ let named = new Set();
  let asked = '', liveTimer = 0, gone = false, isKnown = false, allOfFilter = false;
  /** @type {{close: () => void}|null} */ let detail = null;

  /** Two connections of one platform are told apart by their names. */
  const toName = (/** @type {any} */ r) => {
    const own = names.get(r.connection) ?? '';
    if (named.has(r.connection)) return own.replace(/^Webhook · /, '');
    // What somebody has given a name of their own is called by it.
    return r.platform === 'webhook' && own && !own.startsWith('Webhook') ? own : platform(r.platform);
  };

  const strip = h('section.sheet.strip', { 'aria-label': 'Connections' });
  const connections = connectionStrip(strip, () => p, () => loadConnections(), (dim, value, state) => app.go(p.view.with({ filters: [
    { dim, not: false, values: [value] }, ...(state ? [{ dim: 'state', not: false, values: [state] }] : [])] })));
  const selection = h('div.selection', { role: 'region', 'aria-label': 'Selected deliveries', hidden: true });

  const table = createTable({
    label: `Deliveries, times in ${zoneName()}`, key, classes: 't-deliveries', columns: columns(app, toName, names),
    open: openOne, group: (row) => dayOf(row.created_at), groupHead: (d) => [d === today() ? 'Today, ' : '', day(d)],
    onfilter: (dim, value, not) => app.go(p.view.plus(dim, value, not)),
    select: may ? { label: (row) => `Select ${row.conversion_label} to ${platform(row.platform)}`, changed: drawSelection } : undefined,
  });
  const list = createList({ url: `${base}/deliveries`, what: 'deliveries', table, key, answered, empty });
  const replayAll = h('div.replay-all', { hidden: true });
  const head = ledgerHead({ dim: 'state', word: stateName, label: 'Search order or event ID', placeholder: 'Order, event ID', now: () => p });
  const sheet = h('section.sheet.ledger', { 'aria-label': 'Deliveries' }, head.el, replayAll, list.el);

  function answered(/** @type {any} */ a) {
    answer = a;
    app.figuresAt = new Date().toISOString();
    head.draw(a.facets?.state ?? []);
    drawReplayAll();
  }

  /** Of what is filtered out of the whole, all may go again: the whole itself is no wish that one button should grant. */
  function drawReplayAll() {
    const total = answer?.total?.count ?? 0;
    replayAll.hidden = !may || !p.view.isFiltered || !total;
    if (replayAll.hidden) { fill(replayAll); return; }
    fill(replayAll, h('button.btn.small', { type: 'button', onclick: () => replayDeliveries(p, filterOf(), afterwards) }, icon('again', 's'),
      total === 1 ? 'Replay the one that is shown' : `Replay all ${count(total)} that are shown`));
  }

  const filterOf = () => Object.fromEntries(groupParams(p.view.ask(bar)));
  const afterwards = () => { table.clearSelection(); list.refresh(true); loadConnections(); };

  function empty() {
    return nothing(() => p, { none: 'Nothing fits these filters.', all: 'Clear them', days: 'Nothing was to be told in these days.', searched: (q) => ['No order and no event is called ', q, '.'],
      first: () => yet('deliveries', 'Nothing to tell anyone yet.', 'Each conversion makes one line here for every connected platform, also where nothing is sent, with the reason.') });
  }

  /** @param {boolean} [force] */
  function load(force) {
    const ask = p.view.ask(bar);
    if (!force && ask.toString() === asked) return;
    asked = ask.toString();
    table.clearSelection();
    table.drawHead('', '');
    list.load(ask);
  }

  async function loadConnections() {
    try {
      const { items } = await get(`${base}/connections`);
      if (gone) return;
      for (const c of items) names.set(c.connection, c.name);
      named = new Set(items.filter((/** @type {any} */ c) => items.some((/** @type {any} */ o) => o !== c && o.platform === c.platform))
        .map((/** @type {any} */ c) => c.connection));
      for (const at of table.el.querySelectorAll('[data-to]')) {
        const id = at.getAttribute('data-to') ?? '';
        if (named.has(id)) at.textContent = toName({ connection: id, platform: '' });
        at.setAttribute('data-tip', names.get(id) ?? '');
      }
      const sending = items.filter((/** @type {any} */ c) => c.sends);
      isKnown = true;
      connections.draw(sending);
    } catch (error) { if (!gone && !isKnown && /** @type {any} */ (error).code !== 'signed_out') fill(strip,
      h('div.trouble', { role: 'alert' }, icon('alert'),
      h('p', null, h('b', null, 'The connections could not be fetched.'), ' ', /** @type {any} */ (error).message),
      h('button.btn', { type: 'button', onclick: loadConnections }, 'Try again'))); }
  }

  // ---- one delivery, several deliveries ----

  /** @param {any} row */
  async function openOne(row) {
    const { openDelivery } = await import('../parts/delivery_panel.js');
    if (gone) return;
    table.current(row.id);
    detail = openDelivery(p, row, { connection: names.get(row.connection) ?? '', changed: () => list.refresh(true),
      closed: () => { detail = null; table.current(null); table.focus(row.id); },
      step: (id, n) => { const next = table.neighbour(id, n); if (next) table.current(next.id); return next; } });
  }

  /** @param {Set<string>} ids */
  function drawSelection(ids) {
    if (!ids.size) { allOfFilter = false; selection.hidden = true; fill(selection); return; }
    const rows = table.rows.filter((r) => ids.has(r.id));
    const total = answer?.total?.count ?? 0;
    const everything = ids.size === table.rows.length && total > table.rows.length;
    if (!everything) allOfFilter = false;
    const old = rows.filter((r) => Date.now() - new Date(r.created_at).getTime() > 48 * 3600e3).length;
    const waiting = rows.filter((r) => WAITING.includes(r.state)).map(key);
    selection.hidden = false;
    fill(selection, h('b', null, allOfFilter ? `All ${count(total)}` : count(ids.size), ' selected'),
      everything && !allOfFilter && h('button.go', { type: 'button', onclick: () => { allOfFilter = true; drawSelection(ids); } }, `Select all ${count(total)}`),
      h('span.age', null, old > 0 ? [icon('clock', 's warn'), `${old} older than 48 hours`] : ''),
      h('span.grow'),
      waiting.length > 0 && !allOfFilter && h('button.btn.danger', { type: 'button', onclick: () => cancel(waiting, afterwards) },
        `Cancel ${count(waiting.length)} waiting`),
      h('button.btn.main', { type: 'button', onclick: () => replayDeliveries(p, allOfFilter ? filterOf() : [...ids], afterwards) },
        icon('again', 's'), 'Replay'),
      h('button.btn.icon.bare', { type: 'button', 'aria-label': 'Clear the selection', 'data-tip': 'Clear the selection',
        onclick: () => table.clearSelection() }, icon('x')));
  }

  /** @param {string[]} ids @param {() => void} done */
  async function cancel(ids, done) {
    const { confirm } = await import('../parts/menu.js');
    const yes = await confirm({ title: `Cancel ${plural(ids.length, 'delivery', 'deliveries')}?`, danger: true, yes: `Cancel ${ids.length}`,
      text: h('p', null, 'They are not sent. The conversions stay as they are, and each can be replayed later.') });
    if (!yes) return;
    try { const a = await post(`${base}/deliveries/cancel`, { deliveries: ids }); app.toast(`${plural(a.cancelled, 'delivery', 'deliveries')} cancelled.`); done();
      } catch (error) { app.toast(`Not cancelled. ${/** @type {any} */ (error).message}`); }
  }

  app.suggest = (dim) => {
    if (answer?.facets?.[dim]) return answer.facets[dim].map((/** @type {any} */ f) => ({ ...f }));
    if (dim === 'connection') return [...names.keys()].map((value) => ({ value }));
    return dim === 'kind' ? [...new Set(table.rows.map((r) => r.kind))].sort().map((value) => ({ value })) : [];
  };

  fill(strip, h('div.skeleton', { 'aria-hidden': 'true' }, [h('i'), h('i'), h('i')]));
  fill(root, h('h1.vh', null, title), strip, sheet, selection);
  load();
  loadConnections();

  return {
    /** @param {import('../app.js').Params} next */
    update(next) {
      const same = next.view.toString() === p.view.toString();
      p = next;
      head.sync();
      load(same);
      if (same) loadConnections();
    },
    /** @param {string} name */
    live(name) {
      // What a connection does moves deliveries: held, let go, cancelled.
      if (name !== 'delivery' && name !== 'connection' && name !== 'again') return;
      // In a steady stream of news the page is drawn about once a second, not after it.
      liveTimer ||= setTimeout(() => { liveTimer = 0; if (!gone) { list.refresh(scrollY < 400); loadConnections(); } }, name === 'delivery' ? 1200 : 200);
    },
    /** @param {KeyboardEvent} e */
    key: (e) => (detail ? false : table.key(e)),
    leave() { gone = true; clearTimeout(liveTimer); head.stop(); list.stop(); detail?.close(); },
  };
}

/** Repeated keys become lists. @param {URLSearchParams} q @returns {[string, string|string[]][]} */
const groupParams = (q) => [...new Set(q.keys())].map((k) => [k, q.getAll(k).length > 1 ? q.getAll(k) : /** @type {string} */ (q.get(k))]);

/** @param {typeof import('../app.js').app} app @param {(row: any) => string} toName
 * @param {Map<string, string>} names of connections @returns {import('../parts/table.js').Column[]} */
function columns(app, toName, names) {
  return [
    { id: 'time', head: 'Time', classes: 'fit faint', cell: (r) => h('span', { 'data-tip': exact(r.created_at) }, clock(r.created_at)) },
    { id: 'what', head: 'What', rowHead: true, cell: (r) => h('bdi.cut', null, r.conversion_label) },
    { id: 'to', head: 'To', cell: (r) => [h('span', { 'data-to': r.connection, 'data-tip': names.get(r.connection) }, toName(r)), h('span.faint', null, ` ${eventWord(r.kind)}`)], filter: (r) => ({ dim: 'platform', value: r.platform }) },
    { id: 'mode', head: 'Mode', classes: 'hide-l', cell: (r) => (r.mode === 'live' ? h('span.faint', null, 'live') : h('span.tag.box', null, r.mode)) },
    { id: 'state', head: 'State', cell: stateMark, filter: (r) => ({ dim: 'state', value: r.state }) },
    { id: 'tries', head: 'Tries', classes: 'num hide-s', cell: (r) => (r.attempts ? count(r.attempts) : h('span.faint', null, '–')) },
    { id: 'answer', head: 'Answer', classes: 'quiet', cell: answerCell },
    { id: 'next', head: 'Next try', classes: 'fit hide-s',
      cell: (r) => (r.next_at ? h('span', { 'data-tip': exact(r.next_at) }, when(r.next_at)) : h('span.faint', null, '–')) },
    { id: 'receipt', head: h('span.vh', null, 'Receipt'), classes: 'fit hide-s',
      cell: (r) => h('a.go', { href: app.href('conversions', undefined, r.conversion), 'data-roam': true, tabindex: '-1',
      'aria-label': `Receipt of ${r.conversion_label}` }, 'Receipt') },
  ];
}

/** @param {any} r */
function answerCell(r) {
  const said = whySentence(r);
  return said ? h('span.cut', { 'data-tip': said.length > 32 ? said : null }, said) : h('span.faint', null, '–');
}

/** "Given up": the state's word at the beginning of a tab. @param {string} state */
const stateName = (state) => stateWord(state)[0].toUpperCase() + stateWord(state).slice(1);
