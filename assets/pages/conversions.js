// The conversions ledger: every sale, lead and sign-up, where it came from, and who was told.

import { h, fill, icon, announce } from '../dom.js';
import { amount, money, count, rangeOf, percent, points, plural, clock, day, dayOf, today, exact, shortDay, currencySign, zoneName, LENSES,
  kindsWord, showsMoney, labelOf } from '../format.js';
import { nothing } from '../parts/nothing.js';
import { figure, pressed, big, apart, ofOwn } from '../parts/buyers.js';
import { createTable, createList, ledgerHead, matchMark, statusMark, toldMarks } from '../parts/table.js';

export const title = 'Conversions';

/** @type {import('../app.js').BarUse} */
export const bar = { range: true, lens: true, filters: LENSES, search: true,
  exports: 'conversions', rows: true };

const key = (/** @type {any} */ row) => row.id;

/** @param {HTMLElement} root @param {import('../app.js').Params} params */
export function render(root, params) {
  let p = params;
  const { app } = params;
  const site = params.site;
  /** @type {any} */ let answer = null;
  /** @type {{id: string, close: () => void, refresh: () => void, show: (id: string) => void}|null} */ let panel = null;
  let asked = '', waiting = 0, liveTimer = 0, gone = false;
  /** @type {{el: import('../dom.js').Kid, live: (name: string, data: any) => void}|null} the first steps, while there is no conversion */ let first = null;

  const figures = h('div.stmt');
  const news = h('button.news', { type: 'button', hidden: true, onclick: () => { scrollTo(0, 0); insert(); } });
  const others = h('footer.others', { hidden: true });
  const sheet = h('section.sheet.ledger', { 'aria-label': 'Conversions' });

  const table = createTable({
    label: `Conversions, times in ${zoneName()}`, columns: columns(() => p), key, classes: 't-conversions',
    href: (row) => app.href('conversions', p.view, row.id),
    open: (row) => app.navigate(app.href('conversions', p.view, row.id), { state: { panel: true } }),
    group: (row) => (p.view.sort === 'amount' ? null : dayOf(row.happened_at)), groupHead: dayHead,
    onfilter: (dim, value, not) => app.go(p.view.plus(dim, value, not)),
    onsort: (sort) => app.go({ sort }),
    rowClass: (row) => (row.is_test ? 'test' : row.credited.length ? '' : 'un'),
  });
  const list = createList({ url: `/api/sites/${site.site}/conversions`, what: 'conversions', table, key, answered, empty });
  const head = ledgerHead({ dim: 'kind', word: kindsWord, label: 'Search order, name or e-mail', placeholder: 'Order, name, e-mail', now: () => p });

  function answered(/** @type {any} */ a) {
    answer = a;
    // Before the first conversion of all, the first steps have the sheet to themselves.
    head.el.hidden = !site.first_conversion_at && !a.total.count && !p.view.isFiltered;
    fill(figures, headFigures(a.total, p));
    figures.hidden = !a.total.count;
    head.draw(a.facets?.kind ?? []);
    const more = apart(a.total.net);
    others.hidden = !more;
    fill(others, more);
    app.figuresAt = list.fetchedAt || new Date().toISOString();
    table.current(panel?.id ?? null);
  }

  function empty() {
    return nothing(() => p, { none: 'Nothing fits these filters.', all: 'Clear them', days: `No conversion ${p.view.range === 'today' ? 'yet today' : 'in these days'}.`,
      searched: (q) => ['Nothing in these days is called ', q, '.'], since: site.first_conversion_at && ` The first one came in on ${day(site.first_conversion_at)}.`, first: firstSteps });
  }

  function firstSteps() {
    const box = h('div.first');
    import('../parts/start.js').then((m) => {
      if (gone) return;
      const steps = first = m.firstConversion(app, site);
      fill(box, steps.el);
    });
    return box;
  }

  /** @param {boolean} [force] */
  function load(force) {
    const ask = p.view.ask(bar);
    if (!force && ask.toString() === asked) return;
    asked = ask.toString();
    waiting = 0;
    news.hidden = true;
    table.drawHead(p.view.sort, 'happened_at');
    list.load(ask);
  }

  // ---- news by the event stream ----

  const atHead = () => scrollY < 240 && (p.view.sort === '' || p.view.sort === 'happened_at');
  async function refresh() {
    if (gone) return;
    const days = p.view.days();
    if (days && days[1] < today()) return; // an earlier time: nothing new can come in
    const putIn = atHead();
    const fresh = await list.refresh(putIn);
    if (!fresh || gone) return;
    if (putIn) { announce(plural(fresh, 'new conversion')); return; }
    waiting = fresh;
    fill(news, icon('up', 's'), `${waiting} new`);
    news.hidden = false;
  }
  async function insert() { news.hidden = true; waiting = 0; await list.refresh(true); }

  // ---- the receipt over the ledger ----

  async function showPanel() {
    const id = p.id;
    if (!id) { panel?.close(); return; }
    if (panel) { panel.show(id); table.current(id); return; }
    const { openReceipt } = await import('../parts/receipt_panel.js');
    if (gone || p.id !== id || panel) return;
    panel = openReceipt(p, id, {
      step: (at, n) => {
        const row = table.neighbour(at, n);
        if (row) app.navigate(app.href('conversions', p.view, row.id), { replace: true, state: { panel: true } });
      },
      closed: (at, x, y) => {
        panel = null;
        table.current(null);
        table.focus(at);
        const under = x === null ? null : document.elementFromPoint(x, y ?? 0)?.closest('tr[data-id]')?.getAttribute('data-id');
        if (under && under !== at) app.navigate(app.href('conversions', p.view, under), { replace: true, state: { panel: true } });
        else if (p.id) history.back();
      },
    });
    table.current(id);
  }

  app.suggest = (dim) => {
    const facet = answer?.facets?.[dim];
    if (facet) return facet.map((/** @type {any} */ f) => ({ ...f }));
    /** @type {Set<string>} */ const seen = new Set();
    for (const row of table.rows) {
      const values = dim === 'currency' ? [row.amount?.currency]
        : dim === 'platform' ? row.deliveries.map((/** @type {any} */ d) => d.platform) : row.credited.map((/** @type {any} */ c) => c[dim]);
      for (const value of values) if (value) seen.add(value);
    }
    return [...seen].sort().map((value) => ({ value }));
  };

  fill(sheet, figures, head.el, news, list.el, others);
  fill(root, h('h1.vh', null, title), sheet);
  load();
  showPanel();

  return {
    /** @param {import('../app.js').Params} next */
    update(next) {
      const came = next.view.toString() === p.view.toString() && next.id === p.id;
      p = next;
      head.sync();
      load(came);
      showPanel();
    },
    /** @param {string} name @param {any} data */
    live(name, data) {
      if (name === 'conversion' && !site.first_conversion_at) { site.first_conversion_at = new Date().toISOString(); app.updateBar(); }
      first?.live(name, data);
      if (name === 'conversion' || name === 'again' || (name === 'delivery' && table.rows.some((r) => r.id === data.conversion))) {
        clearTimeout(liveTimer);
        liveTimer = setTimeout(refresh, name === 'conversion' ? 400 : 1500);
      }
      if (panel && (data.conversion === panel.id || data.id === panel.id)) panel.refresh();
    },
    /** @param {KeyboardEvent} e */
    key(e) { return panel ? false : table.key(e); },
    leave() { gone = true; clearTimeout(liveTimer); head.stop(); list.stop(); if (panel) { p = { ...p, id: null }; panel.close(); } },
  };
}

