// Who has changed what, when, and from where.

import { get } from '../../api.js';
import { h, fill, icon } from '../../dom.js';
import { exact, day, clockSeconds, zoneName } from '../../format.js';
import { selectField, panel } from '../../parts/form.js';

/** What happened, in words. @type {Record<string, string>} */
const WHAT = { site_added: 'added the site', site_set: 'changed settings', site_secret_rotated: 'replaced the identify secret', token_created: 'made a token',
  token_revoked: 'revoked a token', member_invited: 'invited somebody', member_changed: 'changed a role', member_removed: 'removed somebody', policy_changed: 'changed the credit policy',
  credited_anew: 'had conversions credited anew', share_added: 'made a share link', share_revoked: 'took a share link back', refused: 'was refused',
  connection_added: 'added a connection', connection_set: 'changed a connection', connection_mode: 'changed a mode', connection_paused: 'paused a connection',
  connection_resumed: 'resumed a connection', erased: 'erased a person', connection_removed: 'removed a connection',
  lead_moved: 'moved a lead', note_added: 'wrote a note', note_removed: 'took a note away', hook_put_back: 'put a webhook back', hooks_removed: 'took webhooks out', inbox_dismissed: 'dismissed a message',
  rule_added: 'added a rule', rule_removed: 'removed a rule', segment_added: 'added a segment', segment_changed: 'changed a segment', segment_removed: 'removed a segment' };

const what = (/** @type {string} */ word) => WHAT[word] ?? word.replaceAll('_', ' ');

/** @param {HTMLElement} root @param {import('../../app.js').Params} p */
export async function show(root, p) {
  const url = `/api/sites/${p.site.site}/audit`;
  const first = await get(url);
  const names = new Map(first.items.map((/** @type {any} */ l) => [l.who, l.email ?? l.who]));
  const options = (/** @type {any[]} */ all, /** @type {(v: string) => string} */ word) => /** @type {[string, string][]} */ ([['', 'all'], ...all.map((f) => [f.value, word(f.value)])]);
  const who = selectField('who', 'Who', options(first.facets.who, (v) => names.get(v) ?? v), '');
  const did = selectField('what', 'What', options(first.facets.what, what), '');
  const from = h('input.in', { type: 'date', name: 'from', 'aria-label': 'From' }), to = h('input.in', { type: 'date', name: 'to', 'aria-label': 'To' });
  const body = h('tbody'), more = h('div.more');
  const files = h('span.acts');
  let cursor = first.next;
  const query = () => {
    const q = new URLSearchParams();
    for (const x of [who.input, did.input, from, to]) { const v = /** @type {HTMLInputElement} */ (x).value; if (v) q.set(x.getAttribute('name') ?? '', v); }
    return q;
  };
  const put = (/** @type {any[]} */ lines) => { for (const l of lines) body.append(row(l)); };
  const drawMore = () => {
    fill(more, cursor && h('button.btn', { type: 'button', onclick: async () => {
      const q = query();
      q.set('cursor', cursor);
      const page = await get(url, q);
      cursor = page.next;
      put(page.items);
      drawMore();
    } }, 'Older ones'));
    more.hidden = !cursor;
    fill(files, h('a.btn.small', { href: `${url}.csv?${query()}`, download: true }, icon('export', 's'), 'CSV'));
  };
  const again = async () => {
    const page = await get(url, query());
    cursor = page.next;
    fill(body);
    put(page.items);
    if (!page.items.length) body.append(h('tr', null, h('td', { colspan: 4 }, h('p.quiet', null, 'Nothing of that kind.'))));
    drawMore();
  };
  for (const x of [who.input, did.input, from, to]) x.addEventListener('change', () => again().catch((e) => p.app.toast(e.message)));
  put(first.items);
  drawMore();
  fill(root, panel('Audit log', null, h('div.four.filters', null, who.el, did.el, h('label.f', null, h('b', null, 'From'), from), h('label.f', null, h('b', null, 'To'), to)),
    h('table.t.log', null, h('caption.vh', null, 'Changes, the newest first'),
      h('thead', null, h('tr', null, h('th', { scope: 'col' }, `When, ${zoneName()}`), h('th', { scope: 'col' }, 'Who'), h('th', { scope: 'col' }, 'What'), h('th', { scope: 'col' }, 'From'))), body),
    more, files));
}

/** @param {any} l */
const row = (l) => h('tr', null, h('td.fit', null, h('span', { 'data-tip': exact(l.at) }, `${day(l.at)}, ${clockSeconds(l.at)}`)), h('td', null, h('bdi', null, l.email ?? l.who)), h('td', null, what(l.what), h('span.faint', null, detail(l.detail))),
  h('td.fit', null, l.origin || 'the server'));

/** "lead_67" behind the word lead is 67. @param {string} key @param {string} text */
const numbered = (key, text) => (/^[a-z]+_\d+$/.test(text) && text.startsWith(`${key}_`) ? text.slice(key.length + 1) : text);

/** @param {any} d */
function detail(d) {
  /** @param {any} v @returns {string} */
  const said = (v) => (Array.isArray(v) ? v.join(', ') : v !== null && typeof v === 'object'
    ? Object.entries(v).filter(([, x]) => x !== null).map(([k, x]) => `${k.replaceAll('_', ' ')} ${typeof x === 'object' && !Array.isArray(x) ? `(${said(x)})` : numbered(k, said(x))}`).join(', ')
    : v === true ? 'yes' : v === false ? 'no' : String(v ?? 'none'));
  return d && Object.keys(d).length ? ` ${said(d)}` : '';
}
