// The consent ledger: what visitors answered, what a no cost, and the proof that nothing left against it.

import { get } from '../api.js';
import { h, fill, icon, announce, styles } from '../dom.js';
import { clock, count, eventWord, exact, money, percent, platform, plural, showsMoney, stateWord, zoneName } from '../format.js';
import { ANSWERS, answered, answers } from '../parts/consent_bars.js';
import { keptBack } from '../parts/kept_back.js';
import { createList, createTable } from '../parts/table.js';

export const title = 'Consent';

export const ready = Promise.all([styles(new URL('../css/privacy.css', import.meta.url)), styles(new URL('../css/consent.css', import.meta.url))]);

/** @type {import('../app.js').BarUse} */
export const bar = { range: true };

/** The sender's reasons, in the owner's words. @type {Record<string, string>} */
const BASES = { "the visitor's own answer": 'They agreed on your site', "the fact's own consent_given": 'The form or shop said they agreed', "no answer, and the site's mode is opt-out": 'No answer; your rule “Until a no” allows it',
  'no answer, and no sign of the EEA, the UK or Switzerland': 'No answer; your rule “Automatic” allows it' };

/** @param {HTMLElement} root @param {import('../app.js').Params} params */
export function render(root, params) {
  let p = params, gone = false, asked = '';
  const { app, site } = params;
  const base = `/api/sites/${site.site}/reports/consent`;
  const said = h('div.consent-body'), cost = h('div.consent-body'), proof = h('div.consent-body');
  const again = /** @type {HTMLButtonElement} */ (h('button.btn.small', { type: 'button', 'data-focus': 'check', onclick: () => loadProof(true) }, icon('check', 's'), 'Check again'));
  const rows = h('section.sheet', { 'aria-label': 'Rows', hidden: true });
  /** Which rows are listed below. @type {{what: 'withheld'|'left', connection: string, name: string, mode?: string}|null} */ let open = null;
  /** @type {ReturnType<typeof createList>|null} */ let list = null;

  fill(root, h('div.head', null, h('h1', null, title), h('p', null, 'Who agreed, what “no” cost you, and whether it was kept.')),
    sheet('What visitors answered', said), sheet('What “no” cost', cost), sheet('Proof', proof, again), rows);

  const query = () => {
    const days = p.view.days(), q = new URLSearchParams();
    if (days) { q.set('from', days[0]); q.set('to', days[1]); } else { q.set('from', (site.first_touch_at ?? site.first_conversion_at ?? '2020-01-01').slice(0, 10)); }
    return q;
  };
  const skeleton = (/** @type {HTMLElement} */ box) => fill(box, h('div.skeleton', { 'aria-hidden': 'true' }, h('i'), h('i'), h('i')));
  /** @param {HTMLElement} box @param {any} error @param {() => void} act */
  const trouble = (box, error, act) => { if (!gone && error.code !== 'signed_out') fill(box, h('div.trouble', { role: 'alert' }, icon('alert'), h('p', null, h('b', null, 'It could not be fetched.'), ` ${error.message}`), h('button.btn', { type: 'button', onclick: act }, 'Try again'))); };

  let turn = 0;
  async function load() {
    const mine = ++turn, q = query();
    try {
      const answer = await get(base, q);
      if (gone || mine !== turn) return;
      app.figuresAt = new Date().toISOString();
      const all = ANSWERS.reduce((n, [id]) => n + answer.total[id], 0);
      fill(said, answered(answer, all), all > 0 && answers(answer, all));
      drawCost(answer.withheld);
      announce(`${percent(all ? answer.total.granted / all : 0)} of ${plural(all, 'visit')} agreed`);
    } catch (error) { if (mine === turn) { trouble(said, error, load); fill(cost); } }
  }

  let look = 0;
  /** @param {boolean} [byHand] */
  async function loadProof(byHand = false) {
    const mine = ++look;
    again.disabled = true;
    try {
      const answer = await get(`${base}/proof`, query());
      if (gone || mine !== look) return;
      drawProof(answer);
      if (byHand) announce(verdict(answer.total));
    } catch (error) { if (mine === look) trouble(proof, error, () => loadProof(true)); } finally { if (mine === look) again.disabled = false; }
  }

  /** @param {any[]} all */
  function drawCost(all) {
    const had_left = all.reduce((n, w) => n + w.had_left, 0);
    fill(cost, keptBack(all, (w) => rowsButton('withheld', w)),
      had_left > 0 && h('p.quiet', null, `${plural(had_left, 'conversion')} ${had_left === 1 ? 'was' : 'were'} on ${had_left === 1 ? 'its' : 'their'} way when the “no” came: the platform has ${had_left === 1 ? 'it' : 'them'}, so ${had_left === 1 ? 'it is' : 'they are'} not counted here. The proof lists ${had_left === 1 ? 'it' : 'them'}.`));
  }

  /** @param {any} total */
  const verdict = (total) => (!total.deliveries ? 'Nothing was sent in these days.' : total.refused ? `${plural(total.refused, 'delivery', 'deliveries')} ${total.refused === 1 ? 'was' : 'were'} sent though the person had refused.` : `None of ${plural(total.deliveries, 'delivery', 'deliveries')} was sent after a refusal.`);

  /** @param {any} answer */
  function drawProof(answer) {
    const { total } = answer, bad = total.refused > 0;
    fill(proof, h('p.consent-verdict', { 'data-state': bad ? 'bad' : 'ok' }, icon(bad ? 'alert' : total.deliveries ? 'check' : 'clock', bad ? 's bad' : 's ok'), h('b', null, verdict(total)),
      h('span.quiet', { 'data-tip': exact(answer.checked_at) }, ` Checked at ${clock(answer.checked_at)}.`)),
    h('p.quiet', null, 'Each time something was sent to a platform, the moment was kept. This looks up what its person had answered by then, as far as we had heard it. Anybody who may see this page can look again. Of people who were erased only the answer that came with their form or order is still known.'),
    total.deliveries > 0 && h('p.quiet', null, became(total)),
    total.refused_later > 0 && h('p.quiet', null, `${plural(total.refused_later, 'delivery', 'deliveries')} left before the person said no. What a platform has cannot be called back.`),
    bad && h('ul.consent-wrong', { 'aria-label': 'Sent after a refusal' }, answer.refused.map((/** @type {any} */ r) => h('li', null, icon('alert', 's bad'), h('a.go', { href: app.href('conversions', undefined, r.conversion) }, h('bdi', null, r.label)),
      h('span', null, ` to ${platform(r.platform)}, ${exact(r.judged_at)}`)))),
    answer.left.length > 0 && h('div.scroll', { tabindex: '0', role: 'region', 'aria-label': 'What was sent' }, h('table.t.t-consent', null, h('caption.vh', null, 'What was sent to each platform'),
      h('thead', null, h('tr', null, h('th', { scope: 'col' }, 'Platform'), h('th.num', { scope: 'col' }, 'Sent'), h('th.num', { scope: 'col' }, 'After a refusal'), h('th.num.hide-s', { scope: 'col' }, 'Before a refusal'), h('th.hide-s', { scope: 'col' }, 'Why it might'), h('th', { scope: 'col' }, h('span.vh', null, 'Rows')))),
      h('tbody', null, answer.left.map((/** @type {any} */ l) => h('tr', null, h('th', { scope: 'row' }, h('bdi', null, l.name)), h('td.num', null, count(l.deliveries), l.taken < l.deliveries && h('span.faint.hide-s', null, `, ${count(l.taken)} taken`)), h('td.num', { class: l.refused ? 'neg' : '' }, count(l.refused)), h('td.num.hide-s', null, count(l.refused_later)),
        h('td.quiet.hide-s', null, l.bases.map((/** @type {any} */ b) => `${basisWord(b.basis)}: ${count(b.deliveries)}`).join('; ')), h('td.num', null, rowsButton('left', l))))))));
  }

  /** @param {'withheld'|'left'} what @param {any} of */
  const rowsButton = (what, of) => h('button.btn.small', { type: 'button', 'data-focus': `${what}-${of.connection}`, onclick: () => openRows({ what, connection: of.connection, name: of.name, mode: of.mode }) }, 'Show', h('span.vh', null, what === 'left' ? ` what was sent to ${of.name}` : ` what was kept from ${of.name}`));

  /** @param {NonNullable<typeof open>} which */
  function openRows(which) {
    open = which;
    list?.stop();
    const key = (/** @type {any} */ r) => r.delivery;
    const table = createTable({ label: `Rows, times in ${zoneName()}`, columns: columns(app, which.what), key, classes: 't-consent-rows', href: (r) => app.href('conversions', undefined, r.conversion), open: (r) => app.navigate(app.href('conversions', undefined, r.conversion)) });
    table.drawHead('', '');
    list = createList({ url: `${base}/${which.what}`, what: 'rows', table, key, empty: () => h('div.empty.small', null, h('p', null, 'Nothing in these days.')), answered: () => {} });
    const heading = h('h2', { tabindex: '-1' }, which.what === 'left' ? 'Sent to ' : which.mode === 'shadow' ? 'Would be kept from ' : 'Kept from ', h('bdi', null, which.name));
    fill(rows, h('header', null, heading, h('div.r', null, h('button.btn.small', { type: 'button', onclick: closeRows }, 'Close'))),
      which.what === 'withheld' && h('p.quiet.rows-note', null, 'A lead that moved on has a line for each step that was not told. Above it counts once, with its amount in Conversions.'), list.el);
    rows.hidden = false;
    loadRows();
    heading.focus();
    rows.scrollIntoView({ block: 'nearest' });
  }

  function loadRows() {
    if (!open || !list) return;
    const q = query();
    q.set('connection', open.connection);
    list.load(q);
  }

  function closeRows() {
    const back = open && `${open.what}-${open.connection}`;
    open = null;
    list?.stop();
    list = null;
    rows.hidden = true;
    fill(rows);
    if (back) /** @type {HTMLElement|null} */ (root.querySelector(`[data-focus="${CSS.escape(back)}"]`))?.focus();
  }

  function all() {
    asked = query().toString();
    load();
    loadProof();
    loadRows();
  }

  for (const box of [said, cost, proof]) skeleton(box);
  all();

  return {
    /** @param {import('../app.js').Params} next */
    update(next) { const same = next.view.toString() === p.view.toString(); p = next; if (same || query().toString() !== asked) all(); },
    leave() { gone = true; list?.stop(); },
  };
}

