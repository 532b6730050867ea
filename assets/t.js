/* HaloTrack page tag. T try, J cookies, C W read, write one, S storage, s session id (null: refused), run queues a job,
view [path?query, referrer, title]. Only KEEP of a query and CMP of the cookies are sent. */
(()=>{
const d=document, l=location, n=navigator, me=d.currentScript
if (!me||window.HaloTrack) return
const {site, params}=me.dataset, base=me.src.replace(/\/t(\.v\d+)?\.js([?#].*)?$/, ''),
KEEP=RegExp(`^(utm_\\w+|[gw]braid|\\w+cl(ic)?k?id|(li_fat|campaign|ad(set)?)_id|rdt_cid|ScCid|epik|at_gd|halo_click|ref|via|aff|${(params||'').replace(/[^\w-]+/g, '|')})=`),
CMP=/^(cookie(yes-|_?)consent|optanon|cmplz|uc_|usercentrics|euconsent|(wp|halo)_consent)/i,
T=f=>{try {return f()} catch {}},
J=()=>'; '+(T(()=>d.cookie)||''),
C=(k, v='([^;]+)')=>(J().match('; '+k+v)||[])[1],
W=(k, v)=>T(()=>d.cookie=`${k}=${v};path=/;samesite=lax;max-age=${v?31536e3:0};${l.protocol>'http:'&&'secure'}`),
S=T(()=>sessionStorage)||{},
run=f=>line=line.then(f).catch(T),
post=(path, x)=>fetch(base+path, {method:'POST', body:JSON.stringify(x), credentials:'include', keepalive:1}),
say=(path, x)=>run(()=>{id()&&post(path, {site, session_id:id(), ...x}).catch(T)}),

id=()=>s===null?s:s||C('_halo=')||null,
// 28 bytes mod P, times 257 until the five low base-29 digits hold two numerals; checksum
code=()=>{
	let A='23456789ABCDEFGHJKMNPQRSTVWXY', P=2**31-1, h=0, i, x, t, sum
	if (!id()) return null
	for (x of id().slice(0, 28)) h=(h*257+x.charCodeAt())%P
	do {
		x=h=h*257%P
		for (t='', sum=0, i=1; i<6; x=x/29|0) t+=A[x%29], sum+=x%29*i++
	} while (!/\d.*\d/.test(t))
	return t+A[sum%29]
},
fill=()=>d.querySelectorAll('[name=halo_session_id],[data-halo]').forEach(e=>{
	const v=(e.dataset.halo=='code'?code:id)()||'', k='checked' in e?'value':'textContent'
	if (e[k]!=v) e[k]=v
}),

// [analytics, marketing]; Google's default is no choice yet
word=x=>x==null?x:/t/.test(x)?'granted':'denied',
state=()=>said?[said, said]:tcf||['analytics', 'ad'].map(k=>word(T(()=>google_tag_data.ics.entries[k+'_storage'].update))),
denied=()=>state()[0]=='denied',
raw=()=>J().split('; ').filter(x=>CMP.test(x)).sort().join('; '),
sign=()=>denied()+(raw().replace(/datestamp=[^&]*/, '')||state()),

touch=async ([at, ref, title], navigation, event_id=''+Math.random()+Math.random())=>{
	for (const ms of [1e3, 4e3, 0]) try {
		const [path, p='']=at.split(/\?(.*)/), [analytics, marketing]=state(), no=denied(),
			q=p.split('&').filter(x=>(no?/^utm_/:KEEP).test(x)).join('&')
		last=sign()
		if (no) s=null
		const r=await post('/api/touch', {
			...Object.fromEntries(new URLSearchParams(q)),
			site, navigation, event_id, consent:{analytics, marketing},
			landing:path+(q&&'?'+q), referrer:ref.split(no?/\b\/|\?/:'?')[0],
			...no||{
				session_id:id(), consent_cookies:raw(), title, screen:screen.width+'x'+screen.height, language:n.language,
				time_zone:Intl.DateTimeFormat().resolvedOptions().timeZone,
				ga_client_id:C('_ga=[^.]+.[^.]+.'), ga_session_id:C('_ga_\\w+=GS..[^.]+.s?', '(\\d+)'),
				fbc:C('_fbc='), fbp:C('_fbp='), gpc:n.globalPrivacyControl, dnt:n.doNotTrack==1
			}
		})
		if (/5..|429/.test(r.status)) throw r
		if (r.ok){
			s=denied()?null:(await r.json()).session_id
			s&&J().includes(s)||W('_halo', s)
		}
		return fill()
	} catch { await new Promise(f=>setTimeout(f, ms)) }
	denied()||T(()=>S.halo_unsent=JSON.stringify([[at, ref, title], navigation, event_id]))
},
tick=()=>{
	due=0
	heard||T(()=>__tcfapi('addEventListener', heard=2, (t, ok)=>{
		if (ok&&t.gdprApplies!=0&&t.eventStatus!='cmpuishown')
			tick(tcf=['178', '134'].map(p=>word([...p].every(x=>t.purpose.consents[x]))))
	}))
	if (d.prerendering||d.hidden) return
	const v=[l.pathname+l.search, now?l.origin+now[0]:d.referrer, d.title]
	if (!now) open(first=v)
	else if (v[0]!=now[0]) run(()=>touch(v, 'spa'))
	now=v
	run(()=>sign()!=last&&more-->0&&touch(first, 'consent'))
	fill()
},
soon=()=>due=due||setTimeout(tick, 200)

let s, tcf, heard, open, first, now, last, due, more=9, said=C('halo_consent='), line=new Promise(f=>open=f)
run(async ()=>{
	const u=S.halo_unsent
	delete S.halo_unsent
	denied()||await T(()=>touch(...JSON.parse(u)))
	await touch(first, T(()=>performance.getEntriesByType('navigation')[0].type))
	dispatchEvent(new Event('halotrack:ready'))
})
window.HaloTrack={getSessionId:id, code,
	identify:x=>say('/api/identify', x),
	track:(name, properties)=>say('/api/event', {name, properties}),
	consent:x=>/^(grant|deni)ed$/.test(x)&&tick(W('halo_consent', said=x))
}
'visibilitychange prerenderingchange click popstate cookieyes_consent_update CookiebotOnAccept CookiebotOnDecline CookiebotOnConsentReady OneTrustGroupsUpdated cmplz_status_change UC_UI_CMP_EVENT wp_listen_for_consent_change'
	.split(' ').map(x=>addEventListener(x, soon, true))
addEventListener('submit', fill, true)
;['pushState', 'replaceState'].map(k=>{
	const f=history[k]
	history[k]=(...a)=>f.apply(history, a, soon())
})
new MutationObserver(soon).observe(d, {childList:1, subtree:1})
tick()
})()
