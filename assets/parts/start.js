// The first steps: the line for the pages with a live check, and the address that orders and leads are sent to.

import { get } from '../api.js';
import { h, fill, icon, copyButton, announce } from '../dom.js';
import { clockSeconds, exact, platform, when } from '../format.js';

/** @typedef {typeof import('../app.js').app} App */
/** @typedef {import('../app.js').Site} Site */

/** In place of the ledger while it has no line; news go to `live`. @param {App} app @param {Site} site */
export function firstConversion(app, site) {
  const one = snippetStep(app, site), two = endpointStep(app, site);
  const el = [h('div.first-say', null, h('h2', null, 'Every order, lead, booking and sign-up will stand here,'),
    h('p', null, 'one line each: what it was worth, where it came from, and how we know. A press on a line opens its receipt.')), one.el, two.el];
  return { el, live: (/** @type {string} */ name, /** @type {any} */ data) => { one.live(name, data); two.live(name); } };
}

/** @param {App} app @param {Site} site */
export function snippetStep(app, site) {
  const state = h('div.wait', { role: 'status' });
  const away = h('div', { role: 'status' });
  let timer = 0, seen = !!site.first_touch_at, nameless = false;
  const draw = (/** @type {string} */ said) => fill(state, seen ? [icon('check', 'ok'), h('span', null, said)]
    : nameless ? [icon('check', 'ok'), h('span', null, 'The line works: a visit came in. Nobody had agreed to cookies on it, so it is counted without a name. ',
      'Answer your consent question with yes and open another page to see a visit that orders can be matched with.')]
    : [h('span.beat', { 'aria-hidden': 'true' }),
      h('span', null, 'Waiting for the first visit… Open one of your pages in another tab; it shows here within seconds.')]);
  const arrived = () => {
    if (seen) return;
    seen = true;
    clearInterval(timer);
    site.first_touch_at = new Date().toISOString();
    draw(`First visit seen at ${clockSeconds(site.first_touch_at)}. The line works.`);
    announce('First visit seen. The line works.');
  };
  // What a browser shows of a refusal is an error of CORS in its console: the reason stands here.
  const refusals = async () => {
    if (site.role === 'client') return;
    try { fill(away, (await get(`/api/sites/${site.site}/refused-pages`)).items.map(refusal)); } catch { /* the next look will tell */ }
  };
  const look = async () => {
    if (!state.isConnected) { clearInterval(timer); return; }
    refusals();
    try {
      const base = `/api/sites/${site.site}/reports`;
      const now = await get(`${base}/live`);
      if (now.visitors_now > 0 || now.minutes.some((/** @type {number} */ n) => n > 0)) { arrived(); return; }
      // A visit without consent has no session and is in no live figure; the count of visits knows it.
      if (!nameless && (await get(`${base}/overview`)).visits > 0) { nameless = true; draw(''); }
    } catch { /* the next look will tell */ }
  };
  draw(site.first_touch_at ? `Visits come in. The first was seen on ${exact(site.first_touch_at)}.` : '');
  if (!seen) timer = setInterval(look, 4000);
  setTimeout(seen ? refusals : look, 0);
  const el = h('div.step', null, h('span.no', { 'aria-hidden': 'true' }, '1'),
    h('div', null, h('h2', null, 'Put this line into every page'),
    h('p.quiet', null, 'Inside ', h('code', null, '<head>'),
    ', as high as you can. In WordPress, Shopify and most builders there is a box called “header scripts” or “custom code”.'),
    h('div.code', null, h('code', null, site.snippet), copyButton(() => site.snippet, 'Copy')), state, away));
  return { el, live: (/** @type {string} */ name, /** @type {any} */ data) => { if (name === 'visitors' && data.now > 0) arrived(); },
    stop: () => clearInterval(timer) };
}

/** A page that was sent away, why, and what to do. @param {any} page */
const refusal = (page) => h('div.sent-away', null,
  h('p.wait', null, icon('alert', 'warn'), h('span', null, 'A page at ', h('b', null, h('bdi', null, page.origin)), ` asked ${when(page.at)} and was refused, because ${page.why}. ${page.remedy}`)),
  page.command && h('div.code', null, h('code', null, page.command), copyButton(() => page.command, 'Copy')));

/** @param {App} app @param {Site} site */
export function endpointStep(app, site) {
  const box = h('div', null, h('div.skeleton', { 'aria-hidden': 'true' }, h('i'), h('i')));
  const state = h('div.wait', { role: 'status' });
  /** None of the addresses has been used. */ let isElsewhere = false;
  const draw = () => fill(state, site.first_conversion_at ? [icon('check', 'ok'), h('span', null, `Conversions come in${isElsewhere ? ', by a token or another way than these addresses' : ''}. The first was of ${exact(site.first_conversion_at)}.`)]
    : [h('span.beat', { 'aria-hidden': 'true' }), h('span', null, 'Waiting for the first order or lead…')]);
  draw();
  const owner = site.role === 'owner' || site.role === 'editor';
  const addresses = (/** @type {any[]} */ inward) => fill(box, inward.length ? [inward.map((c) => h('div.hook', null,
    h('p', null, h('b', null, c.name || platform(c.platform)), h('span.faint', null, c.last_event_at ? ` last heard of ${when(c.last_event_at)}` : ' nothing by this address yet')),
    h('div.code', null, h('code', null, c.hook_url), copyButton(() => c.hook_url, 'Copy')), howIn(c)))]
    : h('p.quiet', null, 'Nothing is connected yet. ', h('a.go', { href: app.href('connections', undefined, '+forms') }, 'Connect a form or shop'),
      ', and its address stands here.'));
  // Only a form is put in by its address alone; each other platform has a way of its own.
  const howIn = (/** @type {any} */ c) => (c.platform === 'forms' ? h('p.quiet', null, 'It takes what carries the secret that was shown with it: as the header ', h('code', null, 'x-webhook-secret'),
    ', or, where a form can send none, as ', h('code', null, '?secret=…'), ' behind the address.')
    : c.registration ? h('p.quiet', null, 'Its webhooks are put in for you: nothing to paste.')
      : h('p.quiet', null, 'Where to put it is told ', h('a.go', { href: app.href('connections', undefined, c.connection) }, 'on its page'), '.'));
  let isKnown = false;
  const look = async () => {
    try {
      const { items } = await get(`/api/sites/${site.site}/connections`);
      const inward = items.filter((/** @type {any} */ c) => c.receives && c.hook_url);
      addresses(inward);
      isElsewhere = inward.length > 0 && !inward.some((/** @type {any} */ c) => c.last_event_at);
      draw();
      isKnown = true;
    } catch (error) {
      if (!isKnown) fill(box, h('p.quiet', null, owner ? `The addresses could not be fetched. ${/** @type {any} */ (error).message}` : 'An owner can see the addresses.'));
    }
  };
  look();
  const el = h('div.step', null, h('span.no', { 'aria-hidden': 'true' }, '2'),
    h('div', null, h('h2', null, 'Let your shop or form report here'),
    h('p.quiet', null, 'Paste the address as a webhook where orders or leads are made. To match each with its visit, put an empty hidden field called ',
      h('code', null, 'halo_session_id'), ' into the form; the line above fills it.'), box, state));
  const live = (/** @type {string} */ name) => {
    if (name === 'connection' || name === 'again') look();
    if (name !== 'conversion') return;
    site.first_conversion_at ??= new Date().toISOString();
    draw();
  };
  return { el, live };
}
