// What follows a saved configuration, line by line as it happens: set up, enabled, read. It goes on by itself as soon as
// what stood in its way is gone, for as long as the page is open; the server goes on without it.

import { get, post } from '../api.js';
import { h, icon, copyButton } from '../dom.js';
import { plural, shortDay, when } from '../format.js';
import { actIn } from './connection_acts.js';
import { connectionCard } from './connection_card.js';
import { bringUp } from './in_place.js';
import { tryIt } from './trial.js';

/** How long until the platform is asked again, in milliseconds; the last one for good. */
const PAUSES = [3000, 5000, 10000, 20000, 30000];

/**
 * @param {any} f the platform @param {any} made the connection as it was saved
 * @param {import('../app.js').Params} p
 */
export function connecting(f, made, p) {
  const base = `/api/sites/${p.site.site}/connections`;
  const tracks = f.receives || f.pulls;
  let gone = false, timer = 0, tries = 0, looking = false;
  /** @type {any} */ let card = made;
  /** @type {string|null} why the platform could not be asked */ let trouble = null;
  const list = h('ol.cx-progress', { 'aria-live': 'polite', 'aria-relevant': 'additions text', 'aria-label': `Connecting ${f.name}` });
  const cards = h('ul.cards-one');
  const el = h('div.cx-body', null, list,
    made.secret && h('div', null, h('h2', null, 'Secret'), h('div.code', null, h('code', null, made.secret), copyButton(() => made.secret, 'Copy secret')),
      h('p.note.warn', null, icon('alert', 's'), h('span', null, 'It is shown this once. Put it where the messages are signed, or keep it in your password manager.'))),
    tryIt(f, made.hook_url),
    h('section', { 'aria-label': 'The connection' }, cards),
    h('div.acts', null, h('a.btn.main', { href: p.app.href('connections') }, 'Done'),
      h('a.btn', { href: p.app.href('connections', undefined, made.connection) }, 'Settings')));

  const [brings, tracking] = [f.brings ?? 'Orders', f.tracking ?? 'Purchase tracking'];

  /** @param {'done'|'wait'|'bad'|'warn'} how @param {import('../dom.js').Kid} text */
  const line = (how, text) => h('li', { class: how }, how === 'wait' ? h('span.beat', { 'aria-hidden': 'true' })
    : icon(how === 'done' ? 'check' : how === 'bad' ? 'stop' : 'alert', `s ${how === 'done' ? 'ok' : how}`), h('span', null, text));

  const isIn = () => card.registration?.state === 'active';
  const isStopped = () => card.status === 'paused' || card.status === 'not_configured';

  function lines() {
    const all = [line('done', 'The configuration is saved.')];
    if (isStopped()) return [...all, line('bad', card.reason ?? 'Something is missing.')];
    if (f.registers) all.push(...setUp());
    else if (tracks && !card.last_event_at) all.push(line('wait', `Being set up: put the address below into ${f.name}, and send one. It shows here within seconds.`));
    else if (tracks) all.push(line('done', `First message received ${when(card.last_event_at)}.`), line('done', `${tracking} is enabled.`));
    if (f.pulls) all.push(...read());
    // One that can be told too may be there only to tell.
    if (f.sends && card.mode) all.push(line('done', 'Enabled in shadow: every new conversion is built and checked, nothing is sent. Switch it to ' + (f.modes.includes('test') ? 'test or live' : 'live') + ' when it looks right.'));
    return all;
  }

  function setUp() {
    const r = card.registration;
    const notes = (r?.notes ?? []).map((/** @type {string} */ note) => line('warn', note));
    if (isIn()) return [line('done', `${tracking} is set up: ${plural(card.webhooks.length, 'webhook')} in ${f.name}.`), line('done', `${tracking} is enabled.`), ...notes];
    const why = trouble ?? r?.sentence;
    if (why) return [line('bad', [why, ' It goes on by itself when that is mended.'])];
    // Nothing went wrong, and no webhook is there: the notes say what one would need.
    if (r?.checked_at && notes.length) return [...notes, line('wait', 'It goes on by itself when that is mended.')];
    return [line('wait', `${tracking} is being set up…`)];
  }

  function read() {
    const r = card.pull;
    if (!r || !r.began_at) return [line('wait', `${brings} of the past are read next.`)];
    if (r.is_under_way) return [r.sentence ? line('bad', [r.sentence, ' It goes on by itself.'])
      : line('wait', `${brings} ${r.since ? `since ${shortDay(r.since)} ` : ''}are being read: ${plural(r.records, 'record')} so far.`)];
    return [line('done', `${brings} ${r.since ? `since ${shortDay(r.since)} ` : 'of the past '}were read: ${plural(r.records, 'record')}.`)];
  }

  function draw() {
    bringUp(list, lines());
    bringUp(cards, card.counts ? [connectionCard(card, p)] : []);
  }

  async function fetchCard() {
    const { items } = await get(base);
    card = { ...made, ...items.find((/** @type {any} */ c) => c.connection === made.connection) ?? {} };
  }

  /** Looks how it stands, and sets up what is not. */
  async function go() {
    if (gone || looking) return;
    looking = true;
    clearTimeout(timer);
    try {
      if (f.registers && !isIn() && !isStopped()) {
        try { await post(`${base}/${made.connection}/check`); trouble = null; } catch (error) { trouble = /** @type {any} */ (error).message; }
      }
      await fetchCard();
    } catch { /* the next look is soon */ }
    looking = false;
    if (gone) return;
    draw();
    const isOpen = (f.registers && !isIn()) || card.pull?.is_under_way || (f.pulls && !card.pull?.began_at) || (tracks && !card.last_event_at);
    if (isOpen) timer = setTimeout(go, PAUSES[Math.min(tries++, PAUSES.length - 1)]);
  }

  actIn(cards, () => p, () => card, () => { tries = 0; go(); });
  draw();
  go();
  return { el,
    /** News of the site: the card may say more. */
    async heard() {
      if (gone || looking) return;
      try { await fetchCard(); } catch { return; }
      if (!gone) draw();
    },
    leave() { gone = true; clearTimeout(timer); } };
}
