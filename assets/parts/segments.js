// Segments: filters under a name, one's own or everybody's. Choosing one puts its filters into the address, where they can be
// changed and sent on; the segment itself stays as it is.

import { get, post, remove } from '../api.js';
import { h, add, fill, icon, announce } from '../dom.js';
import { DIMENSIONS, valueWord } from '../format.js';
import { heard, told } from '../filters.js';
import { pop, menuItem, confirm } from './menu.js';
import { knowConnections } from './named_connections.js';

/** @typedef {{segment: string, name: string, filters: Record<string, string[]>, scope: 'mine'|'site', may_change: boolean}} Segment */

/** As the API has them. @param {import('../app.js').Filter[]} all @param {string[]} dims @returns {Record<string, string[]>} */
function written(all, dims) {
  /** @type {Record<string, string[]>} */ const out = {};
  for (const f of all) if (dims.includes(f.dim)) out[f.dim] = [...out[f.dim] ?? [], ...f.values.map((v) => told(f, v))];
  return out;
}

/** As the view has them. @param {Record<string, string[]>} filters @returns {import('../app.js').Filter[]} */
function filtersOf(filters) {
  return Object.entries(filters).flatMap(([dim, values]) => [false, true].flatMap((not) => [false, true].map((has) => ({ dim, not, has,
    values: values.map(heard).filter((v) => v.not === not && v.has === has).map((v) => v.value) })))).filter((f) => f.values.length);
}

/** "Channel contains paid, Amount from 50" @param {Record<string, string[]>} filters */
const said = (filters) => filtersOf(filters).map((f) => `${DIMENSIONS[f.dim]} ${f.has ? f.not ? 'without ' : 'contains ' : f.not ? 'not ' : ''}${f.values.map((v) => (f.has ? v : valueWord(f.dim, v))).join(', ')}`).join(' · ');

/** @param {Record<string, string[]>} filters */
const key = (filters) => JSON.stringify(Object.entries(filters).map(([dim, values]) => [dim, [...values].sort()]).sort());

/**
 * @param {import('./frame.js').App} app @param {HTMLElement} anchor @param {() => void} [done] a sheet that lies below is closed
 * @param {boolean} [keeps] straight to keeping what is filtered now
 */
export function segmentsMenu(app, anchor, done, keeps = false) {
  const view = /** @type {import('../app.js').View} */ (app.view), dims = app.use.filters ?? [];
  const base = `/api/sites/${app.site?.site}/segments`, now = written(view.filters, dims);
  const hasNow = Object.keys(now).length > 0, mayAll = app.site?.role === 'owner' || app.site?.role === 'editor';
  const box = h('div.filter.segments');
  /** @type {Segment[]|null} */ let all = null;

  const put = (/** @type {Segment} */ s) => {
    menu.close();
    done?.();
    const filters = filtersOf(s.filters).filter((f) => dims.includes(f.dim));
    app.go({ filters });
    announce(`Segment ${s.name}`);
  };

  function draw() {
    if (!all) { fill(box, h('p.lead', null, 'One moment …')); return; }
    const group = (/** @type {string} */ title, /** @type {Segment[]} */ list) => list.length > 0 && [h('h3.group', null, title), list.map((s) => h('div.seg-line', null,
      menuItem({ name: h('bdi', null, s.name), note: said(s.filters), on: hasNow && key(s.filters) === key(now), act: () => put(s) }),
      s.may_change && h('button.btn.icon.bare.small', { type: 'button', 'aria-label': `Change ${s.name}`, 'data-tip': 'Change or take away', onclick: () => edit(s) }, icon('menu', 's'))))];
    fill(box, !all.length && h('p.lead', null, hasNow ? 'No segments yet. Keep these filters under a name and have them again with one key.'
      : 'No segments yet. Filter first, then keep the filters under a name.'),
    group('Yours', all.filter((s) => s.scope === 'mine')), group('Everybody’s', all.filter((s) => s.scope === 'site')),
    hasNow && [all.length > 0 && h('hr'), menuItem({ name: 'Keep these filters…', sign: 'plus', act: () => edit(null) })]);
  }

  /** @param {Segment|null} s */
  function edit(s) {
    const name = /** @type {HTMLInputElement} */ (h('input.in', { type: 'text', name: 'name', value: s?.name ?? '', maxlength: 60, required: true, autocomplete: 'off', placeholder: 'Paid ads' }));
    const both = /** @type {HTMLInputElement} */ (h('input', { type: 'checkbox', name: 'site' }));
    const fresh = /** @type {HTMLInputElement} */ (h('input', { type: 'checkbox', name: 'fresh' }));
    const error = h('p.error', { role: 'alert' });
    const differs = s && hasNow && key(s.filters) !== key(now);
    const failed = (/** @type {any} */ e) => { fill(error, e.message); name.focus(); };
    fill(box, h('form.form', { onsubmit: async (/** @type {Event} */ e) => {
      e.preventDefault();
      try {
        if (s) await post(`${base}/${s.segment}`, { name: name.value, ...(fresh.checked ? { filters: now } : {}) });
        else await post(base, { name: name.value, filters: now, scope: both.checked ? 'site' : 'mine' });
        announce('Kept');
        app.toast(`Kept as ${name.value.trim()}. S opens it again.`);
        menu.close();
      } catch (err) { failed(err); }
    } }, h('label.f', null, h('b', null, 'Name'), name), h('p.small.faint', null, said(s ? s.filters : now)),
    !s && mayAll && h('label.check', null, both, h('span', null, 'For everybody on this site')),
    differs && h('label.check', null, fresh, h('span', null, 'Put the filters of now in their place')), error,
    h('div.spread', null, s ? h('button.btn.bare', { type: 'button', 'data-focus': 'segment-gone', onclick: async () => {
      menu.close();
      const sure = await confirm({ title: `Take ${s.name} away?`, text: 'Addresses that were copied keep their filters.', yes: 'Take it away', danger: true });
      if (!sure) return;
      try { await remove(`${base}/${s.segment}`); app.toast(`${s.name} is gone`); } catch (err) { app.toast(/** @type {any} */ (err).message); }
    } }, 'Take it away') : h('span'), h('button.btn.main', { type: 'submit' }, s ? 'Save' : 'Keep'))));
    name.focus();
  }

  const menu = pop(anchor, 'Segments', box, 'wide');
  if (keeps && hasNow) { edit(null); return; }
  draw();
  get(base).then(async ({ items }) => {
    if (items.some((/** @type {Segment} */ s) => s.filters.connection)) await knowConnections(app);
    all = items;
    if (!box.isConnected) return;
    draw();
    /** @type {HTMLElement|null} */ (box.querySelector('[aria-current], [data-item]'))?.focus();
  }, (err) => { if (err.code !== 'signed_out') { fill(box); add(box, h('p.error', { role: 'alert' }, err.message)); } });
}
