// Bringing history in: choose a file, see what it would do, say yes, see what became of it.

import { get, post, remove, send } from '../api.js';
import { h, fill, icon, announce } from '../dom.js';
import { bytes, count, day, money, percent, plural, span, when } from '../format.js';
import { field } from './alone.js';
import { selectField, trouble } from './form.js';
import { confirm } from './menu.js';

/** @typedef {import('../dom.js').Kid} Kid */

/** What can be brought, and what a file of it should have. @type {[string, string, string][]} */
export const KINDS = [
  ['orders', 'Orders', 'order_id, total, currency, created_at; email, status, source and more where you have them. Shopify’s own export fits.'],
  ['leads', 'Leads', 'created_at and email, phone or lead_id; source, medium, campaign, value, status.'],
  ['offline', 'Calls, visits, referrals', 'when and email or phone; what (lead, referral, booking, attendance, no_show …), name, source, value, referred_by, note. For what no system has told.'],
  ['conversions', 'Conversions', 'happened_at, amount, currency; kind, order_id, source. For systems that know no orders.'],
  ['touches', 'Visits', 'at and landing, url or source; session_id, utm_source, utm_campaign, gclid and so on.'],
  ['spend', 'Spend', 'day, source, campaign, amount, currency. Reports of Meta Ads and Google Ads fit as they are.'],
];
const nameOf = (/** @type {string} */ kind) => KINDS.find(([id]) => id === kind)?.[1] ?? kind;
/** How often a running file is looked at. */
const LOOK_MS = 700;

const STATES = /** @type {Record<string, string>} */ ({ coming: 'waits for you', running: 'is being brought in', done: 'done', failed: 'could not be read', undone: 'taken back', cut_off: 'was cut off' });

/**
 * @param {import('../app.js').Params} p @param {{kind?: string, brought?: () => void}} how `kind` where only one is meant
 * @returns {{el: HTMLElement, stop: () => void}}
 */
