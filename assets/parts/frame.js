// The frame round every page: rail, bar with its chips, tabs on a narrow screen.

import { h, add, fill, icon, kbd, isNarrow } from '../dom.js';
import { isOffline } from '../api.js';
import { backupLine, backupStrip, watchBackups } from './backup.js';
import { needsStrip } from './needs.js';
import { span, MODELS, windowName, DIMENSIONS, valueWord, connections, count, clockSeconds, RANGES, plural } from '../format.js';

/** @typedef {typeof import('../app.js').app} App */

const menus = () => import('./menus.js');

/** @param {App} app */
export function createFrame(app) {
  const rail = h('nav.rail', { 'aria-label': 'Pages' });
  const bar = h('header.bar', { 'aria-label': 'View' });
  const main = /** @type {HTMLElement} */ (h('main.page', { id: 'page', tabindex: '-1' }));
  const dock = h('nav.dock', { 'aria-label': 'Pages' });
  const seen = h('span.now', { 'aria-live': 'off' });
  const needs = needsStrip(app);
  const el = h('div.app', null,
    h('a.skip', { href: '#page', onclick: (/** @type {Event} */ e) => { e.preventDefault(); main.focus(); } }, 'To the page'),
    rail, h('div.pane', null, bar, needs.el, main), dock);
  let railFor = '';
  // Heads of tables stick below the bar, whose height depends on the chips in it.
  watchBackups(app, () => { railFor = ''; if (el.isConnected && app.view) update(); });
  new ResizeObserver(() => el.style.setProperty('--under-bar', `${bar.offsetHeight}px`)).observe(bar);

  const update = () => {
    const key = [app.site?.site, app.page?.path, app.site?.first_touch_at, app.view].join(' ');
    if (key !== railFor) { keepingFocus(rail, () => fill(rail, railParts(app))); fill(dock, dockParts(app)); railFor = key; }
    keepingFocus(bar, () => fill(bar, app.me?.demo && demoStrip(), backupStrip(app), barParts(app, seen)));
    visitors();
  };
  const visitors = () => {
    if (app.visitors === null) { fill(seen); return; }
    seen.title = 'Visitors in the last five minutes';
    fill(seen, icon('dot', 's'), h('b', null, count(app.visitors)), h('span', null, ' on the site now'));
  };

  return {
    el, main, update, visitors, needs,
    pageHref: (/** @type {import('../app.js').Page} */ page) => pageHref(app, page),
    /** @param {'filter'|'custom'|'segments'} what opened by its key */
    open(what) {
      const anchor = /** @type {HTMLElement} */ (bar.querySelector(`[data-focus="${what === 'custom' ? 'date' : 'filter'}"]`));
      if (isNarrow() && what === 'filter') { menus().then((m) => m.viewSheet(app)); return; }
      if (what === 'segments') import('./segments.js').then((m) => m.segmentsMenu(app, visible(bar, 'filter') ?? visible(bar, 'sheet') ?? anchor));
      else if (what === 'filter') import('./filter.js').then((m) => m.filterMenu(app, anchor));
      else menus().then((m) => m.dateMenu(app, visible(bar, 'date') ?? anchor, true));
    },
  };
}

/** @param {Element} bar @param {string} name */
const visible = (bar, name) => /** @type {HTMLElement[]} */ ([...bar.querySelectorAll(`[data-focus^="${name}"]`)]).find((x) => x.offsetParent);

const demoStrip = () => h('p.demo', null, h('b', null, 'Demo'), ' Invented shops, thrown away when you stop it.');

/** Redraws a container and gives the focus back to the control that had it. @param {Element} box @param {() => void} draw */
function keepingFocus(box, draw) {
  const name = box.contains(document.activeElement) ? document.activeElement?.getAttribute('data-focus') : null;
  draw();
  if (name) /** @type {HTMLElement|null} */ (box.querySelector(`[data-focus="${CSS.escape(name)}"]`))?.focus();
}

/** Range and lens go along to the next page; filters and search belong to the page they were made on. @param {App} app @param {import('../app.js').Page} page */
function pageHref(app, page) {
  return app.href(page.path, app.page === page ? undefined : app.view?.only([]));
}

/** @param {App} app */
const shownPages = (app) => app.pages.filter((p) => p.shown?.(/** @type {any} */ (app.site)) ?? true);

// ---- rail ----

/** @param {App} app */
function railParts(app) {
  const out = [h('div.brand', null, icon('halo'), 'HaloTrack')];
  let group = '';
  for (const page of shownPages(app)) {
    if (page.group !== group) { out.push(h('h2', null, page.group)); group = page.group; }
    out.push(pageLink(app, page));
  }
  out.push(h('footer', null, backupLine(app), themeSwitch(app),
    h('p.who', null, icon('customers', 's'), h('span.cut', { 'data-tip': app.me?.user.email }, app.me?.user.name ?? app.me?.user.email),
      h('span.faint', null, app.site?.role)),
    h('button.out', { type: 'button', 'data-focus': 'out', onclick: () => app.signOut() }, icon('leave', 's'), 'Sign out')));
  return out;
}

