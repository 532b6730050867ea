// A connection as a card: how it is, what happened last, its rhythm of thirty days, and the one button that helps now.

import { h, icon } from '../dom.js';
import { count, plural, percent, when, exact, today } from '../format.js';
import { happenings } from './happenings.js';
import { oneOf, remedy, standing } from './connection_state.js';
import { hookState } from './hook_state.js';
import { reading } from './reading.js';

const SVG = 'http://www.w3.org/2000/svg';
const WEEKDAY = new Intl.DateTimeFormat('en-GB', { weekday: 'long', timeZone: 'UTC' });

/** @param {any} c */
export function statusOf(c) {
  const [word, sign, tone] = standing(c);
  return h('span.st', { class: tone, 'data-status': c.status }, icon(sign, 's'), word);
}

const sum = (/** @type {number[]} */ days) => days.reduce((a, b) => a + b, 0);

/**
 * Its button says what it does in `data-act`; the page listens.
 * @param {any} c @param {import('../app.js').Params} p
 */
export function connectionCard(c, p) {
  const f = c.health;
  const hears = c.receives || c.pulls;
  return h('li.cc', { 'data-connection': c.connection },
    h('div.cc-main', null,
      h('div.cc-name', null, h('h3', null, h('a', { href: p.app.href('connections', undefined, c.connection), 'data-focus': `open-${c.connection}` }, h('bdi', null, c.name))),
        c.mode && c.mode !== 'live' && h('span.tag.box', { 'data-tip': MODES.find(([m]) => m === c.mode)?.[2] }, c.mode), statusOf(c)),
      h('p.cc-last', null, last(c)),
      f && h('div.cc-rhythm', null, strip(hears && sum(f.heard) ? f.heard : c.sends ? f.told : f.heard, f.failed, c.name), h('p.faint', null, rhythm(c, f, hears))),
      // In a box of their own, so that what comes and goes moves nothing below it.
      h('div.cc-lines', null, troubles(c, f, p).map((t) => h('p.cc-trouble', null, icon('alert', 's'), h('span', null, t))), ending(c), happenings(c, p, 3)),
      (c.receives || c.registration) && hookState(c, p),
      c.pulls && reading(c, p)),
    h('div.cc-acts', null, p.may && action(c),
      p.may && h('a.btn.small.bare', { href: p.app.href('connections', undefined, c.connection), 'aria-label': `Settings of ${c.name}` }, 'Settings')));
}

/** Those that a platform has. @param {any} c */
export const modesOf = (c) => MODES.filter(([m]) => (c.modes ?? []).includes(m));

export const MODES = [['shadow', 'Shadow', 'Everything is built and checked, nothing is sent. Look at it under Deliveries.'],
  ['test', 'Test', 'Sent to the platform’s own test view only. It counts nothing there.'], ['live', 'Live', 'Sent for real, where marketing consent allows it.']];

/** The last thing that happened, in words. @param {any} c */
function last(c) {
  if (c.status !== 'ok' && c.reason) return c.reason;
  if (c.breaker?.state === 'open') return ['It failed several times in a row. Nothing is lost; ', c.breaker.next_try_at
    ? h('span', { 'data-tip': exact(c.breaker.next_try_at) }, `we try again ${when(c.breaker.next_try_at)}.`) : 'we try again by ourselves.'];
  if (c.breaker?.state === 'half_open') return 'It failed several times in a row. Just now one is tried to see whether it answers again.';
  const at = c.last_event_at && h('span', { 'data-tip': exact(c.last_event_at) }, when(c.last_event_at));
  // One that is told may never have anything to say itself.
  if ((c.receives || c.pulls) && (at || c.pulls || !c.mode)) return at ? ['Last heard of ', at, '.'] : c.pull?.last_at ? 'Its list is read. By webhook nothing has come in yet.' : c.pulls ? `Nothing has come in yet. The next ${oneOf(c)} shows here.` : 'Nothing has come in yet. Send something from there to the address below.';
  if (c.mode === 'shadow') return `Ready. New conversions are built and checked; nothing is sent until you switch it to ${c.modes.includes('test') ? 'test or live' : 'live'}.`;
  return at ? ['Last told ', at, '.'] : 'Ready. The next conversion shows whether its keys are right.';
}

