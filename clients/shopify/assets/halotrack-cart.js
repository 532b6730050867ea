// HaloTrack: writes the visit into the cart, as the attribute _halo_session. The order carries it on to HaloTrack.
// Nothing is written before there is a cart, and nothing while the visitor has refused.
(() => {
  const NAME = '_halo_session'
  const root = window.Shopify?.routes?.root || '/'
  const attempt = (work) => { try { return work() } catch { return null } }
  const kept = (key) => attempt(() => sessionStorage.getItem(key)) || ''
  const keep = (key, value) => attempt(() => sessionStorage.setItem(key, value))
  const session = () => attempt(() => window.HaloTrack.getSessionId()) || ''
  let isBusy = false

  // The cart's own cookie may be hidden from scripts: then the page of the cart, or a change of it, says that there is one.
  const cart = () => attempt(() => document.cookie.match(/(?:^|; )cart=([^;]+)/)[1]) || kept('halo_cart_seen')

  async function write() {
    const wanted = session()
    const [inCart, written] = kept('halo_cart').split(' ')
    // A page without news asks the shop nothing; who has refused from the start leaves no trace.
    const isTold = wanted ? inCart === cart() && written === wanted : !written
    if (isBusy || !cart() || isTold) return
    isBusy = true
    try {
      const answer = await fetch(`${root}cart/update.js`, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json', Accept: 'application/json' },
        body: JSON.stringify({ attributes: { [NAME]: wanted } }),
      })
      if (answer.ok) keep('halo_cart', `${cart()} ${wanted}`)
    } catch { /* The next page, or the next change of the cart, tries again. */ }
    isBusy = false
  }

  function seen() {
    keep('halo_cart_seen', 'seen')
    write()
  }

  addEventListener('halotrack:ready', write)
  addEventListener('pageshow', () => (/\/cart\/?$/.test(location.pathname) ? seen() : write()))
  // Themes add to the cart without leaving the page: their requests are noticed, not changed.
  attempt(() => new PerformanceObserver((list) => {
    if (list.getEntries().some((entry) => /\/cart\/(add|change)/.test(entry.name))) setTimeout(seen, 50)
  }).observe({ type: 'resource', buffered: true }))
})()
