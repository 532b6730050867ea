// The API page: /openapi.json, told so that a person can read it. Text goes in as text.

import { h, fill } from './dom.js';

/** @typedef {{method: string, path: string, op: any}} Row */

const WRITES = ['post', 'put', 'patch', 'delete'];
const root = /** @type {HTMLElement} */ (document.getElementById('docs'));

/** @param {any} value */
const pretty = (value) => (typeof value === 'string' ? value : JSON.stringify(value, null, 2));

/** @param {string} name @param {[string, string][]} pairs */
const list = (name, pairs) => (pairs.length ? [h('h3', null, name), h('dl', null, pairs.map(([dt, dd]) => [h('dt', null, dt), h('dd', null, dd)]))] : null);

/** @param {string} name @param {any} content */
function example(name, content) {
  const [type, body] = /** @type {[string, any]|undefined} */ (Object.entries(content ?? {})[0]) ?? [];
  if (!type || body?.example === undefined) return null;
  return [h('h3', null, `${name} · ${type}`), h('pre', null, pretty(body.example))];
}

/** @param {Row} row */
function operation({ method, path, op }) {
  const at = (/** @type {string} */ where) => op.parameters.filter((/** @type {any} */ p) => p.in === where).map((/** @type {any} */ p) => [p.name, p.description]);
  const answers = Object.entries(op.responses);
  const good = answers.find(([status]) => status.startsWith('2'))?.[1];
  const inner = h('div.inner', null, h('p', null, op.description), list('In the path', at('path')), list('In the query', at('query')),
    op.requestBody ? [example('Body', op.requestBody.content), h('p.quiet', null, op.requestBody.description)] : null,
    example('Answer', good?.content), list('Statuses', answers.map(([status, a]) => [status, a.description])));
  return h('details', { id: op.operationId }, h('summary', null,
    h(WRITES.includes(method) ? 'span.method.writes' : 'span.method', null, method.toUpperCase()), h('code', null, path), h('span.what', null, op.summary)), inner);
}

/** @param {any} description */
function page(description) {
  /** @type {Map<string, Row[]>} */ const groups = new Map();
  for (const [path, place] of Object.entries(description.paths)) {
    for (const [method, op] of Object.entries(place)) {
      const tag = op.tags[0];
      groups.set(tag, [...(groups.get(tag) ?? []), { method, path, op }]);
    }
  }
  const sections = [...groups].sort(([a], [b]) => a.localeCompare(b)).map(([tag, rows]) => ({ tag, id: `group-${tag.toLowerCase().replaceAll(' ', '-')}`, rows }));
  const found = h('div');
  /** @param {string} words */
  const show = (words) => fill(found, sections.map(({ tag, id, rows }) => {
    const fits = rows.filter(({ method, path, op }) => `${method} ${path} ${op.summary}`.toLowerCase().includes(words));
    return fits.length ? h('section', null, h('h2', { id }, tag), fits.map(operation)) : null;
  }));
  fill(root, h('h1', null, `${description.info.title} ${description.info.version}`), h('p', null, description.info.description),
    h('p', null, 'Machine-readable: ', h('a', { href: '/openapi.json' }, '/openapi.json')),
    h('nav', { 'aria-label': 'Groups' }, sections.map(({ tag, id }) => h('a', { href: `#${id}` }, tag))),
    h('input', { type: 'search', placeholder: 'Find a route', 'aria-label': 'Find a route', oninput: (/** @type {any} */ e) => show(e.target.value.trim().toLowerCase()) }),
    found);
  show('');
  if (location.hash) document.getElementById(decodeURIComponent(location.hash.slice(1)))?.scrollIntoView();
}

fetch('/openapi.json').then((reply) => reply.json()).then(page, () => fill(root, h('p', null, 'The description could not be read. Reload the page to try again.')));
