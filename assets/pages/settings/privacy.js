// The privacy desk: what visitors answered and what that kept from platforms, how long things are kept, people who were erased,
// and the record of processing.

import { get, post } from '../../api.js';
import { h, fill, icon, announce } from '../../dom.js';
import { addDays, day, exact, percent, plural, shortDay, dayOf, today } from '../../format.js';
import { field } from '../../parts/alone.js';
import { saveForm, panel } from '../../parts/form.js';
import { openDialog, dialogHead } from '../../parts/menu.js';
import { ANSWERS, answers, answered } from '../../parts/consent_bars.js';
import { openErase, certificate, ready, whose } from '../../parts/erase.js';
import { keptBack } from '../../parts/kept_back.js';

const RANGES = [[30, '30 days'], [90, '90 days'], [365, '12 months']];
/** @type {Record<string, [string, string]>} */
const KEPT = { touches: ['Visits and browsers', 'Their counts stay for good.'], messages: ['Chat messages', 'Which sales they helped stays.'], events: ['What trackers such as AnyTrack told', 'The sales and leads in it stay.'], inbox: ['What came in, word for word', 'What was read from it stays.'], dead_letters: ['What was sent to platforms', 'That it was sent stays.'],
  audit: ['Who changed what', ''], sync_logs: ['Calls of trackers', 'What they told stays.'], sync_runs: ['When platforms’ lists were read', 'The last reading of each stays.'], addresses: ['Network addresses', 'Sealed, for the ad platforms alone.'] };

/** @param {HTMLElement} root @param {import('../../app.js').Params} p */
export async function show(root, p) {
  const base = `/api/sites/${p.site.site}`, owner = p.site.role === 'owner';
  await ready;
  const [clocks, erasures, requests, claims] = await Promise.all([get(`${base}/retention`), owner ? get(`${base}/erasures`, new URLSearchParams({ limit: '20' })) : null, owner ? get(`${base}/privacy-requests`) : null, owner ? get(`${base}/identity-claims`) : null]);
  const consent = h('div.set-body'), list = h('div');
  const back = placeOfFocus(root);
  fill(root, h('section.sheet.set-panel', { 'aria-label': 'Consent' }, h('header', null, h('h2', null, 'Consent')), consent),
    panel('How long things are kept', 'Every hour what is past its time goes. Orders, leads and sums have no clock: your books stay.', clockTable(clocks.items, p)),
    owner && requests.items.length > 0 && panel('Passed on by Shopify', 'What customers asked the shop for. Who is to be forgotten is erased by itself, and stands below.', drawRequests(requests.items, p, () => show(root, p))),
    owner && panel('Tell somebody what you know', 'For people who ask for their data: everything that is kept of them in one file. First you see whose it is.', accessForm(p)),
    owner && panel('Forget somebody', 'For people who ask for it. First you see what would go and who is told.', eraseForm(p, () => show(root, p))),
    owner && panel('Erased so far', null, list),
    owner && claims.items.length > 0 && panel('Claims we did not believe', 'On your pages somebody said to be somebody. Nothing proves it: no money follows from it by itself.',
      h('ul.rows', null, claims.items.map((/** @type {any} */ c) => h('li', null, h('div.grow', null, h('bdi', null, c.value),
        h('small.faint', null, c.why === 'commission' ? ` a partner would earn ${plural(c.sales, 'sale')} by it: decide on the statement` : ' more people than one browser is: nothing is matched by it')),
        h('span.quiet', { 'data-tip': exact(c.newest_at) }, `${plural(c.browsers, 'browser')}, ${day(c.newest_at)}`))))),
    panel('Record of processing', 'The paper that article 30 of the GDPR asks for, filled in from these settings. Lines with ____ are for you.',
      h('div.acts', null, h('a.btn', { href: `${base}/processing.txt`, download: true }, icon('export', 's'), 'Download'))));
  if (erasures) drawErasures(list, erasures, p);
  back();
  await drawConsent(consent, p, 30);
}

