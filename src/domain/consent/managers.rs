//! What each consent manager writes, and what it means.
//!
//! A state that a manager wrote before anybody answered is no answer: the site's mode decides then. Formats:
//! CookieYes  https://www.cookieyes.com/documentation/
//! GDPR Cookie Consent, its older plug-in https://www.webtoffee.com/docs/gdpr-legacy/cookies-in-gdpr-cookie-consent-plugin/
//! Cookiebot  https://www.cookiebot.com/en/developer/
//! OneTrust   https://my.onetrust.com/articles/en_US/Knowledge/UUID-2dc719a8-4be5-8d16-1dc8-c7b4147b88e0
//! Complianz  https://complianz.io/developers-guide-for-third-party-integrations
//! Usercentrics https://usercentrics.com/docs/web/
//! WP Consent API https://wordpress.org/plugins/wp-consent-api/

use serde_json::Value;
use url::form_urlencoded;

use super::Answer;

/// Google Analytics, GA4 in Usercentrics' list of services.
const USERCENTRICS_ANALYTICS: &[&str] = &["HkocEodjb7", "87JYasXPF"];
/// Google Ads, Google Ads remarketing in the same list.
const USERCENTRICS_ADS: &[&str] = &["S1_9Vsuj-Q", "B1Hk_zoTX"];

/// Analytics and marketing.
pub(super) type Answers = (Answer, Answer);
pub(super) const NOTHING: Answers = (Answer::Unknown, Answer::Unknown);

/// `consentid:…,consent:yes,action:yes,necessary:yes,…,analytics:yes,…,advertisement:no`. `action` is empty, or `no`
/// where the law lets tracking begin unasked, until the visitor answers.
pub(super) fn cookieyes(text: &str) -> Answers {
    let pairs = pairs(text, ',', ':');
    if pairs.find("action").is_some_and(|action| !action.eq_ignore_ascii_case("yes")) {
        return NOTHING;
    }
    pairs.answers()
}

pub(super) fn is_cookiebot(text: &str) -> bool {
    matches!(text.trim(), "0" | "-1") || text.contains("stamp") || text.contains("statistics:")
}

/// `{stamp:'…',necessary:true,preferences:false,statistics:true,marketing:false,method:'explicit',ver:1,…}`; `0` is
/// "declined", `-1` "outside the region that is asked", so nobody answered.
pub(super) fn cookiebot(text: &str) -> Answers {
    match text.trim() {
        "0" => return both(Answer::Denied),
        "-1" => return NOTHING,
        // Cut off on the way: what is missing may say that it was no answer. A no is kept.
        cut if cut.starts_with('{') && !cut.ends_with('}') => return refusals(pairs(cut, ',', ':').answers()),
        _ => {}
    }
    let pairs = pairs(text, ',', ':');
    let (analytics, marketing) = pairs.answers();
    if pairs.find("method").is_some_and(|method| method.eq_ignore_ascii_case("implied")) {
        // Going on reading is no answer; a "no" that stands there is kept as one.
        return refusals((analytics, marketing));
    }
    (analytics, marketing)
}

/// Only what was refused.
pub(super) fn refusals((analytics, marketing): Answers) -> Answers {
    let not_yes = |answer| if answer == Answer::Granted { Answer::Unknown } else { answer };
    (not_yes(analytics), not_yes(marketing))
}

/// A query string with `groups=C0001:1,C0002:0,C0004:0`; C0002 is performance, C0004 targeting, V2STACK42 the
/// advertising group of sites in the IAB's framework. Written at the first page view already: an answer only where the
/// visitor has done something with the banner, which `interactionCount` or `OptanonAlertBoxClosed` say.
pub(super) fn onetrust(value: &str, box_closed: bool) -> Answers {
    let text = if value.contains('&') { value.to_owned() } else { decoded(value) };
    let mut groups = String::new();
    let (mut count, mut refuses, mut is_stale) = (None, false, false);
    for (name, value) in form_urlencoded::parse(text.as_bytes()) {
        match &*name {
            "groups" => groups = value.into_owned(),
            "interactionCount" => count = value.parse::<u32>().ok(),
            "isGpcEnabled" => refuses = value == "1",
            "AwaitingReconsent" => is_stale = value == "true",
            _ => {}
        }
    }
    let gpc = if refuses { Answer::Denied } else { Answer::Unknown };
    if is_stale || (count.unwrap_or(0) == 0 && !box_closed) {
        return (Answer::Unknown, gpc);
    }
    let groups = pairs(&groups, ',', ':');
    let group = |name: &str| groups.find(name).and_then(Answer::parse).unwrap_or_default();
    let targeting = match group("c0004") {
        Answer::Unknown => group("v2stack42").and(group("stack42")),
        known => known,
    };
    // Before 2019 the groups had numbers alone.
    let of_old = |known: Answer, number: &str| if known == Answer::Unknown { group(number) } else { known };
    (of_old(group("c0002"), "2"), of_old(targeting, "4").and(gpc))
}

