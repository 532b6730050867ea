"""What a program does with the client, from a click to the report, against a server that runs. Told by its environment:
ANYTRACK_BASE_URL, ANYTRACK_API_KEY, and CLICK, a click id of that server. Ends with an error where something is not as it should be."""

import csv
import os
import sys
import tempfile
from datetime import datetime, timedelta, timezone

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))

from integrations import AnytrackAPIError, AnytrackIntegration, ConversionType, HubSpotIntegration  # noqa: E402
from meta_capi import MetaCAPIClient  # noqa: E402


def same(got, want, what):
    if got != want:
        raise AssertionError(f"{what}: {got!r} is not {want!r}")


anytrack = AnytrackIntegration()
click = os.environ["CLICK"]

# A sale by the click of a short link; told again, it is the same one.
sale = anytrack.track_sale(click_id=click, revenue=299.99, currency="USD", order_id="ORD-98765", product_id="PRO-PLAN")
same((sale["status"], sale["click_id"], sale["attributed"]), ("success", click, True), "the sale")
again = anytrack.track_sale(click_id=click, revenue=299.99, currency="USD", order_id="ORD-98765", product_id="PRO-PLAN")
same(again["conversion_id"], sale["conversion_id"], "the same sale")
lead = anytrack.track_lead(click_id=click, lead_id="L-1", value=25)
signup = anytrack.track_conversion(click_id="clk_of_nobody", conversion_type=ConversionType.SIGNUP)
same((lead["status"], signup["attributed"]), ("success", False), "a lead, and a sign-up by no click of ours")

# Where it came from.
attribution = anytrack.calculate_attribution(sale["conversion_id"])
same(round(sum(attribution["weights"].values()), 9), 1.0, "weights")
touchpoints = anytrack.get_touchpoints(sale["conversion_id"])
same([(t["type"], t["source"]) for t in touchpoints], [("link", "newsletter")], "touchpoints")

# What there is.
now = datetime.now(timezone.utc)
week = (now - timedelta(days=7), now + timedelta(minutes=1))
found = anytrack.get_conversions(*week)
same(sorted(c.id for c in found), sorted(m["conversion_id"] for m in (sale, lead, signup)), "all conversions")
same({c.id for c in anytrack.get_conversions_by_source("newsletter", week)}, {sale["conversion_id"], lead["conversion_id"]}, "of the newsletter")
one = anytrack.get_conversion_details(sale["conversion_id"])
same((one.revenue, one.currency, one.click_id, one.conversion_type), (299.99, "USD", click, ConversionType.SALE), "details")
same(abs(now - one.timestamp) < timedelta(minutes=5), True, "its time")

# To the platforms: one is not connected, the other in shadow mode.
same(anytrack.sync_with_hubspot(one, HubSpotIntegration(api_key="...")), False, "HubSpot is not connected")
same(anytrack.sync_with_meta_capi(one, MetaCAPIClient(access_token="...", pixel_id="...")), False, "Meta is in shadow mode")

# Figures.
report = anytrack.get_daily_report(now)
same(report["total_conversions"], 3, "the day's report")
with tempfile.TemporaryDirectory() as folder:
    path = anytrack.export_conversions_csv(week, os.path.join(folder, "conversions.csv"))
    with open(path, newline="", encoding="utf-8") as file:
        rows = {row["id"]: row for row in csv.DictReader(file)}
same((len(rows), rows[sale["conversion_id"]]["revenue"]), (3, "299.99"), "the file")

# Whoever's link it was earns by it.
ann = anytrack.get_affiliate_performance("aff_12345", week)
same((ann.affiliate_id, ann.conversions > 0, ann.revenue, ann.commission), ("aff_12345", True, 299.99, 30.0), "the affiliate")
top = anytrack.get_top_affiliates("revenue", 5, week)
same([(a.affiliate_id, a.revenue) for a in top], [("aff_12345", 299.99)], "the top of them")

# What goes wrong says so.
try:
    AnytrackIntegration(api_key="ht_of_nobody").get_conversion_details(sale["conversion_id"])
    raise AssertionError("a token of nobody opened something")
except AnytrackAPIError as error:
    same(error.status, 401, "a token of nobody")
try:
    anytrack.get_conversion_details("conversion_999")
    raise AssertionError("there is no such conversion")
except AnytrackAPIError as error:
    same(error.status, 404, "an unknown conversion")

print("done")
