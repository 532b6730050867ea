// What consent kept from each platform, as a table: the same words in the ledger and at the privacy desk.

import { h } from '../dom.js';
import { count, money, percent, rangeOf, showsMoney } from '../format.js';

/** It is built for such a one, and nothing is sent: consent keeps nothing from it. @param {any} w */
const isShadow = (w) => w.mode === 'shadow';

/**
 * @param {any[]} all
 * @param {(w: any) => import('../dom.js').Kid} [rows] what opens the rows of one; then the worth stands there too
 * @returns {import('../dom.js').Kid}
 */
export function keptBack(all, rows) {
  if (!all.length) return h('p.quiet', null, 'No platform is told of anything, so “no” has cost nothing.');
  const kept = all.some((w) => !isShadow(w) && w.for_consent), shadows = all.filter(isShadow);
  const ranges = all.some((w) => rangeOf(w.for_consent, w.all));
  const worth = rows && showsMoney();
  return [h('p.quiet', null, kept ? 'Conversions of these days that platforms were not told of, because their person had refused, or had not agreed where your rule asks first. You lose no sale by it: the platform knows of fewer.' : 'Consent kept nothing of these days from any platform.'),
    shadows.length > 0 && h('p.quiet', null, shadows.map((w, i) => [i > 0 && ', ', h('bdi', null, w.name)]), `${shadows.length === 1 ? ' is' : ' are'} in shadow: nothing is sent there, whatever people answered. Here stands what would be kept back.`),
    h('div.scroll', { tabindex: '0', role: 'region', 'aria-label': 'What “no” cost' }, h('table.t.kept-back', null, h('caption.vh', null, 'Conversions that consent kept from each platform'),
      h('thead', null, h('tr', null, h('th', { scope: 'col' }, 'Platform'), h('th.num', { scope: 'col' }, 'Kept back'), h('th.num', { scope: 'col', class: rows ? 'hide-s' : '' }, 'Share'), worth && h('th.num', { scope: 'col' }, 'Worth'), rows && h('th', { scope: 'col' }, h('span.vh', null, 'Rows')))),
      h('tbody', null, all.map((w) => h('tr', null, h('th', { scope: 'row' }, h('bdi', null, w.name), isShadow(w) && [' ', h('span.tag.box', null, 'shadow')]),
        h('td.num', null, isShadow(w) && h('span.faint.if', null, 'would be '), count(w.for_consent), h('span.faint', null, ` of ${count(w.all)}`)),
        h('td.num', { class: rows ? 'hide-s' : '' }, percent(w.for_consent / w.all), rangeOf(w.for_consent, w.all) && h('span.faint', null, ` (${rangeOf(w.for_consent, w.all)})`)),
        worth && h('td.num', null, w.worth.length ? w.worth.map(money).join(', ') : '–'), rows && h('td.num', null, w.for_consent > 0 && rows(w))))))),
    ranges && h('p.quiet', { class: rows ? 'hide-s' : '' }, 'In brackets, where there are fewer than 30: how far chance alone may have moved the share.')];
}
