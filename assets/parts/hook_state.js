// How our webhooks stand in a platform: active or not, their ids, the address they call, and the button that mends them.

import { h, icon, copyButton } from '../dom.js';
import { clock, exact, when } from '../format.js';

/** @type {Record<string, [string, string, string]>} word, sign, tone */
const STATES = { active: ['Active', 'check', 'ok'], needs_attention: ['Needs attention', 'stop', 'bad'], not_configured: ['Not configured', 'ring', ''],
  waiting: ['Waiting for the first message', 'ring', ''] };

/**
 * Its buttons say what they do in `data-act`; the page listens.
 * @param {any} c a connection whose platform calls us @param {import('../app.js').Params} p
 */
export function hookState(c, p) {
  const r = c.registration;
  const state = stateOf(c);
  const [word, sign, tone] = STATES[state];
  return h('div.whs', { 'data-part': 'WebhookStatus', role: 'group', 'aria-label': `Webhook of ${c.name}` },
    h('div.whs-head', null, h('b', null, r ? 'Webhook' : 'Address'), h('span.st', { class: tone, 'data-state': state }, icon(sign, 's'), word),
      r && h('span.faint', null, looked(r)),
      r && p.may && c.status !== 'not_configured' && h('button.btn.small.bare', { type: 'button', 'data-act': 'check', 'data-focus': `check-${c.connection}` },
        icon('again', 's'), state === 'active' ? 'Check now' : 'Retry')),
    h('div.cc-lines', null, r?.sentence && h('p.cc-trouble.bad', null, icon('stop', 's'), h('span', null, r.sentence)),
      (r?.notes ?? []).map((/** @type {string} */ note) => h('p.cc-trouble', null, icon('alert', 's'), h('span', null, note)))),
    (c.webhooks ?? []).length > 0 && h('ul.whs-ids', { 'aria-label': 'Webhooks in the platform' }, c.webhooks.map((/** @type {any} */ w) => h('li', { class: w.active === false ? 'off' : '' },
      h('span', null, w.topic), h('code', { 'data-tip': w.id }, shortId(w.id)), w.active === false && h('span.st.bad', null, icon('stop', 's'), 'switched off')))),
    c.hook_url && address(c.hook_url));
}

/** Where nothing can be registered, what has come in says whether it works. @param {any} c */
export function stateOf(c) {
  if (c.registration) return c.registration.state;
  if (c.status === 'needs_attention') return 'needs_attention';
  if (c.status === 'not_configured') return 'not_configured';
  // The address works; whether the sender uses it shows with the first message.
  return c.last_event_at ? 'active' : 'waiting';
}

/** @param {any} r */
function looked(r) {
  if (!r.checked_at) return 'not looked at yet';
  return h('span', { 'data-tip': exact(r.checked_at) }, `checked ${when(r.checked_at)}`, r.next_at && `, again at ${clock(r.next_at)}`);
}

/** "gid://shopify/WebhookSubscription/12" is told by its end. @param {string} id */
const shortId = (id) => id.split('/').pop() ?? id;

/** What is copied is what stands there, also after it was brought up. @param {string} url */
function address(url) {
  const code = h('code', null, url);
  return h('div.code', null, code, copyButton(() => code.textContent ?? '', 'Copy address', 'small'));
}
