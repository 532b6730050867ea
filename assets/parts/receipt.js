// The receipt: what is known of one conversion, how it is known, who gets the credit, and who was told.

import { h, icon, copyButton } from '../dom.js';
import { amount, bare, money, points, plural, day, shortDay, clock, clockSeconds, dayOf, exact, when, platform, MODELS, MODELS_SHORT, windowName, zoneName, today,
  kindsWord, toldSentence, whySentence, eventWord } from '../format.js';
import { matchMark, statusMark, stateMark } from './table.js';
import { deliveryDetail, fieldsTable } from './delivery.js';

/**
 * @param {any} r the answer of the receipts API
 * @param {{url: string, may: boolean, replay: () => void, heading?: 'h1'|'h2'}} how
 * @returns {{head: HTMLElement, body: HTMLElement, foot: HTMLElement}}
 */
export function receipt(r, { url, may, replay, heading = 'h2' }) {
  const c = r.conversion;
  const line = lines(heading === 'h1' ? 'h2' : 'h3');
  const first = c.credited[0];
  const head = h('div.rc-head', null,
    h('div.rc-title', null, h(heading, null, h('bdi', null, c.label), h('span.quiet', null, ' · ', first ? h('bdi', null, first.source) : 'Unattributed')),
      c.is_test && h('span.tag.box', null, 'test')),
    h('p.rc-figure', null, h('span.v', null, c.amount ? money(c.amount) : kindsWord(c.kind).replace(/s$/, '')),
      c.net && c.amount && c.net.minor !== c.amount.minor && h('span.quiet', null, `net ${money(c.net)}`),
      h('span.rc-when', null, statusMark(c.status), h('span.quiet', { 'data-tip': exact(c.happened_at) }, `${clock(c.happened_at)}, ${day(c.happened_at)}`))));
  const body = h('div.rc-body', null,
    c.flag && line('Note', h('p.note.warn', null, icon('alert', 's'), h('span', null, `${c.flag[0].toUpperCase()}${c.flag.slice(1).replace(/\.$/, '')}.`))),
    line('Who', who(c)),
    line('Why', why(r)),
    line('Received', received(r)),
    touches(r, line),
    line('Chat', r.chat ? chat(r.chat) : h('span.faint', null, 'none before it')),
    r.affiliate && line('Affiliate', partner(r.affiliate)),
    r.why.would_change.length > 0 && line('Would change it', h('ul', null, r.why.would_change.map((/** @type {string} */ s) => h('li', null, s)))),
    line('Told', r.deliveries.length ? h('div.rows', null, r.deliveries.map((/** @type {any} */ d) => told(d, heading === 'h1' ? 'h3' : 'h4')))
      : h('span.faint', null, 'no platform is connected to tell')),
    r.entries.length > 1 && line('Money', entries(r)),
    line('Runs', h('ul', null, r.runs.map((/** @type {any} */ x) => h('li', null, h('b', null, x.run), ` · ${when(x.at)} `, x.why,
      x.match && h('span.faint', null, `, by ${x.match}`))))),
  );
  const sent = r.deliveries.filter((/** @type {any} */ d) => !['pending', 'leased'].includes(d.state));
  const foot = h('div.rc-foot', null, copyButton(() => new URL(url, location.origin).href, 'Copy link', ''),
    may && sent.length > 0 && !c.erased_at && h('button.btn', { type: 'button', onclick: replay }, icon('again', 's'), 'Replay'),
    h('span.faint', null, `${r.conversion.id.replace('_', ' ')}, ${zoneName()}`));
  return { head, body, foot };
}

/** @param {'h2'|'h3'} level @returns {(term: string, content: import('../dom.js').Kid) => HTMLElement} */
const lines = (level) => (term, content) => h('section.rc-line', null, h(level, null, term), h('div', null, content));

/** @param {any} c */
function who(c) {
  const consent = { granted: 'marketing consent given', denied: 'marketing consent refused', unknown: 'marketing consent unknown' };
  if (c.erased_at) return h('p', null, h('span', { 'data-tip': exact(c.erased_at) }, `This person was erased on ${day(c.erased_at, true)}.`),
    h('span.quiet', null, ' What stays is counted in your figures, with the day, source and campaign that led to it. Nothing of it is sent to anybody any more.'));
  return h('p', null, c.who.display ? h('bdi', null, c.who.display) : h('span.faint', null, 'no address given'),
    c.consent && h('span.quiet', null, ` · ${consent[/** @type {'granted'} */ (c.consent.marketing)] ?? c.consent.marketing}`,
      c.consent.basis && h('span.faint', null, ` (${c.consent.basis})`)));
}

