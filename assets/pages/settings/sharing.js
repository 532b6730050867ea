// Links to read-only pages for people without a login.

import { get, post } from '../../api.js';
import { h, fill, icon, copyButton } from '../../dom.js';
import { when, day, plural } from '../../format.js';
import { field, passwordInput } from '../../parts/alone.js';
import { saveForm, selectField, switchField, linesField, linesOf, panel, sightFields, partWords } from '../../parts/form.js';
import { confirm } from '../../parts/menu.js';

/** Pages that a link can show, in the order in which it shows them. */
const PAGES = [['overview', 'Overview'], ['sources', 'Sources'], ['conversions', 'Conversions'], ['orders', 'Orders'], ['leads', 'Leads']];

/** @param {HTMLElement} root @param {import('../../app.js').Params} p */
export async function show(root, p) {
  const url = `/api/sites/${p.site.site}/shares`;
  const list = h('ul.rows');
  const draw = async () => {
    const { items } = await get(url);
    fill(list, items.length ? items.map((/** @type {any} */ s) => row(s, p, url, draw))
      : h('li', null, h('p.quiet', null, 'None yet. A link shows the figures to an agency or a partner without a login: only what you choose, read-only, until you take it back.')));
  };
  await draw();
  const name = field('Name', h('input.in', { name: 'name', maxlength: 100, placeholder: 'For the agency' }), { help: 'It stands on top of the page.', check: (v) => (v.trim() ? null : 'Who is it for?') });
  const end = selectField('expires_days', 'Ends', [['7', 'after 7 days'], ['30', 'after 30 days'], ['365', 'after a year'], ['', 'never']], '30');
  const { input, side } = passwordInput('password', 'new-password');
  input.required = false;
  const password = field('Password', input, { side, help: 'Optional, at least 8 characters. Send it by another way than the link.',
    check: (v) => (!v || v.length >= 8 ? null : 'At least 8 characters.') });
  const pages = PAGES.map(([id, word]) => ({ id, ...switchField(`page-${id}`, word, id === 'overview') }));
  const chosen = () => pages.filter((x) => x.input.checked).map((x) => x.id);
  const saidPages = h('p.err', { role: 'alert' });
  const pageField = h('fieldset.choices.pages', null, h('legend', null, 'Pages'), h('div.page-choice', null, pages.map((x) => x.el)), saidPages);
  const frames = linesField('frames', 'Inside other sites', [], 'Only if it should stand inside a page of theirs: its address, one a line. Everywhere else it opens by itself alone.', 'https://agency.example');
  const sight = sightFields({ hides_people: true }, 'share', p.site.site);
  const form = saveForm({ fields: [name, end, password, frames], rest: [pageField, sight.el], go: 'Make the link', done: 'Made. It stands in the list.', classes: 'cols', save: async () => {
    fill(saidPages);
    if (!chosen().length) { fill(saidPages, 'Choose at least one page.'); pages[0].input.focus(); return null; }
    await post(url, { pages: chosen(), frames: linesOf(frames.input.value), name: name.input.value.trim(), expires_days: end.input.value ? Number(end.input.value) : null, password: input.value || null, ...sight.value() });
    name.input.value = input.value = frames.input.value = '';
    await draw();
  } });
  fill(root, panel('Share links', null, list), panel('A new link', null, form));
}

/** @param {any} s @param {import('../../app.js').Params} p @param {string} url @param {() => Promise<void>} draw */
const row = (s, p, url, draw) => h('li', null, h('div.grow', null, h('b', null, h('bdi', null, s.name)), s.is_over && h('span.tag.box', null, 'over'),
  h('p.quiet', null, s.pages.map((/** @type {string} */ id) => PAGES.find(([p]) => p === id)?.[1] ?? id).join(', '), ' · ', partWords(s.segment), s.hides_money && ' · no amounts', s.hides_people && ' · no people', s.has_password && ' · password', s.frames.length > 0 && ` · inside ${s.frames.map((/** @type {string} */ f) => f.replace('https://', '')).join(', ')}`,
    ' · ', s.expires_at ? `${s.is_over ? 'ended' : 'ends'} ${day(s.expires_at)}` : 'no end', ' · ', plural(s.views, 'view'), s.last_viewed_at && `, last ${when(s.last_viewed_at)}`)),
h('div.acts', null, !s.is_over && copyButton(() => s.link, 'Copy link'),
  !s.is_over && s.frames.length > 0 && copyButton(() => `<iframe src="${s.link}" title="${s.name.replace(/[<>"&]/g, '')}" width="100%" height="900" loading="lazy"></iframe>`, 'Copy for a page'), !s.is_over && h('a.btn.small', { href: s.link, target: '_blank', rel: 'noopener' }, icon('right', 's'), 'Open'),
  h('button.btn.small.danger', { type: 'button', 'aria-label': `Take back ${s.name}`, onclick: async () => {
    const yes = await confirm({ title: `Take “${s.name}” back?`, yes: 'Take it back', danger: true, text: h('p', null, 'The link stops working at once, for everybody.') });
    if (!yes) return;
    try { await post(`${url}/${s.share}/revoke`); await draw(); } catch (error) { p.app.toast(/** @type {any} */ (error).message); }
  } }, 'Take back')));
