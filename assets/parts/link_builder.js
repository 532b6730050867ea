// Building a short link: the form on one side, what comes of it on the other, as it is typed. Words that the site knows are
// offered, and one that only spells a known word in another way is asked about.

import { get, post, remove } from '../api.js';
import { h, fill, icon, copyButton, announce } from '../dom.js';
import { plural } from '../format.js';
import { openDialog, dialogHead } from './menu.js';
import { field } from './alone.js';
import { selectField, trouble } from './form.js';
import { qrPicture } from './qr_picture.js';
import { linkName, shortText } from './link_panel.js';

/** @type {[string, string, string, string][]} name, label, placeholder, help */
const WORDS = [
  ['utm_source', 'Source', 'instagram', 'Where you post it: the site or the list.'],
  ['utm_medium', 'Medium', 'social', 'What kind of place: social, email, cpc, print.'],
  ['utm_campaign', 'Campaign', 'spring-sale', 'What it is for. The same word in every place you post it.'],
  ['utm_content', 'Content', 'story', 'Which of several posts or pictures it is.'],
  ['utm_term', 'Term', 'running shoes', 'The keyword that was paid for.'],
];
const MORE = ['utm_content', 'utm_term', 'affiliate'];

/**
 * @param {import('../app.js').Params} p @param {{like?: any, made: (link: any) => void, shown: (link: any) => void}} on `like`: a link whose words are taken over
 */