/** @param {string} name @param {HTMLElement} body @param {HTMLElement} [act] */
const sheet = (name, body, act) => h('section.sheet', { 'aria-label': name }, h('header', null, h('h2', null, name), act && h('div.r', null, act)), body);

/** @param {string} basis */
const basisWord = (basis) => BASES[basis] ?? (basis.startsWith('no answer') ? 'No answer; your rule allows it' : basis || 'The server stopped meanwhile: not kept');

/** What "sent" counts, and what became of it. @param {{deliveries: number, taken: number, unsure: number}} of */
function became({ deliveries, taken, unsure }) {
  const failed = deliveries - taken - unsure;
  const parts = [taken && `${count(taken)} ${taken === 1 ? 'was' : 'were'} taken (on Deliveries: delivered or accepted)`, failed && `${count(failed)} arrived and ${failed === 1 ? 'was' : 'were'} refused or answered with an error`, unsure && `${count(unsure)} may have arrived: no answer came`].filter(Boolean);
  return `Each delivery counts once, however often it was tried. What was held, called back or found nobody at the other end was not sent. Of ${plural(deliveries, 'delivery', 'deliveries')} that ${deliveries === 1 ? 'was' : 'were'}, ${parts.join('; ')}.`;
}

/** What the row of a delivery adds to why it might go. @param {any} r */
const alsoSaid = (r) => [r.sends > 1 && ` · sent ${count(r.sends)} times`, r.is_unsure ? ' · no answer came: it may have arrived' : !r.is_taken && ` · arrived, ${stateWord(r.state)}`, r.refused_later && ' · said no later'];

