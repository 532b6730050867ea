// How figures, times and states are said. Text only; no elements.

/** @typedef {{minor: number, currency: string}} Money */

const EN = 'en-GB';
const DASH = '–';
const MINUS = '−';

let zone = 'UTC';
let currency = 'EUR';
let hasMoney = true, isPart = false, hasPeople = true;
/** @type {Map<string, Intl.DateTimeFormat>} */
const dates = new Map();

/** All times are said in the site's zone, its own currency needs no code. @param {{zone: string, currency: string, hides_money?: boolean, hides_people?: boolean, part?: boolean}} site */
export function speakFor(site) {
  zone = site.zone;
  currency = site.currency;
  [hasMoney, hasPeople, isPart] = [!site.hides_money, !site.hides_people, !!site.part];
  dates.clear();
}

export const ownCurrency = () => currency;
/** Whether amounts may be seen here. */
export const showsMoney = () => hasMoney;
/** Whether all of the site is shown, with what opened and what closed each sale. */
export const showsAll = () => !isPart;
/** What a row is called: its order's number would tell of a person. @param {any} r */
export const labelOf = (r) => (!hasPeople ? `${KINDS[r.kind] ?? r.kind} ${String(r.id).replace(/\D+/, '')}` : r.kind === 'custom' && r.name ? r.name : r.label);
/** "Dublin time": said once per table. */
export const zoneName = () => `${(zone.split('/').pop() ?? zone).replaceAll('_', ' ')} time`;

// ---- numbers ----

const whole = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });

/** @param {number|null|undefined} n */
export const count = (n) => (n === null || n === undefined ? DASH : whole.format(n).replace('-', MINUS));

/** "1 conversion", "2 conversions". @param {number} n @param {string} one @param {string} [many] */
export const plural = (n, one, many = `${one}s`) => `${count(n)} ${n === 1 ? one : many}`;

/** "4.2 MB". @param {number} n */
export const bytes = (n) => (n < 1e6 ? `${count(Math.max(1, Math.round(n / 1e3)))} kB` : `${(n / 1e6).toFixed(1)} MB`);

/** One decimal, two below 10 %, never a rounded-away zero. @param {number} share 0 to 1 */
export function percent(share) {
  const p = share * 100;
  if (p > 0 && p < 0.1) return '<0.1%';
  if (p === 0 || p === 100) return `${p}%`;
  return `${p.toFixed(p < 10 ? 2 : 1)}%`;
}

/**
 * The Wilson range of a share, said beside it for fewer than 30 cases: "9.7–70.0"; empty above.
 * @param {number} hits @param {number} all
 */
export function rangeOf(hits, all) {
  // More cases than the whole has make no share: sales without a visit. No range holds that.
  if (!all || all >= 30 || hits > all || hits < 0) return '';
  const z = 1.96, p = hits / all, d = 1 + z * z / all;
  const mid = p + z * z / (2 * all), spread = z * Math.sqrt(p * (1 - p) / all + z * z / (4 * all * all));
  const bound = (/** @type {number} */ x) => (Math.min(1, Math.max(0, x / d)) * 100).toFixed(1);
  return `${bound(mid - spread)}–${bound(mid + spread)}`;
}

/** @param {number} bp basis points, 0 to 10 000 */
export const points = (bp) => percent(bp / 10000);

// ---- money ----

/** @type {Map<string, {digits: number, sign: string}>} */
const currencies = new Map();

/** @param {string} code */
function about(code) {
  let known = currencies.get(code);
  if (!known) {
    known = { digits: 2, sign: code };
    try {
      const f = new Intl.NumberFormat('en', { style: 'currency', currency: code, currencyDisplay: 'narrowSymbol' });
      known = { digits: f.resolvedOptions().maximumFractionDigits ?? 2, sign: f.formatToParts(0).find((p) => p.type === 'currency')?.value ?? code };
    } catch { /* no currency the browser knows: its code and two digits */ }
    currencies.set(code, known);
  }
  return known;
}

/** @param {number} minor @param {string} code @returns {[string, string, string]} minus, whole, fraction with its point */
function parts(minor, code) {
  const { digits } = about(code);
  const size = Math.abs(Math.trunc(minor));
  const unit = 10 ** digits;
  const rest = digits ? `.${String(size % unit).padStart(digits, '0')}` : '';
  return [minor < 0 ? MINUS : '', whole.format(Math.floor(size / unit)), rest];
}

