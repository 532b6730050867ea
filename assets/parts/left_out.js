// What stands in other currencies beside costs that are in the site's own: named, so that nobody takes a part for the whole.

import { money, count, plural, ownCurrency } from '../format.js';

/**
 * "Costs are in EUR. Apart from them: 7.00 USD spent, 3 orders and 1 new customer in USD (2.33 USD an order)."
 * @param {any} figures what a row, a total or a headline says @returns {string|null} null where nothing is left out
 */
export function leftOut(figures) {
  const all = figures?.other_currencies ?? [];
  if (!all.length) return null;
  return `Costs and return are in ${ownCurrency()}. Apart from them: ${all.map(one).join('; ')}.`;
}

/** How many of them are in other currencies. @param {any} figures @param {'orders'|'new_customers'} what @returns {number} */
export const inOthers = (figures, what) => (figures?.other_currencies ?? []).reduce((/** @type {number} */ n, /** @type {any} */ x) => n + x[what], 0);

/** @param {any} x */
function one(x) {
  const brought = [x.orders > 0 && orders(x.orders), x.new_customers > 0 && plural(x.new_customers, 'new customer')].filter(Boolean).join(' and ');
  const costs = [x.cost_per_order && `${money(x.cost_per_order)} an order`, x.cost_per_customer && `${money(x.cost_per_customer)} a new customer`,
    x.cost_per_attended && `${money(x.cost_per_attended)} for each who came`].filter(Boolean).join(', ');
  const said = [x.spend?.minor ? `${money(x.spend)} spent` : null, brought ? `${brought} in ${x.currency}` : null].filter(Boolean).join(', ');
  return `${said || `revenue in ${x.currency}`}${costs ? ` (${costs})` : ''}`;
}

/** A lens shares one order among several. @param {number} n */
const orders = (n) => (Number.isInteger(n) ? plural(n, 'order') : `${count(Math.round(n * 10) / 10)} orders`);