/** @param {any} c @param {any} f @param {boolean} hears */
function rhythm(c, f, hears) {
  const days = hears && sum(f.heard) ? f.heard : f.told;
  const all = sum(days), now = days.at(-1);
  const word = hears && sum(f.heard) ? 'came in' : 'were told';
  if (!all) return 'Nothing in 30 days.';
  const weekday = WEEKDAY.format(new Date(`${today()}T12:00:00Z`));
  return f.usual_today ? `Usually ${count(f.usual_today)} on a ${weekday}; ${count(now)} so far today. In 30 days ${count(all)} ${word}.`
    : `${count(now)} today; in 30 days ${count(all)} ${word}.`;
}

/** Secrets that were replaced and are still taken. @param {any} c */
export const ending = (c) => (c.secrets_ending ?? []).map((/** @type {any} */ s) => h('p.faint', { 'data-ending': s.key }, `The ${s.label.charAt(0).toLowerCase()}${s.label.slice(1)} before this one is still good until `,
  h('span', { 'data-tip': exact(s.until) }, when(s.until)), '. To end that now, enter the new one once more.'));

/** What is wrong, each with its number. @param {any} c @param {any} f @param {import('../app.js').Params} p */
function troubles(c, f, p) {
  if (!f) return [];
  const told = sum(f.told), failed = sum(f.failed), waiting = c.counts.pending + c.counts.held;
  return [
    failed > 0 && `${count(failed)} of ${count(told + failed)} (${percent(failed / (told + failed))}) were refused or given up in 30 days.`,
    f.bad_signatures > 0 && `${plural(f.bad_signatures, 'message')} in 30 days had a signature that does not match this secret. Check the secret at the sender.`,
    f.unreadable > 0 && [`${plural(f.unreadable, 'message')} could not be read and ${f.unreadable === 1 ? 'is' : 'are'} kept as ${f.unreadable === 1 ? 'it' : 'they'} came.`],
    waiting > 0 && f.next_at && c.status === 'ok' && new Date(f.next_at) > new Date() && [`${plural(waiting, 'delivery', 'deliveries')} wait; the next try is `,
      h('span', { 'data-tip': exact(f.next_at) }, when(f.next_at)), '.'],
    waiting > 0 && c.status !== 'ok' && `${plural(waiting, 'delivery', 'deliveries')} wait. None is lost.`,
  ].filter(Boolean);
}

/** Thirty days as bars; what failed stands on top of what went. @param {number[]} days @param {number[]} failed @param {string} name */
function strip(days, failed, name) {
  const svg = document.createElementNS(SVG, 'svg');
  const all = days.map((n, i) => n + (failed[i] ?? 0)), most = Math.max(1, ...all);
  svg.setAttribute('viewBox', '0 0 180 24');
  svg.setAttribute('class', 'strip30');
  svg.setAttribute('role', 'img');
  svg.setAttribute('aria-label', `${name}, 30 days: ${all.join(', ')}`);
  const bar = (/** @type {number} */ i, /** @type {number} */ from, /** @type {number} */ size, /** @type {string} */ cls) => {
    const r = document.createElementNS(SVG, 'rect');
    for (const [k, v] of Object.entries({ x: i * 6 + 1, y: 24 - from - size, width: 4, height: size, class: cls })) r.setAttribute(k, String(v));
    svg.appendChild(r);
  };
  days.forEach((n, i) => {
    const went = n ? Math.max(2, (n / most) * 22) : 1;
    bar(i, 0, went, n ? 'went' : 'none');
    if (failed[i]) bar(i, n ? went : 0, Math.max(2, (failed[i] / most) * 22), 'failed');
  });
  return svg;
}

/** @param {any} c */
function action(c) {
  const helps = remedy(c);
  if (!helps) return null;
  const [act, sign, word] = helps;
  return h('button.btn.small', { type: 'button', class: act === 'pause' ? 'bare' : '', 'data-focus': `go-${c.connection}`, 'data-act': act }, icon(sign, 's'), word);
}
