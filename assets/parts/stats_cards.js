// The headline figures as tabs: a press draws the chart with that figure.

import { h, fill } from '../dom.js';
import { headline, plural } from '../format.js';
import { figures, figureOf, sums, change, rangeText, sawSpend } from './figures.js';

/** @param {(id: string) => void} choose */
export function statsCards(choose) {
  const el = h('div.stmt.tabbed', { role: 'tablist', 'aria-label': 'Headline figures', 'data-part': 'StatsCards' });
  // Arrow keys walk the tabs, as in every list of tabs.
  el.addEventListener('keydown', (e) => {
    const step = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: 1, ArrowUp: -1 }[e.key];
    if (!step) return;
    const all = /** @type {HTMLElement[]} */ ([...el.querySelectorAll('[role=tab]')]);
    const next = all[(all.indexOf(/** @type {HTMLElement} */ (document.activeElement)) + step + all.length) % all.length];
    e.preventDefault();
    e.stopPropagation();
    next?.focus();
    choose(next?.dataset.figure ?? '');
  });

  return { el,
    /** @param {any} answer @param {string} shown */
    draw(answer, shown) {
      sawSpend(answer);
      const on = figureOf(shown);
      const focused = /** @type {HTMLElement|null} */ (el.contains(document.activeElement) ? document.activeElement : null)?.dataset.figure;
      const now = sums(answer), before = answer.compare ? sums(answer.compare) : null;
      fill(el, figures().map((f) => {
        const value = f.of(now), range = rangeText(f, now), delta = before && change(f, now, before);
        const cases = f.cases(now), few = !!cases && cases[1] > 0 && cases[1] < 30;
        return h('button.fig', { type: 'button', role: 'tab', id: `figure-${f.id}`, 'data-figure': f.id, 'aria-selected': String(f === on),
          'aria-controls': 'chart', tabindex: f === on ? '0' : '-1', onclick: () => choose(f.id) },
        h('span.k', null, f.name),
        h('span.v', null, value === null ? '–' : f.id === 'net' ? netText(value, answer) : f.text(value), range && h('small', null, ` (${range})`)),
        h('span.delta', { class: delta?.tone ?? '' }, few ? 'too few to rank' : delta ? [h('i', null, delta.sign), h('b', null, delta.text), before && f.id === 'net'
          && h('span.from', null, ` from ${f.text(f.of(before) ?? 0).replace(/\.\d+$/, '')}`)] : note(f.id, answer)));
      }));
      if (focused) /** @type {HTMLElement|null} */ (el.querySelector(`[data-figure="${focused}"]`))?.focus();
    } };
}

/** @param {number} minor @param {any} answer */
function netText(minor, answer) {
  const [a, b] = headline({ minor, currency: answer.currency });
  return [a, b && h('span.cents', null, b)];
}

/** What stands under a figure that is compared with nothing. @param {string} id @param {any} a */
function note(id, a) {
  if (id === 'rate') return plural(a.visits, 'visit');
  if (id === 'attributed') return a.conversions.all ? `${a.attributed} of ${a.conversions.all}` : 'no conversion yet';
  if (id === 'cac') return plural(a.new_customers_own, 'new customer');
  if (id === 'spend') return a.return_percent === null ? 'nothing came back' : `${(a.return_percent / 100).toFixed(2)}× came back`;
  if (id === 'days') return a.days_known ? `known of ${a.days_known}` : 'none known';
  return '\u00a0';
}
