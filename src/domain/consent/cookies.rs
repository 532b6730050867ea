//! Reads the consent cookies of the common consent managers, as they stand in a `Cookie` header.
//!
//! What each manager writes is read in `managers.rs`, by purpose and service in `purposes.rs`. A browser may send one name
//! twice, set by the shop's own host and by the domain above it: each is read, and a denial wins.

use super::managers::{
    Answers, NOTHING, allow, both, cookiebot, cookieyes, decoded, is_cookiebot, onetrust, plain, refusals, shopify, usercentrics,
};
use super::purposes::{axeptio, borlabs, cookie_law_info, didomi, iubenda, iubenda_objections, klaro, orestbida};
use super::{Answer, Consent, combine, tcf};

/// Enough for every consent cookie a browser can send; the rest is not read.
const MAX_HEADER: usize = 32 * 1024;

/// The consent that the cookies tell. Where several managers answer, a denial wins and the first is named.
pub fn from_cookies(header: &str) -> Consent {
    let cookies: Vec<(&str, &str)> = front(header, MAX_HEADER)
        .split(';')
        .filter_map(|pair| pair.split_once('='))
        .map(|(name, value)| (name.trim(), value.trim().trim_matches('"')))
        .collect();
    let has_answered = HasAnswered::of(&cookies);
    let mut consent = Consent::UNKNOWN;
    for (name, value) in &cookies {
        let Some((manager, answers)) = one(name, value, &has_answered) else {
            continue;
        };
        if answers != NOTHING {
            let said = Consent { analytics: answers.0, marketing: answers.1, manager: Some(manager) };
            consent = combine(consent, said);
        }
    }
    consent
}

/// Where a manager notes in another cookie that the visitor has answered.
struct HasAnswered {
    onetrust: bool,
    /// Whether its banner is closed; none where it says nothing of that.
    complianz: Option<bool>,
    has_complianz: bool,
    usercentrics: bool,
    /// `viewed_cookie_policy`: its bar was answered, with a yes. With a no all is refused, whatever its boxes say.
    cookie_law_info: bool,
}

impl HasAnswered {
    fn of(cookies: &[(&str, &str)]) -> HasAnswered {
        let find = |wanted: &str| cookies.iter().find(|(name, _)| *name == wanted).map(|(_, value)| *value);
        let banner = cookies.iter().find(|(name, _)| name.starts_with("cmplz_") && name.ends_with("banner-status"));
        HasAnswered {
            onetrust: find("OptanonAlertBoxClosed").is_some_and(|at| !at.is_empty()),
            has_complianz: cookies.iter().any(|(name, _)| name.starts_with("cmplz_") || name.starts_with("complianz_")),
            complianz: banner.map(|(_, value)| *value == "dismissed"),
            usercentrics: find("uc_user_interaction").is_none_or(|value| value != "false"),
            cookie_law_info: find("viewed_cookie_policy").is_some_and(|value| allow(value) == Answer::Granted),
        }
    }

    /// Complianz writes its categories there too, also those that it lets run unasked.
    fn by_wordpress(&self, answers: Answers) -> Answers {
        if self.has_complianz && self.complianz != Some(true) { refusals(answers) } else { answers }
    }
}

