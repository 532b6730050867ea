// What the buttons of a connection do: one listener for all of a page's cards, which are brought up in place.

import { post } from '../api.js';
import { announce } from '../dom.js';
import { plural } from '../format.js';
import { askDays } from './reading.js';

/**
 * Listens for `data-act` in a box.
 * @param {HTMLElement} box @param {() => import('../app.js').Params} now
 * @param {(at: Element) => any} cardOf the connection whose button it is @param {() => void} again after something was done
 */
export function actIn(box, now, cardOf, again) {
  box.addEventListener('click', async (e) => {
    const button = /** @type {HTMLElement|null} */ (/** @type {HTMLElement} */ (e.target).closest('[data-act]'));
    const c = button && cardOf(button);
    if (!button || !c || button.hasAttribute('aria-disabled')) return;
    // Not `disabled`: that would take the focus away.
    button.setAttribute('aria-disabled', 'true');
    await act(c, button.getAttribute('data-act') ?? '', now());
    button.removeAttribute('aria-disabled');
    again();
  });
}

/** @param {any} c @param {string} word @param {import('../app.js').Params} p */
async function act(c, word, p) {
  const path = `/api/sites/${p.site.site}/connections/${c.connection}/${word === 'back' ? 'pull' : word}`;
  try {
    const days = word === 'back' ? await askDays(c) : null;
    if (word === 'back' && days === null) return;
    const answer = await post(path, days === null ? {} : { days });
    p.app.toast(done(c, word, answer, days));
  } catch (error) {
    p.app.toast(`Not done. ${/** @type {any} */ (error).message}`);
    announce('Not done');
  }
}

/** @param {any} c @param {string} word @param {any} answer @param {number|null} days */
function done(c, word, answer, days) {
  if (word === 'pause') return `${c.name} is paused. ${c.sends ? 'What is to be told waits; none is lost.' : 'What comes in is still taken.'}`;
  if (word === 'check') return answer.told[0] ?? (answer.is_in_place ? 'The webhooks are in place.' : 'The webhooks are not in place yet.');
  if (word === 'back') return `The last ${plural(days ?? 0, 'day')} of ${c.name} are read once more.`;
  if (word === 'pull') return answer.is_begun ? `${c.name} is read now.` : `${c.name} is not read: it does not work at the moment.`;
  return c.status === 'paused' ? `${c.name} goes on.` : `${c.name} is tried again.`;
}
