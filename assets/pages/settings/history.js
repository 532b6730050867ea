// History from before: files of orders, leads, visits and spend.

import { h, fill, styles } from '../../dom.js';
import { panel } from '../../parts/form.js';
import { bringIn } from '../../parts/bring_in.js';

/** @param {HTMLElement} root @param {import('../../app.js').Params} p */
export async function show(root, p) {
  await styles(new URL('../../css/bring.css', import.meta.url));
  const { el } = bringIn(p, {});
  fill(root, panel('Bring in history', h('span', null, 'What happened before, from files: it counts on its own days and is marked as imported. Nobody is told of it: nothing goes to your ad platforms. ',
    'Bring visits first, then leads and orders, so that sales find the visits that led to them. The same file twice changes nothing.'), el));
}
