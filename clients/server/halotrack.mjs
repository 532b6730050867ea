/**
 * Counts a page from the shop's own server, before it is sent: no script in the page is needed. Node 18 or newer.
 *
 *     import { touch } from './halotrack.mjs'
 *     http.createServer(async (request, response) => {
 *       const session = await touch(request, response, { base: 'https://stats.agency.example', token: process.env.HALOTRACK_TOKEN })
 *
 * Works with Express as it stands. It sets the cookie `_halo`, and gives the session's id for your own forms and orders, or
 * null where nothing may be kept. Whatever goes wrong, the page goes on after half a second at most. The token is one of the
 * scope `write`. Behind a proxy of your own hand over the visitor's `address`, and `secure: true` where it speaks https.
 */
export async function touch(request, response, { base, token, address, secure, patience = 500 }) {
  const headers = request.headers
  if (!isPage(request.method, headers)) return null
  const known = (headers.cookie ?? '').match(/(?:^|; *)_halo=([^;]*)/)?.[1] || null
  try {
    const answer = await fetch(new URL('/api/touch', base), {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
      body: JSON.stringify({
        landing: request.originalUrl ?? request.url,
        referrer: headers.referer,
        ip: address ?? request.socket.remoteAddress,
        user_agent: headers['user-agent'],
        language: headers['accept-language']?.split(/[,;]/)[0],
        consent_cookies: headers.cookie,
        gpc: headers['sec-gpc'] === '1' || undefined,
        session_id: known ?? undefined,
      }),
      signal: AbortSignal.timeout(patience),
      redirect: 'manual',
    })
    const told = await answer.json()
    if (!('session_id' in told)) return known
    const session = told.session_id
    if (!response.headersSent && (session || known)) {
      const isSecure = secure ?? Boolean(request.socket.encrypted)
      const line = `_halo=${session ?? ''}; Max-Age=${session ? 31536000 : 0}; Path=/; SameSite=Lax${isSecure ? '; Secure' : ''}`
      response.appendHeader ? response.appendHeader('set-cookie', line) : response.setHeader('set-cookie', line)
    }
    return session
  } catch {
    return known
  }
}

/** A page that somebody opens now: no picture, no request of a script, nothing that a browser fetches ahead. */
function isPage(method, headers) {
  const dest = headers['sec-fetch-dest']
  const isPage = dest ? dest === 'document' : (headers.accept ?? '').includes('text/html')
  const early = ['sec-purpose', 'purpose', 'x-purpose', 'x-moz'].map(name => headers[name]).join(' ')
  return method === 'GET' && isPage && !/prefetch|prerender|preview/i.test(early)
}
