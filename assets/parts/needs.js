// "Needs you": what a restore holds, platforms that take nothing any more, and bodies that could not be read. At most three lines, worst first.

import { get, post } from '../api.js';
import { h, fill, icon } from '../dom.js';
import { clock, count, day, dayOf, platform, plural, today } from '../format.js';
import { heldLine } from './backup.js';

const MOST = 3;
const BY_HAND = 'Paused by hand.';

/** @param {() => import('../app.js').Params} now */
export function needsStrip(now) {
  const el = h('section.needs', { 'aria-label': 'Needs you', hidden: true });
  /** @type {any[]} */ let troubled = [];
  /** @type {any[]} */ let unread = [];
  /** @type {HTMLElement|null} */ let held = null;
  let turn = 0;

  function draw() {
    const lines = [...(held ? [held] : []), ...troubled.map(connectionLine), ...unread.map(unreadLine)];
    const rest = Math.max(0, lines.length - MOST);
    // Who dismisses one line after the other keeps the place.
    const focus = el.contains(document.activeElement) ? document.activeElement?.getAttribute('data-focus') : null;
    el.hidden = !lines.length;
    fill(el, h('h2', null, 'Needs you'), h('ul', null, lines.slice(0, MOST),
      rest > 0 && h('li.healed', null, icon('inbox'), h('p', null, `${plural(rest, 'more', 'more')} like these. All are kept.`))));
    if (focus) (/** @type {HTMLElement|null} */ (el.querySelector(`[data-focus="${focus}"]`)) ?? /** @type {HTMLElement|null} */ (el.querySelector('button')))?.focus();
  }

  /** @param {any} c a connection that the platform, not the owner, has stopped */
  function connectionLine(c) {
    const { app, site, may } = now();
    const waiting = c.counts.held + c.counts.pending;
    const go = button('Try now', `go-${c.connection}`, async () => {
      await post(`/api/sites/${site.site}/connections/${c.connection}/resume`, {});
      app.toast(`${c.name} goes on.`);
    }, 'Not changed.');
    return h('li', null, icon('stop', 'bad'),
      h('p', null, h('b', null, c.status === 'paused' ? `${c.name} is paused.` : `${c.name} needs attention.`), ' ',
        h('span', null, c.reason, waiting > 0 && ` ${plural(waiting, 'delivery waits', 'deliveries wait')}.`)),
      may && go);
  }

  /** @param {any} x a body of the inbox */
  function unreadLine(x) {
    const { app, site, may } = now();
    const at = dayOf(x.received_at) === today() ? clock(x.received_at) : `${clock(x.received_at)}, ${day(x.received_at)}`;
    const base = `/api/sites/${site.site}/inbox/${x.id}`;
    const again = button('Read again', 'read', async () => {
      const done = await post(`${base}/replay`, {});
      app.toast(done.status === 'accepted' ? 'Read this time. It is counted.' : 'Still not readable. It stays here.');
      await look();
    }, 'Not replayed.');
    const dismiss = button('Dismiss', 'dismiss', async () => {
      await post(`${base}/dismiss`, {});
      app.toast('Dismissed. It stays in the inbox for as long as bodies are kept.');
      await look();
    }, 'Not dismissed.');
    return h('li', null, icon('alert', 'warn'),
      h('p', null, h('b', null, `${platform(x.platform)} sent something we could not read at ${at}.`), ' ',
        h('span', null, x.reason, ` The ${count(x.bytes)} bytes are kept.`)),
      may && [again, dismiss]);
  }

  /** @param {string} word @param {string} focus @param {() => Promise<void>} act @param {string} failed */
  function button(word, focus, act, failed) {
    const el = h('button.btn.small', { type: 'button', 'data-focus': focus, onclick: async () => {
      el.setAttribute('disabled', '');
      try { await act(); } catch (error) {
        if (/** @type {any} */ (error).code !== 'signed_out') now().app.toast(`${failed} ${/** @type {any} */ (error).message}`);
      }
      el.removeAttribute('disabled');
    } }, word);
    return el;
  }

  async function look() {
    const mine = ++turn;
    try {
      const { app, site, may } = now();
      const base = `/api/sites/${site.site}`;
      const [{ items }, restored] = await Promise.all([get(`${base}/inbox`, new URLSearchParams({ state: 'quarantined' })),
        heldLine(app, base, may, () => app.go({}))]);
      if (mine !== turn) return;
      unread = items;
      held = restored;
      draw();
    } catch { /* the page works without; the notice comes with the next look */ }
  }

  return {
    el,
    look,
    /** @param {any[]} items sending connections as they are now */
    connections(items) {
      troubled = items.filter((c) => c.status === 'needs_attention' || (c.status === 'paused' && c.reason && c.reason !== BY_HAND));
      draw();
    },
  };
}
