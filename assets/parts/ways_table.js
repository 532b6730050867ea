// The ways that lead to a conversion: one after another, the same twice in a row said once.

import { h, fill, icon } from '../dom.js';
import { count, plural, percent, bare, currencySign, valueWord, showsMoney } from '../format.js';
import { own } from './figures.js';

/** Names that are said of one way before the rest becomes a number. */
const MOST = 6;

/** @param {() => import('../app.js').Params} now */
export function waysTable(now) {
  const body = h('div.lab-box', { tabindex: '0', role: 'region', 'aria-label': 'Ways to a conversion' }), foot = h('footer');
  const el = h('section.sheet.ways', { 'aria-label': 'Ways to a conversion' }, h('header', null, h('h2', null, 'Ways to a conversion')), body, foot);

  /** @param {string[]} path */
  function way(path) {
    if (!path.length) return h('span.faint', null, 'No known visit');
    const by = now().view.by || 'channel', shown = path.length > MOST ? [...path.slice(0, MOST - 2), null, path[path.length - 1]] : path;
    return h('span.way', null, shown.map((name, i) => [i > 0 && icon('right', 's'), name === null ? h('span.faint', null, plural(path.length - MOST + 1, 'more', 'more')) : h('bdi', null, valueWord(by, name))]));
  }

  /** @param {number|null} days */
  const days = (days) => (days === null ? '–' : days < 1 / 24 ? 'at once' : days < 1 ? plural(Math.round(days * 24), 'hour') : days < 10 ? `${days.toFixed(1)} days` : plural(Math.round(days), 'day'));

  return {
    el,
    /** @param {any} answer */
    draw(answer) {
      const num = (/** @type {import('../dom.js').Kid} */ v, cls = '') => h(`td.num${cls}`, null, v);
      fill(body, !answer.items.length ? h('div.empty.small', null, h('p', null, 'No conversion on these days.')) : h('table.t.t-ways', null, h('caption.vh', null, 'Ways to a conversion, the most frequent first'),
        h('thead', null, h('tr', null, [['Way', ''], ['Conversions', 'num'], ['Share', 'num'], ...(showsMoney() ? [[`Net, ${currencySign()}`, 'num']] : []), ['Visits', 'num hide-s'], ['Takes', 'num']].map(([name, cls]) => h('th', { scope: 'col', class: cls }, name)))),
        h('tbody', null, answer.items.map((/** @type {any} */ r) => h('tr', null, h('th', { scope: 'row' }, way(r.path)), num(count(r.conversions)), num(r.share === null ? '–' : percent(r.share)),
          showsMoney() && num(own(r.net).minor ? bare(own(r.net)) : '–'), num(r.visits === null || !r.visits ? '–' : r.visits.toFixed(1), '.hide-s'), num(days(r.days))))),
        h('tfoot', null, h('tr', null, h('th', { scope: 'row' }, 'All'), num(count(answer.total.conversions)), num(''), showsMoney() && num(bare(own(answer.total.net))),
          num(answer.total.visits ? answer.total.visits.toFixed(1) : '–', '.hide-s'), num(days(answer.total.days))))));
      const rest = answer.rows - answer.items.length;
      fill(foot, h('span', null, 'Visits one after another, repeats said once. Takes: from the first visit to the conversion, of the one in the middle.'),
        rest > 0 && h('span.faint', null, ` ${plural(rest, 'more way')}: all of them are in the file.`));
    },
  };
}
