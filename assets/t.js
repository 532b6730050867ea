/* HaloTrack page tag. J cookies, C reads one, W writes one, T try, S storage, s session id (null: refused), run: one job after
another. A view is [path?query, referrer, title]. Only KEEP of the query is sent; of the cookies only CMP, for the server to read.
Code: h = (257h + byte) mod 2^31-1 over 28 bytes of the id; then h = 257h until its 5 lowest base-29 digits show two numerals. */
(() => {
const d = document, l = location, n = navigator, me = d.currentScript
if (!me || window.HaloTrack) return
const {site, params} = me.dataset, base = me.src.replace(/\/t(\.v\d+)?\.js.*/, ''),
KEEP = RegExp(`^(utm_\\w+|[gw]braid|\\w+cl(ic)?k?id|(li_fat|campaign|ad(set)?)_id|rdt_cid|ScCid|epik|at_gd|halo_click|ref|via|aff|${(params || '').replace(/[^\w-]+/g, '|')})=`),
CMP = /^(cookie(yes-|_?)consent|optanon|cmplz|uc_|usercentrics|euconsent|wp_consent|halo_consent)/i,
T = f => { try { return f() } catch (e) {} },
J = () => T(() => d.cookie) || '',
C = (name, value = '([^;]+)') => (('; ' + J()).match('; ' + name + value) || [])[1],
W = (name, v) => T(() => d.cookie = `${name}=${v || ''};path=/;samesite=lax;max-age=${v ? 31536e3 : 0}` + (l.protocol > 'http:' ? ';secure' : '')),
S = T(() => sessionStorage) || {},
run = f => line = line.then(f).catch(e => e),
post = (path, x) => fetch(base + path, {method: 'POST', body: JSON.stringify(x), credentials: 'include', keepalive: true}),
say = (path, x) => run(() => id() && post(path, Object.assign({site, session_id: id()}, x))),

id = () => s === null ? s : s || C('_halo=') || null,
code = () => {
	let A = '23456789ABCDEFGHJKMNPQRSTVWXY', P = 2 ** 31 - 1, h = 0, i, x, t, sum
	if (!id()) return null
	for (i of id().slice(0, 28)) h = (h * 257 + i.charCodeAt()) % P
	do {
		h = h * 257 % P
		for (x = h, t = '', sum = 0, i = 1; i < 6; x = x / 29 | 0) t += A[x % 29], sum += x % 29 * i++
	} while (!/\d.*\d/.test(t))
	return t + A[sum % 29]
},
fill = () => d.querySelectorAll('[name=halo_session_id],[data-halo]').forEach(e => {
	const v = (e.dataset.halo == 'code' ? code : id)() || '', k = 'checked' in e ? 'value' : 'textContent'
	if (e[k] != v) e[k] = v
}),

// [analytics, marketing]. Google's default is no choice yet, its update (true, false) is.
word = x => x == null ? x : /t/.test(x) ? 'granted' : 'denied',
state = () => said ? [said, said] : tcf || ['analytics', 'ad'].map(k => word(T(() => google_tag_data.ics.entries[k + '_storage'].update))),
denied = () => state()[0] == 'denied',
raw = () => J().split('; ').filter(c => CMP.test(c)).join('; '),
sign = () => denied() + (raw().replace(/datestamp=[^&]*/, '') || state()),

touch = async (view, navigation, event_id = '' + Math.random() + Math.random()) => {
	for (const ms of [1e3, 4e3, 0]) try {
		const [at, ref, title] = view, [path, ...query] = at.split(/[?&]/), [analytics, marketing] = state(), no = denied(),
			keep = query.filter(x => (no ? /^utm_/ : KEEP).test(x)).join('&')
		last = sign()
		if (no) s = null
		const r = await post('/api/touch', Object.assign(Object.fromEntries(new URLSearchParams(keep)), {
			site, navigation, event_id, consent: {analytics, marketing}, consent_cookies: raw(),
			landing: path + (keep && '?' + keep), referrer: ref.split(no ? /\b\/|\?/ : '?')[0]
		}, no || {
			session_id: id(), title, screen: screen.width + 'x' + screen.height, language: n.language,
			time_zone: Intl.DateTimeFormat().resolvedOptions().timeZone,
			ga_client_id: C('_ga=GA\\d\\.[\\d-]+\\.'), ga_session_id: C('_ga_\\w+=GS\\d\\.[\\d-]+\\.s?', '(\\d+)'),
			fbc: C('_fbc='), fbp: C('_fbp='), gpc: n.globalPrivacyControl, dnt: n.doNotTrack == 1
		}))
		if (/5..|429/.test(r.status)) throw r
		if (r.ok) {
			s = denied() ? null : (await r.json()).session_id
			s && J().includes(s) || W('_halo', s)
		}
		return fill()
	} catch (e) { await new Promise(f => setTimeout(f, ms)) }
	if (!denied()) S.halo_unsent = JSON.stringify([view, navigation, event_id])
},
tick = () => {
	due = 0
	tcf || T(() => __tcfapi('addEventListener', tcf = 2, (t, ok) => {
		if (ok && t.gdprApplies !== false && t.eventStatus != 'cmpuishown')
			tick(tcf = [[1, 7, 8], [1, 3, 4]].map(a => word(a.every(x => t.purpose.consents[x]))))
	}))
	if (d.prerendering || d.hidden) return
	const url = l.pathname + l.search, view = [url, first ? l.origin + at : d.referrer, d.title]
	if (!first) open(first = view)
	else if (url != at) run(() => touch(view, 'spa'))
	at = url
	run(() => sign() != last && touch(first, 'consent'))
	fill()
},
soon = () => due = due || setTimeout(tick, 200)

let s, tcf, open, first, at, last, due, said = C('halo_consent='), line = new Promise(f => open = f)
run(async () => {
	const u = S.halo_unsent
	delete S.halo_unsent
	if (u && !denied()) await touch(...JSON.parse(u))
	await touch(first, T(() => performance.getEntriesByType('navigation')[0].type))
	dispatchEvent(new Event('halotrack:ready'))
})
window.HaloTrack = {getSessionId: id, code,
	identify: x => say('/api/identify', x),
	track: (name, properties) => say('/api/event', {name, properties}),
	consent: x => /^(granted|denied)$/.test(x) && tick(W('halo_consent', said = x))
}
'visibilitychange prerenderingchange click popstate cookieyes_consent_update CookiebotOnAccept CookiebotOnDecline CookiebotOnConsentReady OneTrustGroupsUpdated cmplz_status_change UC_UI_CMP_EVENT ucEvent wp_listen_for_consent_change'
	.split(' ').map(x => addEventListener(x, soon, true))
addEventListener('submit', fill, true)
for (const k of ['pushState', 'replaceState']) {
	const f = history[k]
	history[k] = (...a) => f.apply(history, a, soon())
}
new MutationObserver(soon).observe(d, {childList: true, subtree: true})
tick()
})()
