// HaloTrack page tag: see t.md
if(document.currentScript&&!window.HaloTrack){
let d=document,l=location,n=navigator,m=d.currentScript,s,w,c,h,o,f,v,b,e,z,r=9,q=new Promise(x=>o=x),
K=RegExp(`&(utm_\\w+|[gw]braid|(\\w+cl(ic)?k?|li_fat_|campaign_|ad_|adset_|rdt_c|ScC)id|epik|at_gd|halo_(click|me)|ref|via|aff|${m.dataset.params?.replace(/[^\w-]+/g,'|')})\\b=[^&]*`,'g'),
T=x=>{try{return x()}catch{}},
J=()=>'; '+T(()=>d.cookie),
C=(k,x='([^;]+)')=>J().match('; '+k+x)?.[1],
W=(k,x)=>T(()=>d.cookie=`${k}=${x};path=/;samesite=lax;max-age=${x?31536e3:0};${l.protocol>'http:'&&'secure'}`),
R=x=>q=q.then(x).catch(T),
P=(k,x)=>fetch(new URL(k,m.src),{method:'POST',body:JSON.stringify({...x,site:m.dataset.site}),credentials:'include',keepalive:1}),
A=(k,x)=>R(()=>{I()&&P(k,{...x,session_id:I()}).catch(T)}),
I=()=>N()?null:s||C('_halo=')||null,
O=()=>{
let a='23456789ABCDEFGHJKMNPQRSTVWXY',p=-1>>>1,h=0,i,x,t,k
if(!I())return null
for(x of I().slice(0,28))h=(h*257+x.charCodeAt())%p
do for(x=h=h*257%p||1,t='',k=0,i=1;i<6;x=x/29|0)t+=a[x%29],k+=x%29*i++
while(!/(?=.*\d.*\d).*\D/.test(t))
return t+a[k%29]
},
code=()=>{
let t=O()
t&&z!=t&&T(()=>sessionStorage.halo_code)!=t&&R(()=>{
I()&&P('./api/event',{name:'halo_code',session_id:I()}).then(x=>{if(x.ok)sessionStorage.halo_code=t}).catch(T)
},z=t)
return t
},
S=(x,t,k='checked'in x?'value':'textContent')=>x[k]==t||(x[k]=t),
F=()=>{
let u=m.dataset.code
d.querySelectorAll('[name=halo_session_id],[name=halo_code],[data-halo]').forEach(x=>S(x,(x.name=='halo_code'||x.dataset.halo=='code'?code:I)()||''))
u!=null&&d.querySelectorAll('a[href^="tel:"],a[href^="sms:"],a[href^="mailto:"],a[href*="//wa.me/"],a[href*="whatsapp.com/send"],a[href^="whatsapp:"]').forEach(x=>{
let t=code(),y=t?(u||'Code')+' '+t:'',k=/^[sm]/.test(x.href)?'body':'text',p,q
if(/^tel/.test(x.href)){
x.halo?.isConnected||x.after(x.halo=d.createElement('small'))
return S(x.halo,y&&' '+y)
}
x.halo?.[1]==x.href||(x.halo=[x.href])
;[p,q]=x.halo[0].split('?')
t=new URLSearchParams(k>'c'?q:q?.replace(/\+/g,'%2B'))
y&&t.set(k,(t.get(k)?t.get(k)+'\n':'')+y)
x.href=y?p+'?'+(t+'').replace(/\+/g,'%20'):x.halo[0]
x.halo[1]=x.href
})
},
B=x=>x==null?x:/^[gt]/.test(x)?'granted':'denied',
G=(k,x)=>B(C('halo_consent=')||w||(c?[...x].every(x=>c[x]):T(()=>google_tag_data.ics.entries[k+'_storage'].update))),
Y=()=>G('analytics','18'),
Z=()=>G('ad','134'),
N=()=>Y()=='denied',
M=()=>J().match(/; ([^=;]*consent|optanon|cmplz|uc_|ucd|fccd|viewed_cook|cookielaw|borlabs|didomi_t|_iub_cs|klaro|axept|cc_cook)[^;]*/gi)?.join('').slice(2),
X=()=>[Y(),Z(),M()].join().replace(/datestamp=[^&]*/,''),
V=async(k,navigation,event_id=''+Math.random()+Math.random())=>{
for(let t of[1e3,4e3,0])try{
let[a,p,h,title]=k,x=(p.replace('?','&').match(N()?/&utm_[^&]*/g:K)||[]).join('').replace('&','?')
b=X()
p=await P('./api/touch',{
...Object.fromEntries(new URLSearchParams(x)),
navigation,event_id,consent:{analytics:Y(),marketing:Z()},session_id:s||C('_halo='),
landing:a+x,referrer:h.split(N()?/\b\/|\?/:'?')[0],
...N()||{
title,consent_cookies:M(),language:n.language,time_zone:Intl.DateTimeFormat().resolvedOptions().timeZone,
ga_client_id:C('_ga=[^.]+.[^.]+.'),ga_session_id:C('_ga_\\w+=GS..[^.]+.s?','(\\d+)'),
fbc:C('_fbc='),fbp:C('_fbp='),gpc:n.globalPrivacyControl,dnt:n.doNotTrack==1}})
if(/5..|429/.test(p.status))throw p
if(p.ok){
s=(await p.json()).session_id
C('_halo=')==s||W('_halo',I()&&s)}
return F()
}catch{await new Promise(x=>setTimeout(x,t))}
N()||T(()=>sessionStorage.halo_unsent=JSON.stringify([k,navigation,event_id]))
},
L=()=>F(R(()=>X()!=b&&r-->0&&V(f,'consent'))),
E=()=>{
e=0
h||T(()=>__tcfapi('addEventListener',h=2,(t,k)=>{
if(k&&t.gdprApplies!=0&&t.eventStatus>'d')L(c=t.purpose.consents)
}))
if(d.hidden)return
let k=l.origin+l.pathname+l.search,x=[l.pathname,l.search,v||d.referrer,d.title]
v?k==v||R(()=>V(x,'spa')):o(f=x)
v=k
L()
},
D=()=>e=e||setTimeout(E,200)
R(x=>{
x=sessionStorage.halo_unsent
delete sessionStorage.halo_unsent
return N()||V(...JSON.parse(x))
})
R(()=>V(f,performance.getEntriesByType('navigation')[0]?.type))
R(()=>dispatchEvent(new Event('halotrack:ready')))
window.HaloTrack={getSessionId:I,code,
identify:x=>A('./api/identify',x),
track:(name,properties)=>A('./api/event',{name,properties}),
consent:x=>L(W('halo_consent',w=B(x+'')))}
;['visibilitychange','popstate','click','submit'].map(k=>addEventListener(k,()=>L(D(),setTimeout(L),setTimeout(L,1e3)),true))
;['pushState','replaceState'].map(k=>{
let f=history[k]
history[k]=(...x)=>f.apply(history,x,D())})
new MutationObserver(D).observe(d,{childList:1,subtree:1})
E()
}