/** @param {any} r */
function why({ why: w, conversion: c }) {
  return [h('p', null, w.sentence || 'Unattributed: no visit, code or address of this customer is known.'),
    h('p.rc-ev', null, matchMark({ type: w.type, asserted: w.asserted }),
      w.also_fits.length > 0 && h('span.quiet', null, `also fits: ${w.also_fits.join(', ')}`)),
    c.days_to_convert !== null && c.days_to_convert !== undefined
      && h('p.quiet', null, c.days_to_convert === 0 ? 'Same day as the first visit.' : `${plural(c.days_to_convert, 'day')} after the first visit.`),
    c.currency_note && h('p.quiet', null, c.currency_note)];
}

/** @param {any} r */
function received(r) {
  let lastDay = '';
  return h('div.rows', null, r.received.map((/** @type {any} */ x) => {
    const d = dayOf(x.at), newDay = d !== lastDay;
    lastDay = d;
    return h('details.row', null, h('summary', null,
      h('span.t', { 'data-tip': exact(x.at) }, newDay && d !== dayOf(r.conversion.happened_at) ? [shortDay(x.at), ' '] : null, clockSeconds(x.at)),
      h('span.w', null, h('bdi', null, platform(x.platform)), ', ', x.what),
        h('span.a', null, x.note ? h('span.quiet', null, x.note) : x.amount ? amount(x.amount) : ''), icon('right', 's turn')),
    h('div.raw', null, h('p.faint', null, 'As received', x.reporter && `, from ${x.reporter}`, x.inbox && `, kept as ${x.inbox.replace('_', ' ')}`, '.'),
      fieldsTable(x.fields)));
  }));
}

/** Columns that add up, in the open. @param {any} r @param {ReturnType<typeof lines>} line */
function touches(r, line) {
  const models = [r.model, ...r.models.filter((/** @type {string} */ m) => m !== r.model)];
  const outside = r.touches.some((/** @type {any} */ t) => !t.in_window);
  if (!r.touches.length) return line('Touches', h('span.faint', null, 'no visit of this customer is known'));
  const cell = (/** @type {any} */ c) => (!c || (!c.share_bp && !c.amount?.minor) ? h('span.faint', null, '–')
    : h('span', { 'data-tip': c.amount ? points(c.share_bp) : null }, c.amount ? bare(c.amount) : points(c.share_bp)));
  const table = h('table.rc-touches', null, h('caption.vh', null, 'Touches, and what each is credited with under every model'),
    h('thead', null, h('tr', null, h('th', { scope: 'col' }, 'Touches'),
      models.map((m, i) => h('th.num', { scope: 'col', class: i ? '' : 'own', 'data-tip': MODELS[m] + (m === r.model ? ', the lens you look through' : '') },
      MODELS_SHORT[m] ?? m, m === r.model && '*')))),
    h('tbody', null, r.touches.flatMap((/** @type {any} */ t) => touchRows(t, models, cell))),
    h('tfoot', null, h('tr', null, h('th', { scope: 'row' }, r.conversion.amount ? h('span.faint', null, r.conversion.amount.currency)
      : h('span.faint', null, 'Shares')),
      models.map((m, i) => h('td.num.tied', { class: i ? '' : 'own' },
      h('span', null, r.totals[m]?.amount ? bare(r.totals[m].amount) : points(r.totals[m]?.share_bp ?? 0)))))));
  return h('section.rc-wide', null, h('div.scroll', { tabindex: '0', role: 'region', 'aria-label': 'Touches' }, table),
    h('p.faint.small', null, `*${MODELS[r.model]}, within ${windowName(String(r.window))}: the lens you look through.`,
      outside && ' Touches outside the window are listed without credit.'));
}

