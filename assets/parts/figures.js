// The figures that the overview can draw: how each is said, compared, and read from a day or a week of days.

import { money, count, percent, rangeOf, ownCurrency, unitOf, showsMoney } from '../format.js';

/** @typedef {import('../format.js').Money} Money */

/** The site's own currency in a list of sums; nothing is 0. @param {Money[]|undefined} all @returns {Money} */
export const own = (all) => (all ?? []).find((m) => m.currency === ownCurrency()) ?? { minor: 0, currency: ownCurrency() };

/** Leads and sign-ups are what a shop without a till counts. @param {any} kinds */
const leads = (kinds) => kinds.lead + kinds.signup;

/**
 * @typedef {{id: string, name: string, bars: boolean, unit: 'money'|'count'|'share'|'days', good: 1|-1|0,
 *   of: (f: any) => number|null, cases: (f: any) => [number, number]|null, text: (v: number) => string, axis: (v: number) => string}} Figure
 *   `of` reads it from sums of days; `cases` says of how many a rate is; `good` whether more is better
 */
const whole = (/** @type {number} */ v) => count(v);
const days = (/** @type {number} */ v) => `${v.toFixed(1)}`;

/** @type {Figure[]} */
const FIGURES = [
  { id: 'net', name: 'Net revenue', bars: true, unit: 'money', good: 1, of: (f) => f.net, cases: () => null,
    text: (v) => money({ minor: v, currency: ownCurrency() }), axis: (v) => short(v / unitOf()) },
  { id: 'orders', name: 'Orders', bars: true, unit: 'count', good: 1, of: (f) => f.orders, cases: () => null, text: whole, axis: short },
  { id: 'leads', name: 'Leads, sign-ups', bars: true, unit: 'count', good: 1, of: (f) => f.leads, cases: () => null, text: whole, axis: short },
  { id: 'rate', name: 'Conversion rate', bars: false, unit: 'share', good: 1, of: (f) => (f.visits ? f.conversions / f.visits : null),
    cases: (f) => [f.conversions, f.visits], text: percent, axis: percent },
  { id: 'attributed', name: 'Attributed', bars: false, unit: 'share', good: 1, of: (f) => (f.conversions ? f.attributed / f.conversions : null),
    cases: (f) => [f.attributed, f.conversions], text: percent, axis: percent },
  { id: 'days', name: 'Days to convert', bars: false, unit: 'days', good: 0, of: (f) => (f.daysKnown ? f.daysSum / f.daysKnown : null), cases: () => null,
    text: days, axis: days },
  { id: 'spend', name: 'Spend', bars: true, unit: 'money', good: 0, of: (f) => f.spend, cases: () => null,
    text: (v) => money({ minor: v, currency: ownCurrency() }), axis: (v) => short(v / unitOf()) },
  { id: 'cac', name: 'Cost per new customer', bars: false, unit: 'money', good: -1, of: (f) => (f.newCustomers && f.spend ? f.spend / f.newCustomers : null), cases: () => null,
    text: (v) => money({ minor: Math.round(v), currency: ownCurrency() }), axis: (v) => short(v / unitOf()) },
];

/** These two stand there where anything was spent on the days that are shown. */
const OF_SPEND = ['spend', 'cac'];
let knowsSpend = false;
/** @param {any} answer the headline */
export const sawSpend = (answer) => { knowsSpend = answer?.spend !== undefined; };

/** @param {string} id */
export const figureOf = (id) => figures().find((f) => f.id === id) ?? figures()[0];

/** Those that may be seen. */
export const figures = () => FIGURES.filter((f) => (f.unit !== 'money' || showsMoney()) && (knowsSpend || !OF_SPEND.includes(f.id)));

/** Sums of one day, or of the whole headline. @param {any} d */
export function sums(d) {
  return { visits: d.visits, conversions: d.conversions.all, orders: d.conversions.sale, leads: leads(d.conversions), attributed: d.attributed,
    spend: own(d.spend).minor, newCustomers: d.new_customers_own ?? 0, net: own(d.net).minor, sold: own(d.sold).minor, back: own(d.back).minor, daysKnown: d.days_known,
    daysSum: d.days_sum ?? Math.round((d.average_days_to_convert ?? 0) * d.days_known) };
}

