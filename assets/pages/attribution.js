// The attribution lab: all models side by side, where they disagree, the ways that lead to a conversion and the time they take.

import { get } from '../api.js';
import { h, fill, icon, announce, styles } from '../dom.js';
import { dayOf, today, plural, kindsWord, money, LENSES } from '../format.js';
import { own } from '../parts/figures.js';
import { labTable } from '../parts/lab_table.js';
import { waysTable } from '../parts/ways_table.js';
import { paceChart } from '../parts/pace_chart.js';

export const title = 'Attribution';

export const ready = styles(new URL('../css/attribution.css', import.meta.url));

/** What a row can be by. */
const BY = [['', 'Channel'], ['source', 'Source'], ['medium', 'Medium'], ['campaign', 'Campaign'], ['content', 'Content'], ['term', 'Term'], ['landing', 'Landing page']];
/** @param {import('../app.js').View} view */
const byOf = (view) => BY.find(([id]) => id === view.by)?.[0] ?? '';
/** What is left out stands in the address as words. @param {import('../app.js').View} view */
const leftOut = (view) => ['direct', 'unattributed'].filter((word) => view.show.split(',').includes(word));
/** How many visits the estimate remembers. @param {import('../app.js').View} view */
const orderOf = (view) => ['1', '2', '3'].find((n) => n === view.each) ?? '1';

/** @type {import('../app.js').BarUse} */
export const bar = { range: true, lens: true, filters: LENSES,
  files: [['All models', 'reports/attribution'], ['Ways to a conversion', 'reports/paths'], ['Time to convert', 'reports/time_to_convert']] };

/** Files are of what is on the screen. @param {import('../app.js').View} view */
bar.fileQuery = (view) => question(view).toString();

/** @param {import('../app.js').View} view */
function question(view) {
  const ask = view.ask(bar), out = leftOut(view);
  ask.delete('sort');
  if (byOf(view)) ask.set('by', byOf(view));
  if (out.length) ask.set('without', out.join(','));
  return ask;
}

