// Connections: every platform that tells us something or is told, how it fares, and what else could be connected.

import { get } from '../api.js';
import { h, fill, icon, styles } from '../dom.js';
import { plural } from '../format.js';
import { actIn } from '../parts/connection_acts.js';
import { connectionCard } from '../parts/connection_card.js';
import { worstFirst } from '../parts/connection_state.js';
import { bringUp } from '../parts/in_place.js';

export const title = 'Connections';

export const ready = styles(new URL('../css/connections.css', import.meta.url));

/** @type {import('../app.js').BarUse} */
export const bar = {};

/** @param {HTMLElement} root @param {import('../app.js').Params} params */
export function render(root, params) {
  let p = params;
  const base = `/api/sites/${params.site.site}`;
  const owner = params.site.role === 'owner';
  let gone = false, known = false, timer = 0;
  const box = h('div', null, h('section.sheet', null, h('div.skeleton', null, Array.from({ length: 6 }, () => h('i')))));
  fill(root, h('div.head', null, h('h1', null, title), h('p', null, 'Where orders and leads come from, and who is told of them.')), box);

  /** @type {Map<string, any>} */ let cards = new Map();

  /** Worst first; but nothing moves away from under a hand: then known ones keep their places and new ones come last. @param {any[]} items */
  function inOrder(items) {
    const isHeld = box.matches(':hover') || box.contains(document.activeElement);
    const sorted = worstFirst(items);
    if (!isHeld || !cards.size) return sorted;
    const place = [...cards.keys()], at = (/** @type {any} */ c) => { const i = place.indexOf(c.connection); return i < 0 ? place.length : i; };
    return [...sorted].sort((a, b) => at(a) - at(b));
  }

  async function load() {
    try {
      const [{ items }, platforms] = await Promise.all([get(`${base}/connections`), get(`${base}/platforms`)]);
      if (gone) return;
      known = true;
      p.app.figuresAt = new Date().toISOString();
      const all = inOrder(items);
      cards = new Map(all.map((c) => [c.connection, c]));
      bringUp(box, [all.length
        ? h('section.sheet.cards', { 'aria-label': plural(items.length, 'connection') }, h('h2.vh', null, 'Connected'), h('ul', null, all.map((c) => connectionCard(c, p))))
        : h('section.sheet', null, h('div.empty', null, icon('connections'), h('p', null, h('b', null, 'Nothing is connected yet.'),
          ' Start with where your orders or leads are made; then choose who is told of them.'))),
      more(platforms.items, items)]);
    } catch (error) {
      const err = /** @type {any} */ (error);
      if (gone || known || err.code === 'signed_out') return;
      fill(box, h('section.sheet', null, h('div.trouble', { role: 'alert' }, icon('alert'),
        h('p', null, h('b', null, 'The connections could not be fetched.'), ` ${err.message} They go on meanwhile.`),
        h('button.btn', { type: 'button', onclick: load }, 'Try again'))));
    }
  }

  /** @param {any[]} platforms @param {any[]} items */
  function more(platforms, items) {
    const count = (/** @type {string} */ slug) => items.filter((c) => c.platform === slug).length;
    return h('section.sheet.offer', { 'aria-label': 'Connect another' }, h('header', null, h('h2', null, items.length ? 'Connect another' : 'What can be connected'),
      !owner && h('span.tag.faint', null, 'Only an owner can connect: keys are involved.')),
      p.may && h('p.quiet.history', null, 'Is there history from before? ', h('a', { href: p.app.href('settings', undefined, 'history') }, 'Bring it in from a file'), '.'),
      h('ul', null, platforms.map((f) => h('li', null, h('div.grow', null, h('b', null, f.name), h('span.tag.faint', null, ways(f)),
        h('p.quiet', null, `It ${f.purpose}.`)), owner && h('a.btn.small', { href: p.app.href('connections', undefined, `+${f.platform}`), 'aria-label': `${count(f.platform) ? 'One more' : 'Connect'} ${f.name}` },
        icon('plus', 's'), count(f.platform) ? 'One more' : 'Connect')))));
  }

  actIn(box, () => p, (at) => cards.get(at.closest('[data-connection]')?.getAttribute('data-connection') ?? ''), load);

  load();
  return {
    /** @param {import('../app.js').Params} next */
    update(next) { p = next; load(); },
    /** @param {string} name */
    live(name) {
      if (!['connection', 'conversion', 'delivery'].includes(name)) return;
      // In a steady stream of news the cards are brought up now and then, not after it.
      timer ||= setTimeout(() => { timer = 0; load(); }, name === 'connection' ? 300 : 2500);
    },
    leave() { gone = true; clearTimeout(timer); },
  };
}

/** @param {any} f */
export const ways = (f) => [(f.receives || f.pulls) && 'tells us', f.sends && 'is told'].filter(Boolean).join(', ');
