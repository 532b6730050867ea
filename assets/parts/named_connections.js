// Connections by their names, for filters: asked once for each site, and again when a list of them is opened.

import { get } from '../api.js';
import { connections } from '../format.js';

let asked = '';

/**
 * @param {import('./frame.js').App} app @param {boolean} [again]
 * @returns {Promise<{value: string}[]|null>} null where nothing new was asked
 */
export async function knowConnections(app, again = false) {
  const site = app.site?.site ?? '';
  if (asked === site && !again) return null;
  asked = site;
  try {
    const { items } = await get(`/api/sites/${site}/connections`);
    for (const c of items) connections.set(c.connection, c.name);
    return items.map((/** @type {any} */ c) => ({ value: c.connection }));
  } catch { asked = ''; return []; }
}
