// The strip that is there only when something needs the owner: at most three lines, worst first, each with one button.

import { h, fill, icon } from '../dom.js';
import { plural, when, platform } from '../format.js';

/** @typedef {{rank: number, tone: 'bad'|'warn', sign: string, what: string, rest: string, act?: {name: string, href: string}}} Need */

/** @param {() => import('../app.js').Params} now */
export function needsYou(now) {
  const el = h('section.needs', { 'aria-label': 'Needs you', hidden: true });
  return { el,
    /** @param {any} answer */
    draw(answer) {
      const { app, view } = now();
      const all = list(answer.connections, answer.needs, app.href('deliveries', view.only([])));
      el.hidden = !all.length;
      fill(el, h('h2', null, 'Needs you'), h('ul', null, all.slice(0, 3).map((n) => h('li', null, icon(n.sign, n.tone), h('p', null, h('b', null, n.what), ' ', h('span', null, n.rest)),
        n.act && h('a.btn.small', { href: n.act.href }, n.act.name))),
      all.length > 3 && h('li.healed', null, icon('dot'), h('p', null, `${plural(all.length - 3, 'more')}. All are listed under Deliveries.`))));
    } };
}

/** Whoever paused it knows; it is said only where something waits. */
const BY_HAND = 'Paused by hand.';

/** @param {any[]} connections @param {any} needs @param {string} deliveries @returns {Need[]} */
function list(connections, needs, deliveries) {
  /** @type {Need[]} */ const all = [];
  const names = new Map(connections.map((c) => [c.connection, c.name || platform(c.platform)]));
  for (const c of connections) {
    const waiting = (c.counts?.pending ?? 0) + (c.counts?.held ?? 0), name = names.get(c.connection);
    const kept = waiting ? `${plural(waiting, 'delivery', 'deliveries')} ${waiting === 1 ? 'is' : 'are'} waiting. None is lost.` : 'Nothing is lost.';
    const act = { name: 'Look at it', href: deliveries };
    if (c.status === 'needs_attention') all.push({ rank: 0, tone: 'bad', sign: 'stop', what: `${name} needs attention.`, rest: `${c.reason ?? ''} ${kept}`.trim(), act });
    else if (c.breaker?.state === 'open') {
      all.push({ rank: 1, tone: 'warn', sign: 'clock', what: `${name} fails again and again.`, rest: `${kept}${c.breaker.next_try_at ? ` The next try is ${when(c.breaker.next_try_at)}.` : ''}`, act });
    } else if (c.status === 'paused' && (waiting || c.reason !== BY_HAND)) all.push({ rank: 3, tone: 'warn', sign: 'pause', what: `${name} is paused.`, rest: `${kept} ${c.reason ?? ''}`.trim(), act });
    if ((c.counts?.dead ?? 0) > 0 && c.status === 'ok') {
      all.push({ rank: 4, tone: 'warn', sign: 'alert', what: `${plural(c.counts.dead, 'delivery', 'deliveries')} to ${name} ${c.counts.dead === 1 ? 'was' : 'were'} given up.`,
        rest: 'They can be sent again.', act: { name: 'Show them', href: `${deliveries}${deliveries.includes('?') ? '&' : '?'}state=dead` } });
    }
  }
  if (needs.quarantined) {
    all.push({ rank: 2, tone: 'warn', sign: 'inbox', what: `${plural(needs.quarantined, 'message')} could not be read.`, rest: 'Every byte is kept.', act: { name: 'Look at them', href: deliveries } });
  }
  for (const s of needs.silent) {
    const gap = s.usual_gap_hours < 48 ? `${Math.max(1, Math.round(s.usual_gap_hours))} h` : `${Math.round(s.usual_gap_hours / 24)} days`;
    all.push({ rank: 2, tone: 'warn', sign: 'alert', what: `${names.get(s.connection) ?? 'A sender'} has been silent since ${when(s.last_event_at)}.`,
      rest: `It usually tells us something every ${gap}. Check that it still sends here.` });
  }
  return all.sort((a, b) => a.rank - b.rank);
}
