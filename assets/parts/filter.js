// The filter: a dimension; is, is not, contains or does not; one value or several. An amount is from, up to, or both.

import { get } from '../api.js';
import { h, fill, icon } from '../dom.js';
import { DIMENSIONS, CONSENTS, BUYERS, valueWord, count, currencySign } from '../format.js';
import { offeredDims } from '../filters.js';
import { pop, menuItem } from './menu.js';
import { knowConnections } from './named_connections.js';

/** @typedef {import('../app.js').Filter} Filter */

/** Words that are somebody's own, so that a part of one can be asked. */
const FREE = ['channel', 'source', 'medium', 'campaign', 'content', 'term', 'landing', 'referrer'];
/** Dimensions with few values, offered whether or not the page has seen them. @type {Record<string, string[]>} */
const CLOSED = { kind: ['sale', 'lead', 'signup', 'custom'], device: ['mobile', 'desktop', 'tablet', 'unknown'], consent: Object.keys(CONSENTS), chat: ['yes', 'no'], customers: Object.keys(BUYERS),
  match: ['session', 'code', 'click', 'email', 'phone', 'customer_id', 'coupon', 'imported', 'stated', 'none'],
  status: ['paid', 'pending', 'part_refunded', 'refunded', 'cancelled', 'new', 'contacted', 'qualified', 'won', 'lost'],
  click: ['gclid', 'fbclid', 'msclkid', 'ttclid', 'li_fat_id', 'epik', '(not set)'] };
/** What a dimension means where its name does not say it. @type {Record<string, string>} */
const NOTES = { customers: 'By the sale: new where it is its buyer’s first one. Leads are none of these.', connection: 'The one that told of it, or was told.' };
const VERBS = /** @type {[boolean, boolean, string][]} */ ([[false, false, 'is'], [true, false, 'is not'], [false, true, 'contains'], [true, true, 'without']]);

/**
 * @param {import('./frame.js').App} app @param {HTMLElement} anchor
 * @param {Filter} [edit] the chip that was pressed; none opens the list of dimensions
 * @param {() => void} [done]
 */
