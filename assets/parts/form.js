// Forms of the settings: saving, choices, switches, secrets that are shown once, the part of a site that somebody is shown.

import { h, fill, icon, announce, copyButton } from '../dom.js';
import { get } from '../api.js';
import { heard } from '../filters.js';
import { field } from './alone.js';

/** @typedef {import('../dom.js').Kid} Kid */

/**
 * A form with one main button. `save` throws what the server refused; a refusal that names a field stands in it.
 * @param {{fields: ReturnType<typeof field>[], rest?: Kid, go: string, done?: string, save: () => Promise<any>, more?: Kid, classes?: string}} how
 */
export function saveForm({ fields, rest, go, done, save, more, classes = '' }) {
  const said = h('div.said', { role: 'alert' });
  const button = /** @type {HTMLButtonElement} */ (h('button.btn.main', { type: 'submit' }, go));
  const ok = h('span.saved', { role: 'status' });
  const form = h('form.form', { novalidate: true, class: classes, onsubmit: async (/** @type {Event} */ e) => {
    e.preventDefault();
    const bad = fields.map((f) => f.valid()).indexOf(false);
    if (bad >= 0) { fields[bad].input.focus(); return; }
    const isOn = document.activeElement === button;
    button.disabled = true;
    fill(said);
    fill(ok);
    try {
      const answer = await save();
      if (done && answer !== null) { fill(ok, icon('check', 's ok'), done); announce(done); setTimeout(() => fill(ok), 4000); }
    } catch (error) {
      const err = /** @type {any} */ (error);
      const at = fields.find((f) => f.input.getAttribute('name') === err.field);
      if (at) { at.say(err.message); at.input.focus(); } else if (err.code !== 'signed_out') fill(said, trouble(err.message));
    }
    button.disabled = false;
    // What is disabled loses the focus. Whoever has moved on meanwhile is left alone.
    if (isOn && document.activeElement === document.body && button.isConnected) button.focus({ preventScroll: true });
  } }, fields.map((f) => f.el), rest, said, h('div.acts', null, button, more, ok));
  return form;
}

/** @param {string} text */
export const trouble = (text) => h('p.note.bad', null, icon('alert', 's'), h('span', null, text));

/** @param {string} name @param {string} label @param {boolean} on @param {Kid} [help] */
export function switchField(name, label, on, help) {
  const input = /** @type {HTMLInputElement} */ (h('input', { type: 'checkbox', name, checked: on }));
  return { el: h('label.choice.one', null, input, h('span', null, h('b', null, label), help && h('small', null, help))), input };
}

/** @param {string} name @param {string} label @param {[string, string][]} options @param {string} value @param {Kid} [help] */
export const selectField = (name, label, options, value, help) => field(label,
  h('select.in', { name }, options.map(([id, word]) => h('option', { value: id, selected: id === value }, word))), { help });

/** One entry a line. @param {string} name @param {string} label @param {string[]} lines @param {Kid} [help] @param {string} [placeholder] */
export const linesField = (name, label, lines, help, placeholder) => field(label,
  h('textarea.in', { name, rows: Math.max(2, lines.length + 1), spellcheck: 'false', autocapitalize: 'none', placeholder, value: lines.join('\n') }), { help });

/** @param {string} text */
export const linesOf = (text) => text.split(/[\n,]/).map((x) => x.trim()).filter(Boolean);

/** A secret that the server does not keep: copied now or never. @param {string} text @param {Kid} note */
export const once = (text, note) => h('div.once', { role: 'status' }, h('p', null, icon('alert', 's'), h('span', null, note)),
  h('div.code', null, h('code', null, text), copyButton(() => text, 'Copy')));

/** Loads a section and shows what is wrong in its place. @param {HTMLElement} root @param {() => Promise<void>} load */
export async function loading(root, load) {
  fill(root, h('div.skeleton', { 'aria-hidden': 'true' }, h('i'), h('i'), h('i')));
  try { await load(); } catch (error) {
    const err = /** @type {any} */ (error);
    if (err.code === 'signed_out') return;
    fill(root, h('div.sheet', null, h('div.trouble', null, icon('alert'), h('p', null, err.message),
      h('button.btn', { type: 'button', onclick: () => loading(root, load) }, 'Try again'))));
  }
}

/** A panel of a settings page. @param {string} title @param {Kid} lead @param {...Kid} kids */
export const panel = (title, lead, ...kids) => h('section.sheet.set-panel', { 'aria-label': title }, h('header', null, h('h2', null, title)),
  h('div.set-body', null, lead && h('p.quiet', null, lead), kids));

const PART = [['channel', 'Channel'], ['source', 'Source'], ['medium', 'Medium'], ['campaign', 'Campaign']];

/** "google", "not google", "with “ads” in it" @param {string} text */
function valueText(text) {
  const { not, has, value } = heard(text);
  return `${not ? 'not ' : ''}${has ? `with “${value}” in it` : value}`;
}

/** What a locked part says of itself. @param {Record<string, string[]>|null} segment */
export function partWords(segment) {
  const all = Object.entries(segment ?? {});
  return all.length ? all.map(([dim, values]) => `${PART.find(([d]) => d === dim)?.[1] ?? dim}: ${values.map(valueText).join(', ')}`).join(' · ')
    : 'Everything';
}

/**
 * Which part of the site is shown, and whether amounts and people are.
 * @param {{segment?: Record<string, string[]>, hides_money?: boolean, hides_people?: boolean}} now @param {string} suffix keeps ids apart
 * @param {string} site whose segments can be chosen
 */
export function sightFields(now, suffix, site) {
  const first = Object.entries(now.segment ?? {})[0];
  const dim = selectField(`dim-${suffix}`, 'Which part', [['', 'Everything'], ...PART.map(([d, w]) => /** @type {[string, string]} */ ([d, `Only one ${w.toLowerCase()} or some`]))],
    first?.[0] ?? '');
  const values = field('Which ones', h('input.in', { name: `segment-${suffix}`, value: (first?.[1] ?? []).join(', '), placeholder: 'google, bing', autocapitalize: 'none',
    spellcheck: 'false' }), { help: 'As the figures name them, with commas between. An exclamation mark in front leaves one out, a ~ asks for a part of the name.' });
  const isSegment = () => dim.input.value.startsWith('segment_');
  const show = () => { values.el.hidden = !dim.input.value || isSegment(); };
  // Those that everybody sees, where they name nothing but what can be locked. Their filters are taken as they are now.
  get(`/api/sites/${site}/segments`).then(({ items }) => {
    const all = items.filter((/** @type {any} */ s) => s.scope === 'site' && Object.keys(s.filters).every((d) => PART.some(([part]) => part === d)));
    for (const s of all) dim.input.append(h('option', { value: s.segment }, `Segment: ${s.name}`));
  }, () => {});
  dim.input.addEventListener('change', show);
  show();
  const money = switchField(`money-${suffix}`, 'Hide amounts', !!now.hides_money, 'Counts and rates stay.');
  const people = switchField(`people-${suffix}`, 'Hide people', !!now.hides_people, 'No masked address and no order number either.');
  const el = h('div.sight', null, h('div.pair', null, dim.el, values.el), h('div.pair', null, money.el, people.el));
  return { el, value: () => ({ segment: isSegment() ? dim.input.value : dim.input.value ? { [dim.input.value]: linesOf(values.input.value) } : null, hides_money: money.input.checked,
    hides_people: people.input.checked }) };
}
