// What visitors answered, day by day: bars stacked by the answer, and the same as a table.

import { h } from '../dom.js';
import { count, day, percent, plural, rangeOf, span } from '../format.js';

const SVG = 'http://www.w3.org/2000/svg';
/** Answers with their words, from the bottom of a bar up. */
export const ANSWERS = [['granted', 'agreed', 'Marketing and figures: yes'], ['unanswered', 'not answered', 'The site’s rule for those who have not answered held'], ['denied', 'refused', 'No to marketing'],
  ['nameless', 'counted without a cookie', 'Refused everything, or not asked yet: only that there was a visit is kept']];

/** How many agreed, as one sentence. @param {any} answer @param {number} all */
export const answered = (answer, all) => h('p.quiet', null, all ? [h('b', null, percent(answer.total.granted / all)), ` of ${plural(all, 'visit')} agreed.`,
  rangeOf(answer.total.granted, all) && ` So few prove little: by chance alone it may be anything from ${rangeOf(answer.total.granted, all).replace('–', ' to ')}%.`] : 'No visit in these days.');

/** Bars of days or weeks, each stacked by the answer; the same as a table behind them. @param {any} answer @param {number} all */
export function answers(answer, all) {
  const each = answer.days.length > 100 ? 7 : 1;
  /** @type {any[]} */ const bars = [];
  answer.days.forEach((/** @type {any} */ d, /** @type {number} */ i) => {
    if (i % each === 0) bars.push({ from: d.day, to: d.day, granted: 0, denied: 0, unanswered: 0, nameless: 0 });
    const bar = bars[bars.length - 1];
    bar.to = d.day;
    for (const [id] of ANSWERS) bar[id] += d[id];
  });
  const most = Math.max(1, ...bars.map((b) => ANSWERS.reduce((n, [id]) => n + b[id], 0)));
  const svg = document.createElementNS(SVG, 'svg');
  svg.setAttribute('viewBox', `0 0 ${bars.length * 10} 100`);
  svg.setAttribute('preserveAspectRatio', 'none');
  svg.setAttribute('aria-hidden', 'true');
  bars.forEach((b, i) => {
    let at = 100;
    for (const [id] of ANSWERS) {
      const size = (b[id] / most) * 100;
      if (size) svg.append(rect({ x: i * 10 + 1, y: at - size, width: 8, height: size, class: id }));
      at -= size;
    }
  });
  const sample = (/** @type {string} */ cls) => { const s = document.createElementNS(SVG, 'svg'); s.setAttribute('viewBox', '0 0 10 10'); s.setAttribute('aria-hidden', 'true'); s.append(rect({ width: 10, height: 10, class: cls })); return s; };
  return h('div.answers', null, svg, h('div.ends', null, h('span', null, day(answer.from)), h('span', null, day(answer.to))),
    h('p.key', null, ANSWERS.map(([id, word, note]) => h('span', { 'data-tip': note }, sample(id), h('b', null, count(answer.total[id])), ` ${word}`, h('span.faint', null, percent(answer.total[id] / all))))),
    h('details', null, h('summary', null, 'Show as table'), h('div.scroll', { tabindex: '0', role: 'region', 'aria-label': 'Visits by answer' }, h('table.t', null, h('caption.vh', null, 'Visits by their answer on consent'),
      h('thead', null, h('tr', null, h('th', { scope: 'col' }, each > 1 ? 'Week' : 'Day'), ANSWERS.map(([, word]) => h('th.num', { scope: 'col' }, word)))),
      h('tbody', null, bars.map((b) => h('tr', null, h('th', { scope: 'row' }, each > 1 ? span(b.from, b.to) : day(b.from)), ANSWERS.map(([id]) => h('td.num', null, count(b[id]))))))))));
}

/** @param {Record<string, string|number>} props */
function rect(props) {
  const el = document.createElementNS(SVG, 'rect');
  for (const [k, v] of Object.entries(props)) el.setAttribute(k, String(v));
  return el;
}
