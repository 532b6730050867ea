// How a connection stands, in the same words on every page: a word, a sign, a tone; and what the one button that helps now does.

/** @type {Record<string, [string, string, string]>} word, sign, tone */
const STATUS = { ok: ['Active', 'check', 'ok'], paused: ['Paused', 'pause', ''], needs_attention: ['Needs attention', 'stop', 'bad'],
  not_configured: ['Not configured', 'ring', ''] };

/** It fails again and again, and is left alone between two tries. @param {any} c */
export const isResting = (c) => c.status === 'ok' && ['open', 'half_open'].includes(c.breaker?.state);

/** @param {any} c @returns {[string, string, string]} */
export const standing = (c) => (isResting(c) ? ['Needs attention', 'clock', 'warn'] : STATUS[c.status] ?? [c.status, 'ring', '']);

/** What the button does, and its sign and word; none where keys are still missing. @param {any} c @returns {[string, string, string]|null} */
export function remedy(c) {
  if (c.status === 'not_configured') return null;
  if (c.status === 'paused') return ['resume', 'play', 'Resume'];
  return c.status === 'needs_attention' || isResting(c) ? ['resume', 'again', 'Retry'] : ['pause', 'pause', 'Pause'];
}

/** What needs the owner stands on top. @param {any[]} items */
export function worstFirst(items) {
  return [...items].sort((a, b) => rank(a) - rank(b) || a.name.localeCompare(b.name));
}

/** @param {any} c */
export const rank = (c) => (c.status === 'needs_attention' ? 0 : isResting(c) ? 1 : c.status === 'not_configured' ? 2 : c.status === 'paused' ? 3 : 4);

/** One of what it brings, in the platform's own word: an order, a booking, a lead. @param {any} c */
export const oneOf = (c) => (c.brings ?? 'Orders').toLowerCase().replace(/s$/, '');

/** Whether what it brings is sold, so that new ones are counted as orders are. @param {any} c */
export const isSold = (c) => ['Orders', 'Payments', 'Tickets'].includes(c.brings ?? 'Orders');
