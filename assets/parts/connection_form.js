// The settings of a platform as a form, made from what it says of itself. Secrets go in and never come out.

import { h, fill, icon } from '../dom.js';
import { field } from './alone.js';

/**
 * @param {any} f the platform: its fields with label, help and kind
 * @param {{button: string, settings?: Record<string, string>, secrets?: string[], wait?: string, send: (settings: Record<string, string>) => Promise<void>}} how
 *   `settings` and `secrets` of a connection that is there; only what was changed is sent then. `wait` is said until there is an answer
 */
export function settingsForm(f, { button, settings, secrets, wait, send }) {
  const isNew = !settings;
  const said = h('div.said', { role: 'alert' }), waits = h('p.wait.faint', { role: 'status' });
  let timer = 0, tries = 0;
  const go = /** @type {HTMLButtonElement} */ (h('button.btn.main', { type: 'submit' }, button));
  const parts = f.fields.map((/** @type {any} */ one) => part(one, settings?.[one.key] ?? '', !!secrets?.includes(one.key), isNew));
  const rare = parts.filter((/** @type {any} */ x) => x.isMore);
  const more = rare.length > 0 && h('details.cx-more', { open: rare.some((/** @type {any} */ x) => x.isSet) }, h('summary', null, 'More settings'), h('div', null, rare.map((/** @type {any} */ x) => x.el)));
  /** @param {any} x */
  const reach = (x) => { x.el.closest('details')?.setAttribute('open', ''); x.input.focus(); };
  const form = /** @type {HTMLFormElement} */ (h('form.form', { novalidate: true, autocomplete: 'off', onsubmit: async (/** @type {Event} */ e) => {
    e.preventDefault();
    clearTimeout(timer);
    if (go.hasAttribute('aria-disabled')) return;
    const wrong = parts.find((/** @type {any} */ x) => !x.valid());
    if (wrong) { reach(wrong); return; }
    /** @type {Record<string, string>} */ const given = {};
    for (const x of parts) { const value = x.changed(); if (value !== null) given[x.key] = value; }
    // Not `disabled`: that would take the focus away.
    go.setAttribute('aria-disabled', 'true');
    if (wait) fill(waits, h('span.beat', { 'aria-hidden': 'true' }), h('span', null, wait));
    try { await send(given); fill(said); } catch (error) {
      const err = /** @type {any} */ (error);
      const at = parts.find((/** @type {any} */ x) => x.key === err.field);
      // Whoever cannot be reached is asked again, as long as nobody types: the cause may be gone soon.
      const isLater = err.code === 'not_reachable' || err.code === 'offline';
      if (at) { fill(said); at.say(err.message); reach(at); } else if (err.code !== 'signed_out') say(isLater ? `${err.message.replace(/ Try again [^.]*\.$/, '')} It is asked again by itself while this page is open.` : err.message);
      if (isLater) timer = setTimeout(() => form.isConnected && form.requestSubmit(), Math.max(PAUSES[Math.min(tries++, PAUSES.length - 1)], (err.retryAfter ?? 0) * 1000));
    } finally { go.removeAttribute('aria-disabled'); fill(waits); }
  } }, parts.filter((/** @type {any} */ x) => !x.isMore).map((/** @type {any} */ x) => x.el), more, said, h('div.acts', null, go), waits));
  /** The same sentence again is not read out once more. @param {string} text */
  const say = (text) => { if (said.textContent !== text) fill(said, h('p.note.bad', null, icon('alert', 's'), h('span', null, text))); };
  form.addEventListener('input', () => { clearTimeout(timer); tries = 0; });
  return { el: form };
}

/** How long until somebody who cannot be reached is asked again, in milliseconds; the last one for good. */
const PAUSES = [3000, 5000, 10000, 30000];

/** @param {any} one @param {string} saved @param {boolean} isKept a secret is there already @param {boolean} isNew */
function part(one, saved, isKept, isNew) {
  if (one.kind === 'switch') {
    const input = /** @type {HTMLInputElement} */ (h('input', { type: 'checkbox', name: one.key, checked: saved === 'true' }));
    return { key: one.key, input, el: h('label.choice.alone-choice', null, input, h('span', null, h('b', null, one.label), h('small', null, one.help))),
      valid: () => true, say: () => {}, changed: () => (String(input.checked) === (saved || 'false') ? null : String(input.checked)) };
  }
  const secret = one.kind === 'secret';
  const input = /** @type {HTMLInputElement} */ (h('input.in', { name: one.key, type: secret ? 'password' : 'text', inputmode: one.kind === 'url' ? 'url' : one.kind === 'number' ? 'numeric' : null,
    autocomplete: secret ? 'new-password' : 'off', autocapitalize: 'none', spellcheck: 'false', maxlength: one.kind === 'currency' ? 3 : 8192,
    value: secret ? '' : saved, placeholder: secret && isKept ? '•••• saved' : one.kind === 'url' ? 'https://…' : one.kind === 'currency' ? 'EUR' : one.default ?? null }));
  const side = secret ? h('button.btn.small.bare', { type: 'button', 'aria-label': `Show ${one.label}`, 'aria-pressed': 'false', onclick: (/** @type {Event} */ e) => {
    const show = input.type === 'password';
    input.type = show ? 'text' : 'password';
    /** @type {HTMLElement} */ (e.currentTarget).setAttribute('aria-pressed', String(show));
  } }, 'Show') : undefined;
  const help = secret && isKept && one.made ? 'It is saved. Leave it empty to keep it.' : [one.help, secret && isKept ? ' It is saved; leave it empty to keep it.' : one.default ? ` Left empty: ${one.default}.` : one.instead_of?.length ? ` Either this, or ${one.instead_of.map(listed).join(', or ')}.` : !one.required && !one.made && isNew ? ' Not required.' : ''];
  const made = field(one.label, input, { help, side, check: (v) => (one.required && !v.trim() && !isKept ? `${one.label} is needed.` : beyond(one, v.trim())) });
  // What is made for the owner, or good as it is, waits behind a word.
  return { key: one.key, input: made.input, el: made.el, valid: made.valid, say: made.say, isMore: one.made || !!one.default, isSet: !secret && saved !== '',
    changed: () => { const v = input.value.trim(); return secret ? v || null : v === saved ? null : v; } };
}

/** Labels as a list in a sentence. @param {string[]} all */
const listed = (all) => (all.length > 1 ? `${all.slice(0, -1).join(', ')} and ${all.at(-1)}` : all[0]);

/** @param {any} one @param {string} text @returns {string|null} */
function beyond(one, text) {
  if (!text || one.kind !== 'number') return null;
  const [least, most] = one.limits;
  return /^\d+$/.test(text) && Number(text) >= least && Number(text) <= most ? null : `A whole number from ${least} to ${most}.`;
}
