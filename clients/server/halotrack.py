"""Counts a page from the shop's own server, before it is sent: no script in the page is needed.

    from halotrack import Touches
    app = Touches(app, base="https://stats.agency.example", token=os.environ["HALOTRACK_TOKEN"])

Wraps any WSGI application (Django, Flask and others). It sets the cookie `_halo` and puts the session's id into the
environment as `halotrack.session`, for your own forms and orders; it is None where nothing may be kept. Whatever goes
wrong, the page goes on after half a second at most. The token is one of the scope `write`. Behind a proxy of your own name
the key of the environment that holds the visitor's address: address="HTTP_X_REAL_IP".
"""

import json
import re
import urllib.request
from http.cookies import CookieError, SimpleCookie
from urllib.parse import quote


class Touches:
    def __init__(self, app, base, token, address="REMOTE_ADDR", patience=0.5):
        self.app, self.token, self.address, self.patience = app, token, address, patience
        self.url = base.rstrip("/") + "/api/touch"
        # No proxy of the machine, and no redirect: the token goes to this address alone.
        self.opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), _Stay())

    def __call__(self, environ, start_response):
        cookie = None
        environ["halotrack.session"] = None
        if _is_page(environ):
            known = _known(environ)
            session, cookie = self._touch(environ, known)
            environ["halotrack.session"] = session

        def start(status, headers, *rest):
            return start_response(status, headers + [("Set-Cookie", cookie)] if cookie else headers, *rest)

        return self.app(environ, start)

    def _touch(self, environ, known):
        query = environ.get("QUERY_STRING", "")
        path = quote((environ.get("SCRIPT_NAME", "") + environ.get("PATH_INFO", "/")).encode("latin-1"), safe="/:@!$&'()*+,;=~")
        said = {
            "landing": path + ("?" + query if query else ""),
            "referrer": environ.get("HTTP_REFERER"),
            "ip": environ.get(self.address),
            "user_agent": environ.get("HTTP_USER_AGENT"),
            "language": re.split("[,;]", environ.get("HTTP_ACCEPT_LANGUAGE", ""))[0] or None,
            "consent_cookies": environ.get("HTTP_COOKIE"),
            "gpc": True if environ.get("HTTP_SEC_GPC") == "1" else None,
            "session_id": known,
        }
        body = json.dumps({name: value for name, value in said.items() if value is not None}).encode()
        headers = {"Content-Type": "application/json", "Authorization": "Bearer " + self.token}
        try:
            request = urllib.request.Request(self.url, body, headers)
            with self.opener.open(request, timeout=self.patience) as answer:
                told = json.load(answer)
            session = told["session_id"]
        except (OSError, ValueError, KeyError, TypeError):
            return known, None
        if not session and not known:
            return None, None
        secure = "; Secure" if environ.get("wsgi.url_scheme") == "https" else ""
        age = 31536000 if session else 0
        return session, f"_halo={session or ''}; Max-Age={age}; Path=/; SameSite=Lax{secure}"


class _Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_):
        return None


def _known(environ):
    try:
        found = SimpleCookie(environ.get("HTTP_COOKIE", "")).get("_halo")
    except CookieError:
        return None
    return found.value if found and found.value else None


def _is_page(environ):
    """A page that somebody opens now: no picture, no request of a script, nothing that a browser fetches ahead."""
    early = " ".join(environ.get("HTTP_" + name, "") for name in ("SEC_PURPOSE", "PURPOSE", "X_PURPOSE", "X_MOZ"))
    dest = environ.get("HTTP_SEC_FETCH_DEST")
    is_page = dest == "document" if dest else "text/html" in environ.get("HTTP_ACCEPT", "")
    return environ.get("REQUEST_METHOD") == "GET" and is_page and not re.search("prefetch|prerender|preview", early, re.I)
