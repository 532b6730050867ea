// Funnels: who booked, who came and what came of it, over all systems; and the owner's own ways of steps below.

import { get } from '../api.js';
import { h, fill, icon, announce, styles } from '../dom.js';
import { count, plural, dayOf, today, bare, money, roundMoney, currencySign, valueWord, showsMoney } from '../format.js';
import { own } from '../parts/figures.js';
import { funnelBars, shareText } from '../parts/funnel_bars.js';
import { funnelForm } from '../parts/funnel_form.js';
import { openPeople } from '../parts/funnel_people.js';
import { stepWord, ruleWords } from '../parts/funnel_words.js';
import { leftOut } from '../parts/left_out.js';
import { sidePanel } from '../parts/side_panel.js';

/** @typedef {import('../dom.js').Kid} Kid */

export const title = 'Funnels';

export const ready = styles(new URL('../css/funnels.css', import.meta.url));

/** Where people first came from. @type {[string, string][]} */
const BY = [['', 'Source'], ['channel', 'Channel'], ['medium', 'Medium'], ['campaign', 'Campaign']];
/** Rows of a table that are shown. */
const MOST = 25;

/** @type {import('../app.js').BarUse} */
export const bar = { range: true, filters: ['channel', 'source', 'medium', 'campaign'], files: [['Show-up funnel', 'reports/show_up']] };

/** The own funnel that is on the screen. */
let shownFunnel = '';

/** Files are of what is on the screen. @param {import('../app.js').View} view */
bar.fileQuery = (view) => {
  const ask = question(view);
  if (shownFunnel) ask.set('funnel', shownFunnel);
  return ask.toString();
};

/** @param {import('../app.js').View} view */
const byOf = (view) => BY.find(([id]) => id === view.by)?.[0] ?? '';

/** @param {import('../app.js').View} view */
function question(view) {
  const ask = view.ask(bar);
  ask.delete('sort');
  if (byOf(view)) ask.set('by', byOf(view));
  return ask;
}

/** Lists of people in the show-up funnel. @type {Record<string, string>} */
const PARTS = { asked: 'Asked before they booked', booked: 'Booked', moved: 'Moved it', came: 'Came', no_show: 'Did not come: somebody said so', not_told: 'Nobody said whether they came', cancelled: 'Cancelled',
  open: 'Still to come, or no time known', bought: 'Bought', came_only: 'Came and bought nothing', refunded: 'Got money back' };

