//! Consent managers that write down what was agreed to by group, by purpose or by service.
//!
//! Borlabs Cookie (WordPress, versions 2 and 3) https://borlabs.io/kb/
//! Didomi https://developers.didomi.io/cmp/web-sdk/consent-notice/consent-cookies
//! iubenda https://www.iubenda.com/en/help/1205
//! Klaro https://klaro.org/docs/integration/annotated-configuration
//! Axeptio https://support.axeptio.eu/
//! GDPR Cookie Consent (WordPress, CookieYes' older plug-in) https://www.webtoffee.com/docs/gdpr-legacy/cookies-in-gdpr-cookie-consent-plugin/
//! CookieConsent by Orest Bida https://cookieconsent.orestbida.com/advanced/cookie-structure.html

use base64::Engine;
use base64::alphabet::{STANDARD, URL_SAFE};
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use serde_json::Value;

use super::Answer;
use super::managers::{Answers, NOTHING, both, decoded};

/// `{"consents":{"essential":["borlabs-cookie"],"statistics":["google-analytics"]},"domainPath":"…","uid":"…",
/// "version":"2"}`, of version 3 with `"v3":true`: only the groups of which something was agreed to. Written with the
/// answer, not before.
pub(super) fn borlabs(text: &str) -> Answers {
    let Ok(json) = serde_json::from_str::<Value>(text) else { return NOTHING };
    let Some(groups) = json.get("consents").and_then(Value::as_object).filter(|groups| !groups.is_empty()) else { return NOTHING };
    let group = |name: &str| match groups.get(name) {
        Some(Value::Array(services)) if !services.is_empty() => Answer::Granted,
        Some(Value::Object(services)) if !services.is_empty() => Answer::Granted,
        _ => Answer::Denied,
    };
    (group("statistics"), group("marketing"))
}

/// Base64 of `{"user_id":"…","created":"…","purposes":{"enabled":["cookies"],"disabled":["create_ads_profile"]},
/// "vendors":{…},"version":2}`; before anybody answered without purposes.
pub(super) fn didomi(value: &str) -> Answers {
    let Some(json) = unpacked(&decoded(value)) else { return NOTHING };
    let Some(purposes) = json.get("purposes") else { return NOTHING };
    let purposes = purposes.get("consent").unwrap_or(purposes);
    let ids = |list: &str| -> Vec<&str> {
        purposes.get(list).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect()
    };
    let (enabled, disabled) = (ids("enabled"), ids("disabled"));
    // Nothing may be kept on the device at all.
    if disabled.contains(&"cookies") || (enabled.is_empty() && !disabled.is_empty()) {
        return both(Answer::Denied);
    }
    let said = enabled.iter().map(|id| (*id, true)).chain(disabled.iter().map(|id| (*id, false)));
    by_name(said, |id| match id {
        "select_basic_ads"
        | "create_ads_profile"
        | "select_personalized_ads"
        | "measure_ad_performance"
        | "advertising_personalization" => Some(Use::Marketing),
        "measure_content_performance" | "market_research" => Some(Use::Analytics),
        other => use_of(other),
    })
}

/// `{"timestamp":"…","version":"…","purposes":{"1":true,"4":true,"5":false},"id":12345678}`: 4 is measurement, 5
/// targeting and advertising. Without purposes by category `"consent":true` for all of them.
pub(super) fn iubenda(text: &str) -> Answers {
    let Ok(json) = serde_json::from_str::<Value>(text) else { return NOTHING };
    match json.get("purposes") {
        Some(purposes) => (flag(purposes.get("4")), flag(purposes.get("5"))),
        None => both(flag(json.get("consent"))),
    }
}

/// The same for the laws of the United States: `{"s":true,"sh":true,"adv":false}`, sale, sharing and targeted advertising.
/// Not having objected is no answer.
pub(super) fn iubenda_objections(text: &str) -> Answers {
    let Ok(json) = serde_json::from_str::<Value>(text) else { return NOTHING };
    let objects = ["s", "sh", "adv"].iter().any(|name| json.get(*name) == Some(&Value::Bool(false)));
    (Answer::Unknown, if objects { Answer::Denied } else { Answer::Unknown })
}

