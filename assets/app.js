// Start, routes, the view in the address, keys. Pages get everything they need through `params`.

import { get, post, listen, net, isOffline } from './api.js';
import { h, fill, announce, installTips } from './dom.js';
import { speakFor, today, addDays, monthStart, daysIn, span, RANGES, MODELS, WINDOWS, DIMENSIONS } from './format.js';
import { createFrame } from './parts/frame.js';
import { heard, told } from './filters.js';

/**
 * @typedef {{site: string, name: string, role: 'owner'|'editor'|'analyst'|'client', part: boolean, locked: boolean, hides_money: boolean, hides_people: boolean, currency: string, zone: string, domains: string[], public_key: string,
 *   snippet: string, consent: string, model: string, window: number|string, first_touch_at: string|null, first_conversion_at: string|null}} Site
 * @typedef {{dim: string, not: boolean, has?: boolean, values: string[]}} Filter `has`: a part of the word
 * @typedef {{range?: boolean, lens?: boolean, compare?: boolean, filters?: string[], search?: boolean, exports?: string, files?: [string, string][], fileQuery?: (view: View) => string,
 *   keys?: [string, string][], rows?: boolean, picks?: boolean}} BarUse what of the bar a page uses; `files` are tables by name and address, `keys` are its own, `rows` can be
 *   walked and opened, `picks` be selected
 * @typedef {{path: string, name: string, group: string, icon: string, key: string, dock?: boolean, needs?: 'own'|'yes', shown?: (site: Site) => boolean,
 *   load: () => Promise<any>, detail?: () => Promise<any>}} Page
 * @typedef {{update?: (p: Params) => void, live?: (name: string, data: any) => void, leave?: () => void, key?: (e: KeyboardEvent) => boolean|void}} Handle
 *   what render() gives back: the view changed, an event came in, another page takes over, a key was pressed
 * @typedef {{app: typeof app, site: Site, view: View, id: string|null, may: boolean}} Params `may`: this person may act, not only read
 */

