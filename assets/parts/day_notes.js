// Notes on days: what the owner knows and the figures do not. Written with N on a day, read and taken away at their flag.

import { post, remove } from '../api.js';
import { h, fill, icon, announce } from '../dom.js';
import { day as dayName } from '../format.js';
import { openDialog, dialogHead, pop } from './menu.js';

/** @param {import('../app.js').Params} p @param {string} day @param {() => void} done */
export function writeNote(p, day, done) {
  const said = h('p.error', { role: 'alert' });
  const text = /** @type {HTMLInputElement} */ (h('input.in', { name: 'text', maxlength: 200, required: true, autofocus: true, placeholder: 'Spring ads on', autocomplete: 'off', 'aria-label': 'What happened' }));
  const go = /** @type {HTMLButtonElement} */ (h('button.btn.main', { type: 'submit' }, 'Save'));
  const { close } = openDialog({ label: 'A note', classes: 'small' }, [dialogHead(`A note on ${dayName(day, true)}`, () => close()), h('form.form.body', { onsubmit: async (/** @type {Event} */ e) => {
    e.preventDefault();
    go.disabled = true;
    try {
      await post(`/api/sites/${p.site.site}/notes`, { day, text: text.value });
      close();
      announce('Saved');
      done();
    } catch (error) { fill(said, /** @type {any} */ (error).message); go.disabled = false; text.focus(); }
  } }, h('label.f', null, h('b', null, 'What happened'), text, h('small', null, 'Everybody who sees this site sees it, as a flag under the day.')), said, h('div.spread', null, h('span'), go))]);
  text.focus();
}

/** @param {import('../app.js').Params} p @param {any[]} notes in the order of their days @param {HTMLElement} anchor @param {() => void} done */
export function readNotes(p, notes, anchor, done) {
  const days = [...new Set(notes.map((n) => n.day))];
  const line = (/** @type {any} */ n) => h('div.spread', null, h('span', null, icon('flag', 's warn'), ' ', h('bdi', null, n.text)),
    p.may && h('button.btn.icon.bare.small', { type: 'button', 'aria-label': `Take away: ${n.text}`, 'data-tip': 'Take it away', onclick: async () => {
      menu.close();
      try { await remove(`/api/sites/${p.site.site}/notes/${n.id}`); p.app.toast('The note is gone.'); } catch (error) { p.app.toast(`Not changed. ${/** @type {any} */ (error).message}`); }
      done();
    } }, icon('x', 's')));
  const menu = pop(anchor, 'Notes', h('div.notes', null, days.map((day) => [h('div.spread', null, h('p.lead', null, dayName(day)),
    p.may && h('button.btn.icon.bare.small', { type: 'button', 'aria-label': `Another note on ${dayName(day)}`, 'data-tip': 'Another note on this day', onclick: () => { menu.close(); writeNote(p, day, done); } }, icon('plus', 's'))),
  notes.filter((n) => n.day === day).map(line)])), 'wide');
}
