"""HaloTrack's conversions API under the names of AnyTrack's integration. The standard library is all it needs.

Set ANYTRACK_BASE_URL to the server's address, ANYTRACK_API_KEY to a token of the site (scopes read, write, sync and export)
and, if you like, ANYTRACK_ACCOUNT_ID to the site's name, or hand them over.
"""

import email.utils
import http.client
import json
import logging
import os
import random
import shutil
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request
import uuid
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from enum import Enum
from typing import Any, Dict, List, Optional, Tuple

__all__ = [
    "AffiliatePerformance",
    "AnytrackAPIError",
    "AnytrackConversion",
    "AnytrackIntegration",
    "ConversionType",
]

log = logging.getLogger(__name__)

#: Seconds for one answer.
TIMEOUT = 30.0
#: How often one call is tried, the first time included.
TRIES = 5
#: Seconds before the second try; each further one waits twice as long.
FIRST_PAUSE = 0.5
#: Nobody waits longer than this between two tries, whatever the server asks for.
LONGEST_PAUSE = 60.0
#: Days that are looked at where none are named.
DEFAULT_DAYS = 30
#: Conversions fetched at a time.
PAGE = 500
#: Digits behind the point of currencies that have not two (ISO 4217).
DIGITS = {
    **dict.fromkeys("BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF".split(), 0),
    **dict.fromkeys("BHD IQD JOD KWD LYD OMR TND".split(), 3),
    **dict.fromkeys("CLF UYW".split(), 4),
}
#: States of a delivery that is on its way or has arrived.
ON_ITS_WAY = ("pending", "leased", "accepted", "delivered")


class ConversionType(Enum):
    SALE = "sale"
    LEAD = "lead"
    SIGNUP = "signup"
    CUSTOM = "custom"


class AnytrackAPIError(Exception):
    """The server refused, or could not be reached. `status` is None where no answer came; `code` is the server's fixed word."""

    def __init__(
        self,
        message: str,
        status: Optional[int] = None,
        code: Optional[str] = None,
        body: str = "",
    ):
        super().__init__(message)
        self.status = status
        self.code = code
        self.body = body


@dataclass
class AnytrackConversion:
    id: str
    click_id: str
    conversion_type: ConversionType
    revenue: float
    currency: str
    source: str
    campaign_id: str
    ad_id: Optional[str] = None
    #: In UTC, and says so.
    timestamp: Optional[datetime] = None
    sub_ids: Dict[str, str] = field(default_factory=dict)
    ip_address: Optional[str] = None
    user_agent: Optional[str] = None


@dataclass
class AffiliatePerformance:
    affiliate_id: str
    clicks: int
    conversions: int
    revenue: float
    #: Earnings per click.
    epc: float
    #: A share: 0.05 is five of a hundred clicks.
    conversion_rate: float
    #: What the affiliate is owed for it.
    commission: float = 0.0


