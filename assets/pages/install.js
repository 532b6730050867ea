// The line for the site's pages, and what the shop or form needs to report to us.

import { h, fill, icon } from '../dom.js';
import { snippetStep, endpointStep } from '../parts/start.js';

export const title = 'Install';

/** @type {import('../app.js').BarUse} */
export const bar = {};

/** @param {HTMLElement} root @param {import('../app.js').Params} params */
export function render(root, { app, site }) {
  const note = history.state?.consentNote;
  const first = snippetStep(app, site), second = endpointStep(app, site);
  fill(root, h('div.install', null,
    h('div.head', null, h('h1', null, `Connect ${site.name}`),
    h('p', null, 'Two things: a line in your pages that sees the visits, and an address your shop or form reports its orders and leads to.')),
    note && h('p.note', null, icon('check', 's'), h('span', null, note)), h('section.sheet', null, first.el), h('section.sheet', null, second.el),
    h('p.onward', null, h('a.go', { href: app.href('conversions') }, 'Go to the conversions'))));
  return { live: (/** @type {string} */ name, /** @type {any} */ data) => { first.live(name, data); second.live(name); },
    leave: () => first.stop() };
}
