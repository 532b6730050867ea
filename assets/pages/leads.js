// Leads as a pipeline: a column per stage, moved by hand, by menu or by keys.

import { get } from '../api.js';
import { h, fill, icon, kbd, announce, isPhone, styles } from '../dom.js';
import { money, count, plural, when, exact, platform, zoneName, percent, rangeOf, ownCurrency } from '../format.js';
import { pop, menuItem } from '../parts/menu.js';
import { openLead, moveLead } from '../parts/lead_panel.js';
import { sidePanel } from '../parts/side_panel.js';

export const title = 'Leads';

export const ready = styles(new URL('../css/leads.css', import.meta.url));

/** @type {import('../app.js').BarUse} */
export const bar = { range: true, filters: ['source'], exports: 'leads', keys: [['J or K', 'Next lead, lead before'], ['Shift →', 'Move the lead to the next stage'], ['M', 'Move it by a menu']] };

/** A share of fewer says nothing. */
const FEW = 5;

/** What each stage means to those who sell. */
export const STAGES = [['new', 'New', 'Nobody has answered yet'], ['contacted', 'Contacted', 'Somebody has answered'],
  ['qualified', 'Qualified', 'Worth an offer; ad platforms are told'], ['won', 'Won', 'It was sold; ad platforms are told'], ['lost', 'Lost', 'It came to nothing']];
const PAGE = 50;
const MOST = 500;

