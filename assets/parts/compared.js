// What a figure of a table was in the time that it is compared with: the former number, and an arrow where there is enough to say
// that it moved.

import { h } from '../dom.js';
import { span, daysIn, plural, clock } from '../format.js';

/** Below this a change is chance. */
const ENOUGH = 30;

/**
 * @typedef {{good: 1|-1, cases: (row: any) => number, text: (value: number) => string, isRate?: boolean}} Was
 *   `good` whether more is better; `cases` of how many it speaks
 * @typedef {{from: string, to: string, until: string|null}} Compare
 */

/**
 * The line below a figure: "▲ 12% was 1,140"; nothing where there was and is nothing.
 * @param {{value: (row: any) => number, was?: Was}} column @param {any} row @param {boolean} isAlike both times are as long
 */
export function compared(column, row, isAlike) {
  const { was } = column;
  if (!was || !row.before) return null;
  const now = column.value(row), old = column.value(row.before);
  if (was.isRate ? now < 0 && old < 0 : !now && !old) return null;
  const cases = [was.cases(row), was.cases(row.before)];
  // A rate says something where both times have enough; a number may have come from, or gone to, nothing.
  const isThin = (was.isRate ? Math.min(...cases) : Math.max(...cases)) < ENOUGH;
  const moved = isAlike && !isThin ? arrow(now, old, was) : null;
  return h('small.was', { 'data-tip': isThin ? `Too few to compare: ${was.isRate ? 'under' : 'both times under'} ${ENOUGH}` : null },
    moved && h('span', { class: moved.tone }, moved.text), h('span.faint', null, `${moved ? ' ' : ''}was ${was.text(old)}`));
}

/** @param {number} now @param {number} old @param {Was} was */
function arrow(now, old, was) {
  if (was.isRate ? now < 0 || old < 0 : old <= 0) return null;
  const diff = now - old, size = Math.abs(was.isRate ? diff * 100 : diff / old * 100);
  const text = was.isRate ? `${size.toFixed(1)} pt` : `${size >= 100 ? Math.round(size) : size.toFixed(1)}%`;
  if (/^0(\.0)?( pt|%)$/.test(text)) return null;
  return { text: `${diff > 0 ? '▲' : '▼'} ${text}`, tone: (diff > 0) === (was.good > 0) ? 'good' : 'poor' };
}

/** Both times are as long as each other. @param {Compare|null} compare @param {[string, string]|null} days */
export const isAlike = (compare, days) => !!compare && !!days && daysIn(compare.from, compare.to) === daysIn(...days);

/** There was nothing at all in the time before: nothing to compare with. @param {any} table */
export const isSilent = (table) => !table.total.before?.visits && !table.total.before?.conversions;

/** What the arrows mean, in one line. @param {any} table @param {[string, string]} days */
export function comparedNote(table, days) {
  const compare = /** @type {Compare} */ (table.compare);
  if (isSilent(table)) return h('p.was-note', null, 'Nothing came in ', h('b', null, span(compare.from, compare.to)), ', so there is nothing to compare with.');
  const [now, then] = [daysIn(...days), daysIn(compare.from, compare.to)];
  const unlike = now !== then && `${plural(then, 'day')} beside ${plural(now, 'day')}: their sums are of unlike times, so there are no arrows.`;
  return h('p.was-note', null, 'Compared with ', h('b', null, span(compare.from, compare.to)), compare.until && `, its last day until ${clock(compare.until)}`, '. ',
    unlike || `No arrow where both times have under ${ENOUGH}: too few to compare.`);
}
