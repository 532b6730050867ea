// The menus of the bar, and the two sheets that stand for them on a narrow screen.

import { h, add, fill, icon, copyButton } from '../dom.js';
import { RANGES, MODELS, MODEL_NOTES, WINDOWS, windowName, span, today, addDays, daysIn, plural, DIMENSIONS } from '../format.js';
import { pop, menuItem, openDialog, dialogHead } from './menu.js';
import { offeredDims } from '../filters.js';
import { backupLine } from './backup.js';
import { themeSwitch } from './frame.js';

/** @typedef {import('./frame.js').App} App */
/** @typedef {import('../app.js').View} View */

/** @param {App} app @param {HTMLElement} anchor */
export function siteMenu(app, anchor) {
  const items = (app.me?.sites ?? []).map((s, i) => menuItem({
    name: h('bdi', null, s.name), note: s.domains[0], on: s.site === app.site?.site, key: i < 9 ? String(i + 1) : undefined,
      href: `/dashboard/${s.site}/${app.page?.path}`,
  }));
  pop(anchor, 'Sites', [h('div.list', null, items), h('hr'),
    menuItem({ name: 'The line for your pages', sign: 'code', href: app.href('install') }),
    app.me?.may_add_site && menuItem({ name: 'Add a site', sign: 'plus', href: '/dashboard/+site' })]);
}

/** @param {App} app @param {HTMLElement} anchor @param {boolean} [custom] straight to the two dates */
export function dateMenu(app, anchor, custom = false) {
  const view = /** @type {View} */ (app.view);
  const box = h('div.dates');
  const named = () => {
    let group = 0;
    const out = [];
    for (const r of RANGES) {
      if (group && r.group !== group) out.push(h('hr'));
      group = r.group;
      out.push(menuItem({ name: r.name, key: r.key, on: view.range === r.id, act: () => { menu.close(); app.go({ range: r.id }); } }));
    }
    out.push(menuItem({ name: 'Custom…', key: 'C', on: view.range === 'custom', act: () => fill(box, dates()) }));
    return out;
  };
  const dates = () => {
    const days = view.days() ?? [today(), today()];
    const from = /** @type {HTMLInputElement} */ (h('input.in', { type: 'date', name: 'from', value: days[0], max: today(), required: true, autofocus: true }));
    const to = /** @type {HTMLInputElement} */ (h('input.in', { type: 'date', name: 'to', value: days[1], max: today(), required: true }));
    const form = h('form.form.custom', { onsubmit: (/** @type {Event} */ e) => {
      e.preventDefault();
      const [a, b] = from.value <= to.value ? [from.value, to.value] : [to.value, from.value];
      menu.close();
      app.go({ range: 'custom', from: a, to: b });
    } }, h('label.f', null, h('b', null, 'From'), from), h('label.f', null, h('b', null, 'To, that day included'), to),
      h('button.btn.main', { type: 'submit' }, 'Show these days'));
    setTimeout(() => from.focus());
    return form;
  };
  fill(box, custom ? dates() : named());
  const menu = pop(anchor, 'Days', box);
}

/** Six, and the site's own where it is a seventh. @param {View} view */
const offeredModels = (view) => Object.keys(MODELS).filter((m) => m !== 'first_non_direct' || m === view.site.model || m === view.model);

/** @param {App} app @param {HTMLElement} anchor */
export function modelMenu(app, anchor) {
  const view = /** @type {View} */ (app.view);
  const menu = pop(anchor, 'Model', [h('p.lead', null, 'Which visit gets the credit. A lens only: stored credit never changes.'),
    ...offeredModels(view).map((m) => menuItem({
    name: [MODELS[m], ' ', m === view.site.model && h('span.tag.faint', null, 'your default')], note: MODEL_NOTES[m], on: m === view.model,
      act: () => { menu.close(); app.go({ model: m }); },
  }))], 'wide');
}

/** @param {App} app @param {HTMLElement} anchor */
export function windowMenu(app, anchor) {
  const view = /** @type {View} */ (app.view);
  const menu = pop(anchor, 'Window', [h('p.lead', null, 'How far back a visit may lie to count.'), ...WINDOWS.map((w) => menuItem({
    name: [w === 'unlimited' ? 'Any time' : windowName(w), ' ', w === String(view.site.window) && h('span.tag.faint', null, 'your default')], on: w === view.window,
      act: () => { menu.close(); app.go({ window: w }); },
  }))]);
}

/** What days can be compared with, each as a change of the view. @type {[string, string, string][]} */
const COMPARED = [['previous', '', 'The time before'], ['previous', 'weekday', 'The time before, same weekdays'], ['year', '', 'A year before, same weekdays'],
  ['year', 'date', 'A year before, same dates']];

