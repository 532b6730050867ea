"""The client against a stand-in on loopback: what it sends, what it makes of answers, when it tries again."""

import csv
import json
import os
import stat
import sys
import tempfile
import threading
import unittest
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from unittest import mock

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))

from integrations import AffiliatePerformance, AnytrackAPIError, AnytrackConversion, AnytrackIntegration, ConversionType  # noqa: E402
from integrations import anytrack as module  # noqa: E402


class StandIn:
    """Answers what it is told to, in turn, and keeps what it was asked."""

    def __init__(self, *answers):
        self.answers = list(answers)
        self.asked = []
        stand_in = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_args):
                pass

            def do_GET(self):
                length = int(self.headers.get("Content-Length") or 0)
                stand_in.asked.append((self.command, self.path, self.headers, self.rfile.read(length)))
                status, headers, body = stand_in.answers.pop(0) if stand_in.answers else (599, {}, "nothing left to say")
                if status is None:
                    self.connection.close()
                    self.close_connection = True
                    return
                text = body if isinstance(body, str) else json.dumps(body)
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(text.encode())))
                self.end_headers()
                self.wfile.write(text.encode())

            do_POST = do_GET

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def __enter__(self):
        return self

    def __exit__(self, *_exc):
        self.server.shutdown()
        self.server.server_close()


def ok(body, status=200):
    return status, {"Content-Type": "application/json"}, body


def refused(status, code="x", **headers):
    return status, {k.replace("_", "-"): v for k, v in headers.items()}, {"success": False, "error": {"code": code, "message": "No."}}


MADE = ok({"status": "success", "conversion_id": "conversion_1", "click_id": None, "attributed": False}, 201)
RECORD = {
    "id": "conversion_1",
    "click_id": "clk_1",
    "conversion_type": "sale",
    "revenue": 299.99,
    "currency": "USD",
    "source": "facebook",
    "campaign_id": None,
    "ad_id": None,
    "timestamp": "2026-06-13T10:20:00+01:00",
    "sub_ids": {"a": "b"},
    "ip_address": None,
    "user_agent": None,
}


