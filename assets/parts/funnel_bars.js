// The bars of a funnel: a step below the other, how many left in between and how long it took; and the same figures as a table.

import { h, fill, icon } from '../dom.js';
import { count, percent, rangeOf } from '../format.js';

/**
 * @typedef {import('../dom.js').Kid} Kid
 * @typedef {{lower: number, median: number, upper: number}|null} Took seconds: a quarter of people, half, three quarters took no longer
 * @typedef {{name: Kid, people: number, open: string, share: {of: number, hits: number, what: string}|null, took?: Took, gap?: {words: Kid, open?: string}[]}} Bar
 *   `open` is the list of people that a click opens; `share` the part of the step before; `gap` what stands between the step before and this one
 */

/** "40 s", "12 min", "3.5 h", "2.4 days". @param {number} s */
export function took(s) {
  if (s < 90) return `${count(s)} s`;
  if (s < 90 * 60) return `${count(Math.round(s / 60))} min`;
  if (s < 36 * 3600) return `${(s / 3600).toFixed(1)} h`;
  const days = s / 86400;
  return `${days < 10 ? days.toFixed(1) : count(Math.round(days))} days`;
}

/** @param {Took|undefined} t */
export const tookSentence = (t) => (t ? `Half of them within ${took(t.median)}` : '');
/** @param {Took|undefined} t */
const tookAll = (t) => (t ? `A quarter of them within ${took(t.lower)}, half within ${took(t.median)}, three quarters within ${took(t.upper)}` : '');

/** "33.1%", with its range where it is one of a few. @param {number} hits @param {number} of */
export function shareText(hits, of) {
  if (!of) return '–';
  const range = rangeOf(hits, of);
  return [percent(hits / of), range && h('span.faint', null, ` (${range})`)];
}

/** @param {(id: string) => void} show @param {string} label */
export function funnelBars(show, label) {
  const list = h('ol.fb', { 'aria-label': label }), twin = h('div.twin.fb-twin', { hidden: true });
  const button = h('button.go.small', { type: 'button', 'aria-expanded': 'false', onclick: () => toggle() }, 'Show as table');
  const el = h('div.fb-box', null, list, h('p.fb-more', null, button), twin);
  /** @type {Bar[]} */ let shown = [];

  function toggle() {
    twin.hidden = !twin.hidden;
    button.setAttribute('aria-expanded', String(!twin.hidden));
    button.textContent = twin.hidden ? 'Show as table' : 'Hide the table';
    table();
  }

  function table() {
    if (twin.hidden) { fill(twin); return; }
    const num = (/** @type {Kid} */ v) => h('td.num', null, v);
    fill(twin, h('table.t', null, h('caption.vh', null, `${label}, as a table`),
      h('thead', null, h('tr', null, [['Step', ''], ['People', 'num'], ['Of the step before', 'num'], ['A quarter within', 'num'], ['Half within', 'num'], ['Three quarters within', 'num']].map(([name, cls]) => h('th', { scope: 'col', class: cls }, name)))),
      h('tbody', null, shown.map((bar) => h('tr', null, h('th', { scope: 'row' }, bar.name), num(count(bar.people)), num(bar.share ? shareText(bar.share.hits, bar.share.of) : '–'),
        num(bar.took ? took(bar.took.lower) : '–'), num(bar.took ? took(bar.took.median) : '–'), num(bar.took ? took(bar.took.upper) : '–'))))));
  }

  /** @param {Bar} bar @param {number} most */
  function line(bar, most) {
    const fillBar = h('span.fb-fill');
    fillBar.style.setProperty('--part', `${most ? bar.people / most * 100 : 0}%`);
    const gap = [bar.took && h('span.fb-took', { 'data-tip': tookAll(bar.took) }, icon('clock', 's'), tookSentence(bar.took)),
      (bar.gap ?? []).map((g) => (g.open ? h('button.fb-left', { type: 'button', 'data-focus': g.open, onclick: () => show(/** @type {string} */ (g.open)) }, g.words) : h('span.faint', null, g.words)))];
    return h('li', null, (bar.took || (bar.gap ?? []).length > 0) && h('div.fb-gap', null, gap),
      h('button.fb-bar', { type: 'button', 'data-focus': bar.open, 'data-tip': bar.share ? bar.share.what : null, onclick: () => show(bar.open) },
        h('span.fb-name', null, bar.name), h('span.fb-track', { 'aria-hidden': 'true' }, fillBar),
        h('b.fb-people', null, count(bar.people)), h('span.fb-share', null, bar.share ? shareText(bar.share.hits, bar.share.of) : '')));
  }

  return {
    el,
    /** @param {Bar[]} bars */
    draw(bars) {
      const focused = list.contains(document.activeElement) ? document.activeElement?.getAttribute('data-focus') : null;
      shown = bars;
      const most = Math.max(...bars.map((b) => b.people), 0);
      fill(list, bars.map((bar) => line(bar, most)));
      table();
      if (focused) /** @type {HTMLElement|null} */ (list.querySelector(`[data-focus="${CSS.escape(focused)}"]`))?.focus({ preventScroll: true });
    },
  };
}