/// `{"googleAnalytics":true,"metaPixel":false}`: services under the names that the site's owner gave them.
pub(super) fn klaro(text: &str) -> Answers {
    match serde_json::from_str::<Value>(text) {
        Ok(Value::Object(services)) => by_name(services.iter().filter_map(|(name, said)| Some((name.as_str(), said.as_bool()?))), use_of),
        _ => NOTHING,
    }
}

/// The same beside `$$token`, `$$date` and `$$completed`, which is false until the visitor has answered.
pub(super) fn axeptio(text: &str) -> Answers {
    match serde_json::from_str::<Value>(text) {
        Ok(json) if json.get("$$completed") == Some(&Value::Bool(true)) => klaro(text),
        _ => NOTHING,
    }
}

/// `{"categories":["necessary","analytics"],"revision":0,…}`: what was agreed to. Version 2 calls the list `level` too.
pub(super) fn orestbida(text: &str) -> Answers {
    let Ok(json) = serde_json::from_str::<Value>(text) else { return NOTHING };
    let Some(agreed) = json.get("categories").or(json.get("level")).and_then(Value::as_array) else { return NOTHING };
    let has = |wanted: Use| agreed.iter().filter_map(Value::as_str).any(|name| use_of(name) == Some(wanted));
    let answer = |is_agreed| if is_agreed { Answer::Granted } else { Answer::Denied };
    (answer(has(Use::Analytics)), answer(has(Use::Marketing)))
}

/// `CookieLawInfoConsent`, base64 of `{"necessary":true,"analytics":false,"advertisement":false,"ver":"…"}`: the boxes as they stood when
/// the bar was answered, or one of them was touched. They hold only where `viewed_cookie_policy` says yes. Sites that
/// never made groups of their own have `non-necessary` for all of it. `ccpaOptout` is an objection to the sale of data.
pub(super) fn cookie_law_info(value: &str, is_answered: bool) -> Answers {
    let Some(json) = unpacked(value) else { return NOTHING };
    let objects = if json.get("ccpaOptout") == Some(&Value::Bool(true)) { Answer::Denied } else { Answer::Unknown };
    if !is_answered {
        return (Answer::Unknown, objects);
    }
    let group = |names: [&str; 2]| flag(names.iter().find_map(|name| json.get(*name)));
    let rest = flag(json.get("non-necessary"));
    (group(["analytics", "statistics"]).and(rest), group(["advertisement", "marketing"]).and(rest).and(objects))
}

fn flag(value: Option<&Value>) -> Answer {
    match value {
        Some(Value::Bool(true)) => Answer::Granted,
        Some(Value::Bool(false)) => Answer::Denied,
        _ => Answer::Unknown,
    }
}

/// What a purpose or a service serves.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Use {
    Analytics,
    Marketing,
}

/// Of names that say what they serve, a denial of one counts for all of that use. Where none says it, a denial of
/// anything is one of this too, and a yes to all is none: it may have been to the shop's own chat.
fn by_name<'a>(said: impl Iterator<Item = (&'a str, bool)>, use_of: impl Fn(&str) -> Option<Use>) -> Answers {
    let (mut analytics, mut marketing, mut has_denied) = (Answer::Unknown, Answer::Unknown, false);
    for (name, is_granted) in said {
        let answer = if is_granted { Answer::Granted } else { Answer::Denied };
        has_denied |= !is_granted;
        match use_of(name) {
            Some(Use::Analytics) => analytics = analytics.and(answer),
            Some(Use::Marketing) => marketing = marketing.and(answer),
            None => {}
        }
    }
    let or_denied = |found: Answer| if found == Answer::Unknown && has_denied { Answer::Denied } else { found };
    (or_denied(analytics), or_denied(marketing))
}

