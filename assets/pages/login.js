// Signing in, with the second step where it is switched on.

import { post } from '../api.js';
import { h, fill, icon, announce, copyButton } from '../dom.js';
import { alonePage, field, passwordInput, checkEmail } from '../parts/alone.js';

export const title = 'Sign in';

const ADD_OWNER = 'halotrack user add --email you@shop.example --role owner';

/** @param {HTMLElement} root @param {{app: typeof import('../app.js').app, nothing?: boolean}} params */
export function render(root, { app, nothing }) {
  const wanted = new URLSearchParams(location.search).get('back') ?? '';
  // Only our own pages: an address from elsewhere must not lead away after signing in.
  const back = /^\/dashboard\/[^\\]*$/.test(wanted) ? wanted : '/dashboard';
  if (nothing) { fill(root, alonePage('No site is shared with you yet', 'You are signed in. Ask an owner to add you to a site.',
    h('button.btn', { type: 'button', onclick: () => app.signOut() }, 'Sign out'))); return {}; }

  let timer = 0;
  const said = h('div.said', { role: 'alert' });
  const { input: pass, side } = passwordInput('password', 'current-password');
  const email = field('E-mail', h('input.in', { type: 'email', name: 'email', autocomplete: 'username', required: true, autofocus: true, inputmode: 'email' }),
    { check: checkEmail });
  const password = field('Password', pass, { side, check: (v) => (v ? null : 'The password is missing.') });
  const code = field('Code', h('input.in.mono', { name: 'totp', autocomplete: 'one-time-code', inputmode: 'numeric', maxlength: 32 }),
    { help: 'Six digits from your authenticator app, or one of your recovery codes.' });
  code.el.hidden = true;
  const go = /** @type {HTMLButtonElement} */ (h('button.btn.main.big', { type: 'submit' }, 'Sign in'));

  const say = (/** @type {string} */ sign, /** @type {string} */ text, tone = 'bad') => fill(said,
    text && h(`p.note.${tone}`, null, icon(sign, 's'), h('span', null, text)));
  const form = h('form.form', { novalidate: true, onsubmit: async (/** @type {Event} */ e) => {
    e.preventDefault();
    const ok = [email, password].map((f) => f.valid());
    if (ok.includes(false)) { (ok[0] ? password : email).input.focus(); return; }
    go.disabled = true;
    say('', '');
    try {
      await post('/api/login', { email: email.input.value.trim(), password: password.input.value,
        ...(code.el.hidden || !code.input.value.trim() ? {} : { totp: code.input.value.replace(/\s/g, '') }) });
      app.me = null;
      app.navigate(back, { replace: true });
      return;
    } catch (error) { refused(/** @type {any} */ (error)); }
    if (!timer) go.disabled = false;
  } }, said, email.el, password.el, code.el, go);

  /** @param {any} error */
  function refused(error) {
    if (error.code === 'totp_required') {
      const first = code.el.hidden;
      email.el.hidden = password.el.hidden = true;
      code.el.hidden = false;
      if (!first) code.say('That code does not fit. Each is good once; wait for the next.');
      go.textContent = 'Go on';
      code.input.value = '';
      code.input.focus();
      announce('One more step: the code from your authenticator app.');
    } else if (error.code === 'too_many') wait(error.retryAfter ?? 30);
    else if (error.code === 'no_owner') noOwner();
    else if (error.code === 'bad_credentials') {
      email.el.hidden = password.el.hidden = false;
      code.el.hidden = true;
      go.textContent = 'Sign in';
      say('alert', 'E-mail and password do not fit together.');
      pass.focus();
      pass.select();
    }
    else say('alert', error.code === 'offline' ? 'The server could not be reached. Counting goes on if it runs; try again in a moment.' : error.message);
  }

  /** @param {number} seconds */
  function wait(seconds) {
    clearInterval(timer);
    const until = Date.now() + seconds * 1000;
    const tick = () => {
      const left = Math.ceil((until - Date.now()) / 1000);
      if (left > 0) { fill(said, h('p.note.warn', null, icon('clock', 's'),
        h('span', { 'aria-live': 'off' }, `Too many tries. Next one in ${left} ${left === 1 ? 'second' : 'seconds'}.`))); return; }
      clearInterval(timer);
      timer = 0;
      go.disabled = false;
      say('', '');
    };
    timer = setInterval(tick, 1000);
    go.disabled = true;
    tick();
  }

  const noOwner = () => fill(root,
    alonePage('Nobody is set up here yet',
    'When the server started it printed a set-up link, good for 30 minutes and once. Open that link to become the owner. Too late? Print a new one on the server:',
    h('div.code', null, h('code', null, ADD_OWNER), copyButton(() => ADD_OWNER, 'Copy'))));

  const note = history.state?.note || '';
  fill(root, alonePage('Sign in', note || (wanted ? 'Sign in to open the page you asked for.' : null), form));
  /** @type {HTMLElement|null} */ (root.querySelector('[name=email]'))?.focus();
  // Nobody there at all? The page says what to do instead of asking for a password that cannot exist.
  if (app.refused === 'no_owner') noOwner();
  else if (app.refused !== 'signed_out') app.refreshMe().then(() => app.navigate(back, { replace: true }), (error) => { if (error.code === 'no_owner') noOwner(); });
  return { leave: () => clearInterval(timer) };
}
