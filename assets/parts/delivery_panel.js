// One delivery as a panel over its table.

import { h, fill, icon } from '../dom.js';
import { platform } from '../format.js';
import { openDialog, closeButton } from './menu.js';
import { deliveryDetail } from './delivery.js';
import { stateMark } from './table.js';
import { replayDeliveries } from './replay.js';

/**
 * @param {import('../app.js').Params} p @param {any} first
 * @param {{connection: string, changed: () => void, closed: () => void, step: (id: string, n: 1|-1) => any}} on
 */
export function openDelivery(p, first, on) {
  let row = first;
  const box = h('div.rc');
  const { el, close } = openDialog({ label: 'Delivery', slide: 'side', onclose: on.closed }, box);
  const step = (/** @type {1|-1} */ n) => { const next = on.step(row.id, n); if (next) { row = next; draw(); } };
  el.addEventListener('keydown', (e) => {
    if (e.ctrlKey || e.metaKey || e.altKey || /** @type {HTMLElement} */ (e.target).matches('pre')) return;
    const k = e.key.toLowerCase();
    if (k === 'j' || k === 'arrowdown') { e.preventDefault(); step(1); } else if (k === 'k' || k === 'arrowup') { e.preventDefault(); step(-1); }
  });
  const tools = h('div.rc-tools', null,
    h('button.btn.icon.bare', { type: 'button', 'aria-label': 'Row before', 'data-tip': 'Row before  K', onclick: () => step(-1) }, icon('up', 's')),
    h('button.btn.icon.bare', { type: 'button', 'aria-label': 'Next row', 'data-tip': 'Next row  J', onclick: () => step(1) }, icon('down', 's')),
      closeButton(close));
  const draw = () => fill(box,
    h('header', null, h('div.rc-head', null,
      h('div.rc-title', null, h('h2', null, h('bdi', null, row.conversion_label), h('span.quiet', null, ' · to ', on.connection || platform(row.platform)))),
      h('p.rc-figure', null, stateMark(row))), tools),
    h('div.rc-body.pad', null, deliveryDetail(row, 'h3')),
    h('div.rc-foot', null, h('a.btn', { href: p.app.href('conversions', undefined, row.conversion), onclick: () => close() }, icon('conversions', 's'), 'Receipt'),
      p.may && !['pending', 'leased'].includes(row.state)
        && h('button.btn', { type: 'button', onclick: () => replayDeliveries(p, [row.id], () => { on.changed(); close(); }) }, icon('again', 's'), 'Replay'),
      h('span.faint', null, row.id.replace('_', ' '))));
  draw();
  return { close };
}