/// Whole words of a name, and what stands anywhere in it.
const AD_WORDS: &[&str] = &["ads", "ad", "meta", "bing", "uet", "snap", "tiktok", "pixel", "advertisement", "advertising", "social"];
const AD_PARTS: &[&str] = &[
    "marketing",
    "advert",
    "googleads",
    "adwords",
    "adsense",
    "doubleclick",
    "facebook",
    "metapixel",
    "pinterest",
    "linkedin",
    "criteo",
    "taboola",
    "outbrain",
    "microsoftads",
    "remarket",
    "retarget",
    "targeting",
    "conversion",
];
const ANALYTICS_PARTS: &[&str] = &[
    "analytic",
    "statisti",
    "measure",
    "performance",
    "matomo",
    "piwik",
    "hotjar",
    "clarity",
    "plausible",
    "etracker",
    "mouseflow",
    "posthog",
    "mixpanel",
    "amplitude",
];

fn use_of(name: &str) -> Option<Use> {
    let name = name.to_ascii_lowercase();
    let has = |parts: &[&str]| parts.iter().any(|part| name.contains(part));
    if has(AD_PARTS) || name.split(|c: char| !c.is_ascii_alphanumeric()).any(|word| AD_WORDS.contains(&word)) {
        return Some(Use::Marketing);
    }
    has(ANALYTICS_PARTS).then_some(Use::Analytics)
}

