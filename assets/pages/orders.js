// Orders as the shop told them: what was bought, what went back, and where it came from. Every row opens its receipt.

import { get } from '../api.js';
import { h, fill, icon, announce, styles } from '../dom.js';
import { amount, money, count, plural, clock, day, dayOf, today, exact, currencySign, zoneName, platform, statusWord, ownCurrency } from '../format.js';
import { createTable, createList, ledgerHead, matchMark, statusMark } from '../parts/table.js';
import { nothing, yet, sumsBeside } from '../parts/nothing.js';
import { figure, big, apart, ofOwn, spanOf, whoBought } from '../parts/buyers.js';

export const title = 'Orders';

export const ready = styles(new URL('../css/customers.css', import.meta.url));

/** @type {import('../app.js').BarUse} */
export const bar = { range: true, filters: ['platform', 'status', 'source', 'customers', 'connection'], search: true, exports: 'orders', rows: true };

const key = (/** @type {any} */ row) => row.id;

/** @param {HTMLElement} root @param {import('../app.js').Params} params */
export function render(root, params) {
  let p = params;
  const { app, site } = params;
  /** @type {{id: string, close: () => void, refresh: () => void, show: (id: string) => void}|null} */ let panel = null;
  let asked = '', gone = false, liveTimer = 0;

  const figures = h('div.stmt');
  const others = h('footer.others', { hidden: true });
  const sheet = h('section.sheet.ledger', { 'aria-label': title });
  const open = (/** @type {any} */ row) => (row.conversion
    ? app.navigate(app.href('orders', p.view, row.id), { state: { panel: true } })
    : app.toast('Not paid so far. Its receipt begins with the first payment.'));
  const table = createTable({
    label: `Orders, times in ${zoneName()}`, columns: columns(() => p), key, classes: 't-orders', open,
    href: (row) => app.href('orders', p.view, row.conversion ? row.id : undefined),
    group: (row) => dayOf(row.created_at), groupHead: (d) => [d === today() ? 'Today, ' : '', day(d)],
    onfilter: (dim, value, not) => app.go(p.view.plus(dim, value, not)),
    rowClass: (row) => (row.is_test || row.sale?.counts === false ? 'test' : row.source ? '' : 'un'),
  });
  const list = createList({ url: `/api/sites/${site.site}/orders`, what: 'orders', table, key, empty,
    answered: () => { app.figuresAt = list.fetchedAt || new Date().toISOString(); table.current(panel?.id ?? null); } });
  const head = ledgerHead({ dim: 'platform', word: platform, label: 'Search an order’s number', placeholder: 'Order number', now: () => p });

  function empty() {
    return nothing(() => p, { none: 'No order fits.', all: 'Show all orders', days: 'No order in these days.', searched: (q) => ['No number begins with ', q, '.'],
      first: () => yet('orders', 'Every order will stand here,', 'with its lines, its refunds and where it came from. Connect the shop, and the first ones show within a minute.',
        { href: app.href('connections'), word: 'Connect a shop' }) });
  }

  const sums = sumsBeside(() => get(`/api/sites/${site.site}/reports/customers`, spanOf(p, today())), drawHead);

  function drawHead() {
    const { report } = sums;
    figures.hidden = !report || (!report.orders && !report.net.length);
    if (!report) return;
    const net = ofOwn(report.net), sold = ofOwn(report.sold), back = ofOwn(report.back);
    fill(figures,
      figure('Net revenue', big(net), 'after refunds and cancellations'),
      figure('Sold', big(sold), 'before refunds'),
      figure('Went back', back && back.minor ? money({ minor: -back.minor, currency: back.currency }) : '–', back?.minor && sold?.minor ? [`${((-back.minor / sold.minor) * 100).toFixed(1)}% of what was sold`] : 'nothing'),
      figure('Orders', count(report.orders), whoBought(report)),
      figure('Average order', report.average_order ? money(report.average_order) : '–', report.net.length > 1 ? `net revenue by orders, in ${ownCurrency()}` : 'net revenue by orders'));
    head.draw(report.platforms.filter((/** @type {any} */ x) => x.platform && x.orders > 0).map((/** @type {any} */ x) => ({ value: x.platform, count: x.orders })));
    const more = apart(report.net);
    others.hidden = !more;
    fill(others, more);
  }

  /** @param {boolean} [force] */
  function load(force) {
    const ask = p.view.ask(bar);
    if (!force && ask.toString() === asked) return;
    asked = ask.toString();
    table.drawHead('', '');
    list.load(ask);
    sums.load();
  }

  async function showPanel() {
    const id = p.id;
    if (!id) { panel?.close(); return; }
    if (panel) { panel.show(id); table.current(id); return; }
    const { openReceipt } = await import('../parts/receipt_panel.js');
    if (gone || p.id !== id || panel) return;
    panel = openReceipt(p, id, {
      step: (at, n) => {
        let row = table.neighbour(at, n);
        while (row && !row.conversion) row = table.neighbour(row.id, n);
        if (row) app.navigate(app.href('orders', p.view, row.id), { replace: true, state: { panel: true } });
      },
      closed: (at) => { panel = null; table.current(null); table.focus(at); if (p.id) history.back(); },
    });
    table.current(id);
  }

  async function refresh() {
    if (gone) return;
    const days = p.view.days();
    if (days && days[1] < today()) return; // an earlier time: nothing new can come in
    const fresh = await list.refresh(true);
    if (gone) return;
    if (fresh) announce(plural(fresh, 'new order'));
    sums.load();
  }

  app.suggest = (dim) => {
    if (dim === 'platform' && sums.report) return sums.report.platforms.filter((/** @type {any} */ x) => x.platform).map((/** @type {any} */ x) => ({ value: x.platform, count: x.orders }));
    const values = table.rows.map((r) => (dim === 'source' ? r.source ?? 'unattributed' : r[dim])).filter(Boolean);
    return [...new Set(values)].sort().map((value) => ({ value }));
  };

  fill(sheet, figures, head.el, list.el, others);
  fill(root, h('h1.vh', null, title), sheet);
  head.draw([]);
  figures.hidden = true;
  load(true);
  showPanel();
  return {
    /** @param {import('../app.js').Params} next */
    update(next) {
      const came = next.view.toString() === p.view.toString() && next.id === p.id;
      p = next;
      head.sync();
      load(came);
      if (sums.report) drawHead();
      showPanel();
    },
    /** @param {string} name @param {any} data */
    live(name, data) {
      if (name === 'conversion' || name === 'again') { clearTimeout(liveTimer); liveTimer = setTimeout(refresh, 600); }
      if (panel && (name === 'delivery' || name === 'conversion') && table.rows.some((r) => r.id === panel?.id && r.conversion === (data.conversion ?? data.id))) panel.refresh();
    },
    /** @param {KeyboardEvent} e */
    key(e) { return panel ? false : table.key(e); },
    leave() { gone = true; clearTimeout(liveTimer); head.stop(); list.stop(); sums.stop(); if (panel) { p = { ...p, id: null }; panel.close(); } },
  };
}

