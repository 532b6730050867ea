// A site's own settings, the line for its pages, and its secret for signed identify.

import { get, post } from '../../api.js';
import { h, fill, copyButton } from '../../dom.js';
import { field } from '../../parts/alone.js';
import { saveForm, selectField, switchField, linesField, linesOf, panel, once } from '../../parts/form.js';
import { confirm } from '../../parts/menu.js';
import { proved } from '../../parts/prove.js';

const CONSENT = /** @type {[string, string][]} */ ([['auto', 'Automatic: by where the visitor is'], ['opt-in', 'Only after a yes'], ['opt-out', 'Until a no']]);

/** @param {HTMLElement} root @param {import('../../app.js').Params} p */
export async function show(root, p) {
  const url = `/api/sites/${p.site.site}/settings`;
  const s = await get(url);
  const names = new Intl.DisplayNames('en', { type: 'currency' });
  const listed = (/** @type {'timeZone'|'currency'} */ what, /** @type {string} */ own) => [...new Set([own, ...(Intl.supportedValuesOf?.(what) ?? [])])].sort();
  const name = field('Name', h('input.in', { name: 'name', value: s.name, maxlength: 200 }), { check: (v) => (v.trim() ? null : 'What is the site called?') });
  const domains = linesField('domains', 'Domains', s.domains, 'One a line, the main one first. Their subdomains count too.', 'shop.example');
  domains.input.setAttribute('name', 'domain');
  const currency = selectField('currency', 'Currency', listed('currency', s.currency).map((c) => [c, `${c}, ${names.of(c)}`]), s.currency, 'Others stand beside it, never added.');
  const zone = selectField('zone', 'Time zone', listed('timeZone', s.zone).map((z) => [z, z.replaceAll('_', ' ')]), s.zone, 'A day begins at its midnight.');
  const country = field('Country', h('input.in', { name: 'country', value: s.country ?? '', maxlength: 2, placeholder: 'IE', autocapitalize: 'characters' }),
    { help: 'Two letters. Phone numbers without a country code are read as from there.' });
  const consent = selectField('consent', 'No answer to the consent question means', CONSENT, s.consent, s.consent_note);
  const cookie = field('Cookie domain', h('input.in', { name: 'cookie_domain', value: s.cookie_domain, autocapitalize: 'none' }),
    { help: 'The main domain or one above it. A change starts new visitors.' });
  const extra = linesField('extra_params', 'Kept address parameters', s.extra_params, 'Beside the usual ones, such as utm_source. Never names that carry e-mails.', 'promo');
  const gpc = switchField('gpc', 'A browser’s privacy signal is a no', s.gpc, 'Global Privacy Control and Do Not Track.');
  const leads = switchField('public_leads', 'Take leads straight from pages', s.public_leads, 'For sites without a server. Everybody can send one, so they prove nothing.');
  const form = saveForm({ fields: [name, domains, currency, zone, country, consent, cookie, extra], rest: h('div.choices', null, gpc.el, leads.el), go: 'Save', done: 'Saved.',
    classes: 'cols', save: async () => {
      await post(url, { name: name.input.value, domains: linesOf(domains.input.value), currency: currency.input.value, zone: zone.input.value,
        country: country.input.value.trim(), consent: consent.input.value, cookie_domain: cookie.input.value.trim(), extra_params: linesOf(extra.input.value),
        gpc: gpc.input.checked, public_leads: leads.input.checked });
      await p.app.refreshMe();
      p.app.updateBar();
    } });
  const secretBox = h('div');
  const replace = h('button.btn', { type: 'button', onclick: async () => {
    const yes = await confirm({ title: 'Replace the secret?', yes: 'Replace', text: h('p', null,
      'What your server signs with the old one counts only as said by a browser from now on, until it has the new one.') });
    if (!yes) return;
    try {
      const made = await proved(() => post(`/api/sites/${p.site.site}/secret`));
      if (made) fill(secretBox, once(made.secret, 'Copy it now: it is not shown again.'));
    } catch (error) { p.app.toast(/** @type {any} */ (error).message); }
  } }, 'Replace');
  fill(root, panel('Site', null, form),
    panel('The line for your pages', 'Inside <head>, as high as you can.', h('div.code', null, h('code', null, s.snippet), copyButton(() => s.snippet, 'Copy'))),
    p.site.role === 'owner' && panel('Secret for signed identify', 'Your own server signs with it who somebody is; then it counts as proved.',
      h('p.secret', null, h('code', null, `•••• ${s.secret_ends_in}`), replace), secretBox));
}
