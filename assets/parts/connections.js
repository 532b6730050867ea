// The strip of sending connections: mode, what waits, what failed, and the one button that helps now.

import { post } from '../api.js';
import { h, fill, icon, announce } from '../dom.js';
import { count, when, exact, plural } from '../format.js';
import { confirm } from './menu.js';

const MODES = [['shadow', 'Built and checked, not sent'], ['test', 'Sent to the platform’s test view only'], ['live', 'Sent for real']];

/**
 * @param {HTMLElement} strip @param {any[]} items sending connections
 * @param {import('../app.js').Params} p @param {() => void} again
 * @param {(dim: string, value: string, state: string) => void} filter
 */
export function connectionStrip(strip, items, p, again, filter) {
  if (!items.length) {
    fill(strip, h('div.empty', null, icon('connections'),
      h('p', null, h('b', null, 'No platform is connected that could be told.'),
      ' A new one starts in shadow: everything is built and shown, nothing is sent, until you say so.'),
      p.may && h('div.acts', null, h('a.btn', { href: p.app.href('connections') }, 'Choose a platform'))));
    return;
  }
  // Worst first: what needs the owner stands on top.
  const rank = (/** @type {any} */ c) => (c.status === 'needs_attention' ? 0 : c.breaker?.state === 'open' ? 1 : c.status === 'paused' ? 2
    : c.status === 'not_configured' ? 3 : 4);
  const focus = strip.contains(document.activeElement) ? document.activeElement?.getAttribute('data-focus') : null;
  fill(strip, h('header', null, h('h2', null, 'Connections')),
    h('ul', null, [...items].sort((a, b) => rank(a) - rank(b) || a.name.localeCompare(b.name)).map((c) => one(c, p, again, filter))));
  if (focus) /** @type {HTMLElement|null} */ (strip.querySelector(`[data-focus="${focus}"]`))?.focus();
}

/** @param {any} c @param {import('../app.js').Params} p @param {() => void} again @param {(dim: string, value: string, state: string) => void} filter */
function one(c, p, again, filter) {
  const n = c.counts;
  const figure = (/** @type {string} */ state, /** @type {number} */ value, /** @type {string} */ word, /** @type {string} */ tone) => h('button.cn-n',
    { type: 'button', disabled: !value, class: value ? tone : '', 'data-tip': value ? `Show ${word}` : null,
    onclick: () => filter('connection', c.connection, state) }, h('b', null, count(value)), h('span', null, word));
  return h('li.cn', null,
    h('div.cn-name', null, h('b.cut', null, h('a', { href: p.app.href('connections', undefined, c.connection) }, h('bdi', null, c.name))), status(c)),
    h('div.cn-mode', null, modeSwitch(c, p, again)),
    h('div.cn-counts', null, figure('delivered', n.delivered + n.accepted, 'told', ''), figure('pending', n.pending + n.held, 'waiting', n.held ? 'warn' : ''),
      figure('skipped', n.skipped, 'not sent', ''), figure('refused', n.refused, 'refused', 'bad'), figure('dead', n.dead, 'given up', 'bad')),
    h('div.cn-act', null, p.may && action(c, p, again)));
}

/** @param {any} c */
function status(c) {
  if (c.status === 'needs_attention') return h('span.st.bad', null, icon('stop', 's'), h('span', null, c.reason ?? 'needs attention'));
  if (c.breaker?.state === 'open') return h('span.st.warn', null, icon('clock', 's'),
    h('span', { 'data-tip': c.breaker.next_try_at ? exact(c.breaker.next_try_at) : null },
    `resting after failures${c.breaker.next_try_at ? `, next try ${when(c.breaker.next_try_at)}` : ''}`));
  if (c.breaker?.state === 'half_open') return h('span.st.warn', null, icon('clock', 's'), 'trying one to see whether it answers again');
  if (c.status === 'paused') return h('span.st.quiet', null, icon('pause', 's'), c.reason ?? 'paused: new ones wait, none is lost');
  if (c.status === 'not_configured') return h('span.st.quiet', null, icon('ring', 's'), c.reason ?? 'not configured');
  return h('span.st.quiet', null, icon('check', 's ok'), c.last_event_at ? h('span', { 'data-tip': exact(c.last_event_at) }, `Last: ${when(c.last_event_at)}`)
    : c.mode === 'shadow' ? 'ready: built and checked, nothing is sent' : 'ready, nothing yet');
}

/** @param {any} c @param {import('../app.js').Params} p @param {() => void} again */
function modeSwitch(c, p, again) {
  if (!p.may || !c.mode) return h('span.tag.box', { 'data-tip': MODES.find(([m]) => m === c.mode)?.[1] }, c.mode ?? 'off');
  return h('div.seg', { role: 'group', 'aria-label': `Mode of ${c.name}` },
    MODES.map(([mode, note]) => h('button', { type: 'button', 'aria-pressed': String(c.mode === mode), 'data-tip': note, 'data-focus': `${c.connection}-${mode}`,
    onclick: () => setMode(c, mode, p, again) }, mode)));
}

/** @param {any} c @param {string} mode @param {import('../app.js').Params} p @param {() => void} again */
async function setMode(c, mode, p, again) {
  if (mode === c.mode) return;
  if (mode === 'live') {
    const yes = await confirm({ title: `Send to ${c.name} for real?`, yes: 'Go live', text: [
      h('p', null, `From now on every new conversion with marketing consent is sent to ${c.name}.`),
      c.counts.skipped > 0 && h('p', null, `${plural(c.counts.skipped, 'one', 'that were')} not sent so far stay unsent, unless you replay them.`.replace(/^1 one/,
        'The one').replace(/^([\d,]+) that were/, 'The $1'))] });
    if (!yes) return;
  }
  await act(`${c.connection}/mode`, { mode }, p, mode === 'live' ? `${c.name} is live.` : mode === 'test' ? `${c.name}: to the test view only.`
    : `${c.name}: built and checked, not sent.`, again);
}

/** @param {any} c @param {import('../app.js').Params} p @param {() => void} again */
function action(c, p, again) {
  const stopped = c.status === 'paused' || c.status === 'needs_attention' || c.breaker?.state === 'open';
  if (c.status === 'not_configured') return null;
  return stopped
    ? h('button.btn.small', { type: 'button', 'data-focus': `${c.connection}-go`, onclick: () => act(`${c.connection}/resume`, {}, p, `${c.name} goes on.`, again) },
      icon('play', 's'), c.status === 'paused' ? 'Resume' : 'Try now')
    : h('button.btn.small.bare', { type: 'button', 'data-focus': `${c.connection}-go`,
      onclick: () => act(`${c.connection}/pause`, {}, p, `${c.name} is paused. New ones wait; none is lost.`, again) }, icon('pause', 's'), 'Pause');
}

/** @param {string} path @param {object} body @param {import('../app.js').Params} p @param {string} done @param {() => void} again */
async function act(path, body, p, done, again) {
  try { await post(`/api/sites/${p.site.site}/connections/${path}`, body); p.app.toast(done);
    } catch (error) { p.app.toast(`Not changed. ${/** @type {any} */ (error).message}`); announce('Not changed'); }
  again();
}
