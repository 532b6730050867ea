// Sending deliveries once more: first the count and the warning, then the question, then the doing.

import { post } from '../api.js';
import { h } from '../dom.js';
import { count, plural } from '../format.js';
import { confirm } from './menu.js';

/** As many as the server sends. */
const A_SECOND = 5;

/** @param {number} seconds */
const lasting = (seconds) => (seconds < 90 ? plural(Math.ceil(seconds), 'second') : plural(Math.round(seconds / 60), 'minute'));

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
    const going = preview.count - (preview.left_out ?? 0);
    if (going < 1) { p.app.toast('None of these can be replayed.'); return; }
    const yes = await confirm({ title: `Replay ${plural(going, 'delivery', 'deliveries')}?`, yes: `Replay ${count(going)}`, text: [
      h('p', null, 'Each goes out once more with the same event ID, so a platform that still knows it counts it once. Consent is checked again.'),
      going > A_SECOND && h('p', null, `${A_SECOND} go out in a second, the oldest first: about ${lasting(going / A_SECOND)} in all.`),
      preview.left_out > 0 && h('p', null, `${plural(preview.left_out, 'one is', 'are')} left out: they wait already, or the person does not agree.`
        .replace(/^1 one is left out: they wait/, 'One is left out: it waits')),
      preview.warning && h('p.note.warn', null, preview.warning)] });
    if (!yes) return;
    const answer = await post(url, body);
    p.app.toast(`${plural(answer.replayed, 'delivery is', 'deliveries are')} on the way.`);
    done();
  } catch (error) {
    if (/** @type {any} */ (error).code !== 'signed_out') p.app.toast(`Not replayed. ${/** @type {any} */ (error).message}`);
  }
}
