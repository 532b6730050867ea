//! User agent → device, browser, system; and which agents are bots.
//!
//! Browsers freeze their strings, so a table of markers in the right order is enough. In-app browsers stand first and
//! have names of their own: that is where paid social arrives, and where cookies behave differently. An iPad that asks
//! for desktop pages says it is a Mac; nothing in the string tells otherwise.

mod bots;

use serde::{Deserialize, Serialize};

pub use bots::is_bot;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DeviceKind {
    Desktop,
    Mobile,
    Tablet,
    Tv,
    Other,
}

impl DeviceKind {
    pub fn as_str(self) -> &'static str {
        match self {
            DeviceKind::Desktop => "desktop",
            DeviceKind::Mobile => "mobile",
            DeviceKind::Tablet => "tablet",
            DeviceKind::Tv => "tv",
            DeviceKind::Other => "other",
        }
    }
}

/// What a user agent tells; `Other` where it tells nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Device {
    pub kind: DeviceKind,
    pub browser: &'static str,
    pub system: &'static str,
}

/// Apps that open pages inside themselves. First match wins.
const APPS: &[(&str, &str)] = &[
    ("Instagram", "Instagram app"),
    ("Barcelona", "Threads app"),
    ("MessengerForiOS", "Messenger app"),
    ("Orca-Android", "Messenger app"),
    ("MetaIAB", "Facebook app"),
    ("FBAN/", "Facebook app"),
    ("FBAV/", "Facebook app"),
    ("FB_IAB", "Facebook app"),
    ("BytedanceWebview", "TikTok app"),
    ("musical_ly", "TikTok app"),
    ("trill_", "TikTok app"),
    ("TikTok", "TikTok app"),
    ("Snapchat", "Snapchat app"),
    ("Pinterest", "Pinterest app"),
    ("LinkedInApp", "LinkedIn app"),
    ("Twitter for ", "X app"),
    ("TwitterAndroid", "X app"),
    ("Reddit/", "Reddit app"),
    ("GSA/", "Google app"),
    ("GoogleApp/", "Google app"),
    ("WhatsApp/", "WhatsApp app"),
    ("Telegram-", "Telegram app"),
    ("MicroMessenger", "WeChat app"),
    ("KAKAOTALK", "KakaoTalk app"),
    (" Line/", "LINE app"),
    ("YaSearchBrowser", "Yandex app"),
    ("YaApp_", "Yandex app"),
    ("OpenAI", "ChatGPT app"),
];