/** @param {App} app @param {import('../app.js').Page} page */
function pageLink(app, page) {
  return h('a', { href: pageHref(app, page), 'data-focus': page.path, 'aria-current': app.page === page ? 'page' : null,
    'data-tip': `${page.name}: G then ${page.key}` }, icon(page.icon), page.name);
}

/** @param {App} app */
export function themeSwitch(app) {
  const choices = [['system', 'screen', 'As the system'], ['light', 'sun', 'Light'], ['dark', 'moon', 'Dark']];
  const seg = h('div.seg.theme', { role: 'group', 'aria-label': 'Colours' });
  const draw = () => fill(seg, choices.map(([id, sign, name]) => h('button', {
    type: 'button', 'aria-pressed': String(app.theme() === id), 'aria-label': name, 'data-tip': name, 'data-focus': `theme-${id}`,
    onclick: () => { app.setTheme(id); draw(); /** @type {HTMLElement|null} */ (seg.querySelector(`[data-focus="theme-${id}"]`))?.focus(); },
  }, icon(sign, 's'))));
  draw();
  return seg;
}

/** @param {App} app */
function dockParts(app) {
  return [
    ...shownPages(app).filter((p) => p.dock ?? true).slice(0, 4).map((p) => h('a', { href: pageHref(app, p), 'aria-current': app.page === p ? 'page' : null },
      icon(p.icon), p.name)),
    h('button', { type: 'button', 'data-focus': 'more', 'aria-haspopup': 'dialog', onclick: () => menus().then((m) => m.moreSheet(app)) }, icon('menu'), 'More'),
  ];
}

// ---- bar ----

/** @param {string} name @param {(m: typeof import('./menus.js'), anchor: HTMLElement) => void} open @param {object} [more] */
const opener = (name, open, more) => ({
  type: 'button', 'data-focus': name, 'aria-haspopup': 'dialog', ...more,
  onclick: (/** @type {Event} */ e) => { const anchor = /** @type {HTMLElement} */ (e.currentTarget); menus().then((m) => open(m, anchor)); },
});

/** @param {App} app @param {HTMLElement} seen */
function barParts(app, seen) {
  const view = /** @type {import('../app.js').View} */ (app.view);
  const use = app.use;
  const row = h('div.bar-row');
  add(row, h('button.btn.site', opener('site', (m, a) => m.siteMenu(app, a), { 'aria-label': `Site: ${app.site?.name}` }),
    h('b.cut', null, h('bdi', null, app.site?.name)), icon('caret', 'caret')));
  if (use.range) {
    const days = view.days();
    const earlier = view.shifted(-1), later = view.shifted(1);
    const named = RANGES.find((r) => r.id === view.range);
    add(row, h('div.join', null,
      h('button.btn.arrow.desk', { type: 'button', 'data-focus': 'earlier', 'aria-label': 'Earlier', 'data-tip': 'Earlier  ←', disabled: !earlier,
        onclick: () => earlier && app.go(earlier) }, icon('left', 's')),
      h('button.btn', opener('date', (m, a) => m.dateMenu(app, a), { 'data-tip': named && days ? span(...days) : null }), icon('calendar', 's'),
        h('span.desk', null, view.rangeName()), h('span.narrow', null, named?.short ?? view.rangeName()),
        named && days && days[0] !== days[1] && h('span.l.desk.wide', null, span(...days)), icon('caret', 'caret')),
      h('button.btn.arrow.desk', { type: 'button', 'data-focus': 'later', 'aria-label': 'Later', 'data-tip': 'Later  →', disabled: !later,
        onclick: () => later && app.go(later) }, icon('right', 's'))));
  }
  if (use.compare) add(row, h('button.btn.bare.desk', opener('compare', (m, a) => m.compareMenu(app, a)), h('span.l', null, 'vs'),
    view.comparedName(), icon('caret', 'caret')));
  if (use.lens) {
    add(row, h('span.sep.desk'), h('div.join.desk', null,
      h('button.btn', opener('model', (m, a) => m.modelMenu(app, a), { 'aria-label': `Model: ${MODELS[view.model]}` }), icon('lens', 's'), MODELS[view.model],
        icon('caret', 'caret')),
      h('button.btn', opener('window', (m, a) => m.windowMenu(app, a)), h('span.l', null, 'within'), windowName(view.window), icon('caret', 'caret'))),
    lensTag(app));
  }
  if (use.filters) {
    add(row, h('span.sep.desk'), h('button.btn.bare.desk',
      { type: 'button', 'data-focus': 'filter', 'aria-haspopup': 'dialog',
      onclick: (/** @type {Event} */ e) => { const a = /** @type {HTMLElement} */ (e.currentTarget); import('./filter.js').then((m) => m.filterMenu(app, a)); } },
      icon('filter', 's'), h('span.filter-word', null, 'Filter'), kbd('F')));
  }
  add(row, h('span.grow.desk'));
  if (isOffline()) add(row, h('span.off', { role: 'status' }, icon('alert', 's'), app.figuresAt ? `Offline. Figures of ${clockSeconds(app.figuresAt).slice(0, 5)}.`
    : 'Offline. Trying again by itself.'));
  else add(row, seen);
  add(row, h('button.btn.icon.bare.desk', opener('share', (m, a) => m.shareMenu(app, a), { 'aria-label': 'Share', 'data-tip': 'Share' }), icon('share')));
  if (use.exports || use.files) add(row, h('button.btn.icon.bare.desk',
    opener('export', (m, a) => m.exportMenu(app, a), { 'aria-label': 'Export', 'data-tip': 'Export what is shown' }), icon('export')));
  add(row, h('button.btn.icon.narrow',
    opener('sheet', (m) => m.viewSheet(app), { 'aria-label': `Filter and lens${view.filters.length ? `, ${plural(view.filters.length, 'filter')}` : ''}` }),
    icon('filter'), view.filters.length > 0 && h('span.n', null, view.filters.length)));
  return [row, chipRow(app)];
}

