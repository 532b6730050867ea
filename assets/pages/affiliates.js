// Affiliates: partners who send buyers for a commission, what they brought on these days, what is due to them.

import { get, post } from '../api.js';
import { h, fill, icon, styles, announce } from '../dom.js';
import { count, plural, monthStart, today } from '../format.js';
import { sums, rate, isByLink, flagMarks, cell, monthName } from '../parts/partner_words.js';
import { partnerForm } from '../parts/partner_form.js';
import { confirm } from '../parts/menu.js';

export const title = 'Affiliates';

export const ready = styles(new URL('../css/affiliates.css', import.meta.url));

/** @type {import('../app.js').BarUse} */
export const bar = { range: true, files: [['Affiliates', 'reports/affiliates']] };

const own = (/** @type {any} */ r) => r.net.reduce((/** @type {number} */ n, /** @type {any} */ m) => n + m.minor, 0);

/** @param {HTMLElement} root @param {import('../app.js').Params} params */
export function render(root, params) {
  let p = params;
  const { app, site } = params;
  const base = `/api/sites/${site.site}`;
  let gone = false, timer = 0, asked = '', seen = '';
  /** @type {any} */ let report = null;
  const acts = h('div.head-acts', null);
  const box = h('div', null, h('section.sheet', null, h('div.skeleton', { 'aria-hidden': 'true' }, Array.from({ length: 6 }, () => h('i')))));
  fill(root, h('div.head.with-acts', null, h('div', null, h('h1', null, title), h('p', null, 'Partners who send buyers for a commission.')), acts), box);

  async function load() {
    const ask = p.view.ask(bar);
    asked = ask.toString();
    try {
      const answer = await get(`${base}/reports/affiliates`, ask);
      if (gone || ask.toString() !== asked) return;
      app.figuresAt = new Date().toISOString();
      const text = JSON.stringify(answer);
      if (text === seen) return;
      const isFirst = !report;
      seen = text;
      report = answer;
      draw();
      if (isFirst) announce(plural(report.items.length, 'partner'));
    } catch (error) {
      const err = /** @type {any} */ (error);
      if (gone || err.code === 'signed_out') return;
      fill(box, h('section.sheet', null, h('div.trouble', { role: 'alert' }, icon('alert'),
        h('p', null, h('b', null, 'The partners could not be fetched.'), ` ${err.message} Clicks and sales are counted meanwhile.`),
        h('button.btn', { type: 'button', onclick: load }, 'Try again'))));
    }
  }

  function draw() {
    const focus = root.contains(document.activeElement) ? document.activeElement?.getAttribute('data-focus') : null;
    const month = monthStart(today(), -1).slice(0, 7);
    const isClosed = report.closed_month !== null && report.closed_month >= month;
    fill(acts, p.may && report.items.length > 0 && [
      h('button.btn', { type: 'button', 'data-focus': 'close-month', disabled: isClosed, onclick: () => close(month) }, isClosed ? `${monthName(month)} is closed` : `Close ${monthName(month)}`),
      h('a.btn', { href: `${base}/affiliates/bank.csv`, download: true, 'data-focus': 'bank' }, icon('export', 's'), 'File for the bank'),
      h('button.btn.main', { type: 'button', 'data-focus': 'add', onclick: () => add('') }, icon('plus', 's'), 'Add a partner')]);
    fill(box, report.items.length ? list() : empty(), strangers());
    if (focus) /** @type {HTMLElement|null} */ (root.querySelector(`[data-focus="${CSS.escape(focus)}"]`))?.focus({ preventScroll: true });
  }

  /** @param {string} code */
  const add = (code) => partnerForm(p, null, code, (made) => { app.toast(`${made.name} is added.`); app.navigate(app.href('affiliates', undefined, made.affiliate)); });

  /** @param {string} month */
  async function close(month) {
    const yes = await confirm({ title: `Close ${monthName(month)}?`, yes: 'Close it',
      text: h('p', null, 'The statements of this month and all before it become final. What becomes known later, such as a refund, stands in the first month that is open, and says so. This cannot be undone.') });
    if (!yes) return;
    try { await post(`${base}/affiliates/close`, { month }); app.toast(`${monthName(month)} is closed.`); } catch (error) { app.toast(`Not done. ${/** @type {any} */ (error).message}`); }
    load();
  }

  function empty() {
    return h('section.sheet', null, h('div.empty', null, icon('affiliates'),
      h('p', null, h('b', null, 'No partner yet.'), ' Add somebody who sends you buyers. They get a link with a code, or a coupon; their clicks, sales and commission stand here.'),
      p.may && h('div.acts', null, h('button.btn.main', { type: 'button', 'data-focus': 'add', onclick: () => add('') }, 'Add a partner'))));
  }

  function list() {
    const rows = [...report.items].sort((a, b) => own(b) - own(a) || b.clicks - a.clicks || a.name.localeCompare(b.name));
    return h('section.sheet', { 'aria-label': title }, withoutAccount(), h('table.t.t-partners', null, h('caption.vh', null, title),
      h('thead', null, h('tr', null, h('th', { scope: 'col' }, 'Partner'), ['Clicks', 'Orders', 'Net revenue', 'Sold for each click', 'Rate', 'Waiting', 'To be paid', 'Paid', 'Went back'].map((word) => h('th.num', { scope: 'col' }, word)))),
      h('tbody', null, rows.map((r) => h('tr', { 'data-id': r.affiliate },
        h('th', { scope: 'row' }, h('a.open', { href: app.href('affiliates', undefined, r.affiliate), 'data-focus': r.affiliate }, h('bdi.cut', null, r.name)),
          h('p.sub', null, h('bdi.faint', null, r.codes.join(', ')), r.state !== 'active' && h('span.tag', null, r.state === 'paused' ? 'Paused' : 'Erased'), flagMarks(r.flags))),
        cell('Clicks', count(r.clicks)), cell('Orders', [count(r.orders), r.leads > 0 && h('small.faint', null, ` +${plural(r.leads, 'lead')}`)]), cell('Net revenue', sums(r.net)),
        cell('Sold for each click', sums(r.epc_by_currency), 'num', isByLink(r) ? undefined : 'All that was sold, also without a click, divided by the clicks'), cell('Rate', rate(r)), cell('Waiting', sums(r.commissions.pending)),
        cell('To be paid', sums(r.owed), 'num strong', 'All that is due now, also of other days'), cell('Paid', sums(r.commissions.paid)), cell('Went back', sums(r.commissions.reversed)))))),
    h('footer.others', null, h('p.faint', null, report.rule)));
  }

  /** Who is due something and cannot stand in the file for the bank. */
  function withoutAccount() {
    const all = report.without_account;
    if (!all.length) return null;
    return h('p.no-account', { role: 'status' }, icon('alert', 's'), h('span', null, all.length === 1 ? '1 partner has no account: ' : `${count(all.length)} partners have no account: `,
      all.map((/** @type {any} */ one, /** @type {number} */ i) => [i > 0 && ', ', h('a', { href: app.href('affiliates', undefined, one.affiliate) }, h('bdi', null, one.name)), ` (${sums(one.owed)})`]),
      all.length === 1 ? '. It is left out of the file for the bank.' : '. They are left out of the file for the bank.'));
  }

  function strangers() {
    if (!report.strangers.length) return null;
    return h('section.sheet.strangers', { 'aria-label': 'Codes that nobody has' }, h('header', null, h('h2', null, 'Codes that nobody has'),
      h('span.tag.faint', null, 'They came in links, or from the shop’s server')),
    h('ul', null, report.strangers.map((/** @type {any} */ s) => h('li', null, h('bdi.cut', null, s.code), h('span.quiet', null, plural(s.clicks, 'click'), s.conversions > 0 && `, ${plural(s.conversions, 'sale')}`),
      p.may && h('button.btn.small', { type: 'button', 'data-focus': `stranger-${s.code}`, 'aria-label': `Add a partner with the code ${s.code}`, onclick: () => add(s.code) }, 'Add as a partner')))));
  }

  load();
  return {
    /** @param {import('../app.js').Params} next */
    update(next) { p = next; if (p.view.ask(bar).toString() !== asked) load(); },
    /** @param {string} name */
    live(name) {
      if (name !== 'conversion' && name !== 'again') return;
      clearTimeout(timer);
      timer = setTimeout(() => { if (!gone) load(); }, 1500);
    },
    leave() { gone = true; clearTimeout(timer); },
  };
}