/** Every page there is. A later page is one more line here; rail, tabs and keys follow. @type {Page[]} */
export const PAGES = [
  { path: 'overview', name: 'Overview', group: '', icon: 'overview', key: 'O', dock: true, needs: 'own', load: () => import('./pages/overview.js') },
  { path: 'sources', name: 'Sources', group: 'Money', icon: 'sources', key: 'U', dock: false, needs: 'yes', load: () => import('./pages/sources.js') },
  { path: 'spend', name: 'Spend', group: 'Money', icon: 'spend', key: 'E', dock: false, shown: (site) => !site.part && site.role !== 'client', load: () => import('./pages/spend.js') },
  { path: 'attribution', name: 'Attribution', group: 'Money', icon: 'lens', key: 'T', dock: false, needs: 'yes', shown: (site) => !site.locked, load: () => import('./pages/attribution.js') },
  { path: 'daily', name: 'Daily report', group: 'Money', icon: 'calendar', key: 'Y', dock: false, needs: 'yes', shown: (site) => !site.part, load: () => import('./pages/daily.js') },
  { path: 'conversions', name: 'Conversions', group: 'Money', icon: 'conversions', key: 'C', dock: true, needs: 'yes', load: () => import('./pages/conversions.js'),
    detail: () => import('./pages/receipt.js') },
  { path: 'orders', name: 'Orders', group: 'Money', icon: 'orders', key: 'R', dock: false, needs: 'yes', shown: (site) => !site.part, load: () => import('./pages/orders.js'),
    detail: () => import('./pages/receipt.js') },
  { path: 'leads', name: 'Leads', group: 'Money', icon: 'leads', key: 'L', dock: true, needs: 'yes', shown: (site) => !site.part, load: () => import('./pages/leads.js') },
  { path: 'affiliates', name: 'Affiliates', group: 'Money', icon: 'affiliates', key: 'A', dock: false, shown: (site) => site.role !== 'client', load: () => import('./pages/affiliates.js'),
    detail: () => import('./pages/affiliate.js') },
  { path: 'links', name: 'Links', group: 'Money', icon: 'link', key: 'Q', dock: false, shown: (site) => !site.part && site.role !== 'client', load: () => import('./pages/links.js') },
  { path: 'customers', name: 'Customers', group: 'People', icon: 'customers', key: 'K', dock: false, needs: 'yes', shown: (site) => !site.part,
    load: () => import('./pages/customers.js') },
  { path: 'funnels', name: 'Funnels', group: 'People', icon: 'funnels', key: 'F', dock: false, needs: 'yes', load: () => import('./pages/funnels.js') },
  { path: 'people', name: 'People', group: 'People', icon: 'person', key: 'P', dock: false, shown: (site) => site.role !== 'client',
    load: () => import('./pages/people.js'), detail: () => import('./pages/person.js') },
  { path: 'connections', name: 'Connections', group: 'Plumbing', icon: 'connections', key: 'N', dock: false, needs: 'yes', shown: (site) => !site.part,
    load: () => import('./pages/connections.js'), detail: () => import('./pages/connection.js') },
  { path: 'deliveries', name: 'Deliveries', group: 'Plumbing', icon: 'deliveries', key: 'D', dock: true, needs: 'yes', shown: (site) => !site.part,
    load: () => import('./pages/deliveries.js') },
  { path: 'consent', name: 'Consent', group: 'Plumbing', icon: 'shield', key: 'V', dock: false, needs: 'yes', shown: (site) => !site.part && site.role !== 'client',
    load: () => import('./pages/consent.js') },
  { path: 'runs', name: 'Runs', group: 'Plumbing', icon: 'clock', key: 'W', dock: false, needs: 'yes', shown: (site) => !site.part && site.role !== 'client',
    load: () => import('./pages/runs.js') },
  { path: 'install', name: 'Install', group: 'Plumbing', icon: 'code', key: 'I', dock: false, shown: (site) => !site.first_touch_at && site.role !== 'client',
    load: () => import('./pages/install.js') },
  { path: 'settings', name: 'Settings', group: 'Plumbing', icon: 'settings', key: 'S', dock: false, load: () => import('./pages/settings.js') },
];

/** Pages outside a site, without rail and bar. */
const ALONE = { login: () => import('./pages/login.js'), setup: () => import('./pages/setup.js'), site: () => import('./pages/site.js'),
  shared: () => import('./pages/shared.js'), statement: () => import('./pages/statement.js') };

/** The whole state of a view. It lives in the address and nowhere else. */
export class View {
  /** @param {URLSearchParams} query @param {Site} site */
  constructor(query, site) {
    this.site = site;
    const [from, to] = [query.get('from'), query.get('to')];
    const custom = isDay(from) && isDay(to) && from <= to;
    this.range = custom ? 'custom' : RANGES.find((r) => r.id === query.get('range'))?.id ?? '30d';
    /** @type {string|null} */ this.from = custom ? from : null;
    /** @type {string|null} */ this.to = custom ? to : null;
    this.model = query.get('model') ?? '';
    if (!(this.model in MODELS)) this.model = site.model;
    this.window = query.get('window') ?? '';
    if (!WINDOWS.includes(this.window)) this.window = String(site.window);
    this.compare = ['none', 'year', 'custom'].find((c) => c === query.get('compare')) ?? 'previous';
    const own = [query.get('compare_from'), query.get('compare_to')];
    if (this.compare === 'custom' && !(isDay(own[0]) && isDay(own[1]) && own[0] <= own[1])) this.compare = 'previous';
    /** First and last day of a comparison of one's own. @type {string|null} */ this.compareFrom = this.compare === 'custom' ? own[0] : null;
    /** @type {string|null} */ this.compareTo = this.compare === 'custom' ? own[1] : null;
    this.align = ['weekday', 'date'].find((a) => a === query.get('align') && a !== ALIGNED[this.compare]) ?? '';
    /** @type {string} the figure the chart shows */ this.show = query.get('show') ?? '';
    /** @type {string} what the first table is by */ this.by = query.get('by') ?? '';
    /** @type {string} day or week, where it is not the usual */ this.each = query.get('each') ?? '';
    this.q = query.get('q') ?? '';
    this.sort = query.get('sort') ?? '';
    /** @type {Filter[]} */ this.filters = [];
    for (const dim of Object.keys(DIMENSIONS)) {
      const said = query.getAll(dim).map(heard);
      for (const not of [false, true]) for (const has of [false, true]) {
        const values = said.filter((v) => v.not === not && v.has === has).map((v) => v.value);
        if (values.length) this.filters.push({ dim, not, has, values });
      }
    }
  }

