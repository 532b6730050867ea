// The daily report: one day on one page, to be read and to be printed.

import { get } from '../api.js';
import { h, fill, icon, announce, styles } from '../dom.js';
import { addDays, today, day as dayName, bare, money, count, plural, clock, shortDay, dayOf, currencySign, ownCurrency, valueWord, labelOf, showsMoney, kindsWord } from '../format.js';
import { own } from '../parts/figures.js';

export const title = 'Daily report';

export const ready = styles(new URL('../css/daily.css', import.meta.url));

/** @type {import('../app.js').BarUse} */
export const bar = { keys: [['←', 'The day before'], ['→', 'The day after'], ['B', 'Back to today']] };

/** The day stands in the address; without one it is today. @param {import('../app.js').View} view */
const dayAsked = (view) => (/^\d{4}-\d\d-\d\d$/.test(view.show) && view.show <= today() ? view.show : today());

/** @param {HTMLElement} root @param {import('../app.js').Params} params */
export function render(root, params) {
  let p = params, gone = false, timer = 0, asked = '';
  const { app, site } = params;
  /** @type {any} */ let report = null;
  /** @type {AbortController|null} */ let running = null;

  const to = (/** @type {string} */ day) => { if (day <= today()) app.go({ show: day === today() ? '' : day }); };
  const step = (/** @type {number} */ n) => to(addDays(dayAsked(p.view), n));
  const before = h('button.btn.arrow', { type: 'button', 'data-focus': 'day-before', 'aria-label': 'The day before', 'data-tip': 'The day before  ←', onclick: () => step(-1) }, icon('left', 's'));
  const after = /** @type {HTMLButtonElement} */ (h('button.btn.arrow', { type: 'button', 'data-focus': 'day-after', 'aria-label': 'The day after', 'data-tip': 'The day after  →', onclick: () => step(1) }, icon('right', 's')));
  const pick = /** @type {HTMLInputElement} */ (h('input.in', { type: 'date', 'aria-label': 'Day', 'data-focus': 'day', onchange: () => { if (pick.value) to(pick.value); } }));
  const heading = h('h1'), lead = h('p');
  const head = h('div.daily-head', null, h('div.head', null, heading, lead), h('div.daily-tools', null, h('div.join', null, before, after), pick,
    h('button.btn', { type: 'button', 'data-focus': 'print', onclick: () => print() }, 'Print')));
  const state = h('div', { role: 'status' }), body = h('div.daily');
  fill(root, head, state, body);

  async function load(/** @type {boolean} */ force = false) {
    const day = dayAsked(p.view);
    if (!force && day === asked && report) return;
    running?.abort();
    const mine = running = new AbortController();
    asked = day;
    root.setAttribute('aria-busy', 'true');
    fill(heading, dayName(day, true));
    fill(lead, site.name);
    pick.value = day;
    pick.max = today();
    after.disabled = day >= today();
    const dim = setTimeout(() => body.classList.add('dim'), 300);
    if (!report) fill(state, h('section.sheet', null, h('div.skeleton', { 'aria-hidden': 'true' }, Array.from({ length: 6 }, () => h('i')))));
    try {
      const answer = await get(`/api/sites/${site.site}/reports/daily`, new URLSearchParams({ date: day }), mine.signal);
      if (gone || mine !== running) return;
      report = answer;
      app.figuresAt = new Date().toISOString();
      fill(state);
      draw();
      announce(`${dayName(day, true)}: ${plural(report.conversions, 'conversion')}`);
    } catch (error) {
      const err = /** @type {any} */ (error);
      if (mine.signal.aborted || gone || err.code === 'signed_out') return;
      [asked, report] = ['', null];
      fill(body);
      fill(state, h('section.sheet.said', null, h('div.trouble', { role: 'alert' }, icon('alert'), h('p', null, h('b', null, 'The day could not be fetched.'), ` ${err.message} Nothing is lost: counting goes on.`),
        h('button.btn', { type: 'button', onclick: () => load(true) }, 'Try again'))));
    } finally { clearTimeout(dim); if (mine === running) { root.removeAttribute('aria-busy'); body.classList.remove('dim'); } }
  }

  function draw() {
    fill(lead, site.name, report.is_today && h('span.faint', null, ' · the day is not over'));
    const has = report.conversions || report.visits || report.backs.length || own(report.net).minor;
    if (!has) {
      fill(body, h('section.sheet', null, h('div.empty', null, icon('calendar'), h('p', null, h('b', null, 'Nothing came in on this day.'), ' No visit, no order, no lead.'))));
      return;
    }
    const others = report.net.filter((/** @type {any} */ m) => m.currency !== ownCurrency() && m.minor);
    fill(body, figures(), others.length > 0 && h('p.note', null, h('span', null, `In other currencies, never added: ${others.map(money).join(', ')}.`)),
      h('div.daily-halves', null, rows('By source', 'Source', report.by_source, 'source'), rows('By campaign', 'Campaign', report.by_campaign, 'campaign')),
      h('div.daily-halves', null, sold(), backs()));
  }

  function figures() {
    const leads = report.kinds.lead + report.kinds.signup, others = report.kinds.custom;
    const fig = (/** @type {string} */ k, /** @type {string} */ v, /** @type {string} */ note = '') => h('div.fig', null, h('span.k', null, k), h('span.v', null, v), note && h('span.faint', null, note));
    return h('section.sheet', { 'aria-label': 'The day in figures' }, h('div.stmt.daily-figures', null,
      showsMoney() && fig('Net revenue', money(own(report.net)), own(report.back).minor ? `${money(own(report.sold))} sold, ${money(own(report.back))} back` : ''),
      fig('Orders', count(report.orders), showsMoney() && report.average_order ? `${money(report.average_order)} on average` : ''),
      fig('Leads, sign-ups', count(leads), others ? `${plural(others, 'event')} of your own beside` : ''),
      fig('Visits', count(report.visits))));
  }

  /** @param {string} name @param {string} first @param {any[]} list @param {string} dim */
  function rows(name, first, list, dim) {
    return h('section.sheet', { 'aria-label': name }, h('header', null, h('h2', null, name)), !list.length ? none('No conversion, and no money, on this day.')
      : table(name, [first, 'Conversions', ...(showsMoney() ? [`Net, ${currencySign()}`] : [])], list.map((r) => [h('bdi', null, valueWord(dim, r.name)), r.conversions ? count(r.conversions) : '–', ...(showsMoney() ? [own(r.net).minor ? bare(own(r.net)) : '–'] : [])]),
        ['All', count(report.conversions), ...(showsMoney() ? [bare(own(report.net))] : [])]));
  }

  function sold() {
    const { items, total } = report.products;
    return h('section.sheet', { 'aria-label': 'What sold' }, h('header', null, h('h2', null, 'What sold')), !items.length ? none('Nothing was sold on this day.')
      : table('What sold', ['Product or service', 'Pieces', ...(showsMoney() ? [`Net, ${currencySign()}`] : [])], items.map((/** @type {any} */ r) => [h('bdi', null, r.name === '(not set)' ? 'Not listed by the shop' : r.name), r.quantity ? count(r.quantity) : '–',
        ...(showsMoney() ? [own(r.net).minor ? bare(own(r.net)) : '–'] : [])]), ['All', count(total.quantity), ...(showsMoney() ? [bare(own(total.net))] : [])]));
  }

  function backs() {
    const list = report.backs;
    return h('section.sheet', { 'aria-label': 'What went back' }, h('header', null, h('h2', null, 'What went back')), !list.length ? none('Nothing was refunded or cancelled on this day.')
      : table('What went back', ['Order', 'Sold', ...(showsMoney() ? ['Amount'] : [])], list.map((/** @type {any} */ r) => [
        [h('a.go', { href: app.href('conversions', undefined, r.id) }, labelOf({ ...r, kind: 'sale' })), h('span.faint', null, ` ${r.kind === 'cancellation' ? 'cancelled' : 'refunded'}, ${clock(r.at)}`)], shortDay(dayOf(r.sold_at)), ...(showsMoney() ? [money(r.amount)] : [])]),
      showsMoney() ? ['All', '', money(own(report.back))] : null));
  }

  /** @param {string} name @param {string[]} heads @param {any[][]} lines @param {any[]|null} foot */
  const table = (name, heads, lines, foot) => h('div.daily-scroll', null, h('table.t.t-daily', null, h('caption.vh', null, name), h('thead', null, h('tr', null, heads.map((x, i) => h('th', { scope: 'col', class: i ? 'num' : '' }, x)))),
    h('tbody', null, lines.map((line) => h('tr', null, line.map((x, i) => h(i ? 'td.num' : 'th', i ? null : { scope: 'row' }, x))))),
    foot && h('tfoot', null, h('tr', null, foot.map((x, i) => h(i ? 'td.num' : 'th', i ? null : { scope: 'row' }, x))))));
  const none = (/** @type {string} */ words) => h('div.empty.small', null, h('p', null, words));

  // Paper is white, whatever the screen is.
  /** @type {string|null} */ let theme = null;
  const doc = document.documentElement;
  const onPaper = () => { theme = doc.getAttribute('data-theme'); doc.setAttribute('data-theme', 'light'); };
  const onScreen = () => { if (theme === null) doc.removeAttribute('data-theme'); else doc.setAttribute('data-theme', theme); };
  addEventListener('beforeprint', onPaper);
  addEventListener('afterprint', onScreen);

  load();

  return {
    /** @param {import('../app.js').Params} next */
    update(next) { const same = next.view.toString() === p.view.toString(); p = next; load(same); },
    /** @param {string} name */
    live(name) {
      if (document.hidden || dayAsked(p.view) < today() || (name !== 'conversion' && name !== 'again')) return;
      clearTimeout(timer);
      timer = setTimeout(() => { if (!gone) load(true); }, 1500);
    },
    /** @param {KeyboardEvent} e */
    key(e) {
      if (e.shiftKey || document.querySelector('dialog[open]')) return false;
      if (e.key === 'ArrowLeft') { step(-1); return true; }
      if (e.key === 'ArrowRight') { step(1); return true; }
      if (e.key.toLowerCase() === 'b') { to(today()); return true; }
      return false;
    },
    leave() {
      gone = true;
      root.removeAttribute('aria-busy');
      clearTimeout(timer);
      running?.abort();
      removeEventListener('beforeprint', onPaper);
      removeEventListener('afterprint', onScreen);
    },
  };
}
