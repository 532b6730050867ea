// A link as a square code, and the same as a file for print: lines, not dots, so that it is sharp at any size.

import { h, icon } from '../dom.js';
import { qrCode } from './qr.js';

/** @param {string} text @param {string} name what the file is called after */
export function qrPicture(text, name) {
  const save = h('button.btn.small', { type: 'button', onclick: () => download(text, name) }, icon('export', 's'), 'Download for print');
  return h('div.qr-box', null, qrCode(text, `Square code of ${text}`), h('div', null, h('p.quiet', null, 'For paper, packaging and windows. A phone’s camera opens it.'), save));
}

/** @param {string} text @param {string} name */
function download(text, name) {
  const svg = /** @type {SVGElement} */ (qrCode(text, text).cloneNode(true));
  for (const [key, value] of [['width', '100mm'], ['height', '100mm'], ['shape-rendering', 'crispEdges']]) svg.setAttribute(key, value);
  svg.removeAttribute('class');
  const page = document.createElementNS('http://www.w3.org/2000/svg', 'rect');
  for (const [key, value] of [['width', '100%'], ['height', '100%'], ['fill', '#fff']]) page.setAttribute(key, value);
  svg.prepend(page);
  const url = URL.createObjectURL(new Blob([new XMLSerializer().serializeToString(svg)], { type: 'image/svg+xml' }));
  const link = /** @type {HTMLAnchorElement} */ (h('a', { href: url, download: `${fileName(name)}.svg` }));
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 10000);
}

/** @param {string} name */
const fileName = (name) => name.toLowerCase().normalize('NFKD').replace(/[^a-z0-9]+/g, '-').replace(/^-|-$/g, '').slice(0, 60) || 'link';
