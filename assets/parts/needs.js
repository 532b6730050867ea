// "Needs you": the strip that is there only when something does, the same on every page. At most three lines, worst first, each
// with what is kept and the button that helps.

import { get, post } from '../api.js';
import { h, fill, icon } from '../dom.js';
import { clock, count, day, dayOf, percent, platform, plural, today, when } from '../format.js';
import { heldLine } from './backup.js';

/**
 * @typedef {{name: string, focus?: string, href?: string, run?: () => Promise<void>, failed?: string}} Act
 * @typedef {{rank: number, tone: 'bad'|'warn', sign: string, what: string, rest: string, tip?: string|null, acts?: Act[]}} Need
 */

const MOST = 3;
/** Whoever paused it knows; it is said only where something waits. */
const BY_HAND = 'Paused by hand.';
/** What was fetched for the page before is good for the next one so long. */
const FRESH_MS = 60e3;

/** @param {typeof import('../app.js').app} app */
export function needsStrip(app) {
  const el = h('section.needs', { 'aria-label': 'Needs you', hidden: true });
  /** @type {any} */ let facts = null;
  let site = '', isOn = false, isOwn = false, at = 0, turn = 0, timer = 0;
  const may = () => app.site?.role === 'owner' || app.site?.role === 'editor';
  const base = () => `/api/sites/${app.site?.site}`;

  function redraw() {
    const held = facts?.held ? heldLine(app, base(), facts.held, may(), look) : null;
    const lines = facts ? [...(held ? [held] : []), ...list(facts).map(line)] : [];
    const rest = lines.length - MOST;
    // Who does away with one line after the other keeps the place.
    const focus = el.contains(document.activeElement) ? document.activeElement?.getAttribute('data-focus') : null;
    el.hidden = !isOn || !lines.length;
    fill(el, h('h2', null, 'Needs you'), h('ul', null, lines.slice(0, MOST),
      rest > 0 && h('li.healed', null, icon('dot'), h('p', null, `${plural(rest, 'more', 'more')}. They show here as soon as these are done.`))));
    if (focus) (/** @type {HTMLElement|null} */ (el.querySelector(`[data-focus="${CSS.escape(focus)}"]`)) ?? /** @type {HTMLElement|null} */ (el.querySelector('button, a')))?.focus();
  }

  /** @param {Need} n */
  const line = (n) => h('li', null, icon(n.sign, n.tone), h('p', { 'data-tip': n.tip }, h('b', null, n.what), ' ', h('span', null, n.rest)), (n.acts ?? []).map(button));

  /** @param {Act} act */
  function button(act) {
    if (act.href) return h('a.btn.small', { href: act.href, 'data-focus': act.focus }, act.name);
    if (!may()) return null;
    const b = h('button.btn.small', { type: 'button', 'data-focus': act.focus, onclick: async () => {
      if (b.hasAttribute('aria-disabled')) return;
      b.setAttribute('aria-disabled', 'true');
      try { await act.run?.(); } catch (error) {
        if (/** @type {any} */ (error).code !== 'signed_out') app.toast(`${act.failed} ${/** @type {any} */ (error).message}`);
      }
      b.removeAttribute('aria-disabled');
      await look();
    } }, act.name);
    return b;
  }

  async function look() {
    const mine = ++turn;
    try {
      const next = await get(`${base()}/needs`);
      if (mine === turn) { at = Date.now(); facts = next; redraw(); }
    } catch { /* the page works without; the next look will tell */ }
  }

  /** @param {any} f @returns {Need[]} worst first */
  function list(f) {
    const page = (/** @type {string} */ path, query = '') => `${app.href(path, app.view?.only([]))}${query && `${String(app.view?.only([]) ?? '').includes('?') ? '&' : '?'}${query}`}`;
    const look_ = (/** @type {string} */ id) => ({ name: 'Look at it', href: app.href('connections', undefined, id), focus: `look-${id}` });
    /** @type {Need[]} */ const all = [];
    const disk = f.disk && DISK[f.disk.level];
    if (disk) all.push({ rank: disk.rank, tone: disk.rank < 0 ? 'bad' : 'warn', sign: disk.rank < 0 ? 'stop' : 'alert', what: disk.what, rest: `${room(f.disk)}${disk.rest}` });
    for (const c of f.connections) {
      const kept = c.waiting ? `${plural(c.waiting, 'delivery', 'deliveries')} ${c.waiting === 1 ? 'is' : 'are'} waiting. None is lost.` : 'Nothing is lost.';
      const again = { name: 'Retry', focus: `go-${c.connection}`, failed: 'Not changed.', run: async () => { await post(`${base()}/connections/${c.connection}/resume`, {}); app.toast(`${c.name} goes on.`); } };
      const isOpen = c.breaker.state === 'open';
      if (c.status === 'needs_attention') all.push({ rank: 0, tone: 'bad', sign: 'stop', what: `${c.name} needs attention.`, rest: `${c.reason ?? ''} ${kept}`.trim(), acts: [again, look_(c.connection)] });
      else if (isOpen) all.push({ rank: 1, tone: 'warn', sign: 'clock', what: `${c.name} fails again and again.`, rest: `${kept}${c.breaker.next_try_at ? ` The next try is ${when(c.breaker.next_try_at)}.` : ''}`, acts: [again] });
      else if (c.status === 'paused' && (c.waiting || c.reason !== BY_HAND)) all.push({ rank: 4, tone: 'warn', sign: 'pause', what: `${c.name} is paused.`, rest: `${kept} ${c.reason ?? ''}`.trim(), acts: [{ ...again, name: 'Resume' }] });
      if (c.given_up && c.status === 'ok' && !isOpen) all.push({ rank: 5, tone: 'warn', sign: 'alert', what: `${plural(c.given_up, 'delivery', 'deliveries')} to ${c.name} ${c.given_up === 1 ? 'was' : 'were'} given up.`,
        rest: 'They can be sent again.', acts: [{ name: 'Show them', href: page('deliveries', `state=dead&connection=${c.connection}`), focus: `dead-${c.connection}` }] });
    }
    for (const s of f.signatures) all.push({ rank: 2, tone: 'warn', sign: 'alert', what: `${plural(s.count, 'message')} to ${s.name} had a wrong signature since yesterday.`,
      rest: 'They were not taken. Check that the secret there is the one shown here.', acts: [look_(s.connection)] });
    if (f.unread) all.push(unread(f));
    for (const s of f.silent) all.push({ rank: 3, tone: 'warn', sign: 'alert', what: `${s.name ?? 'A sender'} has been silent since ${when(s.last_event_at)}.`,
      rest: `It usually tells us something every ${gap(s.usual_gap_hours)}. Check that it still sends here.`, acts: [look_(s.connection)] });
    for (const l of f.late ?? []) all.push({ rank: 2, tone: 'warn', sign: 'clock', what: `${l.name ?? 'A connection'} should have been read ${when(l.due_at)}, and was not.`,
      rest: 'It is tried again by itself. What was missed is fetched with the next reading.', acts: [{ name: 'Read now', focus: `read-${l.connection}`, failed: 'Not read.', run: async () => {
        await post(`${base()}/connections/${l.connection}/pull`, {});
        app.toast(`${l.name} is read now.`);
      } }, { name: 'Look at it', href: app.href('runs'), focus: `late-${l.connection}` }] });
    if (f.waker) all.push({ rank: 7, tone: 'warn', sign: 'clock', what: 'The clock that starts readings has stopped.', rest: 'Readings go on, some seconds later than planned. Restart the server when it suits you.' });
    const u = f.unmatched;
    if (u) all.push({ rank: 6, tone: 'warn', sign: 'sources', what: `${count(u.without)} of ${plural(u.of, 'conversion')} of the last 7 days have no source.`,
      rest: `Usually it is ${percent(u.usual_without / u.usual_of)}. Check that the tag is still on every page, also after the checkout.`, acts: [{ name: 'Show them', href: page('conversions', 'range=7d&match=none'), focus: 'unmatched' }] });
    return all.sort((a, b) => a.rank - b.rank);
  }

  /** @param {any} f @returns {Need} */
  function unread(f) {
    const x = f.unread, others = f.quarantined - 1;
    const time = dayOf(x.received_at) === today() ? clock(x.received_at) : `${clock(x.received_at)}, ${day(x.received_at)}`;
    const url = `${base()}/inbox/${x.id}`;
    return { rank: 2, tone: 'warn', sign: 'inbox', what: `${platform(x.platform)} sent something we could not read at ${time}.`,
      tip: x.reason ?? null,
      rest: `It is kept as it came, and counted once it can be read.${others > 0 ? ` ${plural(others, 'more message waits', 'more messages wait')} like it.` : ''}`,
      acts: [{ name: 'Read again', focus: 'read', failed: 'Not read.', run: async () => {
        const done = await post(`${url}/replay`, {});
        app.toast(done.status === 'accepted' ? 'Read this time. It is counted.' : 'Still not readable. It stays here.');
      } }, { name: 'Dismiss', focus: 'dismiss', failed: 'Not dismissed.', run: async () => {
        await post(`${url}/dismiss`, {});
        app.toast('Dismissed. It stays in the inbox for as long as messages are kept.');
      } }] };
  }

  return {
    el,
    /** What a page has fetched with its own figures. @param {any} next */
    draw(next) { turn++; at = Date.now(); facts = next; redraw(); },
    /** Another page is on the screen. @param {boolean} on @param {boolean} own whether it brings what is needed itself */
    page(on, own) {
      const isNew = site !== app.site?.site;
      if (isNew) { facts = null; site = app.site?.site ?? ''; }
      isOwn = own;
      isOn = on && !!app.site && !app.site.part && app.site.role !== 'client';
      redraw();
      if (isOn && !own && (isNew || Date.now() - at > FRESH_MS)) look();
    },
    /** @param {string} name */
    live(name) {
      if (!isOn || isOwn || !['connection', 'inbox', 'again'].includes(name)) return;
      clearTimeout(timer);
      timer = setTimeout(look, 300);
    },
  };
}

/** What a disk without room means for the shop. @type {Record<string, {rank: number, what: string, rest: string}>} */
const DISK = {
  gone: { rank: -3, what: 'The database cannot be found.', rest: 'Nothing is taken until it is back and the server was started again. Shops and forms send again what they could not deliver.' },
  full: { rank: -2, what: 'The disk of this server is full.', rest: 'Orders and leads are refused until there is room; their senders try again. Free some space now.' },
  short: { rank: -1, what: 'The disk of this server is nearly full.', rest: 'Orders and leads are still taken. Visits are not counted and files cannot be exported until there is room.' },
  low: { rank: 5, what: 'The disk of this server gets full.', rest: 'Everything is still taken. Below 500 MB visits are no longer counted, so make room soon.' },
};

/** @param {{level: string, free_mib: number}} disk */
const room = (disk) => (disk.level === 'gone' ? '' : `${disk.free_mib < 1024 ? `${count(disk.free_mib)} MB` : `${(disk.free_mib / 1024).toFixed(1)} GB`} are free. `);

/** @param {number} hours */
const gap = (hours) => (hours < 1.5 ? 'hour' : hours < 48 ? `${Math.round(hours)} hours` : `${Math.round(hours / 24)} days`);
