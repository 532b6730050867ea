// What is kept of chats, and by which words a message asks for a price or a product.

import { get, post } from '../../api.js';
import { h, fill } from '../../dom.js';
import { saveForm, switchField, linesField, linesOf, panel } from '../../parts/form.js';

/** @param {HTMLElement} root @param {import('../../app.js').Params} p */
export async function show(root, p) {
  const url = `/api/sites/${p.site.site}/settings`;
  const s = await get(url);
  const text = switchField('chat.text', 'Keep what is written', s['chat.text'], 'Off: only who wrote when, and what it asked for. What came before stays as it is.');
  const prices = linesField('chat.price_words', 'Words for a price', s['chat.price_words'], 'One a line, beside price, cost, how much and amounts of money.', 'discount');
  const products = linesField('chat.product_words', 'Words for a product', s['chat.product_words'], 'One a line, beside the names your orders tell.', 'gift set');
  fill(root, panel('Chats', h('span', null, 'Connect Chatwoot, Crisp or tawk.to under ', h('a.go', { href: p.app.href('connections') }, 'Connections'),
    ', or tell of each message from your own server. Messages are read for what they ask when they come.'),
  saveForm({ fields: [prices, products], rest: text.el, go: 'Save', done: 'Saved.', save: async () => {
    await post(url, { 'chat.text': text.input.checked, 'chat.price_words': linesOf(prices.input.value), 'chat.product_words': linesOf(products.input.value) });
  } })));
}
