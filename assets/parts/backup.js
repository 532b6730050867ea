// How backups stand: a line at the foot of the rail, a strip over the page while one is missing, and the dialog behind both.

import { get, post } from '../api.js';
import { h, fill, icon, announce, copyButton } from '../dom.js';
import { bytes, clock, count, day, dayOf, plural, today } from '../format.js';
import { openDialog, dialogHead } from './menu.js';

/** @typedef {typeof import('../app.js').app} App */

/** Nights come once a day; whoever leaves the page open sees the next one. */
const EVERY_MS = 10 * 60e3;

/** @type {any} what the server said last */ let told = null;
/** Shows it in the frame. */ let redraw = () => {};

const isWanting = () => told?.standing === 'old' || told?.standing === 'failed';

/** Looks now and then, and says so when something is another. @param {App} app @param {() => void} changed */
export function watchBackups(app, changed) {
  redraw = changed;
  const look = async () => {
    if (document.hidden || !app.me || app.me.demo) return;
    try {
      const before = told?.sentence;
      told = await get('/api/backups');
      if (told.sentence !== before) changed();
    } catch { /* the page works without; the next look will tell */ }
  };
  setInterval(look, EVERY_MS);
  look();
}

/** For the foot of the rail and the sheet of a narrow screen. @param {App} app */
export function backupLine(app) {
  if (!told) return null;
  const good = told.standing === 'good' && told.last_good_at;
  const at = good && `${dayOf(told.last_good_at) === today() ? 'today' : day(told.last_good_at)}, ${clock(told.last_good_at)}`;
  const inside = [icon(isWanting() ? 'alert' : good ? 'check' : 'clock', `s ${isWanting() ? 'warn' : good ? 'ok' : ''}`),
    h('span', null, good ? `Backup restored and checked ${at}` : told.sentence)];
  return app.me?.may_add_site
    ? h('button.backup', { type: 'button', 'data-focus': 'backup', 'aria-haspopup': 'dialog', onclick: () => showBackups(app) }, inside)
    : h('p.backup', null, inside);
}

/** Only for those who can do something about it. @param {App} app */
export function backupStrip(app) {
  if (!isWanting() || !app.me?.may_add_site) return null;
  return h('p.demo', { role: 'status' }, h('b', null, 'Backup'), ` ${told.sentence} `,
    h('button.go', { type: 'button', 'data-focus': 'backup-strip', 'aria-haspopup': 'dialog', onclick: () => showBackups(app) }, 'See why'));
}

/** @param {App} app */
export function showBackups(app) {
  const body = h('div.body.backups');
  let gone = false;
  const { close } = openDialog({ label: 'Backups', onclose: () => { gone = true; redraw(); } }, [dialogHead('Backups', () => close()), body]);
  const make = h('button.btn.main', { type: 'button', onclick: begin }, 'Back up now');

  async function begin() {
    make.setAttribute('disabled', '');
    make.textContent = 'Copying and checking…';
    const before = told?.last_at;
    try {
      await post('/api/backups');
      do {
        await new Promise((next) => { setTimeout(next, 700); });
        told = await get('/api/backups');
      } while (!gone && (told.is_running || told.last_at === before));
      announce(told.sentence);
    } catch (error) { app.toast(`No backup was made. ${/** @type {any} */ (error).message}`); }
    make.removeAttribute('disabled');
    make.textContent = 'Back up now';
    if (!gone) draw();
  }

  function draw() {
    const command = () => `halotrack restore ${told.folder}/${told.kept?.[0]?.name ?? 'FILE'}`;
    fill(body,
      h('p.said', null, icon(isWanting() ? 'alert' : 'check', isWanting() ? 'warn' : 'ok'), h('span', null, told.sentence, told.why && [h('br'), told.why])),
      h('p', null, 'Each night everything but the key is copied into one file, restored on trial and counted. The newest of seven days and four weeks are kept.'),
      told.kept?.length > 0 && [h('h3', null, `${plural(told.kept.length, 'backup')} on this server`), h('ul', null, told.kept.map(line))],
      h('h3', null, 'For the day you need it'),
      h('p', null, 'Keep copies on another machine, and the key ', h('code', null, told.key_file), ' in a third place: a backup opens only with it, ',
        'and whoever has both can read everything. To go back, stop the server and run:'),
      told.folder && h('div.code', null, h('code', null, command()), copyButton(command, 'Copy')),
      h('footer', null, make));
  }

  /** @param {{at: string, bytes: number}} one */
  const line = (one) => h('li', null, h('span', null, `${dayOf(one.at) === today() ? 'Today' : day(one.at, true)}, ${clock(one.at)}`), h('span.faint', null, bytes(one.bytes)));

  draw();
  get('/api/backups').then((answer) => { told = answer; if (!gone) draw(); }, () => {});
}

/** What a restore holds back: a line of "Needs you". @param {App} app @param {string} base @param {any} held @param {boolean} may @param {() => void} done */
export function heldLine(app, base, held, may, done) {
  const at = (/** @type {string} */ time) => `${day(time)}, ${clock(time)}`;
  /** @param {string|null} since */
  const release = async (since) => {
    const { confirm } = await import('./menu.js');
    const yes = await confirm({ title: since ? 'Send what is of the last 24 hours?' : `Send ${plural(held.held, 'held delivery', 'held deliveries')}?`, yes: 'Send',
      text: h('p', null, 'They waited when the backup was made, and may have been sent since. The same event id goes out again: Meta counts it once within 48 hours, others may count it twice.') });
    if (!yes) return;
    try {
      const answer = await post(`${base}/outbox/release`, since ? { since } : {});
      app.toast(`${plural(answer.released, 'delivery', 'deliveries')} released${answer.still_held ? `, ${count(answer.still_held)} still held` : ''}.`);
      done();
    } catch (error) { app.toast(`Not released. ${/** @type {any} */ (error).message}`); }
  };
  return /** @type {HTMLElement} */ (h('li', null, icon('pause', 'warn'),
    h('p', null, h('b', null, `${plural(held.held, 'delivery is', 'deliveries are')} held since a backup was restored.`), ' ',
      h('span', null, at(held.oldest_at) !== at(held.newest_at) ? `Made between ${at(held.oldest_at)} and ${at(held.newest_at)}.`
        : `Made ${at(held.newest_at)}.`)),
    may && h('button.btn.small', { type: 'button', onclick: () => release(new Date(Date.now() - 864e5).toISOString()) }, 'Send the last 24 hours'),
    may && h('button.btn.small', { type: 'button', onclick: () => release(null) }, 'Send all')));
}
