// Try a name: what a visit would be called, and why, with the rules that stand and with the one that is being written.

import { post } from '../api.js';
import { h, fill, icon, announce } from '../dom.js';

const KINDS = /** @type {Record<string, string>} */ ({ source: 'Source', medium: 'Medium', campaign: 'Campaign' });

/**
 * @param {string} base the rules' address @param {() => {from: string, to: string}|null} rule the rule in the form, as far as it is written
 * @returns {{el: HTMLElement, again: () => void}}
 */
export function nameTrial(base, rule) {
  const input = (/** @type {string} */ name, /** @type {string} */ placeholder) => /** @type {HTMLInputElement} */ (h('input.in', { type: 'text', name, placeholder, maxlength: 2000, autocomplete: 'off', autocapitalize: 'none', spellcheck: 'false' }));
  const url = input('try_url', 'https://shop.example/?utm_source=fb'), referrer = input('try_referrer', 'https://l.facebook.com/');
  const source = input('try_source', 'fb'), medium = input('try_medium', 'cpc');
  const out = h('div.trial', { role: 'status' });
  const go = /** @type {HTMLButtonElement} */ (h('button.btn', { type: 'submit' }, 'Try it'));
  const form = h('form.form', { novalidate: true, onsubmit: (/** @type {Event} */ e) => { e.preventDefault(); look(true); } },
    h('label.f', null, h('b', null, 'Address of a visit'), url), h('label.f', null, h('b', null, 'The page before (referrer)'), referrer),
    h('div.pair', null, h('label.f', null, h('b', null, 'Or a source'), source), h('label.f', null, h('b', null, 'and a medium'), medium)), h('div.acts', null, go), out);
  const el = h('details.try', null, h('summary', null, 'Try a link or a name'), form);
  let tried = false;

  /** @param {boolean} says */
  async function look(says) {
    const text = (/** @type {HTMLInputElement} */ i) => i.value.trim() || null;
    const body = { url: text(url), referrer: text(referrer), source: text(source), medium: text(medium), rule: rule() };
    go.disabled = true;
    try {
      draw(await post(`${base}/try`, body));
      tried = true;
      if (says) announce('Tried');
    } catch (error) {
      const err = /** @type {any} */ (error);
      if (err.code !== 'signed_out') fill(out, h('p.error', { role: 'alert' }, err.message));
    }
    go.disabled = false;
  }

  /** @param {any} r */
  function draw(r) {
    fill(out, h('ol.reasons', null, r.reasons.map((/** @type {any} */ x) => h('li', null, h('bdi', null, x.text)))),
      r.after ? [name('With the rules that stand', r.before), name('With this rule', r.after, r.is_changed ? null : 'This rule changes nothing of it.')] : name('It is shown as', r.before));
  }

  /** @param {string} head @param {any} n @param {string|null} [note] */
  const name = (head, n, note) => h('div.named', null, h('h3', null, head), h('p', null, h('b', null, h('bdi', null, n.source), ' / ', h('bdi', null, n.medium)), n.campaign && [' · ', h('bdi', null, n.campaign)],
    h('span.faint', null, ` · ${n.channel}`)), n.rules.map((/** @type {any} */ s) => h('p.quiet', null, icon('again', 's'), ` Rule: ${KINDS[s.dimension] ?? s.dimension} `, h('bdi', null, s.from), ' is shown as ', h('bdi', null, s.to),
    s.within && [' of ', h('bdi', null, s.within)], '.')), note && h('p.quiet', null, note));

  return { el, again: () => { if (tried) look(false); } };
}