class AnytrackIntegration:
    """One site of one server. Safe to use from several threads."""

    def __init__(
        self,
        api_key: Optional[str] = None,
        account_id: Optional[str] = None,
        base_url: Optional[str] = None,
    ):
        self._key = (api_key or os.environ.get("ANYTRACK_API_KEY") or "").strip()
        self._account = (account_id or os.environ.get("ANYTRACK_ACCOUNT_ID") or "").strip()
        base = (base_url or os.environ.get("ANYTRACK_BASE_URL") or "").strip()
        if not self._key:
            raise ValueError("Set ANYTRACK_API_KEY to a token of the site, or give api_key.")
        self._base = _base_of(base)

    # ---- telling of conversions

    def track_conversion(
        self,
        click_id: Optional[str],
        conversion_type: ConversionType,
        revenue: float = 0,
        currency: str = "USD",
        order_id: Optional[str] = None,
        custom_data: Optional[Dict[str, Any]] = None,
    ) -> Dict[str, Any]:
        """Tells of a conversion. The answer has `status`, `conversion_id` and `attributed`."""
        said: Dict[str, Any] = {
            "click_id": click_id,
            "conversion_type": ConversionType(conversion_type).value,
            "revenue": _decimal(revenue, currency),
            "currency": currency,
            "timestamp": _time(datetime.now(timezone.utc)),
        }
        if order_id is not None:
            said["order_id"] = str(order_id)
        if custom_data is not None:
            said["custom_data"] = custom_data
            if "product_id" in custom_data:
                said["product_id"] = str(custom_data["product_id"])
        return self._ask("POST", "conversions", said=said)

    def track_sale(
        self,
        click_id: Optional[str],
        revenue: float,
        currency: str = "USD",
        order_id: Optional[str] = None,
        product_id: Optional[str] = None,
    ) -> Dict[str, Any]:
        custom = {"product_id": product_id} if product_id else None
        return self.track_conversion(click_id, ConversionType.SALE, revenue, currency, order_id, custom)

    def track_lead(self, click_id: Optional[str], lead_id: Optional[str] = None, value: float = 0) -> Dict[str, Any]:
        # The lead's own number is what tells a repeat from another lead.
        custom = {"lead_id": lead_id} if lead_id else None
        return self.track_conversion(click_id, ConversionType.LEAD, value, order_id=lead_id, custom_data=custom)

    # ---- asking for conversions

    def get_conversions(
        self,
        date_from: datetime,
        date_to: datetime,
        source: Optional[str] = None,
        campaign_id: Optional[str] = None,
    ) -> List[AnytrackConversion]:
        """All of them, the newest first, page by page until there is no further one."""
        query = {"date_from": _time(date_from), "date_to": _time(date_to), "limit": str(PAGE)}
        if source:
            query["source"] = source
        if campaign_id:
            query["campaign_id"] = campaign_id
        found: List[AnytrackConversion] = []
        while True:
            page = self._ask("GET", "conversions", query)
            found.extend(_conversion(record) for record in page.get("data") or [])
            if not page.get("next"):
                return found
            query["cursor"] = page["next"]

    def get_conversions_by_source(
        self, source_id: str, date_range: Optional[Tuple[datetime, datetime]] = None
    ) -> List[AnytrackConversion]:
        date_from, date_to = date_range or _last_days()
        return self.get_conversions(date_from, date_to, source=source_id)

    def get_conversion_details(self, conversion_id: str) -> AnytrackConversion:
        return _conversion(self._ask("GET", f"conversions/{_part(conversion_id)}")["data"])

    # ---- telling platforms

    def sync_with_meta_capi(self, conversion: AnytrackConversion, meta_capi_client: Any = None) -> bool:
        """Whether Meta is told. The server's own connection tells it: `meta_capi_client` is not used."""
        return self._sync(conversion, "meta")

    def sync_with_hubspot(self, conversion: AnytrackConversion, hubspot_client: Any = None) -> bool:
        """Whether HubSpot is told. The server's own connection tells it: `hubspot_client` is not used."""
        return self._sync(conversion, "hubspot")

    def _sync(self, conversion: AnytrackConversion, destination: str) -> bool:
        try:
            answer = self._ask("POST", f"conversions/{_part(conversion.id)}/sync", said={"destination": destination})
        except AnytrackAPIError as error:
            if error.status in (404, 422):
                log.warning("%s was not told of %s: %s", destination, conversion.id, error)
                return False
            raise
        delivery = answer["data"]
        is_on_its_way = str(delivery["state"]).split("(")[0] in ON_ITS_WAY
        if not is_on_its_way:
            log.warning("%s was not told of %s: %s", destination, conversion.id, delivery.get("reason_text") or delivery["state"])
        return is_on_its_way

    # ---- attribution

    def calculate_attribution(self, conversion_id: str, model: Optional[str] = None) -> Dict[str, Any]:
        """`model` and the `weights` of each touchpoint, in the order of time; they add up to one."""
        return self._ask("GET", f"conversions/{_part(conversion_id)}/attribution", {"model": model} if model else None)

    def get_touchpoints(self, conversion_id: str) -> List[Dict[str, Any]]:
        return self._ask("GET", f"conversions/{_part(conversion_id)}/touchpoints")["data"]

    # ---- affiliates

    def get_affiliate_performance(
        self, affiliate_id: str, date_range: Optional[Tuple[datetime, datetime]] = None
    ) -> AffiliatePerformance:
        query = {"affiliate_id": affiliate_id, **_range(date_range)}
        return _performance(self._ask("GET", "affiliates/performance", query)["data"])

    def get_top_affiliates(
        self,
        metric: str = "revenue",
        limit: int = 10,
        date_range: Optional[Tuple[datetime, datetime]] = None,
    ) -> List[AffiliatePerformance]:
        query = {"sort_by": metric, "limit": str(limit), **_range(date_range)}
        return [_performance(row) for row in self._ask("GET", "affiliates/top", query)["data"]]

    # ---- reports

    def get_daily_report(self, date: datetime) -> Dict[str, Any]:
        return self._ask("GET", "reports/daily", {"date": date.strftime("%Y-%m-%d")})

    def export_conversions_csv(self, date_range: Tuple[datetime, datetime], output_path: str) -> str:
        """Writes the server's own file, all rows, and gives its path. What stood there before is replaced by a whole file or not
        at all. Nobody but its owner may read a new file (0600); one that is replaced keeps who may."""
        folder = os.path.dirname(os.path.abspath(output_path))
        if not os.path.isdir(folder):
            raise FileNotFoundError(f"There is no folder {folder}.")
        text = self._send("GET", "conversions.csv", _range(date_range), None, "text/csv")
        # It is made with 0600.
        handle, scratch = tempfile.mkstemp(dir=folder, prefix=".conversions-", suffix=".csv")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(text)
            if os.path.isfile(output_path):
                shutil.copymode(output_path, scratch)
            os.replace(scratch, output_path)
        except BaseException:
            os.unlink(scratch)
            raise
        return output_path

    # ---- the way to the server

    def _ask(self, method: str, path: str, query: Optional[Dict[str, str]] = None, said: Optional[Dict[str, Any]] = None) -> Dict[str, Any]:
        text = self._send(method, path, query, said, "application/json")
        try:
            answer = json.loads(text)
        except ValueError as error:
            raise AnytrackAPIError(f"The server's answer is no JSON: {error}", 200, body=_shown(text)) from error
        if not isinstance(answer, dict):
            raise AnytrackAPIError("The server's answer is no JSON object.", 200, body=_shown(text))
        return answer

    def _send(self, method: str, path: str, query: Optional[Dict[str, str]], said: Optional[Dict[str, Any]], accept: str) -> bytes:
        """Tries again where the server is busy, failed or could not be reached. All tries of a call carry one Idempotency-Key, so
        that what was told twice counts once."""
        url = f"{self._base}/{path}"
        if query:
            url += "?" + urllib.parse.urlencode(query)
        headers = {"Authorization": f"Bearer {self._key}", "Accept": accept, "User-Agent": "halotrack-python/1"}
        if self._account:
            headers["X-Account-ID"] = self._account
        body = None
        if said is not None:
            body = _text(said).encode()
            headers["Content-Type"] = "application/json"
            headers["Idempotency-Key"] = uuid.uuid4().hex
        for turn in range(1, TRIES + 1):
            error, pause = self._try(urllib.request.Request(url, body, headers, method=method))
            if isinstance(error, bytes):
                return error
            if pause is None or turn == TRIES:
                raise error
            wait = min(pause or FIRST_PAUSE * 2 ** (turn - 1) * random.uniform(0.8, 1.2), LONGEST_PAUSE)
            log.info("%s %s: %s; again in %.1f s", method, path, error, wait)
            time.sleep(wait)
        raise AssertionError("the last try raises")

    @staticmethod
    def _try(request: urllib.request.Request) -> Tuple[Any, Optional[float]]:
        """The answer's bytes; or an error, with the seconds after which it may be tried again: 0 where the server names none, None
        where it would be refused again."""
        try:
            with _OPENER.open(request, timeout=TIMEOUT) as answer:
                return answer.read(), None
        except urllib.error.HTTPError as refused:
            with refused:
                text = _shown(refused.read(64 * 1024))
            code, message = _refusal(text, refused.code)
            error = AnytrackAPIError(message, refused.code, code, text)
            is_passing = refused.code == 429 or refused.code >= 500
            return error, _retry_after(refused.headers.get("Retry-After")) if is_passing else None
        except (urllib.error.URLError, http.client.HTTPException, OSError) as broken:
            cause = getattr(broken, "reason", broken)
            return AnytrackAPIError(f"The server could not be reached: {cause}"), 0.0


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """The API never redirects; a token is not carried elsewhere."""

    def redirect_request(self, *_args, **_kwargs):
        return None