/** @param {typeof import('../app.js').app} app @param {'withheld'|'left'} what @returns {import('../parts/table.js').Column[]} */
function columns(app, what) {
  /** @type {import('../parts/table.js').Column[]} */
  const both = [
    { id: 'time', head: 'Time', classes: 'faint', cell: (r) => h('span', { 'data-tip': exact(r.judged_at ?? r.at) }, exact(r.judged_at ?? r.at)) },
    { id: 'what', head: 'What', rowHead: true, cell: (r) => h('bdi.cut', null, r.label) },
    { id: 'kind', head: 'As', classes: 'quiet', cell: (r) => eventWord(r.kind) },
  ];
  if (showsMoney()) both.push({ id: 'worth', head: what === 'left' ? 'Told' : 'Worth', classes: 'num', cell: (r) => (r.amount ? money(r.amount) : h('span.faint', null, '–')) });
  const last = what === 'left'
    ? { id: 'why', head: 'Why it might', cell: (/** @type {any} */ r) => (r.had_refused ? [icon('alert', 's bad'), ' They had refused'] : [basisWord(r.basis), h('span.faint', null, ...alsoSaid(r))]) }
    : { id: 'why', head: 'Why not', classes: 'quiet', cell: (/** @type {any} */ r) => (r.state === 'cancelled' ? 'Agreed, then withdrew' : 'Had not agreed') };
  return [...both, last, { id: 'delivery', head: h('span.vh', null, 'Delivery'), classes: 'fit hide-s', cell: (r) => h('a.go', { href: app.href('deliveries', undefined, r.delivery), 'data-roam': true, tabindex: '-1', 'aria-label': `Delivery of ${r.label}, ${stateWord(r.state)}` }, 'Delivery') }];
}