/** @param {HTMLElement} root @param {import('../app.js').Params} params */
export function render(root, params) {
  let p = params;
  const { app, site } = params;
  const base = `/api/sites/${site.site}/leads`;
  /** @type {any[]} */ let stages = [];
  /** @type {any[]} */ let sources = [];
  /** @type {AbortController|null} */ let running = null;
  let gone = false, known = false, timer = 0, dragged = '', seen = '';

  const figures = h('p.lead-sum', null);
  const board = h('div.board.scroll', { role: 'group', 'aria-label': 'Leads by stage' });
  const state = h('div', { role: 'status' });
  const hint = h('p.faint.small.lead-keys', null, 'Drag a lead to another column, or press ', kbd('Shift'), ' ', kbd('←'), ' ', kbd('→'), ' on it. ',
    kbd('↑'), ' ', kbd('↓'), ' walk, ', kbd('Enter'), ' opens, ', kbd('M'), ' says where to.');
  const addButton = (/** @type {string} */ classes) => h(`button.btn${classes}`, { type: 'button', 'data-focus': 'add-offline', 'aria-haspopup': 'dialog', onclick: async () => {
    const { openOffline } = await import('../parts/offline_form.js');
    if (!gone) openOffline(p, () => { site.first_conversion_at ??= new Date().toISOString(); soon(0); });
  } }, icon('plus', 's'), 'Add by hand');
  fill(root, h('div.head.leads-head', null, h('div', null, h('h1', null, title), figures), params.may && addButton('.small')), state, board, hint);

  async function load() {
    running?.abort();
    const mine = running = new AbortController();
    const dim = setTimeout(() => board.classList.add('dim'), 300);
    if (!known) fill(state, h('section.sheet', null, h('div.skeleton', { 'aria-hidden': 'true' }, Array.from({ length: 6 }, () => h('i')))));
    try {
      const ask = p.view.ask(bar);
      // What was unfolded stays unfolded.
      ask.set('limit', String(Math.min(MOST, Math.max(PAGE, ...stages.map((s) => s.items.length)))));
      const answer = await get(`${base}/pipeline`, ask, mine.signal);
      if (gone || mine !== running) return;
      app.figuresAt = new Date().toISOString();
      const text = JSON.stringify(answer);
      if (known && text === seen) return; // nothing moved: what is under the hand stays there
      const isFirst = !known;
      known = true;
      seen = text;
      stages = answer.stages;
      sources = answer.sources;
      draw();
      if (isFirst) announce(plural(total(), 'lead'));
    } catch (error) {
      if (mine.signal.aborted || gone || /** @type {any} */ (error).code === 'signed_out') return;
      fill(state, h('section.sheet', null, h('div.trouble', { role: 'alert' }, icon('alert'),
        h('p', null, h('b', null, 'The leads could not be fetched.'), ` ${/** @type {any} */ (error).message} Nothing is lost: new ones are still taken.`),
        h('button.btn', { type: 'button', onclick: load }, 'Try again'))));
    } finally { clearTimeout(dim); board.classList.remove('dim'); }
  }

  const total = () => stages.reduce((n, s) => n + s.count, 0);
  /** @param {string} id */
  const find = (id) => { for (const s of stages) { const lead = s.items.find((/** @type {any} */ l) => l.id === id); if (lead) return lead; } return null; };

  function draw() {
    const at = /** @type {HTMLElement|null} */ (document.activeElement)?.closest?.('[data-lead]')?.getAttribute('data-lead');
    const all = total();
    board.hidden = hint.hidden = !all;
    hint.hidden ||= !p.may;
    fill(state, !all && h('section.sheet', null, empty()));
    const won = stages.find((s) => s.stage === 'won')?.count ?? 0, lost = stages.find((s) => s.stage === 'lost')?.count ?? 0;
    const range = rangeOf(won, won + lost);
    fill(figures, all ? [plural(all, 'lead'), won + lost > 0 && (won + lost < FEW ? `, ${count(won)} won and ${count(lost)} lost so far` : [', ', h('b', null, percent(won / (won + lost))), ' of those decided were won',
      range && ` (${range})`]), h('span.faint', null, ` · ${zoneName()}`)] : null);
    fill(board, stages.map(column));
    if (at) focusOn(at);
  }

  function empty() {
    if (site.first_conversion_at && (p.view.isFiltered || p.view.range !== 'all')) return h('div.empty', null, icon('calendar'), h('p', null, h('b', null, 'No lead in these days.')),
      h('div.acts', null, h('button.btn', { type: 'button', onclick: () => app.go({ range: 'all', filters: [] }) }, 'Show all time', kbd('A'))));
    return h('div.empty', null, icon('leads'), h('p', null, h('b', null, 'Every enquiry will stand here,'), ' from the form to the sale. Let your form report to us, and the first one shows within seconds.'),
      h('div.acts', null, h('a.btn', { href: app.href('connections', undefined, '+forms') }, 'Connect a form'), p.may && addButton('')));
  }

  /** @param {any} s */
  function column(s) {
    const [, name, note] = STAGES.find(([id]) => id === s.stage) ?? ['', s.stage, ''];
    const list = h('ul', null, s.items.map(card));
    const el = h('section.stage', { 'aria-label': `${name}, ${plural(s.count, 'lead')}`, 'data-stage': s.stage },
      h('header', null, h('h2', { 'data-tip': note }, name), h('span.faint', null, count(s.count)),
        h('span.worth', null, s.worth.length ? ownFirst(s.worth).map((m) => h('b', null, money(m))) : h('span.faint', null, '–'))),
      list, h('div', null, s.next && h('button.btn.small.bare', { type: 'button', onclick: (/** @type {Event} */ e) => more(s, /** @type {HTMLButtonElement} */ (e.currentTarget)) }, 'Show more')));
    if (!s.items.length) list.append(h('li.none', null, note));
    if (p.may) {
      el.addEventListener('dragover', (e) => { if (dragged) { e.preventDefault(); el.classList.add('over'); } });
      el.addEventListener('dragleave', (e) => { if (!el.contains(/** @type {Node} */ (e.relatedTarget))) el.classList.remove('over'); });
      el.addEventListener('drop', (e) => { e.preventDefault(); el.classList.remove('over'); const lead = find(dragged); dragged = ''; if (lead) move(lead, s.stage); });
    }
    return el;
  }

  /** @param {any} lead */
  function card(lead) {
    const who = lead.who.display ?? lead.who.name ?? 'no address given';
    const open = h('button.open', { type: 'button', onclick: () => show(lead.id) },
      h('bdi.cut', null, who), h('span.v', null, lead.value ? money(lead.value) : h('span.faint', null, '–')));
    const el = h('li.card', { 'data-lead': lead.id, draggable: p.may ? 'true' : null }, open,
      h('p', null, h('bdi.cut', { 'data-tip': `${lead.form_type}, ${platform(lead.source)}` }, lead.form_type),
        h('span.faint', { 'data-tip': exact(lead.created_at) }, when(lead.created_at)),
        p.may && h('button.btn.icon.small.bare', { type: 'button', 'aria-label': `Move ${who}`, 'data-focus': `move-${lead.id}`, 'aria-haspopup': 'dialog',
          onclick: (/** @type {Event} */ e) => menu(lead, /** @type {HTMLElement} */ (e.currentTarget)) }, icon('right', 's turn'))));
    el.addEventListener('dragstart', (e) => { dragged = lead.id; e.dataTransfer?.setData('text/plain', who); el.classList.add('lifted'); });
    el.addEventListener('dragend', () => { dragged = ''; el.classList.remove('lifted'); });
    return el;
  }

  /** @param {any} lead @param {HTMLElement} anchor */
  function menu(lead, anchor) {
    const box = pop(anchor, 'Where does it stand?', STAGES.map(([id, name, note]) => menuItem({ name, note, on: lead.status === id,
      act: () => { box.close(); move(lead, id); } })));
  }

  /** @param {any} lead @param {string} stage */
  async function move(lead, stage) {
    if (lead.status === stage) return;
    const moved = await moveLead(p, lead, stage);
    if (!moved || gone) return;
    await load();
    if (!gone) focusOn(lead.id);
  }

  /** @param {any} s @param {HTMLButtonElement} button */
  async function more(s, button) {
    button.disabled = true;
    const ask = p.view.ask(bar);
    ask.set('status', s.stage);
    ask.set('limit', String(PAGE));
    ask.set('cursor', s.next);
    try {
      const answer = await get(base, ask);
      const have = new Set(s.items.map((/** @type {any} */ l) => l.id));
      s.items.push(...answer.items.filter((/** @type {any} */ l) => !have.has(l.id)));
      s.next = answer.next;
      seen = '';
      if (!gone) draw();
    } catch (error) { button.disabled = false; app.toast(`Could not be fetched. ${/** @type {any} */ (error).message}`); }
  }

  // ---- one lead opened over the board ----

  /** @param {string} id */
  const show = (id) => app.navigate(app.href('leads', p.view, id));
  const panel = sidePanel({ now: () => p, path: 'leads', table: { focus: (id) => { focusOn(id); } },
    open: (id, closed) => openLead(p, id, { changed: () => soon(0), closed }) });

  // ---- keys: one card is the place; arrows walk ----

  /** @param {string|null} id */
  function focusOn(id) {
    const el = /** @type {HTMLElement|null} */ (id && board.querySelector(`[data-lead="${id}"] .open`));
    el?.focus({ preventScroll: true });
    el?.scrollIntoView({ block: 'nearest', inline: 'nearest' });
    return !!el;
  }
  /** @param {KeyboardEvent} e */
  function key(e) {
    const id = /** @type {HTMLElement|null} */ (document.activeElement)?.closest?.('[data-lead]')?.getAttribute('data-lead');
    const lead = id ? find(id) : null;
    if (!lead) {
      if (e.shiftKey || (e.key !== 'ArrowDown' && e.key.toLowerCase() !== 'j')) return false;
      return focusOn(stages.find((s) => s.items.length)?.items[0].id ?? null);
    }
    const side = e.key === 'ArrowRight' ? 1 : e.key === 'ArrowLeft' ? -1 : 0;
    const turn = document.dir === 'rtl' ? -side : side;
    const place = stages.findIndex((s) => s.stage === lead.status);
    if (turn && e.shiftKey) { const to = stages[place + turn]; if (to && p.may) move(lead, to.stage); return true; }
    if (e.shiftKey) return false;
    if (turn) {
      for (let i = place + turn; stages[i]; i += turn) if (stages[i].items.length) {
        const row = stages[place].items.indexOf(lead);
        return focusOn(stages[i].items[Math.min(row, stages[i].items.length - 1)].id);
      }
      return true;
    }
    const k = e.key.toLowerCase();
    const step = k === 'arrowdown' || k === 'j' ? 1 : k === 'arrowup' || k === 'k' ? -1 : 0;
    if (step) { const next = stages[place].items[stages[place].items.indexOf(lead) + step]; if (next) focusOn(next.id); return true; }
    if (k === 'm' && p.may) { /** @type {HTMLElement|null} */ (board.querySelector(`[data-focus="move-${lead.id}"]`))?.click(); return true; }
    return false;
  }

  const soon = (/** @type {number} */ ms) => { clearTimeout(timer); timer = setTimeout(() => { if (!gone && !dragged) load(); }, ms); };
  app.suggest = (dim) => (dim === 'source' ? sources.map((s) => ({ ...s })) : []);
  let asked = p.view.toString();
  load();
  panel.show();
  if (isPhone()) hint.hidden = true;

  return {
    /** @param {import('../app.js').Params} next */
    update(next) {
      const again = next.id === p.id;
      p = next;
      if (again || p.view.toString() !== asked) { asked = p.view.toString(); load(); }
      panel.show();
    },
    /** @param {string} name */
    live(name) { if (name === 'conversion') soon(600); },
    key: (/** @type {KeyboardEvent} */ e) => (panel.it ? false : key(e)),
    leave() { gone = true; clearTimeout(timer); running?.abort(); panel.leave(); },
  };
}

/** The site's own currency stands above the others; they are never added. @param {import('../format.js').Money[]} all */
const ownFirst = (all) => [...all].sort((a, b) => Number(b.currency === ownCurrency()) - Number(a.currency === ownCurrency()));
