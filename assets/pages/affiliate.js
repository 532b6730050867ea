// One partner: the statement of a month, what the owner decides on it, links to it, payments.

import { get, post } from '../api.js';
import { h, fill, icon, styles, announce, copyButton } from '../dom.js';
import { plural, money, today, monthStart, shortDay } from '../format.js';
import { monthName, sums } from '../parts/partner_words.js';
import { statementOf } from '../parts/statement.js';
import { partnerForm } from '../parts/partner_form.js';
import { confirm, openDialog, dialogHead, pop, menuItem } from '../parts/menu.js';
import { field } from '../parts/alone.js';
import { saveForm } from '../parts/form.js';

export const title = 'Affiliate';

export const ready = styles(new URL('../css/affiliates.css', import.meta.url));

/** @type {import('../app.js').BarUse} */
export const bar = {};

/** @param {HTMLElement} root @param {import('../app.js').Params} params */
export function render(root, params) {
  let p = params;
  const { app, site } = params;
  const id = /** @type {string} */ (params.id);
  const base = `/api/sites/${site.site}/affiliates/${encodeURIComponent(id)}`;
  const asked = new URLSearchParams(location.search).get('month');
  let gone = false, month = /^\d{4}-\d\d$/.test(asked ?? '') ? /** @type {string} */ (asked) : today().slice(0, 7), turn = 0;
  /** @type {any} */ let s = null;
  const box = h('div.partner', null, h('section.sheet', null, h('div.skeleton', { 'aria-hidden': 'true' }, Array.from({ length: 6 }, () => h('i')))));
  fill(root, box);

  async function load() {
    const mine = ++turn;
    try {
      const answer = await get(`${base}/statement`, new URLSearchParams({ month }));
      if (gone || mine !== turn) return;
      const isFirst = !s;
      s = answer;
      app.figuresAt = new Date().toISOString();
      draw();
      announce(isFirst ? s.partner.name : monthName(month));
    } catch (error) {
      const err = /** @type {any} */ (error);
      if (gone || mine !== turn || err.code === 'signed_out') return;
      fill(box, h('section.sheet', null, h('div.trouble', { role: 'alert' }, icon('alert'), h('p', null, h('b', null, 'This partner could not be fetched.'), ` ${err.message}`),
        err.status === 404 ? h('a.btn', { href: app.href('affiliates') }, 'All affiliates') : h('button.btn', { type: 'button', onclick: load }, 'Try again'))));
    }
  }

  function draw() {
    const focus = root.contains(document.activeElement) ? document.activeElement?.getAttribute('data-focus') : null;
    const now = s.partner, isHere = now.state !== 'erased';
    fill(box,
      h('div.head.with-acts', null, h('div', null, h('a.back', { href: app.href('affiliates') }, icon('back', 's'), 'Affiliates'), h('h1', null, h('bdi', null, now.name)),
        h('p', null, h('bdi', null, now.codes.join(', ')), now.coupons.length > 0 && [' · coupons ', h('bdi', null, now.coupons.join(', '))], ` · ${now.terms}`,
          now.state !== 'active' && h('span.tag', null, now.state === 'paused' ? 'Paused: earns nothing new' : 'Erased'))),
      p.may && h('div.head-acts', null,
        isHere && h('button.btn', { type: 'button', 'data-focus': 'edit', onclick: () => partnerForm(p, now, '', () => { app.toast('Saved.'); load(); }) }, 'Change'),
        isHere && h('button.btn', { type: 'button', 'data-focus': 'pause', onclick: pause }, icon(now.state === 'paused' ? 'play' : 'pause', 's'), now.state === 'paused' ? 'Go on' : 'Pause'),
        h('button.btn.main', { type: 'button', 'data-focus': 'pay', disabled: !now.owed.some((/** @type {any} */ m) => m.minor > 0), onclick: pay }, 'Mark as paid'))),
      link(), monthBar(),
      statementOf(s, { flags: true, href: (l) => app.href('conversions', undefined, l.conversion), act: p.may ? decide : undefined }),
      p.may && isHere && links(), p.may && site.role === 'owner' && isHere && h('p.erase-line', null, h('button.btn.small', { type: 'button', 'data-focus': 'erase', onclick: erase }, 'Erase this partner’s data')));
    if (focus) /** @type {HTMLElement|null} */ (root.querySelector(`[data-focus="${CSS.escape(focus)}"]`))?.focus({ preventScroll: true });
  }

  function link() {
    if (!s.link || s.state === 'erased') return null;
    return h('section.sheet.own-link', { 'aria-label': 'Link to send out' }, h('div', null, h('span.k', null, 'Link to send out'), h('code', null, s.link)), copyButton(() => s.link, 'Copy'));
  }

  function monthBar() {
    const next = monthStart(`${month}-01`, 1).slice(0, 7);
    const go = (/** @type {string} */ to) => () => { month = to; history.replaceState(history.state, '', `${location.pathname}?month=${to}`); load(); };
    return h('div.months', null,
      h('button.btn.icon', { type: 'button', 'data-focus': 'month-before', 'aria-label': 'Month before', onclick: go(monthStart(`${month}-01`, -1).slice(0, 7)) }, icon('left', 's turn')),
      h('h2', null, monthName(month)),
      h('button.btn.icon', { type: 'button', 'data-focus': 'month-after', 'aria-label': 'Month after', disabled: next > today().slice(0, 7), onclick: go(next) }, icon('right', 's turn')),
      h('a.btn', { href: `${base}/statement.csv?month=${month}`, download: true, 'data-focus': 'csv' }, icon('export', 's'), 'CSV'));
  }

  function links() {
    return h('section.sheet.st-links', { 'aria-label': 'Links for the partner' }, h('header', null, h('h2', null, 'Links for the partner'),
      h('button.btn.small', { type: 'button', 'data-focus': 'share-month', onclick: share }, icon('share', 's'), `Link to ${monthName(month)}`)),
    s.links.length ? h('ul', null, s.links.map((/** @type {any} */ l) => h('li', null, h('b', null, monthName(l.month)),
      h('span.quiet', null, `until ${shortDay(l.expires_at, true)}, seen ${plural(l.views, 'time')}`), copyButton(() => l.link, 'Copy'),
      h('button.btn.small', { type: 'button', 'data-focus': `end-${l.statement}`, 'aria-label': `End the link to ${monthName(l.month)}`, onclick: () => end(l) }, 'End'))))
      : h('p.none.quiet', null, 'With a link the partner reads the statement of a month without an account. People and order numbers are masked.'));
  }

  /** What was asked for is done, or is said. @param {() => Promise<any>} act @param {string} [said] */
  async function doing(act, said) {
    try { await act(); if (said) app.toast(said); } catch (error) { app.toast(`Not done. ${/** @type {any} */ (error).message}`); }
    if (!gone) await load();
  }

  const pause = () => doing(() => post(base, { paused: s.partner.state !== 'paused' }), s.partner.state === 'paused' ? `${s.partner.name} earns again.` : `${s.partner.name} is paused. Nothing that happens from now on earns.`);
  const share = () => doing(() => post(`${base}/links`, { month }), `There is a link to ${monthName(month)} now. Copy it below.`);
  /** @param {any} l */
  const end = (l) => doing(() => post(`${base}/links/${l.statement}/revoke`), 'The link has ended.');

  async function erase() {
    const yes = await confirm({ title: `Erase ${s.partner.name}?`, yes: 'Erase', danger: true,
      text: h('p', null, 'Name, e-mail, phone and bank account go for good, and every link to a statement ends. What was earned stays in the books.') });
    if (yes) doing(() => post(`${base}/erase`), 'Erased. What was earned stays.');
  }

  function pay() {
    const date = field('Sent on', h('input.in', { type: 'date', name: 'paid_on', value: today(), max: today(), required: true }));
    const reference = field('Reference', h('input.in', { name: 'reference', autocomplete: 'off', placeholder: 'Bank reference' }), { help: 'Stands on the statement.' });
    const body = h('div.dialog-body');
    const { close } = openDialog({ label: 'Mark as paid', classes: 'small' }, [dialogHead('Mark as paid', () => close()), body]);
    const due = s.partner.owed.filter((/** @type {any} */ m) => m.minor > 0);
    body.append(h('p', null, `${sums(due)} is due to `, h('bdi', null, s.partner.name), '. HaloTrack sends no money: this notes that you did.'),
      saveForm({ fields: [date, reference], go: 'Mark as paid', more: h('button.btn', { type: 'button', onclick: () => close() }, 'Cancel'), save: async () => {
        const answer = await post(`${base}/pay`, { paid_on: date.input.value, reference: reference.input.value,
          amounts: due.map((/** @type {any} */ m) => ({ minor: m.minor, currency: m.currency })) });
        close();
        app.toast(`Noted: ${answer.paid.map((/** @type {any} */ x) => money(x.amount)).join(', ')}.`);
        load();
        return null;
      } }));
  }

  /** @param {any} l */
  function decide(l) {
    if (!l.may_decide) return null;
    const say = (/** @type {string} */ verdict, /** @type {string} */ said) => doing(() => post(`${base}/commissions/${l.conversion}`, { verdict }), said);
    return h('button.btn.icon.small.bare', { type: 'button', 'aria-label': `Decide on ${l.label}`, 'aria-haspopup': 'dialog', 'data-focus': `decide-${l.conversion}-${l.day}`,
      onclick: (/** @type {Event} */ e) => {
        const menu = pop(/** @type {HTMLElement} */ (e.currentTarget), `Decide on ${l.label}`, [
          menuItem({ name: 'Pay it', note: 'now, whatever it waits for', on: l.verdict_now === 'approved', act: () => { menu.close(); say('approve', 'It is to be paid.'); } }),
          menuItem({ name: 'Refuse it', note: 'a line of its own takes it back', on: l.verdict_now === 'refused', act: () => { menu.close(); say('refuse', 'It is refused. The statement shows it.'); } }),
          menuItem({ name: 'Let it wait', note: 'as the rules say', on: !l.verdict_now, act: () => { menu.close(); say('wait', 'It waits by the rules.'); } })]);
      } }, icon('menu', 's'));
  }

  load();
  return {
    /** @param {import('../app.js').Params} next */
    update(next) { p = next; },
    leave() { gone = true; },
  };
}
