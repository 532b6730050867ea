// The statement above orders and customers: what was sold, and how much of it to whom.

import { h } from '../dom.js';
import { headline, money, count, percent, rangeOf, ownCurrency } from '../format.js';

/** @typedef {import('../format.js').Money} Money */

/** The site's own currency, or the only one there is; unlike currencies are never added. @param {Money[]} all */
export const ofOwn = (all) => all.find((m) => m.currency === ownCurrency()) ?? (all.length === 1 ? all[0] : null);

/** One figure with its name above and a note below. @param {string} k @param {import('../dom.js').Kid} v @param {import('../dom.js').Kid} note @param {string|null} [tip] */
export const figure = (k, v, note, tip = null) => h('div.fig', { 'data-tip': tip }, h('span.k', null, k), h('span.v', null, v), h('span.delta', null, note));

/** A figure whose press shows what it counts. @param {string} k @param {import('../dom.js').Kid} v @param {import('../dom.js').Kid} note @param {{on: boolean, act: () => void, off?: boolean}} how */
export const pressed = (k, v, note, { on, act, off }) => h('button.fig', { type: 'button', 'aria-pressed': String(on), disabled: !!off, onclick: act },
  h('span.k', null, k), h('span.v', null, v), h('span.delta', null, note));

/** @param {Money|null} m */
export function big(m) {
  if (!m) return '–';
  const [a, b] = headline(m);
  return [a, b && h('span.cents', null, b)];
}

/** "42.1% of 57", with a range where that is few. @param {number} part @param {number} all */
export function share(part, all) {
  if (!all) return 'nobody on these days';
  const range = rangeOf(part, all);
  return [percent(part / all), range && h('small', { 'data-tip': 'So few that chance alone gives this range' }, ` (${range})`), ` of ${count(all)}`];
}

/** Money of other currencies in one line, or nothing. @param {Money[]} all */
export function apart(all) {
  const own = ofOwn(all)?.currency;
  const others = all.filter((m) => m.currency !== own && m.minor !== 0);
  return others.length ? h('p', null, 'Also sold: ', others.map((m, i) => [i > 0 && ', ', h('b', null, money(m))]), ' net. Kept apart; currencies are never added.') : null;
}

/** Days of a question that goes back to the beginning. @param {import('../app.js').Params} p @param {string} today */
export function spanOf(p, today) {
  const days = p.view.days();
  return new URLSearchParams({ from: days ? days[0] : (p.site.first_conversion_at ?? today).slice(0, 10), to: days ? days[1] : today });
}

/** First orders of customers, and later ones. @param {any} r of `reports/customers` */
export const whoBought = (r) => `${count(r.buyers.new.orders)} first, ${count(r.buyers.returning.orders)} repeat`;