/// Browsers; those that carry another's name as well stand before it.
const BROWSERS: &[(&str, &str)] = &[
    ("Edg/", "Edge"),
    ("EdgA/", "Edge"),
    ("EdgiOS/", "Edge"),
    ("Edge/", "Edge"),
    ("OPR/", "Opera"),
    ("OPT/", "Opera"),
    ("OPiOS/", "Opera"),
    ("OPX/", "Opera"),
    ("Opera", "Opera"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("YaBrowser/", "Yandex Browser"),
    ("Vivaldi/", "Vivaldi"),
    ("UCBrowser/", "UC Browser"),
    ("MiuiBrowser/", "Mi Browser"),
    ("HuaweiBrowser/", "Huawei Browser"),
    ("HeyTapBrowser/", "HeyTap Browser"),
    ("VivoBrowser/", "Vivo Browser"),
    ("Whale/", "Whale"),
    ("QQBrowser/", "QQ Browser"),
    ("DuckDuckGo/", "DuckDuckGo"),
    ("Ddg/", "DuckDuckGo"),
    ("Brave/", "Brave"),
    ("Silk/", "Silk"),
    ("CriOS/", "Chrome"),
    ("FxiOS/", "Firefox"),
    ("Focus/", "Firefox"),
    ("Firefox/", "Firefox"),
    ("Trident/", "Internet Explorer"),
    ("MSIE ", "Internet Explorer"),
    ("; wv)", "Android app"),
    ("Chrome/", "Chrome"),
    ("Chromium/", "Chrome"),
    ("Safari/", "Safari"),
];

const SYSTEMS: &[(&str, &str)] = &[
    ("Windows Phone", "Windows Phone"),
    ("Xbox", "Xbox"),
    ("Windows", "Windows"),
    ("iPhone", "iOS"),
    ("iPad", "iOS"),
    ("iPod", "iOS"),
    ("AppleTV", "tvOS"),
    ("Apple TV", "tvOS"),
    ("CrOS", "ChromeOS"),
    ("Tizen", "Tizen"),
    ("Web0S", "webOS"),
    ("webOS", "webOS"),
    ("KAIOS", "KaiOS"),
    ("OpenHarmony", "HarmonyOS"),
    ("HarmonyOS", "HarmonyOS"),
    ("Android", "Android"),
    ("PlayStation", "PlayStation"),
    ("Nintendo", "Nintendo"),
    ("Macintosh", "macOS"),
    ("Mac OS X", "macOS"),
    ("Linux", "Linux"),
    ("X11", "Linux"),
];

/// Television sets and sticks; "AFT" begins the model names of Amazon's.
const TVS: &[&str] = &[
    "SmartTV",
    "SMART-TV",
    "Smart TV",
    "AppleTV",
    "Apple TV",
    "GoogleTV",
    "Google TV",
    "Android TV",
    "BRAVIA",
    "HbbTV",
    "NetCast",
    "Web0S",
    "Roku",
    "CrKey",
    "DTV",
    " TV Safari",
    "; AFT",
];

/// Reads a user agent. Bots get an answer too: ask `is_bot` first.
pub fn parse(user_agent: &str) -> Device {
    let system = first(user_agent, SYSTEMS).unwrap_or("Other");
    let browser = match first(user_agent, APPS).or_else(|| first(user_agent, BROWSERS)) {
        Some(browser) => browser,
        // A web view on an iPhone has no name at all.
        None if system == "iOS" => "iOS app",
        None => "Other",
    };
    Device { kind: kind(user_agent, system), browser, system }
}

/// Headers by which browsers say that they only look ahead: Chromium, its older ones, Safari's previews, Firefox.
pub const EARLY: [&str; 4] = ["sec-purpose", "purpose", "x-purpose", "x-moz"];

/// True if one of those headers says that nobody may ever see this page.
pub fn may_be_prefetch(purpose: &str) -> bool {
    let purpose = purpose.to_ascii_lowercase();
    ["prefetch", "prerender", "preview"].iter().any(|word| purpose.contains(word))
}

fn kind(user_agent: &str, system: &str) -> DeviceKind {
    let has = |marker: &str| user_agent.contains(marker);
    if TVS.iter().any(|marker| has(marker)) {
        return DeviceKind::Tv;
    }
    let is_mobile = has("Mobi") || has("Phone") || has("iPod");
    match system {
        "iOS" if has("iPad") => DeviceKind::Tablet,
        "iOS" | "Windows Phone" | "KaiOS" => DeviceKind::Mobile,
        // Android browsers write "Mobile" on phones only; Firefox writes "Tablet" on tablets, apps name the model.
        "Android" | "HarmonyOS" | "Tizen" if has("Tablet") => DeviceKind::Tablet,
        "Android" | "HarmonyOS" | "Tizen" if is_mobile => DeviceKind::Mobile,
        "Android" => DeviceKind::Tablet,
        "Windows" | "macOS" | "ChromeOS" => DeviceKind::Desktop,
        "Linux" if has("Silk/") || has("Kindle") => DeviceKind::Tablet,
        "Linux" if is_mobile => DeviceKind::Mobile,
        "Linux" => DeviceKind::Desktop,
        "webOS" | "tvOS" => DeviceKind::Tv,
        _ if is_mobile => DeviceKind::Mobile,
        _ => DeviceKind::Other,
    }
}

fn first(user_agent: &str, markers: &[(&str, &'static str)]) -> Option<&'static str> {
    markers.iter().find(|(marker, _)| user_agent.contains(marker)).map(|(_, name)| *name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[track_caller]
    fn check(user_agent: &str, want: &str) {
        let got = parse(user_agent);
        assert_eq!(format!("{} | {} | {}", got.kind.as_str(), got.browser, got.system), want, "{user_agent}");
    }

    const WEBKIT: &str = "AppleWebKit/537.36 (KHTML, like Gecko)";
    const IPHONE: &str = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko)";

    #[test]
    fn browsers() {
        for (system, browser, want) in [
            ("Windows NT 10.0; Win64; x64", "Chrome/149.0.0.0 Safari/537.36", "desktop | Chrome | Windows"),
            ("Windows NT 10.0; Win64; x64", "Chrome/149.0.0.0 Safari/537.36 Edg/149.0.0.0", "desktop | Edge | Windows"),
            ("Windows NT 10.0; Win64; x64", "Chrome/149.0.0.0 Safari/537.36 OPR/120.0.0.0", "desktop | Opera | Windows"),
            ("Macintosh; Intel Mac OS X 10_15_7", "Version/18.5 Safari/605.1.15", "desktop | Safari | macOS"),
            ("Macintosh; Intel Mac OS X 10_15_7", "Version/18.5 Safari/605.1.15 Ddg/18.5", "desktop | DuckDuckGo | macOS"),
            ("X11; CrOS x86_64 14541.0.0", "Chrome/149.0.0.0 Safari/537.36", "desktop | Chrome | ChromeOS"),
            ("X11; Linux x86_64", "Chrome/149.0.0.0 Safari/537.36", "desktop | Chrome | Linux"),
            ("Linux; Android 10; K", "Chrome/149.0.0.0 Mobile Safari/537.36", "mobile | Chrome | Android"),
            ("Linux; Android 10; K", "Chrome/149.0.0.0 Safari/537.36", "tablet | Chrome | Android"),
            ("Linux; Android 10; K", "SamsungBrowser/28.0 Chrome/130.0.0.0 Mobile Safari/537.36", "mobile | Samsung Internet | Android"),
            (
                "Linux; Android 15; SM-S921B Build/AP3A; wv",
                "Version/4.0 Chrome/149.0.0.0 Mobile Safari/537.36",
                "mobile | Android app | Android",
            ),
            (
                "Linux; Android 15; SM-S921B; wv",
                "Version/4.0 Chrome/149.0.0.0 Mobile Safari/537.36 trill_400101 BytedanceWebview/d8a21c6",
                "mobile | TikTok app | Android",
            ),
            (
                "Linux; Android 16; Pixel 10; wv",
                "Version/4.0 Chrome/149.0.0.0 Mobile Safari/537.36 MetaIAB Facebook",
                "mobile | Facebook app | Android",
            ),
            (
                "Linux; Android 15; Pixel 9; wv",
                "Version/4.0 Chrome/149.0.0.0 Mobile Safari/537.36 [LinkedInApp]/9.30",
                "mobile | LinkedIn app | Android",
            ),
            ("Linux; Android 9; AFTSSS Build/PS7", "Silk/130.1 like Chrome/130.0 Safari/537.36", "tv | Silk | Android"),
            ("Linux; Android 12; KFTRWI", "Silk/130.1 like Chrome/130.0 Safari/537.36", "tablet | Silk | Android"),
            ("SMART-TV; LINUX; Tizen 7.0", "Version/7.0 TV Safari/537.36", "tv | Safari | Tizen"),
            ("Web0S; Linux/SmartTV", "Chrome/108.0.0.0 Safari/537.36", "tv | Chrome | webOS"),
            ("PlayStation 5", "Version/18.0 Safari/605.1.15", "other | Safari | PlayStation"),
        ] {
            check(&format!("Mozilla/5.0 ({system}) {WEBKIT} {browser}"), want);
        }
    }

    #[test]
    fn phones_of_apple() {
        for (browser, want) in [
            ("Version/18.5 Mobile/15E148 Safari/604.1", "mobile | Safari | iOS"),
            ("CriOS/149.0.0.0 Mobile/15E148 Safari/604.1", "mobile | Chrome | iOS"),
            ("FxiOS/141.0 Mobile/15E148 Safari/605.1.15", "mobile | Firefox | iOS"),
            ("GSA/370.0.7 Mobile/15E148 Safari/604.1", "mobile | Google app | iOS"),
            ("Mobile/15E148 Instagram 390.0.0 (iPhone16,2; iOS 18_5; en_IE)", "mobile | Instagram app | iOS"),
            ("Mobile/15E148 [FBAN/FBIOS;FBAV/520.0;FBDV/iPhone15,3]", "mobile | Facebook app | iOS"),
            ("Mobile/15E148 [FBAN/MessengerForiOS;FBAV/520.0]", "mobile | Messenger app | iOS"),
            ("Mobile/15E148 Snapchat/13.10.0.40 (like Safari/8620)", "mobile | Snapchat app | iOS"),
            ("Mobile/15E148 [Pinterest/iOS]", "mobile | Pinterest app | iOS"),
            ("Mobile/15E148", "mobile | iOS app | iOS"),
        ] {
            check(&format!("{IPHONE} {browser}"), want);
        }
        check(
            "Mozilla/5.0 (iPad; CPU OS 16_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/16.5 Mobile/15E148 Safari/604.1",
            "tablet | Safari | iOS",
        );
    }

    #[test]
    fn others() {
        for (user_agent, want) in [
            ("Mozilla/5.0 (X11; Ubuntu; Linux x86_64; rv:141.0) Gecko/20100101 Firefox/141.0", "desktop | Firefox | Linux"),
            ("Mozilla/5.0 (Android 15; Mobile; rv:141.0) Gecko/141.0 Firefox/141.0", "mobile | Firefox | Android"),
            ("Mozilla/5.0 (Android 15; Tablet; rv:141.0) Gecko/141.0 Firefox/141.0", "tablet | Firefox | Android"),
            ("Mozilla/5.0 (Windows NT 6.1; Trident/7.0; rv:11.0) like Gecko", "desktop | Internet Explorer | Windows"),
            ("Opera/9.80 (J2ME/MIDP; Opera Mini/9.80; U; en) Presto/2.5 Mobile", "mobile | Opera | Other"),
            ("", "other | Other | Other"),
            ("something", "other | Other | Other"),
        ] {
            check(user_agent, want);
        }
    }

    #[test]
    fn prefetch() {
        for (purpose, want) in [
            ("prefetch", true),
            ("prefetch;prerender", true),
            ("Prefetch;anonymous-client-ip", true),
            ("preview", true),
            ("", false),
            ("navigate", false),
        ] {
            assert_eq!(may_be_prefetch(purpose), want, "{purpose}");
        }
    }

    proptest! {
        #[test]
        fn never_panics(text in "\\PC*") {
            parse(&text);
            may_be_prefetch(&text);
        }
    }
}
