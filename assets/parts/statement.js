// The statement of a month: figures, the rules it goes by, every commission with its reason, what was paid. The owner's page
// and the page under a partner's link are made of it.

import { h } from '../dom.js';
import { money, count, exact, zoneName } from '../format.js';
import { sums, rate, isByLink, stateOf, STATES, shortly, monthName, cell, flagMarks } from './partner_words.js';

/** @typedef {import('../dom.js').Kid} Kid */

const fig = (/** @type {string} */ k, /** @type {Kid} */ v, /** @type {Kid} */ note, /** @type {string|null} */ tip = null) => h('div.fig', { 'data-tip': tip },
  h('span.k', null, k), h('span.v', null, v), h('span.delta', null, note));

/** @param {any} s @param {{act?: (line: any) => Kid, href?: (line: any) => string, flags?: boolean}} [how] */
export function statementOf(s, { act, href, flags } = {}) {
  const c = s.commissions;
  return [
    h('section.sheet', { 'aria-label': `Figures of ${monthName(s.month)}` },
      h('div.stmt', null,
        fig('Earned', sums(c.earned), c.reversed.length ? ['after ', sums(c.reversed), ' went back'] : 'nothing went back'),
        fig('Sold', sums(s.net), `${count(s.orders)} ${s.orders === 1 ? 'order' : 'orders'}, net of refunds`),
        isByLink(s) ? fig('Clicks', count(s.clicks), ['each ', sums(s.epc_by_currency)], 'Revenue for each click')
          : fig('Clicks', count(s.clicks), [sums(s.epc_by_currency), ' sold for each'], 'All that was sold, also without a click, divided by the clicks'),
        isByLink(s) ? fig('Conversion rate', rate(s), `${count(s.conversions)} of ${count(s.clicks)} clicks`)
          : fig('Conversions', count(s.conversions), `${count(s.by_link)} of them by link, ${count(s.conversions - s.by_link)} without a click`),
        fig('Waiting', sums(c.pending), ['to be paid ', sums(c.approved), ', paid ', sums(c.paid)], `To be paid ${sums(c.approved)}, paid ${sums(c.paid)}`)),
      flags && s.flags.length > 0 && h('p.odd', null, flagMarks(s.flags), h('span.quiet', null, s.flags.map((/** @type {any} */ f) => f.sentence).join(' ')))),
    h('section.sheet', { 'aria-label': 'Commissions' }, h('header', null, h('h2', null, 'Commissions'),
      h('span.tag.faint', null, s.is_final ? `Final: closed ${shortly(s.closed_at)}` : 'Not final yet')),
    s.lines.length ? linesOf(s, act, href) : h('div.empty.small', null, h('p', null, h('b', null, `Nothing was earned in ${monthName(s.month)}.`)))),
    h('section.sheet.rules', { 'aria-label': 'Rules' }, h('header', null, h('h2', null, 'How it is worked out')),
      h('ul', null, [s.rule,
        `What is paid: ${s.terms}. A sale keeps the terms under which it was first known.`,
        `A link earns for ${count(s.cookie_days)} days after it was followed. A commission waits ${count(s.hold_days)} days, in case the money goes back.`,
        'Money that goes back takes its part of the commission with it, as a line of its own on its own day.',
        s.is_final && `Closed ${exact(s.closed_at)}${s.partner && s.partner.name !== s.name ? ` for ${s.name}, as the partner was called then` : ''}: everything here stands as it did then. What came later is on the statement of the month that was open.`,
        s.digest && ['Fingerprint ', h('code', null, s.digest)]].filter(Boolean).map((line) => h('li', null, line)))),
    s.payouts.length > 0 && h('section.sheet', { 'aria-label': 'Payments' }, h('header', null, h('h2', null, 'Payments')),
      h('ul.paid', null, s.payouts.map((/** @type {any} */ x) => h('li', null, h('b', null, money(x.amount)), h('span', null, shortly(x.paid_on)), h('span.quiet', null, x.reference))))),
  ];
}

/** @param {any} s @param {((line: any) => Kid)|undefined} act @param {((line: any) => string)|undefined} href */
function linesOf(s, act, href) {
  return h('table.t.t-lines', null, h('caption.vh', null, `Commissions of ${monthName(s.month)}, days in ${zoneName()}`),
    h('thead', null, h('tr', null, ['Day', 'Sale', 'Sold', 'Commission', 'State', 'Why'].map((word, i) => h('th', { scope: 'col', class: i === 2 || i === 3 ? 'num' : '' }, word)), act && h('th', { scope: 'col' }, h('span.vh', null, 'Decide')))),
    h('tbody', null, s.lines.map((/** @type {any} */ l) => h('tr', { 'data-line': l.conversion ?? l.label, class: (l.amount?.minor ?? 0) < 0 ? 'back' : '' },
      h('td.c-day', { 'data-k': 'Day', 'data-tip': l.own_day !== l.day ? `Of ${shortly(l.own_day)}` : null }, h('span', null, shortly(l.day))),
      h('th.c-sale', { scope: 'row' }, href ? h('a', { href: href(l) }, h('bdi', null, l.label)) : h('bdi', null, l.label)),
      cell('Sold', l.base ? money(l.base) : '–'),
      cell('Commission', l.amount ? money(l.amount) : '–', 'num strong'),
      cell('State', [stateOf(l), l.state_now && l.state_now !== l.state && h('small.faint', null, `, now: ${STATES[l.state_now].toLowerCase()}`)], 'c-state', l.due_at && l.state === 'pending' ? `To be paid from ${exact(l.due_at)}` : undefined),
      h('td.c-why', { 'data-k': 'Why' }, h('span', null, l.note, l.flag && h('b', null, ` ${l.flag}`), l.verdict_note && ` “${l.verdict_note}”`)),
      act && h('td.c-act', null, act(l))))));
}