/** @param {() => import('../app.js').Params} now @returns {import('../parts/table.js').Column[]} */
function columns(now) {
  const sign = `, ${currencySign()}`;
  const none = () => h('span.faint', null, '–');
  return [
    { id: 'time', head: 'Time', classes: 'fit faint', cell: (r) => h('span', { 'data-tip': exact(r.created_at) }, clock(r.created_at)) },
    { id: 'what', head: 'Order', rowHead: true, cell: (r) => [h('bdi.cut', null, r.order_number),
      r.is_test && h('span.tag.box', { 'data-tip': 'A test: shown, not counted' }, 'test'),
      r.is_gone && h('span.tag.box', { 'data-tip': 'Deleted in the shop: shown, not counted' }, 'deleted'),
      r.sale?.reports > 1 && h('span.times', { 'data-tip': `Reported by ${r.sale.reports} platforms, counted once` }, `×${r.sale.reports}`)] },
    { id: 'who', head: 'Who', classes: 'hide-s', cell: (r) => (r.who.display ? h(r.who.contact ? 'a' : 'bdi', { href: r.who.contact ? now().app.href('people', undefined, r.who.contact) : null,
      'data-roam': !!r.who.contact, tabindex: r.who.contact ? '-1' : null, 'data-tip': r.who.display.length > 18 ? r.who.display : null }, r.who.display)
      : h('span.faint', null, r.who.is_erased ? 'erased' : 'no address given')) },
    { id: 'lines', head: 'Lines', classes: 'quiet hide-s', cell: linesCell },
    { id: 'total', head: `Total${sign}`, classes: 'num', cell: (r) => (r.total ? h('span', { 'data-tip': within(r) }, amount(r.total)) : none()) },
    { id: 'back', head: `Went back${sign}`, classes: 'num hide-l', cell: (r) => (r.back ? amount({ minor: -r.back.minor, currency: r.back.currency }) : none()) },
    { id: 'net', head: `Net${sign}`, classes: 'num hide-m', cell: (r) => (r.net ? h('span', { class: r.back ? '' : 'faint' }, amount(r.net)) : none()) },
    { id: 'source', head: 'Source', cell: sourceCell, filter: (r) => (r.sale ? { dim: 'source', value: r.source ?? 'unattributed' } : null) },
    { id: 'match', head: 'Matched by', classes: 'hide-m', cell: (r) => (r.sale ? matchMark(r.sale.match) : none()) },
    { id: 'status', head: 'Status', cell: statusCell, filter: (r) => ({ dim: 'status', value: r.status }) },
    { id: 'platform', head: 'Platform', classes: 'quiet hide-s', cell: (r) => platform(r.platform), filter: (r) => ({ dim: 'platform', value: r.platform }) },
  ];
}

