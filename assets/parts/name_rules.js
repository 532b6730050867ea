// Rules for names: several spellings under one. What a rule would change is shown before it is made; a rule taken away leaves
// everything as it was.

import { get, post, remove } from '../api.js';
import { h, fill, icon, announce } from '../dom.js';
import { count, money, plural } from '../format.js';
import { own } from './figures.js';
import { share } from './panel.js';
import { openDialog, dialogHead } from './menu.js';
import { nameTrial } from './name_trial.js';

const KINDS = [['source', 'Source'], ['medium', 'Medium'], ['campaign', 'Campaign']];

/** @param {import('../app.js').Params} p @param {{dimension: string, from: string, within: string}|null} preset @param {() => void} changed */
export function openNames(p, preset, changed) {
  const base = `/api/sites/${p.site.site}/rules`;
  const input = (/** @type {string} */ name, /** @type {string} */ value, /** @type {object} */ more = {}) => /** @type {HTMLInputElement} */ (h('input.in',
    { type: 'text', name, value, maxlength: 255, autocomplete: 'off', autocapitalize: 'none', spellcheck: 'false', ...more }));
  const kind = /** @type {HTMLSelectElement} */ (h('select.in', { name: 'dimension' }, KINDS.map(([id, word]) => h('option', { value: id, selected: id === (preset?.dimension ?? 'source') }, word))));
  const from = input('from', preset?.from ?? '', { required: true, autofocus: !preset, placeholder: 'fb' });
  const to = input('to', '', { required: true, autofocus: !!preset, placeholder: 'facebook' });
  const within = input('within', preset?.within ?? '', { placeholder: 'every source' });
  const withinBox = h('label.f', null, h('b', null, 'Only of this source'), within, h('small', null, 'Empty is every source.'));
  const said = h('p.error', { role: 'alert' });
  const shown = h('div.would', { role: 'status' });
  const look = /** @type {HTMLButtonElement} */ (h('button.btn.main', { type: 'submit' }, 'See what it would change'));
  const list = h('div.rules');

  const body = () => ({ dimension: kind.value, from: from.value, to: to.value, within: kind.value === 'source' ? null : within.value || null });
  const fresh = () => { withinBox.hidden = kind.value === 'source'; fill(shown); fill(said); look.hidden = false; };
  const failed = (/** @type {any} */ error) => {
    fill(said, error.message);
    const at = { from, to, within }[/** @type {'from'} */ (error.field)];
    at?.focus();
  };
  const figures = (/** @type {any} */ r) => [h('b', null, plural(r.visits, 'visit')), ', ', h('b', null, `${share(r.conversions)} ${r.conversions === 1 ? 'conversion' : 'conversions'}`), ' and ', h('b', null, money(own(r.net)))];

  const form = h('form.form.body', { novalidate: true, oninput: fresh, onsubmit: async (/** @type {Event} */ e) => {
    e.preventDefault();
    look.disabled = true;
    fill(said);
    try { would(await post(`${base}/preview`, body())); } catch (error) { failed(error); }
    look.disabled = false;
  } }, h('div.pair', null, h('label.f', null, h('b', null, 'What'), kind), withinBox), h('div.pair', null, h('label.f', null, h('b', null, 'Is spelt'), from), h('label.f', null, h('b', null, 'Show it as'), to)),
  said, shown, h('div.acts', null, look));

  /** @param {any} r */
  function would(r) {
    look.hidden = true;
    const nothing = !r.moved.visits && !r.moved.conversions && !own(r.moved.net).minor;
    const save = /** @type {HTMLButtonElement} */ (h('button.btn.main', { type: 'button', onclick: async () => {
      save.disabled = true;
      try {
        await post(base, body());
        announce('Saved');
        from.value = to.value = '';
        fresh();
        await fetchList();
        changed();
        from.focus();
      } catch (error) { save.disabled = false; failed(error); }
    } }, r.is_merge ? 'Merge them' : 'Rename it'));
    fill(shown, h('div.note', null, icon('again', 's'), h('p', null, nothing ? [`Nothing of the last ${count(r.days)} days has that name. `, 'The rule holds for what is still to come.']
      : [`Of the last ${count(r.days)} days `, figures(r.moved), ' move to ', h('b', null, h('bdi', null, r.into)), r.is_merge ? [', which has ', figures(r.there), ' already.'] : ', a name that nothing has yet.'],
    h('small.faint', null, ' What is stored keeps its words: take the rule away, and everything is as before.'))), h('div.acts', null, save,
      h('button.btn', { type: 'button', onclick: () => { fresh(); to.focus(); } }, 'Not now')));
    save.focus();
  }

  async function fetchList() {
    try {
      const { items } = await get(base);
      fill(list, h('h3', null, items.length ? plural(items.length, 'rule') : 'No rules yet'), items.length > 0 && h('ul', null, items.map(line)));
    } catch (error) { if (/** @type {any} */ (error).code !== 'signed_out') fill(list, h('p.error', { role: 'alert' }, /** @type {any} */ (error).message)); }
  }

  /** @param {any} r */
  const line = (r) => h('li', null, h('span.faint', null, KINDS.find(([id]) => id === r.dimension)?.[1] ?? r.dimension), h('span.cut', null, h('bdi', null, r.from), ' → ', h('b', null, h('bdi', null, r.to)),
    r.within && h('span.faint', null, ' of ', h('bdi', null, r.within))), h('button.btn.icon.bare.small', { type: 'button', 'aria-label': `Take away: ${r.from} is shown as ${r.to}`, 'data-tip': 'Take it away', onclick: async () => {
    try { await remove(`${base}/${r.id}`); announce('The rule is gone'); } catch (error) { fill(said, /** @type {any} */ (error).message); }
    await fetchList();
    changed();
  } }, icon('x', 's')));

  const trial = nameTrial(base, () => (from.value.trim() && to.value.trim() ? body() : null));
  form.addEventListener('change', () => trial.again());
  const { close } = openDialog({ label: 'Names', classes: 'names' }, [dialogHead('Names', () => close()), h('p.lead', null, 'One name for several spellings, in every figure and list. A receipt also says how it came.'), form, trial.el, list]);
  fresh();
  fetchList();
  (preset ? to : from).focus();
}