/** "€86.90", "GBP 118.00", "−€39.00". @param {Money|null|undefined} m */
export function money(m) {
  if (!m) return DASH;
  const [minus, figure, rest] = parts(m.minor, m.currency);
  return `${minus}${prefix(m.currency)}${figure}${rest}`;
}

/** For a column whose head names the site's currency: "86.90", and "GBP 118.00" where it is another. @param {Money|null|undefined} m */
export function amount(m) {
  if (!m) return DASH;
  const [minus, figure, rest] = parts(m.minor, m.currency);
  return m.currency === currency ? `${minus}${figure}${rest}` : `${m.currency} ${minus}${figure}${rest}`;
}

/** In a column that names its currency at head or foot: "86.90". @param {Money|null|undefined} m */
export const bare = (m) => (m ? parts(m.minor, m.currency).join('') : DASH);

/** Without its fraction, for charts and columns that only compare: "8,473". @param {Money|null|undefined} m */
export function roundMoney(m) {
  if (!m) return DASH;
  const unit = 10 ** about(m.currency).digits, whole_ = Math.round(Math.abs(m.minor) / unit);
  return `${m.minor < 0 && whole_ ? MINUS : ''}${whole.format(whole_)}`;
}

/** Minor units in one of the currency: 100, 1, 1000. @param {string} [code] */
export const unitOf = (code = currency) => 10 ** about(code).digits;

/** A headline: the figure and, paler, its cents. @param {Money} m @returns {[string, string]} */
export function headline(m) {
  const [minus, figure, rest] = parts(m.minor, m.currency);
  return [`${minus}${prefix(m.currency)}${figure}`, rest];
}

/** @param {string} [code] */
export const currencySign = (code = currency) => about(code).sign;

function prefix(/** @type {string} */ code) {
  if (code !== currency) return `${code} `;
  const { sign } = about(code);
  return /[a-z]$/i.test(sign) ? `${sign} ` : sign;
}

// ---- time ----

/** @param {Intl.DateTimeFormatOptions} options */
function dateFormat(options) {
  const key = JSON.stringify(options);
  let f = dates.get(key);
  if (!f) {
    try { f = new Intl.DateTimeFormat(EN, { timeZone: zone, ...options }); } catch { f = new Intl.DateTimeFormat(EN, { timeZone: 'UTC', ...options }); }
    dates.set(key, f);
  }
  return f;
}

/** A time (RFC 3339) or a day (YYYY-MM-DD) as one moment; a day becomes its noon in UTC and is then read in UTC. */
const isDay = (/** @type {string} */ text) => text.length === 10;
const moment = (/** @type {string} */ text) => new Date(isDay(text) ? `${text}T12:00:00Z` : text);

