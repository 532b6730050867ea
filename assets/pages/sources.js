// Sources and campaigns: a tree from the channel down to the content of one campaign, with the columns that somebody chose.

import { get } from '../api.js';
import { h, fill, icon, announce, styles } from '../dom.js';
import { dayOf, today, plural, LENSES } from '../format.js';
import { comparedNote } from '../parts/compared.js';
import { campaignTree } from '../parts/campaign_tree.js';
import { offered, chosen, chooseColumns, sawSpend } from '../parts/source_columns.js';
import { leftOut } from '../parts/left_out.js';

export const title = 'Sources';

export const ready = Promise.all(['sources', 'spend'].map((name) => styles(new URL(`../css/${name}.css`, import.meta.url))));

/** What the table can be by; the tree goes down to the terms of a campaign's contents. */
const BY = [['', 'All levels'], ['medium', 'Medium'], ['content', 'Content'], ['term', 'Term'], ['landing', 'Landing page']];
/** @param {import('../app.js').View} view */
const byOf = (view) => BY.find(([id]) => id === view.by)?.[0] ?? '';

/** @type {import('../app.js').BarUse} */
export const bar = { range: true, lens: true, compare: true,
  filters: LENSES,
  files: [['What the table shows', 'reports/campaigns']], keys: [['↓ or ↑', 'Next row, row before'], ['→', 'Open the row'], ['←', 'Close it'], ['M', 'What to do with the row']] };

/** The tree's own file has a line for each campaign. @param {import('../app.js').View} view */
const fileOf = (view) => { bar.files = [['What the table shows', byOf(view) ? 'reports/sources' : 'reports/campaigns']]; };

/** The file has the columns and the order of the screen. @param {import('../app.js').View} view */
bar.fileQuery = (view) => {
  const ask = view.ask(bar);
  ask.set('columns', chosen(view.show).map((c) => c.id).join(','));
  if (!offered().some((c) => c.id === view.sort)) ask.delete('sort');
  if (byOf(view)) ask.set('by', byOf(view));
  return ask.toString();
};

