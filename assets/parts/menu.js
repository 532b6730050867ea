// What opens over the page: a menu under a button, a dialog, a sheet from below. The browser keeps focus and Esc.

import { h, add, fill, icon, kbd } from '../dom.js';

let open_ = /** @type {HTMLElement|null} */ (null);

/**
 * A floating box under its button. Esc and a click elsewhere close it; the focus goes back.
 * @param {HTMLElement} anchor @param {string} label @param {import('../dom.js').Kid} content @param {string} [classes]
 * @returns {{el: HTMLElement, close: () => void}}
 */
export function pop(anchor, label, content, classes = '') {
  const again = open_?.isConnected && open_.dataset.for === (anchor.dataset.focus ?? '') && anchor.dataset.focus;
  open_?.remove();
  open_ = null;
  const el = h('div.menu', { popover: 'auto', role: 'dialog', 'aria-label': label, class: classes, 'data-for': anchor.dataset.focus ?? '' });
  if (again) return { el, close: () => {} };
  add(el, content);
  open_ = el;
  (anchor.closest('dialog[open]') ?? document.body).appendChild(el);
  el.showPopover();
  place(el, anchor);
  anchor.setAttribute('aria-expanded', 'true');
  const close = () => { if (el.matches(':popover-open')) el.hidePopover(); };
  el.addEventListener('toggle', (e) => {
    if (/** @type {ToggleEvent} */ (e).newState !== 'closed') return;
    const had = el.contains(document.activeElement) || document.activeElement === document.body;
    anchor.removeAttribute('aria-expanded');
    if (had) back(anchor);
    setTimeout(() => { el.remove(); if (open_ === el) open_ = null; }, 0);
  });
  el.addEventListener('keydown', (e) => moveFocus(el, e));
  /** @type {HTMLElement|null} */ (el.querySelector('[autofocus], [aria-checked="true"], [data-item], button, input'))?.focus();
  return { el, close };
}

/** The button may have been drawn anew meanwhile: then the one of the same name. @param {HTMLElement} anchor */
function back(anchor) {
  const now = anchor.isConnected ? anchor : /** @type {HTMLElement|null} */ (document.querySelector(`[data-focus="${CSS.escape(anchor.dataset.focus ?? '-')}"]`));
  now?.focus();
}

/** @param {HTMLElement} el @param {HTMLElement} anchor */
function place(el, anchor) {
  // The body's width, not the root's: a reserved scrollbar gutter is no place for a menu.
  const a = anchor.getBoundingClientRect(), page = document.body;
  const rtl = getComputedStyle(page).direction === 'rtl';
  const left = rtl ? a.right - el.offsetWidth : a.left;
  el.style.left = `${Math.max(8, Math.min(left, page.clientWidth - el.offsetWidth - 8))}px`;
  const below = a.bottom + 4;
  const fits = below + el.offsetHeight <= innerHeight - 8 || a.top < el.offsetHeight;
  el.style.top = fits ? `${below}px` : `${a.top - el.offsetHeight - 4}px`;
  el.style.maxHeight = fits ? `${innerHeight - below - 8}px` : '';
}

/** Arrow keys walk the items. @param {HTMLElement} el @param {KeyboardEvent} e */
function moveFocus(el, e) {
  if (e.key !== 'ArrowDown' && e.key !== 'ArrowUp') return;
  const items = /** @type {HTMLElement[]} */ ([...el.querySelectorAll('[data-item]:not([disabled])')]);
  if (!items.length) return;
  e.preventDefault();
  const at = items.indexOf(/** @type {HTMLElement} */ (document.activeElement));
  items[(at + (e.key === 'ArrowDown' ? 1 : -1) + items.length) % items.length].focus();
}

/**
 * @param {{name: import('../dom.js').Kid, note?: string, key?: string, on?: boolean, sign?: string, href?: string, download?: boolean, act?: () => void}} item
 */
export function menuItem({ name, note, key, on, sign, href, download, act }) {
  const inside = [on !== undefined && h('span.tick', null, on && icon('check', 's')), sign && icon(sign, 's'),
    h('span.word', null, name, note && h('small', null, note)), key && kbd(key)];
  const props = { 'data-item': true, 'aria-current': on ? 'true' : null, 'aria-keyshortcuts': key && key.length === 1 ? key : null };
  return href ? h('a.item', { ...props, href, download: download ? '' : null, onclick: act }, inside)
    : h('button.item', { ...props, type: 'button', onclick: act }, inside);
}

/**
 * A modal dialog. `slide`: "side" for the panel on the right, "up" for a sheet on a narrow screen, else in the middle.
 * @param {{label: string, slide?: 'side'|'up', classes?: string, onclose?: () => void}} how
 * @param {import('../dom.js').Kid} content
 */
export function openDialog({ label, slide, classes = '', onclose }, content) {
  const before = /** @type {HTMLElement|null} */ (document.activeElement);
  const el = /** @type {HTMLDialogElement} */ (h('dialog.dialog', { 'aria-label': label, tabindex: '-1', class: `${slide ?? 'mid'} ${classes}` }));
  add(el, [content, h('p.vh', { 'data-said': true, role: 'status', 'aria-live': 'polite' })]);
  document.body.appendChild(el);
  el.showModal();
  // The dialog itself takes the focus: its name is read, and no button looks pressed.
  if (!el.querySelector('[autofocus]')) el.focus();
  el.addEventListener('close', () => {
    el.remove();
    const at = document.activeElement;
    onclose?.();
    if (document.activeElement !== at) return; // whoever closed it has put the focus elsewhere: on the row that was read last
    if (before?.isConnected) before.focus({ preventScroll: true }); else if (before) back(before);
  });
  // Only a press that began on the shade closes: dragging a selection out of the panel does not.
  let onShade = false;
  el.addEventListener('pointerdown', (e) => { onShade = e.target === el; });
  el.addEventListener('click', (e) => { if (onShade && e.target === el) el.close(); });
  return { el, close: () => el.close() };
}

/** @param {string} title @param {() => void} close @param {import('../dom.js').Kid} [extra] */
export const dialogHead = (title, close, extra) => h('header', null, h('h2', null, title), extra, closeButton(close));

/** @param {() => void} close */
export const closeButton = (close) => h('button.btn.icon.bare.close',
  { type: 'button', 'aria-label': 'Close', 'aria-keyshortcuts': 'Escape', onclick: close }, icon('x'));

/**
 * One question, one main answer. Resolves to true when it was given.
 * @param {{title: string, text: import('../dom.js').Kid, yes: string, danger?: boolean}} q
 * @returns {Promise<boolean>}
 */
export function confirm({ title, text, yes, danger }) {
  return new Promise((resolve) => {
    let answer = false;
    const box = h('div.ask');
    const { close } = openDialog({ label: title, classes: 'small', onclose: () => resolve(answer) }, box);
    fill(box, h('h2', null, title), h('div.text', null, text), h('footer', null,
      h('button.btn', { type: 'button', onclick: () => close() }, 'Not now'),
      h(`button.btn.${danger ? 'danger' : 'main'}`, { type: 'button', autofocus: !danger, onclick: () => { answer = true; close(); } }, yes)));
    /** @type {HTMLElement|null} */ (box.querySelector(danger ? 'button' : '.main'))?.focus();
  });
}