fn one(name: &str, value: &str, has_answered: &HasAnswered) -> Option<(&'static str, Answers)> {
    let lower = name.to_ascii_lowercase();
    let only_if = |is_answer: bool, answers: Answers| if is_answer { answers } else { NOTHING };
    Some(match lower.as_str() {
        "halo_consent" => ("halotrack", both(allow(&decoded(value)))),
        "cookieyes-consent" => ("cookieyes", cookieyes(&decoded(value))),
        "cookieconsent" => {
            let text = decoded(value);
            if is_cookiebot(&text) { ("cookiebot", cookiebot(&text)) } else { ("other", plain(&text)) }
        }
        "optanonconsent" => ("onetrust", onetrust(value, has_answered.onetrust)),
        "euconsent-v2" | "eupubconsent-v2" => ("tcf", tcf::answers(&decoded(value)).unwrap_or(NOTHING)),
        "fccdcf" => ("tcf", tcf::find(&decoded(value)).unwrap_or(NOTHING)),
        "uc_tcf" => ("usercentrics", only_if(has_answered.usercentrics, tcf::find(&decoded(value)).unwrap_or(NOTHING))),
        "uc_gcm" | "ucdata" | "uc_settings" | "uc_services" | "ucconsent" => {
            ("usercentrics", only_if(has_answered.usercentrics, usercentrics(&decoded(value))))
        }
        "wp_consent_statistics" => ("wp_consent_api", has_answered.by_wordpress((allow(value), Answer::Unknown))),
        "wp_consent_marketing" => ("wp_consent_api", has_answered.by_wordpress((Answer::Unknown, allow(value)))),
        "borlabs-cookie" => ("borlabs", borlabs(&decoded(value))),
        "didomi_token" => ("didomi", didomi(value)),
        "klaro" => ("klaro", klaro(&decoded(value))),
        "axeptio_cookies" => ("axeptio", axeptio(&decoded(value))),
        "cc_cookie" => ("other", orestbida(&decoded(value))),
        "_tracking_consent" => ("shopify", shopify(&decoded(value))),
        "viewed_cookie_policy" => ("cookieyes", refusals(both(allow(value)))),
        "cookielawinfoconsent" => ("cookieyes", cookie_law_info(&decoded(value), has_answered.cookie_law_info)),
        "cookielawinfo-checkbox-non-necessary" => ("cookieyes", only_if(has_answered.cookie_law_info, both(allow(value)))),
        "cookielawinfo-checkbox-analytics" => ("cookieyes", only_if(has_answered.cookie_law_info, (allow(value), Answer::Unknown))),
        "cookielawinfo-checkbox-advertisement" => ("cookieyes", only_if(has_answered.cookie_law_info, (Answer::Unknown, allow(value)))),
        // Before version 5. That it allows may be said by somebody who only went on reading, or by nobody.
        "complianz_consent_status" | "cmplz_consent_status" => ("complianz", refusals(both(allow(value)))),
        "cookie_consent" | "cookie-consent" | "cookieconsent_status" | "cookiefirst-consent" => ("other", plain(&decoded(value))),
        _ => {
            if let Some(answers) = numbered(&lower, value) {
                return Some(answers);
            }
            // On the root of a WordPress multisite the prefix is `cmplz_rt_`.
            let name = lower.strip_prefix("cmplz_")?;
            let answers = match name.strip_prefix("rt_").unwrap_or(name) {
                "statistics" | "stats" => (allow(value), Answer::Unknown),
                // `all` was marketing before version 5.
                "marketing" | "all" => (Answer::Unknown, allow(value)),
                _ => return None,
            };
            ("complianz", complianz(answers, has_answered.complianz))
        }
    })
}

/// Complianz writes its categories when the visitor answers, and by itself where a page's own script or a setting lets statistics
/// run unasked; that somebody has answered only the closed banner says, which is written with every answer. A no is kept where
/// nothing is said of the banner.
fn complianz(answers: Answers, is_closed: Option<bool>) -> Answers {
    match is_closed {
        Some(true) => answers,
        Some(false) => NOTHING,
        None => refusals(answers),
    }
}

/// Cookies whose name ends with the number of the customer or of the policy.
fn numbered(name: &str, value: &str) -> Option<(&'static str, Answers)> {
    // consentmanager.net: https://help.consentmanager.net/books/cmp/page/cookies-set-by-the-cmp
    if name.starts_with("__cmpconsent") {
        return Some(("tcf", tcf::find(&decoded(value)).unwrap_or(NOTHING)));
    }
    let rest = name.strip_prefix("_iub_cs-")?;
    let (policy, kind) = rest.split_once('-').unwrap_or((rest, ""));
    let is_number = policy.trim_start_matches('s').bytes().all(|b| b.is_ascii_digit());
    match kind {
        "" if is_number => Some(("iubenda", iubenda(&decoded(value)))),
        "uspr" if is_number => Some(("iubenda", iubenda_objections(&decoded(value)))),
        _ => None,
    }
}

