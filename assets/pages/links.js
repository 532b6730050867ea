// Short links that lead to the site, with what came of each. Every row opens its link.

import { h, fill, icon, styles, copyButton } from '../dom.js';
import { count, exact, shortDay, dayOf, today, zoneName, money, plural } from '../format.js';
import { nothing } from '../parts/nothing.js';
import { sidePanel } from '../parts/side_panel.js';
import { createTable, createList, ledgerHead } from '../parts/table.js';
import { openLink, linkName, shortText } from '../parts/link_panel.js';
import { openBuilder } from '../parts/link_builder.js';

export const title = 'Links';

export const ready = styles(new URL('../css/links.css', import.meta.url));

/** @type {import('../app.js').BarUse} */
export const bar = { search: true, exports: 'links', rows: true };

const key = (/** @type {any} */ row) => row.link;

/** @param {HTMLElement} root @param {import('../app.js').Params} params */
export function render(root, params) {
  let p = params;
  const { app, site } = params;
  let asked = '';

  const table = createTable({
    label: `Links, times in ${zoneName()}`, columns: columns(), key, classes: 't-links',
    href: (row) => app.href('links', p.view, row.link), open: (row) => app.navigate(app.href('links', p.view, row.link)),
    rowClass: (row) => (row.state === 'open' ? '' : 'test'),
  });
  const list = createList({ url: `/api/sites/${site.site}/links`, what: 'links', table, key, empty,
    answered: () => { app.figuresAt = list.fetchedAt || new Date().toISOString(); panel.mark(); } });
  const panel = sidePanel({ now: () => p, path: 'links', table, open: (id, closed) => openLink(p, id, {
    changed: () => { list.refresh(true); }, like: (link) => { panel.it?.close(); build(link); }, closed }) });
  const head = ledgerHead({ dim: 'kind', word: (v) => v, label: 'Search a link', placeholder: 'Name, word, address', now: () => p });
  head.el.querySelector('.tabs')?.remove();
  if (p.may) head.el.querySelector('.r')?.append(newButton('main'));

  /** @param {string} [cls] */
  function newButton(cls = '') {
    return h(`button.btn${cls && `.${cls}`}`, { type: 'button', 'data-focus': `new-link${cls && `-${cls}`}`, onclick: () => build() }, icon('plus', 's'), 'New link');
  }

  /** @param {any} [like] a link whose words are taken over */
  function build(like) { openBuilder(p, { like, made: () => list.refresh(true), shown: (made) => app.navigate(app.href('links', p.view, made.link)) }); }

  function empty() {
    return nothing(() => p, { none: 'No link fits.', all: 'Show all links', days: '', first: () => h('div.empty', null, icon('link'),
      h('p', null, h('b', null, 'One link for each place where you post.'), ' It leads to a page of your site, says where the visit came from, and counts who follows it: for stories, newsletters, partners, and on paper as a square code.'),
      p.may && h('div.acts', null, newButton())) });
  }

  /** @param {boolean} [force] */
  function load(force) {
    const ask = p.view.ask(bar);
    if (!force && ask.toString() === asked) return;
    asked = ask.toString();
    table.drawHead('', '');
    list.load(ask);
  }

  fill(root, h('h1.vh', null, title), h('section.sheet.ledger', { 'aria-label': title }, head.el, list.el));
  load(true);
  panel.show();
  return {
    /** @param {import('../app.js').Params} next */
    update(next) { const came = next.view.toString() === p.view.toString() && next.id === p.id; p = next; head.sync(); load(came); panel.show(); },
    key: (/** @type {KeyboardEvent} */ e) => (panel.it ? false : table.key(e)),
    leave() { panel.leave(); head.stop(); list.stop(); },
  };
}

/** @returns {import('../parts/table.js').Column[]} */
function columns() {
  const at = (/** @type {string|null} */ time) => (time ? h('span', { 'data-tip': exact(time) }, shortDay(time, dayOf(time).slice(0, 4) !== today().slice(0, 4))) : h('span.faint', null, 'never'));
  return [
    { id: 'name', head: 'Link', rowHead: true, cell: (r) => [h('bdi.cut', null, linkName(r)), r.state !== 'open' && h('span.tag.box', null, r.state === 'ended' ? 'ended' : 'leads nowhere')] },
    { id: 'short', head: 'Short address', classes: 'hide-s', cell: shortCell },
    { id: 'from', head: 'Says', classes: 'quiet hide-l', cell: (r) => h('bdi.cut', null, says(r)) },
    { id: 'clicks', head: 'Clicks', classes: 'num', cell: (r) => h('span.many', { 'data-word': r.clicks === 1 ? ' click' : ' clicks', 'data-tip': r.bots ? `And ${plural(r.bots, 'bot')}, counted apart` : null }, count(r.clicks)) },
    { id: 'visits', head: 'Visits', classes: 'num', cell: (r) => (isMissed(r) ? h('span.warn', { 'data-tip': 'People click, but no visit arrives. Is the tag on that page?' }, icon('alert', 's'), '0') : count(r.visits)) },
    { id: 'conversions', head: 'Conversions', classes: 'num hide-s', cell: (r) => h('span', { 'data-tip': r.net_by_currency.length ? `${r.net_by_currency.map(money).join(' and ')} net` : null }, count(r.conversions)) },
    { id: 'last', head: 'Last click', classes: 'num', cell: (r) => at(r.last_click_at) },
  ];
}

/** The address, with a way to copy it that does not open the row. @param {any} r */
function shortCell(r) {
  const copy = copyButton(() => r.url, '', 'icon bare small');
  for (const [name, value] of [['aria-label', `Copy ${shortText(r.url)}`], ['data-tip', 'Copy'], ['data-roam', ''], ['tabindex', '-1']]) copy.setAttribute(name, value);
  return h('span.copy-cell', { onclick: (/** @type {Event} */ e) => e.stopPropagation() }, h('span.cut', null, shortText(r.url)), copy);
}

/** Enough clicks that a visit should have come of them. @param {any} r */
export const isMissed = (r) => r.visits === 0 && r.clicks >= 10;

/** @param {any} r */
const says = (r) => [r.utm_source, r.utm_medium, r.utm_campaign, r.affiliate && `ref ${r.affiliate}`].filter(Boolean).join(' / ') || 'nothing of its own';
