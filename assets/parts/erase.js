// Forgetting a person: first what would go and who is told, then the password, then the certificate.

import { get, post } from '../api.js';
import { h, fill, icon, announce, styles } from '../dom.js';
import { count, day, exact, plural } from '../format.js';
import { openDialog, dialogHead } from './menu.js';
import { proved } from './prove.js';

/** Styles of this part and of the desk. */
export const ready = styles(new URL('../css/privacy.css', import.meta.url));

/**
 * Names the person as the API does: by contact, e-mail, phone or order.
 * @param {import('../app.js').Params} p @param {object} named @param {string} who how the page calls the person
 * @param {() => void} [done] after it was closed, where somebody was erased
 */
export function openErase(p, named, who, done) {
  const url = `/api/sites/${p.site.site}/erasures`;
  const body = h('div.body.erase');
  let erased = false, gone = false;
  const { close } = openDialog({ label: 'Erase a person', classes: 'mid', onclose: () => { gone = true; if (erased) done?.(); } }, [dialogHead('Erase a person', () => close()), body]);
  fill(body, h('div.skeleton', { 'aria-hidden': 'true' }, h('i'), h('i'), h('i')));
  look();

  async function look() {
    try {
      const preview = await post(url, { ...named, preview: true });
      if (!gone) ask(preview);
    } catch (error) {
      const { message, code } = /** @type {any} */ (error);
      // Who is not to be found by this name is not to be found by asking again.
      if (!gone) fill(body, ['not_found', 'several_people', 'invalid_field'].includes(code) ? [h('p', { role: 'alert' }, message), h('footer', null, closing())] : trouble(message, look));
    }
  }

  const closing = () => h('button.btn', { type: 'button', onclick: () => close() }, 'Close');

  /** @param {any} preview */
  function ask(preview) {
    if (!preview.is_known) {
      fill(body, h('p', null, h('b', null, 'Nothing is kept of this person.'), ' They may have been erased before.'), h('footer', null, closing()));
      return;
    }
    const t = preview.things, several = preview.known_as.is_several;
    const words = (/** @type {string[][]} */ all) => all.filter(([id]) => t[id] > 0).map(([id, one, many]) => h('li', null, h('b', null, count(t[id])), ` ${t[id] === 1 ? one : many}`));
    const said = h('div', { role: 'alert' });
    const go = /** @type {HTMLButtonElement} */ (h('button.btn.danger', { type: 'button', onclick: () => run(go, said) }, several ? 'Erase all of this' : 'Erase 1 person'));
    fill(body, h('p.who-goes', null, icon('customers', 's'), h('bdi', null, who)),
      whose(preview.known_as, 'Whose it is', 'Erasing takes all of it.'),
      part('Goes for good', words(GOES), 'Nothing but the facts below.'),
      part('Stays without a name', words(STAYS), 'No order and no lead.', 'With each stay the day, source and campaign of the visits that led to it, and no page, browser or word of the person. Money, and counts of orders, leads, visits, consent and of new and returning customers, do not change.'),
      part('Is told', preview.told.map((/** @type {any} */ d) => h('li', null, icon(d.by_program ? 'check' : 'alert', d.by_program ? 's ok' : 's warn'), h('span', null, d.by_program ? [h('bdi', null, d.name), ' is told by itself, right after.'] : d.sentence))), 'Nobody: no platform has heard of this person.'),
      h('p.quiet', null, 'It cannot be undone. An older backup erases the person again when it is restored.'), said,
      h('footer', null, h('button.btn', { type: 'button', autofocus: true, onclick: () => close() }, 'Not now'), go));
    announce(several ? severalWords(preview.known_as) : `${[...GOES].filter(([id]) => t[id] > 0).map(([id, one, many]) => plural(t[id], one, many)).join(', ') || 'Nothing'} would go`);
    // Whose it is stands first, and is read first.
    /** @type {HTMLElement|null} */ (body.querySelector('footer .btn'))?.focus({ preventScroll: true });
  }

  /** @param {string} title @param {HTMLElement[]} items @param {string} none @param {string} [note] */
  const part = (title, items, none, note) => h('section', { 'aria-label': title }, h('h3', null, title), items.length ? h('ul', null, items) : h('p.quiet', null, none), items.length > 0 && note && h('p.faint', null, note));

  /** @param {HTMLButtonElement} go @param {HTMLElement} said */
  async function run(go, said) {
    go.disabled = true;
    fill(said);
    try {
      const made = await proved(() => post(url, named));
      if (!made) { go.disabled = false; return; }
      erased = true;
      fill(body, certificate(made, p), h('footer', null, h('button.btn.main', { type: 'button', autofocus: true, onclick: () => close() }, 'Done')));
      announce('Erased');
      follow(made);
    } catch (error) {
      fill(said, h('p.note.bad', null, icon('alert', 's'), h('span', null, `Nothing was erased. ${/** @type {any} */ (error).message}`)));
      go.disabled = false;
    }
  }

  /** The file is searched and platforms are told meanwhile: as long as somebody looks, it is followed. @param {any} made */
  async function follow(made) {
    let now = made;
    while (!gone && now.state === 'pending') {
      await new Promise((next) => { setTimeout(next, 2000); });
      try { now = await get(`${url}/${made.erasure}`); } catch { return; }
      if (!gone) body.querySelector('.certificate')?.replaceWith(certificate(now, p));
    }
  }
}

