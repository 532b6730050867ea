// One person: how it began, what it came to, and everything known in the order of time.

import { get } from '../api.js';
import { h, fill, icon } from '../dom.js';
import { money, count, plural, clock, day, dayOf, today, exact, shortDay, zoneName, platform, statusWord, toldSentence, eventWord, ownCurrency } from '../format.js';
import { stateMark, statusMark } from '../parts/table.js';
import { pop, menuItem } from '../parts/menu.js';

export const title = 'Person';

/** @type {import('../app.js').BarUse} */
export const bar = {};

const PAGE = 100;

/** @param {HTMLElement} root @param {import('../app.js').Params} params */
export function render(root, params) {
  let p = params;
  const id = params.id ?? '';
  const base = `/api/sites/${params.site.site}/contacts/${encodeURIComponent(id)}`;
  let gone = false, timer = 0;
  /** @type {any[]} */ let lines = [];
  /** @type {string|null} */ let next = null;
  const box = h('section.sheet.person', { 'aria-label': title }, h('div.skeleton', null, Array.from({ length: 9 }, () => h('i'))));
  fill(root, h('p.up', null, p.site.role !== 'client' && h('a.go', { href: p.app.href('people') }, icon('left', 's'), 'Everybody')), box);

  async function show() {
    const dim = setTimeout(() => box.classList.add('dim'), 300);
    try {
      const [person, way] = await Promise.all([get(base), get(`${base}/timeline`, new URLSearchParams({ limit: String(PAGE) }))]);
      if (gone) return;
      lines = way.items;
      next = way.next;
      draw(person);
    } catch (error) { if (!gone) trouble(/** @type {any} */ (error)); } finally { clearTimeout(dim); box.classList.remove('dim'); }
  }

  /** @param {any} person */
  function draw(person) {
    const name = [person.first_name, person.last_name].filter(Boolean).join(' ');
    const known = person.display ?? name ?? person.id;
    document.title = `${known || person.id} · ${p.site.name} · HaloTrack`;
    const list = h('div.tl');
    const more = h('div.more', { hidden: !next }, h('button.btn', { type: 'button', onclick: (/** @type {Event} */ e) => older(list, more, /** @type {HTMLButtonElement} */ (e.currentTarget)) }, 'Show earlier'));
    fill(list, days(lines, p));
    fill(box,
      h('header.person-head', null, h('div.grow', null, h('h1', null, h('bdi', null, known || person.id)),
        h('p.quiet', null, [name !== known && name, person.phone !== known && person.phone, person.company, person.city, person.country].filter(Boolean).map((t, i) => [i > 0 && ' · ', h('bdi', null, t)]))), acts(known || person.id)),
      h('div.stmt', null, figures(person.head)),
      !person.may_see_people && h('p.note', null, icon('alert', 's'), h('span', null, 'Names and addresses are masked for you. An owner can see them.')),
      h('h2.tl-title', null, 'What is known', h('span.tag.faint', null, `${zoneName()}, the newest first`)),
      lines.length ? [list, more] : h('div.empty', null, icon('clock'), h('p', null, h('b', null, 'Nothing is kept of this person'), ' but the address.')));
  }

  /** What is kept, for the person; and forgetting. Only owners may: all of it is shown. @param {string} known */
  function acts(known) {
    if (p.site.role !== 'owner') return null;
    const url = (/** @type {string} */ ending) => `/api/sites/${p.site.site}/people/export${ending}?contact=${encodeURIComponent(id)}`;
    return h('div.acts', null,
      h('button.btn.small', { type: 'button', 'data-focus': 'export', 'aria-haspopup': 'dialog', onclick: (/** @type {Event} */ e) => pop(/** @type {HTMLElement} */ (e.currentTarget), 'Export', [h('p.lead', null, 'All that is kept of this person, unmasked, to hand to them.'),
        menuItem({ name: 'CSV', note: 'for a spreadsheet', sign: 'export', href: url('.csv'), download: true }), menuItem({ name: 'JSON', note: 'for a program', sign: 'export', href: url(''), download: true })], 'wide') }, icon('export', 's'), 'Export'),
      h('button.btn.small.danger', { type: 'button', 'data-focus': 'erase', onclick: () => import('../parts/erase.js').then(async (m) => { await m.ready; return m; }).then((m) => m.openErase(p, { contact: id }, known, () => p.app.navigate(p.app.href('people'), { replace: true }))) }, 'Erase'));
  }

  /** @param {HTMLElement} list @param {HTMLElement} more @param {HTMLButtonElement} button */
  async function older(list, more, button) {
    button.disabled = true;
    try {
      const way = await get(`${base}/timeline`, new URLSearchParams({ limit: String(PAGE), cursor: next ?? '' }));
      if (gone) return;
      lines = [...lines, ...way.items];
      next = way.next;
      fill(list, days(lines, p));
      more.hidden = !next;
    } catch (error) { p.app.toast(`Could not be fetched. ${/** @type {any} */ (error).message}`); } finally { button.disabled = false; }
  }

  /** @param {any} error */
  function trouble(error) {
    if (error.code === 'signed_out') return;
    const none = error.status === 404;
    fill(box, h('h1.vh', null, title), h('div.trouble', { role: 'alert' }, icon('alert'),
      h('p', null, h('b', null, none ? 'There is nobody at this address.' : 'This person could not be fetched.'), ' ',
        none ? 'They may belong to another site, or were erased.' : error.message), !none && h('button.btn', { type: 'button', onclick: show }, 'Try again')));
  }

  show();
  return {
    /** @param {import('../app.js').Params} to */
    update(to) { p = to; show(); },
    /** @param {string} name @param {any} data */
    live(name, data) {
      if (!['conversion', 'delivery'].includes(name) || !lines.some((l) => l.conversion === (data.conversion ?? data.id))) return;
      clearTimeout(timer);
      timer = setTimeout(show, 1200);
    },
    leave() { gone = true; clearTimeout(timer); },
  };
}