/// At most `max` bytes from the start, cut between letters.
fn front(text: &str, max: usize) -> &str {
    let mut end = text.len().min(max);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The expectation reads `manager analytics marketing` with + granted, - denied, ? unknown.
    #[track_caller]
    fn check(header: &str, want: &str) {
        let got = from_cookies(header);
        let sign = |answer| match answer {
            Answer::Granted => '+',
            Answer::Denied => '-',
            Answer::Unknown => '?',
        };
        let got = format!("{} {}{}", got.manager.unwrap_or("none"), sign(got.analytics), sign(got.marketing));
        assert_eq!(got, want, "{header}");
    }

    #[test]
    fn managers() {
        for (header, want) in [
            ("", "none ??"),
            ("_ga=GA1.1.1.2; theme=dark", "none ??"),
            ("halo_consent=granted", "halotrack ++"),
            ("a=b; halo_consent=denied", "halotrack --"),
            ("halo_consent=\"granted\"", "halotrack ++"),
            ("halo_consent=perhaps", "none ??"),
            ("halo_consent=%22denied%22", "halotrack --"),
            ("halo_consent=\"%64enied\"", "halotrack --"),
            ("halo_consent=%22granted%22", "halotrack ++"),
            // CookieYes
            (
                "cookieyes-consent=consentid:x,consent:yes,action:yes,necessary:yes,functional:yes,analytics:yes,performance:yes,advertisement:no",
                "cookieyes +-",
            ),
            ("cookieyes-consent=consentid:x,consent:no,action:yes,necessary:yes,analytics:no,advertisement:no,other:no", "cookieyes --"),
            (
                "cookieyes-consent=consentid:x,consent:,action:,necessary:,functional:,analytics:,performance:,advertisement:,other:",
                "none ??",
            ),
            ("cookieyes-consent=consentid:x,consent:yes,action:no,necessary:yes,analytics:yes,advertisement:yes", "none ??"),
            ("cookieyes-consent=consentid%3Ax%2Cconsent%3Ayes%2Caction%3Ayes%2Canalytics%3Ayes%2Cadvertisement%3Ayes", "cookieyes ++"),
            ("viewed_cookie_policy=yes; cookielawinfo-checkbox-analytics=no; cookielawinfo-checkbox-advertisement=yes", "cookieyes -+"),
            ("cookielawinfo-checkbox-analytics=yes", "none ??"),
            ("viewed_cookie_policy=no", "cookieyes --"),
            ("viewed_cookie_policy=No; cookielawinfo-checkbox-analytics=yes; cookielawinfo-checkbox-advertisement=yes", "cookieyes --"),
            ("viewed_cookie_policy=yes", "none ??"),
            ("viewed_cookie_policy=yes; cookielawinfo-checkbox-necessary=yes; cookielawinfo-checkbox-non-necessary=yes", "cookieyes ++"),
            ("viewed_cookie_policy=yes; cookielawinfo-checkbox-non-necessary=no", "cookieyes --"),
            ("viewed_cookie_policy=yes; CookieLawInfoConsent=eyJuZWNlc3NhcnkiOnRydWUsIm5vbi1uZWNlc3NhcnkiOnRydWV9", "cookieyes ++"),
            ("CookieLawInfoConsent=eyJuZWNlc3NhcnkiOnRydWUsIm5vbi1uZWNlc3NhcnkiOnRydWV9", "none ??"),
            ("viewed_cookie_policy=no; CookieLawInfoConsent=eyJuZWNlc3NhcnkiOnRydWUsIm5vbi1uZWNlc3NhcnkiOnRydWV9", "cookieyes --"),
            (
                "CookieLawInfoConsent=eyJuZWNlc3NhcnkiOnRydWUsImZ1bmN0aW9uYWwiOmZhbHNlLCJwZXJmb3JtYW5jZSI6ZmFsc2UsImFuYWx5dGljcyI6ZmFsc2UsImFkdmVydGlzZW1lbnQiOmZhbHNlLCJvdGhlcnMiOmZhbHNlfQ==; viewed_cookie_policy=yes",
                "cookieyes --",
            ),
            ("viewed_cookie_policy=yes; CookieLawInfoConsent=eyJuZWNlc3NhcnkiOnRydWUsImFuYWx5dGljcyI6dHJ1ZSwiY", "none ??"),
            ("viewed_cookie_policy=yes; CookieLawInfoConsent=true", "none ??"),
            // Cookiebot
            (
                "CookieConsent={stamp:%27abc%3D%3D%27%2Cnecessary:true%2Cpreferences:true%2Cstatistics:true%2Cmarketing:true%2Cver:1}",
                "cookiebot ++",
            ),
            (
                "CookieConsent={stamp:%27x%27%2Cnecessary:true%2Cpreferences:false%2Cstatistics:false%2Cmarketing:false%2Cmethod:%27explicit%27%2Cver:1%2Cutc:1700000000000%2Cregion:%27de%27}",
                "cookiebot --",
            ),
            ("CookieConsent=%7Bstamp%3A%27x%27%2Cstatistics%3Atrue%2Cmarketing%3Afalse%7D", "cookiebot +-"),
            ("CookieConsent={stamp:'x',statistics:true,marketing:false,method:'implied'}", "cookiebot ?-"),
            ("CookieConsent=0", "cookiebot --"),
            ("CookieConsent=-1", "none ??"),
            ("CookieConsent=true", "other ++"),
            // OneTrust
            (
                "OptanonConsent=isGpcEnabled=0&datestamp=Sun+Feb+23+2025&version=202411.2.0&interactionCount=1&groups=C0001%3A1%2CC0003%3A1%2CC0004%3A0%2CC0002%3A1&AwaitingReconsent=false",
                "onetrust +-",
            ),
            ("OptanonConsent=isGpcEnabled=0&interactionCount=0&groups=C0001%3A1%2CC0002%3A0%2CC0004%3A0", "none ??"),
            (
                "OptanonConsent=interactionCount=0&groups=C0001%3A1%2CC0002%3A1%2CC0004%3A1; OptanonAlertBoxClosed=2026-01-01T10:00:00.000Z",
                "onetrust ++",
            ),
            ("OptanonConsent=groups=C0001%3A1%2CC0002%3A1%2CC0004%3A1; OptanonAlertBoxClosed=", "none ??"),
            // What an older version writes before anybody has answered.
            ("OptanonConsent=groups=C0001%3A1%2CC0002%3A1%2CC0004%3A1", "none ??"),
            ("OptanonConsent=groups=1%3A1%2C2%3A1%2C4%3A0; OptanonAlertBoxClosed=2019-05-01T10:00:00.000Z", "onetrust +-"),
            (
                "OptanonConsent=isGpcEnabled%3D1%26interactionCount%3D1%26groups%3DC0001%253A1%252CC0002%253A1%252CC0004%253A1",
                "onetrust +-",
            ),
            ("OptanonConsent=isGpcEnabled=1&interactionCount=0&groups=C0002%3A1%2CC0004%3A1", "onetrust ?-"),
            ("OptanonConsent=interactionCount=2&groups=C0001%3A1%2CC0002%3A0%2CV2STACK42%3A0", "onetrust --"),
            ("OptanonConsent=interactionCount=2&groups=C0001%3A1%2CC0002%3A1%2CC0004%3A1&AwaitingReconsent=true", "none ??"),
            // Complianz
            ("cmplz_banner-status=dismissed; cmplz_statistics=allow; cmplz_marketing=deny", "complianz +-"),
            ("cmplz_banner-status=dismissed; cmplz_statistics=allow; cmplz_marketing=allow; cmplz_preferences=deny", "complianz ++"),
            // Nobody has closed the banner: set by a script or a setting. A no is one all the same.
            ("cmplz_statistics=allow; cmplz_marketing=allow; cmplz_preferences=deny", "none ??"),
            ("cmplz_statistics=allow; cmplz_marketing=deny", "complianz ?-"),
            ("cmplz_banner-status=; cmplz_statistics=allow", "none ??"),
            ("cmplz_banner-status=show; wp_consent_statistics=allow; wp_consent_marketing=deny", "wp_consent_api ?-"),
            ("cmplz_banner-status=dismissed; wp_consent_statistics=allow; wp_consent_marketing=deny", "wp_consent_api +-"),
            ("cmplz_policy_id=16; wp_consent_statistics=allow; wp_consent_marketing=deny", "wp_consent_api ?-"),
            // Dismissed by scrolling: no category was written.
            ("cmplz_banner-status=dismissed; cmplz_policy_id=16", "none ??"),
            ("cmplz_rt_banner-status=dismissed; cmplz_rt_statistics=deny; cmplz_rt_marketing=deny", "complianz --"),
            ("cmplz_banner-status=show; cmplz_statistics=deny; cmplz_marketing=deny", "none ??"),
            ("complianz_consent_status=deny", "complianz --"),
            ("complianz_consent_status=deny; complianz_policy_id=16", "complianz --"),
            ("complianz_consent_status=allow", "none ??"),
            ("complianz_consent_status=dismiss; cmplz_stats=allow; cmplz_all=deny", "complianz ?-"),
            ("complianz_consent_status=allow; wp_consent_statistics=allow; wp_consent_marketing=allow", "none ??"),
            ("cmplz_consent_status=deny; cmplz_banner-status=dismissed", "complianz --"),
            // Usercentrics
            (
                "uc_user_interaction=true; uc_gcm=%7B%22adStorage%22%3A%22denied%22%2C%22analyticsStorage%22%3A%22granted%22%7D",
                "usercentrics +-",
            ),
            ("uc_user_interaction=false; uc_gcm={\"adStorage\":\"denied\",\"analyticsStorage\":\"denied\"}", "none ??"),
            ("ucData={\"gcm\":{\"adStorage\":\"granted\",\"analyticsStorage\":\"granted\"}}", "usercentrics ++"),
            (
                "uc_settings={\"services\":[{\"id\":\"HkocEodjb7\",\"status\":true},{\"id\":\"S1_9Vsuj-Q\",\"status\":false}]}",
                "usercentrics +-",
            ),
            ("ucData={\"consent\":{\"services\":{\"HkocEodjb7\":{\"name\":\"Google Analytics\",\"consent\":false}}}}", "usercentrics -?"),
            ("uc_settings={\"services\":[{\"id\":\"a\",\"status\":true},{\"id\":\"b\",\"status\":true}]}", "usercentrics ++"),
            ("uc_settings={\"services\":[{\"id\":\"a\",\"status\":true},{\"id\":\"b\",\"status\":false}]}", "usercentrics --"),
            ("ucData={\"consent\":{\"status\":\"ALL_DENIED\"}}", "usercentrics --"),
            ("uc_user_interaction=true", "none ??"),
            ("uc_settings={broken", "none ??"),
            // WP Consent API
            ("wp_consent_statistics=allow; wp_consent_marketing=deny; wp_consent_functional=allow", "wp_consent_api +-"),
            ("wp_consent_marketing=allow", "wp_consent_api ?+"),
            // Shopify
            (
                "_tracking_consent=%7B%22con%22%3A%7B%22CMP%22%3A%7B%22a%22%3A%22%22%2C%22m%22%3A%22%22%7D%7D%2C%22v%22%3A%222.1%22%7D",
                "none ??",
            ),
            ("_tracking_consent={\"con\":{\"CMP\":{\"a\":\"1\",\"m\":\"0\",\"p\":\"1\",\"s\":\"\"}},\"v\":\"2.1\"}", "shopify +-"),
            ("_tracking_consent={\"con\":{\"CMP\":{\"a\":\"1\",\"m\":\"1\",\"p\":\"1\",\"s\":\"0\"}},\"v\":\"2.1\"}", "shopify +-"),
            ("_tracking_consent=3.AMPS_USVA_f_f_x", "none ??"),
            ("_tracking_consent=3AMPS._USCA_f_f_2NpoNTtHSQ6-6O0gWgEiwA", "shopify ++"),
            ("_tracking_consent=3amps._GB_yBwjGjLGQe2j2oBUU9SleA_%7B%7D", "shopify --"),
            ("_tracking_consent=3Amp.S_DEBE_t_f_x", "shopify +-"),
            ("_tracking_consent=3s.AMP_USCA_t_t_x", "shopify ?-"),
            ("_tracking_consent=3AMPS", "none ??"),
            ("_tracking_consent=3AMPX._DE", "none ??"),
            ("_tracking_consent=4AMPS._DE", "none ??"),
            // Borlabs, Didomi, iubenda, Klaro
            (
                "borlabs-cookie=%7B%22consents%22%3A%7B%22essential%22%3A%5B%22borlabs-cookie%22%5D%2C%22statistics%22%3A%5B%22google-analytics%22%5D%7D%2C%22v3%22%3Atrue%2C%22version%22%3A1%7D",
                "borlabs +-",
            ),
            ("borlabs-cookie={\"consents\":{\"essential\":[\"borlabs-cookie\"]},\"version\":\"2\"}", "borlabs --"),
            ("borlabs-cookie=%7B%22consents%22%3A%7B%22essential%22%3A%5B%22bor", "none ??"),
            (
                "didomi_token=eyJwdXJwb3NlcyI6eyJlbmFibGVkIjpbImNvb2tpZXMiLCJtZWFzdXJlX2NvbnRlbnRfcGVyZm9ybWFuY2UiXSwiZGlzYWJsZWQiOlsiY3JlYXRlX2Fkc19wcm9maWxlIl19LCJ2ZXJzaW9uIjoyfQ==",
                "didomi +-",
            ),
            (
                "_iub_cs-71185313=%7B%22timestamp%22%3A%222026-06-01T10%3A00%3A00.000Z%22%2C%22purposes%22%3A%7B%221%22%3Atrue%2C%224%22%3Atrue%2C%225%22%3Afalse%7D%2C%22id%22%3A71185313%7D",
                "iubenda +-",
            ),
            ("_iub_cs-s3095420={\"consent\":true,\"id\":3095420}; _iub_cs-s3095420-granular=%7B%7D", "iubenda ++"),
            ("_iub_cs-71185313-uspr={\"s\":true,\"adv\":false}", "iubenda ?-"),
            ("klaro=%7B%22google-analytics%22%3Atrue%2C%22facebook%22%3Afalse%7D", "klaro +-"),
            ("axeptio_cookies={%22$$completed%22:true%2C%22google_analytics%22:false%2C%22Google_Ads%22:true}", "axeptio -+"),
            ("cc_cookie={\"categories\":[\"necessary\",\"analytics\"],\"revision\":0}", "other +-"),
            // One name from the shop's host and from the domain above it.
            (
                "CookieConsent={stamp:'x',statistics:true,marketing:true}; CookieConsent={stamp:'y',statistics:true,marketing:false}",
                "cookiebot +-",
            ),
            // Cut off on the way.
            ("CookieConsent={stamp:'x',statistics:true,mark", "none ??"),
            ("CookieConsent={stamp:'x',statistics:false,mark", "cookiebot -?"),
            ("CookieConsent={stamp:'x',statistics:tru", "none ??"),
            // plain ones
            ("cookie_consent=analytics:yes,advertisement:no", "other +-"),
            ("cookie_consent=accepted", "other ++"),
            ("cookieconsent_status=dismiss", "none ??"),
            ("cookieconsent_status=deny", "other --"),
            ("cookie_consent=reject_all", "other --"),
            ("cookie_consent=%22rejected%22", "other --"),
            ("cookie_consent=necessary,statistics", "none ??"),
            ("cookiefirst-consent=%7B%22necessary%22%3Atrue%2C%22performance%22%3Atrue%2C%22advertising%22%3Afalse%7D", "other +-"),
            // several
            ("halo_consent=granted; CookieConsent=0", "halotrack --"),
            (
                "cmplz_banner-status=dismissed; cmplz_statistics=allow; wp_consent_statistics=allow; wp_consent_marketing=allow",
                "complianz ++",
            ),
        ] {
            check(header, want);
        }
    }

    #[test]
    fn the_framework_of_the_iab() {
        let (all, some) = (tcf::made(&[1, 3, 4, 7, 8]), tcf::made(&[1, 8]));
        check(&format!("euconsent-v2={all}"), "tcf ++");
        check(&format!("x=1; euconsent-v2={some}.YAAAAAAAAAAA"), "tcf +-");
        check(&format!("FCCDCF=%5Bnull%2C%5B%22{some}%22%5D%5D"), "tcf +-");
        check(&format!("uc_tcf=%7B%22tcString%22%3A%22{all}%22%7D"), "usercentrics ++");
        check("euconsent-v2=rubbish", "none ??");
        // A string of a version that is not known yet is no answer, and no yes of another's speaks for it.
        let next = tcf::made_as(3, &[1, 3, 4, 7, 8]);
        check(&format!("euconsent-v2={next}"), "none ??");
        check(&format!("euconsent-v2={next}; CookieConsent=0"), "cookiebot --");
        check(&format!("euconsent-v2={next}; euconsent-v2={some}"), "tcf +-");
        check(&format!("euconsent-v2={all}; CookieConsent=0"), "tcf --");
        check(&format!("__cmpconsent1234={some}_51_1_"), "tcf +-");
        check(&format!("euconsent-v2={all}; euconsent-v2={some}"), "tcf +-");
        check(&format!("euconsent-v2={}", &all[..24]), "none ??");
    }

    proptest! {
        #[test]
        fn never_panics(text in "\\PC*", name in "(CookieConsent|OptanonConsent|uc_settings|euconsent-v2|cmplz_marketing|ucData|borlabs-cookie|didomi_token|_iub_cs-1|klaro|__cmpconsent1|CookieLawInfoConsent|viewed_cookie_policy|complianz_consent_status|_tracking_consent|halo_consent)", tail in "[%a-fA-F0-9:,{}&='\"]{0,60}") {
            from_cookies(&text);
            from_cookies(&format!("{name}={text}"));
            from_cookies(&format!("{name}={tail}"));
        }
    }
}