/** What was done, without a word on whom. @param {any} c @param {import('../app.js').Params} p */
export function certificate(c, p) {
  const file = { clean: ['check', 'ok', 'The database file was searched and holds nothing of the person.'], pending: ['clock', '', 'The database file is being searched.'],
    residue: ['alert', 'warn', c.file.residue ?? ''] }[/** @type {'clean'} */ (c.file.state)] ?? ['clock', '', c.file.state];
  const words = (/** @type {string[][]} */ all) => all.filter(([id]) => c.things[id] > 0).map(([id, one, many]) => plural(c.things[id], one, many)).join(', ');
  return h('div.certificate', { 'data-state': c.state }, h('p.saved', null, icon(c.state === 'done' ? 'check' : 'clock', c.state === 'done' ? 's ok' : 's'), h('b', null, c.state === 'done' ? 'Erased.' : `Erased here. The rest is done by ${day(c.due_at)}.`)),
    h('dl.facts', null, row('Certificate', h('code', null, c.uid.slice(0, 12))), row('At', exact(c.at)), c.total === 0 && row('Found', 'nothing of this person'), words(GOES) && row('Gone for good', words(GOES)), words(STAYS) && row('Stays without a name', words(STAYS)),
      c.total > 0 && row('In the database', `${plural(c.total, 'row')} deleted or emptied; the file says of which tables`),
      row('File', h('span.st', null, icon(file[0], `s ${file[1]}`), h('span', null, file[2]))),
      c.destinations.map((/** @type {any} */ d) => row(h('bdi', null, d.name), h('span.st', null, icon(SIGNS[d.state]?.[0] ?? 'dot', `s ${SIGNS[d.state]?.[1] ?? ''}`), h('span', null, d.sentence))))),
    h('p', null, h('a.btn.small', { href: `/api/sites/${p.site.site}/erasures/${c.erasure}`, download: `${c.erasure}.json` }, icon('export', 's'), 'Download the certificate')));
}

/** What is not there afterwards, and what stays of nobody, by the names of the API. @type {[string, string, string][]} */
const GOES = [['browsers', 'browser', 'browsers'], ['visits', 'visit', 'visits'], ['addresses', 'address or number', 'addresses and numbers'], ['messages', 'message as it came', 'messages as they came'],
  ['chats', 'chat', 'chats'], ['waiting', 'delivery that waits', 'deliveries that wait']];
/** @type {[string, string, string][]} */
const STAYS = [['orders', 'order', 'orders'], ['leads', 'lead', 'leads'], ['steps', 'booking or step', 'bookings and steps'], ['conversions', 'conversion', 'conversions']];

/** @param {any} known */
const severalWords = (known) => `This may be more than one person: ${[known.names > 1 && plural(known.names, 'name'), known.emails > 1 && plural(known.emails, 'e-mail address', 'e-mail addresses')].filter(Boolean).join(' and ')} fall under it.`;

/**
 * Under which names and addresses it stands, masked, and a warning where they may be several people.
 * @param {any} known @param {string} title @param {string} so what happens to all of them
 */
export function whose(known, title, so) {
  const face = (/** @type {any} */ f) => {
    const has = [f.orders > 0 && `${plural(f.orders, 'order')}${f.numbers.length ? ` (${f.numbers.join(', ')}${f.orders > f.numbers.length ? ', …' : ''})` : ''}`, f.leads > 0 && plural(f.leads, 'lead'), f.steps > 0 && plural(f.steps, 'booking or step', 'bookings and steps')].filter(Boolean).join(', ');
    return h('li', null, h('bdi', null, [f.name, f.email, f.phone].filter(Boolean).join(' · ')), has && h('span.quiet', null, ` ${has}`));
  };
  return h('section', { 'aria-label': title }, h('h3', null, title), known.people.length ? h('ul.faces', null, known.people.map(face)) : h('p.quiet', null, 'No name or address is kept.'),
    known.is_several && h('p.note.warn', null, icon('alert', 's'), h('span', null, severalWords(known), known.share_a_phone ? ' They gave the same phone number, and are held to be one person.' : ' They are held to be one person.', ` ${so}`)));
}

const SIGNS = /** @type {Record<string, [string, string]>} */ ({ told: ['check', 'ok'], pending: ['clock', ''], by_hand: ['alert', 'warn'], given_up: ['alert', 'warn'] });

/** @param {string} name @param {import('../dom.js').Kid} value */
const row = (name, value) => h('div', null, h('dt', null, name), h('dd', null, value));

/** @param {string} text @param {() => void} again */
const trouble = (text, again) => h('div.trouble', { role: 'alert' }, icon('alert'), h('p', null, text), h('button.btn', { type: 'button', onclick: again }, 'Try again'));
