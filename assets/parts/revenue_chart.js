// The chart: bars of money a day with refunds paler on top, the time before as a pale line, visits in a strip of their own below,
// flags for notes. One marker, moved by the pointer or by arrow keys; a table of the same figures stands behind it.

import { h, fill, icon, kbd, announce } from '../dom.js';
import { money, bare, count, day as dayName, shortDay, span, clock, dayOf, plural, currencySign, ownCurrency, addDays, showsMoney } from '../format.js';
import { drawFlags } from './note_flags.js';
import { figureOf, buckets, bucketsLike, change } from './figures.js';

const SVG = 'http://www.w3.org/2000/svg';
const TOP = 10, PLOT = 168, GAP = 22, STRIP = 34, LEFT = 44, RIGHT = 8;

/** @param {string} tag @param {Record<string, string|number>} props */
function s(tag, props) {
  const el = document.createElementNS(SVG, tag);
  for (const [k, v] of Object.entries(props)) el.setAttribute(k, String(v));
  return el;
}

/**
 * @param {{now: () => import('../app.js').Params, choose: (from: string, to: string) => void, note: (day: string) => void,
 *   flag: (notes: any[], anchor: HTMLElement) => void, each: (each: string) => void}} on
 */
export function revenueChart(on) {
  const key = h('div.key'), seg = h('div.seg', { role: 'group', 'aria-label': 'Each bar is' });
  const svg = /** @type {SVGSVGElement} */ (s('svg', { 'aria-hidden': 'true' }));
  const tip = h('div.ctip', { hidden: true });
  const plot = h('div.plot', { tabindex: '0', role: 'group', 'aria-roledescription': 'chart', 'data-focus': 'plot' });
  const pins = h('div.pins');
  const twin = h('div.twin', { hidden: true });
  const twinButton = h('button.go.small', { type: 'button', 'aria-expanded': 'false', onclick: () => toggleTwin() }, 'Show as table');
  plot.append(svg, tip);
  const el = h('div.chart', { id: 'chart', role: 'tabpanel', 'data-part': 'RevenueChart' }, h('div.chart-top', null, key, seg), plot, pins);
  /** @type {any} */ let answer = null;
  /** @type {import('./figures.js').Bucket[]} */ let now = [];
  /** @type {import('./figures.js').Bucket[]|null} */ let before = null;
  /** @type {'day'|'week'} */ let each = 'day';
  let figure = figureOf(''), at = -1, pressed = -1, wide = 0, isTable = false, hovering = false;

  const width = () => Math.max(260, plot.clientWidth);
  const inner = () => width() - LEFT - RIGHT;
  const x = (/** @type {number} */ i) => LEFT + (inner() * (i + 0.5)) / now.length;
  const isOpen = (/** @type {import('./figures.js').Bucket} */ b) => !!answer && b.to === dayOf(answer.now);
  new ResizeObserver(() => { if (answer && width() !== wide) draw(); }).observe(plot);

  function toggleTwin() {
    isTable = !isTable;
    twinButton.setAttribute('aria-expanded', String(isTable));
    twinButton.textContent = isTable ? 'Hide the table' : 'Show as table';
    drawTwin();
  }

  function draw() {
    wide = width();
    fill(svg);
    const height = TOP + PLOT + GAP + STRIP + 20;
    svg.setAttribute('viewBox', `0 0 ${wide} ${height}`);
    svg.setAttribute('width', String(wide));
    svg.setAttribute('height', String(height));
    const value = (/** @type {any} */ b) => figure.of(b);
    const all = [...now, ...(before ?? [])];
    const tops = all.map((b) => (figure.id === 'net' ? Math.max(b.sold, b.net) : value(b) ?? 0));
    const [low, high, ticks] = scale(Math.min(0, ...all.map((b) => value(b) ?? 0)), Math.max(...tops, 0), figure.unit);
    const y = (/** @type {number} */ v) => TOP + PLOT - ((v - low) / (high - low)) * PLOT;
    for (const t of ticks) {
      svg.append(s('line', { class: t === 0 ? 'axis' : 'g', x1: LEFT, x2: wide - RIGHT, y1: Math.round(y(t)) + .5, y2: Math.round(y(t)) + .5 }));
      svg.append(text(LEFT - 8, y(t) + 4, figure.axis(t), 'end'));
    }
    const step = inner() / now.length, bar = Math.max(1, Math.min(28, step * .68));
    svg.append(s('rect', { class: 'hov', x: -100, y: TOP, width: step, height: PLOT + GAP + STRIP, visibility: 'hidden' }));
    if (figure.bars) drawBars(y, bar); else drawLine(now, value, y, 'c1l');
    if (before) { if (figure.bars) drawSteps(before, value, y, step); else drawLine(before, value, y, 'cb'); }
    drawVisits();
    drawDays();
    drawPins();
    mark(at);
  }

  /** @param {(v: number) => number} y @param {number} bar */
  function drawBars(y, bar) {
    now.forEach((b, i) => {
      const left = x(i) - bar / 2, open = isOpen(b);
      const box = (/** @type {number} */ a, /** @type {number} */ c, /** @type {string} */ cls) => {
        const top = y(Math.max(a, c)), size = Math.abs(y(a) - y(c));
        if (size > .2) svg.append(s('rect', { class: cls, x: left, y: top, width: bar, height: size }));
      };
      if (figure.id !== 'net') { box(0, figure.of(b) ?? 0, open ? 'open' : 'c1'); return; }
      box(0, Math.max(0, b.net), open ? 'open' : 'c1');
      box(Math.max(0, b.net), b.sold, 'cr');
      if (b.net < 0) box(0, b.net, 'cr');
    });
  }

  /** @param {any[]} list @param {(b: any) => number|null} value @param {(v: number) => number} y @param {number} step */
  function drawSteps(list, value, y, step) {
    let path = '';
    list.forEach((b, i) => { const top = Math.round(y(value(b) ?? 0)) + .5; path += `${i ? 'L' : 'M'}${x(i) - step / 2} ${top}L${x(i) + step / 2} ${top}`; });
    svg.append(s('path', { class: 'cb', d: path }));
  }

  /** Days without a case leave a gap; a day that is not over is reached by dots. @param {any[]} list @param {(b: any) => number|null} value @param {(v: number) => number} y @param {string} cls */
  function drawLine(list, value, y, cls) {
    let path = '', dots = '', last = /** @type {[number, number]|null} */ (null);
    list.forEach((b, i) => {
      const v = value(b);
      if (v === null) { last = null; return; }
      const point = /** @type {[number, number]} */ ([x(i), y(v)]);
      if (list === now && isOpen(b) && last) dots = `M${last[0]} ${last[1]}L${point[0]} ${point[1]}`;
      else if (last) path += `L${point[0]} ${point[1]}`;
      else { path += `M${point[0]} ${point[1]}`; svg.append(s('circle', { class: `${cls} dot`, cx: point[0], cy: point[1], r: 1.5 })); }
      last = point;
    });
    if (path) svg.append(s('path', { class: cls, d: path }));
    if (dots) svg.append(s('path', { class: `${cls} dots`, d: dots }));
  }

  function drawVisits() {
    const base = TOP + PLOT + GAP + STRIP, most = Math.max(1, ...now.map((b) => b.visits), ...(before ?? []).map((b) => b.visits));
    const y = (/** @type {number} */ v) => base - (v / most) * STRIP;
    svg.append(s('line', { class: 'g', x1: LEFT, x2: wide - RIGHT, y1: base + .5, y2: base + .5 }));
    svg.append(text(LEFT, base - STRIP - 7, 'Visits', 'lab'), text(LEFT - 8, base - STRIP + 8, count(most), 'end'));
    if (before) drawLine(before, (b) => b.visits, y, 'cb');
    drawLine(now, (b) => b.visits, y, 'cl');
  }

  function drawDays() {
    const y = TOP + PLOT + GAP + STRIP + 17;
    const room = wide < 560 ? 74 : 96, every = Math.max(1, Math.ceil(room / (inner() / now.length)));
    const open = now.length > 0 && isOpen(now[now.length - 1]);
    now.forEach((b, i) => {
      if (i % every || (open && i > now.length - 1 - every * 1.25)) return;
      svg.append(text(Math.max(x(i), LEFT + 16), y, shortDay(b.from), 'mid'));
    });
    if (open) svg.append(text(wide - RIGHT, y, `${now.length > 1 ? 'Today, ' : ''}${clock(answer.now)}`, 'end on'));
  }

  function drawPins() {
    const all = answer.notes ?? [];
    const spots = now.map((b, i) => ({ x: x(i), notes: all.filter((/** @type {any} */ n) => b.from <= n.day && n.day <= b.to) })).filter((spot) => spot.notes.length);
    for (const spot of spots) svg.append(s('line', { class: 'pinl', x1: spot.x, x2: spot.x, y1: TOP, y2: TOP + PLOT + GAP + STRIP }));
    drawFlags(pins, spots, wide, on.flag);
  }

  /** @param {number} i */
  function mark(i) {
    at = i;
    const hov = svg.querySelector('.hov');
    svg.querySelectorAll('.here').forEach((d) => d.remove());
    tip.hidden = i < 0 || !now[i];
    hov?.setAttribute('visibility', tip.hidden ? 'hidden' : 'visible');
    if (tip.hidden) return;
    const step = inner() / now.length, from = pressed >= 0 ? Math.min(i, pressed) : i, to = pressed >= 0 ? Math.max(i, pressed) : i;
    hov?.setAttribute('x', String(x(from) - step / 2));
    hov?.setAttribute('width', String(step * (to - from + 1)));
    const most = Math.max(1, ...now.map((b) => b.visits), ...(before ?? []).map((b) => b.visits));
    svg.append(s('circle', { class: 'here', cx: x(i), cy: TOP + PLOT + GAP + STRIP - (now[i].visits / most) * STRIP, r: 3 }));
    fill(tip, tipParts(i));
    const box = x(i) > wide / 2 ? x(i) - step / 2 - tip.offsetWidth - 8 : x(i) + step / 2 + 8;
    tip.style.left = `${Math.max(0, Math.min(wide - tip.offsetWidth, box))}px`;
  }

  /** @param {number} i */
  function tipParts(i) {
    const b = now[i], old = before?.[i];
    const row = (/** @type {string} */ name, /** @type {import('../dom.js').Kid} */ v, /** @type {string} */ cls = '') => h('tr', { class: cls }, h('th', { scope: 'row' }, name), h('td', null, v));
    const m = (/** @type {number} */ minor) => bare({ minor, currency: ownCurrency() });
    const v = figure.of(b), delta = old && change(figure, b, old);
    const compared = old && row(title(old, true), [old && figure.of(old) !== null ? (figure.id === 'net' ? m(old.net) : figure.text(figure.of(old) ?? 0)) : '–',
      delta && delta.sign && h('span', { class: delta.tone }, ` ${delta.sign} ${delta.text}`)], 'gap');
    const body = figure.id === 'net'
      ? [row(`Sold, ${plural(b.orders, 'order')}`, m(b.sold)), row('Refunded', b.back ? m(b.back) : m(0)), row('Net revenue', money({ minor: b.net, currency: ownCurrency() }), 'sum'), compared,
        row('Visits', count(b.visits))]
      : [row(figure.name, v === null ? '–' : figure.text(v), 'sum'), compared, row('Visits', count(b.visits)), row('Conversions', count(b.conversions))];
    const notes = (answer.notes ?? []).filter((/** @type {any} */ n) => b.from <= n.day && n.day <= b.to);
    return [h('h3', null, title(b, false)), h('table', null, h('tbody', null, body)),
      notes.map((/** @type {any} */ n) => h('p.n', null, icon('flag', 's'), h('bdi', null, n.text))),
      h('p.do', null, b.from === b.to ? 'Click: this day only' : 'Click: these days only', on.now().may && h('span', null, kbd('N'), ' add a note'))];
  }

  /** @param {import('./figures.js').Bucket} b @param {boolean} short */
  const title = (b, short) => (b.from === b.to ? dayName(b.from, !short) + (!short && isOpen(b) ? `, until ${clock(answer.now)}` : '') : span(b.from, b.to));

  // ---- pointer and keys ----

  const place = (/** @type {PointerEvent} */ e) => {
    const left = e.clientX - plot.getBoundingClientRect().left - LEFT;
    return Math.max(0, Math.min(now.length - 1, Math.floor((left / inner()) * now.length)));
  };
  plot.addEventListener('pointermove', (e) => { if (now.length) { hovering = true; mark(place(e)); } });
  plot.addEventListener('pointerleave', () => { hovering = false; pressed = -1; if (document.activeElement !== plot) mark(-1); });
  plot.addEventListener('pointerdown', (e) => { if (!e.button && now.length) { pressed = place(e); mark(pressed); } });
  plot.addEventListener('pointerup', (e) => {
    if (pressed < 0) return;
    const [a, b] = [Math.min(pressed, place(e)), Math.max(pressed, place(e))];
    pressed = -1;
    // A finger looks first; its second press on the same day goes there.
    if (e.pointerType === 'touch' && a === b && tapped !== a) { tapped = a; mark(a); return; }
    if (now.length > 1) on.choose(now[a].from, now[b].to);
  });
  let tapped = -1;
  plot.addEventListener('focus', () => { if (at < 0 && plot.matches(':focus-visible')) { mark(now.length - 1); say(); } });
  plot.addEventListener('blur', () => { if (!hovering) mark(-1); });
  const say = () => {
    const b = now[at];
    if (!b) return;
    const v = figure.of(b);
    const notes = (answer.notes ?? []).filter((/** @type {any} */ n) => b.from <= n.day && n.day <= b.to).map((/** @type {any} */ n) => `. Note: ${n.text}`);
    announce(`${title(b, false)}: ${figure.name} ${v === null ? 'none' : figure.text(v)}, ${plural(b.visits, 'visit')}${notes.join('')}`);
  };

  return {
    el, twin, twinButton,
    /** @param {any} next */
    draw(next) {
      answer = next;
      const view = on.now().view, size = next.days.length;
      figure = figureOf(view.show);
      each = view.each === 'week' || view.each === 'day' ? view.each : size > 92 ? 'week' : 'day';
      now = buckets(next.days, each);
      before = next.compare?.days ? bucketsLike(next.compare.days, now) : null;
      if (at >= now.length) at = -1;
      fill(key, sample('c1', figure.name), figure.id === 'net' && sample('cr', 'Refunds booked that day'), before && sample('cb', comparedName(next)),
        now.some(isOpen) && sample('open', each === 'day' ? 'Day not over' : 'Week not over'));
      seg.hidden = size < 14;
      fill(seg, ['day', 'week'].map((e) => h('button', { type: 'button', 'data-focus': `each-${e}`, 'aria-pressed': String(each === e), onclick: () => on.each(e) }, e === 'day' ? 'Day' : 'Week')));
      el.setAttribute('aria-labelledby', `figure-${figure.id}`);
      plot.setAttribute('aria-label', `${figure.name} by ${each}, ${span(next.from, next.to)}. Arrow keys read each ${each}, Enter shows only it${on.now().may ? ', N writes a note' : ''}. The table below has the same figures.`);
      draw();
      drawTwin();
    },
    /** The day under the pointer or the marker; without one, the last. */
    get day() { return now[at >= 0 ? at : now.length - 1]?.to ?? null; },
    get isPointed() { return at >= 0; },
    get other() { return each === 'day' ? 'week' : 'day'; },
    /** @param {KeyboardEvent} e @returns {boolean} */
    key(e) {
      if (document.activeElement !== plot || !now.length) return false;
      const step = { ArrowLeft: -1, ArrowRight: 1, Home: -Infinity, End: Infinity }[e.key];
      if (step) { mark(Math.max(0, Math.min(now.length - 1, at + step))); say(); return true; }
      if (e.key === 'Enter' && now.length > 1 && now[at]) { on.choose(now[at].from, now[at].to); return true; }
      return false;
    },
  };

  /** The same figures as a table, there for everybody who asks for it. */
  function drawTwin() {
    twin.hidden = !isTable;
    if (!isTable) { fill(twin); return; }
    const m = (/** @type {number} */ minor) => bare({ minor, currency: ownCurrency() });
    const num = (/** @type {import('../dom.js').Kid} */ v) => h('td.num', null, v);
    const old = before;
    fill(twin, h('table.t', null, h('caption.vh', null, `The chart as a table, ${span(answer.from, answer.to)}`),
      h('thead', null, h('tr', null, ['Day', ...(showsMoney() ? [`Sold, ${currencySign()}`, 'Refunded', 'Net revenue', ...(old ? [comparedName(answer)] : [])] : []), 'Orders', 'Conversions', 'Visits']
        .map((name, i) => h('th', { scope: 'col', class: i ? 'num' : '' }, name)))),
      h('tbody', null, now.map((b, i) => h('tr', null, h('th', { scope: 'row' }, title(b, true), isOpen(b) && h('span.faint', null, ' not over')), showsMoney() && [num(m(b.sold)), num(b.back ? m(b.back) : '0'), num(m(b.net)),
        old && num(old[i] ? m(old[i].net) : '–')], num(count(b.orders)), num(count(b.conversions)), num(count(b.visits)))))));
  }
}

