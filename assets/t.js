/* HaloTrack page tag. d document, w window, l location; sid: undefined not known yet, null refused.
Short code of a session id: h = FNV-1a/32 of its first 28 characters; then five draws, again until two are digits:
h += 0x9e3779b9; n = (((h ^ h >>> 15) * 0x2c1b3c6d) >>> 8) % 29, all in 32 bits. Sixth = sum(n * place 1..5) % 29. */
(function () {
try {
const w = window, d = document, l = location, nav = navigator, me = d.currentScript
if (!me || w.HaloTrack) return
const src = /(.*)\/t(\.v\d+)?\.js/.exec(me.src), site = me.dataset.site, extra = (me.dataset.params || '').split(/[ ,]+/)
const KEEP = /^(utm_\w+|[gw]braid|(g|dc|fb|tt|ms|tw|irclick)(cl)?id|li_fat_id|epik|ScCid|rdt_cid|at_gd|halo_click|(campaign|adset|ad)_id|ref|via|aff)$/
const CONSENT = /^(cookieyes-consent|CookieConsent|cookie_consent|Optanon|cmplz_|uc_|usercentrics|euconsent-v2|wp_consent_|halo_consent)/
let sid, tcf, heard, said, first, last, at, ref = d.referrer, line = Promise.resolve(), queue = [], due

const safe = f => { try { return f() } catch (e) {} }
const after = (ms, f) => setTimeout(() => safe(f), ms)
const on = (names, f) => names.split(' ').map(x => w.addEventListener(x, e => safe(() => f(e)), true))
const jar = () => safe(() => d.cookie) || ''
const cookie = re => (('; ' + jar()).match(re) || [])[1]
const store = (name, v) => safe(() => d.cookie = `${name}=${v};path=/;max-age=${v ? 31536e3 : 0};samesite=lax` + (l.protocol == 'https:' ? ';secure' : ''))
const word = yes => yes ? 'granted' : 'denied'
const cut = s => s.slice(0, 255).replace(/[\ud800-\udbff]$/, '')
const bare = url => url.split(/[?#]/)[0]

// Consent. Only words said by script; cookies go raw. A Google default is no choice yet: updates only.
const google = kind => safe(() => {
  const u = w.google_tag_data.ics.entries[kind].update
  return u === undefined ? u : word(u === true || u == 'granted')
})
const state = () => {
  const c = cookie(/; halo_consent=(granted|denied)/) || said
  return c ? {analytics: c, marketing: c} : tcf || {analytics: google('analytics_storage'), marketing: google('ad_storage')}
}
const denied = () => state().analytics == 'denied'
const choices = () => jar().split('; ').filter(c => CONSENT.test(c)).join('; ')
const sign = () => denied() + (choices().replace(/datestamp=[^&]*/, '') || JSON.stringify(state()))
const ask = () => {
  if (!heard && w.__tcfapi) heard = 1, w.__tcfapi('addEventListener', 2, (t, ok) => {
    if (!ok || t.gdprApplies === false || t.eventStatus == 'cmpuishown') return
    const all = s => word([...s].every(p => t.purpose.consents[p]))
    tcf = {analytics: all('178'), marketing: all('1347')}
    check()
  })
}
// The same touch again when the choice has changed.
const check = () => {
  safe(ask)
  if (first) next(() => sign() != last && !(sid === null && denied()) && touch(first, 'consent'))
}

const id = () => denied() || sid === null ? null : sid || cookie(/; _halo=([^;]+)/) || null
const code = () => {
  let s = id(), h = 0x811c9dc5, n, i, t, sum
  const A = '23456789ABCDEFGHJKMNPQRSTVWXY'
  if (!s) return null
  for (i of s.slice(0, 28)) h = Math.imul(h ^ i.charCodeAt(), 0x1000193)
  do for (t = '', sum = 0, i = 1; i < 6; i++) {
    h = h + 0x9e3779b9 | 0
    n = (Math.imul(h ^ h >>> 15, 0x2c1b3c6d) >>> 8) % 29
    t += A[n]
    sum += n * i
  } while (!/\d.*\d/.test(t))
  return t + A[sum % 29]
}
const fill = () => d.querySelectorAll('input[name=halo_session_id],[data-halo=session],[data-halo=code]').forEach(e => {
  const v = (e.dataset.halo == 'code' ? code() : id()) || '', k = /^(INPUT|TEXTAREA)$/.test(e.tagName) ? 'value' : 'textContent'
  if (e[k] != v) e[k] = v
})

const post = (path, body) => fetch(src[1] + path, {method: 'POST', body, credentials: 'include', keepalive: true})
const say = (path, what) => {
  const s = id()
  if (queue) queue.push([path, Object.assign({}, what)])
  else if (s) safe(() => post(path, JSON.stringify(Object.assign({}, what, {site, session_id: s}))).catch(() => {}))
}
const look = () => {
  const p = {}
  new URLSearchParams(l.search).forEach((v, k) => {
    if (/^sccid$/i.test(k)) k = 'ScCid'
    if (v && !p[k] && (KEEP.test(k) || extra.includes(k))) p[k] = /^utm/.test(k) ? cut(v) : v
  })
  return {path: l.pathname, p, ref: bare(ref)}
}
// A refusal leaves path, referrer host and UTMs.
const build = (view, navigation, event_id) => {
  const no = denied(), q = {}
  for (const k in view.p) if (!no || /^utm_/.test(k)) q[k] = view.p[k]
  const s = '' + new URLSearchParams(q)
  const b = Object.assign(q, {site, event_id, navigation, consent: state(), consent_cookies: choices(),
    landing: (view.path + (s && '?' + s)).slice(0, 2e3), referrer: no ? view.ref.split('/', 3).join('/') : view.ref})
  if (no) sid = null
  else Object.assign(b, {session_id: id() || undefined, title: cut(d.title), screen: screen.width + 'x' + screen.height,
    language: nav.language, time_zone: Intl.DateTimeFormat().resolvedOptions().timeZone,
    ga_client_id: cookie(/; _ga=GA[\d.]*?(\d+\.\d+)(?:;|$)/), ga_session_id: cookie(/; _ga_\w+=GS\d\.\d+\.s?(\d+)/),
    fbc: cookie(/; _fbc=([^;]+)/), fbp: cookie(/; _fbp=([^;]+)/),
    gpc: nav.globalPrivacyControl || undefined, dnt: nav.doNotTrack == 1 || undefined})
  return JSON.stringify(b)
}
// True when the server has spoken, false when another try may help.
const deliver = async body => {
  let done
  try {
    const r = await post('/api/touch', body)
    done = r.status < 500 && r.status != 429
    if (r.ok) {
      const s = (await r.json()).session_id
      sid = !denied() && s || null
      if (sid && !jar().includes('_halo=' + sid)) store('_halo', sid)
    }
  } catch (e) {}
  if (sid === null) store('_halo', '')
  fill()
  return done
}
const keep = body => safe(() => { body ? sessionStorage.halo_unsent = body : sessionStorage.removeItem('halo_unsent') })
const touch = async (view, navigation) => {
  const event = crypto.getRandomValues(new Uint32Array(4)).join('-')
  for (const ms of [0, 1e3, 4e3]) {
    if (ms) await new Promise(go => setTimeout(go, ms))
    last = sign()
    const body = build(view, navigation, event)
    if (await deliver(body)) return keep()
    keep(!denied() && body)
  }
}
const next = f => line = line.then(f).catch(() => {})
