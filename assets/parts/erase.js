// Forgetting a person: first what would go and who is told, then the password, then the certificate.

import { get, post } from '../api.js';
import { h, fill, icon, announce, styles } from '../dom.js';
import { count, day, exact, platform, plural } from '../format.js';
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
    const r = preview.rows, gone_ = [[r.sessions, 'browser', 'browsers', ' with all visits'], [r.identities, 'address or number', 'addresses and numbers', ''], [r.inbox, 'message as it came', 'messages as they came', ''],
      [r.waiting, 'delivery that waits', 'deliveries that wait', '']];
    const stays = [[r.orders, 'order', 'orders'], [r.leads, 'lead', 'leads'], [r.conversions, 'conversion', 'conversions']];
    const words = (/** @type {any[][]} */ all) => all.filter(([n]) => n > 0).map(([n, one, many, more]) => h('li', null, h('b', null, count(n)), ` ${n === 1 ? one : many}${more ?? ''}`));
    const said = h('div', { role: 'alert' });
    const go = /** @type {HTMLButtonElement} */ (h('button.btn.danger', { type: 'button', onclick: () => run(go, said) }, 'Erase 1 person'));
    fill(body, h('p.who-goes', null, icon('customers', 's'), h('bdi', null, who)),
      part('Goes for good', words(gone_), 'Nothing but the facts below.'),
      part('Stays without a name', words(stays), 'No order and no lead.', 'Sums and counts do not change.'),
      part('Is told', preview.told.map((/** @type {any} */ t) => h('li', null, icon(t.by_program ? 'check' : 'alert', t.by_program ? 's ok' : 's warn'), h('span', null, t.by_program ? `${platform(t.platform)} is told by itself, right after.` : t.sentence))), 'Nobody: no platform has heard of this person.'),
      h('p.quiet', null, 'It cannot be undone. An older backup erases the person again when it is restored.'), said,
      h('footer', null, h('button.btn', { type: 'button', autofocus: true, onclick: () => close() }, 'Not now'), go));
    announce(`${plural(r.sessions + r.identities + r.inbox + r.waiting, 'record')} would go`);
    /** @type {HTMLElement|null} */ (body.querySelector('footer .btn'))?.focus();
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
  const named = WORDS.filter(([table]) => c.rows[table] > 0).map(([table, one, many]) => plural(c.rows[table], one, many));
  const others = c.total - WORDS.reduce((n, [table]) => n + (c.rows[table] ?? 0), 0);
  return h('div.certificate', { 'data-state': c.state }, h('p.saved', null, icon(c.state === 'done' ? 'check' : 'clock', c.state === 'done' ? 's ok' : 's'), h('b', null, c.state === 'done' ? 'Erased.' : `Erased here. The rest is done by ${day(c.due_at)}.`)),
    h('dl.facts', null, row('Certificate', h('code', null, c.uid.slice(0, 12))), row('At', exact(c.at)), row('Records', c.total ? `${plural(c.total, 'record')}: ${[...named, others > 0 && `${count(others)} beside them`].filter(Boolean).join(', ')}` : 'none'),
      row('File', h('span.st', null, icon(file[0], `s ${file[1]}`), h('span', null, file[2]))),
      c.destinations.map((/** @type {any} */ d) => row(platform(d.platform), h('span.st', null, icon(SIGNS[d.state]?.[0] ?? 'dot', `s ${SIGNS[d.state]?.[1] ?? ''}`), h('span', null, d.sentence))))),
    h('p', null, h('a.btn.small', { href: `/api/sites/${p.site.site}/erasures/${c.erasure}`, download: `${c.erasure}.json` }, icon('export', 's'), 'Download the certificate')));
}

/** Kinds of records by the names a shop has for them. @type {[string, string, string][]} */
const WORDS = [['sessions', 'browser', 'browsers'], ['touches', 'visit', 'visits'], ['identities', 'address or number', 'addresses and numbers'], ['inbox', 'message', 'messages'], ['orders', 'order', 'orders'],
  ['leads', 'lead', 'leads'], ['conversions', 'conversion', 'conversions'], ['deliveries', 'delivery', 'deliveries']];

const SIGNS = /** @type {Record<string, [string, string]>} */ ({ told: ['check', 'ok'], pending: ['clock', ''], by_hand: ['alert', 'warn'], given_up: ['alert', 'warn'] });

/** @param {string} name @param {import('../dom.js').Kid} value */
const row = (name, value) => h('div', null, h('dt', null, name), h('dd', null, value));

/** @param {string} text @param {() => void} again */
const trouble = (text, again) => h('div.trouble', { role: 'alert' }, icon('alert'), h('p', null, text), h('button.btn', { type: 'button', onclick: again }, 'Try again'));