class Client(unittest.TestCase):
    def setUp(self):
        pauses = mock.patch.object(module.time, "sleep", side_effect=lambda s: self.pauses.append(s))
        self.pauses = []
        pauses.start()
        self.addCleanup(pauses.stop)

    def client(self, stand_in):
        return AnytrackIntegration("ht_key", "shop", base_url=stand_in.url)

    # ---- what it is made of

    def test_it_reads_the_environment(self):
        env = {"ANYTRACK_API_KEY": "ht_env", "ANYTRACK_ACCOUNT_ID": "shop", "ANYTRACK_BASE_URL": "https://stats.example/"}
        with mock.patch.dict(os.environ, env):
            client = AnytrackIntegration()
            self.assertEqual((client._key, client._account, client._base), ("ht_env", "shop", "https://stats.example/api"))
            self.assertEqual(AnytrackIntegration("ht_own", base_url="http://h:1/x/api")._base, "http://h:1/x/api")
        with mock.patch.dict(os.environ, clear=True):
            for wrong in [{}, {"api_key": "k"}, {"api_key": "k", "base_url": "stats.example"}, {"base_url": "https://stats.example"}]:
                with self.assertRaises(ValueError):
                    AnytrackIntegration(**wrong)

    def test_it_has_the_fourteen_methods(self):
        public = {name for name in vars(AnytrackIntegration) if not name.startswith("_")}
        want = """track_conversion track_sale track_lead get_conversions get_conversions_by_source get_conversion_details
            sync_with_meta_capi sync_with_hubspot calculate_attribution get_touchpoints get_affiliate_performance
            get_top_affiliates get_daily_report export_conversions_csv"""
        self.assertEqual(public, set(want.split()))

    # ---- what it sends

    def test_a_sale_is_told_as_it_is(self):
        with StandIn(MADE, MADE, MADE) as stand_in:
            client = self.client(stand_in)
            made = client.track_sale("clk_1", 299.99, "USD", "ORD-1", "PLAN")
            self.assertEqual(made["conversion_id"], "conversion_1")
            client.track_lead("clk_2", "L-1", 25)
            client.track_conversion("clk_3", ConversionType.CUSTOM, custom_data={"event_name": "Demo"})
        method, path, headers, body = stand_in.asked[0]
        said = json.loads(body)
        self.assertEqual((method, path), ("POST", "/api/conversions"))
        self.assertEqual((headers["Authorization"], headers["X-Account-ID"]), ("Bearer ht_key", "shop"))
        for name, value in [("click_id", "clk_1"), ("conversion_type", "sale"), ("revenue", "299.99"), ("currency", "USD"),
                            ("order_id", "ORD-1"), ("product_id", "PLAN"), ("custom_data", {"product_id": "PLAN"})]:
            self.assertEqual(said[name], value, name)
        self.assertTrue(said["timestamp"].endswith("Z"))
        lead, custom = (json.loads(asked[3]) for asked in stand_in.asked[1:])
        self.assertEqual((lead["conversion_type"], lead["revenue"], lead["custom_data"]), ("lead", "25", {"lead_id": "L-1"}))
        self.assertEqual((custom["conversion_type"], custom["revenue"], custom["custom_data"]), ("custom", "0", {"event_name": "Demo"}))
        keys = {asked[2]["Idempotency-Key"] for asked in stand_in.asked}
        self.assertEqual(len(keys), 3, "each call has a key of its own")

    def test_what_is_no_amount_is_not_sent(self):
        with StandIn() as stand_in:
            for wrong in ["many", float("nan"), float("inf"), float("-inf"), Decimal("NaN"), 1e300, True, None]:
                with self.assertRaisesRegex(ValueError, "is no amount"):
                    self.client(stand_in).track_sale("clk_1", wrong)
                with self.assertRaisesRegex(ValueError, "is no amount"):
                    self.client(stand_in).track_lead("clk_1", "L-1", wrong)
            with self.assertRaisesRegex(ValueError, "custom_data"):
                self.client(stand_in).track_conversion("clk_1", ConversionType.CUSTOM, custom_data={"score": float("nan")})
            self.assertEqual(stand_in.asked, [])

    def test_a_sum_of_floats_is_rounded_to_its_currency(self):
        rows = [
            (0.1 + 0.2, "USD", "0.30"),
            (1.005, "USD", "1.01"),
            (2.675, "eur", "2.68"),
            (-0.001, "USD", "0.00"),
            (-1.005, "USD", "-1.01"),
            (19.99 * 3, "USD", "59.97"),
            (1499.5, "JPY", "1500"),
            (1.0005, "KWD", "1.001"),
            (0.1 + 0.2, "KWD", "0.300"),
            (1e16, "USD", "10000000000000000.00"),
            # These say what they mean, and are told as they are.
            (Decimal("1.005"), "USD", "1.005"),
            ("1.005", "USD", "1.005"),
            (5, "USD", "5"),
        ]
        with StandIn(*[MADE] * len(rows)) as stand_in:
            for amount, currency, _ in rows:
                self.client(stand_in).track_sale("clk_1", amount, currency)
        self.assertEqual([json.loads(asked[3])["revenue"] for asked in stand_in.asked], [want for _, _, want in rows])

    # ---- what it makes of answers

    def test_pages_are_read_to_the_end(self):
        second = {**RECORD, "id": "conversion_2", "conversion_type": "strange", "revenue": "12.50", "source": None}
        with StandIn(ok({"data": [RECORD], "next": "n.1.2"}), ok({"data": [second], "next": None})) as stand_in:
            naive, aware = datetime(2026, 6, 1), datetime(2026, 6, 14, 1, tzinfo=timezone(timedelta(hours=1)))
            found = self.client(stand_in).get_conversions(naive, aware, source="facebook", campaign_id="9")
        self.assertIn("date_from=2026-06-01T00%3A00%3A00.000Z&date_to=2026-06-14T00%3A00%3A00.000Z", stand_in.asked[0][1])
        self.assertIn("source=facebook&campaign_id=9", stand_in.asked[0][1])
        self.assertIn("cursor=n.1.2", stand_in.asked[1][1])
        want = AnytrackConversion("conversion_1", "clk_1", ConversionType.SALE, 299.99, "USD", "facebook", "", None,
                                  datetime(2026, 6, 13, 9, 20, tzinfo=timezone.utc), {"a": "b"}, None, None)
        self.assertEqual(found[0], want)
        self.assertEqual((found[1].conversion_type, found[1].revenue, found[1].source), (ConversionType.CUSTOM, 12.5, ""))

    def test_affiliates_and_days(self):
        row = {"affiliate_id": "ANN", "clicks": 1000, "conversions": 50, "revenue": 5000, "epc": 5.0, "conversion_rate": 0.05, "commission": 500}
        with StandIn(ok({"data": row}), ok({"data": [row]}), ok({"total_revenue": 5.0})) as stand_in:
            client = self.client(stand_in)
            self.assertEqual(client.get_affiliate_performance("ANN"), AffiliatePerformance("ANN", 1000, 50, 5000.0, 5.0, 0.05, 500.0))
            self.assertEqual(client.get_top_affiliates("epc", 5)[0].epc, 5.0)
            self.assertEqual(client.get_daily_report(date(2026, 6, 13)), {"total_revenue": 5.0})
        self.assertIn("/api/affiliates/top?sort_by=epc&limit=5&date_from=", stand_in.asked[1][1])
        self.assertEqual(stand_in.asked[2][1], "/api/reports/daily?date=2026-06-13")

    def test_a_sync_says_whether_it_goes(self):
        conversion = AnytrackConversion("conversion_1", "", ConversionType.SALE, 1.0, "USD", "", "")
        states = [("pending", True), ("delivered", True), ("skipped(shadow)", False), ("refused", False)]
        with StandIn(*[ok({"data": {"state": state, "reason_text": None}}) for state, _ in states]) as stand_in:
            client = self.client(stand_in)
            with self.assertLogs(module.log, "WARNING"):
                self.assertEqual([client.sync_with_meta_capi(conversion, object()) for _ in states], [goes for _, goes in states])
        self.assertEqual(json.loads(stand_in.asked[0][3]), {"destination": "meta"})
        self.assertEqual(stand_in.asked[0][1], "/api/conversions/conversion_1/sync")
        with StandIn(refused(422, "not_connected"), refused(401, "bad_token")) as stand_in:
            client = self.client(stand_in)
            with self.assertLogs(module.log, "WARNING"):
                self.assertFalse(client.sync_with_hubspot(conversion))
            with self.assertRaises(AnytrackAPIError):
                client.sync_with_hubspot(conversion)

    def test_a_file_is_whole_or_not_there(self):
        days = (datetime(2026, 6, 1), datetime(2026, 6, 2))
        with tempfile.TemporaryDirectory() as folder, StandIn((200, {}, "id,click_id\r\nconversion_1,\r\n"), refused(403)) as stand_in:
            path = os.path.join(folder, "out.csv")
            self.assertEqual(self.client(stand_in).export_conversions_csv(days, path), path)
            with open(path, newline="") as file:
                self.assertEqual(list(csv.DictReader(file)), [{"id": "conversion_1", "click_id": ""}])
            with self.assertRaises(AnytrackAPIError):
                self.client(stand_in).export_conversions_csv(days, path)
            self.assertEqual(os.listdir(folder), ["out.csv"])
            self.assertEqual(stat.S_IMODE(os.stat(path).st_mode), 0o600, "nobody else reads it")
            with self.assertRaises(FileNotFoundError):
                self.client(stand_in).export_conversions_csv(days, os.path.join(folder, "no", "out.csv"))

    def test_whoever_may_read_a_file_still_may(self):
        days = (datetime(2026, 6, 1), datetime(2026, 6, 2))
        with tempfile.TemporaryDirectory() as folder, StandIn((200, {}, "id\r\n")) as stand_in:
            path = os.path.join(folder, "out.csv")
            with open(path, "w") as file:
                file.write("of yesterday")
            os.chmod(path, 0o640)
            self.client(stand_in).export_conversions_csv(days, path)
            with open(path) as file:
                self.assertEqual(file.read(), "id\n")
            self.assertEqual(stat.S_IMODE(os.stat(path).st_mode), 0o640)

    # ---- when it tries again

    def test_busy_and_failed_servers_are_asked_again_with_one_key(self):
        answers = [refused(429, Retry_After="2"), refused(503), (None, {}, ""), refused(500), MADE]
        with StandIn(*answers) as stand_in:
            self.client(stand_in).track_sale("clk_1", 5)
        self.assertEqual(len(stand_in.asked), 5)
        self.assertEqual(len({asked[2]["Idempotency-Key"] for asked in stand_in.asked}), 1)
        self.assertEqual(len({asked[3] for asked in stand_in.asked}), 1, "the same bytes")
        self.assertEqual(self.pauses[0], 2.0)
        for pause, want in zip(self.pauses[1:], [1.0, 2.0, 4.0]):
            self.assertAlmostEqual(pause, want, delta=want * 0.21)

    def test_it_gives_up_at_last_and_never_waits_long(self):
        with StandIn(*[refused(503, "storage_full", Retry_After="9999")] * 5) as stand_in:
            with self.assertRaises(AnytrackAPIError) as caught:
                self.client(stand_in).track_sale("clk_1", 5)
        self.assertEqual((caught.exception.status, caught.exception.code), (503, "storage_full"))
        self.assertEqual((len(stand_in.asked), self.pauses), (5, [60.0] * 4))

    def test_what_would_be_refused_again_is_not_sent_again(self):
        for status in (400, 401, 403, 404, 409, 422):
            with StandIn(refused(status, "word")) as stand_in:
                with self.assertRaises(AnytrackAPIError) as caught:
                    self.client(stand_in).track_sale("clk_1", 5)
            self.assertEqual((len(stand_in.asked), caught.exception.status, caught.exception.code), (1, status, "word"))
            self.assertIn("No.", str(caught.exception))

    def test_nobody_there_is_an_error_of_ours(self):
        with StandIn() as stand_in:
            url = stand_in.url
        with self.assertRaises(AnytrackAPIError) as caught:
            AnytrackIntegration("k", base_url=url).get_conversion_details("conversion_1")
        self.assertIsNone(caught.exception.status)
        self.assertEqual(len(self.pauses), 4)

    def test_a_token_is_not_carried_elsewhere(self):
        with StandIn(MADE) as elsewhere, StandIn((302, {"Location": elsewhere.url + "/api/conversions"}, "")) as stand_in:
            with self.assertRaises(AnytrackAPIError):
                self.client(stand_in).get_conversion_details("a/../b?c")
            self.assertEqual(elsewhere.asked, [])
        self.assertEqual(stand_in.asked[0][1], "/api/conversions/a%2F..%2Fb%3Fc")

    def test_what_is_no_json_is_an_error_of_ours(self):
        for body in ["<html>", "[]"]:
            with StandIn((200, {}, body)) as stand_in, self.assertRaises(AnytrackAPIError):
                self.client(stand_in).get_daily_report(datetime(2026, 6, 13))


if __name__ == "__main__":
    unittest.main()
