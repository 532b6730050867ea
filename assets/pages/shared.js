// What whoever has a share link sees: read-only figures of the part that was chosen. No rail, no bar, no way to anything else.

import { get, post } from '../api.js';
import { h, fill, icon } from '../dom.js';
import { speakFor, count, percent, money, headline, day, exact, valueWord, statusWord, RANGES, today, span } from '../format.js';
import { alonePage, field, passwordInput } from '../parts/alone.js';
import { partWords } from '../parts/form.js';
import { dayBars } from '../parts/day_bars.js';

export const title = 'Shared figures';

const OFFERED = ['7d', '30d', 'month', 'last_month', '12m'];

/** @param {HTMLElement} root @param {{token: string}} params */
export function render(root, { token }) {
  let gone = false;
  const base = `/api/shared/${encodeURIComponent(token)}`;
  fill(root, alonePage('One moment', null, null));
  open();
  return { leave: () => { gone = true; } };

  async function open() {
    try {
      const share = await get(base);
      if (!gone) { if (share.locked) locked(share.site); else await figures(share); }
    } catch (error) { if (!gone) fill(root, alonePage('This page cannot be shown', /** @type {any} */ (error).message, null)); }
  }

  /** @param {string} site */
  function locked(site) {
    const { input, side } = passwordInput('password', 'current-password');
    const password = field('Password', input, { side, check: (v) => (v ? null : 'The password is missing.'), help: 'Whoever sent you the link knows it.' });
    const go = /** @type {HTMLButtonElement} */ (h('button.btn.main.big', { type: 'submit' }, 'Open'));
    fill(root, alonePage(`Figures of ${site}`, 'This page has a password.', h('form.form', { novalidate: true, onsubmit: async (/** @type {Event} */ e) => {
      e.preventDefault();
      if (!password.valid()) { input.focus(); return; }
      go.disabled = true;
      try { await post(`${base}/open`, { password: input.value }); await open(); } catch (error) {
        password.say(/** @type {any} */ (error).message);
        input.select();
        go.disabled = false;
      }
    } }, password.el, go)));
    input.focus();
  }

  /** @param {any} share */
  async function figures(share) {
    speakFor(share);
    document.title = `${share.name} · ${share.site}`;
    const offered = RANGES.filter((r) => OFFERED.includes(r.id));
    const ranges = offered.length ? offered : RANGES.slice(0, 5);
    const query = new URLSearchParams(location.search);
    let range = ranges.find((r) => r.id === query.get('range')) ?? ranges.find((r) => r.id === '30d') ?? ranges[0];
    const body = h('div.sh-body');
    const seg = h('div.seg', { role: 'group', 'aria-label': 'Days' });
    const drawSeg = () => fill(seg, ranges.map((r) => h('button', { type: 'button', 'aria-pressed': String(r === range), onclick: () => {
      range = r;
      drawSeg();
      history.replaceState(null, '', `${location.pathname}?range=${r.id}`);
      draw();
    } }, r.short ?? r.name)));
    drawSeg();
    fill(root, h('main.shared', { id: 'page' }, h('header.sh-head', null, h('div.brand', null, icon('halo'), share.site), h('h1', null, share.name),
      h('p.quiet', null, `${partWords(share.segment)}. Read-only.`, share.expires_at && ` Until ${day(share.expires_at)}.`)), seg, body,
      h('footer.quiet', null, 'Counted by HaloTrack on the shop’s own server.')));
    await draw();

    async function draw() {
      const days = range.days(today());
      const q = new URLSearchParams(days ? { from: days[0], to: days[1] } : {});
      body.classList.add('dim');
      try {
        const [head, series, sources, list] = await Promise.all([get(`${base}/overview`, q), get(`${base}/timeseries`, q), get(`${base}/sources`, q),
          get(`${base}/conversions`, q)]);
        if (gone) return;
        fill(body, top(head, share), series.items.length > 1 && h('section.sheet', null, h('header', null, h('h2', null, share.hides_money ? 'Conversions by day' : 'Net by day')),
          dayBars(series.items, share.hides_money ? (d) => d.conversions.all : (d) => d.net.find((/** @type {any} */ m) => m.currency === share.currency)?.minor ?? 0,
            (d) => (share.hides_money ? count(d.conversions.all) : d.net.map(money).join(' ') || '0'))),
        origins(sources, share), ledger(list, share, q, days));
      } catch (error) { fill(body, h('p.note.bad', null, icon('alert', 's'), h('span', null, /** @type {any} */ (error).message))); }
      body.classList.remove('dim');
    }
  }

  /** @param {any} list @param {any} share @param {URLSearchParams} q @param {[string, string]|null} days */
  function ledger(list, share, q, days) {
    const rows = h('tbody'), more = h('div.more');
    let next = list.next;
    const put = (/** @type {any[]} */ items) => { for (const c of items) rows.append(line(c, share)); };
    const drawMore = () => {
      more.hidden = !next;
      fill(more, next && h('button.btn', { type: 'button', onclick: async () => {
        const page = await get(`${base}/conversions`, new URLSearchParams([...q, ['cursor', next]]));
        next = page.next;
        put(page.items);
        drawMore();
      } }, 'Show more'));
    };
    put(list.items);
    drawMore();
    return h('section.sheet', null, h('header', null, h('h2', null, 'Conversions'), h('span.faint', null, count(list.count)),
      h('div.r', null, h('a.btn.small', { href: `${base}/conversions.csv?${q}`, download: true }, icon('export', 's'), 'CSV'))),
    list.items.length ? h('div.scroll', { tabindex: '0', role: 'region', 'aria-label': 'Conversions' }, h('table.t', null, h('caption.vh', null, 'Conversions, the newest first'),
      h('thead', null, h('tr', null, h('th', { scope: 'col' }, 'When'), h('th', { scope: 'col' }, 'What'), h('th', { scope: 'col' }, 'From'),
        !share.hides_people && h('th', { scope: 'col' }, 'Who'), !share.hides_money && h('th.num', { scope: 'col' }, 'Net'))), rows))
      : h('div.empty', null, h('p', null, h('b', null, 'Nothing in these days.'), days && ` ${span(...days)}: no conversion of this part. Choose other days above.`)), more);
  }
}

