// How long a conversion takes: the curve of all that were done by a day, the chosen window drawn on it, what every window sees, and the
// same figures as a table.

import { h, fill } from '../dom.js';
import { count, plural, percent, windowName } from '../format.js';

const SVG = 'http://www.w3.org/2000/svg';
const HEIGHT = 200, TOP = 10, BOTTOM = 24, LEFT = 40, RIGHT = 12, DAYS = 90;

/** @param {string} tag @param {Record<string, string|number>} props @param {string} [words] */
function s(tag, props, words) {
  const el = document.createElementNS(SVG, tag);
  for (const [k, v] of Object.entries(props)) el.setAttribute(k, String(v));
  if (words !== undefined) el.textContent = words;
  return el;
}

export function paceChart() {
  const svg = /** @type {SVGSVGElement} */ (s('svg', { role: 'img', 'aria-label': 'Conversions done by so many days after the first visit. The table below has the same figures.' }));
  const plot = h('div.pace-plot', null), said = h('div.pace-said'), windows = h('div.lab-box', { tabindex: '0', role: 'region', 'aria-label': 'What each window sees' }), twin = h('div.twin', { hidden: true });
  plot.append(svg);
  const button = h('button.go.small', { type: 'button', 'data-focus': 'pace-twin', 'aria-expanded': 'false', onclick: () => toggle() }, 'Show as table');
  const el = h('section.sheet.pace', { 'aria-label': 'Time to convert' }, h('header', null, h('h2', null, 'Time to convert'), h('div.r', null, button)), said, plot, windows, twin);
  /** @type {any} */ let answer = null;
  let wide = 0;
  const eye = new ResizeObserver(() => { if (answer && plot.clientWidth !== wide) curve(); });
  eye.observe(plot);

  function toggle() {
    twin.hidden = !twin.hidden;
    button.setAttribute('aria-expanded', String(!twin.hidden));
    button.textContent = twin.hidden ? 'Show as table' : 'Hide the table';
    table();
  }

  function curve() {
    wide = plot.clientWidth;
    const width = Math.max(260, wide), x = (/** @type {number} */ d) => LEFT + (width - LEFT - RIGHT) * d / DAYS, y = (/** @type {number} */ v) => TOP + (HEIGHT - TOP - BOTTOM) * (1 - v);
    svg.setAttribute('viewBox', `0 0 ${width} ${HEIGHT}`);
    svg.setAttribute('width', String(width));
    svg.setAttribute('height', String(HEIGHT));
    fill(svg);
    for (const v of [0, .25, .5, .75, 1]) svg.append(s('line', { class: v ? 'g' : 'axis', x1: LEFT, x2: width - RIGHT, y1: Math.round(y(v)) + .5, y2: Math.round(y(v)) + .5 }), s('text', { class: 'end', x: LEFT - 6, y: y(v) + 4 }, `${v * 100}%`));
    for (const d of [0, 7, 14, 30, 60, 90]) svg.append(s('text', { class: d === 90 ? 'end' : 'mid', x: d === 90 ? width - RIGHT : x(d), y: HEIGHT - 6 }, d === 90 ? '90 days' : String(d)));
    // A step at the end of each day: by then so many were done.
    let path = `M${x(0)} ${y(0)}`, before = 0;
    for (const { day, so_far: part } of answer.items) {
      const at = Math.min(day, DAYS);
      path += `L${x(at)} ${y(before)}L${x(at)} ${y(part)}`;
      before = part;
    }
    const end = `${path}L${x(DAYS)} ${y(before)}`;
    svg.append(s('path', { class: 'area', d: `${end}L${x(DAYS)} ${y(0)}Z` }), s('path', { class: 'curve', d: end }));
    const own = answer.windows.find((/** @type {any} */ w) => w.window === answer.window);
    if (!own || answer.window === 'unlimited') return;
    const at = x(Number(answer.window)), isRight = at > width * .62;
    svg.append(s('line', { class: 'window', x1: at, x2: at, y1: TOP, y2: HEIGHT - BOTTOM }), s('circle', { class: 'window-dot', cx: at, cy: y(own.share ?? 0), r: 4 }),
      s('text', { class: `window-word ${isRight ? 'end' : ''}`, x: at + (isRight ? -8 : 8), y: HEIGHT - BOTTOM - 8 }, `${windowName(answer.window)}: ${percent(own.share ?? 0)}`));
  }

  function table() {
    if (twin.hidden || !answer) { fill(twin); return; }
    const days = answer.items.filter((/** @type {any} */ d) => d.conversions > 0);
    fill(twin, h('table.t', null, h('caption.vh', null, 'Time to convert as a table'), h('thead', null, h('tr', null, [['Days after the first visit', ''], ['Conversions', 'num'], ['Done by then', 'num']].map(([name, cls]) => h('th', { scope: 'col', class: cls }, name)))),
      h('tbody', null, days.map((/** @type {any} */ d) => h('tr', null, h('th', { scope: 'row' }, d.day ? count(d.day) : 'The same day'), h('td.num', null, count(d.conversions)), h('td.num', null, percent(d.so_far)))),
        answer.longer > 0 && h('tr', null, h('th', { scope: 'row' }, 'Longer'), h('td.num', null, count(answer.longer)), h('td.num', null, percent(1))))));
  }

  return {
    el,
    /** @param {any} next */
    draw(next) {
      answer = next;
      const has = answer.known > 0;
      plot.hidden = windows.hidden = button.hidden = !has;
      if (!has) twin.hidden = true;
      fill(said, h('p', null, h('b', null, answer.sentence)), has && h('p', null, answer.advice),
        has && h('p.faint', null, `Half of them took ${took(answer.median_days)} or less, nine of ten ${took(answer.ninety_days)} or less.${answer.unknown ? ` ${plural(answer.unknown, 'conversion')} without a known visit ${answer.unknown === 1 ? 'is' : 'are'} not among them.` : ''}`));
      if (!has) { fill(twin); return; }
      curve();
      fill(windows, h('table.t.t-windows', null, h('caption.vh', null, 'What each window sees'), h('thead', null, h('tr', null, [['Window', ''], ['Sees the whole way', 'num'], ['Sees some visit', 'num']].map(([name, cls]) => h('th', { scope: 'col', class: cls }, name)))),
        h('tbody', null, answer.windows.map((/** @type {any} */ w) => h('tr', { class: w.window === answer.window ? 'on' : '' }, h('th', { scope: 'row' }, windowName(w.window), w.window === answer.window && h('span.tag.faint', null, 'chosen'), w.window === answer.enough && h('span.tag.faint', null, 'enough')),
          h('td.num', null, percent(w.share ?? 0), w.range && h('span.faint', null, ` (${Math.round(w.range[0] * 100)}–${Math.round(w.range[1] * 100)})`)), h('td.num', null, percent(w.some_share ?? 0)))))));
      table();
    },
    leave: () => eye.disconnect(),
  };
}

/** @param {number|null} days */
function took(days) {
  if (days === null) return '–';
  if (days < 1) return plural(Math.max(1, Math.round(days * 24)), 'hour');
  return days < 10 ? `${days.toFixed(1)} days` : plural(Math.round(days), 'day');
}
