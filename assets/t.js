/* HaloTrack page tag. J cookies, C one of them, W writes one, T try, sid session id (null: refused), line: one call after
another, view: [path?query, referrer, title]. Of a query only KEEP is sent, of cookies only CMP as they are. */
(() => {
const w = window, d = document, l = location, me = d.currentScript
if (!me || w.HaloTrack) return
const {site, params} = me.dataset, base = me.src.replace(/\/t(\.v\d+)?\.js.*/, '')
const KEEP = RegExp(`^(utm_\\w+|[gw]braid|\\w+cl(ic)?k?id|(li_fat|campaign|adset|ad)_id|rdt_cid|ScCid|epik|at_gd|halo_click|ref|via|aff|${(params || '').replace(/[^\w-]+/g, '|')})=`)
const CMP = /^(cookie(yes-|_?)consent|optanon|cmplz_|uc_|usercentrics|euconsent-v2|wp_consent_|halo_consent)/i
const T = f => { try { return f() } catch (e) {} }
const J = () => T(() => d.cookie) || ''
const C = (name, value = '([^;]+)') => (('; ' + J()).match('; ' + name + value) || [])[1]
const W = (name, v) => T(() => d.cookie = `${name}=${v};path=/;samesite=lax;max-age=${v && 31536e3}` + (l.protocol > 'http:' ? ';secure' : ''))
const S = T(() => sessionStorage) || {}

let sid, tcf, go, first, at, last, due, said = C('halo_consent='), line = new Promise(f => go = f)
const next = f => line = line.then(f).catch(e => e)
const post = (path, x) => fetch(base + path, {method: 'POST', body: JSON.stringify(x), credentials: 'include', keepalive: true})
const say = (path, x) => {
	x = Object.assign({}, x, {site})
	next(() => (x.session_id = getSessionId()) && post(path, x))
}
const getSessionId = () => sid === null ? sid : sid || C('_halo=') || null
// FNV-1a, five characters of which two are digits, a check character
const code = () => {
	const A = '23456789ABCDEFGHJKMNPQRSTVWXY', s = getSessionId()
	let h = 0x811c9dc5, i, x, t, sum
	if (!s) return s
	for (i of s.slice(0, 28)) h = Math.imul(h ^ i.charCodeAt(), 0x1000193)
	do {
		x = Math.imul(h ^ h >>> 15, 0x2c1b3c6d) >>> 0
		for (t = '', sum = 0, i = 1; i < 6; x = x / 29 | 0) t += A[x % 29], sum += x % 29 * i++
		h += 0x9e3779b9
	} while (!/\d.*\d/.test(t))
	return t + A[sum % 29]
}
const fill = () => d.querySelectorAll('[name=halo_session_id],[data-halo]').forEach(e => {
	const v = (e.dataset.halo == 'code' ? code : getSessionId)() || '', k = 'checked' in e ? 'value' : 'textContent'
	if (e[k] != v) e[k] = v
})

// true, false, or not said: Google's default is no choice yet, an update is
const word = x => x == null ? x : /t/.test(x) ? 'granted' : 'denied'
const google = k => word(T(() => w.google_tag_data.ics.entries[k + '_storage'].update))
const state = () => said ? {analytics: said, marketing: said} : tcf || {analytics: google('analytics'), marketing: google('ad')}
const denied = () => state().analytics == 'denied'
const raw = () => J().split('; ').filter(c => CMP.test(c)).join('; ')
const sign = () => denied() + (raw().replace(/datestamp=[^&]*/, '') || JSON.stringify(state()))

const body = ([at, ref, title], navigation, event_id) => {
	const no = denied(), [path, ...q] = at.split(/[?&]/), s = q.filter(x => (no ? /^utm_/ : KEEP).test(x)).join('&')
	if (no) sid = null
	return Object.assign(Object.fromEntries(new URLSearchParams(s)), {
		site, navigation, event_id, consent: state(), consent_cookies: raw(),
		landing: path + (s && '?' + s), referrer: ref.split(no ? /\b\/|\?/ : '?')[0]
	}, no || {
		session_id: getSessionId(), title, screen: screen.width + 'x' + screen.height, language: navigator.language,
		time_zone: Intl.DateTimeFormat().resolvedOptions().timeZone,
		ga_client_id: C('_ga=GA\\d\\.[\\d-]+\\.'), ga_session_id: C('_ga_\\w+=GS\\d\\.[\\d-]+\\.s?', '(\\d+)'),
		fbc: C('_fbc='), fbp: C('_fbp='), gpc: navigator.globalPrivacyControl, dnt: navigator.doNotTrack == 1
	})
}
const touch = async (view, type, id = crypto.getRandomValues(new Uint32Array(4)).join('-')) => {
	for (const ms of [1e3, 4e3, 0]) {
		last = sign()
		try {
			const r = await post('/api/touch', body(view, type, id))
			if (r.status < 500 && r.status != 429) {
				if (r.ok) sid = (await r.json()).session_id
				if (denied()) sid = null
				if (!sid || !J().includes(sid)) W('_halo', sid || '')
				return fill()
			}
		} catch (e) {}
		await new Promise(f => setTimeout(f, ms))
	}
	if (!denied()) S.halo_unsent = JSON.stringify([view, type, id])
}
next(async () => {
	const u = S.halo_unsent
	delete S.halo_unsent
	if (u && !denied()) await touch(...JSON.parse(u))
	await touch(first, performance.getEntriesByType('navigation')[0].type)
	w.dispatchEvent(new Event('halotrack:ready'))
})

// shown, moved on, or consented otherwise?
const tick = () => {
	due = 0
	tcf || T(() => w.__tcfapi('addEventListener', tcf = 2, ({purpose, gdprApplies, eventStatus}, ok) => {
		const p = purpose.consents
		if (ok && gdprApplies !== false && eventStatus != 'cmpuishown') tick(tcf = {analytics: word(!!(p[1] && p[7] && p[8])), marketing: word(!!(p[1] && p[3] && p[4]))})
	}))
	if (d.prerendering || d.hidden) return
	const url = l.pathname + l.search, view = [url, first ? l.origin + at : d.referrer, d.title]
	if (!first) go(first = view)
	else if (url != at) next(() => touch(view, 'spa'))
	at = url
	next(() => sign() != last && (sid !== null || !denied()) && touch(first, 'consent'))
}
const soon = () => due = due || setTimeout(tick, 200, fill())

w.HaloTrack = {getSessionId, code,
	identify: x => say('/api/identify', x),
	track: (name, properties) => say('/api/event', {name, properties}),
	consent: x => /^(granted|denied)$/.test(x) && tick(W('halo_consent', said = x))
}
'visibilitychange prerenderingchange submit click popstate cookieyes_consent_update CookiebotOnAccept CookiebotOnDecline CookiebotOnConsentReady OneTrustGroupsUpdated cmplz_status_change UC_UI_CMP_EVENT ucEvent wp_listen_for_consent_change'
	.split(' ').map(x => w.addEventListener(x, soon, true))
for (const k of ['pushState', 'replaceState']) {
	const f = history[k]
	history[k] = function () {
		soon()
		return f.apply(this, arguments)
	}
}
new MutationObserver(soon).observe(d, {childList: true, subtree: true})
tick()
})()