  get isDefaultLens() { return this.model === this.site.model && this.window === String(this.site.window); }
  get isFiltered() { return this.filters.length > 0 || this.q !== ''; }

  /** @param {Partial<View>} patch */
  with(patch) {
    const next = Object.assign(Object.create(View.prototype), this, patch);
    if (patch.range && patch.range !== 'custom') { next.from = null; next.to = null; }
    if (patch.compare && patch.compare !== 'custom') { next.compareFrom = null; next.compareTo = null; }
    if (patch.compare) next.align = patch.align ?? '';
    return /** @type {View} */ (next);
  }

  /** Only these dimensions: a page drops the filters it cannot answer. @param {string[]} dims */
  only(dims) { return this.with({ filters: this.filters.filter((f) => dims.includes(f.dim)), q: '', sort: '', show: '', by: '', each: '' }); }

  /** One more value to filter by; the opposite filter of the same value gives way. @param {string} dim @param {string} value @param {boolean} not */
  plus(dim, value, not) {
    const others = this.filters.filter((f) => f.dim !== dim || (not && f.has));
    const same = not ? this.filters.find((f) => f.dim === dim && f.not && !f.has) : null;
    return this.with({ filters: [...others, { dim, not, has: false, values: [...new Set([...same?.values ?? [], value])] }] });
  }

  /** First and last day; null is all time. @returns {[string, string]|null} */
  days() {
    if (this.range === 'custom') return [/** @type {string} */ (this.from), /** @type {string} */ (this.to)];
    return RANGES.find((r) => r.id === this.range)?.days(today()) ?? null;
  }

  /** The same length of time, earlier (-1) or later (1); null where there is none. @param {-1|1} n */
  shifted(n) {
    const days = this.days();
    if (!days) return null;
    let [from, to] = days;
    const isMonth = from.endsWith('-01') && (monthStart(from, 1) === addDays(to, 1) || this.range === 'month');
    const size = daysIn(from, to) * n;
    [from, to] = isMonth ? [monthStart(from, n), addDays(monthStart(from, n + 1), -1)] : [addDays(from, size), addDays(to, size)];
    if (from > today()) return null;
    if (to > today()) to = today();
    const named = RANGES.find((r) => { const d = r.days(today()); return d && d[0] === from && d[1] === to; });
    return named ? this.with({ range: named.id }) : this.with({ range: 'custom', from, to });
  }

  /** "Last 30 days" or the days themselves. */
  rangeName() {
    const days = this.days();
    return RANGES.find((r) => r.id === this.range)?.name ?? (days ? span(...days) : '');
  }

  /** "the time before", "a year before", or the days of a comparison of one's own. */
  comparedName() {
    if (this.compare === 'none') return 'nothing';
    if (this.compareFrom && this.compareTo) return span(this.compareFrom, this.compareTo);
    const aligned = this.align === 'date' ? ', same dates' : this.align ? ', same weekdays' : '';
    return `${this.compare === 'year' ? 'a year before' : 'the time before'}${aligned}`;
  }

