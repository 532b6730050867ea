// Adding a partner, and changing one.

import { post } from '../api.js';
import { h } from '../dom.js';
import { ownCurrency } from '../format.js';
import { openDialog, dialogHead } from './menu.js';
import { field, checkEmail } from './alone.js';
import { saveForm, linesOf } from './form.js';

/**
 * @param {import('../app.js').Params} p @param {any|null} known the partner, or none for a new one @param {string} code what a new one starts with
 * @param {(saved: any) => void} done
 */
export function partnerForm(p, known, code, done) {
  const input = (/** @type {string} */ name, /** @type {string} */ value, /** @type {object} */ more = {}) => h('input.in', { name, value, autocomplete: 'off', spellcheck: 'false', autocapitalize: 'none', ...more });
  const codes = field('Code', input('codes', known ? known.codes.join(', ') : code, { required: true, placeholder: 'noor', autofocus: !known }),
    { help: 'What stands behind ?ref= in the partner’s links. Several with commas between.', check: (v) => (v.trim() ? null : 'A partner needs a code.') });
  const name = field('Name', input('name', known?.name ?? '', { placeholder: 'Noor' }), { help: 'As statements and the bank name them.' });
  const coupons = field('Coupons', input('coupons', known?.coupons.join(', ') ?? '', { placeholder: 'NOOR10' }), { help: 'Coupons of the shop that are this partner’s alone.' });
  const commission = field('Commission', input('commission', known ? known.commission.join(', ') : '10%', { required: true }),
    { help: `10% or 5.00 (${ownCurrency()}) for each sale; lead=2.00 for each lead; product:SKU=15% for a product. Several with commas between.`, check: (v) => (v.trim() ? null : 'Say what is paid.') });
  const hold = field('Waits for', input('hold_days', String(known?.hold_days ?? 30), { inputmode: 'numeric' }), { help: 'Days before a commission is to be paid, in case the money goes back.', check: whole });
  const cookie = field('Link earns for', input('cookie_days', String(known?.cookie_days ?? 60), { inputmode: 'numeric' }), { help: 'Days after it was followed.', check: whole });
  const email = field('E-mail', input('email', known?.email ?? '', { type: 'email' }), { help: 'By it own purchases are noticed. Nothing is sent.', check: (v) => (v.trim() ? checkEmail(v) : null) });
  const payout = field('Bank account', input('payout', known?.payout ?? ''), { help: 'For the file for your bank.' });
  const box = h('div.dialog-body');
  const { close } = openDialog({ label: known ? `Change ${known.name}` : 'Add a partner' }, [dialogHead(known ? `Change ${known.name}` : 'Add a partner', () => close()), box]);
  box.append(saveForm({
    fields: [codes, name, commission, coupons, hold, cookie, email, payout], go: known ? 'Save' : 'Add', classes: 'partner-form',
    more: h('button.btn', { type: 'button', onclick: () => close() }, 'Cancel'),
    save: async () => {
      const body = { codes: linesOf(codes.input.value), name: name.input.value, coupons: linesOf(coupons.input.value), commission: linesOf(commission.input.value),
        hold_days: Number(hold.input.value), cookie_days: Number(cookie.input.value), email: email.input.value, payout: payout.input.value };
      const saved = await post(`/api/sites/${p.site.site}/affiliates${known ? `/${known.affiliate}` : ''}`, body);
      close();
      done(saved);
      return null;
    },
    rest: known && h('p.quiet', null, 'Sales that are known already keep their terms.'),
  }));
}

/** @param {string} text */
const whole = (text) => (/^\d{1,3}$/.test(text.trim()) ? null : 'A number of days.');