/** @param {string} d */
const dayHead = (d) => [d === today() ? 'Today, ' : '', day(d)];

/** @param {() => import('../app.js').Params} now @returns {import('../parts/table.js').Column[]} */
function columns(now) {
  const sign = `, ${currencySign()}`;
  const by = (/** @type {string} */ dim, /** @type {string|null|undefined} */ value) => (value ? { dim, value } : null);
  return [
    { id: 'time', head: 'Time', classes: 'fit faint', sort: 'happened_at',
      cell: (r) => h('span', { 'data-tip': exact(r.happened_at) },
      now().view.sort === 'amount' ? shortDay(r.happened_at, dayOf(r.happened_at).slice(0, 4) !== today().slice(0, 4)) : clock(r.happened_at)) },
    { id: 'what', head: 'What', rowHead: true,
      cell: (r) => [h('bdi.cut', null, labelOf(r)),
      r.is_test && h('span.tag.box', { 'data-tip': 'A test: shown, not counted' }, 'test'),
      r.reports > 1 && h('span.times', { 'data-tip': `Reported by ${r.reports} platforms, counted once` }, `×${r.reports}`)],
      foot: (a) => `All ${count(a.total.count)}` },
    { id: 'who', head: 'Who', classes: 'hide-s',
      cell: (r) => (r.who.display ? h(r.who.contact && now().site.role !== 'client' ? 'a' : 'bdi', { href: r.who.contact && now().site.role !== 'client' ? now().app.href('people', undefined, r.who.contact) : null,
        'data-roam': !!r.who.contact && now().site.role !== 'client', tabindex: r.who.contact ? '-1' : null, 'data-tip': r.who.display.length > 18 ? r.who.display : null }, r.who.display)
      : h('span.faint', null, r.who.is_erased ? 'erased' : 'no address given')) },
    { id: 'amount', head: `Amount${sign}`, classes: 'num', sort: 'amount', cell: (r) => (r.amount ? amount(r.amount) : h('span.faint', null, '–')),
      foot: (a) => sum(a.total.amounts) },
    { id: 'net', head: `Net${sign}`, classes: 'num hide-m',
      cell: (r) => (r.net && r.kind === 'sale' ? h('span',
      { class: r.amount && r.net.minor === r.amount.minor ? 'faint' : '', 'data-tip': r.amount && r.net.minor !== r.amount.minor ? 'After refunds and cancellations'
      : null }, amount(r.net)) : h('span.faint', null, '–')), foot: (a) => sum(a.total.net) },
    { id: 'source', head: 'Source', cell: sourceCell,
      filter: (r) => (r.credited.length ? { dim: 'source', value: r.credited[0].source } : { dim: 'match', value: 'none' }),
      foot: (a) => (a.total.count ? `${percent(a.total.attributed / a.total.count)} attributed` : null) },
    { id: 'campaign', head: 'Campaign', classes: 'quiet hide-l',
      cell: (r) => (r.credited[0]?.campaign ? h('bdi', null, r.credited[0].campaign) : h('span.faint', null, '–')),
      filter: (r) => by('campaign', r.credited[0]?.campaign) },
    { id: 'match', head: 'Matched by', cell: (r) => [matchMark(r.match), r.chat && h('span', { 'data-tip': 'A chat helped' }, icon('chat', 's', 'A chat helped'))],
      filter: (r) => by('match', r.match.type),
      foot: (a) => (a.total.count - a.total.attributed ? `${count(a.total.count - a.total.attributed)} unattributed` : 'all attributed') },
    { id: 'status', head: 'Status', cell: (r) => statusMark(r.status), filter: (r) => by('status', r.status) },
    { id: 'told', head: 'Told', classes: 'fit', cell: (r) => toldMarks(r.deliveries) },
  ].filter((c) => (showsMoney() || !['amount', 'net'].includes(c.id)) && (c.id !== 'who' || !now().site.hides_people));
}