  /** For the address: defaults are left out. */
  toString() {
    const q = new URLSearchParams();
    if (this.range === 'custom') { q.set('from', this.from ?? ''); q.set('to', this.to ?? ''); } else if (this.range !== '30d') q.set('range', this.range);
    if (this.model !== this.site.model) q.set('model', this.model);
    if (this.window !== String(this.site.window)) q.set('window', this.window);
    if (this.compare !== 'previous') q.set('compare', this.compare);
    this.addCompared(q);
    if (this.show) q.set('show', this.show);
    if (this.by) q.set('by', this.by);
    if (this.each) q.set('each', this.each);
    this.addFilters(q);
    if (this.q) q.set('q', this.q);
    if (this.sort) q.set('sort', this.sort);
    const text = q.toString();
    return text ? `?${text}` : '';
  }

  /** For the API: what this page's list is asked with. @param {BarUse} use */
  ask(use) {
    const q = new URLSearchParams();
    const days = use.range ? this.days() : null;
    if (days) { q.set('from', days[0]); q.set('to', days[1]); }
    if (use.lens) { q.set('model', this.model); q.set('window', this.window); }
    if (use.compare && days && this.compare !== 'none') { q.set('compare', this.compare); this.addCompared(q); }
    this.addFilters(q, use.filters ?? []);
    if (use.search && this.q) q.set('q', this.q);
    if (this.sort) q.set('sort', this.sort);
    return q;
  }

  /** @param {URLSearchParams} q */
  addCompared(q) {
    if (this.align) q.set('align', this.align);
    if (this.compareFrom && this.compareTo) { q.set('compare_from', this.compareFrom); q.set('compare_to', this.compareTo); }
  }

  /** @param {URLSearchParams} q @param {string[]} [dims] */
  addFilters(q, dims) {
    for (const f of this.filters) if (!dims || dims.includes(f.dim)) for (const v of f.values) q.append(f.dim, told(f, v));
  }
}

/** What stands over what where nobody says so. @type {Record<string, string>} */
const ALIGNED = { previous: 'date', year: 'weekday' };

/** @param {string|null} text @returns {text is string} */
const isDay = (text) => !!text && /^\d{4}-\d\d-\d\d$/.test(text) && !Number.isNaN(Date.parse(text));

/** What rail, bar, menus and pages share. */
export const app = {
  /** @type {{user: {id: string, email: string, name: string|null}, sites: Site[], version: string, demo: boolean, may_add_site: boolean}|null} */ me: null,
  /** @type {Site|null} */ site: null,
  /** @type {Page|null} */ page: null,
  /** @type {View|null} */ view: null,
  /** @type {BarUse} */ use: {},
  /** @type {number|null} visitors in the last five minutes */ visitors: null,
  /** @type {string|null} when the figures on screen were fetched */ figuresAt: null,
  /** @type {string|null} what the server said when it was asked who is signed in: signed_out or no_owner */ refused: null,
  pages: PAGES,
  /** Values the filter can offer; the page on screen knows them. @type {(dim: string) => {value: string, count?: number}[]} */ suggest: () => [],

  /** @param {string} url @param {{replace?: boolean, state?: object|null}} [how] */
  navigate(url, { replace = false, state = null } = {}) {
    const same = url === location.pathname + location.search;
    history[replace || same ? 'replaceState' : 'pushState'](state, '', url);
    route();
  },
  /** The same page with another view. @param {Partial<View>|View} patch @param {{replace?: boolean}} [how] */
  go(patch, how) {
    const view = patch instanceof View ? patch : app.view?.with(patch);
    if (view && app.site && app.page) app.navigate(app.href(app.page.path, view), how);
  },
  /** @param {string} page @param {View} [view] @param {string} [id] */
  href(page, view, id) { return `/dashboard/${app.site?.site}/${page}${id ? `/${encodeURIComponent(id)}` : ''}${view ?? ''}`; },
  /** Asks again who is signed in; sites may have changed. */
  async refreshMe() { app.me = await get('/api/me'); app.refused = null; return app.me; },
  async signOut() { await post('/api/logout').catch(() => {}); app.me = null; app.refused = 'signed_out'; app.navigate('/login'); },
  /** @param {string} text */
  toast(text) { showToast(text); },
  /** @param {string} choice system, light or dark */
  setTheme(choice) { store('halo-theme', choice === 'system' ? null : choice); applyTheme(); },
  theme: () => stored('halo-theme') ?? 'system',
  updateBar() { frame?.update(); },
  /** What needs the owner, as a page has fetched it with its figures. @param {any} facts */
  needs(facts) { frame?.needs.draw(facts); },
  /** Where visits and conversions are looked at, filters can be kept under a name. */
  get hasSegments() { return !!app.use.filters?.includes('channel') && !app.site?.part && app.site?.role !== 'client'; },
};