const EMPTY = { visits: 0, conversions: 0, orders: 0, leads: 0, attributed: 0, spend: 0, newCustomers: 0, net: 0, sold: 0, back: 0, daysKnown: 0, daysSum: 0 };

/** @typedef {typeof EMPTY & {from: string, to: string}} Bucket */

/**
 * Days, or whole weeks from Monday on; the first and the last may be parts of one.
 * @param {any[]} all @param {'day'|'week'} each @returns {Bucket[]}
 */
export function buckets(all, each) {
  /** @type {Bucket[]} */ const out = [];
  for (const d of all) {
    const isNew = each === 'day' || !out.length || new Date(`${d.day}T12:00:00Z`).getUTCDay() === 1;
    if (isNew) out.push({ ...EMPTY, from: d.day, to: d.day });
    const at = out[out.length - 1], s = /** @type {Record<string, number>} */ (sums(d));
    for (const key of Object.keys(EMPTY)) /** @type {any} */ (at)[key] += s[key];
    at.to = d.day;
  }
  return out;
}

/** Buckets that so many days reach into. @param {number} days @param {Bucket[]} like */
function howMany(days, like) {
  const from = Date.parse(like[0]?.from ?? '');
  return like.filter((b) => Math.round((Date.parse(b.from) - from) / 86400000) < days).length;
}

/** Earlier days cut at the same places as these, so that they stand one over the other. @param {any[]} all @param {Bucket[]} like */
export function bucketsLike(all, like) {
  let at = 0;
  // A time of one's own may be shorter than these days: then it ends earlier.
  return like.slice(0, howMany(all.length, like)).map((b) => {
    const size = Math.round((Date.parse(b.to) - Date.parse(b.from)) / 86400000) + 1;
    const part = all.slice(at, at + size);
    at += size;
    const sum = { ...EMPTY, from: part[0]?.day ?? b.from, to: part[part.length - 1]?.day ?? b.to };
    for (const d of part) { const s = /** @type {any} */ (sums(d)); for (const key of Object.keys(EMPTY)) /** @type {any} */ (sum)[key] += s[key]; }
    return sum;
  });
}

/** "1.2k" for an axis. @param {number} n */
function short(n) {
  const size = Math.abs(n), sign = n < 0 ? '−' : '';
  if (size >= 1e6) return `${sign}${trim(size / 1e6)}m`;
  if (size >= 1e3) return `${sign}${trim(size / 1e3)}k`;
  return `${sign}${trim(size)}`;
}
const trim = (/** @type {number} */ n) => String(Math.round(n * 10) / 10);

/**
 * The change against the time before, with its sign and whether it is good; null where there is nothing to compare or too little to say so.
 * @param {Figure} figure @param {any} now @param {any} before
 * @returns {{sign: string, text: string, tone: ''|'good'|'poor'}|null}
 */
export function change(figure, now, before) {
  const a = figure.of(now), b = figure.of(before);
  if (a === null || b === null) return null;
  const diff = a - b;
  const cases = [figure.cases(now), figure.cases(before)];
  // A rate of a few says nothing about a change.
  if (cases.some((c) => c && c[1] < 30)) return null;
  let text;
  if (figure.unit === 'share') text = `${(Math.abs(diff) * 100).toFixed(2)} pt`;
  else if (figure.unit === 'days') text = Math.abs(diff).toFixed(1);
  else if (b > 0) text = percentOf(Math.abs(diff) / b);
  else return null;
  if (/^0(\.0+)?( pt|%)?$/.test(text)) return { sign: '', text: 'the same', tone: '' };
  return { sign: diff > 0 ? '▲' : '▼', text, tone: figure.good === 0 ? '' : (diff > 0) === (figure.good > 0) ? 'good' : 'poor' };
}

const percentOf = (/** @type {number} */ share) => `${share * 100 >= 100 ? Math.round(share * 100) : (share * 100).toFixed(1)}%`;

/** The range of a rate of a few, as text; empty for many. @param {Figure} figure @param {any} f */
export const rangeText = (figure, f) => { const c = figure.cases(f); return c ? rangeOf(Math.min(c[0], c[1]), c[1]) : ''; };

