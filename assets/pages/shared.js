// What whoever has a share link sees: read-only pages of the part that was chosen. No rail, no bar, no way to anything else.

import { get, post } from '../api.js';
import { h, fill, icon, announce, styles } from '../dom.js';
import { speakFor, day, plural, RANGES, today, span } from '../format.js';
import { alonePage, field, passwordInput } from '../parts/alone.js';
import { partWords } from '../parts/form.js';
import { overviewOf, sourcesOf, ledgerOf } from '../parts/shared_tables.js';

export const title = 'Shared figures';

export const ready = styles(new URL('../css/shared.css', import.meta.url));

const OFFERED = ['7d', '30d', 'month', 'last_month', '12m'];

/** What each page asks, and how it is drawn. @type {Record<string, {name: string, ask: string[], draw: (answers: any[], share: any, more: any) => import('../dom.js').Kid}>} */
const PAGES = {
  overview: { name: 'Overview', ask: ['overview?with=sources,products,countries,devices', 'timeseries'], draw: ([head, days], share) => overviewOf(head, days, share) },
  sources: { name: 'Sources', ask: ['campaigns'], draw: ([tree], share) => sourcesOf(tree, share) },
  conversions: { name: 'Conversions', ask: ['conversions'], draw: ([list], share, more) => ledgerOf('conversions', list, share, more) },
  orders: { name: 'Orders', ask: ['orders'], draw: ([list], share, more) => ledgerOf('orders', list, share, more) },
  leads: { name: 'Leads', ask: ['leads'], draw: ([list], share, more) => ledgerOf('leads', list, share, more) },
};

/** @param {HTMLElement} root @param {{token: string}} params */
export function render(root, { token }) {
  let gone = false, turn = 0;
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
    // In somebody else's page the focus stays where its reader is.
    if (window === window.parent) input.focus();
  }

  /** @param {any} share */
  async function figures(share) {
    speakFor(share);
    document.title = `${share.name} · ${share.site}`;
    const offered = RANGES.filter((r) => OFFERED.includes(r.id));
    const query = new URLSearchParams(location.search);
    let range = offered.find((r) => r.id === query.get('range')) ?? offered.find((r) => r.id === '30d') ?? offered[0];
    let page = share.pages.includes(query.get('page')) ? /** @type {string} */ (query.get('page')) : share.pages[0];
    const body = h('div.sh-body', { id: 'figures', tabindex: '-1' });
    const seg = h('div.seg', { role: 'group', 'aria-label': 'Days' }), tabs = h('nav.tabs.sh-tabs', { 'aria-label': 'Pages', hidden: share.pages.length < 2 });
    const move = () => {
      history.replaceState(null, '', `${location.pathname}?${new URLSearchParams({ ...(share.pages.length > 1 ? { page } : {}), range: range.id })}`);
      drawChoice();
      draw();
    };
    const drawChoice = () => {
      const focus = root.contains(document.activeElement) ? document.activeElement?.getAttribute('data-focus') : null;
      fill(seg, offered.map((r) => h('button', { type: 'button', 'data-focus': r.id, 'aria-pressed': String(r === range), onclick: () => { range = r; move(); } }, r.short ?? r.name)));
      fill(tabs, share.pages.map((/** @type {string} */ id) => h('button', { type: 'button', 'data-focus': `page-${id}`, 'aria-pressed': String(id === page), onclick: () => { page = id; move(); } }, PAGES[id].name)));
      if (focus) /** @type {HTMLElement|null} */ (root.querySelector(`[data-focus="${focus}"]`))?.focus();
    };
    drawChoice();
    fill(root, h('main.shared', { id: 'page' }, h('header.sh-head', null, h('div.brand', null, icon('halo'), share.site), h('h1', null, share.name),
      h('p.quiet', null, `${partWords(share.segment)}. Read-only.`, share.expires_at && ` Until ${day(share.expires_at)}.`)), h('div.sh-choice', null, tabs, seg), body,
      h('footer.quiet', null, 'Counted by HaloTrack on the shop’s own server.')));
    await draw();

    async function draw() {
      const mine = ++turn, use = PAGES[page];
      const days = range.days(today());
      const q = new URLSearchParams(days ? { from: days[0], to: days[1] } : {});
      const dim = setTimeout(() => body.classList.add('dim'), 300);
      try {
        const answers = await Promise.all(use.ask.map((path) => get(`${base}/${path.split('?')[0]}`, new URLSearchParams([...q, ...new URLSearchParams(path.split('?')[1])]))));
        if (gone || mine !== turn) return;
        const more = { next: (/** @type {string} */ cursor) => get(`${base}/${page}`, new URLSearchParams([...q, ['cursor', cursor]])), csv: `${base}/${page}.csv?${q}`,
          none: days ? `${span(...days)}: nothing in this part. Choose other days above.` : '' };
        fill(body, use.draw(answers, share, more));
        announce(`${use.name}, ${range.name}${answers[0].count === undefined ? '' : `, ${plural(answers[0].count, 'row')}`}`);
      } catch (error) {
        if (!gone && mine === turn) fill(body, h('p.note.bad', { role: 'alert' }, icon('alert', 's'), h('span', null, /** @type {any} */ (error).message), h('button.btn.small', { type: 'button', onclick: draw }, 'Try again')));
      } finally { clearTimeout(dim); if (mine === turn) body.classList.remove('dim'); }
    }
  }
}