const root = /** @type {HTMLElement} */ (document.getElementById('app'));
/** @type {ReturnType<typeof createFrame>|null} */ let frame = null;
/** @type {Handle|null} the page on screen */ let handle = null;
/** @type {any} */ let shownModule = null;
let shownFor = '';
let turn = 0;
/** @type {(() => void)|null} */ let closeStream = null;
let streamFor = '';

// ---- routes ----

async function route() {
  const mine = ++turn;
  document.querySelectorAll('[popover]:popover-open').forEach((el) => /** @type {HTMLElement} */ (el).hidePopover());
  const [first, slug, name, id] = location.pathname.split('/').filter(Boolean).map(decodeURIComponent);
  if (first === 'login') return alone('login', {}, mine);
  if (first === 'setup') return alone('setup', { token: slug ?? '' }, mine);
  if (first === 's') return alone('shared', { token: slug ?? '' }, mine);
  if (first === 'statement') return alone('statement', { token: slug ?? '' }, mine);

  const early = PAGES.find((p) => p.path === name);
  if (early && !id) early.load().catch(() => {}); // fetched while we ask who is signed in
  if (!app.me) {
    try { await app.refreshMe(); } catch (error) { if (mine === turn) failed(error); return; }
    if (mine !== turn) return;
  }
  const me = /** @type {NonNullable<typeof app.me>} */ (app.me);
  if (slug === '+site' || (!me.sites.length && me.may_add_site)) return alone('site', {}, mine);
  if (!me.sites.length) return alone('login', { nothing: true }, mine);
  // Addresses that name a platform and no site: they mean the first site, and its page for that platform.
  if (slug === 'integrations' && name && !PAGES.some((x) => x.path === name)) {
    return app.navigate(`/dashboard/${me.sites[0].site}/connections/${encodeURIComponent(`+${name}`)}`, { replace: true });
  }
  const site = me.sites.find((s) => s.site === slug);
  if (!site) return app.navigate(`/dashboard/${me.sites[0].site}`, { replace: true });
  const page = PAGES.find((p) => p.path === name);
  if (!page) { app.site = site; return app.navigate(app.href(site.first_touch_at || site.first_conversion_at || site.role === 'client' ? PAGES[0].path : 'install'), { replace: true }); }

  speakFor(site);
  // A receipt opened from the ledger lies over it; the same address, pasted, is a page of its own.
  const isDetail = !!id && !!page.detail && !history.state?.panel;
  let module;
  try { module = await (isDetail ? page.detail : page.load)?.(); await module.ready; } catch { if (mine === turn) lost(); return; }
  if (mine !== turn) return;

  Object.assign(app, { site, page, view: new View(new URLSearchParams(location.search), site), use: useOf(module.bar ?? {}, site) });
  watch(site.site);
  if (!frame || !frame.el.isConnected) { frame = createFrame(app); fill(root, frame.el); shownFor = ''; }
  document.title = `${module.title} · ${site.name} · HaloTrack`;
  frame.update();
  frame.needs.page(!!page.needs && !isDetail, page.needs === 'own');
  /** @type {Params} */
  const params = { app, site, view: /** @type {View} */ (app.view), id: id ?? null, may: site.role === 'owner' || site.role === 'editor' };
  const key = `${site.site}/${page.path}${isDetail ? `/${id}` : ''}`;
  if (key === shownFor && shownModule === module && handle?.update) return handle.update(params);
  leave();
  app.suggest = () => [];
  app.figuresAt = null;
  shownFor = key;
  shownModule = module;
  fill(frame.main);
  frame.main.className = 'page';
  scrollTo(0, 0);
  handle = module.render(frame.main, params) ?? {};
  announce(module.title);
}