/** @param {HTMLElement} root @param {import('../app.js').Params} params */
export function render(root, params) {
  let p = params, gone = false, timer = 0, asked = '', askedMore = '';
  const now = () => p, { app, site } = params, base = `/api/sites/${site.site}/reports`;
  /** @type {any} */ let table = null;
  /** @type {any} */ let estimated = null;
  /** @type {AbortController|null} */ let running = null;

  const tabs = h('div.tabs', { role: 'group', 'aria-label': 'By' }), state = h('div', { role: 'status' });
  const said = h('p.lab-said', { 'aria-live': 'polite' }), notes = h('div.lab-notes');
  const lab = labTable(now), ways = waysTable(now), pace = paceChart();
  const kinds = /** @type {HTMLSelectElement} */ (h('select.in.small', { 'aria-label': 'Which conversions', 'data-focus': 'kind',
    onchange: () => app.go({ filters: [...p.view.filters.filter((f) => f.dim !== 'kind'), ...(kinds.value ? [{ dim: 'kind', not: false, values: [kinds.value] }] : [])] }) },
  [['', 'All conversions'], ...['sale', 'lead', 'signup', 'custom'].map((k) => [k, kindsWord(k)])].map(([id, word]) => h('option', { value: id }, word))));
  const order = /** @type {HTMLSelectElement} */ (h('select.in.small', { 'aria-label': 'What the estimate remembers', 'data-focus': 'order', onchange: () => app.go({ each: order.value === '1' ? '' : order.value }, { replace: true }) },
    [['1', 'Estimate by the last visit'], ['2', 'by the last two'], ['3', 'by the last three']].map(([id, word]) => h('option', { value: id }, word))));
  const switches = ['direct', 'unattributed'].map((word) => {
    const box = /** @type {HTMLInputElement} */ (h('input', { type: 'checkbox', name: `without-${word}`, onchange: () => {
      const out = new Set(leftOut(p.view));
      if (box.checked) out.add(word); else out.delete(word);
      app.go({ show: [...out].join(',') }, { replace: true });
    } }));
    return { word, box, el: h('label.check', null, box, h('span', null, `Without ${word}`)) };
  });
  const settings = p.may && h('a.btn.small', { href: app.href('settings', undefined, 'credit') }, icon('settings', 's'), 'Try another setting');
  const sheet = h('section.sheet.lab', { 'aria-label': 'All models', hidden: true },
    h('header', null, h('h2.vh', null, 'All models side by side'), tabs, h('div.r', null, kinds)),
    h('div.lab-tools', null, switches.map((s) => s.el), order, settings), said, lab.el, notes);
  const below = h('div.lab-below', { hidden: true }, ways.el, pace.el);
  fill(root, h('h1.vh', null, 'Attribution lab'), state, sheet, below);

  /** All time begins where the site does. */
  function ask() {
    const q = question(p.view);
    if (!p.view.days()) {
      const begin = [site.first_touch_at, site.first_conversion_at].filter((x) => x !== null).sort()[0];
      q.set('from', begin ? dayOf(begin) : today());
      q.set('to', today());
    }
    return q;
  }

  /** @param {boolean} [force] */
  async function load(force) {
    const q = ask(), more = `${q} ${orderOf(p.view)}`;
    if (!force && table && q.toString() === asked && more === askedMore) { draw(); return; }
    running?.abort();
    const mine = running = new AbortController();
    const isSame = !force && table && q.toString() === asked;
    [asked, askedMore] = [q.toString(), more];
    root.setAttribute('aria-busy', 'true');
    const dim = setTimeout(() => { sheet.classList.add('dim'); below.classList.add('dim'); }, 300);
    if (!table) fill(state, h('section.sheet', null, h('div.skeleton', { 'aria-hidden': 'true' }, Array.from({ length: 8 }, () => h('i')))));
    try {
      if (!isSame) {
        const [all, paths, times] = await Promise.all(['attribution', 'paths', 'time_to_convert'].map((name) => {
          const own_ = new URLSearchParams(q);
          if (name === 'paths') own_.set('limit', '25');
          return get(`${base}/${name}`, own_, mine.signal);
        }));
        if (gone || mine !== running) return;
        [table, estimated] = [all, null];
        app.figuresAt = new Date().toISOString();
        ways.draw(paths);
        pace.draw(times);
        draw();
        announce(plural(table.rows, 'row'));
      }
      root.removeAttribute('aria-busy');
      // Visitors who did not buy are many: the estimate comes after the rest.
      estimate(q, mine);
    } catch (error) {
      const err = /** @type {any} */ (error);
      if (mine.signal.aborted || gone || err.code === 'signed_out') return;
      asked = askedMore = '';
      fill(state, h('section.sheet.said', null, h('div.trouble', { role: 'alert' }, icon('alert'), h('p', null, h('b', null, 'The figures could not be fetched.'), ` ${err.message} Nothing is lost: counting goes on.`),
        h('button.btn', { type: 'button', onclick: () => load(true) }, 'Try again'))));
    } finally { clearTimeout(dim); if (mine === running) { root.removeAttribute('aria-busy'); sheet.classList.remove('dim'); below.classList.remove('dim'); } }
  }

  /** @param {URLSearchParams} q @param {AbortController} mine */
  async function estimate(q, mine) {
    if (!table.items.length) return;
    const more = new URLSearchParams(q);
    more.set('estimate', orderOf(p.view));
    try {
      const answer = await get(`${base}/attribution`, more, mine.signal);
      if (gone || mine !== running) return;
      estimated = answer;
      draw();
    } catch (error) {
      const err = /** @type {any} */ (error);
      if (mine.signal.aborted || gone || err.code === 'signed_out') return;
      fill(notes, h('p', null, icon('alert', 's'), ` The data-driven estimate could not be made: ${err.message}`));
    }
  }

  function draw() {
    const by = byOf(p.view), out = leftOut(p.view), shown = estimated ?? table;
    fill(tabs, BY.map(([id, name]) => h('button', { type: 'button', 'data-focus': `by-${id || 'channel'}`, 'aria-pressed': String(id === by), onclick: () => app.go({ by: id }, { replace: true }) }, name)));
    switches.forEach((s) => { s.box.checked = out.includes(s.word); });
    const kind = p.view.filters.find((f) => f.dim === 'kind' && !f.not && f.values.length === 1)?.values[0] ?? '';
    if (kinds.value !== kind) kinds.value = kind;
    if (order.value !== orderOf(p.view)) order.value = orderOf(p.view);
    const has = table.items.length > 0 || isLeftOut();
    sheet.hidden = below.hidden = !has;
    fill(state, !has && h('section.sheet', null, empty()));
    if (!has) return;
    order.hidden = !shown.estimate?.is_shown;
    said.hidden = !table.items.length;
    fill(said, icon(table.disagreement.name ? 'flag' : 'lens', 's'), h('span', null, table.disagreement.sentence));
    lab.draw(shown, { by: by || 'channel', model: p.view.model });
    fill(notes, lines(shown).map((line) => h('p', null, line)));
  }

  const isLeftOut = () => table.left_out.direct.conversions + table.left_out.unattributed.conversions > 0;

  /** What is left out, and what the estimate says of itself. @param {any} shown */
  function lines(shown) {
    const all = [], { direct, unattributed } = shown.left_out;
    const sum = (/** @type {any} */ e) => `${plural(e.conversions, 'conversion')}${own(e.net).minor ? `, ${money(own(e.net))}` : ''}`;
    if (direct.conversions) all.push(`Left out: ${sum(direct)} to which nothing but direct visits led.`);
    if (unattributed.conversions) all.push(`Left out: ${sum(unattributed)} of which nothing is known.`);
    if (shown.estimate || shown.items.length) all.push(shown.estimate ? shown.estimate.sentence : 'The data-driven estimate is being worked out.');
    all.push('Assisted: conversions it had a part in, and another closed. Influenced: all conversions it had a part in. Each counts whole there, so those two columns have no sum.');
    return all;
  }

  function empty() {
    if (!site.first_touch_at && !site.first_conversion_at) return h('div.empty', null, icon('lens'), h('p', null, h('b', null, 'Here the models will stand side by side,'), ' as soon as the first conversion comes in.'),
      p.may && h('div.acts', null, h('a.btn', { href: app.href('connections') }, 'Connect a shop or a form')));
    return h('div.empty', null, icon('calendar'), h('p', null, h('b', null, 'No conversion on these days.')),
      h('div.acts', null, h('button.btn', { type: 'button', onclick: () => app.go({ range: 'all', filters: [] }) }, 'Show all time')));
  }

  app.suggest = (dim) => (table && dim === (byOf(p.view) || 'channel') ? table.items.slice(0, 12).map((/** @type {any} */ r) => ({ value: r.name, count: Math.round(r.influenced.conversions) || undefined })) : []);

  load();

  return {
    /** @param {import('../app.js').Params} next */
    update(next) { const came = next.view.toString() === p.view.toString(); p = next; load(came); },
    /** @param {string} name */
    live(name) {
      const days = p.view.days();
      if (document.hidden || (days && days[1] < today()) || (name !== 'conversion' && name !== 'again')) return;
      clearTimeout(timer);
      timer = setTimeout(() => { if (!gone) load(true); }, 1500);
    },
    leave() { gone = true; root.removeAttribute('aria-busy'); clearTimeout(timer); running?.abort(); pace.leave(); },
  };
}
