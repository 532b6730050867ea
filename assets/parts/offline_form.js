// What no system has told, typed in: an enquiry by telephone, a visit that was kept, somebody sent by somebody. What it would become is shown before it is stored.

import { post } from '../api.js';
import { h, fill, icon, announce, styles } from '../dom.js';
import { clock, count, dayOf, exact, matchWord, money, ownCurrency, platform, plural, toldSentence } from '../format.js';
import { field, checkEmail } from './alone.js';
import { selectField, trouble } from './form.js';
import { openDialog, dialogHead } from './menu.js';

/** What can have happened, as owners say it. @type {[string, string][]} */
const WHAT = [['lead', 'Somebody asked (a lead)'], ['referral', 'Somebody was sent by somebody'], ['booking', 'An appointment was booked'], ['attendance', 'They came'],
  ['no_show', 'They did not come'], ['cancellation', 'They cancelled'], ['registration', 'They registered for an event'], ['sign_up', 'They signed up']];
/** Its styles and those of what it shares with files; nobody waits for them who never adds anything. */
const ready = Promise.all([styles(new URL('../css/bring.css', import.meta.url)), styles(new URL('../css/offline.css', import.meta.url))]);

/** Those that make a lead. */
const LEADS = ['lead', 'referral'];

/** @param {import('../app.js').Params} p @param {() => void} changed */
export async function openOffline(p, changed) {
  await ready;
  const base = `/api/sites/${p.site.site}/offline`;
  const input = (/** @type {string} */ name, /** @type {object} */ more = {}) => h('input.in', { type: 'text', name, autocomplete: 'off', ...more });
  const word = { maxlength: 255, autocapitalize: 'none', spellcheck: 'false' };
  const now = new Date().toISOString(), local = `${dayOf(now)}T${clock(now)}`;
  const what = selectField('what', 'What happened', WHAT, 'lead');
  const at = field('When', input('at', { type: 'datetime-local', value: local, max: local }), { check: (v) => (v ? null : 'When was it?') });
  const email = field('E-mail', input('email', { type: 'email', maxlength: 254, placeholder: 'ann@mail.example', autofocus: true }), { check: (v) => (v.trim() ? checkEmail(v) : phone.input.value.trim() ? null : 'An e-mail address or a telephone number is needed.') });
  const phone = field('Telephone', input('phone', { type: 'tel', maxlength: 40, placeholder: '+353 86 123 4567' }), { help: 'Whoever has the same address or number is the same person.' });
  const name = field('Name', input('name', { maxlength: 255 }));
  const by = field('Sent by', input('referred_by', { ...word, placeholder: 'a partner’s code, or a name' }), { help: 'A partner earns by it. Anybody else is only noted.' });
  const source = field('Source', input('source', { ...word, placeholder: 'telephone, fair, newspaper' }), { help: 'Where they came from, as they said. What we saw ourselves counts before it.' });
  const medium = field('Medium', input('medium', { ...word, placeholder: 'none' }));
  const campaign = field('Campaign', input('campaign', { ...word, placeholder: 'none' }));
  const value = field('Worth', input('value', { inputmode: 'decimal', placeholder: 'not known' }), { help: 'What it may bring.', check: (v) => (!v.trim() || /^\d+([.,]\d+)?$/.test(v.trim()) ? null : 'An amount such as 300 or 300.50.') });
  const currency = field('Currency', input('currency', { value: ownCurrency(), maxlength: 3, autocapitalize: 'characters' }), { check: (v) => (/^[A-Za-z]{3}$/.test(v.trim()) ? null : 'Three letters, such as EUR.') });
  const note = field('Note', input('note', { maxlength: 2000, placeholder: 'what they asked for' }), { help: 'A short code in it leads to their visit.' });
  const consent = selectField('consent', 'May ad platforms be told?', [['', 'Not asked: as your site’s rule says'], ['yes', 'They agreed'], ['no', 'They said no']], '');
  const fields = [what, at, email, phone, name, by, source, medium, campaign, value, currency, note, consent];
  const state = h('div.bring-state', { role: 'status' });
  const look = /** @type {HTMLButtonElement} */ (h('button.btn.main', { type: 'submit' }, 'See what it would do'));
  const worth = h('div.pair', null, value.el, currency.el);
  const draw = () => {
    worth.hidden = !LEADS.includes(what.input.value);
    by.el.hidden = what.input.value !== 'referral';
  };
  what.input.addEventListener('change', draw);
  draw();

  const body = () => {
    const isLead = LEADS.includes(what.input.value);
    const all = Object.fromEntries(fields.map((f) => [f.input.getAttribute('name'), f.input.value.trim()]));
    if (!isLead || !all.value) { delete all.value; delete all.currency; } else { all.value = all.value.replace(',', '.'); all.currency = all.currency.toUpperCase(); }
    if (what.input.value !== 'referral') delete all.referred_by;
    return Object.fromEntries(Object.entries(all).filter(([, v]) => v));
  };
  const form = h('form.form.body', { novalidate: true, oninput: () => fill(state), onsubmit: async (/** @type {Event} */ e) => {
    e.preventDefault();
    const bad = fields.map((f) => f.valid()).indexOf(false);
    if (bad >= 0) { fields[bad].input.focus(); return; }
    look.disabled = true;
    const asked = body();
    try { would(asked, await post(`${base}/preview`, asked)); } catch (error) { failed(error); }
    look.disabled = false;
  } }, h('div.pair', null, what.el, at.el), h('div.pair', null, email.el, phone.el), h('div.pair', null, name.el, by.el), h('div.pair', null, source.el, medium.el), h('div.pair', null, campaign.el, note.el),
  worth, consent.el, h('div.acts', null, look, h('button.btn', { type: 'button', onclick: openFile }, 'Bring a file instead')), state);

  /** @param {any} asked @param {any} r */
  function would(asked, r) {
    const nothing = !r.is_new;
    const save = /** @type {HTMLButtonElement} */ (h('button.btn.main', { type: 'button', disabled: nothing, onclick: async () => {
      save.disabled = true;
      try { done(await post(base, asked)); } catch (error) { failed(error); }
    } }, nothing ? 'Nothing to save' : 'Save it'));
    fill(state, h('section.would', { 'aria-label': 'What it would do' }, h('h3', null, 'What it would do'), h('ul.becomes', null, lines(r, p)),
      h('div.acts', null, save, h('button.btn', { type: 'button', onclick: () => { fill(state); what.input.focus(); } }, 'Change it'))));
    announce('What it would do is shown');
    (nothing ? state.querySelector('.btn:not(.main)') : save)?.focus();
  }

  function failed(/** @type {any} */ error) {
    const bad = fields.find((f) => f.input.getAttribute('name') === error.field);
    if (bad) { fill(state); bad.say(error.message); bad.input.focus(); } else if (error.code !== 'signed_out') fill(state, trouble(error.message));
  }
  function done(/** @type {any} */ r) {
    announce(r.is_new ? 'Saved' : 'It was known already');
    p.app.toast(r.is_new ? r.conversion && !r.is_joined ? 'Saved. The lead stands in the first column.' : 'Saved.' : 'It was known already; nothing was stored twice.');
    close();
    changed();
  }
  async function openFile() {
    close();
    const { bringIn } = await import('./bring_in.js');
    const part = bringIn(p, { kind: 'offline', brought: changed });
    const box = openDialog({ label: 'Bring in a list', classes: 'bring-box', onclose: () => part.stop() }, [dialogHead('Bring in a list', () => box.close()), h('div.body', null,
      h('p.quiet', null, 'A list of the past: it counts on its own days, and nobody is told of it.'), part.el)]);
  }
  const { close } = openDialog({ label: 'Add by hand', classes: 'offline' }, [dialogHead('Add by hand', () => close()), form]);
  email.input.focus();
}

