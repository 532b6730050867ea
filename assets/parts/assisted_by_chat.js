// What chats helped to sell: orders and money by how sure that is, and how often those who chat buy.

import { h, fill } from '../dom.js';
import { count, plural, bare, money, currencySign } from '../format.js';
import { own } from './figures.js';

const BANDS = { high: ['Sure', 'Within six hours of the chat'], medium: ['Likely', 'Within a day, or up to three'], low: ['Possible', 'Within a week'] };

export function assistedByChat() {
  const body = h('div.panel-body');
  const el = h('section.sheet.panel', { 'data-part': 'AssistedByChat', 'aria-label': 'Assisted by chat', hidden: true },
    h('header', null, h('h2', null, 'Assisted by chat')), body);
  return { el,
    /** @param {any} chat none where nobody has ever chatted */
    draw(chat) {
      el.hidden = !chat || (!chat.conversations && !chat.assisted.orders);
      if (el.hidden) return;
      fill(body, h('table.t.t-panel', null, h('caption.vh', null, 'Orders that a conversation led to, by how sure that is'),
        h('thead', null, h('tr', null, h('th', { scope: 'col' }, 'How sure'), h('th.num', { scope: 'col' }, 'Orders'), h('th.num', { scope: 'col' }, `Net, ${currencySign()}`))),
        h('tbody', null, chat.assisted.by_band.map((/** @type {any} */ b) => row(BANDS[/** @type {'high'} */ (b.band)], b))),
        h('tfoot', null, h('tr', null, h('th', { scope: 'row' }, 'All'), h('td.num', null, count(chat.assisted.orders)), h('td.num', null, bare(own(chat.assisted.net)))))),
      h('div.chat-said', null,
        h('p', null, h('b', null, plural(chat.conversations, 'conversation')), talk(chat)),
        h('dl', null, rate('Those who chat buy', chat.rates.chat), rate('All others buy', chat.rates.others)),
        h('p.quiet', null, chat.rates.sentence),
        h('p.faint', null, `${money(own(chat.assisted.net))} of ${money(own(chat.net))} net. ${chat.earns ? 'You let chats earn credit.' : 'A chat helps; whoever brought the customer keeps the credit.'}`)));
    } };
}

/** @param {string[]} words @param {any} b */
const row = ([word, tip], b) => h('tr', null, h('th.max', { scope: 'row' }, h('span.cell.still', { 'data-tip': tip }, h('bdi.cut', null, word))),
  h('td.num', null, b.orders ? count(b.orders) : '–'), h('td.num', null, b.orders ? bare(own(b.net)) : '–'));

/** @param {any} c */
function talk(c) {
  const asked = [c.product_inquiries && `${count(c.product_inquiries)} about a product`, c.price_checks && `${count(c.price_checks)} about a price`].filter(Boolean).join(', ');
  const wait = c.median_wait_s === null ? '' : `Half of the answers came within ${waited(c.median_wait_s)}.`;
  return `${asked && `: ${asked}`}. ${wait}`;
}

/** "40 s", "3 min", "2 h". @param {number} s */
const waited = (s) => (s < 90 ? `${count(s)} s` : s < 5400 ? `${count(Math.round(s / 60))} min` : `${count(Math.round(s / 3600))} h`);

/** @param {string} name @param {any} r */
function rate(name, r) {
  const pc = (/** @type {number} */ v) => (v * 100).toFixed(1);
  return h('div', null, h('dt', null, name), h('dd', null, r.rate === null ? '–' : `${pc(r.rate)}%`,
    r.range && h('span.faint', null, ` (${pc(r.range[0])}–${pc(r.range[1])})`), h('span.faint', null, ` of ${count(r.of)}`)));
}