/** @param {any} head */
function figures(head) {
  const figure = (/** @type {string} */ k, /** @type {import('../dom.js').Kid} */ v, /** @type {import('../dom.js').Kid} */ note, /** @type {string|null} */ tip = null) => h('div.fig', { 'data-tip': tip },
    h('span.k', null, k), h('span.v', null, v), h('span.delta', null, note));
  const date = (/** @type {string|null} */ at) => (at ? shortDay(at, dayOf(at).slice(0, 4) !== today().slice(0, 4)) : '–');
  const own = head.lifetime.find((/** @type {any} */ m) => m.currency === ownCurrency()) ?? head.lifetime[0];
  const others = head.lifetime.filter((/** @type {any} */ m) => m !== own);
  return [
    figure('Worth so far', own ? money(own) : '–', others.length ? ['also ', others.map(money).join(', ')] : head.orders ? `${plural(head.orders, 'order')}, net of refunds` : 'no order yet'),
    figure('Consent now', consentWord(head.consent), head.consent ? `${head.consent.by}, ${date(head.consent.at)}` : 'the site’s rule holds',
      head.consent ? exact(head.consent.at) : null),
    figure('First seen', date(head.began_at), clock(head.began_at), exact(head.began_at)),
    figure('First purchase', date(head.first_purchase_at), head.first_purchase_at ? clock(head.first_purchase_at) : 'none yet'),
    figure('Took', head.seconds_to_first_purchase > 0 ? took(head.seconds_to_first_purchase) : '–', head.seconds_to_first_purchase === 0 ? 'no visit is known before' : 'first seen to purchase'),
  ];
}

/** @param {any} consent */
const consentWord = (consent) => (!consent ? 'no answer' : consent.marketing === 'granted' ? 'given' : consent.marketing === 'denied'
  ? consent.analytics === 'granted' ? 'figures only' : 'refused' : 'no answer');

/** "35 min", "4.2 days". @param {number} s */
function took(s) {
  if (s < 5400) return `${count(Math.max(1, Math.round(s / 60)))} min`;
  if (s < 172800) return `${(s / 3600).toFixed(1).replace(/\.0$/, '')} h`;
  return `${(s / 86400).toFixed(s < 864000 ? 1 : 0).replace(/\.0$/, '')} days`;
}