/** What of the bar somebody may use: a client has no files, and who is shown a part sees it through the books' own lens. @param {BarUse} use @param {Site} site @returns {BarUse} */
const useOf = (use, site) => (site.role !== 'client' ? use : { ...use, exports: undefined, files: undefined, lens: use.lens && !site.part });

/** @param {keyof typeof ALONE} which @param {object} params @param {number} mine */
async function alone(which, params, mine) {
  /** @type {any} */ let module;
  try { module = await ALONE[which](); await module.ready; } catch { return lost(); }
  if (mine !== turn) return;
  leave();
  frame = null;
  shownFor = '';
  closeStream?.();
  streamFor = '';
  document.title = `${module.title} · HaloTrack`;
  fill(root);
  handle = module.render(root, { app, ...params }) ?? {};
}

function leave() { handle?.leave?.(); handle = null; }

/** @param {any} error from the first question of all */
function failed(error) {
  app.refused = error.code ?? null;
  if (error.status === 401) return toLogin(error.code === 'no_owner' ? '' : undefined);
  alone0('The dashboard could not be opened', `${error.message} Counting goes on meanwhile.`);
}

/** A module that is not there any more: the server was upgraded under an open page. */
function lost() { alone0('A newer version is running', 'This page was opened with the one before. Nothing is lost; load it again.'); }

/** @param {string} title @param {string} text */
function alone0(title, text) {
  leave();
  frame = null;
  fill(root, h('main.alone', null, h('h1', null, title), h('p', null, text),
    h('button.btn.main', { type: 'button', onclick: () => location.reload() }, 'Try again')));
}

/** @param {string} [note] */
function toLogin(note) {
  const here = location.pathname + location.search;
  const back = /^\/dashboard\/./.test(here) ? `?back=${encodeURIComponent(here)}` : '';
  app.navigate(`/login${back}`, { replace: true, state: { note: note ?? (app.me ? 'You were signed out. Your view is kept; sign in to go on.' : '') } });
}

net.addEventListener('signed-out', () => { if (app.me) { toLogin(); app.me = null; } });
net.addEventListener('offline', () => frame?.update());
net.addEventListener('online', () => { frame?.update(); again(); });

/** Asks for the figures on screen once more. */
function again() { if (app.site && app.page && handle?.update) route(); }

/** @param {string} site */
function watch(site) {
  if (streamFor === site) return;
  closeStream?.();
  streamFor = site;
  app.visitors = null;
  closeStream = listen(site, (name, data) => {
    if (name === 'visitors') { app.visitors = data.now; frame?.visitors(); }
    frame?.needs.live(name);
    handle?.live?.(name, data);
  });
}

// ---- small things of the whole page ----

/** @param {string} key */
function stored(key) { try { return localStorage.getItem(key); } catch { return null; } }
/** @param {string} key @param {string|null} value */
function store(key, value) {
  try {
    if (value === null) localStorage.removeItem(key); else localStorage.setItem(key, value);
  } catch { /* private window: the choice lasts as long as the page */ }
}

function applyTheme() {
  const choice = app.theme();
  if (choice === 'system') document.documentElement.removeAttribute('data-theme'); else document.documentElement.setAttribute('data-theme', choice);
}

let toastTimer = 0;
/** @param {string} text */
function showToast(text) {
  document.querySelector('.toast')?.remove();
  const el = h('div.toast', { popover: 'manual' }, text);
  (document.querySelector('dialog[open]') ?? document.body).appendChild(el);
  el.showPopover();
  announce(text);
  clearTimeout(toastTimer);
  toastTimer = setTimeout(() => el.remove(), 4000);
}

