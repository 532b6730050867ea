// Asking for the password once more, where a borrowed browser must not be enough.

import { post } from '../api.js';
import { h, fill } from '../dom.js';
import { field, passwordInput } from './alone.js';
import { openDialog } from './menu.js';

/**
 * Does something that may want the password again; then asks for it and does it once more. Null where nobody gave it.
 * @template T @param {() => Promise<T>} act @returns {Promise<T|null>}
 */
export async function proved(act) {
  try { return await act(); } catch (error) {
    if (/** @type {any} */ (error).code !== 'prove_again') throw error;
    return (await ask()) ? act() : null;
  }
}

/** @returns {Promise<boolean>} */
function ask() {
  return new Promise((resolve) => {
    let done = false;
    const box = h('div.ask');
    const { close } = openDialog({ label: 'Your password', classes: 'small', onclose: () => resolve(done) }, box);
    const { input, side } = passwordInput('again', 'current-password');
    const password = field('Your password', input, { side, check: (v) => (v ? null : 'The password is missing.') });
    const go = /** @type {HTMLButtonElement} */ (h('button.btn.main', { type: 'submit' }, 'Go on'));
    fill(box, h('h2', null, 'Your password once more'), h('p.text', null, 'A browser left open must not be enough for this.'),
      h('form.form', { novalidate: true, onsubmit: async (/** @type {Event} */ e) => {
        e.preventDefault();
        if (!password.valid()) { input.focus(); return; }
        go.disabled = true;
        try { await post('/api/me/prove', { password: input.value }); done = true; close(); } catch (error) {
          password.say(/** @type {any} */ (error).message);
          input.select();
          go.disabled = false;
        }
      } }, password.el, h('footer', null, h('button.btn', { type: 'button', onclick: () => close() }, 'Not now'), go)));
    input.focus();
  });
}