/** @param {any[]} lines @param {import('../app.js').Params} p */
function days(lines, p) {
  /** @type {{day: string, items: any[]}[]} */ const groups = [];
  for (const l of lines) {
    const d = dayOf(l.at);
    if (groups.at(-1)?.day !== d) groups.push({ day: d, items: [] });
    groups.at(-1)?.items.push(l);
  }
  return groups.map((g) => h('section', { 'aria-label': day(g.day) }, h('h3', null, g.day === today() ? `Today, ${day(g.day)}` : day(g.day)),
    h('ol', null, g.items.map((l) => h('li', null, h('time.faint', { 'data-tip': exact(l.at) }, clock(l.at)), icon(SIGNS[l.kind] ?? 'dot', `s ${tone(l)}`),
      h('span.what', null, said(l, p)), l.amount && h('span.num', null, money(l.amount)))))));
}

const SIGNS = /** @type {Record<string, string>} */ ({ visit: 'right', touch: 'right', event: 'dot', lead: 'inbox', sale: 'conversions', signup: 'customers',
  custom: 'conversions', order: 'clock', refund: 'back', cancellation: 'x', adjustment: 'again', stage: 'leads', delivery: 'deliveries', consent: 'check', identity: 'customers', chat: 'chat' });

const ASKED = /** @type {Record<string, string>} */ ({ product: ', asked about a product', price: ', asked about a price', product_price: ', asked about a product and its price' });

/** @param {any} l */
const tone = (l) => (l.kind === 'sale' ? 'ok' : l.kind === 'consent' && l.marketing === 'denied' ? 'warn' : '');

/** One line in words. @param {any} l @param {import('../app.js').Params} p */
function said(l, p) {
  const link = (/** @type {string} */ text) => (l.conversion ? h('a.go', { href: p.app.href('conversions', undefined, l.conversion) }, h('bdi', null, text)) : h('bdi', null, text));
  const from = [l.source, l.medium && !['(none)', 'none'].includes(l.medium) && l.medium, l.campaign].filter(Boolean).map((t, i) => [i > 0 && ' / ', h('bdi', null, t)]);
  const page = l.page && [' on ', h('bdi.mono', null, l.page)];
  const answer = (/** @type {string} */ w) => (w === 'granted' ? 'yes' : w === 'denied' ? 'no' : 'not answered');
  switch (l.kind) {
    case 'visit': return ['Visit from ', from, page];
    case 'touch': return ['Came again from ', from, page];
    case 'event': return [h('bdi', null, l.name), page];
    case 'lead': return ['Form sent: ', link(l.name), l.source ? [', credited to ', from] : ', unattributed'];
    case 'signup': return ['Signed up: ', link(l.name)];
    case 'sale': case 'custom': return [link(l.name), ' ', statusMark(l.state), l.source ? [', credited to ', from] : ', unattributed'];
    case 'order': return ['Order ', h('bdi', null, l.name), `, ${statusWord(l.state)}, not paid`];
    case 'refund': return ['Money back for ', link(l.name)];
    case 'cancellation': return ['Cancelled: ', link(l.name)];
    case 'adjustment': return ['Amount corrected: ', link(l.name)];
    case 'stage': return ['Lead moved to ', link(statusWord(l.name))];
    case 'delivery': return [h('span', { 'data-tip': toldSentence({ mode: '', ...l }) }, `${platform(l.platform)} `, h('span.quiet', null, eventWord(l.name ?? '')), ' '), stateMark(l)];
    case 'consent': return ['Consent: figures ', h('b', null, answer(l.analytics)), ', ads ', h('b', null, answer(l.marketing)), h('span.faint', null, ` by ${l.name}`)];
    case 'milestone': return [h('bdi', null, (l.name ?? '').replaceAll('_', ' ').replace(/^./, (c) => c.toUpperCase())), h('span.faint', null, ` told by ${platform(l.platform ?? '')}`), l.source ? [', from ', from] : ''];
    case 'chat': return ['Wrote in the chat', h('span.faint', null, ` ${platform(l.platform) === 'chat' ? '' : `of ${platform(l.platform)}, `}${plural(l.messages, 'message')}${ASKED[l.state] ?? ''}`)];
    case 'identity': return ['Known by ', h('bdi', null, l.identity.value), h('span.faint', null, ` ${{ email: 'e-mail', phone: 'phone', customer_id: 'customer number' }[/** @type {'email'} */ (l.identity.kind)] ?? l.identity.kind}, told by ${platform(l.name ?? '')}`)];
    default: return l.name ?? l.kind;
  }
}
