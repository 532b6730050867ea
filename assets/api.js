// The only place that talks to the server.

/** What the server said instead of an answer. `message` is written for the owner and may be shown as it is. */
export class ApiError extends Error {
  /** @param {number} status @param {{code?: string, message?: string, field?: string, request_id?: string}} error @param {number|null} retryAfter seconds */
  constructor(status, error, retryAfter = null) {
    super(error.message || 'The server could not answer.');
    this.status = status;
    this.code = error.code ?? `http_${status}`;
    this.field = error.field ?? null;
    this.requestId = error.request_id ?? null;
    this.retryAfter = retryAfter;
  }
}

/** Events: "signed-out", "offline", "online". */
export const net = new EventTarget();

let offline = false;
let probe = 0;

export const isOffline = () => offline;

/** @param {string} path @param {URLSearchParams|null} [query] @param {AbortSignal} [signal] */
export const get = (path, query, signal) => ask('GET', path, { query, signal });
/** @param {string} path @param {object} [body] */
export const post = (path, body) => ask('POST', path, { body: body ?? {} });
/** @param {string} path */
export const remove = (path) => ask('DELETE', path);
/** A piece of a file, as it is. @param {string} path @param {Blob} piece */
export const send = (path, piece) => ask('POST', path, { piece });


/**
 * @param {string} method @param {string} path
 * @param {{query?: URLSearchParams|null, body?: object, piece?: Blob, signal?: AbortSignal}} [with_]
 */
async function ask(method, path, { query, body, piece, signal } = {}) {
  const text = query?.toString();
  let reply;
  try {
    reply = await fetch(text ? `${path}?${text}` : path, {
      method, signal, credentials: 'same-origin', cache: 'no-store',
      headers: body || piece ? { 'content-type': piece ? 'application/octet-stream' : 'application/json', accept: 'application/json' } : { accept: 'application/json' },
      body: piece ?? (body ? JSON.stringify(body) : undefined),
    });
  } catch (error) {
    if (signal?.aborted) throw error;
    wentOffline();
    throw new ApiError(0, { code: 'offline', message: 'The server could not be reached.' });
  }
  cameBack();
  if (reply.status === 204) return null;
  const type = reply.headers.get('content-type') ?? '';
  const answer = type.includes('json') ? await reply.json().catch(() => null) : null;
  if (reply.ok && answer !== null) return answer;
  const error = answer?.error ?? { code: `http_${reply.status}`, message: `The server answered ${reply.status}.` };
  const wait = Number(reply.headers.get('retry-after'));
  if (reply.status === 401 && error.code === 'signed_out') net.dispatchEvent(new Event('signed-out'));
  throw new ApiError(reply.status, error, Number.isFinite(wait) && wait > 0 ? wait : null);
}

function wentOffline() {
  if (offline) return;
  offline = true;
  net.dispatchEvent(new Event('offline'));
  probe = setInterval(() => { fetch('/api/me', { cache: 'no-store' }).then(cameBack, () => {}); }, 5000);
}

function cameBack() {
  if (!offline) return;
  offline = false;
  clearInterval(probe);
  net.dispatchEvent(new Event('online'));
}

addEventListener('offline', wentOffline);
addEventListener('online', () => { fetch('/api/me', { cache: 'no-store' }).then(cameBack, () => {}); });

const LIVE_EVENTS = ['visitors', 'conversion', 'delivery', 'connection', 'inbox', 'again'];

/**
 * The site's event stream. The browser reconnects by itself; where it gives up (an error answer), we ask who is signed in, which
 * leads whoever is nobody any more to the sign-in page, and try again. What was told while nobody listened is lost: `again` says
 * to look anew.
 * @param {string} site @param {(name: string, data: any) => void} on
 * @returns {() => void} close
 */
export function listen(site, on) {
  /** @type {EventSource|null} */ let stream = null;
  let timer = 0, heard = false, isClosed = false;
  const open = () => {
    stream = new EventSource(`/api/sites/${encodeURIComponent(site)}/live`);
    for (const name of LIVE_EVENTS) {
      stream.addEventListener(name, (e) => {
        let data;
        try { data = JSON.parse(/** @type {MessageEvent} */ (e).data); } catch { return; }
        on(name, data);
      });
    }
    stream.onopen = () => { if (heard) on('again', {}); heard = true; };
    stream.onerror = () => {
      if (stream?.readyState !== EventSource.CLOSED) return;
      clearTimeout(timer);
      // The stream does not say why it was refused.
      get('/api/me').catch((error) => error.status).then((status) => {
        if (!isClosed && status !== 401) timer = setTimeout(open, 10000);
      });
    };
  };
  open();
  return () => { isClosed = true; clearTimeout(timer); stream?.close(); };
}