export function filterMenu(app, anchor, edit, done) {
  const view = /** @type {import('../app.js').View} */ (app.view);
  const dims = offeredDims(app);
  const box = h('div.filter');
  const list = () => [h('p.lead', null, 'Or press any value in the table; with Alt it is left out.'),
    app.hasSegments && [menuItem({ name: 'Segments…', sign: 'filter', key: 'S', act: () => { menu.close(); import('./segments.js').then((m) => m.segmentsMenu(app, anchor, done)); } }), h('hr')],
    ...dims.map((dim) => menuItem({ name: DIMENSIONS[dim], act: () => { fill(box, form({ dim, not: false, values: [] })); focus(); } }))];
  const focus = () => /** @type {HTMLElement|null} */ (box.querySelector('input[type=text], input[type=checkbox], input[type=number]'))?.focus();

  const back = () => {
    fill(box, list());
    /** @type {HTMLElement|null} */ (box.querySelector('[data-item]'))?.focus();
  };

  /** @param {Filter} f */
  const form = (f) => {
    let not = f.not, has = !!f.has;
    const verbs = VERBS.filter(([, part]) => !part || FREE.includes(f.dim));
    const seg = h('div.seg', { role: 'group', 'aria-label': 'How' });
    const fields = h('div.filter-fields');
    const values = f.dim === 'amount' ? band(f) : words(f);
    const draw = () => {
      fill(seg, verbs.map(([n, part, word]) => h('button', { type: 'button', 'data-focus': `how-${n}-${part}`, 'aria-pressed': String(not === n && has === part), onclick: () => {
        not = n; has = part; draw();
        /** @type {HTMLElement|null} */ (seg.querySelector('[aria-pressed=true]'))?.focus();
      } }, word)));
      fill(fields, values.parts(has));
    };
    draw();
    return h('form.form', { onsubmit: (/** @type {Event} */ e) => {
      e.preventDefault();
      const chosen = values.chosen(has);
      if (!chosen) return;
      const rest = view.filters.filter((x) => x !== edit && !(x.dim === f.dim && x.not === not && !!x.has === has));
      menu.close();
      done?.();
      app.go({ filters: chosen.length ? [...rest, { dim: f.dim, not, has, values: chosen }] : rest });
    } },
    h('b', null, DIMENSIONS[f.dim]), seg, fields,
    h('div.spread', null,
      h('button.btn.bare', { type: 'button', onclick: () => (edit ? menu.close() : back()) }, edit ? 'Not now' : [icon('left', 's'), 'Back']),
      h('button.btn.main', { type: 'submit' }, 'Filter')));
  };

  /** Values to tick, and room for another one. @param {Filter} f */
  function words(f) {
    const chosen = new Set(f.has ? [] : f.values), ticks = h('div.values');
    const isListed = !!CLOSED[f.dim] || f.dim === 'connection', note = h('small.faint', null, NOTES[f.dim]);
    const seen = app.suggest(f.dim);
    const put = (/** @type {{value: string, count?: number}[]} */ known) => {
      const offered = [...known, ...[...CLOSED[f.dim] ?? [], ...chosen].filter((v, i, all) => all.indexOf(v) === i && !known.some((o) => o.value === v))
        .map((value) => ({ value, count: undefined }))];
      fill(ticks, offered.map((o) => h('label.check', null,
        h('input', { type: 'checkbox', checked: chosen.has(o.value),
          onchange: (/** @type {Event} */ e) => { if (/** @type {HTMLInputElement} */ (e.target).checked) chosen.add(o.value); else chosen.delete(o.value); } }),
        h('span.cut', null, h('bdi', null, valueWord(f.dim, o.value))), o.count !== undefined && h('span.faint.num', null, count(o.count)))));
      ticks.hidden = !offered.length;
    };
    put(seen);
    // What the page has not seen the server knows: the largest of these days, whatever else is filtered.
    if (!seen.length && !CLOSED[f.dim] && (FREE.includes(f.dim) || f.dim === 'country') && f.dim !== 'referrer') known(f.dim).then((all) => { if (all.length && ticks.isConnected) put(all); });
    if (f.dim === 'connection') knowConnections(app, true).then((all) => { if (!ticks.isConnected) return; if (all?.length) put(all); else if (ticks.hidden) fill(note, 'Nothing is connected yet.'); });
    const input = (/** @type {string} */ label, /** @type {string} */ hint, /** @type {string} */ value = '') => /** @type {HTMLInputElement} */ (h('input.in',
      { type: 'text', 'aria-label': label, placeholder: hint, value, autocomplete: 'off', autocapitalize: 'none', spellcheck: 'false', maxlength: 255 }));
    const other = input('Another value', 'Another value, exactly as it stands');
    const part = input('A part of it', 'A part of it, capitals or not', f.has ? f.values.join(', ') : '');
    return {
      parts: (/** @type {boolean} */ has) => (has ? [part, h('small.faint', null, 'Several, with commas between them: one of them.')] : [ticks, NOTES[f.dim] && note, !isListed && other]),
      chosen: (/** @type {boolean} */ has) => {
        if (has) return part.value.split(',').map((v) => v.trim()).filter(Boolean);
        if (other.value.trim()) chosen.add(other.value.trim());
        return [...chosen];
      },
    };
  }

  /** @param {string} dim @returns {Promise<{value: string, count?: number}[]>} */
  async function known(dim) {
    const ask = view.with({ filters: [] }).ask({ range: true });
    ask.delete('sort');
    ask.set('limit', '12');
    if (dim !== 'country') ask.set('by', dim);
    try {
      const table = await get(`/api/sites/${app.site?.site}/reports/${dim === 'country' ? 'countries' : 'sources'}`, ask);
      return table.items.map((/** @type {any} */ r) => ({ value: r.name, count: r.visits || undefined }));
    } catch { return []; }
  }

  /** One band of amounts. @param {Filter} f */
  function band(f) {
    const [low, high] = (f.values[0] ?? '').split('..');
    const input = (/** @type {string} */ name, /** @type {string|undefined} */ value) => /** @type {HTMLInputElement} */ (h('input.in',
      { type: 'number', name, step: 'any', inputmode: 'decimal', value: value ?? '' }));
    const from = input('from', low), to = input('to', high), said = h('p.error', { role: 'alert' });
    return {
      parts: () => [h('div.pair', null, h('label.f', null, h('b', null, `From, ${currencySign()}`), from), h('label.f', null, h('b', null, 'Up to'), to)),
        h('small.faint', null, 'Before refunds, both ends included. Other currencies count by their own figure.'), said],
      chosen: () => {
        if (!from.value && !to.value) return [];
        if (from.value && to.value && Number(from.value) > Number(to.value)) { fill(said, 'The first is larger than the second.'); from.focus(); return null; }
        return [`${from.value}..${to.value}`];
      },
    };
  }

  fill(box, edit ? form(edit) : list());
  const menu = pop(anchor, 'Filter', box, 'wide');
  if (edit) focus();
}
