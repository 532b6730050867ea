// Who tells this site of orders and leads, and whether they still do.

import { h, fill, icon } from '../dom.js';
import { platform, when, exact, plural } from '../format.js';
import { standing } from './connection_state.js';

/** @param {() => import('../app.js').Params} now */
export function webhookStatus(now) {
  const body = h('ul.hooks');
  const el = h('section.sheet.panel', { 'data-part': 'WebhookStatus', 'aria-label': 'Connections' }, h('header', null, h('h2', null, 'Connections')), body);
  return { el,
    /** @param {any[]} all @param {any} needs */
    draw(all, needs) {
      el.hidden = !all.length;
      const silent = new Set(needs.silent.map((/** @type {any} */ x) => x.connection));
      const rank = (/** @type {any} */ c) => (c.status === 'needs_attention' ? 0 : silent.has(c.connection) || c.breaker?.state === 'open' ? 1 : c.status === 'ok' ? 3 : 2);
      fill(body, [...all].sort((a, b) => rank(a) - rank(b) || a.name.localeCompare(b.name)).map((c) => h('li', null,
        h('div', null, h('b.cut', null, h('bdi', null, c.name || platform(c.platform))), c.mode && c.mode !== 'live' && h('span.tag.box', null, c.mode)), state(c, silent.has(c.connection)),
        h('span.faint', { 'data-tip': c.last_event_at ? exact(c.last_event_at) : null }, c.last_event_at ? `last ${when(c.last_event_at)}` : 'nothing yet'))));
    } };
}

/** @param {any} c @param {boolean} silent */
function state(c, silent) {
  const [word, sign, tone] = standing(c);
  const shown = h('span.st', { class: tone || 'quiet', 'data-tip': c.status === 'ok' ? null : c.reason, 'data-status': c.status }, icon(sign, 's'), word);
  if (tone === 'bad' || tone === 'warn') return shown;
  if (silent) return h('span.st.warn', null, icon('alert', 's'), 'Silent');
  if (c.status !== 'ok') return shown;
  const waiting = c.counts?.held ?? 0;
  return waiting ? h('span.st.warn', null, icon('pause', 's'), `${plural(waiting, 'delivery', 'deliveries')} held`) : h('span.st', null, icon('check', 's ok'), 'Active');
}
