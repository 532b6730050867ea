// What a partner reads under the link to a statement: one month, nothing to press. No rail, no bar, no way to anything else.

import { get } from '../api.js';
import { h, fill, icon, announce, styles } from '../dom.js';
import { speakFor, exact, shortDay } from '../format.js';
import { alonePage } from '../parts/alone.js';
import { monthName } from '../parts/partner_words.js';
import { statementOf } from '../parts/statement.js';

export const title = 'Statement';

export const ready = Promise.all([styles(new URL('../css/shared.css', import.meta.url)), styles(new URL('../css/affiliates.css', import.meta.url))]);

/** @param {HTMLElement} root @param {{token: string}} params */
export function render(root, { token }) {
  let gone = false;
  fill(root, alonePage('One moment', null, null));
  open();
  return { leave: () => { gone = true; } };

  async function open() {
    try {
      const s = await get(`/api/statements/${encodeURIComponent(token)}`);
      if (gone) return;
      speakFor({ currency: s.currency, zone: s.zone });
      document.title = `${s.name}, ${monthName(s.month)} · ${s.site_name}`;
      fill(root, h('main.shared.partner', { id: 'page' }, h('header.sh-head', null, h('div.brand', null, icon('halo'), s.site_name), h('h1', null, h('bdi', null, s.name), `, ${monthName(s.month)}`),
        h('p.quiet', null, s.is_final ? `This statement is final: closed ${exact(s.closed_at)}.` : `This statement is not final: the month is not closed yet. As of ${exact(s.as_of)}.`, ` The link is good until ${shortDay(s.expires_at, true)}.`)),
      statementOf(s), h('footer.quiet', null, 'Counted by HaloTrack on the shop’s own server.')));
      announce(`${s.name}, ${monthName(s.month)}`);
    } catch (error) { if (!gone) fill(root, alonePage('This statement cannot be shown', /** @type {any} */ (error).message, null)); }
  }
}