/// JSON behind base64, in either alphabet, padded or not.
fn unpacked(text: &str) -> Option<Value> {
    let config = GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
    let bytes = [&STANDARD, &URL_SAFE].into_iter().find_map(|letters| GeneralPurpose::new(letters, config).decode(text.trim()).ok())?;
    serde_json::from_slice(&bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::engine::general_purpose::{STANDARD as PADDED, URL_SAFE_NO_PAD};
    use proptest::prelude::*;

    #[track_caller]
    fn check(got: Answers, want: &str, given: &str) {
        let sign = |answer| match answer {
            Answer::Granted => '+',
            Answer::Denied => '-',
            Answer::Unknown => '?',
        };
        assert_eq!(format!("{}{}", sign(got.0), sign(got.1)), want, "{given}");
    }

    #[test]
    fn groups_of_borlabs() {
        for (text, want) in [
            (r#"{"consents":{"essential":["borlabs-cookie"]},"domainPath":"shop.example/","uid":"anonymous","v3":true,"version":1}"#, "--"),
            (r#"{"consents":{"essential":["borlabs-cookie"],"statistics":["ga"],"marketing":["fb"]},"uid":"x","version":"2"}"#, "++"),
            (r#"{"consents":{"essential":["borlabs-cookie"],"statistics":["ga"],"external-media":["maps"]},"version":"11"}"#, "+-"),
            (r#"{"consents":{"essential":["borlabs-cookie"],"marketing":[]},"v3":true}"#, "--"),
            (r#"{"consents":{},"v3":true}"#, "??"),
            (r#"{"consents":{"essential":["borlabs-cookie"],"statis"#, "??"),
            ("all", "??"),
        ] {
            check(borlabs(text), want, text);
        }
    }

    #[test]
    fn purposes_of_didomi() {
        let rows = [
            (r#"{"user_id":"1","created":"2026-06-01T10:00:00.000Z","updated":"2026-06-01T10:00:00.000Z","version":2}"#, "??"),
            (
                r#"{"purposes":{"enabled":["cookies","measure_content_performance","create_ads_profile","select_personalized_ads"]},"version":2}"#,
                "++",
            ),
            (r#"{"purposes":{"enabled":["cookies","analytics-7xKq"],"disabled":["advertising_personalization"]},"version":2}"#, "+-"),
            (r#"{"purposes":{"enabled":["measure_content_performance","select_basic_ads"],"disabled":["create_ads_profile"]}}"#, "+-"),
            (r#"{"purposes":{"disabled":["geolocation_data","device_characteristics"]}}"#, "--"),
            (r#"{"purposes":{"enabled":["measure_content_performance"],"disabled":["cookies"]}}"#, "--"),
            (r#"{"purposes":{"enabled":["geolocation_data"]}}"#, "??"),
            (r#"{"vendors":{"enabled":["google","c:hotjar"]},"version":2,"ac":""}"#, "??"),
        ];
        for (text, want) in rows {
            for value in [PADDED.encode(text), URL_SAFE_NO_PAD.encode(text), PADDED.encode(text).replace('=', "%3D")] {
                check(didomi(&value), want, text);
                check(didomi(&value[..value.len() / 2]), "??", "a half of it");
            }
        }
        check(didomi("C3jhIVJ4AAA.BAgA"), "??", "their binary string, whose numbers are each customer's own");
    }

    #[test]
    fn purposes_of_iubenda() {
        for (text, want) in [
            (
                r#"{"timestamp":"2026-06-01T10:00:00Z","version":"1.75.1","purposes":{"1":true,"2":true,"3":true,"4":true,"5":false},"id":1}"#,
                "+-",
            ),
            (r#"{"purposes":{"1":true,"3":false,"4":false,"5":false},"id":1,"cons":{"rand":"a"}}"#, "--"),
            (r#"{"purposes":{"1":true,"4":true},"id":1}"#, "+?"),
            (r#"{"consent":true,"timestamp":"2026-06-01T10:00:00Z","version":"1.51.0","id":1}"#, "++"),
            (r#"{"consent":false,"id":1}"#, "--"),
            (r#"{"id":90483436}"#, "??"),
            (r#"{"purposes":{"1":tr"#, "??"),
        ] {
            check(iubenda(text), want, text);
        }
        check(iubenda_objections(r#"{"s":true,"sh":true,"adv":true}"#), "??", "nobody objected");
        check(iubenda_objections(r#"{"s":true,"sh":true,"adv":false}"#), "?-", "to advertising");
    }

    #[test]
    fn services_by_their_names() {
        for (text, want) in [
            (r#"{"googleAnalytics":true,"metaPixel":false}"#, "+-"),
            (r#"{"google-analytics":true,"google-ads":true,"facebook":true,"session":true}"#, "++"),
            (r#"{"matomo":false,"youtube":true}"#, "--"),
            (r#"{"session":true,"chat":true}"#, "??"),
            (r#"{"session":true,"uploads":false}"#, "--"),
            (r#"{"google-ads":true,"tiktok":false}"#, "--"),
            ("{}", "??"),
            ("[true]", "??"),
            ("{\"matomo\":tr", "??"),
        ] {
            check(klaro(text), want, text);
        }
        check(axeptio(r#"{"$$token":"x","$$completed":true,"google_analytics":true,"facebook_pixel":false}"#), "+-", "axeptio");
        check(axeptio(r#"{"$$token":"x","$$completed":false,"google_analytics":true}"#), "??", "not answered");
        check(orestbida(r#"{"categories":["necessary","analytics"],"revision":0}"#), "+-", "orestbida");
        check(orestbida(r#"{"level":["necessary"],"revision":0}"#), "--", "orestbida 2");
        check(orestbida(r#"{"revision":0}"#), "??", "nothing");
    }

    #[test]
    fn boxes_of_the_older_plug_in() {
        for (text, is_answered, want) in [
            (r#"{"necessary":true,"functional":true,"analytics":true,"advertisement":false,"ver":"2"}"#, true, "+-"),
            (r#"{"necessary":true,"analytics":true,"advertisement":true}"#, false, "??"),
            (r#"{"necessary":true,"non-necessary":true,"ver":true}"#, true, "++"),
            (r#"{"necessary":true,"non-necessary":false}"#, true, "--"),
            (r#"{"necessary":true,"analytics":true,"advertisement":true,"ccpaOptout":true}"#, true, "+-"),
            (r#"{"ccpaOptout":true}"#, false, "?-"),
            (r#"{"necessary":true}"#, true, "??"),
            ("[]", true, "??"),
        ] {
            for value in [PADDED.encode(text), URL_SAFE_NO_PAD.encode(text)] {
                check(cookie_law_info(&value, is_answered), want, text);
            }
        }
        check(cookie_law_info("true", true), "??", "no JSON");
    }

    proptest! {
        #[test]
        fn never_panics(text in "\\PC*", json in "[\\[\\]{}\":,a-z0-9.]{0,60}") {
            for given in [&text, &json] {
                cookie_law_info(given, true);
                for read in [borlabs, didomi, iubenda, iubenda_objections, klaro, axeptio, orestbida] {
                    read(given);
                }
            }
        }
    }
}
