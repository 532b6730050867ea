// The page without rail and bar: signing in, setting up, the first site.

import { h, add, icon } from '../dom.js';

/**
 * @param {string} title @param {import('../dom.js').Kid} lead @param {import('../dom.js').Kid} content @param {{step?: number, wide?: boolean}} [how]
 */
export function alonePage(title, lead, content, { step, wide } = {}) {
  return h('main.alone', { class: wide ? 'wide' : '' }, h('div.brand', null, icon('halo'), 'HaloTrack'),
    step ? h('ol.steps', { 'aria-label': 'Steps' },
      ['You', 'Your site', 'Your pages'].map((name, i) => h('li', { 'aria-current': i + 1 === step ? 'step' : null, class: i + 1 < step ? 'done' : '' },
      i + 1 < step ? icon('check', 's') : h('span', null, i + 1), name))) : null,
    h('h1', null, title), lead && h('p.lead', null, lead), content);
}

/**
 * A field: label above, help below, an error in place of the help.
 * @param {string} label @param {HTMLElement} input @param {{help?: import('../dom.js').Kid, check?: (value: string) => string|null, side?: HTMLElement}} [how]
 */
export function field(label, input, { help, check, side } = {}) {
  const id = `f-${input.getAttribute('name')}`;
  input.id = id;
  const note = h('small', { id: `${id}-note` });
  input.setAttribute('aria-describedby', note.id);
  const el = h('div.f', null, h('label', { for: id }, label), side ? h('div.in-wrap', null, input, side) : input, note);
  const say = (/** @type {string|null} */ error) => {
    note.className = error ? 'err' : '';
    note.replaceChildren();
    if (error) input.setAttribute('aria-invalid', 'true'); else input.removeAttribute('aria-invalid');
    add(note, error ? [icon('alert', 's'), error] : help);
  };
  say(null);
  const valid = () => { const error = check?.(/** @type {HTMLInputElement} */ (input).value) ?? null; say(error); return !error; };
  input.addEventListener('blur', () => { if (/** @type {HTMLInputElement} */ (input).value) valid(); });
  input.addEventListener('input', () => { if (input.hasAttribute('aria-invalid')) valid(); });
  return { el, input: /** @type {HTMLInputElement} */ (input), say, valid };
}

/** A password field whose text can be shown. @param {string} name @param {string} autocomplete */
export function passwordInput(name, autocomplete) {
  const input = /** @type {HTMLInputElement} */ (h('input.in', { type: 'password', name, autocomplete, required: true, maxlength: 256 }));
  const side = h('button.btn.small.bare', {
    type: 'button', 'aria-label': 'Show the password', 'aria-pressed': 'false',
    onclick: () => {
      const show = input.type === 'password';
      input.type = show ? 'text' : 'password';
      side.setAttribute('aria-pressed', String(show));
    },
  }, 'Show');
  return { input, side };
}

/** @param {string} text @returns {string|null} */
export const checkEmail = (text) => (/^\S+@\S+\.\S+$/.test(text.trim()) ? null : 'That is no e-mail address. Write it like name@shop.example.');
/** @param {string} text @returns {string|null} */
export const checkPassword = (text) => (text.length >= 12 ? null : text.length ? `${text.length} of at least 12 characters.` : 'At least 12 characters.');
