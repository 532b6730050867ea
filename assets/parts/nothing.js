// What stands where a table has no rows, and the sums that are fetched beside a list: one shape for every table of the dashboard.

import { h, icon, kbd } from '../dom.js';

/** @typedef {import('../dom.js').Kid} Kid */
/**
 * @typedef {{none: string, all: string, days: string, searched?: (q: Kid) => Kid, since?: Kid, first: () => Kid}} Words
 *   `none` fits the filters, `all` takes them away, `days` are without any; `searched` says what the search looked at; `first` stands there before there was ever one
 */

/** @param {() => import('../app.js').Params} now @param {Words} words */
export function nothing(now, words) {
  const { app, view, site } = now(), hasDays = !!app.use.range && view.range !== 'all';
  const allTime = (/** @type {string} */ word, /** @type {string} */ cls, /** @type {Kid} */ key) => h(`button.btn${cls}`, { type: 'button', onclick: () => app.go({ range: 'all' }) }, word, key);
  if (view.isFiltered) return h('div.empty', null, icon(view.q && !view.filters.length ? 'search' : 'filter'),
    h('p', null, h('b', null, words.none), view.q && words.searched && [' ', words.searched(['“', h('bdi', null, view.q), '”'])]),
    h('div.acts', null, h('button.btn', { type: 'button', onclick: () => app.go({ filters: [], q: '' }) }, words.all), hasDays && allTime('Look in all time', '.bare', null)));
  if (site.first_conversion_at && hasDays) return h('div.empty', null, icon('calendar'), h('p', null, h('b', null, words.days), words.since), h('div.acts', null, allTime('Show all time', '', kbd('A'))));
  return words.first();
}

/** Nothing ever came in: what will stand here, and the step that leads there. @param {string} sign @param {string} bold @param {string} text @param {{href: string, word: string}|null} [act] */
export const yet = (sign, bold, text, act) => h('div.empty', null, icon(sign), h('p', null, h('b', null, bold), ` ${text}`), act && h('div.acts', null, h('a.btn', { href: act.href }, act.word)));

/**
 * Figures beside a list, fetched with it. What is late is left alone; where they cannot be fetched the list says what went wrong.
 * @param {() => Promise<any>} fetch @param {(report: any) => void} draw
 */
export function sumsBeside(fetch, draw) {
  /** @type {any} */ let report = null;
  let turn = 0;
  return {
    get report() { return report; },
    async load() {
      const mine = ++turn;
      /** @type {any} */ let next = null;
      try { next = await fetch(); } catch { /* the list says it */ }
      if (mine !== turn) return;
      report = next;
      draw(report);
    },
    stop() { turn++; },
  };
}
