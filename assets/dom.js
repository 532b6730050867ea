// Elements. Text always goes in as text nodes; nothing here parses HTML.

/** What may stand in an element; lists may hold lists. @typedef {Node|string|number|null|undefined|false|any[]} Kid */

const SVG = 'http://www.w3.org/2000/svg';

/**
 * An element: h('button.btn.small', { type: 'button', onclick }, 'Replay').
 * Keys that begin with "on" are listeners; true sets an empty attribute; null, undefined and false set none.
 * @param {string} tag name with classes after dots
 * @param {Record<string, any>|null} [props]
 * @param {...Kid} kids
 * @returns {HTMLElement}
 */
export function h(tag, props, ...kids) {
  const [name, ...classes] = tag.split('.');
  const el = document.createElement(name);
  if (classes.length) el.className = classes.join(' ');
  for (const [key, value] of Object.entries(props ?? {})) {
    if (value === null || value === undefined || value === false) continue;
    if (key.startsWith('on')) el.addEventListener(key.slice(2), value);
    else if (key === 'class') el.className = `${el.className} ${value}`.trim();
    else if (key === 'value') /** @type {any} */ (el).value = value;
    else el.setAttribute(key, value === true ? '' : String(value));
  }
  add(el, ...kids);
  return el;
}

/** Appends children, skipping what is absent. @param {Node} el @param {...Kid} kids */
export function add(el, ...kids) {
  for (const kid of kids) {
    if (Array.isArray(kid)) add(el, ...kid);
    else if (kid instanceof Node) el.appendChild(kid);
    else if (kid !== null && kid !== undefined && kid !== false) el.appendChild(document.createTextNode(String(kid)));
  }
}

/** Puts new children in place of the old ones. @param {Element} el @param {...Kid} kids */
export function fill(el, ...kids) {
  el.replaceChildren();
  add(el, kids);
  return el;
}

/**
 * A sign from the sprite in index.html. It is decoration unless it gets a label.
 * @param {string} name @param {string} [classes] @param {string} [label]
 */
export function icon(name, classes = '', label) {
  const svg = document.createElementNS(SVG, 'svg');
  svg.setAttribute('class', `i ${classes}`.trim());
  svg.setAttribute('viewBox', name === 'halo' ? '0 0 20 20' : '0 0 16 16');
  if (label) { svg.setAttribute('role', 'img'); svg.setAttribute('aria-label', label); } else svg.setAttribute('aria-hidden', 'true');
  const use = document.createElementNS(SVG, 'use');
  use.setAttribute('href', `#i-${name}`);
  svg.appendChild(use);
  return svg;
}

/** @param {string} key */
export const kbd = (key) => h('kbd', { 'aria-hidden': 'true' }, key);

/** Styles of a page alone, which the first screen of the others does not wait for: a page that exports it as `ready` is drawn when they are there. @param {URL} url */
export const styles = (url) => new Promise((done) => { const link = h('link', { rel: 'stylesheet', href: url.href, onload: done, onerror: done }); document.head.append(link); });

/** Says a sentence to screen readers. @param {string} text */
export function announce(text) {
  // A modal dialog makes the page's own region inert, so the sentence goes to the one inside it.
  const region = document.querySelector('dialog[open] [data-said]') ?? document.getElementById('said');
  if (!region) return;
  region.textContent = '';
  setTimeout(() => { region.textContent = text; }, 50);
}

/**
 * A button that copies and says "Copied" for two seconds.
 * @param {() => string} text @param {string} label @param {string} [classes]
 */
export function copyButton(text, label, classes = 'small') {
  const word = h('span', null, label);
  const mark = h('span.mark', null, icon('copy', 's'));
  return h(`button.btn.${classes.replaceAll(' ', '.')}`, { type: 'button', onclick: async () => {
    const done = await copy(text());
    word.textContent = done ? 'Copied' : 'Press Ctrl C';
    fill(mark, icon(done ? 'check' : 'copy', 's'));
    announce(done ? 'Copied' : 'Copying is not allowed here');
    setTimeout(() => { word.textContent = label; fill(mark, icon('copy', 's')); }, 2000);
  } }, mark, word);
}

/** @param {string} text @returns {Promise<boolean>} */
export async function copy(text) {
  try { await navigator.clipboard.writeText(text); return true; } catch { /* plain http has no clipboard API: the old way below */ }
  const area = /** @type {HTMLTextAreaElement} */ (h('textarea.vh', { value: text, 'aria-hidden': 'true' }));
  (document.querySelector('dialog[open]') ?? document.body).appendChild(area);
  area.select();
  const done = document.execCommand('copy');
  area.remove();
  return done;
}

/** Phone width: rows open on a tap, the bar moves into a sheet. */
export const isPhone = () => matchMedia('(max-width: 720px)').matches;
/** The rail is gone and the tabs are at the bottom. */
export const isNarrow = () => matchMedia('(max-width: 1000px)').matches;

/** One floating note for every [data-tip], on hover and on focus; Esc hides it. */
export function installTips() {
  const tip = h('div.tip', { role: 'tooltip', popover: 'manual', id: 'tip' });
  document.body.appendChild(tip);
  /** @type {Element|null} */ let on = null;
  let timer = 0;
  const hide = () => { clearTimeout(timer); on = null; if (tip.matches(':popover-open')) tip.hidePopover(); };
  const show = (/** @type {Element} */ el) => {
    if (!el.isConnected) return;
    tip.textContent = el.getAttribute('data-tip');
    (el.closest('dialog[open]') ?? document.body).appendChild(tip);
    tip.showPopover();
    const box = el.getBoundingClientRect();
    const wide = Math.min(document.body.clientWidth - 8 - tip.offsetWidth, box.left + box.width / 2 - tip.offsetWidth / 2);
    tip.style.left = `${Math.max(8, wide)}px`;
    tip.style.top = box.top > tip.offsetHeight + 12 ? `${box.top - tip.offsetHeight - 6}px` : `${box.bottom + 6}px`;
  };
  const aim = (/** @type {Event} */ e) => {
    const el = e.target instanceof Element ? e.target.closest('[data-tip]') : null;
    if (el === on) return;
    hide();
    if (!el || !el.getAttribute('data-tip')) return;
    if (e.type === 'pointerover' && /** @type {PointerEvent} */ (e).pointerType === 'touch') return;
    on = el;
    timer = setTimeout(show, e.type === 'focusin' ? 0 : 350, el);
  };
  document.addEventListener('pointerover', aim);
  document.addEventListener('focusin', (e) => { if (e.target instanceof Element && e.target.matches(':focus-visible')) aim(e); });
  document.addEventListener('focusout', hide);
  document.addEventListener('scroll', hide, { capture: true, passive: true });
  document.addEventListener('keydown', (e) => { if (e.key === 'Escape') hide(); });
  document.addEventListener('click', hide);
}