_OPENER = urllib.request.build_opener(_NoRedirects())


def _base_of(url: str) -> str:
    parts = urllib.parse.urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.netloc:
        raise ValueError("Set ANYTRACK_BASE_URL to the server's address, such as https://stats.agency.example.")
    path = parts.path.rstrip("/") or "/api"
    return f"{parts.scheme}://{parts.netloc}{path}"


def _decimal(amount: Any, currency: str) -> str:
    """Amounts travel as they are written: 299.99 is never 299.98999. A float is what is left of a sum, such as 0.1 + 0.2: it is
    rounded to the digits of its currency, half away from zero. A Decimal, a whole number and a text say what they mean."""
    if isinstance(amount, bool):
        raise ValueError(f"{amount!r} is no amount. Give a number such as 299.99.")
    try:
        number = Decimal(str(amount))
    except InvalidOperation:
        raise ValueError(f"{amount!r} is no amount. Give a number such as 299.99.") from None
    if not number.is_finite():
        raise ValueError(f"{amount!r} is no amount: it is not finite. Give a number such as 299.99.")
    if not isinstance(amount, (int, str, Decimal)):
        try:
            number = number.quantize(Decimal(1).scaleb(-_digits(currency)), rounding=ROUND_HALF_UP)
        except InvalidOperation:
            raise ValueError(f"{amount!r} is no amount: it is too large.") from None
    # -0.001 comes to nothing, and nothing has no sign.
    return format(abs(number) if number.is_zero() else number, "f")


