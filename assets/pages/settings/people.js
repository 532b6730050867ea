// Who may sign in to the site, and as what.

import { get, post } from '../../api.js';
import { h, fill, icon } from '../../dom.js';
import { when } from '../../format.js';
import { field, checkEmail } from '../../parts/alone.js';
import { saveForm, selectField, panel, once, sightFields, partWords } from '../../parts/form.js';
import { confirm, openDialog, dialogHead } from '../../parts/menu.js';
import { proved } from '../../parts/prove.js';

const ROLES = /** @type {[string, string][]} */ ([['owner', 'Owner: everything'], ['editor', 'Editor: all but people, secrets and erasing'],
  ['analyst', 'Analyst: reads and exports'], ['client', 'Client: reads a part, people masked']]);

/** @param {HTMLElement} root @param {import('../../app.js').Params} p */
export async function show(root, p) {
  const url = `/api/sites/${p.site.site}/people`;
  const list = h('ul.rows'), linkBox = h('div');
  const draw = async () => {
    const { items } = await get(url);
    fill(list, items.map((/** @type {any} */ m) => row(m, p, url, linkBox, draw)));
  };
  await draw();
  const email = field('E-mail', h('input.in', { type: 'email', name: 'email', autocomplete: 'off', inputmode: 'email' }), { check: checkEmail });
  const role = selectField('role', 'Role', ROLES, 'analyst');
  const sight = sightFields({}, 'new', p.site.site);
  const show = () => { sight.el.hidden = role.input.value !== 'client'; };
  role.input.addEventListener('change', show);
  show();
  const form = saveForm({ fields: [email, role], rest: sight.el, go: 'Invite', classes: 'cols', save: async () => {
    const made = await proved(() => post(url, { email: email.input.value.trim(), role: role.input.value, ...(role.input.value === 'client' ? sight.value() : {}) }));
    if (!made) return null;
    fill(linkBox, made.link ? once(made.link, `Send this link to ${email.input.value.trim()}. It works once, for seven days, and is not shown again.`)
      : h('p.note', null, icon('check', 's ok'), h('span', null, `${email.input.value.trim()} has an account here and can sign in at once.`)));
    email.input.value = '';
    await draw();
    return made;
  } });
  fill(root, panel('People', null, list), panel('Invite somebody', null, form, linkBox));
}

/** @param {any} m @param {import('../../app.js').Params} p @param {string} url @param {HTMLElement} linkBox @param {() => Promise<void>} draw */
function row(m, p, url, linkBox, draw) {
  const act = async (/** @type {() => Promise<any>} */ what) => { try { await proved(what); await draw(); } catch (error) { p.app.toast(/** @type {any} */ (error).message); } };
  const state = m.is_box_owner ? 'Owner of this installation' : m.is_invited ? 'Invited, not come yet' : m.last_login_at ? `Signed in ${when(m.last_login_at)}` : 'Has not signed in yet';
  return h('li', null, h('div.grow', null, h('b', null, h('bdi', null, m.email)),
    h('p.quiet', null, !m.is_box_owner && `${m.role[0].toUpperCase()}${m.role.slice(1)}`, m.role === 'client' && ` · ${partWords(m.segment)}${m.hides_money ? ' · no amounts' : ''}`
      + `${m.hides_people ? ' · no people' : ''}`, !m.is_box_owner && ' · ', state, m.second_factor && ' · second step on')),
  !m.is_box_owner && h('div.acts', null,
    m.is_invited && h('button.btn.small', { type: 'button', 'aria-label': `New link for ${m.email}`, onclick: () => act(async () => {
      const made = await post(`${url}/${m.user}/link`);
      fill(linkBox, once(made.link, `Send this link to ${m.email}. The one before does not work any more.`));
    }) }, 'New link'),
    h('button.btn.small', { type: 'button', 'aria-label': `Change the role of ${m.email}`, onclick: () => changeDialog(m, p, url, draw) }, 'Change'),
    h('button.btn.small.danger', { type: 'button', 'aria-label': `Remove ${m.email}`, onclick: async () => {
      const yes = await confirm({ title: `Remove ${m.email}?`, yes: 'Remove', danger: true, text: h('p', null, 'They are signed out of this site at once. What they did stays in the log.') });
      if (yes) act(() => post(`${url}/${m.user}/remove`));
    } }, 'Remove')));
}

/** @param {any} m @param {import('../../app.js').Params} p @param {string} url @param {() => Promise<void>} draw */
function changeDialog(m, p, url, draw) {
  const role = selectField('role-change', 'Role', ROLES, m.role);
  const sight = sightFields(m, 'change', p.site.site);
  const show = () => { sight.el.hidden = role.input.value !== 'client'; };
  role.input.addEventListener('change', show);
  show();
  const { close } = openDialog({ label: `Role of ${m.email}`, classes: 'mid' }, [dialogHead(m.email, () => close()), h('div.dialog-body', null,
    saveForm({ fields: [role], rest: sight.el, go: 'Save', save: async () => {
      const done = await proved(async () => { await post(`${url}/${m.user}`, { role: role.input.value, ...(role.input.value === 'client' ? sight.value() : {}) }); return true; });
      if (done) { close(); await draw(); }
      return done;
    } }))]);
}
