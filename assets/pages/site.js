// Adding a site: name, domain, currency, time zone, and what no answer to the consent question means.

import { post } from '../api.js';
import { h, fill, icon } from '../dom.js';
import { alonePage, field } from '../parts/alone.js';

export const title = 'Add your site';

const CONSENT = [
  ['auto', 'Automatic', 'No answer counts as a refusal for visitors from the EEA, the UK and Switzerland, elsewhere as a yes. Right for most shops.'],
  ['opt-in', 'Only after a yes', 'Nobody is recognised or told to ad platforms before they agreed, wherever they are.'],
  ['opt-out', 'Until a no', 'Everybody counts until they refuse. Only where the law allows it.'],
];

/** Where people mostly pay in what. @type {Record<string, string>} */
const CURRENCY_OF = { GB: 'GBP', US: 'USD', CH: 'CHF', SE: 'SEK', NO: 'NOK', DK: 'DKK', PL: 'PLN', CZ: 'CZK', HU: 'HUF', RO: 'RON', CA: 'CAD', AU: 'AUD', NZ: 'NZD',
  JP: 'JPY', CN: 'CNY', IN: 'INR', BR: 'BRL', MX: 'MXN', ZA: 'ZAR', AE: 'AED', SA: 'SAR', KW: 'KWD', IL: 'ILS', TR: 'TRY', SG: 'SGD', HK: 'HKD', KR: 'KRW',
  TH: 'THB', UA: 'UAH', NG: 'NGN', KE: 'KES', EG: 'EGP' };
/** A zone tells more of where the shop is than the browser's language. @type {Record<string, string>} */
const CURRENCY_OF_ZONE = { 'Europe/London': 'GBP', 'Europe/Zurich': 'CHF', 'Europe/Stockholm': 'SEK', 'Europe/Oslo': 'NOK', 'Europe/Copenhagen': 'DKK',
  'Europe/Warsaw': 'PLN', 'Europe/Prague': 'CZK', 'Europe/Budapest': 'HUF', 'Europe/Istanbul': 'TRY', 'Asia/Tokyo': 'JPY', 'Asia/Dubai': 'AED',
  'Asia/Kolkata': 'INR', 'Asia/Singapore': 'SGD', 'Asia/Kuwait': 'KWD', 'Asia/Riyadh': 'SAR' };

/** @param {HTMLElement} root @param {{app: typeof import('../app.js').app}} params */
export function render(root, { app }) {
  const first = !app.me?.sites.length;
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone || 'UTC';
  const zones = listed('timeZone', zone), currencies = listed('currency', 'EUR');
  const names = new Intl.DisplayNames('en', { type: 'currency' });
  const said = h('div.said', { role: 'alert' });
  const name = field('Name', h('input.in', { name: 'name', required: true, autofocus: true, maxlength: 80, placeholder: 'Harrow Lane Cycles',
    autocomplete: 'organization' }), { check: (v) => (v.trim() ? null : 'What is the shop called?') });
  const domain = field('Domain', h('input.in', { name: 'domain', required: true, placeholder: 'shop.example', inputmode: 'url', autocapitalize: 'none',
    spellcheck: 'false', autocomplete: 'off' }), { help: 'Its subdomains count too.', check: checkDomain });
  const currency = field('Currency',
    h('select.in', { name: 'currency' }, currencies.map((c) => h('option', { value: c, selected: c === guessCurrency(zone) }, `${c}, ${names.of(c)}`))),
    { help: 'Others are shown beside it, never added.' });
  const zoneField = field('Time zone', h('select.in', { name: 'zone' }, zones.map((z) => h('option', { value: z, selected: z === zone }, z.replaceAll('_', ' ')))),
    { help: 'A day begins at its midnight.' });
  const consent = h('fieldset.choices', null, h('legend', null, 'While a visitor has not answered the consent question'),
    CONSENT.map(([id, word, note], i) => h('label.choice', null, h('input', { type: 'radio', name: 'consent', value: id, checked: i === 0 }),
    h('span', null, h('b', null, word), h('small', null, note)))));
  const go = /** @type {HTMLButtonElement} */ (h('button.btn.main.big', { type: 'submit' }, 'Add the site'));
  const byName = /** @type {Record<string, ReturnType<typeof field>>} */ ({ name, domain, currency, zone: zoneField });

  const form = h('form.form', { novalidate: true, onsubmit: async (/** @type {Event} */ e) => {
    e.preventDefault();
    const bad = [name, domain].find((f) => !f.valid());
    if (bad) { bad.input.focus(); return; }
    go.disabled = true;
    fill(said);
    try {
      const site = await post('/api/sites', { name: name.input.value.trim(), domain: bareDomain(domain.input.value), currency: currency.input.value,
        zone: zoneField.input.value, consent: new FormData(/** @type {HTMLFormElement} */ (form)).get('consent') });
      await app.refreshMe();
      app.navigate(`/dashboard/${site.site}/install`, { replace: true, state: { consentNote: site.consent_note } });
    } catch (error) {
      const err = /** @type {any} */ (error);
      const at = err.field && byName[err.field];
      if (at) { at.say(err.message); at.input.focus(); } else if (err.code !== 'signed_out') fill(said,
        h('p.note.bad', null, icon('alert', 's'), h('span', null, err.message)));
      go.disabled = false;
    }
  } }, said, h('div.pair', null, name.el, domain.el), h('div.pair', null, currency.el, zoneField.el), consent,
  h('div.spread', null, !first && h('button.btn.bare', { type: 'button', onclick: () => history.back() }, 'Not now'), go));
  fill(root, alonePage(first ? 'Add your site' : 'Add a site',
    first ? 'Currency and time zone are guessed from this browser; change them if the shop keeps its books otherwise.' : null, form,
    { step: first ? 2 : undefined, wide: true }));
  name.input.focus();
  return {};
}

/** What people paste: an address with scheme, path or port. @param {string} text */
const bareDomain = (text) => text.trim().toLowerCase().replace(/^[a-z]+:\/\//, '').replace(/[/?#].*$/, '').replace(/:\d+$/, '').replace(/^www\./, '');

/** @param {string} text @returns {string|null} */
const checkDomain = (text) => (/^[^\s./@]+(\.[^\s./@]+)+$|^localhost$/.test(bareDomain(text)) ? null : text.trim() ? 'That is no domain. Write it like shop.example.'
  : 'Which domain is the shop on?');

/** @param {string} zone */
function guessCurrency(zone) {
  const region = new Intl.Locale(navigator.language).maximize().region ?? '';
  const home = CURRENCY_OF_ZONE[zone];
  if (home) return home;
  if (zone.startsWith('Europe/')) return CURRENCY_OF[region] && !['US', 'CA', 'AU'].includes(region) ? CURRENCY_OF[region] : 'EUR';
  if (zone.startsWith('Australia/')) return 'AUD';
  if (zone.startsWith('America/')) return CURRENCY_OF[region] ?? 'USD';
  return CURRENCY_OF[region] ?? 'EUR';
}

/** @param {'timeZone'|'currency'} what @param {string} own */
function listed(what, own) {
  const all = typeof Intl.supportedValuesOf === 'function' ? Intl.supportedValuesOf(what) : [own];
  return all.includes(own) ? all : [own, ...all];
}