def _digits(currency: str) -> int:
    return DIGITS.get(str(currency).strip().upper(), 2)


def _text(said: Dict[str, Any]) -> str:
    try:
        return json.dumps(said, ensure_ascii=False, allow_nan=False, default=str)
    except ValueError:
        raise ValueError("custom_data holds a number that is not finite (NaN or infinity), which JSON cannot say.") from None


def _time(at: datetime) -> str:
    """A time without a zone is meant in UTC, as the printed programs write it."""
    if not isinstance(at, datetime):
        return at.isoformat()
    at = at.replace(tzinfo=timezone.utc) if at.tzinfo is None else at.astimezone(timezone.utc)
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _last_days() -> Tuple[datetime, datetime]:
    now = datetime.now(timezone.utc)
    return now - timedelta(days=DEFAULT_DAYS), now


def _range(date_range: Optional[Tuple[datetime, datetime]]) -> Dict[str, str]:
    date_from, date_to = date_range or _last_days()
    return {"date_from": _time(date_from), "date_to": _time(date_to)}


def _part(text: str) -> str:
    return urllib.parse.quote(str(text), safe="")


def _conversion(record: Dict[str, Any]) -> AnytrackConversion:
    try:
        kind = ConversionType(record.get("conversion_type"))
    except ValueError:
        kind = ConversionType.CUSTOM
    timestamp = record.get("timestamp")
    return AnytrackConversion(
        id=str(record["id"]),
        click_id=record.get("click_id") or "",
        conversion_type=kind,
        revenue=float(record.get("revenue") or 0),
        currency=record.get("currency") or "",
        source=record.get("source") or "",
        campaign_id=record.get("campaign_id") or "",
        ad_id=record.get("ad_id"),
        timestamp=_read_time(timestamp) if timestamp else None,
        sub_ids=dict(record.get("sub_ids") or {}),
        ip_address=record.get("ip_address"),
        user_agent=record.get("user_agent"),
    )


def _read_time(text: str) -> datetime:
    # Python before 3.11 does not read the Z.
    at = datetime.fromisoformat(text[:-1] + "+00:00" if text.endswith("Z") else text)
    return at.replace(tzinfo=timezone.utc) if at.tzinfo is None else at.astimezone(timezone.utc)


def _performance(row: Dict[str, Any]) -> AffiliatePerformance:
    return AffiliatePerformance(
        affiliate_id=str(row.get("affiliate_id") or ""),
        clicks=int(row.get("clicks") or 0),
        conversions=int(row.get("conversions") or 0),
        revenue=float(row.get("revenue") or 0),
        epc=float(row.get("epc") or 0),
        conversion_rate=float(row.get("conversion_rate") or 0),
        commission=float(row.get("commission") or 0),
    )


def _retry_after(value: Optional[str]) -> float:
    """Seconds, or a date; 0 where nothing is said."""
    if not value:
        return 0.0
    try:
        return max(0.0, float(value))
    except ValueError:
        pass
    try:
        return max(0.0, (email.utils.parsedate_to_datetime(value) - datetime.now(timezone.utc)).total_seconds())
    except (TypeError, ValueError):
        return 0.0


def _refusal(text: str, status: int) -> Tuple[Optional[str], str]:
    """The server's word and sentence."""
    try:
        error = json.loads(text)["error"]
        return error["code"], f"{error['message']} ({status})"
    except (ValueError, KeyError, TypeError):
        return None, f"The server answered {status}: {text[:200]}"


def _shown(text: bytes) -> str:
    return text.decode("utf-8", "replace")