/** @param {HTMLElement} root @param {import('../app.js').Params} params */
export function render(root, params) {
  let p = params, gone = false, timer = 0, asked = '', askedOwn = '';
  const { app, site } = params, base = `/api/sites/${site.site}`;
  /** @type {any} */ let shown = null;
  /** @type {any} */ let mine = null;
  /** @type {{items: any[], milestones: string[]}|null} */ let funnels = null;
  /** @type {AbortController|null} */ let running = null;
  /** @type {ReturnType<typeof funnelForm>|null} */ let form = null;

  const show = (/** @type {string} */ id) => app.navigate(app.href('funnels', p.view, id));
  const tabs = h('div.tabs', { role: 'group', 'aria-label': 'By' }), state = h('div', { role: 'status' });
  const bars = funnelBars((part) => show(`show-up.${part}`), 'The show-up funnel');
  const table = h('div.lab-box', { tabindex: '0', role: 'region', 'aria-label': 'The show-up funnel by where people came from' }), notes = h('footer');
  const sheet = h('section.sheet.funnel', { 'aria-label': 'Who booked, and who came', hidden: true }, h('header', null, h('h2', null, 'Who booked, and who came'), h('div.r', null, tabs)), bars.el, table, notes);
  const ownTabs = h('div.tabs', { role: 'group', 'aria-label': 'Your funnels' }), ownState = h('div', { role: 'status' }), ownBox = h('div.own-funnel');
  const ownBars = funnelBars((part) => show(`${shownFunnel}.${part}`), 'Your funnel'), ownTable = h('div.lab-box', { tabindex: '0', role: 'region', 'aria-label': 'Your funnel by where people came from' }), ownHead = h('div.own-head');
  const add = p.may && h('button.btn.small', { type: 'button', 'data-focus': 'add', onclick: () => edit(null) }, icon('plus', 's'), 'New funnel');
  const ownSheet = h('section.sheet.funnel', { 'aria-label': 'Your own funnels', hidden: true }, h('header', null, h('h2', null, 'Your own'), ownTabs, h('div.r', null, add)), ownState, ownBox);
  fill(root, h('h1.vh', null, 'Funnels'), state, sheet, ownSheet);

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

  const chosen = () => funnels?.items.find((f) => f.funnel === p.view.show) ?? funnels?.items[0] ?? null;

  /** @param {boolean} [force] */
  async function load(force) {
    const q = ask();
    if (!force && shown && q.toString() === asked) { drawOwn(); loadOwn(); panel.show(); return; }
    running?.abort();
    const own_ = running = new AbortController();
    asked = q.toString();
    root.setAttribute('aria-busy', 'true');
    const dim = setTimeout(() => { sheet.classList.add('dim'); ownSheet.classList.add('dim'); }, 300);
    if (!shown) fill(state, h('section.sheet', null, h('div.skeleton', { 'aria-hidden': 'true' }, Array.from({ length: 8 }, () => h('i')))));
    try {
      const [answer, named] = await Promise.all([get(`${base}/reports/show_up`, q, own_.signal), force || !funnels ? get(`${base}/funnels`, undefined, own_.signal) : funnels]);
      if (gone || own_ !== running) return;
      const isFirst = !shown;
      [shown, funnels] = [answer, named];
      app.figuresAt = new Date().toISOString();
      draw();
      drawOwn();
      if (isFirst) announce(`${plural(shown.total.booked, 'booking')}, ${plural(named.items.length, 'own funnel')}`);
      await loadOwn(force);
      panel.show();
    } catch (error) {
      const err = /** @type {any} */ (error);
      if (own_.signal.aborted || gone || err.code === 'signed_out') return;
      asked = '';
      fill(state, h('section.sheet.said', null, trouble('The figures could not be fetched.', err, () => load(true))));
    } finally { clearTimeout(dim); if (own_ === running) { root.removeAttribute('aria-busy'); sheet.classList.remove('dim'); ownSheet.classList.remove('dim'); } }
  }

  /** @param {string} what @param {any} err @param {() => void} again */
  const trouble = (what, err, again) => h('div.trouble', { role: 'alert' }, icon('alert'), h('p', null, h('b', null, what), ` ${err.message} Nothing is lost: counting goes on.`), h('button.btn', { type: 'button', onclick: again }, 'Try again'));

  /** The own funnel that is chosen. @param {boolean} [force] */
  async function loadOwn(force) {
    const funnel = chosen();
    shownFunnel = funnel?.funnel ?? '';
    bar.files = [['Show-up funnel', 'reports/show_up'], ...(funnel ? [/** @type {[string, string]} */ ([funnel.name, 'reports/funnel'])] : [])];
    if (!funnel) { mine = null; return; }
    const q = ask();
    q.set('funnel', funnel.funnel);
    if (!force && mine && q.toString() === askedOwn) return;
    askedOwn = q.toString();
    const turn = running;
    try {
      const answer = await get(`${base}/reports/funnel`, q, turn?.signal);
      if (gone || q.toString() !== askedOwn) return;
      mine = answer;
      drawOwn();
    } catch (error) {
      const err = /** @type {any} */ (error);
      if (gone || turn?.signal.aborted || err.code === 'signed_out') return;
      askedOwn = '';
      fill(ownState, trouble('This funnel could not be worked out.', err, () => loadOwn(true)));
    }
  }

  function draw() {
    fill(tabs, BY.map(([id, name]) => h('button', { type: 'button', 'data-focus': `by-${id || 'source'}`, 'aria-pressed': String(id === byOf(p.view)), onclick: () => app.go({ by: id }, { replace: true }) }, name)));
    // What was spent says nothing here where nobody books.
    const t = shown.total, has = [t, ...shown.items].some((r) => r.booked || r.asked || r.came || r.bought);
    sheet.hidden = !has;
    // Who takes no bookings has their own funnels first.
    const isOwnFirst = !has && !!funnels?.items.length;
    if (isOwnFirst !== (ownSheet.nextElementSibling === state)) { if (isOwnFirst) state.before(ownSheet); else root.append(ownSheet); }
    fill(state, !has && h('section.sheet', null, empty()));
    if (!has) return;
    const s = shown.seconds, gap = (/** @type {number} */ n, /** @type {string} */ words, /** @type {string} */ part) => (n ? [{ words: `${count(n)} ${words}`, open: part }] : []);
    bars.draw([
      ...(t.asked ? [{ name: 'Asked first', people: t.asked, open: 'asked', share: { of: t.booked, hits: t.asked, what: 'Of those who booked' } }] : []),
      { name: 'Booked', people: t.booked, open: 'booked', share: null, took: s.booked, gap: [] },
      { name: 'Came', people: t.came, open: 'came', share: { of: t.settled, hits: t.came, what: 'Of those of whom it is known by now' }, took: s.came,
        gap: [...gap(t.moved, 'moved it', 'moved'), ...gap(t.no_show, 'did not come', 'no_show'), ...gap(t.not_told, 'nobody said', 'not_told'), ...gap(t.cancelled, 'cancelled', 'cancelled'), ...gap(t.open, 'still to come', 'open')] },
      { name: 'Bought', people: t.bought, open: 'bought', share: { of: t.came, hits: t.came_and_bought, what: `Of those who came, ${count(t.came_and_bought)} bought` }, took: s.bought,
        gap: gap(t.came - t.came_and_bought, 'came and bought nothing', 'came_only') },
      ...(t.refunded ? [{ name: 'Got money back', people: t.refunded, open: 'refunded', share: { of: t.bought, hits: t.refunded, what: 'Of those who bought' }, took: s.refunded, gap: [] }] : []),
    ]);
    fill(table, showUpTable());
    fill(notes, h('span', null, 'By where people first came from. Booked, came and bought are people, each once; no-shows and cost are of bookings, of which one person may have several. A no-show: somebody said so, or the time passed more than a day ago and nobody said anything.'),
      showsMoney() && leftOut(shown.total) && h('span', null, ` ${leftOut(shown.total)}`));
  }

  function showUpTable() {
    const hasSpend = shown.total.spend !== undefined && showsMoney();
    /** @type {[string, string, (r: any) => Kid][]} */
    const columns = [['Booked', '', (r) => count(r.booked)], ['Came', '', (r) => count(r.came)], ['Did not come', '', (r) => [count(r.no_show + r.not_told), r.not_told > 0 && h('small.faint', null, ` ${count(r.not_told)} not told`)]],
      ['No-shows of bookings', '', (r) => [shareText(r.bookings.no_show + r.bookings.not_told, r.bookings.settled), r.bookings.settled > 0 && h('small.faint', null, ` of ${count(r.bookings.settled)}`)]], ['Bought', '', (r) => count(r.bought)],
      ...(showsMoney() ? [/** @type {[string, string, (r: any) => Kid]} */ ([`Net, ${currencySign()}`, '', (r) => (own(r.net).minor ? bare(own(r.net)) : '–')]),
        /** @type {[string, string, (r: any) => Kid]} */ (['Net for each who came', ' hide-s', (r) => (r.net_per_attended?.minor ? roundMoney(r.net_per_attended) : '–')])] : []),
      ...(hasSpend ? [/** @type {[string, string, (r: any) => Kid]} */ ([`Spent, ${currencySign()}`, ' hide-s', (r) => (own(r.spend).minor ? roundMoney(own(r.spend)) : '–')]),
        /** @type {[string, string, (r: any) => Kid]} */ (['Cost per kept booking', '', (r) => (r.cost_per_attended ? money(r.cost_per_attended) : '–')])] : [])];
    return groups('The show-up funnel by where people first came from', columns, shown.items, shown.total);
  }

  /** A table of groups with its total. @param {string} caption @param {[string, string, (r: any) => Kid][]} columns @param {any[]} items @param {any} total */
  function groups(caption, columns, items, total) {
    const dim = byOf(p.view) || 'source', first = BY.find(([id]) => id === byOf(p.view))?.[1] ?? 'Source', rest = items.length - MOST;
    const cells = (/** @type {any} */ r) => columns.map(([, cls, cell]) => h('td.num', { class: cls.trim() }, cell(r)));
    return h('table.t.t-funnel', null, h('caption.vh', null, caption),
      h('thead', null, h('tr', null, h('th', { scope: 'col' }, first), columns.map(([name, cls]) => h('th.num', { scope: 'col', class: cls.trim() }, name)))),
      h('tbody', null, items.slice(0, MOST).map((r) => h('tr', { class: r.is_few ? 'few' : '' }, h('th', { scope: 'row' }, h('button.cell', { type: 'button', 'data-tip': 'Only these; with Alt, without them', onclick: (/** @type {MouseEvent} */ e) => app.go(p.view.plus(r.name === 'unattributed' ? 'source' : dim, r.name, e.altKey)) },
        h('bdi.cut', null, r.name === 'unattributed' ? 'Not known' : valueWord(dim, r.name)))), cells(r))),
      rest > 0 && h('tr', null, h('td.faint', { colspan: columns.length + 1 }, `${plural(rest, 'more row')}: all of them are in the file.`))),
      h('tfoot', null, h('tr', null, h('th', { scope: 'row' }, 'All'), cells(total))));
  }

  function drawOwn() {
    if (!funnels) return;
    const funnel = chosen(), isOpen = !!form;
    ownSheet.hidden = !funnels.items.length && !p.may;
    fill(ownTabs, funnels.items.map((f) => h('button', { type: 'button', 'data-focus': f.funnel, 'aria-pressed': String(f.funnel === funnel?.funnel && !isOpen), onclick: () => { form = null; app.go({ show: f.funnel }, { replace: true }); drawOwn(); } }, h('bdi', null, f.name))));
    if (add) add.hidden = isOpen;
    fill(ownState);
    if (form) { if (!form.el.isConnected) fill(ownBox, form.el); return; }
    if (!funnel) {
      fill(ownBox, h('div.empty', null, icon('funnels'), h('p', null, h('b', null, 'Which way do people go?'), ' Name the steps, from a page to an order, and see how many go on at each.'),
        p.may && h('div.acts', null, h('button.btn', { type: 'button', onclick: () => edit(null) }, 'Name a funnel'))));
      return;
    }
    if (!mine || mine.funnel.funnel !== funnel.funnel) { fill(ownBox, h('div.skeleton', { 'aria-hidden': 'true' }, Array.from({ length: 5 }, () => h('i')))); return; }
    fill(ownHead, h('p', null, ruleWords(mine.funnel), '.'), p.may && h('button.btn.small.bare', { type: 'button', 'data-focus': 'change', onclick: () => edit(mine.funnel) }, icon('settings', 's'), 'Change'));
    const steps = mine.steps;
    ownBars.draw(steps.map((/** @type {any} */ s, /** @type {number} */ n) => ({ name: h('bdi', null, stepWord(s.step)), people: s.people, open: `${n + 1}`,
      share: n ? { of: steps[n - 1].people, hits: s.people, what: `${steps[0].people ? Math.round(s.people / steps[0].people * 1000) / 10 : 0}% of those who began` } : null, took: s.seconds,
      gap: s.left ? [{ words: `${count(s.left)} went no further`, open: `${n}.left` }] : [] })));
    const columns = steps.map((/** @type {any} */ s, /** @type {number} */ n) => [stepWord(s.step), '', (/** @type {any} */ r) => [count(r.people[n]), n > 0 && h('small.faint', null, ' ', shareText(r.people[n], r.people[n - 1]))]]);
    fill(ownTable, mine.items.length ? groups('Your funnel by where people first came from', columns, mine.items, { people: steps.map((/** @type {any} */ s) => s.people) })
      : h('div.empty.small', null, h('p', null, 'Nobody took the first step on these days.')));
    if (!ownBars.el.isConnected) fill(ownBox, ownHead, ownBars.el, ownTable);
  }

  /** @param {any} known */
  function edit(known) {
    const milestones = funnels?.milestones ?? [];
    const leave = () => { form = null; fill(ownBox); drawOwn(); };
    form = funnelForm(p, known, milestones, {
      saved: async (id) => { form = null; mine = null; askedOwn = ''; await again(); app.go({ show: id }, { replace: true }); },
      gone: async () => { form = null; mine = null; askedOwn = ''; fill(ownBox); await again(); app.go({ show: '' }, { replace: true }); },
      left: () => { leave(); /** @type {HTMLElement|null} */ (ownSheet.querySelector(known ? '[data-focus="change"]' : '[data-focus="add"]'))?.focus(); },
    });
    fill(ownBox, form.el);
    drawOwn();
    form.focus();
  }

  /** The names of funnels anew. */
  async function again() {
    try { funnels = await get(`${base}/funnels`); } catch (error) { app.toast(`Could not be fetched. ${/** @type {any} */ (error).message}`); }
    if (!gone) drawOwn();
  }

  function empty() {
    if (p.view.isFiltered || p.view.range !== 'all') return h('div.empty', null, icon('calendar'), h('p', null, h('b', null, 'Nobody booked on these days.'), ' Bookings, registrations and tickets show here, with who came and what they bought.'),
      h('div.acts', null, h('button.btn', { type: 'button', onclick: () => app.go({ range: 'all', filters: [] }) }, 'Show all time'),
        p.may && h('a.btn.bare', { href: app.href('connections') }, 'Connect a booking platform')));
    return h('div.empty', null, icon('funnels'), h('p', null, h('b', null, 'Here it will show who comes to their appointment,'), ' and what that costs. Connect what takes your bookings: Calendly, Cal.com, Zoom, Eventbrite.'),
      p.may && h('div.acts', null, h('a.btn', { href: app.href('connections') }, 'Connect a booking platform')));
  }

  // ---- people of a step, on the side ----

  const panel = sidePanel({ now: () => p, path: 'funnels',
    table: { focus: (id) => {
      const part = id.slice(id.indexOf('.') + 1);
      /** @type {HTMLElement|null} */ ((id.startsWith('show-up.') ? sheet : ownSheet).querySelector(`[data-focus="${CSS.escape(part)}"]`))?.focus({ preventScroll: true });
    } },
    open: (id, closed) => { const how = listOf(id); return how && openPeople(p, { ...how, id, closed }); } });

  /** @param {string} id `show-up.came`, `funnel_3.2`, `funnel_3.2.left` */
  function listOf(id) {
    const [of, part, left] = id.split('.'), q = ask();
    if (of === 'show-up') {
      if (!PARTS[part]) return null;
      q.set('part', part);
      /** @type {(r: any) => [Kid, string|null][]} */
      const steps = (r) => [['Asked', r.asked_at], ['Booked', r.booked_at], ['Moved it', r.moved_at], [r.outcome === 'came' ? 'Was to be' : 'Is to be', r.due_at], ['Came', r.came_at], ['Bought', r.bought_at], ['Got money back', r.refunded_at]];
      return { title: PARTS[part], url: `${base}/reports/show_up/people`, ask: q, steps };
    }
    const funnel = funnels?.items.find((f) => f.funnel === of), step = Number(part);
    if (!funnel?.steps[step - 1]) return null;
    q.set('funnel', of);
    q.set('step', part);
    if (left) q.set('part', 'left');
    /** @type {(r: any) => [Kid, string|null][]} */
    const steps = (r) => r.steps.map((/** @type {string} */ at, /** @type {number} */ n) => [stepWord(funnel.steps[n]), at]);
    return { title: left ? `No further than “${stepWord(funnel.steps[step - 1])}”` : stepWord(funnel.steps[step - 1]), url: `${base}/reports/funnel/people`, ask: q, steps };
  }

  app.suggest = (dim) => (shown && dim === (byOf(p.view) || 'source') ? shown.items.slice(0, 12).map((/** @type {any} */ r) => ({ value: r.name, count: r.booked || undefined })) : []);

  load();

  return {
    /** @param {import('../app.js').Params} next */
    update(next) { p = next; load(); },
    /** @param {string} name */
    live(name) {
      const days = p.view.days();
      if (document.hidden || form || panel.it || (days && days[1] < today()) || (name !== 'conversion' && name !== 'again')) return;
      clearTimeout(timer);
      timer = setTimeout(() => { if (!gone) load(true); }, 1500);
    },
    leave() { gone = true; root.removeAttribute('aria-busy'); clearTimeout(timer); running?.abort(); panel.leave(); },
  };
}