export function bringIn(p, { kind: only, brought = () => {} }) {
  const base = `/api/sites/${p.site.site}/imports`;
  let gone = false, timer = 0;
  const kind = selectField('kind', 'What is in it', KINDS.map(([id, name]) => /** @type {[string, string]} */ ([id, name])), only ?? 'orders');
  const needs = h('p.quiet');
  const file = field('File', h('input.in.file', { type: 'file', name: 'file', accept: '.csv,.tsv,.txt,.jsonl,.ndjson,text/csv' }), { help: 'CSV or JSON lines, up to 200 MB. Nothing is stored before you have seen what it would do.' });
  const source = field('Source', h('input.in', { name: 'source', maxlength: 255, autocapitalize: 'none', spellcheck: 'false', placeholder: 'as the file says' }), { help: 'Only for a file that names none.' });
  const medium = field('Medium', h('input.in', { name: 'medium', maxlength: 255, autocapitalize: 'none', spellcheck: 'false', placeholder: 'as the file says' }));
  const words = h('div.pair', null, source.el, medium.el);
  const look = /** @type {HTMLButtonElement} */ (h('button.btn.main', { type: 'submit' }, 'See what it would do'));
  const state = h('div.bring-state', { role: 'status' }), list = h('div.bring-list');
  const kindNow = () => only ?? kind.input.value;

  const draw = () => {
    words.hidden = kindNow() !== 'spend';
    fill(needs, KINDS.find(([id]) => id === kindNow())?.[2] ?? '');
  };
  kind.input.addEventListener('change', draw);
  const form = h('form.form', { novalidate: true, oninput: () => fill(state), onsubmit: async (/** @type {Event} */ e) => {
    e.preventDefault();
    const chosen = file.input.files?.[0];
    if (!chosen) { file.say('Choose a file first.'); file.input.focus(); return; }
    look.disabled = true;
    await bring(chosen);
    look.disabled = false;
  } }, !only && kind.el, needs, file.el, words, h('div.acts', null, look));
  draw();

  /** @param {File} chosen */
  async function bring(chosen) {
    let id = '';
    try {
      const told = await post(base, { kind: kindNow(), name: chosen.name, bytes: chosen.size, source: source.input.value.trim() || null, medium: medium.input.value.trim() || null });
      id = told.id;
      for (let at = 0; at < chosen.size && !gone;) {
        progress(`Sending ${bytes(chosen.size)}`, at / chosen.size);
        at = (await send(`${base}/${id}/pieces?at=${at}`, chosen.slice(at, at + told.piece))).received;
      }
      if (gone) return;
      progress('Reading it', 1);
      would(id, await post(`${base}/${id}/preview`));
    } catch (error) {
      failed(error);
      if (id) remove(`${base}/${id}`).catch(() => {});
    }
  }

  /** @param {any} error */
  function failed(error) {
    if (gone || error.code === 'signed_out') return;
    if (error.field === 'file' || error.field === 'bytes' || error.field === 'name') { file.say(error.message); fill(state); } else fill(state, trouble(error.message));
  }

  /** @param {string} word @param {number} share */
  function progress(word, share) {
    fill(state, h('p.quiet', null, `${word} … ${percent(share)}`), h('progress', { max: 1, value: share, 'aria-label': word }));
  }

  /** @param {string} id @param {any} r */
  function would(id, r) {
    const rows = r.rows, stored = rows.new + rows.changed + rows.joined;
    const yes = /** @type {HTMLButtonElement} */ (h('button.btn.main', { type: 'button', disabled: !stored, onclick: async () => {
      yes.disabled = true;
      try { await post(`${base}/${id}/run`); watch(id); } catch (error) { failed(error); }
    } }, stored ? `Bring ${plural(stored, 'row')} in` : 'Nothing to bring in'));
    const no = h('button.btn', { type: 'button', onclick: async () => {
      fill(state);
      await remove(`${base}/${id}`).catch(() => {});
      file.input.focus();
    } }, 'Not this one');
    fill(state, h('section.would', { 'aria-label': 'What it would do' }, h('h3', null, 'What it would do'), counts(rows),
      r.from && h('p', null, 'From ', h('b', null, span(r.from, r.to)), r.made_by && `, a file of ${r.made_by}`, '.'),
      r.sums.length > 0 && h('ul.sums', null, r.sums.map((/** @type {any} */ s) => h('li', null, h('b', null, money(s.amount)), ` in ${plural(s.rows, 'row')}`))),
      r.overlaps && twice(r.overlaps),
      r.may_be_cut && h('p.note.warn', null, icon('alert', 's'), h('span', null, 'The last line does not end with a line break. Look whether the file is whole.')),
      r.refused.length > 0 && refusals(r.refused, rows.refused),
      r.mapped?.length > 0 && h('details.mapped', null, h('summary', null, `How ${plural(r.mapped.length, 'column')} are read`),
        h('ul', null, r.mapped.map((/** @type {any} */ m) => h('li', null, h('bdi', null, m.column), ' as ', h('b', null, m.as.replaceAll('_', ' ')))))),
      r.ignored_columns.length > 0 && h('p.quiet', null, 'Columns that are not read: ', h('bdi', null, r.ignored_columns.join(', ')), '.'),
      r.is_rough && h('p.quiet', null, 'The file is long: rows that stand in it twice may be counted twice here. They are stored once.'),
      h('div.acts', null, yes, no)));
    announce(`${plural(stored, 'row')} would be brought in, ${count(rows.refused)} refused`);
    yes.focus();
  }

  /** Rows by what becomes of them; what is nought is left out. @param {any} rows */
  function counts(rows) {
    const named = [['new', 'new'], ['changed', 'changed since'], ['known', 'known already'], ['joined', 'told by somebody else already'], ['left_out', 'left out'], ['refused', 'refused']];
    return h('dl.counts', null, named.filter(([id]) => rows[id] > 0 || id === 'new').map(([id, word]) => h('div', { class: id === 'refused' ? 'bad' : '' }, h('dt', null, word), h('dd', null, count(rows[id])))));
  }

  /** Costs that would be counted twice. @param {any} r */
  const twice = (r) => h('p.note.warn', null, icon('alert', 's'), h('span', null, h('b', null, `${plural(r.rows, 'row')} (${r.sums.map((/** @type {any} */ s) => money(s.amount)).join(', ')}) would count twice.`),
    ` The same source and campaign has other amounts for these days, in this file or here already. The first: `, h('bdi', null, [r.source, r.campaign].filter(Boolean).join(', ')), `, ${span(r.from, r.to)}. If a month and its days both stand there, take one of them out.`));

  /** @param {any[]} first @param {number} all */
  const refusals = (first, all) => h('div.refused', null, h('h4', null, all > first.length ? `The first ${first.length} of ${count(all)} refused rows` : 'Refused rows'),
    h('ul', null, first.map((r) => h('li', null, h('b', null, `Line ${count(r.line)}`), ' ', h('code', null, r.field), ' ', r.remedy))));

  /** Looks after a running file until it has come to its end. @param {string} id */
  async function watch(id) {
    clearTimeout(timer);
    try {
      const r = await get(`${base}/${id}`);
      if (gone) return;
      if (r.state === 'running') {
        progress(`${count(r.rows.read)} rows are through`, Math.min(.99, r.rows.read / Math.max(1, r.rows.read + 100)));
        timer = setTimeout(() => watch(id), LOOK_MS);
        return;
      }
      file.input.value = '';
      fill(state, r.state === 'done' ? h('section.would', { 'aria-label': 'What became of it' }, h('h3', null, icon('check', 's ok'), ' It is in'), counts(r.rows),
        r.rows.refused > 0 && h('p', null, download(r))) : trouble(r.problem ?? 'It was cut off. Bring the same file again, and it goes on there.'));
      announce(STATES[r.state] ?? r.state);
      await known();
      brought();
    } catch (error) { failed(error); }
  }

  /** @param {any} r */
  const download = (r) => h('a.btn.small', { href: `${base}/${r.id}/refused.csv`, download: '' }, `Refused rows (${count(r.rows.refused)})`);

  async function known() {
    let items;
    try { ({ items } = await get(base, new URLSearchParams({ limit: '50' }))); } catch (error) { if (!gone) failed(error); return; }
    if (gone) return;
    const own = items.filter((/** @type {any} */ r) => (!only || r.kind === only) && r.state !== 'coming');
    fill(list, own.length > 0 && [h('h3', null, 'Brought in so far'), h('ul.rows', null, own.map(line))]);
  }

  /** @param {any} r */
  const line = (r) => h('li', { 'data-import': r.id }, h('div.grow', null, h('b', null, h('bdi', null, r.name)), h('p.quiet', null, `${nameOf(r.kind)} · ${day(r.created_at)}, ${when(r.created_at)} · `,
    r.state === 'done' ? `${plural(r.rows.new, 'new row')}${r.rows.changed ? `, ${count(r.rows.changed)} changed` : ''}${r.rows.known ? `, ${count(r.rows.known)} known` : ''}` : STATES[r.state] ?? r.state,
    r.problem && ` · ${r.problem}`)),
  h('div.acts', null, r.rows.refused > 0 && download(r), r.may_undo && h('button.btn.small.danger', { type: 'button', 'aria-label': `Take back ${r.name}`, onclick: async () => {
    const yes = await confirm({ title: 'Take this file back?', yes: 'Take back', danger: true, text: h('p', null, r.kind === 'offline' ? 'What it told is untold, with the leads that it made and people who were known by it alone. Leads that somebody has worked on since stay. You can bring it again.' : 'The amounts that it brought are taken away. You can bring it again.') });
    if (!yes) return;
    try { await post(`${base}/${r.id}/undo`); announce('Taken back'); await known(); brought(); } catch (error) { failed(error); }
  } }, 'Take back')));

  known();
  return { el: h('div.bring', null, form, state, list), stop: () => { gone = true; clearTimeout(timer); } };
}
