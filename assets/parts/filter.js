// The filter: a dimension, is or is not, one value or several.

import { h, fill, icon } from '../dom.js';
import { DIMENSIONS, valueWord, count } from '../format.js';
import { pop, menuItem } from './menu.js';

/**
 * @param {import('./frame.js').App} app @param {HTMLElement} anchor
 * @param {import('../app.js').Filter} [edit] the chip that was pressed; none opens the list of dimensions
 * @param {() => void} [done]
 */
export function filterMenu(app, anchor, edit, done) {
  const view = /** @type {import('../app.js').View} */ (app.view);
  const dims = app.use.filters ?? [];
  const box = h('div.filter');
  const list = () => [h('p.lead', null, 'Or press any value in the table; with Alt it is left out.'),
    ...dims.map((dim) => menuItem({ name: DIMENSIONS[dim], act: () => { fill(box, form({ dim, not: false, values: [] })); focus(); } }))];
  const focus = () => /** @type {HTMLElement|null} */ (box.querySelector('input[type=text], input[type=checkbox]'))?.focus();

  const back = () => {
    fill(box, list());
    /** @type {HTMLElement|null} */ (box.querySelector('[data-item]'))?.focus();
  };

  /** @param {import('../app.js').Filter} f */
  const form = (f) => {
    let not = f.not;
    const chosen = new Set(f.values);
    const offered = app.suggest(f.dim);
    for (const v of chosen) if (!offered.some((o) => o.value === v)) offered.push({ value: v });
    const seg = h('div.seg', { role: 'group', 'aria-label': 'Is or is not' });
    const draw = () => fill(seg, [false, true].map((n) => h('button', { type: 'button', 'aria-pressed': String(not === n), onclick: () => { not = n; draw(); } },
      n ? 'is not' : 'is')));
    draw();
    const other = /** @type {HTMLInputElement} */ (h('input.in',
      { type: 'text', 'aria-label': 'Another value', placeholder: offered.length ? 'Another value' : 'Value, exactly as it stands', autocomplete: 'off',
      spellcheck: 'false' }));
    return h('form.form', { onsubmit: (/** @type {Event} */ e) => {
      e.preventDefault();
      if (other.value.trim()) chosen.add(other.value.trim());
      const rest = view.filters.filter((x) => x !== edit && !(x.dim === f.dim && x.not === not));
      menu.close();
      done?.();
      app.go({ filters: chosen.size ? [...rest, { dim: f.dim, not, values: [...chosen] }] : rest });
    } },
    h('div.spread', null, h('b', null, DIMENSIONS[f.dim]), seg),
    offered.length > 0 && h('div.values', null, offered.map((o) => h('label.check', null,
      h('input', { type: 'checkbox', checked: chosen.has(o.value),
        onchange: (/** @type {Event} */ e) => { if (/** @type {HTMLInputElement} */ (e.target).checked) chosen.add(o.value); else chosen.delete(o.value); } }),
      h('span.cut', null, h('bdi', null, valueWord(f.dim, o.value))), o.count !== undefined && h('span.faint.num', null, count(o.count))))),
    other,
    h('div.spread', null,
      h('button.btn.bare', { type: 'button', onclick: () => (edit ? menu.close() : back()) }, edit ? 'Not now' : [icon('left', 's'), 'Back']),
      h('button.btn.main', { type: 'submit' }, 'Filter')));
  };

  fill(box, edit ? form(edit) : list());
  const menu = pop(anchor, 'Filter', box, 'wide');
  if (edit) focus();
}
