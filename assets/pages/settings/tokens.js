// Keys of programs: made, shown once, revoked.

import { get, post } from '../../api.js';
import { h, fill } from '../../dom.js';
import { when, day } from '../../format.js';
import { field } from '../../parts/alone.js';
import { saveForm, selectField, panel, once } from '../../parts/form.js';
import { confirm } from '../../parts/menu.js';
import { proved } from '../../parts/prove.js';

const SCOPES = [['read', 'Read', 'conversions and reports'], ['write', 'Write', 'tell conversions, change settings'], ['sync', 'Sync', 'fetch from connected platforms now'],
  ['export', 'Export', 'whole lists as files'], ['erase', 'Erase', 'delete people']];

/** @param {HTMLElement} root @param {import('../../app.js').Params} p */
export async function show(root, p) {
  const url = `/api/sites/${p.site.site}/tokens`;
  const list = h('ul.rows'), made = h('div');
  const draw = async () => {
    const { items } = await get(url);
    fill(list, items.length ? items.map((/** @type {any} */ t) => h('li', null, h('div.grow', null, h('b', null, h('bdi', null, t.name)), h('p.quiet', null,
      h('code', null, `•••• ${t.ends_in}`), ` · ${t.scopes.join(', ')} · `, t.last_used_at ? `used ${when(t.last_used_at)}` : 'never used', ' · ',
      t.expires_at ? `ends ${day(t.expires_at)}` : 'no end')),
    h('div.acts', null, h('button.btn.small.danger', { type: 'button', 'aria-label': `Revoke ${t.name}`, onclick: async () => {
      const yes = await confirm({ title: `Revoke “${t.name}”?`, yes: 'Revoke', danger: true, text: h('p', null, 'The program that uses it is refused at once.') });
      if (!yes) return;
      try { await post(`${url}/${t.token}/revoke`); await draw(); } catch (error) { p.app.toast(/** @type {any} */ (error).message); }
    } }, 'Revoke')))) : h('li', null, h('p.quiet', null, 'None yet. Programs that tell or read conversions need one.')));
  };
  await draw();
  const name = field('Name', h('input.in', { name: 'name', maxlength: 100, placeholder: 'The shop’s server' }), { check: (v) => (v.trim() ? null : 'What is it for?') });
  const end = selectField('expires_days', 'Ends', [['30', 'after 30 days'], ['90', 'after 90 days'], ['365', 'after a year'], ['', 'never']], '365');
  const boxes = SCOPES.map(([id, word, note], i) => h('label.choice', null, h('input', { type: 'checkbox', name: 'scope', value: id, checked: i < 1 }),
    h('span', null, h('b', null, word), h('small', null, note))));
  const form = saveForm({ fields: [name, end], rest: h('fieldset.choices', null, h('legend', null, 'It may'), boxes), go: 'Make a token', classes: 'cols', save: async () => {
    const scopes = [...form.querySelectorAll('[name=scope]:checked')].map((x) => /** @type {HTMLInputElement} */ (x).value);
    const done = await proved(() => post(url, { name: name.input.value.trim(), scopes, expires_days: end.input.value ? Number(end.input.value) : null }));
    if (!done) return null;
    fill(made, once(done.secret, 'Copy it now: it is not kept and not shown again.'));
    name.input.value = '';
    await draw();
    return done;
  } });
  fill(root, panel('Tokens', null, list), panel('A new token', null, form, made));
}
