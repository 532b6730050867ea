// One delivery opened: the request with its hashes named, the answer in plain words, every attempt.

import { h, icon, copyButton } from '../dom.js';
import { exact, when, clockSeconds, day, dayOf, today, platform, plural } from '../format.js';

/** @param {any} d a delivery as the lists give it @param {'h3'|'h4'} level of its headings */
export function deliveryDetail(d, level) {
  return h('div.dv', null,
    h('dl.facts', null, [
      ['Platform', `${platform(d.platform)}, ${d.kind}`], ['Event ID', h('code', null, d.event_id)], ['Mode', MODE_NOTES[d.mode] ?? d.mode],
      ['Made', exact(d.created_at)], d.settled_at && ['Settled', exact(d.settled_at)],
        d.next_at && ['Next try', h('span', { 'data-tip': exact(d.next_at) }, when(d.next_at))],
    ].filter(Boolean).map((/** @type {any} */ [k, v]) => h('div', null, h('dt', null, k), h('dd', null, v)))),
    d.reason_text && h('p.note', null, icon('alert', 's'), h('span', null, d.reason_text)),
    h(level, null, d.attempts ? 'What was sent' : d.settled_at ? 'What would have been sent' : 'What would be sent'),
    d.request ? request(d.request) : h('p.faint', null, d.state === 'skipped' ? 'Nothing was built.' : 'Built when it is sent; consent is checked again then.'),
    h(level, null, 'What came back'),
    d.response ? [h('p', null, d.response.sentence ?? `It answered ${d.response.status}.`),
      h('div.code', null, h('code', null, h('span.faint', null, `${d.response.status} `), d.response.body))]
      : h('p.faint', null, d.attempts ? 'No answer.' : d.settled_at ? 'Nothing: it was not sent.' : 'Not asked yet.'),
    d.history?.length > 0 && [h(level, null, plural(d.history.length, 'attempt')),
      h('ol.tries', null, d.history.map((/** @type {any} */ t) => h('li', null,
      h('span.faint', { 'data-tip': exact(t.at) }, dayOf(t.at) === today() ? clockSeconds(t.at) : `${day(t.at)}, ${clockSeconds(t.at)}`),
      h('span', null, t.sentence), t.status > 0 && h('span.faint', null, t.status))))],
  );
}

const MODE_NOTES = /** @type {Record<string, string>} */ ({ shadow: 'shadow: built and checked, not sent',
  test: 'test: to the platform’s test view only', live: 'live' });

/** @param {any} r */
function request(r) {
  const text = JSON.stringify(r.body, null, 2);
  const hashed = Object.entries(r.hashed ?? {});
  return [
    hashed.length > 0 && h('ul.hashed', null, hashed.map(([k, v]) => h('li', null, h('code', null, k), ' = ', h('bdi', null, v)))),
    h('details.row.body', null, h('summary', null, h('span.w', null, h('code', null, r.method), ' ', h('span.mono.cut', null, r.url)), icon('right', 's turn')),
      h('div.pre', null, h('pre', { tabindex: '0' }, headers(r.headers), text), copyButton(() => text, 'Copy body', 'small'))),
  ];
}

/** @param {Record<string, string>|null} all */
const headers = (all) => (all && Object.keys(all).length ? h('span.faint', null, Object.entries(all).map(([k, v]) => `${k}: ${v}\n`).join(''), '\n') : null);

/** What was received, as received. @param {Record<string, any>} fields */
export function fieldsTable(fields) {
  const rows = Object.entries(fields ?? {});
  if (!rows.length) return h('p.faint', null, 'The raw body is no longer kept; the facts taken from it are.');
  return h('table.fields', null, h('tbody', null,
    rows.map(([k, v]) => h('tr', null, h('th', { scope: 'row' }, k),
    h('td', null, h('bdi', null, v === null ? 'null' : typeof v === 'object' ? JSON.stringify(v) : String(v)))))));
}
