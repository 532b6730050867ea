// The list of all keys that work on this page.

import { h } from '../dom.js';
import { RANGES } from '../format.js';
import { openDialog, dialogHead } from './menu.js';

/** @param {import('./frame.js').App} app */
export function showKeys(app) {
  const use = app.use;
  const group = (/** @type {string} */ title, /** @type {[string, string][]} */ keys) => keys.length > 0
    && h('section', null, h('h3', null, title),
    h('dl', null, keys.map(([k, word]) => h('div', null,
    h('dt', null, k.split(' ').map((x) => (x === 'then' || x === 'or' || x === 'to' ? h('span.faint', null, x) : h('kbd', null, x)))), h('dd', null, word)))));
  const { close } = openDialog({ label: 'All keys', classes: 'keys' }, [dialogHead('Keys', () => close()), h('div.body', null,
    group('Days', use.range ? [...RANGES.map((r) => /** @type {[string, string]} */ ([r.key, r.name])), ['C', 'Custom days'], ['← or →', 'Earlier, later']] : []),
    h('div', null,
      group('View', [...(use.filters ? /** @type {[string, string][]} */ ([['F', 'Filter'], ...(app.hasSegments ? /** @type {[string, string][]} */ ([['S', 'Segments: filters under a name']]) : []), ['Alt', 'held while pressing a value: leave it out']]) : []),
        ...(use.search ? /** @type {[string, string][]} */ ([['/', 'Search']]) : []), ...(use.compare ? /** @type {[string, string][]} */ ([['X', 'Compare']]) : []),
        ...(use.keys ?? []), ['Esc', 'Close; clear search and filters'], ['?', 'This list']]),
      group('Table', use.rows ? [['↓ or J', 'Next row'], ['↑ or K', 'Row before'], ['Enter', 'Open the row'], ...(use.picks && app.site?.role !== 'analyst' && app.site?.role !== 'client' ? /** @type {[string, string][]} */ ([['Space', 'Select the row']]) : [])] : []),
      group('Go', [...app.pages.filter((p) => p.shown?.(/** @type {any} */ (app.site)) ?? true).map((p) => /** @type {[string, string]} */ ([`G then ${p.key}`,
        p.name])), ...((app.me?.sites.length ?? 0) > 1 ? /** @type {[string, string][]} */ ([['1 to 9', 'Sites']]) : [])])))]);
}
