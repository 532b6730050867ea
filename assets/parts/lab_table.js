// The table of the lab: a group of three figures for each model, what a row assisted and influenced beside them. Rows of a few
// stand apart, for they cannot be ranked.

import { h, fill, icon } from '../dom.js';
import { plural, roundMoney, currencySign, valueWord, showsMoney, MODELS, MODEL_NOTES } from '../format.js';
import { own } from './figures.js';
import { share } from './panel.js';

/** @typedef {import('../dom.js').Kid} Kid */

const ESTIMATE = 'data_driven';
const NOTES = /** @type {Record<string, string>} */ ({ ...MODEL_NOTES, [ESTIMATE]: 'An estimate: what would be missing without it' });

/** @param {number|null} n */
const percent = (n) => (n === null ? '–' : n > 0 && n < 0.005 ? '<1%' : `${Math.round(n * 100)}%`);

/** @param {() => import('../app.js').Params} now */
export function labTable(now) {
  const el = h('div.lab-box', { tabindex: '0', role: 'region', 'aria-label': 'All models side by side' });
  let isOpen = false;
  /** @type {any} */ let shown = null;
  /** @type {{by: string, model: string}} */ let how = { by: 'channel', model: '' };

  el.addEventListener('click', (e) => {
    const at = /** @type {MouseEvent} */ (e), cell = /** @type {HTMLElement|null} */ (/** @type {HTMLElement} */ (e.target).closest('[data-dim]'));
    if (!cell) return;
    const { app, view } = now();
    app.go(view.plus(cell.dataset.dim ?? '', cell.dataset.value ?? '', at.altKey));
  });

  /** @param {any} next @param {{by: string, model: string}} use */
  function draw(next, use) {
    [shown, how] = [next, use];
    const focused = el.contains(document.activeElement) ? document.activeElement?.getAttribute('data-focus') : null;
    fill(el, shown.items.length ? table() : h('div.empty.small', null, h('p', null, 'Nothing is left after what you leave out.')));
    if (focused) /** @type {HTMLElement|null} */ (el.querySelector(`[data-focus="${CSS.escape(focused)}"]`))?.focus({ preventScroll: true });
  }

  const models = () => [...shown.models.map((/** @type {any} */ m) => m.model), ...(shown.estimate?.is_shown ? [ESTIMATE] : [])];

  function table() {
    const all = shown.items, isLast = (/** @type {any} */ r) => r.name === 'unattributed';
    const enough = all.filter((/** @type {any} */ r) => !r.is_few && !isLast(r)), few = all.filter((/** @type {any} */ r) => r.is_few);
    const areAllFew = !enough.length && few.length > 0;
    // Where all are few there is no rank at all: by name, and said so.
    const ranked = areAllFew ? [...few].sort((a, b) => a.name.localeCompare(b.name)) : enough;
    const rows = ranked.map((/** @type {any} */ r) => row(r));
    if (!areAllFew && few.length) {
      rows.push(h('tr.thin', null, h('th', { scope: 'row' }, h('button.cell', { type: 'button', 'data-focus': 'few', 'aria-expanded': String(isOpen), onclick: () => { isOpen = !isOpen; draw(shown, how); } },
        h('span.cut', null, `${plural(few.length, 'row')} too few to rank`), icon(isOpen ? 'up' : 'down', 's'))), h('td', { colspan: models().length + 2 })));
      if (isOpen) rows.push(...few.map((/** @type {any} */ r) => row(r, 'inner')));
    }
    rows.push(...all.filter(isLast).map((/** @type {any} */ r) => row(r, 'un')));
    return h('table.t.t-lab', null, h('caption.vh', null, 'What each row earns under every model'),
      h('thead', null, h('tr', null, h('th', { scope: 'col' }, first()), models().map(head),
        h('th.num', { scope: 'col', 'data-tip': 'It had a part, another closed' }, 'Assisted'), h('th.num', { scope: 'col', 'data-tip': 'It had a part' }, 'Influenced'))),
      h('tbody', null, rows),
      h('tfoot', null, h('tr', null, h('th', { scope: 'row' }, areAllFew && all.length > 1 ? ['All', h('span.faint', null, ' too few to rank')] : 'All'),
        models().map((m) => h('td.num', { class: m === how.model ? 'own' : '' }, figures({ ...shown.total, share: shown.total.conversions ? 1 : null }))), h('td'), h('td'))));
  }

  const first = () => ({ channel: 'Channel', source: 'Source', medium: 'Medium', campaign: 'Campaign', content: 'Content', term: 'Term', landing: 'Landing page' }[how.by] ?? 'Channel');

  /** @param {string} m */
  const head = (m) => h('th.num', { scope: 'col', class: m === how.model ? 'own' : '', 'data-tip': NOTES[m] }, MODELS[m] ?? 'Data-driven',
    m === ESTIMATE && h('span.tag.box', null, 'estimate'), m === how.model && h('span.vh', null, ', your lens'));

  /** Share, conversions and revenue, one below the other. @param {any} e @param {[number, number]|null} [range] */
  function figures(e, range) {
    const net = own(e.net).minor;
    return [h('b', null, percent(e.share)), range && h('span.range', null, `${Math.round(range[0] * 100)}–${Math.round(range[1] * 100)}%`),
      h('span', null, share(e.conversions)), showsMoney() && h('span', null, net ? `${currencySign()} ${roundMoney(own(e.net))}` : '–')];
  }

  /** @param {any} r @param {string} [cls] */
  function row(r, cls = '') {
    const word = valueWord(how.by, r.name), isNobody = r.name === 'unattributed';
    const dim = isNobody ? 'source' : how.by;
    const most = Math.max(...shown.models.map((/** @type {any} */ m) => r.models[m.model].conversions)), least = Math.min(...shown.models.map((/** @type {any} */ m) => r.models[m.model].conversions));
    const isApart = shown.disagreement.name === r.name;
    return h('tr', { class: `${cls} ${isApart ? 'apart' : ''}` }, h('th', { scope: 'row' }, h('button.cell', { type: 'button', 'data-dim': dim, 'data-value': r.name, 'data-focus': `row-${r.name}`, 'aria-label': `Only ${word}` },
      h('bdi.cut', { 'data-tip': word.length > 22 ? word : null }, word), icon('filter', 's fi'))),
    models().map((m) => {
      const e = r.models[m], mark = isApart && m !== ESTIMATE && most > least && (e.conversions === most ? 'high' : e.conversions === least ? 'low' : '');
      return h('td.num', { class: [m === how.model ? 'own' : '', mark || ''].join(' ') }, e.conversions || own(e.net).minor ? figures(e, m === how.model ? r.range : null) : '–');
    }),
    [r.assisted, r.influenced].map((e) => h('td.num.helped', null, e.conversions || own(e.net).minor ? [h('span', null, share(e.conversions)), showsMoney() && h('span', null, own(e.net).minor ? `${currencySign()} ${roundMoney(own(e.net))}` : '–')] : '–')));
  }

  return { el, draw };
}