/** @param {any} a */
const comparedName = (a) => (a.compare.to === addDays(a.from, -1) ? span(a.compare.from, a.compare.to) : `${span(a.compare.from, a.compare.to)}`);

/** @param {string} cls @param {string} word */
function sample(cls, word) {
  const box = s('svg', { viewBox: '0 0 14 10', 'aria-hidden': 'true' });
  box.append(cls === 'cb' ? s('path', { class: 'cb', d: 'M0 5.5H14' }) : s('rect', { class: cls, x: 1, y: 1, width: 12, height: 8 }));
  return h('span', null, box, word);
}

/** @param {number} x @param {number} y @param {string} word @param {string} cls */
function text(x, y, word, cls) {
  const el = s('text', { x, y, class: cls });
  el.textContent = word;
  return el;
}

/**
 * At most four round lines that hold all values, nought among them.
 * @param {number} low @param {number} high @param {string} unit @returns {[number, number, number[]]}
 */
function scale(low, high, unit) {
  if (high <= low) high = low + (unit === 'share' ? .01 : 1);
  const rough = (high - low) / 4, ten = 10 ** Math.floor(Math.log10(rough));
  let step = [1, 2, 2.5, 5, 10].map((n) => n * ten).find((n) => n >= rough) ?? rough;
  if (unit === 'count') step = Math.max(1, Math.ceil(step));
  if (unit === 'share' && high <= 1) high = Math.min(1, high);
  const ticks = [];
  for (let t = Math.floor(low / step) * step; t < high + step * .001; t += step) ticks.push(Math.abs(t) < step / 1e6 ? 0 : t);
  if (ticks[ticks.length - 1] < high) ticks.push(ticks[ticks.length - 1] + step);
  return [ticks[0], ticks[ticks.length - 1], ticks];
}