/** @param {any} t @param {string[]} models @param {(c: any) => import('../dom.js').Kid} cell */
function touchRows(t, models, cell) {
  const name = t.source ? [h('bdi', null, t.source), t.campaign && [' · ', h('bdi', null, t.campaign)]] : t.channel || t.type;
  const facts = /** @type {[string, any][]} */ ([['When', exact(t.at)], ['Kind', t.type], ['Channel', t.channel],
    ['Source / medium', [t.source, t.medium].filter(Boolean).join(' / ')], ['Campaign', t.campaign], ['Came as', t.came_as && [t.came_as.source, t.came_as.medium, t.came_as.campaign].filter(Boolean).join(' / ')], ['Content', t.content], ['Term', t.term],
    ['Landed on', t.landing], ['Came from', t.referrer], ['Click ID', t.click_id], ['Device', t.device]]).filter(([, v]) => v);
  const detail = h('tr.rc-more', { hidden: true },
    h('td', { colspan: models.length + 1 }, h('dl.facts', null, facts.map(([k, v]) => h('div', null, h('dt', null, k), h('dd', null, h('bdi', null, v)))))));
  const button = h('button', { type: 'button', 'aria-expanded': 'false',
    onclick: () => { detail.hidden = !detail.hidden; button.setAttribute('aria-expanded', String(!detail.hidden)); } },
    h('span.faint.d', null, shortDay(t.at, dayOf(t.at).slice(0, 4) !== today().slice(0, 4))), h('span.cut', null, name),
      !t.in_window && h('span.tag.box', null, 'outside'));
  return [h('tr', { class: t.in_window ? '' : 'outside' }, h('th', { scope: 'row' }, button),
    models.map((m, i) => h('td.num', { class: i ? '' : 'own' }, cell(t.credit[m])))), detail];
}

const TIERS = { session_match: 'within the hour', time_proximity: 'within a day', email_match: 'within a week' };

/** @param {any} x the verdict on the chats, and the next best */
const chat = (x) => (x.method === 'no_match' ? h('span.faint', null, x.sentence)
  : [h('p', null, x.sentence, x.told_late && h('span.faint', null, ' Told after the order.')),
    h('p.rc-ev', null, h('span.st', null, icon('chat', 's'), TIERS[/** @type {'session_match'} */ (x.method)] ?? x.method),
      h('span.quiet', { 'data-tip': 'How sure: 0.85 and more is high, 0.65 medium, 0.50 low' }, `${(x.confidence_bp / 10000).toFixed(2)} ${x.band}`),
      !x.earns && h('span.faint', null, 'helps, earns nothing')),
    x.runner_up && h('p.faint', null, `Next best: ${x.runner_up.sentence}`)]);

/** @param {any} x */
const partner = (x) => [h('p', null, h('b', null, h('bdi', null, x.name ?? x.code)), x.earned.length > 0 && ` earns ${x.earned.map(money).join(', ')}`, x.terms && h('span.quiet', null, ` · ${x.terms}`)),
  h('p.quiet', null, x.sentence, x.flag && ` ${x.flag}`),
  (x.booked.length > 1 || x.booked.some((/** @type {any} */ l) => l.day !== l.own_day)) && h('ul.quiet', null, x.booked.map((/** @type {any} */ l) => h('li', null, day(l.day), l.amount && [' ', h('b.num', null, money(l.amount))], ` ${l.note}`)))];

/** @param {any} d @param {'h3'|'h4'} level */
function told(d, level) {
  return h('details.row', null, h('summary', null,
    h('span.p', null, d.connection_name ?? platform(d.platform)), h('span.k', null, eventWord(d.kind)),
      h('span.w', null, stateMark(d), d.settled_at && h('span.faint', { 'data-tip': exact(d.settled_at) }, ` ${clockSeconds(d.settled_at)}`), ' ',
      h('span.quiet', null, whySentence(d) || (d.reason ? toldSentence(d).replace(/^.*?: /, '') : ''))), icon('right', 's turn')),
  deliveryDetail(d, level));
}

/** @param {any} r */
const entries = (r) => h('table.rc-money', null,
  h('tbody', null, r.entries.map((/** @type {any} */ e) => h('tr', null, h('td.faint', null, shortDay(e.book_day)),
  h('td', null, e.kind, r.received.length > 1 && e.told_by && h('span.faint', null, `, told by ${e.told_by}`), e.note && h('small.faint', null, ` ${e.note}`)),
  h('td.num', null, bare(e.amount))))),
  h('tfoot', null, h('tr', null, h('td'), h('th', { scope: 'row' }, 'Net'),
    h('td.num', null, r.conversion.net ? [h('span.faint', null, r.conversion.net.currency), ' ', bare(r.conversion.net)] : ''))));
