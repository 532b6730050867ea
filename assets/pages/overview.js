// The overview: what needs the owner, the headline figures, the chart, and the tables that explain them. Two questions fill it:
// figures and days first, the tables beside them.

import { get } from '../api.js';
import { h, fill, icon, announce } from '../dom.js';
import { money, count, today, span, plural, ownCurrency, dayOf, clock, kindsWord, bare, showsMoney, MODELS, LENSES } from '../format.js';
import { statsCards } from '../parts/stats_cards.js';
import { revenueChart } from '../parts/revenue_chart.js';
import { revenueBySource, byOf, ofPartners } from '../parts/revenue_by_source.js';
import { recentOrders } from '../parts/recent_orders.js';
import { webhookStatus } from '../parts/webhook_status.js';
import { panel, netColumn, visitsColumn, conversionsColumn } from '../parts/panel.js';
import { own } from '../parts/figures.js';

export const title = 'Overview';

/** @type {import('../app.js').BarUse} */
export const bar = { range: true, lens: true, compare: true,
  filters: LENSES,
  files: [['The chart, day by day', 'reports/timeseries'], ['Where it came from', 'reports/sources'], ['What sold', 'reports/products'], ['Where', 'reports/countries'],
    ['Devices', 'reports/devices'], ['Conversions', 'conversions']],
  keys: [['I', 'Days or weeks'], ['N', 'Note on the day under the pointer']] };

/** A live figure that nobody asked for anew is asked for again after this. */
const STALE_MS = 60000;

