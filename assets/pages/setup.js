// The set-up link: the first owner, or somebody who was invited, chooses a password.

import { get, post } from '../api.js';
import { h, fill, icon } from '../dom.js';
import { alonePage, field, passwordInput, checkEmail, checkPassword } from '../parts/alone.js';

export const title = 'Set up';

/** @param {HTMLElement} root @param {{app: typeof import('../app.js').app, token: string}} params */
export function render(root, { app, token }) {
  let gone = false;
  fill(root, alonePage('One moment', null, null));
  get(`/api/setup/${encodeURIComponent(token)}`).then((link) => { if (!gone) show(link); }, (error) => { if (!gone) expired(error); });

  /** @param {{kind: 'first_owner'|'invite', email: string|null}} link */
  function show(link) {
    const first = link.kind === 'first_owner';
    const said = h('div.said', { role: 'alert' });
    const { input: pass, side } = passwordInput('password', 'new-password');
    const email = field('E-mail', h('input.in', { type: 'email', name: 'email', autocomplete: 'username', required: true, value: link.email ?? '',
      readonly: !!link.email }), { check: checkEmail, help: first ? 'You sign in with it. Nothing is sent to it unless you ask.' : undefined });
    const password = field('Password', pass,
      { side, check: checkPassword, help: 'At least 12 characters. A few words in a row are easy to keep and hard to guess.' });
    pass.addEventListener('input', () => { if (pass.value.length >= 12 && !pass.hasAttribute('aria-invalid')) password.say(null); });
    const go = /** @type {HTMLButtonElement} */ (h('button.btn.main.big', { type: 'submit' }, first ? 'Become the owner' : 'Set the password'));
    const form = h('form.form', { novalidate: true, onsubmit: async (/** @type {Event} */ e) => {
      e.preventDefault();
      const ok = [email, password].map((f) => f.valid());
      if (ok.includes(false)) { (ok[0] ? password : email).input.focus(); return; }
      go.disabled = true;
      fill(said);
      try {
        await post('/api/setup', { token, email: email.input.value.trim(), password: pass.value });
        app.me = null;
        app.navigate('/dashboard', { replace: true });
      } catch (error) {
        const err = /** @type {any} */ (error);
        const at = err.code === 'weak_password' ? password : err.field === 'email' ? email : null;
        if (at) {
          at.say(err.message);
          at.input.focus();
        } else if (err.code === 'link_expired') expired(err);
        else fill(said, h('p.note.bad', null, icon('alert', 's'), h('span', null, err.message)));
        go.disabled = false;
      }
    } }, said, email.el, password.el, go);
    fill(root, alonePage(first ? 'You are the first here' : 'You were invited',
      first ? 'Choose how you sign in. Then your site, then one line for your pages: about five minutes to the first number.'
      : 'Choose a password; then you see the sites shared with you.', form, { step: first ? 1 : undefined }));
    (link.email ? pass : email.input).focus();
  }

  /** @param {any} error */
  function expired(error) {
    if (error.status !== 404 && error.code !== 'link_expired') { fill(root,
      alonePage('The link could not be checked', error.message, h('button.btn.main', { type: 'button', onclick: () => location.reload() }, 'Try again'))); return; }
    fill(root, alonePage('This link is used up', 'A set-up link is good for 30 minutes and once. Print a new one on the server, or ask the owner who invited you:', [
      h('div.code', null, h('code', null, 'halotrack user add --email you@shop.example --role owner')),
        h('p', null, h('a.go', { href: '/login' }, 'Sign in instead'))]));
  }
  return { leave: () => { gone = true; } };
}