/** What it would become, a sentence each. @param {any} r @param {import('../app.js').Params} p */
function lines(r, p) {
  const line = (/** @type {string} */ sign, /** @type {import('../dom.js').Kid} */ text) => h('li', null, icon(sign, 's'), h('span', null, text));
  if (r.is_nobodys) return [line('alert', 'Nothing is stored: this person was erased after it happened.')];
  const c = r.conversion;
  return [
    !r.is_new && line('check', 'It is known already: the same person, the same thing, the same time. Nothing is stored twice.'),
    line('person', who(r, p)),
    c && line('leads', r.is_joined ? `One with a lead that was told before: it counts once.` : ['A new lead', r.value && [', worth ', h('b', null, money(r.value))], `, ${exact(r.at)}.`]),
    !c && line('check', `A step in your funnels, ${exact(r.at)}. It is no lead by itself, and nobody is told of it.`),
    c && line('sources', c.credited.length ? [`${c.credited.length > 1 ? 'Shared by' : 'Credited to'} `, c.credited.map((/** @type {any} */ x, /** @type {number} */ i) => [i > 0 && ', ', h('b', null, h('bdi', null, [x.source, x.medium, x.campaign].filter(Boolean).join(' / ')))]),
      ` (${matchWord(c.match)}). `, h('span.faint', null, c.match.sentence)] : 'Nothing is known of where they came from: it stands without a source.'),
    r.partner && line('affiliates', ['Earned by the partner ', h('b', null, h('bdi', null, r.partner)), '.']),
    c && told(c.deliveries, line),
  ].filter(Boolean);
}

/** @param {any} r @param {import('../app.js').Params} p */
function who(r, p) {
  const one = (/** @type {any} */ k) => [h('a.go', { href: p.app.href('people', undefined, k.contact) }, h('bdi', null, k.name ?? k.display ?? k.contact)), k.name && k.display ? [' ', h('bdi.faint', null, k.display)] : '',
    k.conversions ? `, ${plural(k.conversions, 'conversion')} so far` : ''];
  if (r.known.length > 1) return ['Joins ', count(r.known.length), ' people who turn out to be one: ', r.known.map((/** @type {any} */ k, /** @type {number} */ i) => [i > 0 && '; ', one(k)]), '.'];
  if (r.known.length) return ['About somebody who is known: ', one(r.known[0]), '.'];
  return ['A new person: ', h('bdi', null, r.who.display ?? r.who.name ?? ''), '.'];
}

/** @param {any[]} all @param {(sign: string, text: import('../dom.js').Kid) => HTMLElement} line */
function told(all, line) {
  if (!all.length) return line('deliveries', 'Nobody is told: no platform that takes leads is connected.');
  const waits = all.filter((d) => ['pending', 'held'].includes(d.state)), others = all.filter((d) => !waits.includes(d));
  return [waits.length > 0 && line('deliveries', `Told at once: ${waits.map((d) => `${platform(d.platform)}${d.mode === 'live' ? '' : ` (${d.mode})`}`).join(', ')}.`),
    others.length > 0 && line('deliveries', others.map((d) => toldSentence(d)).join('; '))];
}
