// Settings: one section at a time, each a file of its own.

import { h, fill, icon } from '../dom.js';
import { loading } from '../parts/form.js';

export const title = 'Settings';

/** @type {import('../app.js').BarUse} */
export const bar = {};

/** @typedef {import('../app.js').Params} Params */
/** @type {{id: string, name: string, sign: string, from: 'client'|'editor'|'owner', load: () => Promise<{show: (root: HTMLElement, p: Params) => Promise<void>}>}[]} */
const SECTIONS = [
  { id: 'site', name: 'Site', sign: 'site', from: 'editor', load: () => import('./settings/site.js') },
  { id: 'credit', name: 'Credit', sign: 'lens', from: 'editor', load: () => import('./settings/credit.js') },
  { id: 'chat', name: 'Chats', sign: 'chat', from: 'editor', load: () => import('./settings/chat.js') },
  { id: 'exclusions', name: 'Left out', sign: 'filter', from: 'editor', load: () => import('./settings/exclusions.js') },
  { id: 'history', name: 'History', sign: 'inbox', from: 'editor', load: () => import('./settings/history.js') },
  { id: 'sharing', name: 'Share links', sign: 'share', from: 'editor', load: () => import('./settings/sharing.js') },
  { id: 'privacy', name: 'Privacy', sign: 'shield', from: 'editor', load: () => import('./settings/privacy.js') },
  { id: 'people', name: 'People', sign: 'customers', from: 'owner', load: () => import('./settings/people.js') },
  { id: 'tokens', name: 'Tokens', sign: 'keys', from: 'owner', load: () => import('./settings/tokens.js') },
  { id: 'audit', name: 'Audit log', sign: 'clock', from: 'editor', load: () => import('./settings/audit.js') },
  { id: 'account', name: 'Your account', sign: 'customers', from: 'client', load: () => import('./settings/account.js') },
];

/** @param {Params} p */
const mine = (p) => SECTIONS.filter((s) => s.from === 'client' || p.site.role === 'owner' || (s.from === 'editor' && p.site.role === 'editor'));

/** @param {HTMLElement} root @param {Params} params */
export function render(root, params) {
  const nav = h('nav.set-nav', { 'aria-label': 'Settings' }), body = h('div.set-main');
  fill(root, h('div.head', null, h('h1', null, 'Settings')), h('div.set', null, nav, body));
  let shown = '';
  /** @param {Params} p */
  const update = (p) => {
    const own = mine(p);
    const section = own.find((s) => s.id === p.id) ?? own[0];
    if (`${p.site.site} ${section.id}` === shown) return;
    shown = `${p.site.site} ${section.id}`;
    fill(nav, own.map((s) => h('a', { href: p.app.href('settings', undefined, s.id), 'aria-current': s === section ? 'page' : null }, icon(s.sign, 's'), s.name)));
    /** @type {HTMLElement|null} */ (nav.querySelector('[aria-current]'))?.scrollIntoView({ block: 'nearest', inline: 'nearest' });
    const here = h('div');
    fill(body, here);
    loading(here, async () => { await (await section.load()).show(here, p); });
  };
  update(params);
  return { update };
}
