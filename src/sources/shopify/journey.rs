//! What the shop itself has noted on where a buyer came from: the landing page and referrer of an order, or the visits
//! of its customer journey. Others' evidence, kept as imported.
//! <https://shopify.dev/docs/api/admin-graphql/latest/objects/CustomerJourneySummary>

use serde_json::Value;

use super::told::tidy;
use crate::domain::campaign::{host_of, landing};
use crate::domain::fact::ShopTouch;
use crate::domain::time::Time;
use crate::sources::kit::text;

#[derive(Debug, Default, PartialEq)]
pub struct Visits {
    touches: Vec<ShopTouch>,
    click_ids: Vec<String>,
}

impl Visits {
    /// The landing page of a REST order is a path with its query, sometimes a whole address. When the visit was is not said.
    pub fn of_rest(order: &Value) -> Self {
        let mut visits = Self::default();
        visits.add(None, text(order, "landing_site").as_deref(), text(order, "referring_site").as_deref(), None, None);
        visits
    }

    /// Shopify works the journey out some time after the order; until then it is not ready, and tells nothing.
    pub fn of_summary(summary: Option<&Value>) -> Self {
        let mut visits = Self::default();
        let Some(summary) = summary.filter(|s| s.get("ready").and_then(Value::as_bool) == Some(true)) else { return visits };
        for visit in ["firstVisit", "lastVisit"].iter().filter_map(|name| summary.get(*name)).filter(|v| v.is_object()) {
            let at = text(visit, "occurredAt").as_deref().and_then(Time::parse);
            if at.is_some() && visits.touches.iter().any(|t| t.at == at) {
                // A single visit is both the first and the last.
                continue;
            }
            let (page, referrer) = (text(visit, "landingPage"), text(visit, "referrerUrl"));
            visits.add(at, page.as_deref(), referrer.as_deref(), visit.get("utmParameters"), text(visit, "source").as_deref());
        }
        visits.touches.sort_by_key(|t| t.at);
        visits
    }

    pub fn click_ids(&self) -> Vec<String> {
        self.click_ids.clone()
    }

    pub fn touches(self) -> Vec<ShopTouch> {
        self.touches
    }

    /// Only allow-listed parameters of a page are kept, and of a referrer its host: both can carry more.
    fn add(&mut self, at: Option<Time>, page: Option<&str>, referrer: Option<&str>, utm: Option<&Value>, source: Option<&str>) {
        let landed = page.map(|page| landing(page, &[])).unwrap_or_default();
        for (_, id) in landed.clicks.iter() {
            if !self.click_ids.iter().any(|known| known == id) {
                self.click_ids.push(id.to_owned());
            }
        }
        let told = |key: &str| utm.and_then(|u| text(u, key)).and_then(|t| tidy(&t));
        let referrer = referrer.and_then(host_of);
        // A referrer and a click id say more than Shopify's one word, which is made of them.
        let word = source.filter(|_| referrer.is_none() && landed.clicks.is_empty()).and_then(own_word);
        let touch = ShopTouch {
            at,
            source: told("source").or(landed.utm.source.clone()).or(word),
            medium: told("medium").or(landed.utm.medium.clone()),
            campaign: told("campaign").or(landed.utm.campaign.clone()),
            landing: page.map(|_| landed.path_and_query()),
            referrer,
        };
        // A bare landing page says only that somebody came.
        let is_telling = touch.source.is_some() || touch.referrer.is_some() || touch.campaign.is_some() || !landed.clicks.is_empty();
        if is_telling || at.is_some() {
            self.touches.push(touch);
        }
    }
}

/// Shopify's own word for a source. `direct` and `unknown` say nothing; `an email` is e-mail.
fn own_word(word: &str) -> Option<String> {
    match word.trim().to_lowercase().as_str() {
        "" | "direct" | "(direct)" | "unknown" | "none" => None,
        "an email" | "email" => Some("email".into()),
        other => tidy(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_rest_order_tells_one_visit_without_its_time() {
        for (landing, referrer, want) in [
            (
                "/?utm_source=newsletter&utm_medium=email&email=a%40b.example",
                None,
                Some((Some("newsletter"), Some("/?utm_source=newsletter&utm_medium=email"), None)),
            ),
            (
                "https://shop.example/cups?gclid=Cj0K",
                Some("https://www.google.com/search?q=cups"),
                Some((None, Some("/cups?gclid=Cj0K"), Some("www.google.com"))),
            ),
            ("/", Some("https://blog.example/x"), Some((None, Some("/"), Some("blog.example")))),
            ("/password", None, None),
            ("", None, None),
        ] {
            let visits = Visits::of_rest(&json!({"landing_site": landing, "referring_site": referrer}));
            let got = visits.touches.first().map(|t| (t.source.as_deref(), t.landing.as_deref(), t.referrer.as_deref()));
            assert_eq!(got, want, "{landing}");
            assert!(visits.touches.iter().all(|t| t.at.is_none()));
        }
        assert_eq!(Visits::of_rest(&json!({"landing_site": "/?gclid=Cj0K"})).click_ids(), ["Cj0K"]);
    }

    #[test]
    fn a_journey_counts_when_it_is_ready() {
        let visit = |at: &str, source: &str| json!({"occurredAt": at, "landingPage": "https://shop.example/?x=1", "referrerUrl": null, "source": source, "utmParameters": null});
        let summary = |ready: bool, last: &str| json!({"ready": ready, "firstVisit": visit("2026-06-01T10:00:00Z", "an email"), "lastVisit": visit(last, "direct")});
        assert_eq!(Visits::of_summary(Some(&summary(false, "2026-06-02T10:00:00Z"))), Visits::default());
        assert_eq!(Visits::of_summary(None), Visits::default());
        let touches = Visits::of_summary(Some(&summary(true, "2026-06-02T10:00:00Z"))).touches();
        let told: Vec<_> = touches.iter().map(|t| (t.at.map(|at| at.utc()).unwrap_or_default(), t.source.as_deref())).collect();
        assert_eq!(told, [("2026-06-01T10:00:00Z".to_owned(), Some("email")), ("2026-06-02T10:00:00Z".to_owned(), None)]);
        assert_eq!(
            Visits::of_summary(Some(&summary(true, "2026-06-01T10:00:00Z"))).touches().len(),
            1,
            "first and last are the same visit"
        );
    }

    #[test]
    fn the_utms_of_a_visit_come_before_shopifys_word() {
        let visit = json!({"occurredAt": "2026-06-01T10:00:00Z", "landingPage": "https://shop.example/", "source": "facebook.com",
            "utmParameters": {"source": "fb", "medium": "paid", "campaign": "Spring"}});
        let touches = Visits::of_summary(Some(&json!({"ready": true, "firstVisit": visit, "lastVisit": null}))).touches();
        assert_eq!(
            (touches[0].source.as_deref(), touches[0].medium.as_deref(), touches[0].campaign.as_deref()),
            (Some("fb"), Some("paid"), Some("Spring"))
        );
    }
}