/** Where the focus is now, so that it can go there again when all is drawn anew: the same field, else what its panel is called. @param {HTMLElement} root */
function placeOfFocus(root) {
  const at = /** @type {HTMLElement|null} */ (document.activeElement);
  const part = at && root.contains(at) ? at.closest('section')?.getAttribute('aria-label') : null;
  if (!at || !part) return () => {};
  const name = at.getAttribute('name'), isGo = at.matches('[type=submit]');
  return () => {
    const now = /** @type {HTMLElement|null} */ (root.querySelector(`section[aria-label="${CSS.escape(part)}"]`));
    const to = /** @type {HTMLElement|null} */ (now && (name ? now.querySelector(`[name="${CSS.escape(name)}"]`) : isGo ? now.querySelector('[type=submit]') : null)) ?? now?.querySelector('h2') ?? root.querySelector('h2');
    if (to?.matches('h2')) to.setAttribute('tabindex', '-1');
    to?.focus({ preventScroll: true });
  };
}

// ---- consent ----

/** @param {HTMLElement} box @param {import('../../app.js').Params} p @param {number} size */
async function drawConsent(box, p, size) {
  const to = today(), from = addDays(to, 1 - size);
  let answer;
  try { answer = await get(`/api/sites/${p.site.site}/reports/consent`, new URLSearchParams({ from, to })); } catch (error) {
    if (/** @type {any} */ (error).code !== 'signed_out') fill(box, h('div.trouble', { role: 'alert' }, icon('alert'), h('p', null, /** @type {any} */ (error).message), h('button.btn', { type: 'button', onclick: () => drawConsent(box, p, size) }, 'Try again')));
    return;
  }
  const all = ANSWERS.reduce((n, [id]) => n + answer.total[id], 0);
  const focus = box.contains(document.activeElement) ? document.activeElement?.getAttribute('data-focus') : null;
  fill(box, h('div.desk-head', null, answered(answer, all),
    h('div.seg', { role: 'group', 'aria-label': 'Days' }, RANGES.map(([n, word]) => h('button', { type: 'button', 'data-focus': `days-${n}`, 'aria-pressed': String(n === size), onclick: () => drawConsent(box, p, Number(n)) }, word)))),
  all > 0 && answers(answer, all), h('h3', null, 'What “no” cost'), keptBack(answer.withheld), h('p', null, h('a.btn', { href: p.app.href('consent') }, icon('shield', 's'), 'Open the consent ledger')));
  if (focus) /** @type {HTMLElement|null} */ (box.querySelector(`[data-focus="${focus}"]`))?.focus();
  if (size !== 30 || focus) announce(`${percent(all ? answer.total.granted / all : 0)} of ${plural(all, 'visit')} agreed`);
}

// ---- clocks ----