// ---- keys ----

let afterG = 0;

/** @param {KeyboardEvent} e */
function onKey(e) {
  if (e.defaultPrevented || e.ctrlKey || e.metaKey || e.altKey || e.isComposing) return;
  const target = /** @type {HTMLElement} */ (e.target);
  const typing = target.matches?.('input:not([type=checkbox],[type=radio]), textarea, select, [contenteditable]');
  if (typing) { if (e.key === 'Escape' && !document.querySelector('dialog[open]')) target.blur(); return; }
  if (!frame || !app.site || !app.view) return;
  if (document.querySelector('dialog[open]')) { handle?.key?.(e); return; }
  // After G a letter is a page's, whatever it is on the page that is left.
  if (went(e) || handle?.key?.(e)) { e.preventDefault(); return; }
  const done = shortcut(e);
  if (done) e.preventDefault();
}

/** @param {KeyboardEvent} e @returns {boolean} */
function went(e) {
  if (Date.now() - afterG >= 1500 || e.shiftKey) return false;
  afterG = 0;
  const page = PAGES.find((p) => p.key === e.key.toUpperCase() && (p.shown?.(/** @type {Site} */ (app.site)) ?? true));
  if (page) app.navigate(frame?.pageHref(page) ?? '');
  return !!page;
}

/** @param {KeyboardEvent} e @returns {boolean} */
function shortcut(e) {
  const view = /** @type {View} */ (app.view);
  const letter = e.key.length === 1 ? e.key.toUpperCase() : e.key;
  if (letter === '?') { import('./parts/keys.js').then((m) => m.showKeys(app)); return true; }
  if (e.shiftKey) return false;
  if (letter === 'G') { afterG = Date.now(); return true; }
  if (/^[1-9]$/.test(letter)) {
    const site = app.me?.sites[Number(letter) - 1];
    if (site && site !== app.site) app.navigate(`/dashboard/${site.site}/${app.page?.path}`);
    return !!site;
  }
  if (letter === 'Escape') {
    if (document.querySelector('[popover=auto]:popover-open') || !view.isFiltered) return false;
    app.go({ filters: [], q: '' });
    return true;
  }
  if (letter === '/') { const box = /** @type {HTMLElement|null} */ (document.querySelector('[data-search]')); box?.focus(); return !!box; }
  if (letter === 'F' && app.use.filters) { frame?.open('filter'); return true; }
  if (letter === 'S' && app.hasSegments) { frame?.open('segments'); return true; }
  if (letter === 'X' && app.use.compare) { app.go({ compare: view.compare === 'none' ? 'previous' : 'none' }); return true; }
  if (!app.use.range) return false;
  if (letter === 'C') { frame?.open('custom'); return true; }
  const range = RANGES.find((r) => r.key === letter);
  if (range) { app.go({ range: range.id }); announce(range.name); return true; }
  if (letter === 'ArrowLeft' || letter === 'ArrowRight') {
    const next = view.shifted((letter === 'ArrowLeft' ? -1 : 1) * (document.dir === 'rtl' ? -1 : 1) === -1 ? -1 : 1);
    if (next) { app.go(next); announce(next.rangeName()); }
    return !!next;
  }
  return false;
}

// ---- start ----

applyTheme();
installTips();
addEventListener('popstate', route);
document.addEventListener('keydown', onKey);
document.addEventListener('click', (e) => {
  const link = e.target instanceof Element ? e.target.closest('a[href^="/dashboard"]') : null;
  if (!link || e.defaultPrevented || e.button || e.ctrlKey || e.metaKey || e.shiftKey || link.hasAttribute('target') || link.hasAttribute('download')) return;
  e.preventDefault();
  app.navigate(link.getAttribute('href') ?? '', { state: link.hasAttribute('data-panel') ? { panel: true } : null });
});
if (isOffline()) net.dispatchEvent(new Event('offline'));
route();
