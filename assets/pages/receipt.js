// The receipt as a page of its own, by its address.

import { h, fill, icon } from '../dom.js';
import { receipt } from '../parts/receipt.js';
import { loadReceipt, trouble } from '../parts/receipt_panel.js';
import { replayDeliveries } from '../parts/replay.js';

export const title = 'Receipt';

/** @type {import('../app.js').BarUse} */
export const bar = { lens: true };

/** @param {HTMLElement} root @param {import('../app.js').Params} params */
export function render(root, params) {
  let p = params;
  const id = params.id ?? '';
  let gone = false;
  const box = h('section.sheet.rc', null, h('div.skeleton', null, Array.from({ length: 9 }, () => h('i'))));
  const up = h('p.up', null);
  fill(root, h('div.rc-page', null, up, box));

  async function show() {
    fill(up, h('a.go', { href: p.app.href('conversions', p.view) }, icon('left', 's'), 'All conversions'));
    const undim = setTimeout(() => box.classList.add('dim'), 300);
    try {
      const answer = await loadReceipt(p, id);
      if (gone) return;
      const { head, body, foot } = receipt(answer,
        { url: p.app.href('conversions', undefined, id), may: p.may, heading: 'h1',
        replay: () => replayDeliveries(p, answer.deliveries.map((/** @type {any} */ d) => d.id), show) });
      document.title = `${answer.conversion.label} · ${p.site.name} · HaloTrack`;
      fill(box, h('header', null, head), body, foot);
    } catch (error) { if (!gone) fill(box, h('h1.vh', null, title), trouble(/** @type {any} */ (error), show)); } finally { clearTimeout(undim); box.classList.remove('dim'); }
  }
  show();
  return {
    update(/** @type {import('../app.js').Params} */ next) { p = next; show(); },
    live(/** @type {string} */ name, /** @type {any} */ data) { if (name === 'delivery' && data.conversion === id) show(); },
    leave() { gone = true; },
  };
}
