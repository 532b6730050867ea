// What has happened to a connection: what was put back and fetched by itself, orders that came without their webhook, silence.

import { h, icon } from '../dom.js';
import { exact, when } from '../format.js';

/**
 * @param {any} c @param {import('../app.js').Params} p
 * @param {number} most lines of what has happened
 */
export function happenings(c, p, most) {
  const all = (c.happenings ?? []).slice(0, most);
  return [
    c.silence && h('p.cc-trouble', null, icon('clock', 's'), h('span', null, c.silence)),
    c.missed?.count > 0 && h('p.cc-healed', null, icon('check', 's ok'), h('span', null, c.missed.sentence, ' ', orders(c.missed, p))),
    all.length > 0 && h('ul.cc-told', { 'aria-label': 'What has happened' }, all.map((/** @type {any} */ x) => h('li', null,
      h('span.faint', { 'data-tip': exact(x.at) }, when(x.at)), h('span', null, x.sentence)))),
  ];
}

/** Each leads to its receipt. @param {any} missed @param {import('../app.js').Params} p */
function orders(missed, p) {
  const rest = missed.count - missed.orders.length;
  return h('span.cc-orders', null, missed.orders.map((/** @type {any} */ o, /** @type {number} */ i) => [i > 0 && ', ', h('a.go', { href: p.app.href('orders', undefined, o.order), 'data-tip': `Fetched ${exact(o.found_at)}` },
    h('bdi', null, o.label.startsWith('#') ? o.label : `#${o.label}`))]), rest > 0 && ` and ${rest} more`);
}
