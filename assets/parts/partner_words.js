// What pages and statements of partners say alike: amounts of several currencies, rates of a few, states, marks.

import { h, icon } from '../dom.js';
import { money, count, percent, shortDay, dayOf, today } from '../format.js';

/** @typedef {import('../dom.js').Kid} Kid */

/** Currencies side by side; they are never added. @param {any[]|undefined} all */
export const sums = (all) => (all?.length ? all.map(money).join(', ') : '–');

/** Whether a click stands before every conversion; where that was not counted yet, it is taken to be so. @param {any} r */
export const isByLink = (r) => (r.by_link ?? r.conversions) >= r.conversions;

/** "5.0%", and from fewer than thirty clicks the range it may really be in. Where a coupon or the shop brought some without a click, a
 * rate of clicks would be none: then how many came by a link. @param {any} r @returns {Kid} */
export function rate(r) {
  if (!isByLink(r)) return h('span', { 'data-tip': 'The others came by a coupon, or were named by the shop: no click was needed' }, `${count(r.by_link)} of ${count(r.conversions)} by link`);
  if (r.conversion_rate === null) return '–';
  return [percent(r.conversion_rate), r.conversion_range && h('small.faint', { 'data-tip': 'Of fewer than 30 clicks: the rate is most likely in this range' },
    ` ${r.conversion_range.map(percent).join('–')}`)];
}

/** @type {Record<string, string>} */
const FLAGS = { self_purchase: 'Own purchase', unproved_buyer: 'Not proved', code_leaked: 'Coupon leaked', paid_search: 'Search ads', burst: 'Burst of clicks' };

/** What looks odd, each with its reason. @param {any[]} flags */
export const flagMarks = (flags) => flags.map((f) => h('span.mark-odd', { 'data-tip': f.sentence, tabindex: '0' }, icon('flag', 's'), FLAGS[f.flag] ?? f.flag));

/** @type {Record<string, string>} */
export const STATES = { pending: 'Waiting', approved: 'To be paid', paid: 'Paid' };

/** "Waiting, 12 days left" @param {any} l */
export function stateOf(l) {
  if (l.state !== 'pending') return STATES[l.state] ?? l.state;
  if (l.flag && !l.verdict) return 'Waiting for the shop';
  return l.days_left ? `Waiting, ${count(l.days_left)} ${l.days_left === 1 ? 'day' : 'days'} left` : 'Waiting';
}

/** "13 Jun" or "13 Jun 2025" @param {string} at */
export const shortly = (at) => shortDay(at, dayOf(at).slice(0, 4) !== today().slice(0, 4));

const MONTHS = ['January', 'February', 'March', 'April', 'May', 'June', 'July', 'August', 'September', 'October', 'November', 'December'];
/** "June 2026" @param {string} month 2026-06 */
export const monthName = (month) => `${MONTHS[Number(month.slice(5, 7)) - 1]} ${month.slice(0, 4)}`;

/** @param {string} name @param {Kid} value @param {string} [classes] @param {string} [tip] */
export const cell = (name, value, classes = 'num', tip) => h('td', { class: classes, 'data-k': name, 'data-tip': tip }, h('span', null, value));
