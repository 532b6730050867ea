//! Which user agents are programs rather than people: crawlers, previews, monitors, scripts, headless browsers.
//!
//! `bots.txt` holds the patterns of npm package isbot 5.2.3 (Unlicense), with ours behind. Six of that package's 206
//! patterns look around, which crate `regex` refuses; they are the functions at the end of this file.

use std::sync::LazyLock;

use regex::bytes::{Regex, RegexBuilder};

/// What stands behind this many bytes does not make a person of a program; browsers stay far below.
const MAX_LENGTH: usize = 1024;

/// ASCII only, on the lower-cased string: several times faster than Unicode classes, and user agents are ASCII.
static PATTERN: LazyLock<Regex> = LazyLock::new(|| {
    let patterns: Vec<&str> = patterns().collect();
    RegexBuilder::new(&format!("(?-u)(?:{})", patterns.join("|")))
        .dfa_size_limit(1 << 20)
        .build()
        .expect("the patterns are part of the binary, and a test compiles them one by one")
});

/// True for a program, and for an empty string: every browser sends one.
pub fn is_bot(user_agent: &str) -> bool {
    let text = user_agent.trim();
    if text.is_empty() {
        return true;
    }
    let mut lower = text.as_bytes()[..text.len().min(MAX_LENGTH)].to_vec();
    lower.make_ascii_lowercase();
    has_name(&lower) || PATTERN.is_match(&lower)
}

fn patterns() -> impl Iterator<Item = &'static str> {
    include_str!("bots.txt").lines().filter(|line| !line.is_empty() && !line.starts_with('#'))
}

/// The six that depend on what stands around them.
fn has_name(text: &[u8]) -> bool {
    let is_word = |byte: Option<&u8>| byte.is_some_and(|b| b.is_ascii_alphanumeric());
    // `CUBOT` makes phones; what is called `botany` is no bot.
    finds(text, b"bot", |before, after| {
        let after = after.strip_prefix(b"s").filter(|rest| !is_word(rest.first())).unwrap_or(after);
        !before.ends_with(b" cu") && !is_word(after.first())
    })
    // The Google app, Chrome of a Pixel, and web views of Android are people.
    || finds(text, b"google", |before, after| {
        !before.ends_with(b" channel/")
            && !before.ends_with(b"google/")
            && ![&b"wv"[..], b"app", b"/google", b" pixel"].iter().any(|tail| after.starts_with(tail))
    })
    // Game consoles name their `libhttp`.
    || finds(text, b"http", |before, _| !before.ends_with(b"lib"))
    // `NewsSapphire` is Microsoft's start page on phones.
    || finds(text, b"news", |before, after| !before.ends_with(b"g") && !after.starts_with(b"sapphire"))
    // `CamScanner` opens pages for its users.
    || finds(text, b"scan", |before, _| !before.ends_with(b"cam"))
    // Old phones list `Java;` among what they can do.
    || finds(text, b"java", |_, after| !after.starts_with(b";"))
}

fn finds(text: &[u8], word: &[u8], fits: impl Fn(&[u8], &[u8]) -> bool) -> bool {
    text.windows(word.len()).enumerate().any(|(at, part)| part == word && fits(&text[..at], &text[at + word.len()..]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn every_pattern_compiles() {
        for pattern in patterns() {
            assert!(Regex::new(&format!("(?-u){pattern}")).is_ok(), "{pattern}");
        }
        assert!(patterns().count() > 200);
        assert!(!PATTERN.is_match(b""));
    }

    #[track_caller]
    fn check(user_agent: &str, want: bool) {
        assert_eq!(is_bot(user_agent), want, "{user_agent}");
    }

    #[test]
    fn programs() {
        for user_agent in [
            "",
            "   ",
            "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
            "Mozilla/5.0 (Linux; Android 6.0.1; Nexus 5X Build/MMB29P) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/149.0.7000.10 Mobile Safari/537.36 (compatible; GoogleOther)",
            "AdsBot-Google (+http://www.google.com/adsbot.html)",
            "Mediapartners-Google",
            "Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)",
            "Mozilla/5.0 (compatible; YandexBot/3.0; +http://yandex.com/bots)",
            "DuckDuckBot/1.1; (+http://duckduckgo.com/duckduckbot.html)",
            "Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; GPTBot/1.3; +https://openai.com/gptbot)",
            "Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko); compatible; ChatGPT-User/1.0; +https://openai.com/bot",
            "Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; ClaudeBot/1.0; +claudebot@anthropic.com)",
            "Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; PerplexityBot/1.0)",
            "facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)",
            "meta-externalagent/1.1 (+https://developers.facebook.com/docs/sharing/webmasters/crawler)",
            "WhatsApp/2.23.20.0 A",
            "TelegramBot (like TwitterBot)",
            "Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)",
            "LinkedInBot/1.0 (compatible; Mozilla/5.0; Apache-HttpClient +http://www.linkedin.com)",
            "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/149.0.0.0 Safari/537.36",
            "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/149.0.0.0 Safari/537.36 Chrome-Lighthouse",
            "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/149.0.0.0 Safari/537.36 GTmetrix",
            "Mozilla/5.0+(compatible; UptimeRobot/2.0; http://www.uptimerobot.com/)",
            "curl/8.9.1",
            "Wget/1.24.5",
            "python-requests/2.32.3",
            "Go-http-client/1.1",
            "okhttp/4.12.0",
            "Java/17.0.10",
            "PostmanRuntime/7.39.0",
            "axios/1.7.2",
            "node",
            "Mozilla/5.0",
        ] {
            check(user_agent, true);
        }
    }

    #[test]
    fn people() {
        for user_agent in [
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/149.0.0.0 Safari/537.36",
            "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1",
            "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/149.0.0.0 Mobile Safari/537.36",
            "Mozilla/5.0 (X11; Ubuntu; Linux x86_64; rv:141.0) Gecko/20100101 Firefox/141.0",
            "Mozilla/5.0 (Linux; Android 13; CUBOT P80) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/149.0.0.0 Mobile Safari/537.36",
            "Mozilla/5.0 (Linux; Android 15; Pixel 9; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/149.0.0.0 Mobile Safari/537.36 GoogleApp/16.2",
            "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) GSA/370.0.7 Mobile/15E148 Safari/604.1",
            "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148 Instagram 390.0.0.20.70 (iPhone16,2; iOS 18_5; en_IE; en; scale=3.00; 1290x2796; 700000000)",
            "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148 [FBAN/FBIOS;FBAV/520.0.0.38.101;FBBV/1;FBDV/iPhone15,3;FBMD/iPhone;FBSN/iOS;FBSV/18.5;FBSS/3;FBCR/;FBID/phone;FBLC/en_GB;FBOP/5]",
            "Mozilla/5.0 (Linux; Android 15; SM-S921B Build/AP3A; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/149.0.0.0 Mobile Safari/537.36 trill_400101 JsSdk/1.0 NetType/WIFI Channel/googleplay AppName/trill app_version/40.1.1 ByteLocale/en BytedanceWebview/d8a21c6",
            "Mozilla/5.0 (PlayStation 5) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Safari/605.1.15",
            "Mozilla/5.0 (SMART-TV; LINUX; Tizen 7.0) AppleWebKit/537.36 (KHTML, like Gecko) Version/7.0 TV Safari/537.36",
        ] {
            check(user_agent, false);
        }
    }

    proptest! {
        #[test]
        fn never_panics(text in "\\PC*") {
            is_bot(&text);
        }
    }
}