/** @param {HTMLElement} root @param {import('../app.js').Params} params */
export function render(root, params) {
  fileOf(params.view);
  let p = params;
  const now = () => p, { app, site } = params, path = `/api/sites/${site.site}/reports/campaigns`, flatPath = `/api/sites/${site.site}/reports/sources`;
  let asked = '', gone = false, timer = 0;
  /** @type {any} */ let table = null;
  /** @type {AbortController|null} */ let running = null;

  const names = (/** @type {any} */ preset) => import('../parts/name_rules.js').then((m) => m.openNames(p, preset, () => load(true)));
  const tree = campaignTree(now, { below: (at) => get(path, below(at)), rename: names, spend: (preset) => import('../parts/spend_form.js').then((m) => m.openSpend(p, preset, () => load(true))), sort: (id) => app.go({ sort: id === 'net' ? '' : id }, { replace: true }) });
  const note = h('div', { hidden: true }), apart = h('p.apart', { hidden: true });
  const state = h('div', { role: 'status' }), tabs = h('div.tabs', { role: 'group', 'aria-label': 'By' });
  const box = h('section.sheet.sources', { 'aria-label': title, hidden: true }, h('header', null, h('h2.vh', null, 'Where it came from'), tabs, h('div.r', null,
    p.may && h('button.btn.small', { type: 'button', 'data-focus': 'names', 'aria-haspopup': 'dialog', 'data-tip': 'Several spellings under one name', onclick: () => names(null) }, 'Names'),
    h('button.btn.small', { type: 'button', 'data-focus': 'columns', 'aria-haspopup': 'dialog', onclick: (/** @type {Event} */ e) => chooseColumns(now, /** @type {HTMLElement} */ (e.currentTarget)) },
      'Columns', icon('caret', 'caret')))), note, tree.el, apart);
  fill(root, h('h1.vh', null, 'Sources and campaigns'), state, box);

  /** All time begins where the site does. */
  function question() {
    const ask = p.view.ask(bar);
    ask.delete('sort');
    if (!p.view.days()) {
      const begin = [site.first_touch_at, site.first_conversion_at].filter((x) => x !== null).sort()[0];
      ask.set('from', begin ? dayOf(begin) : today());
      ask.set('to', today());
    }
    return ask;
  }

  /** @param {{channel: string, source: string, campaign: string}} at */
  function below(at) {
    const ask = question();
    ask.set('in_channel', at.channel);
    ask.set('in_source', at.source);
    ask.set('in_campaign', at.campaign);
    return ask;
  }

  /** @param {boolean} [force] */
  async function load(force) {
    const ask = question(), by = byOf(p.view);
    if (by) { ask.set('by', by); ask.set('beside', 'ends'); ask.set('limit', '500'); }
    if (!force && table && ask.toString() === asked) { draw(); return; }
    running?.abort();
    const mine = running = new AbortController();
    asked = ask.toString();
    root.setAttribute('aria-busy', 'true');
    const dim = setTimeout(() => box.classList.add('dim'), 300);
    if (!table) fill(state, h('section.sheet', null, h('div.skeleton', { 'aria-hidden': 'true' }, Array.from({ length: 8 }, () => h('i')))));
    try {
      const answer = await get(by ? flatPath : path, ask, mine.signal);
      if (gone || mine !== running) return;
      table = answer;
      sawSpend(table);
      app.figuresAt = new Date().toISOString();
      tree.forget();
      draw();
      announce(plural(table.rows, by ? 'row' : 'channel'));
    } catch (error) {
      const err = /** @type {any} */ (error);
      if (mine.signal.aborted || gone || err.code === 'signed_out') return;
      asked = '';
      fill(state, h('section.sheet.said', null, h('div.trouble', { role: 'alert' }, icon('alert'), h('p', null, h('b', null, 'The figures could not be fetched.'), ` ${err.message} Nothing is lost: counting goes on.`),
        h('button.btn', { type: 'button', onclick: () => load(true) }, 'Try again'))));
    } finally { clearTimeout(dim); if (mine === running) { root.removeAttribute('aria-busy'); box.classList.remove('dim'); } }
  }

  function draw() {
    const by = byOf(p.view);
    fileOf(p.view);
    fill(tabs, BY.map(([id, name]) => h('button', { type: 'button', 'data-focus': `by-${id || 'all'}`, 'aria-pressed': String(id === by),
      onclick: () => app.go({ by: id }, { replace: true }) }, name)));
    box.hidden = !table.items.length;
    const said = leftOut(table.total);
    apart.hidden = !said;
    fill(apart, said);
    const days = p.view.days();
    note.hidden = !table.compare || !days;
    fill(note, table.compare && days && comparedNote(table, days));
    fill(state, !table.items.length && h('section.sheet', null, empty()));
    if (table.items.length) tree.draw(table, chosen(p.view.show), offered().some((c) => c.id === p.view.sort) ? p.view.sort : 'net', table.by ?? '');
  }

  function empty() {
    if (!site.first_touch_at && !site.first_conversion_at) return h('div.empty', null, icon('sources'), h('p', null, h('b', null, 'Here will stand where your visitors come from,'), ' as soon as the first one is counted.'),
      p.may && h('div.acts', null, h('a.btn', { href: app.href('install') }, 'Put the tag on your pages')));
    return h('div.empty', null, icon('calendar'), h('p', null, h('b', null, 'Nothing came in on these days.')),
      h('div.acts', null, h('button.btn', { type: 'button', onclick: () => app.go({ range: 'all', filters: [] }) }, 'Show all time')));
  }

  app.suggest = (dim) => {
    if (!table) return [];
    if (table.by) return table.by !== dim ? [] : table.items.slice(0, 12).map((/** @type {any} */ r) => ({ value: r.name, count: r.visits || undefined }));
    const channels = table.items.filter((/** @type {any} */ r) => r.items);
    const sources = channels.flatMap((/** @type {any} */ r) => r.items), campaigns = sources.flatMap((/** @type {any} */ r) => r.items ?? []);
    const rows = dim === 'channel' ? channels : dim === 'source' ? sources : dim === 'campaign' ? campaigns : [];
    /** @type {Map<string, number>} */ const sums = new Map();
    for (const r of rows) sums.set(r.name, (sums.get(r.name) ?? 0) + r.visits);
    return [...sums].sort((a, b) => b[1] - a[1]).slice(0, 12).map(([value, count]) => ({ value, count: count || undefined }));
  };

  load();

  return {
    /** @param {import('../app.js').Params} next */
    update(next) { const came = next.view.toString() === p.view.toString(); p = next; load(came); },
    /** @param {string} name */
    live(name) {
      const days = p.view.days();
      if (document.hidden || (days && days[1] < today()) || (name !== 'conversion' && name !== 'again')) return;
      clearTimeout(timer);
      timer = setTimeout(() => { if (!gone) load(true); }, 800);
    },
    key: (/** @type {KeyboardEvent} */ e) => tree.key(e),
    leave() { gone = true; root.removeAttribute('aria-busy'); clearTimeout(timer); running?.abort(); },
  };
}