/** @param {App} app @param {HTMLElement} anchor */
export function compareMenu(app, anchor) {
  const view = /** @type {View} */ (app.view), box = h('div.dates');
  const is = (/** @type {string} */ id, /** @type {string} */ align) => view.compare === id && view.align === align;
  fill(box, COMPARED.map(([id, align, name], i) => menuItem({ name, on: is(id, align), key: !i && view.compare === 'none' ? 'X' : undefined,
    act: () => { menu.close(); app.go({ compare: id, align }); } })), h('hr'),
  menuItem({ name: 'Days of your own…', note: view.compareFrom && view.compareTo ? span(view.compareFrom, view.compareTo) : undefined, on: view.compare === 'custom',
    act: () => fill(box, ownDays(app, () => menu.close())) }),
  menuItem({ name: 'Nothing', on: view.compare === 'none', key: view.compare === 'none' ? undefined : 'X', act: () => { menu.close(); app.go({ compare: 'none' }); } }));
  const menu = pop(anchor, 'Compare with', box);
}

/** Two days to compare with. As many as are shown are compared hour by hour. @param {App} app @param {() => void} done */
function ownDays(app, done) {
  const view = /** @type {View} */ (app.view), days = view.days() ?? [today(), today()];
  const before = view.compareFrom && view.compareTo ? [view.compareFrom, view.compareTo] : [addDays(days[0], -daysIn(...days)), addDays(days[0], -1)];
  const from = /** @type {HTMLInputElement} */ (h('input.in', { type: 'date', name: 'compare_from', value: before[0], max: today(), required: true }));
  const to = /** @type {HTMLInputElement} */ (h('input.in', { type: 'date', name: 'compare_to', value: before[1], max: today(), required: true }));
  const note = h('small');
  const count_ = () => { const n = from.value && to.value ? daysIn(from.value, to.value) : 0, all = daysIn(...days);
    fill(note, n === all ? '' : `${plural(Math.abs(n), 'day')} beside ${plural(all, 'day')}: their sums are of unlike times.`); };
  setTimeout(() => from.focus());
  count_();
  return h('form.form.custom', { oninput: count_, onsubmit: (/** @type {Event} */ e) => {
    e.preventDefault();
    const [a, b] = from.value <= to.value ? [from.value, to.value] : [to.value, from.value];
    done();
    app.go({ compare: 'custom', compareFrom: a, compareTo: b });
  } }, h('label.f', null, h('b', null, 'From'), from), h('label.f', null, h('b', null, 'To, that day included'), to), note,
  h('button.btn.main', { type: 'submit' }, 'Compare'));
}

/** @param {App} app @param {HTMLElement} anchor */
export function shareMenu(app, anchor) { pop(anchor, 'Share', shareParts(app), 'wide'); }

/** @param {App} app */
const shareParts = (app) => h('div.share', null, h('p.lead', null, 'The address holds the whole view: days, lens, filters. Colleagues with a login see the same.'),
  copyButton(() => location.href, 'Copy link'),
  (app.site?.role === 'owner' || app.site?.role === 'editor') && [h('p.lead', null, 'For somebody without a login there are share links: a part you choose, read-only.'),
    h('a.go', { href: app.href('settings', undefined, 'sharing') }, 'Share links')]);

/** @param {App} app @param {HTMLElement} anchor */
export function exportMenu(app, anchor) { pop(anchor, 'Export', exportParts(app), 'wide'); }

/** What a table's file is asked with: the view, and what only this page's tables know. @param {App} app @param {string} path */
function fileQuestion(app, path) {
  const view = /** @type {View} */ (app.view), ask = view.ask(app.use);
  if (app.use.fileQuery) return app.use.fileQuery(view);
  ask.delete('sort');
  if (view.by && path === 'reports/sources') ask.set('by', view.by);
  return ask.toString();
}

/** Exactly what is shown: the address of the list, with another ending. @param {App} app */
function exportParts(app) {
  const view = /** @type {View} */ (app.view);
  const days = view.days();
  if (app.use.files) {
    return [h('p.lead', null, `Each table as CSV, exactly as shown: ${days ? span(...days) : 'all time'}${view.isFiltered ? ', with these filters' : ''}.`),
      app.use.files.map(([name, path]) => menuItem({ name, sign: 'export', download: true,
        href: `/api/sites/${app.site?.site}/${path}.csv?${fileQuestion(app, path)}` }))];
  }
  const url = (/** @type {string} */ ending) => `/api/sites/${app.site?.site}/${app.use.exports}.${ending}?${view.ask(app.use)}`;
  return [h('p.lead', null, `Exactly what is shown: ${days ? span(...days) : 'all time'}${view.isFiltered ? ', with these filters' : ''}.`),
    menuItem({ name: 'CSV', note: 'for a spreadsheet', sign: 'export', href: url('csv'), download: true }),
    menuItem({ name: 'JSON lines', note: 'for a program', sign: 'export', href: url('jsonl'), download: true })];
}