export function openBuilder(p, { like, made, shown }) {
  const base = `/api/sites/${p.site.site}/links`;
  const elsewhere = `A link leads to a page of your own: ${p.site.domains.join(', ')} and what is below.`;
  const input = (/** @type {string} */ name, /** @type {string} */ placeholder, /** @type {object} */ more = {}) => h('input.in',
    { name, placeholder, value: like?.[name] ?? '', autocomplete: 'off', autocapitalize: 'none', spellcheck: 'false', ...more });
  const to = field('Leads to', input('to', `https://${p.site.domains[0] ?? 'shop.example'}/sale`, { type: 'url', inputmode: 'url', maxlength: 2000, autofocus: true, value: like?.target ?? '' }),
    { help: 'A page of your site.', check: (v) => (!v.trim() ? 'Where does it lead?' : leadsHome(v, p.site.domains) ? null : elsewhere) });
  const label = field('Name', input('label', 'Story on Friday', { maxlength: 100, value: '', autocapitalize: 'sentences' }), { help: 'For your own list.' });
  const words = WORDS.map(([name, word, placeholder, help]) => {
    const f = field(word, input(name, placeholder, { list: `known-${name}`, maxlength: 255 }), { help });
    const doubt = h('p.doubt', { role: 'status' });
    f.el.append(h('datalist', { id: `known-${name}` }), doubt);
    return { name, doubt, ...f };
  });
  const affiliate = field('Affiliate’s code', input('affiliate', 'ANN10', { maxlength: 255, autocapitalize: 'characters', list: 'known-affiliate' }), { help: 'Goes along as ref, so that what comes of it is theirs.' });
  const codes = h('datalist', { id: 'known-affiliate' });
  affiliate.el.append(codes);
  const all = [to, label, ...words, affiliate];
  const nameOf = (/** @type {{input: HTMLInputElement}} */ f) => f.input.getAttribute('name') ?? '';
  const isMore = (/** @type {any} */ f) => MORE.includes(nameOf(f));
  const body = () => Object.fromEntries(all.map((f) => [nameOf(f), f.input.value.trim() || null]));

  const preview = h('div.preview', { 'aria-live': 'polite' });
  const said = h('div.said', { role: 'alert' });
  const go = /** @type {HTMLButtonElement} */ (h('button.btn.main', { type: 'submit' }, 'Make the link'));
  const rare = h('details.more-words', { open: MORE.some((name) => like?.[name]) }, h('summary', null, 'Content, term, affiliate'), h('div.form', null, [...words, affiliate].filter(isMore).map((f) => f.el)));
  // Words that are filled in again and again, under a name.
  /** @type {any[]} */ let templates = [];
  const pick = selectField('template', 'Template', [], '');
  const drop = h('button.btn.small.bare', { type: 'button', onclick: () => forget() }, 'Take this template away');
  const picked = h('div.templates', { hidden: true }, pick.el, drop);
  const nameIt = /** @type {HTMLInputElement} */ (h('input.in', { type: 'text', name: 'template_name', maxlength: 60, placeholder: 'Newsletter', autocomplete: 'off', 'aria-label': 'Name of the template' }));
  const keptNote = h('p.faint.small', { role: 'status' }, 'The words above, to start from next time. A name that is there already is replaced.');
  const keeper = h('details.more-words.keep', null, h('summary', null, 'Keep these words as a template'), h('div.keep-row', null, nameIt,
    h('button.btn', { type: 'button', onclick: () => keep() }, 'Keep')), keptNote);
  nameIt.addEventListener('keydown', (e) => { if (e.key === 'Enter') { e.preventDefault(); keep(); } });
  pick.input.addEventListener('change', () => {
    const chosen = templates.find((t) => t.template === pick.input.value);
    drop.hidden = !chosen;
    if (!chosen) return;
    for (const f of all) if (nameOf(f) !== 'label') { f.input.value = chosen.words[nameOf(f)] ?? ''; f.say(null); }
    if (MORE.some((name) => chosen.words[name])) rare.setAttribute('open', '');
    nameIt.value = chosen.name;
    look();
  });

  /** @param {string} [chosen] */
  async function known(chosen = '') {
    ({ items: templates } = await get(`${base}/templates`));
    picked.hidden = !templates.length;
    drop.hidden = !chosen;
    fill(pick.input, [h('option', { value: '' }, 'None'), templates.map((t) => h('option', { value: t.template, selected: t.template === chosen }, t.name))]);
  }
  async function keep() {
    if (!nameIt.value.trim()) { fill(keptNote, 'Give it a name first.'); nameIt.focus(); return; }
    try {
      const { label: _, ...words } = body();
      const kept = await post(`${base}/templates`, { ...words, name: nameIt.value });
      await known(kept.template);
      fill(keptNote, h('bdi', null, kept.name), ' is kept.');
    } catch (error) { if (/** @type {any} */ (error).code !== 'signed_out') fill(keptNote, /** @type {any} */ (error).message); }
  }
  async function forget() {
    try {
      await remove(`${base}/templates/${pick.input.value}`);
      await known();
      announce('The template is gone');
      (picked.hidden ? to.input : pick.input).focus();
    } catch (error) { if (/** @type {any} */ (error).code !== 'signed_out') fill(said, trouble(/** @type {any} */ (error).message)); }
  }

  const form = h('form.form', { novalidate: true, autocomplete: 'off', onsubmit: (/** @type {Event} */ e) => { e.preventDefault(); save(); } },
    picked, to.el, words.filter((w) => !isMore(w)).map((w) => w.el), rare, label.el, keeper, said, h('div.acts', null, go));
  const box = h('div.build', null, form, h('aside', { 'aria-label': 'What comes of it' }, preview));
  const { el, close } = openDialog({ label: 'New link', classes: 'builder' }, [dialogHead('New link', () => close()), box]);

  let timer = 0, turn = 0;
  form.addEventListener('input', () => { clearTimeout(timer); timer = setTimeout(look, 250); });

  /** Where it would lead, and which words are nearly known. */
  async function look() {
    const mine = ++turn;
    // While somebody types an address it is not wrong yet.
    if (!leadsHome(to.input.value, p.site.domains)) { doubts([]); fill(preview, h('h3', null, 'It will lead to'), h('p.faint', null, 'The whole address shows here while you type. ', to.input.value.trim() && elsewhere)); return; }
    try {
      const answer = await post(`${base}/preview`, body());
      if (mine !== turn) return;
      doubts(answer.doubts);
      fill(preview, h('h3', null, 'It will lead to'), h('p.to', null, h('bdi', null, answer.to)), h('p.faint', null, 'What people see and click is a short address of your own server. What comes along with a click, such as an ad’s click id, is passed on.'));
    } catch (error) {
      if (mine !== turn) return;
      const err = /** @type {any} */ (error);
      if (err.code === 'signed_out') return;
      doubts([]);
      fill(preview, h('h3', null, 'It will lead to'), h('p.faint', null, err.message));
    }
  }

  /** @param {{field: string, said: string, known: string}[]} found */
  function doubts(found) {
    for (const w of words) {
      const d = found.find((x) => x.field === w.name);
      fill(w.doubt, d && [icon('alert', 's'), h('span', null, 'Your figures know it as ', h('b', null, h('bdi', null, d.known)), '. Two spellings are two rows. '),
        h('button.btn.small', { type: 'button', onclick: () => { w.input.value = d.known; w.input.focus(); look(); } }, 'Use ', h('bdi', null, d.known))]);
      if (d && isMore(w)) rare.setAttribute('open', '');
    }
  }

  async function save() {
    const bad = all.find((f) => !f.valid());
    if (bad) { bad.input.focus(); return; }
    go.disabled = true;
    fill(said);
    try { done(await post(base, body())); } catch (error) {
      const err = /** @type {any} */ (error);
      const at = all.find((f) => nameOf(f) === err.field);
      if (at) { if (isMore(at)) rare.setAttribute('open', ''); at.say(err.message); at.input.focus(); } else if (err.code !== 'signed_out') fill(said, trouble(err.message));
      go.disabled = false;
    }
  }

  /** @param {any} link */
  function done(link) {
    turn++;
    clearTimeout(timer);
    made(link);
    const copy = copyButton(() => link.url, 'Copy', 'main');
    fill(box, h('div.made', null, h('p', null, icon('check', 's ok'), ' ', h('b', null, h('bdi', null, linkName(link))), ' is ready.'),
      h('div.code', null, h('code', null, shortText(link.url)), copy), qrPicture(link.url, linkName(link)),
      h('div.acts', null, h('button.btn', { type: 'button', onclick: () => { close(); openBuilder(p, { like: link, made, shown }); } }, 'Another like this'),
        h('button.btn.bare', { type: 'button', onclick: () => { close(); shown(link); } }, 'Show it'))));
    box.classList.add('is-made');
    copy.focus();
    announce('The link is ready');
  }

  known().catch(() => {});
  // Words that the site knows, to choose from.
  get(`${base}/words`).then((known) => {
    for (const w of words) {
      fill(/** @type {Element} */ (w.el.querySelector('datalist')), known[w.name].slice(0, 100).map((/** @type {any} */ k) => h('option', { value: k.word, label: k.visits ? plural(k.visits, 'visit') : plural(k.links, 'link') })));
    }
  }, () => {});
  get(`/api/sites/${p.site.site}/affiliates`).then(({ items }) => fill(codes, items.flatMap((/** @type {any} */ a) => a.codes.map((/** @type {string} */ code) => h('option', { value: code, label: a.name })))), () => {});
  look();
  if (like) to.input.select();
  return { el, close };
}

/** Whether an address may be one of the site's own; the server has the last word. @param {string} text @param {string[]} domains */
function leadsHome(text, domains) {
  const whole = text.trim();
  if (!whole) return false;
  let url;
  try { url = new URL(whole.includes('://') ? whole : whole.startsWith('/') ? `https://${domains[0]}${whole}` : `https://${whole}`); } catch { return false; }
  const host = url.hostname.replace(/\.$/, '');
  return /^https?:$/.test(url.protocol) && !url.username && !url.password && domains.some((d) => host === d || host.endsWith(`.${d}`));
}