/** @param {any[]} items @param {import('../../app.js').Params} p */
function clockTable(items, p) {
  const inputs = /** @type {Map<string, HTMLInputElement>} */ (new Map());
  const nexts = /** @type {Map<string, HTMLElement>} */ (new Map());
  const date = (/** @type {string|null} */ at, /** @type {string} */ none) => (at ? h('span', { 'data-tip': exact(at) }, shortDay(at, dayOf(at).slice(0, 4) !== today().slice(0, 4))) : h('span.faint', null, none));
  const table = h('table.t.clocks', null, h('caption.vh', null, 'How long things are kept'), h('thead', null, h('tr', null, h('th', { scope: 'col' }, 'What'), h('th.num', { scope: 'col' }, 'Kept'), h('th.num.hide-s', { scope: 'col' }, 'Oldest'),
    h('th.num', { scope: 'col' }, 'Next goes'))), h('tbody', null, items.map((k) => {
    const [name, note] = KEPT[k.kind] ?? [k.kind, ''];
    const input = /** @type {HTMLInputElement} */ (h('input.in', { type: 'number', name: `retention.${k.kind}`, min: 1, max: 3650, value: String(k.days), 'aria-label': `${name}: days` }));
    if (k.kind !== 'addresses') inputs.set(k.kind, input);
    input.addEventListener('input', () => input.removeAttribute('aria-invalid'));
    const next = h('td.num');
    nexts.set(k.kind, next);
    drawNext(k);
    return h('tr', null, h('th', { scope: 'row' }, name, note && h('span.faint.hide-s', null, ` ${note}`)), h('td.num', null, k.kind === 'addresses' ? plural(k.days, 'day') : h('label', null, input, 'days')), h('td.num.hide-s', null, date(k.oldest_at, 'none kept')), next);
  })));
  /** @param {any} k */
  function drawNext(k) {
    const el = nexts.get(k.kind);
    if (el) fill(el, k.next_at && new Date(k.next_at) <= new Date() ? 'within the hour' : date(k.next_at, '–'));
  }
  return saveForm({ fields: [], rest: table, go: 'Save', done: 'Saved. What is past its time goes within the hour.', save: async () => {
    const changed = items.filter((k) => inputs.has(k.kind) && inputs.get(k.kind)?.value !== String(k.days));
    if (!changed.length) { p.app.toast('Nothing was changed.'); return null; }
    try { await post(`/api/sites/${p.site.site}/settings`, Object.fromEntries(changed.map((k) => [`retention.${k.kind}`, inputs.get(k.kind)?.value ?? '']))); } catch (error) {
      const err = /** @type {any} */ (error), kind = String(err.field ?? '').replace('retention.', ''), wrong = inputs.get(kind);
      wrong?.setAttribute('aria-invalid', 'true');
      wrong?.focus();
      throw wrong ? new Error(`${KEPT[kind]?.[0] ?? kind}: ${err.message}`) : error;
    }
    // In place: whoever goes on to the next number is not disturbed.
    try { items = (await get(`/api/sites/${p.site.site}/retention`)).items; } catch { return; }
    for (const k of items) drawNext(k);
  } });
}

// ---- erasures ----

/** @param {import('../../app.js').Params} p @param {() => void} again */
function eraseForm(p, again) {
  const who = field('E-mail, phone or order number', h('input.in', { name: 'who', autocomplete: 'off', autocapitalize: 'none', spellcheck: 'false', placeholder: 'ann@mail.example' }), { check: (v) => (v.trim() ? null : 'Who asks to be forgotten?') });
  return saveForm({ fields: [who], go: 'Show what would go', save: async () => {
    const text = who.input.value.trim();
    openErase(p, named(text), text, again);
    return null;
  } });
}