/** "14:12" @param {string} at */
export const clock = (at) => dateFormat({ hour: '2-digit', minute: '2-digit', hourCycle: 'h23' }).format(moment(at));
/** "14:12:03" @param {string|Date} at */
export const clockSeconds = (at) => dateFormat({ hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23' }).format(new Date(at));

/** "Tue 23 Jun", with the year when it is not this one. @param {string} at @param {boolean} [long] with the weekday's full name */
export function day(at, long = false) {
  const date = moment(at);
  const tz = isDay(at) ? { timeZone: 'UTC' } : {};
  const year = dayOf(at).slice(0, 4) === today().slice(0, 4) ? undefined : 'numeric';
  return dateFormat({ weekday: long ? 'long' : 'short', day: 'numeric', month: long ? 'long' : 'short', year, ...tz }).format(date).replace(',', '');
}

/** "23 Jun" @param {string} at @param {boolean} [withYear] */
export const shortDay = (at, withYear = false) => dateFormat({ day: 'numeric', month: 'short', ...(withYear ? { year: 'numeric' } : {}),
  ...(isDay(at) ? { timeZone: 'UTC' } : {}) }).format(moment(at));

/** "2 minutes ago" under an hour, else "14:12" today, else "Tue 23 Jun, 14:12". @param {string} at */
export function when(at) {
  const past = (Date.now() - new Date(at).getTime()) / 60000;
  if (past >= 0 && past < 1) return 'just now';
  if (past >= 1 && past < 60) return `${plural(Math.floor(past), 'minute')} ago`;
  if (past < 0 && past > -60) return `in ${plural(Math.max(1, Math.ceil(-past)), 'minute')}`;
  return dayOf(at) === today() ? clock(at) : `${day(at)}, ${clock(at)}`;
}

/** "Tue 23 Jun 2026, 14:12:03" @param {string} at */
export function exact(at) {
  const d = dateFormat({ weekday: 'short', day: 'numeric', month: 'short', year: 'numeric' }).format(moment(at));
  return `${d.replace(',', '')}, ${clockSeconds(at)}`;
}

/** The day in the site's zone. @param {string} at */
export function dayOf(at) {
  if (isDay(at)) return at;
  const p = Object.fromEntries(dateFormat({ year: 'numeric', month: '2-digit', day: '2-digit' }).formatToParts(moment(at)).map((x) => [x.type, x.value]));
  return `${p.year}-${p.month}-${p.day}`;
}

export const today = () => dayOf(new Date().toISOString());

/** @param {string} from @param {number} n */
export function addDays(from, n) {
  const date = moment(from);
  date.setUTCDate(date.getUTCDate() + n);
  return date.toISOString().slice(0, 10);
}

/** First day of the month `n` months on. @param {string} from @param {number} n */
export function monthStart(from, n = 0) {
  const [y, m] = from.split('-').map(Number);
  return new Date(Date.UTC(y, m - 1 + n, 1, 12)).toISOString().slice(0, 10);
}

/** Days from one to the other, both counted. @param {string} from @param {string} to */
export const daysIn = (from, to) => Math.round((moment(to).getTime() - moment(from).getTime()) / 86400000) + 1;

/** "12 Jun – 23 Jun", "23 Jun", with years where one is not this year. @param {string} from @param {string} to */
export function span(from, to) {
  const years = from.slice(0, 4) !== today().slice(0, 4) || to.slice(0, 4) !== today().slice(0, 4);
  return from === to ? shortDay(from, years) : `${shortDay(from, years && from.slice(0, 4) !== to.slice(0, 4))} – ${shortDay(to, years)}`;
}

/** @typedef {{id: string, key: string, name: string, short: string, group: number, days: (t: string) => [string, string]|null}} NamedRange */
/** @type {NamedRange[]} */
export const RANGES = [
  { id: 'today', key: 'D', name: 'Today', short: 'Today', group: 1, days: (t) => [t, t] },
  { id: 'yesterday', key: 'E', name: 'Yesterday', short: 'Yesterday', group: 1, days: (t) => [addDays(t, -1), addDays(t, -1)] },
  { id: '7d', key: 'W', name: 'Last 7 days', short: '7 days', group: 2, days: (t) => [addDays(t, -6), t] },
  { id: '30d', key: 'T', name: 'Last 30 days', short: '30 days', group: 2, days: (t) => [addDays(t, -29), t] },
  { id: 'month', key: 'M', name: 'Month to date', short: 'This month', group: 3, days: (t) => [monthStart(t), t] },
  { id: 'last_month', key: 'P', name: 'Last month', short: 'Last month', group: 3, days: (t) => [monthStart(t, -1), addDays(monthStart(t), -1)] },
  { id: 'year', key: 'Y', name: 'Year to date', short: 'This year', group: 4, days: (t) => [`${t.slice(0, 4)}-01-01`, t] },
  { id: '12m', key: 'L', name: 'Last 12 months', short: '12 months', group: 4, days: (t) => [addDays(monthStart(t, -11), 0), t] },
  { id: 'all', key: 'A', name: 'All time', short: 'All time', group: 5, days: () => null },
];

// ---- words for codes ----

/** @type {Record<string, string>} */
export const MODELS = { last_non_direct: 'Last non-direct', last: 'Last touch', first: 'First touch', linear: 'Linear', position: 'Position',
  time_decay: 'Time decay', first_non_direct: 'First non-direct' };
/** @type {Record<string, string>} */
export const MODELS_SHORT = { last_non_direct: 'last n-d', last: 'last', first: 'first', linear: 'linear', position: 'position', time_decay: 'decay',
  first_non_direct: 'first n-d' };
/** @type {Record<string, string>} */
export const MODEL_NOTES = {
  last_non_direct: 'All to the last visit that had a source',
  last: 'All to the last visit, direct or not',
  first: 'All to the visit that began it',
  linear: 'The same to every visit that had a source',
  position: '40% to the first, 40% to the last, 20% between',
  time_decay: 'More to the later: half as much per 7 days back',
  first_non_direct: 'All to the first visit that had a source',
};
export const WINDOWS = ['1', '7', '14', '30', '60', '90', 'unlimited'];
/** @param {string} w */
export const windowName = (w) => (w === 'unlimited' ? 'any time' : plural(Number(w), 'day'));

/** @type {Record<string, string>} */
const PLATFORMS = { meta: 'Meta', ga4: 'GA4', google_ads: 'Google Ads', hubspot: 'HubSpot', anytrack: 'AnyTrack', tiktok: 'TikTok', microsoft: 'Microsoft',
  linkedin: 'LinkedIn', pinterest: 'Pinterest', webhook: 'Webhook', woocommerce: 'WooCommerce', shopify: 'Shopify', forms: 'Forms', stripe: 'Stripe',
  chatwoot: 'Chatwoot', crisp: 'Crisp', tawk: 'tawk.to', zoom: 'Zoom', eventbrite: 'Eventbrite', easyappointments: 'Easy!Appointments', poshvip: 'Posh',
  calcom: 'Cal.com', calendly: 'Calendly', typeform: 'Typeform', metaleads: 'Meta lead ads', generic: 'API', api: 'API', import: 'Import', manual: 'By hand', referral: 'Referral', direct_signup: 'Sign-up' };
/** @type {Record<string, string>} */
export const PLATFORM_LETTERS = { meta: 'Me', ga4: 'G4', google_ads: 'GA', hubspot: 'HS', anytrack: 'AT', tiktok: 'TT', microsoft: 'MS', linkedin: 'Li',
  pinterest: 'Pi', webhook: 'WH' };
/** @param {string} slug */
export const platform = (slug) => PLATFORMS[slug] ?? slug;

/** @type {Record<string, string>} */
const MATCHES = { session: 'session', code: 'short code', click: 'click ID', email: 'e-mail', phone: 'phone', customer_id: 'customer ID', coupon: 'coupon',
  imported: 'imported', stated: 'stated', none: 'none' };
/** @param {{type: string, asserted?: boolean}} match */
export const matchWord = (match) => `${match.asserted ? 'asserted ' : ''}${MATCHES[match.type] ?? match.type}`;

/** @type {Record<string, string>} */
const KINDS = { sale: 'Sale', lead: 'Lead', signup: 'Sign-up', custom: 'Custom' };
/** @type {Record<string, string>} */
const KINDS_MANY = { sale: 'Sales', lead: 'Leads', signup: 'Sign-ups', custom: 'Custom' };
/** @param {string} kind */
export const kindsWord = (kind) => KINDS_MANY[kind] ?? kind;

/** @type {Record<string, string>} */
const STATES = { pending: 'waiting', leased: 'sending', delivered: 'delivered', accepted: 'accepted', skipped: 'not sent', refused: 'refused', dead: 'given up',
  held: 'held', cancelled: 'cancelled' };
/** @param {string} state */
export const stateWord = (state) => STATES[state] ?? state;

/** @type {Record<string, string>} */
const STATUSES = { part_refunded: 'part refunded', broken_off: 'broken off' };
/** @param {string} status */
export const statusWord = (status) => STATUSES[status] ?? status;

const REASONS = /** @type {Record<string, string>} */ ({ shadow: 'shadow: built, not sent', too_old: 'not sent: too old for the platform',
  no_match_keys: 'not sent: nothing to recognise the person by', consent: 'not sent: marketing consent was refused', imported: 'not sent: imported',
  refused_by_platform: 'refused', erased: 'cancelled: erased', disabled: 'cancelled: connection off', not_configured: 'not sent: connection not configured' });

/** @param {{platform: string, state: string, mode?: string, reason?: string|null}} d */
export function toldSentence(d) {
  const word = (d.reason && REASONS[d.reason]) || `${stateWord(d.state)}${d.reason ? `: ${d.reason.replaceAll('_', ' ')}` : ''}`;
  return `${platform(d.platform)}: ${word}${d.mode === 'test' && d.state === 'delivered' ? ', to the test view only' : ''}`;
}

/**
 * Why it is in its state, beside a mark that already says the state: "There is no marketing consent." Where the platform refused it,
 * its own sentence tells more than our word for it.
 * @param {{state: string, reason_text?: string|null, response?: {sentence?: string|null}|null, history?: {sentence?: string}[]}} d
 */
export function whySentence(d) {
  const said = (d.state === 'refused' && d.response?.sentence) || d.reason_text || d.response?.sentence || d.history?.at(-1)?.sentence || '';
  const rest = said.replace(/^(Not sent|Shadow mode|Refused|Cancelled|Held|Given up): /, '');
  return rest.charAt(0).toUpperCase() + rest.slice(1);
}

/** "conversion.created" is every event of a webhook: its last word does. @param {string} kind */
export const eventWord = (kind) => kind.replace(/^conversion\./, '');

/** What a filter's value is called on screen. @param {string} dim @param {string} value */
export function valueWord(dim, value) {
  if (dim === 'kind') return KINDS[value] ?? value;
  if (dim === 'match') return MATCHES[value] ?? value;
  if (dim === 'status') return statusWord(value);
  if (dim === 'state') return stateWord(value);
  if (dim === 'platform') return platform(value);
  if (dim === 'buyer' || dim === 'customers') return BUYERS[value] ?? value;
  if (dim === 'connection') return connections.get(value) ?? value;
  if (value === 'unattributed') return 'Unattributed';
  if (value === '(not set)' && NOT_SET[dim]) return NOT_SET[dim];
  if (dim === 'click') return CLICKS[value] ? `${CLICKS[value]} (${value})` : value;
  if (dim === 'consent') return CONSENTS[value] ?? value;
  if (dim === 'amount') return band(value);
  if (dim === 'chat') return value === 'yes' ? 'helped' : 'none';
  if (dim === 'country') return countryName(value);
  if (dim === 'device') return DEVICES[value] ?? value;
  return value === '' ? 'none' : value;
}

/** Whether somebody had bought before. @type {Record<string, string>} */
export const BUYERS = { new: 'New', returning: 'Returning', unknown: 'Not known' };
/** @type {Map<string, string>} names of connections, as far as a page has asked for them */
export const connections = new Map();
/** @type {Record<string, string>} */
const NOT_SET = { affiliate: 'No affiliate', content: 'No content named', term: 'No term named', click: 'No click ID', referrer: 'No referrer', campaign: 'No campaign' };
/** @type {Record<string, string>} */
export const CONSENTS = { granted: 'Agreed', denied: 'Refused', unknown: 'No answer', anonymous: 'Counted without a person' };
/** Whose click ids they are. @type {Record<string, string>} */
export const CLICKS = { gclid: 'Google Ads', gbraid: 'Google Ads', wbraid: 'Google Ads', dclid: 'Google display', fbclid: 'Meta', msclkid: 'Microsoft', ttclid: 'TikTok',
  twclid: 'X', li_fat_id: 'LinkedIn', epik: 'Pinterest', ScCid: 'Snapchat', rdt_cid: 'Reddit', irclickid: 'Impact', at_gd: 'AnyTrack', halo_click: 'Your short link' };
/** "50 to 200", "from 50", "up to 200". @param {string} text */
function band(text) {
  const [from, to] = text.split('..');
  return text === 'none' ? 'none named' : !to ? `from ${from}` : !from ? `up to ${to}` : `${from} to ${to}`;
}
/** @type {Record<string, string>} */
const DEVICES = { mobile: 'Phone', desktop: 'Computer', tablet: 'Tablet', tv: 'Television', unknown: 'Not known' };
/** @type {Intl.DisplayNames|null} */ let countries = null;
/** @param {string} code */
export function countryName(code) {
  if (code === 'unknown') return 'Not known';
  try { return (countries ??= new Intl.DisplayNames('en', { type: 'region' })).of(code) ?? code; } catch { return code; }
}

/** The dimensions one can filter by. @type {Record<string, string>} */
export const DIMENSIONS = { kind: 'Type', channel: 'Channel', source: 'Source', medium: 'Medium', campaign: 'Campaign', content: 'Content', term: 'Term', click: 'Click ID', landing: 'Landing page', referrer: 'Referrer', country: 'Country', device: 'Device', consent: 'Consent', chat: 'Chat', match: 'Matched by', status: 'Status',
  currency: 'Currency', amount: 'Amount', buyer: 'Customer', customers: 'Customers', affiliate: 'Affiliate', platform: 'Platform', state: 'State', connection: 'Connection', conversion: 'Conversion' };
/** Those of the pages that look at visits and conversions, in the order in which they are offered. */
export const LENSES = ['channel', 'source', 'medium', 'campaign', 'content', 'term', 'click', 'landing', 'referrer', 'country', 'device', 'consent', 'chat', 'kind', 'amount',
  'currency', 'status', 'match', 'customers', 'affiliate', 'platform', 'connection'];
