// Bars of days, with a table behind them.

import { h } from '../dom.js';
import { day } from '../format.js';

const SVG = 'http://www.w3.org/2000/svg';
const [WIDE, HIGH] = [720, 96];

/**
 * @param {any[]} items days in their order @param {(d: any) => number} value @param {(d: any) => string} word the figure as people read it
 */
export function dayBars(items, value, word) {
  const top = Math.max(1, ...items.map(value)), step = WIDE / items.length;
  const svg = document.createElementNS(SVG, 'svg');
  svg.setAttribute('class', 'day-bars');
  svg.setAttribute('viewBox', `0 0 ${WIDE} ${HIGH}`);
  svg.setAttribute('preserveAspectRatio', 'none');
  svg.setAttribute('aria-hidden', 'true');
  items.forEach((d, i) => {
    const high = Math.max(0, value(d)) / top * (HIGH - 2);
    const bar = document.createElementNS(SVG, 'rect');
    for (const [name, to] of [['x', i * step + step * .1], ['y', HIGH - high], ['width', step * .8], ['height', high]]) bar.setAttribute(String(name), String(to));
    const said = document.createElementNS(SVG, 'title');
    said.textContent = `${day(d.day)}: ${word(d)}`;
    bar.append(said);
    svg.append(bar);
  });
  return h('div.day-chart', null, svg, h('p.ends', null, h('span', null, day(items[0].day)), h('span', null, day(items[items.length - 1].day))),
    h('details', null, h('summary', null, 'Show as table'), h('table.t', null, h('caption.vh', null, 'By day'),
      h('tbody', null, items.map((d) => h('tr', null, h('th', { scope: 'row' }, day(d.day)), h('td.num', null, word(d))))))));
}
