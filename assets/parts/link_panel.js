// One short link: its address to copy and as a square code, where it leads, what came of it, its name and its end.

import { get, post } from '../api.js';
import { h, fill, icon, copyButton } from '../dom.js';
import { count, plural, money, exact, when, addDays, daysIn, countryName, valueWord } from '../format.js';
import { openDialog, dialogHead, confirm } from './menu.js';
import { field } from './alone.js';
import { dayBars } from './day_bars.js';
import { qrPicture } from './qr_picture.js';

/** What a link is called: by its name, else by its campaign, else by where it leads. @param {any} r */
export const linkName = (r) => r.label ?? r.utm_campaign ?? r.target.replace(/^https?:\/\//, '').replace(/\/$/, '');
/** Without what everybody knows. @param {string} url */
export const shortText = (url) => url.replace(/^https?:\/\//, '');

/**
 * @param {import('../app.js').Params} p @param {string} id @param {{changed: () => void, closed: (id: string) => void, like: (link: any) => void}} on
 */
export function openLink(p, id, on) {
  const url = `/api/sites/${p.site.site}/links/${encodeURIComponent(id)}`;
  const box = h('div.rc.link');
  const { el, close } = openDialog({ label: 'Link', slide: 'side', onclose: () => on.closed(id) }, box);

  async function show() {
    try {
      const link = await get(url);
      if (el.open) draw(link);
    } catch (error) {
      const err = /** @type {any} */ (error);
      if (err.code === 'signed_out') return;
      fill(box, dialogHead('Link', close), h('div.trouble', { role: 'alert' }, icon('alert'),
        h('p', null, h('b', null, err.status === 404 ? 'There is no link at this address.' : 'This link could not be fetched.'), err.status === 404 ? '' : ` ${err.message}`)));
    }
  }

  /** @param {any} link */
  function draw(link) {
    const line = (/** @type {string} */ name, /** @type {import('../dom.js').Kid} */ inside) => h('div.rc-line', null, h('h3', null, name), h('div', null, inside));
    fill(box, dialogHead(/** @type {any} */ (h('bdi', null, linkName(link))), close), h('div.rc-body', null,
      link.state !== 'open' && h('div.rc-wide', null, h('p.note.warn', null, icon('alert', 's'), h('span', null, link.state === 'ended'
        ? `Ended ${when(link.ended_at)}. Whoever opens it is told that it leads nowhere.` : 'Its page is on no domain of this site any more, so it leads nowhere. Put the domain back in the settings.'))),
      h('div.rc-wide', null, h('div.code', null, h('code', null, link.url), copyButton(() => link.url, 'Copy')), link.state === 'open' && qrPicture(link.url, linkName(link))),
      line('Leads to', h('a', { href: link.to, target: '_blank', rel: 'noopener noreferrer' }, h('bdi', null, link.to))),
      line('Clicks', [h('span', null, h('b', null, plural(link.clicks, 'click')), link.last_click_at ? `, the last ${when(link.last_click_at)}` : ''), h('span.quiet', null, link.bots ? `${plural(link.bots, 'bot')} besides, counted apart` : 'No bots so far')]),
      link.affiliate && line('Partner', [h('bdi', null, link.affiliate), h('span.quiet', null, 'Each click counts for this partner as it is made, once for a browser and half an hour.')]),
      line('Visits', [h('span', null, plural(link.visits, 'visit')), link.visits === 0 && link.clicks >= 10 && h('span.warn', null, icon('alert', 's'), ' People click, but no visit arrives. Is the tag on that page?')]),
      line('Came of it', link.conversions ? h('span', null, h('b', null, plural(link.conversions, 'conversion')), link.net_by_currency.length > 0 && `, ${link.net_by_currency.map(money).join(' and ')} net`) : h('span.faint', null, 'No conversion so far')),
      link.days.length > 0 && h('div.rc-wide', null, h('h3', null, 'Clicks, the last 30 days'), dayBars(everyDay(link), (d) => d.clicks, (d) => [plural(d.clicks, 'click'), d.bots > 0 && plural(d.bots, 'bot')].filter(Boolean).join(', '))),
      facets(link),
      line('Name', p.may ? name(link) : link.label ?? h('span.faint', null, 'none')),
      line('Made', h('span.quiet', null, exact(link.created_at)))),
    p.may && h('footer.rc-foot', null, h('button.btn', { type: 'button', onclick: () => on.like(link) }, icon('copy', 's'), 'Another like this'),
      link.state === 'ended' ? h('button.btn', { type: 'button', onclick: () => change({ ended: false }) }, 'Open it again')
        : h('button.btn.danger', { type: 'button', onclick: () => end(link) }, 'End it')));
  }

  /** @param {any} link */
  function facets(link) {
    const part = (/** @type {string} */ title, /** @type {{value: string, count: number}[]} */ rows, /** @type {(v: string) => string} */ word) => rows.length > 0 && h('div', null, h('h3', null, title),
      h('ul', null, rows.slice(0, 5).map((r) => h('li', null, h('bdi.cut', null, word(r.value)), h('span.num', null, count(r.count))))));
    if (!link.referrers.length) return null;
    return h('div.rc-wide.link-facets', null, part('Clicked on', link.referrers, (v) => (v === '(none)' ? 'not told' : v)), part('Countries', link.countries, countryName), part('Devices', link.devices, (v) => valueWord('device', v)));
  }

  /** @param {any} link */
  function name(link) {
    const input = /** @type {HTMLInputElement} */ (h('input.in', { name: 'label', maxlength: 100, autocomplete: 'off', value: link.label ?? '' }));
    const save = /** @type {HTMLButtonElement} */ (h('button.btn.small', { type: 'submit' }, 'Save'));
    const f = field('What to call it', input, { side: save, help: 'Only you see it.' });
    return h('form', { novalidate: true, onsubmit: async (/** @type {Event} */ e) => {
      e.preventDefault();
      save.disabled = true;
      await change({ label: input.value }, (error) => { f.say(error.message); input.focus(); });
      save.disabled = false;
    } }, f.el);
  }

  /** @param {any} link */
  async function end(link) {
    const yes = await confirm({ title: `End “${linkName(link)}”?`, yes: 'End it', danger: true, text: h('p', null, 'Whoever opens it from then on, also from paper, is told that it leads nowhere. Its figures stay, and you can open it again.') });
    if (yes) await change({ ended: true });
  }

  /** @param {object} what @param {(error: any) => void} [failed] */
  async function change(what, failed) {
    try {
      await post(url, what);
      p.app.toast('Saved.');
      on.changed();
      await show();
    } catch (error) {
      const err = /** @type {any} */ (error);
      if (failed) failed(err); else p.app.toast(`Not changed. ${err.message}`);
    }
  }

  fill(box, dialogHead('Link', close), h('div.skeleton', null, Array.from({ length: 7 }, () => h('i'))));
  show();
  return { id, close, refresh: show };
}

/** Also the days without a click. @param {any} link */
function everyDay(link) {
  const known = new Map(link.days.map((/** @type {any} */ d) => [d.day, d]));
  return Array.from({ length: daysIn(link.from, link.until) }, (_, n) => addDays(link.from, n)).map((d) => known.get(d) ?? { day: d, clicks: 0, bots: 0, visits: 0 });
}