/** What the shop calls it, with the sign of what it came to. @param {any} r */
function statusCell(r) {
  if (!r.sale) return h('span.st', null, icon('clock', 's'), statusWord(r.status));
  const mark = statusMark(r.sale.status);
  mark.replaceChildren(mark.children[0], statusWord(r.status));
  mark.setAttribute('data-tip', `Counted as ${statusWord(r.sale.status)}`);
  return mark;
}

/** What the total holds, and what was taken off before. @param {any} r */
function within(r) {
  const all = [['tax', 'tax'], ['shipping', 'shipping']].filter(([k]) => r[k]?.minor).map(([k, word]) => `${word} ${money(r[k])}`);
  const said = [all.length > 0 && `With ${all.join(', ')}`, r.discount?.minor > 0 && `${money(r.discount)} off`].filter(Boolean).join('; ');
  return said || null;
}

/** @param {any} r */
function linesCell(r) {
  const said = (/** @type {any} */ l) => `${l.quantity === 1 ? '' : `${count(l.quantity)} × `}${l.name || l.id}`;
  if (!r.lines.length) return h('span.faint', null, '–');
  const more = r.lines.length - 1;
  return h('span', { 'data-tip': r.lines.length > 1 || said(r.lines[0]).length > 22 ? r.lines.map(said).join(', ') : null }, h('bdi', null, said(r.lines[0])), more > 0 && h('span.faint', null, ` +${more}`));
}

/** @param {any} r */
function sourceCell(r) {
  if (!r.sale) return h('span.faint', null, '–');
  if (!r.source) return h('span.quiet', { 'data-tip': 'No visit, code or address of this customer is known' }, 'Unattributed');
  const plain = !r.medium || ['(none)', 'none', 'referral'].includes(r.medium);
  const tip = [r.channel, [r.source, r.medium].filter(Boolean).join(' / '), r.campaign].filter(Boolean).join(' · ');
  return h('span', { 'data-tip': tip }, h('bdi', null, r.source), !plain && h('span.faint', null, ` ${r.medium}`));
}