/// JSON that the manager keeps in the browser's storage and sites copy into cookies: Google's consent mode
/// (`adStorage`, `analyticsStorage`), or a list of services of which some are known.
pub(super) fn usercentrics(text: &str) -> Answers {
    let Ok(json) = serde_json::from_str::<Value>(text) else {
        return NOTHING;
    };
    let gcm = json.get("gcm").unwrap_or(&json);
    let storage = |names: [&str; 2]| names.iter().find_map(|name| gcm.get(name)?.as_str()).and_then(Answer::parse).unwrap_or_default();
    let mode = (storage(["analyticsStorage", "analytics_storage"]), storage(["adStorage", "ad_storage"]));
    if mode != NOTHING {
        return mode;
    }
    let consent = json.get("consent");
    let services = services(consent.and_then(|c| c.get("services")).or(json.get("services")));
    let known =
        |ids: &[&str]| services.iter().filter(|(id, _)| ids.contains(&id.as_str())).fold(Answer::Unknown, |all, (_, one)| all.and(*one));
    let found = (known(USERCENTRICS_ANALYTICS), known(USERCENTRICS_ADS));
    if found != NOTHING {
        return found;
    }
    match consent.and_then(|c| c.get("status")).and_then(Value::as_str) {
        Some("ALL_ACCEPTED") => both(Answer::Granted),
        Some("ALL_DENIED") => both(Answer::Denied),
        // Which service serves what is not told: only "all of them" is an answer to both.
        _ => both(services.iter().fold(Answer::Unknown, |all, (_, one)| all.and(*one))),
    }
}

/// Version 2 keeps `[{"id":"…","status":true}]`, version 3 `{"…":{"name":"…","consent":true}}`.
fn services(value: Option<&Value>) -> Vec<(String, Answer)> {
    let flag = |service: &Value| {
        let flag = service.get("status").or(service.get("consent")).and_then(Value::as_bool)?;
        Some(if flag { Answer::Granted } else { Answer::Denied })
    };
    match value {
        Some(Value::Array(list)) => list.iter().filter_map(|s| Some((s.get("id")?.as_str()?.to_owned(), flag(s)?))).collect(),
        Some(Value::Object(map)) => map.iter().filter_map(|(id, s)| Some((id.clone(), flag(s)?))).collect(),
        _ => Vec::new(),
    }
}

/// `{"con":{"CMP":{"a":"1","m":"0","p":"","s":""}},"v":"2.1",…}`: a analytics, m marketing, s the sale of data, empty until answered.
/// Of version 3 `3AMps._USCA_t_f_…`: before the dot what was answered, in capitals with a yes; behind it what was not.
pub(super) fn shopify(text: &str) -> Answers {
    let answer = match text.strip_prefix('3').and_then(|rest| rest.split('_').next()?.split_once('.')) {
        Some((answered, _)) if answered.chars().all(|c| "ampsAMPS".contains(c)) => by_letters(answered),
        Some(_) => return NOTHING,
        None => {
            let Ok(json) = serde_json::from_str::<Value>(text) else { return NOTHING };
            ["a", "m", "s"]
                .map(|name| json.pointer("/con/CMP").and_then(|cmp| cmp.get(name)?.as_str()).and_then(Answer::parse).unwrap_or_default())
        }
    };
    let [analytics, marketing, sale] = answer;
    // What may not be sold or shared goes to no ad platform. Not having objected is no answer.
    (analytics, if sale == Answer::Denied { Answer::Denied } else { marketing })
}

fn by_letters(answered: &str) -> [Answer; 3] {
    ['a', 'm', 's'].map(|letter| match (answered.contains(letter), answered.contains(letter.to_ascii_uppercase())) {
        (true, _) => Answer::Denied,
        (false, true) => Answer::Granted,
        (false, false) => Answer::Unknown,
    })
}

/// What home-made banners and lesser-known managers write: a word, pairs, or JSON with the categories as keys.
pub(super) fn plain(text: &str) -> Answers {
    let text = text.trim().trim_matches(['"', '\'']);
    match text.to_ascii_lowercase().as_str() {
        // "dismiss" closes a notice that asked nothing.
        "dismiss" | "dismissed" | "" => return NOTHING,
        word => {
            if let Some(answer) = Answer::parse(word) {
                return both(answer);
            }
        }
    }
    pairs(text, ',', ':').answers()
}

/// `name:value` pairs with braces and quotes of any kind taken off.
struct Pairs(Vec<(String, String)>);

impl Pairs {
    fn find(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// The first category of the list that is there at all.
    fn first(&self, names: &[&str]) -> Answer {
        names.iter().find_map(|name| self.find(name)).and_then(Answer::parse).unwrap_or_default()
    }

    fn answers(&self) -> Answers {
        (
            self.first(&["analytics", "statistics", "performance", "analytics_storage"]),
            self.first(&["advertisement", "marketing", "advertising", "targeting", "ads", "ad_storage"]),
        )
    }
}

fn pairs(text: &str, between: char, within: char) -> Pairs {
    let bare = |part: &str| part.trim_matches(|c: char| c.is_whitespace() || "{}[]'\"".contains(c)).to_owned();
    let split = text.split(between).filter_map(|pair| pair.split_once(within));
    Pairs(split.map(|(name, value)| (bare(name).to_ascii_lowercase(), bare(value))).collect())
}

pub(super) fn both(answer: Answer) -> Answers {
    (answer, answer)
}

pub(super) fn allow(value: &str) -> Answer {
    Answer::parse(value).unwrap_or_default()
}

/// Percent-decoded, twice where a plug-in encoded twice. Broken codes stay as they are.
pub(super) fn decoded(value: &str) -> String {
    let once = percent_decoded(value);
    if once.contains("%22") || once.contains("%3A") || once.contains("%2C") { percent_decoded(&once) } else { once }
}

fn percent_decoded(value: &str) -> String {
    let bytes = value.as_bytes();
    let hex = |at: usize| bytes.get(at).and_then(|b| char::from(*b).to_digit(16));
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        match (bytes[at], hex(at + 1), hex(at + 2)) {
            (b'%', Some(high), Some(low)) => {
                out.push((high * 16 + low) as u8);
                at += 3;
            }
            (byte, ..) => {
                out.push(byte);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}
