// A square code as one path, black on white in light and dark: cameras want it so.

import { encode } from '../vendor/uqr.js';

const SVG = 'http://www.w3.org/2000/svg';

/** @param {string} text @param {string} label */
export function qrCode(text, label) {
  const { data, size } = encode(text, { ecc: 'M', border: 4 });
  const svg = document.createElementNS(SVG, 'svg');
  svg.setAttribute('class', 'qr');
  svg.setAttribute('viewBox', `0 0 ${size} ${size}`);
  svg.setAttribute('role', 'img');
  svg.setAttribute('aria-label', label);
  const path = document.createElementNS(SVG, 'path');
  path.setAttribute('d', data.map((row, y) => row.map((on, x) => (on ? `M${x} ${y}h1v1h-1z` : '')).join('')).join(''));
  svg.appendChild(path);
  return svg;
}
