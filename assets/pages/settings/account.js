// One's own account: password, second step, signed-in browsers.

import { get, post } from '../../api.js';
import { h, fill, icon, announce, copyButton } from '../../dom.js';
import { when } from '../../format.js';
import { field, passwordInput, checkPassword } from '../../parts/alone.js';
import { saveForm, panel } from '../../parts/form.js';
import { confirm } from '../../parts/menu.js';
import { proved } from '../../parts/prove.js';
import { qrCode } from '../../parts/qr.js';

/** @param {HTMLElement} root @param {import('../../app.js').Params} p */
export async function show(root, p) {
  const me = await get('/api/me/account');
  const again = () => show(root, p);
  const old = passwordInput('password', 'current-password'), fresh = passwordInput('new', 'new-password');
  const oldField = field('Password now', old.input, { side: old.side, check: (v) => (v ? null : 'The password is missing.') });
  const newField = field('New password', fresh.input, { side: fresh.side, check: checkPassword, help: 'At least 12 characters. A few words in a row are easy to keep.' });
  const form = saveForm({ fields: [oldField, newField], go: 'Change the password', done: 'Changed. Every other browser is signed out.', classes: 'cols', save: async () => {
    try { await post('/api/me/password', { old: old.input.value, new: fresh.input.value }); } catch (error) {
      if (/** @type {any} */ (error).code === 'weak_password') { newField.say(/** @type {any} */ (error).message); fresh.input.focus(); return null; }
      throw error;
    }
    old.input.value = fresh.input.value = '';
    await drawLogins();
    return true;
  } });
  const logins = h('ul.rows');
  const drawLogins = async () => {
    const all = (await get('/api/me/account')).logins;
    fill(logins, all.map((/** @type {any} */ l) => h('li', null, h('div.grow', null, h('b', null, l.browser || 'A browser'), l.is_this && h('span.tag.box', null, 'this one'),
      h('p.quiet', null, `Signed in ${when(l.created_at)}, last seen ${when(l.last_seen_at)}`)),
    !l.is_this && h('div.acts', null, h('button.btn.small', { type: 'button', 'aria-label': `Sign out ${l.browser}`, onclick: async () => {
      try { await post('/api/me/logins/end', { login: l.id }); } catch (error) { p.app.toast(/** @type {any} */ (error).message); }
      await drawLogins();
    } }, 'Sign out')))));
  };
  await drawLogins();
  const second = h('div');
  drawSecond(second, me, p, again);
  fill(root, panel('Password', `You sign in as ${me.email}.`, form), panel('Second step', null, second), panel('Signed-in browsers', null, logins));
}

/** @param {HTMLElement} box @param {any} me @param {import('../../app.js').Params} p @param {() => Promise<void>} again */
function drawSecond(box, me, p, again) {
  if (me.second_factor) {
    fill(box, h('p.saved', null, icon('check', 's ok'), `On. ${me.recovery_codes} of 10 recovery codes are left.`), h('div.acts', null,
      h('button.btn', { type: 'button', onclick: () => offer(box, p, again) }, 'Another phone'),
      h('button.btn.danger', { type: 'button', onclick: async () => {
        const yes = await confirm({ title: 'Sign in without a second step?', yes: 'Switch it off', danger: true, text: h('p', null, 'A stolen password is then enough to get in.') });
        if (!yes) return;
        try { const done = await proved(async () => { await post('/api/me/second-factor/remove'); return true; }); if (done) await again(); } catch (error) { p.app.toast(/** @type {any} */ (error).message); }
      } }, 'Switch off')));
    return;
  }
  fill(box, h('p.quiet', null, 'Off. With it, a stolen password alone lets nobody in: signing in also wants six digits from an app on your phone.'),
    h('div.acts.below', null, h('button.btn.main', { type: 'button', onclick: () => offer(box, p, again) }, 'Switch it on')));
}

/** @param {HTMLElement} box @param {import('../../app.js').Params} p @param {() => Promise<void>} again */
async function offer(box, p, again) {
  let made;
  try { made = await proved(() => post('/api/me/second-factor/offer')); } catch (error) { p.app.toast(/** @type {any} */ (error).message); return; }
  if (!made) return;
  const code = field('Six digits', h('input.in.mono', { name: 'code', autocomplete: 'one-time-code', inputmode: 'numeric', maxlength: 8 }),
    { check: (v) => (/^\d{6}$/.test(v.replace(/\s/g, '')) ? null : 'Six digits, as the app shows them now.') });
  const form = saveForm({ fields: [code], go: 'Switch it on', more: h('button.btn', { type: 'button', onclick: again }, 'Not now'), save: async () => {
    const done = await proved(() => post('/api/me/second-factor', { key: made.key, code: code.input.value.replace(/\s/g, '') }));
    if (!done) return null;
    const codes = done.recovery_codes.join('\n');
    fill(box, h('p.saved', null, icon('check', 's ok'), 'The second step is on. Every other browser is signed out.'),
      h('div.once', { role: 'status' }, h('p', null, icon('alert', 's'), h('span', null, 'Keep these ten codes where your phone is not. Each lets you in once; they are not shown again.')),
        h('ul.codes', null, done.recovery_codes.map((/** @type {string} */ c) => h('li', null, h('code', null, c)))), copyButton(() => codes, 'Copy all')),
      h('div.acts', null, h('button.btn', { type: 'button', onclick: again }, 'I have kept them')));
    announce('The second step is on. Ten recovery codes are shown.');
    return done;
  } });
  fill(box, h('ol.quiet', null, h('li', null, 'Open an authenticator app on your phone and scan this square.'), h('li', null, 'Type the six digits it shows.')),
    h('div.enrol', null, qrCode(made.address, 'Square code for the authenticator app'), h('div', null, h('p.quiet', null, 'No camera? Type this key:'),
      h('div.code', null, h('code', null, made.key.replace(/(.{4})(?=.)/g, '$1 ')), copyButton(() => made.key, 'Copy')), form)));
  code.input.focus();
}