/** @param {HTMLElement} root @param {import('../app.js').Params} params */
export function render(root, params) {
  let p = params;
  const now = () => p, { app } = params, site = params.site, base = `/api/sites/${site.site}/reports`;
  let asked = '', askedTables = '', gone = false, liveTimer = 0, fetchedAt = Date.now();
    /** @type {any} */ let chatPart = null;
  /** @type {any} */ let top = null, tables = /** @type {any} */ (null), panelOpen = /** @type {any} */ (null);
  /** @type {AbortController|null} */ let running = null;

  const cards = statsCards((show) => app.go({ show: show === 'net' ? '' : show }, { replace: true }));
  const notes = () => import('../parts/day_notes.js');
  const chart = revenueChart({ now, choose: (from, to) => app.go({ range: 'custom', from, to }), each: (each) => app.go({ each }, { replace: true }),
    note: (day) => notes().then((m) => m.writeNote(p, day, () => load(true))),
    flag: (list, anchor) => notes().then((m) => m.readNotes(p, list, anchor, () => load(true))) });
  const balance = h('div.balance'), others = h('footer.others');
  const trouble = h('div', { hidden: true }), first = h('div', { hidden: true });
  const sheet = h('section.sheet.main-sheet', { 'aria-label': 'Figures' }, cards.el, chart.el, balance, others, chart.twin);
  const sources = revenueBySource(now);
  const products = panel(now, { title: 'What sold', dim: 'product', path: 'reports/products', most: 7, first: 'Product or service', sort: 'net', filter: () => null,
    name: (r) => (r.name === '(not set)' ? 'Not listed by the shop' : r.name), none: 'Nothing was sold on these days.',
    columns: [{ id: 'quantity', head: 'Sold', classes: 'num', value: (r) => r.quantity, cell: (r) => (r.quantity ? count(r.quantity) : '–'), foot: (t) => count(t.quantity) }, netColumn('Net')] });
  const latest = recentOrders(now, openReceipt);
  const countries = panel(now, { title: 'Where', dim: 'country', path: 'reports/countries', most: 6, first: 'Country', sort: 'net', none: 'Nobody came on these days.',
    columns: [{ ...visitsColumn, classes: 'num quiet' }, ...(showsMoney() ? [] : [conversionsColumn]), netColumn('Net')] });
  const devices = panel(now, { title: 'Devices', dim: 'device', path: 'reports/devices', most: 4, first: 'Device', sort: 'net', none: 'Nobody came on these days.',
    columns: [{ ...visitsColumn, classes: 'num quiet' }, { ...conversionsColumn, classes: 'num quiet' }, netColumn('Net')] });
  const hooks = webhookStatus(now);
  const chats = h('div', { hidden: true });
  const below = h('div.halves', null, h('div.c8', null, sources.el, latest.el, h('div.beside', null, countries.el, devices.el)), h('div.c4', null, products.el, chats, hooks.el));
  fill(root, h('h1.vh', null, title), trouble, first, sheet, below);
  sheet.append(h('div.skeleton.waiting', { 'aria-hidden': 'true' }, Array.from({ length: 7 }, () => h('i'))));
  for (const el of [chart.el, balance, others]) el.hidden = true;
  below.hidden = true;

  // ---- asking ----

  /** All time begins where the site does: reports have no days without an end. @param {import('../app.js').View} view */
  function question(view) {
    const ask = view.ask(bar);
    if (!view.days()) {
      const begin = [site.first_touch_at, site.first_conversion_at].filter((x) => x !== null).sort()[0];
      ask.set('from', begin ? dayOf(begin) : today());
      ask.set('to', today());
    }
    return ask;
  }

  /** @param {boolean} [force] */
  async function load(force) {
    const ask = question(p.view), by = byOf(p.view.by, site);
    const isSame = !force && ask.toString() === asked;
    if (isSame && `${asked} ${by}` === askedTables) { if (top) draw(); return; }
    running?.abort();
    const mine = running = new AbortController();
    root.setAttribute('aria-busy', 'true');
    const dim = setTimeout(() => { if (!isSame) sheet.classList.add('dim'); below.classList.add('dim'); }, 300);
    asked = ask.toString();
    askedTables = `${asked} ${by}`;
    const with_ = (/** @type {string} */ parts) => { const q = new URLSearchParams(ask); q.set('with', parts); q.set('by', by === 'affiliate' ? 'source' : by); return get(`${base}/overview`, q, mine.signal); };
    // The tables of a question with the same days wait for nothing of the figures, and the other way round.
    const days = new URLSearchParams([['from', ask.get('from') ?? ''], ['to', ask.get('to') ?? '']]);
    const partners = by === 'affiliate' ? get(`${base}/affiliates`, days, mine.signal).then(ofPartners) : null;
    const jobs = [Promise.all([with_('sources,products,countries,devices,latest,chat'), partners]).then(([answer, ofThem]) => { if (mine === running) { tables = { ...answer, sources: ofThem ?? answer.sources }; drawTables(); below.classList.remove('dim'); } })];
    if (!isSame || !top) jobs.unshift(with_('days,notes,connections,needs').then((answer) => { if (mine === running) { top = { notes: [], connections: [], needs: { silent: [] }, ...answer, currency: ownCurrency() }; draw(); sheet.classList.remove('dim'); } }));
    try {
      await Promise.all(jobs);
      if (mine !== running || gone) return;
      fetchedAt = Date.now();
      app.figuresAt = new Date().toISOString();
      trouble.hidden = true;
    } catch (error) {
      if (mine.signal.aborted || mine !== running || gone) return;
      asked = askedTables = '';
      failed(/** @type {any} */ (error));
    } finally { clearTimeout(dim); if (mine === running) { root.removeAttribute('aria-busy'); sheet.classList.remove('dim'); below.classList.remove('dim'); } }
  }

  /** @param {any} error */
  function failed(error) {
    if (error.code === 'signed_out') return;
    trouble.hidden = false;
    fill(trouble, h('div.sheet.said', null, h('div.trouble', { role: 'alert' }, icon('alert'), h('p', null, h('b', null, error.code === 'offline' ? 'The server could not be reached.' : 'The figures could not be fetched.'), ' ',
      error.code === 'offline' ? '' : error.message, top ? ` What you see is of ${clock(top.now)}.` : ' Nothing is lost: counting goes on.', error.requestId && h('small.faint', null, ` Request ${error.requestId}`)),
      h('button.btn', { type: 'button', onclick: () => load(true) }, 'Try again'))));
  }

  // ---- drawing ----

  function draw() {
    sheet.querySelector('.waiting')?.remove();
    const isEmpty = !site.first_touch_at && !site.first_conversion_at && !top.visits && !top.conversions.all;
    first.hidden = !isEmpty;
    sheet.hidden = isEmpty;
    below.hidden = isEmpty || !tables;
    if (!site.part) app.needs(top.needs);
    hooks.draw(top.connections, top.needs);
    if (isEmpty) { if (!first.firstChild) import('../parts/start.js').then((m) => { if (!gone) fill(first, h('div.sheet.first', null, h('div.first-say', null, h('h2', null, 'Here will stand what your marketing earns,'),
      h('p', null, 'day by day and by where it came from. Two steps, then it fills by itself.')), m.snippetStep(app, site).el, m.endpointStep(app, site).el)); }); }
    for (const el of [chart.el, balance, others]) el.hidden = isEmpty;
    if (isEmpty) return;
    cards.draw(top, p.view.show);
    chart.draw(top);
    drawBalance();
    announce(`${span(top.from, top.to)}: ${showsMoney() ? `${money(own(top.net))} net, ` : ''}${plural(top.conversions.all, 'conversion')}, ${plural(top.visits, 'visit')}`);
  }

  function drawBalance() {
    const sold = own(top.sold), back = own(top.back), net = own(top.net);
    const part = (/** @type {string} */ name, /** @type {import('../dom.js').Kid} */ v, /** @type {string} */ cls = '') => h('div', { class: cls }, h('span.k', null, name), h('span.v', null, v));
    balance.hidden = !showsMoney() || (!sold.minor && !back.minor);
    fill(balance, part('Sold', bare(sold)), h('span.op', { 'aria-hidden': 'true' }, '−'), part('Refunded, cancelled', bare({ ...back, minor: Math.abs(back.minor) }), 'neg'),
      h('span.op', { 'aria-hidden': 'true' }, '='), part('Net revenue', money(net), 'sum'),
      top.orders > 0 && h('p.aside', null, `${plural(top.orders, 'order')}`, top.average_order && `, ${money(top.average_order)} each on average`, top.unattributed > 0 && h('button.go', { type: 'button',
        onclick: () => app.go(p.view.plus('match', 'none', false)) }, `${plural(top.unattributed, 'conversion')} without a source`)));
    const apart = top.net.filter((/** @type {any} */ m) => m.currency !== ownCurrency());
    fill(others, apart.length > 0 && h('p', null, 'Also sold: ', apart.map((/** @type {any} */ m, /** @type {number} */ i) => [i > 0 && ', ', h('b', null, money(m))]), ' net. Kept apart; currencies are never added.'),
      !p.view.isDefaultLens && p.view.filters.some((f) => ['source', 'channel', 'campaign', 'medium', 'content', 'term', 'click', 'referrer', 'landing'].includes(f.dim)) && h('p', null, `Filters go by your books; the tables below share the credit by ${MODELS[p.view.model].toLowerCase()}.`),
      h('span.grow'), chart.twinButton);
  }

  function drawTables() {
    if (!tables) return;
    below.hidden = !first.hidden;
    sources.draw(tables.sources);
    products.draw(tables.products);
    countries.draw(tables.countries);
    devices.draw(tables.devices);
    latest.draw(tables.latest);
    chats.hidden = !tables.chat;
    // Only a shop that chats needs the part.
    if (tables.chat) import('../parts/assisted_by_chat.js').then((m) => { if (gone) return; chatPart ??= m.assistedByChat(); if (!chats.firstChild) fill(chats, chatPart.el); chatPart.draw(tables?.chat); });
  }

  // ---- the receipt over the page ----

  /** @param {string} id */
  async function openReceipt(id) {
    const { openReceipt: open } = await import('../parts/receipt_panel.js');
    if (gone || panelOpen) return;
    panelOpen = open(p, id, { closed: () => { panelOpen = null; }, step: (at, n) => {
      const list = tables?.latest ?? [], i = list.findIndex((/** @type {any} */ r) => r.id === at);
      if (i >= 0 && list[i + n]) panelOpen?.show(list[i + n].id);
    } });
  }

  app.suggest = (dim) => {
    if (dim === 'kind') return ['sale', 'lead', 'signup', 'custom'].map((value) => ({ value, count: top?.conversions?.[value] })).filter((o) => o.count !== 0 && kindsWord(o.value));
    const table = dim === tables?.sources?.by ? tables.sources : dim === 'country' ? tables?.countries : dim === 'device' ? tables?.devices : null;
    if (table) return table.items.slice(0, 12).map((/** @type {any} */ r) => ({ value: r.name, count: r.visits || undefined })).filter((/** @type {any} */ o) => o.value !== 'unattributed' || dim === 'source');
    if (dim === 'match') return [...new Set((tables?.latest ?? []).map((/** @type {any} */ r) => r.match.type))].map((value) => ({ value: /** @type {string} */ (value) }));
    return [];
  };

  load();

  return {
    /** @param {import('../app.js').Params} next */
    update(next) { const came = next.view.toString() === p.view.toString(); p = next; load(came); },
    /** @param {string} name @param {any} data */
    live(name, data) {
      if (name === 'conversion') site.first_conversion_at ??= new Date().toISOString();
      if (name === 'visitors' && data.now > 0 && !site.first_touch_at) site.first_touch_at = new Date().toISOString();
      if (panelOpen && (data.conversion === panelOpen.id || data.id === panelOpen.id)) panelOpen.refresh();
      const days = p.view.days(), isPresent = !days || days[1] >= today();
      const isNews = ['connection', 'inbox', 'again'].includes(name) || (isPresent && (name === 'conversion' || (name === 'visitors' && Date.now() - fetchedAt > STALE_MS)));
      if (!isNews || document.hidden) return;
      clearTimeout(liveTimer);
      liveTimer = setTimeout(() => { if (!gone) load(true); }, name === 'conversion' ? 500 : 1500);
    },
    /** @param {KeyboardEvent} e */
    key(e) {
      if (panelOpen) return false;
      if (chart.key(e)) return true;
      const letter = e.key.toLowerCase();
      if (letter === 'i' && top) { app.go({ each: chart.other }, { replace: true }); return true; }
      if (letter === 'n' && p.may && top && chart.day) { notes().then((m) => m.writeNote(p, chart.day ?? today(), () => load(true))); return true; }
      return false;
    },
    leave() { gone = true; root.removeAttribute('aria-busy'); clearTimeout(liveTimer); running?.abort(); panelOpen?.close(); },
  };
}