/** @param {any} head @param {any} share */
function top(head, share) {
  const own = head.net.find((/** @type {any} */ m) => m.currency === share.currency) ?? { minor: 0, currency: share.currency };
  const one = (/** @type {string} */ word, /** @type {any} */ figure) => h('div', null, h('dt', null, word), h('dd', null, figure));
  return h('dl.sheet.sh-top', null, !share.hides_money && one('Net', headline(own)), one('Conversions', count(head.conversions.all)), one('Orders', count(head.orders)),
    one('Leads', count(head.conversions.lead)), one('Visits', count(head.visits)), one('Conversion rate', head.conversion_rate === null ? '–' : [percent(head.conversion_rate), head.conversion_range
      && h('small', null, ` (${head.conversion_range.map(percent).join('–')})`)]));
}

/** @param {any} sources @param {any} share */
const origins = (sources, share) => sources.items.length > 0 && h('section.sheet', null, h('header', null, h('h2', null, 'Where they came from')),
  h('div.scroll', { tabindex: '0', role: 'region', 'aria-label': 'Where they came from' }, h('table.t', null, h('caption.vh', null, 'Visits and conversions by source'),
    h('thead', null, h('tr', null, h('th', { scope: 'col' }, 'Source'), h('th.num', { scope: 'col' }, 'Visits'), h('th.num', { scope: 'col' }, 'Conversions'),
      !share.hides_money && h('th.num', { scope: 'col' }, 'Net'))),
    h('tbody', null, sources.items.slice(0, 20).map((/** @type {any} */ s) => h('tr', null, h('th', { scope: 'row' }, h('bdi', null, valueWord('source', s.name))),
      h('td.num', null, count(s.visits)), h('td.num', null, count(Math.round(s.conversions * 100) / 100)),
      !share.hides_money && h('td.num', null, s.net.map(money).join(' ') || '–')))))));

/** @param {any} c @param {any} share */
const line = (c, share) => h('tr', null, h('td.fit', null, exact(c.happened_at)), h('td', null, share.hides_people ? valueWord('kind', c.kind) : c.label, h('span.faint', null, ` ${statusWord(c.status)}`)),
  h('td', null, h('bdi', null, valueWord('source', c.source ?? 'unattributed')), c.campaign && h('span.faint', null, ' ', h('bdi', null, c.campaign))),
  !share.hides_people && h('td', null, c.who ?? '–'), !share.hides_money && h('td.num', null, c.net ? money(c.net) : '–'));
