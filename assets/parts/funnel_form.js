// A funnel in plain words: its steps one below the other, their order, and how long the way may take. Built in place.

import { post, remove } from '../api.js';
import { h, fill, icon, announce } from '../dom.js';
import { ownCurrency, unitOf } from '../format.js';
import { field } from './alone.js';
import { trouble } from './form.js';
import { confirm } from './menu.js';
import { KINDS, SOURCES, milestoneWord, sourceWord } from './funnel_words.js';

const MOST = 8, FEWEST = 2;
/** @type {[string, string, string][]} */
const ORDERS = [['in_order', 'In this order', 'Whatever else they do in between'], ['strict', 'One right after the other', 'No other step of this funnel in between, and none twice'],
  ['any', 'In any order after the first', 'A step counts once all above it are done']];

/**
 * @param {import('../app.js').Params} p @param {any} known the funnel that is changed; null for a new one
 * @param {string[]} milestones the words that a step may have on this site
 * @param {{saved: (id: string) => void, gone: () => void, left: () => void}} on
 */
export function funnelForm(p, known, milestones, on) {
  const base = `/api/sites/${p.site.site}/funnels`;
  /** @type {any[]} */ let steps = known ? known.steps.map((/** @type {any} */ s) => ({ ...s })) : [{ kind: 'page', path: '/' }, { kind: 'lead' }, { kind: 'order' }];
  const name = field('What it is called', h('input.in', { type: 'text', name: 'name', value: known?.name ?? '', maxlength: 60, autocomplete: 'off', placeholder: 'Prices to order' }),
    { check: (v) => (v.trim() ? null : 'It needs a name.') });
  const list = h('ol.ff-steps'), said = h('div.said', { role: 'alert' });
  const more = /** @type {HTMLButtonElement} */ (h('button.btn.small', { type: 'button', onclick: () => { steps.push({ kind: 'order' }); draw(steps.length - 1); } }, icon('plus', 's'), 'One more step'));
  const orders = h('fieldset.ff-orders', null, h('legend', null, 'In which order'), ORDERS.map(([id, word, note]) => h('label.choice', null,
    h('input', { type: 'radio', name: 'order', value: id, checked: (known?.order ?? 'in_order') === id }), h('span', null, h('b', null, word), h('small', null, note)))));
  const days = field('Within how many days of the first step', h('input.in', { type: 'text', name: 'window_days', inputmode: 'numeric', autocomplete: 'off', value: known?.window_days ?? '', maxlength: 3 }),
    { help: 'Empty: however long it takes.', check: (v) => (!v.trim() || (/^\d+$/.test(v.trim()) && +v >= 1 && +v <= 365) ? null : 'A number from 1 to 365, or nothing.') });

  /** @param {number} [focus] */
  function draw(focus) {
    fill(list, steps.map(line));
    more.disabled = steps.length >= MOST;
    if (focus !== undefined) /** @type {HTMLElement|null} */ (list.children[focus]?.querySelector('select'))?.focus();
  }

  /** @param {any} step @param {number} n */
  function line(step, n) {
    const at = n + 1;
    const kind = /** @type {HTMLSelectElement} */ (h('select.in', { 'aria-label': `Step ${at}: what they do`, onchange: () => { steps[n] = fresh(kind.value); draw(n); } },
      KINDS.map(([id, word]) => h('option', { value: id, selected: id === step.kind }, word))));
    const button = (/** @type {string} */ sign, /** @type {string} */ word, /** @type {() => void} */ act, /** @type {boolean} */ off) => h('button.btn.icon.small.bare', { type: 'button', 'aria-label': `${word} step ${at}`, disabled: off, onclick: act }, icon(sign, 's'));
    const swap = (/** @type {number} */ to) => () => { [steps[n], steps[to]] = [steps[to], steps[n]]; draw(to); };
    return h('li', null, h('span.ff-n', { 'aria-hidden': 'true' }, n ? 'then' : 'first'), kind, details(step, at),
      h('span.ff-acts', null, button('up', 'Move up', swap(n - 1), n === 0), button('down', 'Move down', swap(n + 1), n === steps.length - 1),
        button('x', 'Take away', () => { steps.splice(n, 1); draw(Math.min(n, steps.length - 1)); }, steps.length <= FEWEST)));
  }

  /** @param {string} kind */
  const fresh = (kind) => ({ page: { kind, path: '/' }, event: { kind, name: '' }, milestone: { kind, milestone: 'appointment_booked', source: null }, order: { kind, minimum: null }, custom: { kind, name: '' } }[kind] ?? { kind });

  /** @param {any} step @param {number} at */
  function details(step, at) {
    const text = (/** @type {string} */ key, /** @type {string} */ label, /** @type {string} */ place) => h('input.in', { type: 'text', 'aria-label': `Step ${at}: ${label}`, value: step[key] ?? '', placeholder: place, maxlength: 255, autocomplete: 'off', autocapitalize: 'none', spellcheck: 'false',
      oninput: (/** @type {Event} */ e) => { step[key] = /** @type {HTMLInputElement} */ (e.target).value; } });
    const choice = (/** @type {string} */ key, /** @type {string} */ label, /** @type {[string, string][]} */ options) => h('select.in', { 'aria-label': `Step ${at}: ${label}`, onchange: (/** @type {Event} */ e) => { step[key] = /** @type {HTMLSelectElement} */ (e.target).value || null; } },
      options.map(([id, word]) => h('option', { value: id, selected: (step[key] ?? '') === id }, word)));
    if (step.kind === 'page') return text('path', 'which page', '/pricing*');
    if (step.kind === 'event') return text('name', 'which event of the tag', 'add_to_cart');
    if (step.kind === 'custom') return text('name', 'what it is called', 'catalogue');
    if (step.kind === 'milestone') {
      const sources = [...new Set([...SOURCES, ...(step.source ? [step.source] : [])])];
      return h('span.ff-two', null, choice('milestone', 'which', milestones.map((m) => [m, milestoneWord(m)])), choice('source', 'told by', [['', 'told by anybody'], ...sources.map((s) => /** @type {[string, string]} */ ([s, `told by ${sourceWord(s)}`]))]));
    }
    if (step.kind === 'order') {
      const unit = unitOf();
      return h('span.in-wrap', null, h('input.in', { type: 'text', inputmode: 'decimal', 'aria-label': `Step ${at}: for how much at least, in ${ownCurrency()}`, placeholder: 'any', autocomplete: 'off', value: step.minimum ? String(step.minimum.minor / unit) : '',
        oninput: (/** @type {Event} */ e) => {
          const told = Number(/** @type {HTMLInputElement} */ (e.target).value.trim().replace(',', '.'));
          step.minimum = told > 0 ? { minor: Math.round(told * unit), currency: ownCurrency() } : null;
        } }), h('span.faint', null, `${ownCurrency()} or more`));
    }
    return h('span');
  }

  const save = /** @type {HTMLButtonElement} */ (h('button.btn.main', { type: 'submit' }, known ? 'Save' : 'Show this funnel'));
  const off = known && h('button.btn.danger', { type: 'button', onclick: async () => {
    const yes = await confirm({ title: `Take “${known.name}” away?`, yes: 'Take it away', danger: true, text: h('p', null, 'Only the question goes. What people did stays.') });
    if (!yes) return;
    try { await remove(`${base}/${known.funnel}`); announce('The funnel is gone'); on.gone(); } catch (error) { failed(error); }
  } }, 'Take away');

  const form = h('form.form.ff', { novalidate: true, 'aria-label': known ? `Change ${known.name}` : 'A new funnel', onsubmit: async (/** @type {Event} */ e) => {
    e.preventDefault();
    const bad = [name, days].find((f) => !f.valid());
    if (bad) { bad.input.focus(); return; }
    save.disabled = true;
    fill(said);
    const order = /** @type {HTMLInputElement|null} */ (form.querySelector('[name="order"]:checked'))?.value ?? 'in_order';
    const body = { name: name.input.value.trim(), steps, order, window_days: days.input.value.trim() ? Number(days.input.value.trim()) : null };
    try {
      const made = await post(known ? `${base}/${known.funnel}` : base, body);
      announce('Saved');
      on.saved(made.funnel);
    } catch (error) { failed(error); }
    save.disabled = false;
  } }, name.el, h('div', null, h('h3', null, 'People who …'), list, more), orders, days.el,
  h('p.hint', null, 'A page counts where a visit began on it, or where your tag told of something that was done on it. Pages that are only looked at on the way are not kept. * stands for anything: /shop/* is every page of the shop.'),
  said, h('div.acts', null, save, h('button.btn', { type: 'button', onclick: () => on.left() }, 'Not now'), off));

  /** @param {any} error */
  function failed(error) {
    if (error.code === 'signed_out') return;
    const at = [name, days].find((f) => f.input.getAttribute('name') === error.field);
    if (at) { at.say(error.message); at.input.focus(); } else fill(said, trouble(error.message));
  }

  draw();
  return { el: form, focus: () => name.input.focus() };
}