/** Media that say no more than the source does. */
const PLAIN = new Set([null, undefined, '', '(none)', 'none', 'referral']);

/** @param {any} r */
function sourceCell(r) {
  if (!r.credited.length) return h('span.quiet', { 'data-tip': r.match.sentence || 'No visit, code or address of this customer is known' }, 'Unattributed');
  const first = r.credited[0], several = r.credited.length > 1;
  const all = r.credited.map((/** @type {any} */ c) => {
    const name = [c.channel, [c.source, c.medium].filter(Boolean).join(' / '), c.campaign].filter(Boolean).join(' · ');
    return several ? `${name} ${points(c.share_bp)}` : name;
  });
  const beside = several ? `+${r.credited.length - 1}` : PLAIN.has(first.medium) ? '' : first.medium;
  return h('span', { 'data-tip': all.join('; ') }, h('bdi', null, first.source), beside && h('span.faint', null, ` ${beside}`));
}

/** @param {import('../format.js').Money[]} all */
function sum(all) {
  const own = ofOwn(all);
  return own ? h('b', null, amount(own)) : h('span.faint', null, '–');
}

/** @param {any} total @param {import('../app.js').Params} p */
function headFigures(total, p) {
  const net = ofOwn(total.net), sold = ofOwn(total.amounts), lost = total.count - total.attributed;
  const range = rangeOf(total.attributed, total.count);
  const back = net && sold ? sold.minor - net.minor : 0;
  return [
    net && figure('Left of these sales', big(net), sold && back > 0 ? [money({ minor: -back, currency: net.currency }), ' refunded or cancelled'] : 'nothing refunded'),
    sold && (net ? figure('Sold', big(sold), 'before refunds') : figure('Worth', big(sold), 'as their senders say')),
    figure('Conversions', count(total.count), p.view.range === 'custom' ? p.view.rangeName() : p.view.rangeName().toLowerCase()),
    figure('Attributed', total.count
      ? [percent(total.attributed / total.count), range && h('small', { 'data-tip': 'So few that chance alone gives this range' }, ` (${range})`)] : '–',
      `${count(total.attributed)} of ${count(total.count)}`),
    pressed('Unattributed', count(lost), lost ? 'no visit or code known' : 'every one has a source', { on: p.view.filters.some((f) => f.dim === 'match' && !f.not && f.values.join() === 'none'),
      off: !lost, act: () => p.app.go(p.view.plus('match', 'none', false)) }),
  ];
}