/** @param {App} app */
function lensTag(app) {
  const view = /** @type {import('../app.js').View} */ (app.view);
  if (view.isDefaultLens) return h('span.tag.faint.desk.wide', { 'data-tip': 'The books use this model and window' }, 'your default');
  return h('button.go.small.desk.back',
    { type: 'button', 'data-focus': 'lens-back', onclick: () => app.go({ model: view.site.model, window: String(view.site.window) }) }, 'back to your default');
}

/** Filters in force, each to be edited or crossed out; on a narrow screen the lens stands here too. @param {App} app */
function chipRow(app) {
  const view = /** @type {import('../app.js').View} */ (app.view);
  const dims = app.use.filters ?? [];
  const chips = view.filters.filter((f) => dims.includes(f.dim)).map((f) => chip(app, f));
  if (app.use.search && view.q) chips.push(h('span.chip', null, h('span', null, h('em', null, 'Search '), h('b', null, h('bdi', null, view.q))),
    h('button', { type: 'button', 'data-focus': 'chip-q', 'aria-label': 'Clear the search', onclick: () => app.go({ q: '' }) }, icon('x', 's'))));
  const lens = app.use.lens ? [
    h('button.chip-s.narrow', opener('chip-model', (m, a) => m.modelMenu(app, a)), icon('lens', 's'), MODELS[view.model]),
    h('button.chip-s.narrow', opener('chip-window', (m, a) => m.windowMenu(app, a)), `within ${windowName(view.window)}`),
  ] : [];
  if (!chips.length && !lens.length) return null;
  return h('div.chips', { class: chips.length ? '' : 'narrow-only' }, lens, chips,
    view.filters.length > 0 && app.hasSegments && h('button.btn.bare.small', { type: 'button', 'data-focus': 'keep', 'aria-haspopup': 'dialog', 'data-tip': 'Keep these filters under a name',
      onclick: (/** @type {Event} */ e) => { const a = /** @type {HTMLElement} */ (e.currentTarget); import('./segments.js').then((m) => m.segmentsMenu(app, a, undefined, true)); } }, 'Keep'),
    chips.length > 0 && h('button.btn.bare.small', { type: 'button', 'data-focus': 'clear', onclick: () => app.go({ filters: [], q: '' }) },
      plural(chips.length, 'Clear', 'Clear all').replace(/^\d+ /, ''), kbd('Esc')));
}

/** @param {App} app @param {import('../app.js').Filter} f */
function chip(app, f) {
  const view = /** @type {import('../app.js').View} */ (app.view);
  if (f.dim === 'connection' && f.values.some((v) => !connections.has(v))) import('./named_connections.js').then((m) => m.knowConnections(app)).then((all) => { if (all?.length) app.updateBar(); });
  const words = f.values.map((v) => (f.has ? v : valueWord(f.dim, v)));
  const verb = f.has ? (f.not ? 'does not contain' : 'contains') : f.not ? (words.length > 1 ? 'is none of' : 'is not') : words.length > 1 ? 'is one of' : 'is';
  const said = words.length > 3 ? `${words.slice(0, 2).join(', ')} and ${words.length - 2} more` : words.join(', ');
  return h('span.chip', null,
    h('button.say', { type: 'button', 'data-focus': `chip-${f.dim}-${f.not}${f.has ? '-part' : ''}`, 'aria-haspopup': 'dialog', 'data-tip': words.length > 3 ? words.join(', ') : null,
      onclick: (/** @type {Event} */ e) => { const a = /** @type {HTMLElement} */ (e.currentTarget); import('./filter.js').then((m) => m.filterMenu(app, a, f)); } },
      DIMENSIONS[f.dim], ' ', h('em', null, verb), ' ', h('b', null, h('bdi', null, said))),
    h('button', { type: 'button', 'aria-label': `Remove: ${DIMENSIONS[f.dim]} ${verb} ${said}`,
      onclick: () => app.go({ filters: view.filters.filter((x) => x !== f) }) }, icon('x', 's')));
}