/** Somebody as the owner types them. @param {string} text */
const named = (text) => (text.includes('@') ? { email: text } : /^[+0][\d ()./-]{6,}$/.test(text) ? { phone: text } : { order: text.replace(/^#/, '') });

/** Everything of a person as a file: first whether there is anything. @param {import('../../app.js').Params} p */
function accessForm(p) {
  const who = field('E-mail, phone or order number', h('input.in', { name: 'whose', autocomplete: 'off', autocapitalize: 'none', spellcheck: 'false', placeholder: 'ann@mail.example' }), { check: (v) => (v.trim() ? null : 'Who asks?') });
  const found = h('div.access', { role: 'status' });
  const form = saveForm({ fields: [who], go: 'Look', save: async () => {
    const text = who.input.value.trim(), base = `/api/sites/${p.site.site}`;
    const preview = await post(`${base}/erasures`, { ...named(text), preview: true });
    const file = (/** @type {string} */ kind) => `${base}/people/export${kind}?${new URLSearchParams(named(text))}`;
    fill(found, preview.is_known ? [h('p', null, 'All that is kept of ', h('bdi', null, text), '. The file holds their data: give it to nobody else.'),
      whose(preview.known_as, 'Whose data it is', 'The file holds the data of all of them: give it out only if you know that they are one.'),
      h('div.acts', null, h('a.btn', { href: file(''), download: true }, icon('export', 's'), 'As JSON'), h('a.btn', { href: file('.csv'), download: true }, icon('export', 's'), 'As a table (CSV)'))]
      : h('p.quiet', null, 'Nothing is kept of ', h('bdi', null, text), '.'));
    return null;
  } });
  return h('div', null, form, found);
}

/** @param {any[]} items @param {import('../../app.js').Params} p @param {() => void} again */
function drawRequests(items, p, again) {
  const words = { data: 'A customer asks what you know of them', shop: 'The shop removed the app: delete what came from it' };
  return h('ul.rows', null, items.map((r) => h('li', null, h('div.grow', null, h('b', null, words[/** @type {'data'} */ (r.kind)]), h('span.tag.box', null, r.is_open ? `until ${shortDay(r.due_at)}` : 'done'), h('p.quiet', { 'data-tip': exact(r.at) }, r.sentence)),
    h('div.acts', null, r.is_open && h('button.btn.small', { type: 'button', 'aria-label': `Done: request of ${day(r.at)}`, onclick: async () => {
      try { await post(`/api/sites/${p.site.site}/inbox/${r.inbox}/dismiss`, {}); again(); } catch (error) { p.app.toast(/** @type {any} */ (error).message); }
    } }, icon('check', 's'), 'Done')))));
}

/** @param {HTMLElement} box @param {any} page @param {import('../../app.js').Params} p */
function drawErasures(box, page, p) {
  if (!page.items.length) { fill(box, h('p.quiet', null, 'Nobody yet. Certificates stand here, without a name in them.')); return; }
  const list = h('ul.rows'), more = h('div.acts');
  const put = (/** @type {any[]} */ items) => { for (const e of items) list.append(row(e)); };
  const row = (/** @type {any} */ e) => h('li', null, h('div.grow', null, h('b', null, day(e.at, true)), h('span.tag.box', { 'data-tip': e.state === 'done' ? null : 'What is left is tried until then' }, e.state === 'done' ? 'done' : `until ${shortDay(e.due_at)}`),
    h('p.quiet', null, `${plural(e.total, 'row')} deleted or emptied, ${toldWords(e.destinations)}`)),
  h('div.acts', null, h('button.btn.small', { type: 'button', 'aria-label': `Certificate of ${day(e.at)}`, onclick: () => {
    const { close } = openDialog({ label: 'Certificate', classes: 'mid' }, [dialogHead('Certificate', () => close()), h('div.body.erase', null, certificate(e, p))]);
  } }, 'Certificate')));
  let next = page.next;
  const drawMore = () => fill(more, next && h('button.btn', { type: 'button', onclick: async () => {
    const older = await get(`/api/sites/${p.site.site}/erasures`, new URLSearchParams({ limit: '20', cursor: next }));
    next = older.next;
    put(older.items);
    drawMore();
  } }, 'Older ones'), h('a.btn.small', { href: `/api/sites/${p.site.site}/erasures.csv`, download: true }, icon('export', 's'), 'CSV'));
  put(page.items);
  drawMore();
  fill(box, page.marks > 0 && h('p.quiet', null, icon('shield', 's'), ` ${plural(page.marks, 'mark', 'marks')} without a name in them keep what shops and lists tell again from bringing anybody back.`), list, more);
}

/** @param {any[]} all */
function toldWords(all) {
  const of = (/** @type {string[]} */ states) => all.filter((d) => states.includes(d.state)).length;
  const told = of(['told']), open = of(['pending']), byHand = of(['by_hand', 'given_up']);
  const said = [told && `${plural(told, 'platform')} told`, open && `${plural(open, 'platform')} still to tell`, byHand && `${plural(byHand, 'platform')} for you to tell`].filter(Boolean);
  return said.length ? said.join(', ') : 'no platform had heard of them';
}