/** Lens, filters, share and export on a narrow screen. @param {App} app */
export function viewSheet(app) {
  const view = /** @type {View} */ (app.view);
  const use = app.use;
  const pick = (/** @type {string} */ label, /** @type {string} */ value, /** @type {[string, string][]} */ choices,
    /** @type {(v: string) => void} */ act) => h('label.f', null, h('b', null, label),
    h('select.in', { onchange: (/** @type {Event} */ e) => act(/** @type {HTMLSelectElement} */ (e.target).value) },
      choices.map(([v, name]) => h('option', { value: v, selected: v === value }, name))));
  const body = h('div.body.form');
  const { close } = openDialog({ label: 'Filter and lens', slide: 'up' }, [dialogHead('Filter and lens', () => close()), body]);
  if (use.lens) {
    add(body, h('div.pair', null,
      pick('Model', view.model, offeredModels(view).map((m) => [m, MODELS[m]]), (model) => app.go({ model }, { replace: true })),
      pick('Window', view.window, WINDOWS.map((w) => [w, windowName(w)]), (window) => app.go({ window }, { replace: true }))),
    h('p.small.faint', null, `Your default: ${MODELS[view.site.model]}, within ${windowName(String(view.site.window))}.`));
  }
  if (use.compare) {
    const own = h('div');
    const now_ = view.compare === 'custom' || view.compare === 'none' ? view.compare : `${view.compare} ${view.align}`;
    add(body, pick('Compare with', now_, [...COMPARED.map(([id, align, name]) => /** @type {[string, string]} */ ([`${id} ${align}`, name])), ['custom', 'Days of your own…'], ['none', 'Nothing']],
      (choice) => {
        const [compare, align] = choice.split(' ');
        if (compare === 'custom') { fill(own, ownDays(app, () => close())); return; }
        fill(own);
        app.go({ compare, align: align ?? '' }, { replace: true });
      }), own);
  }
  if (use.range) {
    const earlier = view.shifted(-1), later = view.shifted(1);
    add(body, h('div.pair', null,
      h('button.btn', { type: 'button', disabled: !earlier, onclick: () => { close(); if (earlier) app.go(earlier); } }, icon('left', 's'), 'Earlier'),
      h('button.btn', { type: 'button', disabled: !later, onclick: () => { close(); if (later) app.go(later); } }, 'Later', icon('right', 's'))));
  }
  if (use.filters) {
    add(body, h('div', null, h('div.spread', null, h('h3', null, 'Filter by'), app.hasSegments && h('button.btn.small', { type: 'button', 'data-focus': 'sheet-segments', onclick: (/** @type {Event} */ e) => {
      const a = /** @type {HTMLElement} */ (e.currentTarget);
      import('./segments.js').then((m) => m.segmentsMenu(app, a, close));
    } }, 'Segments')),
      h('div.picks', null, offeredDims(app).map((dim) => h('button.btn', { type: 'button', 'data-focus': `pick-${dim}`, onclick: (/** @type {Event} */ e) => {
      const a = /** @type {HTMLElement} */ (e.currentTarget);
      import('./filter.js').then((m) => m.filterMenu(app, a, view.filters.find((f) => f.dim === dim) ?? { dim, not: false, values: [] }, close));
    } }, DIMENSIONS[dim])))));
  }
  add(body, h('hr'));
  add(body, shareParts(app));
  if (use.exports || use.files) add(body, h('div.flat', null, exportParts(app)));
}

/** All pages, colours and signing out on a narrow screen. @param {App} app */
export function moreSheet(app) {
  const { close } = openDialog({ label: 'More', slide: 'up' }, [dialogHead('More', () => close()), h('div.body', null,
    h('div.flat', null, app.pages.filter((p) => p.shown?.(/** @type {any} */ (app.site)) ?? true).map((p) => menuItem({ name: p.name, sign: p.icon,
      href: app.href(p.path), act: () => close() }))),
    h('div.flat', null, menuItem({ name: 'The line for your pages', sign: 'code', href: app.href('install'), act: () => close() })),
    h('hr'), backupLine(app), h('div.spread', null, h('span', null, 'Colours'), themeSwitch(app)),
    h('hr'), h('div.spread', null, h('span.cut', null, app.me?.user.email, h('span.faint', null, `, ${app.site?.role}`)),
      h('button.btn', { type: 'button', onclick: () => { close(); app.signOut(); } }, icon('leave', 's'), 'Sign out')))]);
}
