// What was spent, typed in: on one day, or from a day to a day. A known amount is corrected or taken away here too.

import { post, remove } from '../api.js';
import { h, fill, announce } from '../dom.js';
import { ownCurrency, today, unitOf } from '../format.js';
import { field } from './alone.js';
import { trouble } from './form.js';
import { openDialog, dialogHead, confirm } from './menu.js';

/**
 * @param {import('../app.js').Params} p
 * @param {{id?: string, from?: string, to?: string, source?: string, medium?: string, campaign?: string, amount?: {minor: number, currency: string}, note?: string|null}} known
 * @param {() => void} changed
 */
export function openSpend(p, known, changed) {
  const base = `/api/sites/${p.site.site}/spend`, isKnown = !!known.id;
  const input = (/** @type {string} */ name, /** @type {string} */ value, /** @type {object} */ more = {}) => h('input.in', { type: 'text', name, value, autocomplete: 'off', ...more });
  const word = { maxlength: 255, autocapitalize: 'none', spellcheck: 'false' };
  const last = today();
  const money = known.amount && (known.amount.minor / unitOf(known.amount.currency)).toFixed(Math.round(Math.log10(unitOf(known.amount.currency))));
  const amount = field('Amount', input('amount', money ?? '', { inputmode: 'decimal', autofocus: true, placeholder: '300.00' }),
    { check: (v) => (/^\d+([.,]\d+)?$/.test(v.trim()) ? null : 'An amount such as 300 or 300.50.') });
  const currency = field('Currency', input('currency', known.amount?.currency ?? ownCurrency(), { maxlength: 3, autocapitalize: 'characters' }),
    { check: (v) => (/^[A-Za-z]{3}$/.test(v.trim()) ? null : 'Three letters, such as EUR.') });
  const from = field('First day', input('from', known.from ?? last, { type: 'date' }), { check: (v) => (v ? null : 'On which day?') });
  const to = field('Last day', input('to', known.to ?? known.from ?? last, { type: 'date' }),
    { check: (v) => (!v || v >= from.input.value ? null : 'It lies before the first day.'), help: 'Spread evenly over the days.' });
  const source = field('Source', input('source', known.source ?? '', { ...word, placeholder: 'google', required: true }), { check: (v) => (v.trim() ? null : 'Where was it spent?') });
  const medium = field('Medium', input('medium', known.medium === '(not set)' ? '' : known.medium ?? '', { ...word, placeholder: 'cpc' }), { help: 'As in your links, so that both stand in one row.' });
  const campaign = field('Campaign', input('campaign', known.campaign ?? '', { ...word, placeholder: 'none' }));
  const note = field('Note', input('note', known.note ?? '', { maxlength: 200 }));
  const fields = [amount, currency, from, to, source, medium, campaign, note];
  const said = h('div.said', { role: 'alert' });
  const save = /** @type {HTMLButtonElement} */ (h('button.btn.main', { type: 'submit' }, isKnown ? 'Save' : 'Add'));
  const off = isKnown && h('button.btn.danger', { type: 'button', onclick: async () => {
    const yes = await confirm({ title: 'Take this amount away?', yes: 'Take it away', danger: true, text: h('p', null, 'Costs are counted without it at once.') });
    if (!yes) return;
    try { await remove(`${base}/${known.id}`); done('The amount is gone'); } catch (error) { failed(error); }
  } }, 'Take away');

  const form = h('form.form.body', { novalidate: true, onsubmit: async (/** @type {Event} */ e) => {
    e.preventDefault();
    const bad = fields.map((f) => f.valid()).indexOf(false);
    if (bad >= 0) { fields[bad].input.focus(); return; }
    save.disabled = true;
    fill(said);
    const text = (/** @type {ReturnType<typeof field>} */ f) => f.input.value.trim();
    const body = { from: text(from), to: text(to) || text(from), source: text(source), medium: text(medium), campaign: text(campaign), amount: text(amount).replace(',', '.'),
      currency: text(currency).toUpperCase(), note: text(note) || null };
    try { await post(isKnown ? `${base}/${known.id}` : base, body); done('Saved'); } catch (error) { failed(error); }
    save.disabled = false;
  } }, h('div.pair', null, amount.el, currency.el), h('div.pair', null, from.el, to.el), h('div.pair', null, source.el, medium.el), h('div.pair', null, campaign.el, note.el),
  said, h('div.acts', null, save, off));

  function failed(/** @type {any} */ error) {
    const at = fields.find((f) => f.input.getAttribute('name') === error.field);
    if (at) { at.say(error.message); at.input.focus(); } else if (error.code !== 'signed_out') fill(said, trouble(error.message));
  }
  function done(/** @type {string} */ word) {
    announce(word);
    close();
    changed();
  }
  const title = isKnown ? 'What was spent' : 'Add spend';
  const { close } = openDialog({ label: title, classes: 'spend' }, [dialogHead(title, () => close()), form]);
  amount.input.focus();
}
