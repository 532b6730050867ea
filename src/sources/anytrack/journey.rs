//! Where an event came from: AnyTrack's own word for it, and the numbers of the ad in the landing address.

use serde_json::Value;

use crate::domain::tracker::{Ad, Campaign};
use crate::sources::kit::{first_text, text};

/// Longest name of a source, campaign or ad, and longest address.
const LONGEST: usize = 255;
const LONGEST_ADDRESS: usize = 2_048;
/// Networks name the number of a campaign differently; the first that is there counts.
const CAMPAIGN_KEYS: [&str; 3] = ["utm_id", "hsa_cam", "campaign_id"];

pub fn campaign(event: &Value) -> Campaign {
    let main = &event["mainAttribution"];
    let word = |key: &str| text(main, key).map(|t| cut(&t, LONGEST));
    Campaign {
        source: word("source"),
        medium: word("medium"),
        campaign: word("campaign"),
        term: word("term"),
        content: word("content"),
        referrer: text(main, "referrer").map(|t| without_addresses(&cut(&t, LONGEST_ADDRESS))),
        landing: text(event, "location").map(|t| without_addresses(&cut(&t, LONGEST_ADDRESS))),
    }
}

/// From the landing address, and what that does not say from the first attribution that names an ad.
pub fn ad(event: &Value) -> Ad {
    let mut ad = text(event, "location").map(|location| in_address(&location)).unwrap_or_default();
    for told in event["attributions"].as_array().into_iter().flatten() {
        let params = &told["params"];
        ad.ad = ad.ad.take().or_else(|| number(text(params, "ad_id")?));
        ad.adset = ad.adset.take().or_else(|| number(text(params, "adset_id")?));
        ad.campaign = ad.campaign.take().or_else(|| number(first_text(params, &CAMPAIGN_KEYS)?));
        if ad.ad.is_some() {
            break;
        }
    }
    let name = |key: &str| text(event, key).map(|t| cut(&t, LONGEST));
    Ad { ad_name: name("adName"), adset_name: name("adSetName"), ..ad }
}

/// Values that hold an e-mail address are left out: the event keeps nobody readable.
pub fn without_addresses(address: &str) -> String {
    let has_address = |text: &str| text.contains('@') || text.contains("%40");
    let Some((page, query)) = address.split_once('?').filter(|_| has_address(address)) else {
        return if has_address(address) { "…".into() } else { address.to_owned() };
    };
    if has_address(page) {
        return "…".into();
    }
    let kept: Vec<&str> = query.split('&').filter(|pair| !has_address(pair)).collect();
    if kept.is_empty() { page.to_owned() } else { format!("{page}?{}", kept.join("&")) }
}

fn in_address(location: &str) -> Ad {
    let query = location.split_once('?').map_or("", |(_, query)| query.split('#').next().unwrap_or_default());
    let pairs: Vec<(String, String)> = url::form_urlencoded::parse(query.as_bytes()).into_owned().collect();
    let first = |key: &str| pairs.iter().find(|(name, value)| name == key && !value.is_empty()).and_then(|(_, v)| number(v.clone()));
    Ad { ad: first("ad_id"), adset: first("adset_id"), campaign: CAMPAIGN_KEYS.iter().find_map(|key| first(key)), ..Ad::default() }
}

/// The number of an ad; a placeholder that nobody filled in (`{{ad.id}}`) is none.
fn number(text: String) -> Option<String> {
    let text = text.trim();
    let is_fit = !text.is_empty() && text.len() <= 64 && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b));
    is_fit.then(|| text.to_owned())
}

fn cut(text: &str, most: usize) -> String {
    crate::domain::campaign::clean_text(text, most)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn numbers_of_ads_come_from_the_address_first() {
        let event = json!({
            "location": "https://shop.example/p?ad_id=11&hsa_cam=33&utm_source=fb#x",
            "attributions": [{"params": {}}, {"params": {"ad_id": "12", "adset_id": 22, "campaign_id": "34"}}],
            "adName": "Soap", "adSetName": "Women 25",
        });
        let some = |text: &str| Some(text.to_owned());
        let want = Ad { ad: some("11"), adset: some("22"), campaign: some("33"), ad_name: some("Soap"), adset_name: some("Women 25") };
        // The address names the ad, so only what it does not say is looked for, in the first attribution.
        assert_eq!(ad(&event), Ad { adset: None, ..want.clone() });
        let event = json!({"attributions": [{"params": {"adset_id": "22"}}, {"params": {"ad_id": "11", "hsa_cam": "33"}}]});
        assert_eq!(ad(&event), Ad { ad_name: None, adset_name: None, ..want });
        assert_eq!(ad(&json!({"location": "https://x.example/?ad_id={{ad.id}}"})), Ad::default());
        assert_eq!(ad(&json!({"location": 5, "attributions": "none"})), Ad::default());
    }

    #[test]
    fn addresses_of_people_stay_out() {
        for (given, want) in [
            ("https://shop.example/?a=1&email=ann%40mail.example&b=2", "https://shop.example/?a=1&b=2"),
            ("https://shop.example/?e=ann@mail.example", "https://shop.example/"),
            ("https://shop.example/u/ann@mail.example?a=1", "…"),
            ("https://shop.example/?a=1", "https://shop.example/?a=1"),
        ] {
            assert_eq!(without_addresses(given), want);
        }
    }
}
