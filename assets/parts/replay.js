// Sending deliveries once more: first the count and the warning, then the question, then the doing.

import { post } from '../api.js';
import { h } from '../dom.js';
import { plural } from '../format.js';
import { confirm } from './menu.js';

/**
 * @param {import('../app.js').Params} p
 * @param {string[]|Record<string, any>} which ids, or the filter of the list
 * @param {() => void} done
 */
export async function replayDeliveries(p, which, done) {
  const url = `/api/sites/${p.site.site}/deliveries/replay`;
  const body = Array.isArray(which) ? { deliveries: which } : { filter: which };
  try {
    const preview = await post(url, { ...body, preview: true });
    if (!preview.count) { p.app.toast('None of these can be replayed.'); return; }
    const yes = await confirm({ title: `Replay ${plural(preview.count, 'delivery', 'deliveries')}?`, yes: `Replay ${preview.count}`, text: [
      h('p', null, 'Each goes out once more with the same event ID, so a platform that still knows it counts it once. Consent is checked again.'),
      preview.warning && h('p.note.warn', null, preview.warning)] });
    if (!yes) return;
    const answer = await post(url, body);
    p.app.toast(`${plural(answer.replayed, 'delivery is', 'deliveries are')} on the way.`);
    done();
  } catch (error) {
    if (/** @type {any} */ (error).code !== 'signed_out') p.app.toast(`Not replayed. ${/** @type {any} */ (error).message}`);
  }
}
