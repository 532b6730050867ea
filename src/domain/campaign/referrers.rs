//! The places visitors come from: search engines, networks, mail programs, AI assistants, and what each is called.
//!
//! One table serves three readers: a referrer's host, the spelling in a `utm_source`, and the name shown on screen.
//! Hosts that are never a referrer (payment pages, log-in pages) stand below it.

use std::collections::HashMap;
use std::sync::LazyLock;

/// What kind of place a source is; decides the medium of an untagged visit and the channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    Search,
    Social,
    Video,
    Shopping,
    Email,
    Ai,
    Ads,
}

impl Class {
    /// The medium of a visit that says nothing but its referrer.
    pub fn medium(self) -> &'static str {
        match self {
            Class::Search => "organic",
            Class::Social => "social",
            Class::Video => "video",
            Class::Shopping => "referral",
            Class::Email => "email",
            Class::Ai => "ai",
            Class::Ads => "display",
        }
    }
}

/// One known place.
#[derive(Debug)]
pub struct Place {
    /// The normalised source, lower case.
    pub name: &'static str,
    /// As shown to people.
    pub title: &'static str,
    pub class: Class,
    /// Hosts, each with its subdomains; also Android package names and App Store numbers. Blank-separated.
    hosts: &'static str,
    /// Spellings met in `utm_source`, without blanks, dashes, underscores. Blank-separated.
    words: &'static str,
}

const fn place(name: &'static str, title: &'static str, class: Class, hosts: &'static str, words: &'static str) -> Place {
    Place { name, title, class, hosts, words }
}

use Class::{Ads, Ai, Email, Search, Shopping, Social, Video};

#[rustfmt::skip]
static PLACES: &[Place] = &[
    // search
    place("google", "Google", Search, "google.com google.co.uk com.google.android.googlequicksearchbox com.google.android.apps.searchlite 284815942", "googleads googlead adwords googleadwords googlesearch ggl goog gads"),
    place("bing", "Bing", Search, "bing.com com.microsoft.bing 345323231", "bingads microsoft microsoftads microsoftadvertising msads msn"),
    place("yahoo", "Yahoo", Search, "yahoo.com search.yahoo.co.jp yahoo.co.jp", "yahoosearch"),
    place("duckduckgo", "DuckDuckGo", Search, "duckduckgo.com ddg.gg com.duckduckgo.mobile.android 663592361", "ddg"),
    place("yandex", "Yandex", Search, "yandex.ru yandex.com ya.ru yandex.com.tr", "yandexdirect yandexru"),
    place("baidu", "Baidu", Search, "baidu.com", ""),
    place("ecosia", "Ecosia", Search, "ecosia.org com.ecosia.android", ""),
    place("brave", "Brave Search", Search, "search.brave.com", "bravesearch"),
    place("startpage", "Startpage", Search, "startpage.com ixquick.com", ""),
    place("qwant", "Qwant", Search, "qwant.com", ""),
    place("seznam", "Seznam", Search, "search.seznam.cz seznam.cz", "sklik seznamcz"),
    place("naver", "Naver", Search, "naver.com search.naver.com", ""),
    place("daum", "Daum", Search, "daum.net", ""),
    place("sogou", "Sogou", Search, "sogou.com", ""),
    place("so.com", "360 Search", Search, "so.com", "360search haosou"),
    place("kagi", "Kagi", Search, "kagi.com", ""),
    place("mojeek", "Mojeek", Search, "mojeek.com", ""),
    place("swisscows", "Swisscows", Search, "swisscows.com", ""),
    place("aol", "AOL", Search, "aol.com search.aol.com", ""),
    place("ask", "Ask", Search, "ask.com", ""),
    place("rambler", "Rambler", Search, "rambler.ru", ""),
    place("mail.ru", "Mail.ru", Search, "go.mail.ru", ""),
    place("coccoc", "Cốc Cốc", Search, "coccoc.com", ""),
    place("presearch", "Presearch", Search, "presearch.com presearch.org", ""),
    place("metager", "MetaGer", Search, "metager.org metager.de", ""),
    place("onesearch", "OneSearch", Search, "onesearch.com", ""),
    // social networks and messengers
    place("facebook", "Facebook", Social, "facebook.com fb.com fb.me fb.watch facebookcorewwwi.onion com.facebook.katana com.facebook.lite 284882215", "fb fbads fbad facebookads facebookad fbig meta metaads facebookinstagram"),
    place("instagram", "Instagram", Social, "instagram.com ig.me instagr.am com.instagram.android 389801252", "ig insta igads instagramads igshopping igstory"),
    place("messenger", "Messenger", Social, "messenger.com m.me com.facebook.orca 454638411", "msg fbmessenger facebookmessenger"),
    place("audience_network", "Meta Audience Network", Social, "", "audiencenetwork an fban metaaudiencenetwork"),
    place("threads", "Threads", Social, "threads.net threads.com com.instagram.barcelona 6446901002", ""),
    place("whatsapp", "WhatsApp", Social, "whatsapp.com wa.me com.whatsapp com.whatsapp.w4b 310633997", "wa whatsappbusiness"),
    place("twitter", "X (Twitter)", Social, "twitter.com x.com t.co com.twitter.android 333903271", "tw x twitterads xads xcom"),
    place("linkedin", "LinkedIn", Social, "linkedin.com lnkd.in com.linkedin.android 288429040", "li linkedinads lnkd"),
    place("tiktok", "TikTok", Social, "tiktok.com tiktokv.com musical.ly com.zhiliaoapp.musically com.ss.android.ugc.trill 835599320", "tt tiktokads tk ttads"),
    place("pinterest", "Pinterest", Social, "pinterest.com pinterest.co.uk pin.it com.pinterest 429047995", "pin pinterestads pins"),
    place("snapchat", "Snapchat", Social, "snapchat.com com.snapchat.android 447188370", "snap sc snapchatads snapads"),
    place("reddit", "Reddit", Social, "reddit.com redd.it redditmedia.com com.reddit.frontpage 1064216828", "redditads"),
    place("telegram", "Telegram", Social, "telegram.org t.me telegram.me web.telegram.org org.telegram.messenger 686449807", "tg"),
    place("bluesky", "Bluesky", Social, "bsky.app go.bsky.app xyz.blueskyweb.app 6444370199", "bsky"),
    place("mastodon", "Mastodon", Social, "mastodon.social mastodon.online mas.to mstdn.social org.joinmastodon.android", ""),
    place("discord", "Discord", Social, "discord.com discordapp.com discord.gg com.discord 985746746", ""),
    place("slack", "Slack", Social, "slack.com com.slack 618783545", ""),
    place("teams", "Microsoft Teams", Social, "teams.microsoft.com teams.live.com statics.teams.cdn.office.net com.microsoft.teams", "msteams microsoftteams"),
    place("quora", "Quora", Social, "quora.com", "quoraads"),
    place("tumblr", "Tumblr", Social, "tumblr.com", ""),
    place("vk", "VK", Social, "vk.com vkontakte.ru vk.ru com.vkontakte.android", "vkontakte vkads"),
    place("ok", "OK.ru", Social, "ok.ru odnoklassniki.ru", "odnoklassniki okru"),
    place("weibo", "Weibo", Social, "weibo.com weibo.cn", ""),
    place("wechat", "WeChat", Social, "wechat.com weixin.qq.com com.tencent.mm", "weixin"),
    place("xiaohongshu", "RedNote", Social, "xiaohongshu.com xhslink.com", "rednote"),
    place("line", "LINE", Social, "line.me jp.naver.line.android", "lineads"),
    place("viber", "Viber", Social, "viber.com com.viber.voip", ""),
    place("xing", "XING", Social, "xing.com", ""),
    place("nextdoor", "Nextdoor", Social, "nextdoor.com nextdoor.co.uk com.nextdoor", ""),
    place("hackernews", "Hacker News", Social, "news.ycombinator.com", "hn"),
    place("producthunt", "Product Hunt", Social, "producthunt.com", ""),
    place("medium", "Medium", Social, "medium.com", ""),
    place("substack", "Substack", Social, "substack.com", ""),
    place("patreon", "Patreon", Social, "patreon.com", ""),
    place("linktree", "Linktree", Social, "linktr.ee", ""),
    place("flipboard", "Flipboard", Social, "flipboard.com", ""),
    place("lemmy", "Lemmy", Social, "lemmy.world lemmy.ml", ""),
    // video
    place("youtube", "YouTube", Video, "youtube.com youtu.be youtube-nocookie.com com.google.android.youtube 544007664", "yt youtubeads ytads"),
    place("vimeo", "Vimeo", Video, "vimeo.com", ""),
    place("dailymotion", "Dailymotion", Video, "dailymotion.com", ""),
    place("twitch", "Twitch", Video, "twitch.tv tv.twitch.android.app", ""),
    place("rumble", "Rumble", Video, "rumble.com", ""),
    place("bilibili", "Bilibili", Video, "bilibili.com", ""),
    place("loom", "Loom", Video, "loom.com", ""),
    // shopping
    place("amazon", "Amazon", Shopping, "amazon.com amazon.co.uk amzn.to a.co com.amazon.mshop.android.shopping", "amazonads amzn"),
    place("ebay", "eBay", Shopping, "ebay.com ebay.co.uk", ""),
    place("etsy", "Etsy", Shopping, "etsy.com", "etsyads"),
    place("walmart", "Walmart", Shopping, "walmart.com", ""),
    place("aliexpress", "AliExpress", Shopping, "aliexpress.com", ""),
    place("alibaba", "Alibaba", Shopping, "alibaba.com", ""),
    place("temu", "Temu", Shopping, "temu.com", ""),
    place("noon", "noon", Shopping, "noon.com", ""),
    place("idealo", "idealo", Shopping, "idealo.de idealo.co.uk", ""),
    place("heureka", "Heureka", Shopping, "heureka.cz heureka.sk", "heurekacz"),
    place("zbozi", "Zboží.cz", Shopping, "zbozi.cz", "zbozicz"),
    place("pricerunner", "PriceRunner", Shopping, "pricerunner.com pricerunner.dk", ""),
    place("google shopping", "Google Shopping", Shopping, "shopping.google.com", "googleshopping gmc"),
    // mail programs
    place("gmail", "Gmail", Email, "mail.google.com com.google.android.gm 422689480", "googlemail"),
    place("outlook", "Outlook", Email, "outlook.live.com outlook.office.com outlook.office365.com outlook.com hotmail.com mail.live.com com.microsoft.office.outlook 951937596", "hotmail"),
    place("yahoo mail", "Yahoo Mail", Email, "mail.yahoo.com mail.yahoo.co.jp com.yahoo.mobile.client.android.mail", "yahoomail"),
    place("icloud mail", "iCloud Mail", Email, "icloud.com", "icloudmail icloud"),
    place("proton mail", "Proton Mail", Email, "mail.proton.me protonmail.com proton.me ch.protonmail.android", "protonmail proton"),
    place("fastmail", "Fastmail", Email, "fastmail.com", ""),
    place("zoho mail", "Zoho Mail", Email, "mail.zoho.com mail.zoho.eu", "zohomail"),
    place("gmx", "GMX", Email, "gmx.net gmx.com gmx.de gmx.at gmx.ch", ""),
    place("web.de", "WEB.DE", Email, "web.de", ""),
    place("seznam email", "Seznam Email", Email, "email.seznam.cz", "seznamemail"),
    place("mail.ru mail", "Mail.ru Mail", Email, "e.mail.ru mail.ru", ""),
    place("yandex mail", "Yandex Mail", Email, "mail.yandex.ru mail.yandex.com", "yandexmail"),
    place("aol mail", "AOL Mail", Email, "mail.aol.com", "aolmail"),
    place("orange mail", "Orange Mail", Email, "messagerie.orange.fr mail.orange.fr", ""),
    place("mailchimp", "Mailchimp", Email, "list-manage.com mailchi.mp campaign-archive.com", ""),
    place("klaviyo", "Klaviyo", Email, "klclick.com klclick1.com klclick2.com klclick3.com", ""),
    // AI assistants
    place("chatgpt", "ChatGPT", Ai, "chatgpt.com chat.openai.com openai.com com.openai.chatgpt 6448311069", "openai gpt chatgptsearch"),
    place("perplexity", "Perplexity", Ai, "perplexity.ai pplx.ai ai.perplexity.app.android 1668000334", "perplexityai"),
    place("claude", "Claude", Ai, "claude.ai claude.com com.anthropic.claude 6473753684", "anthropic claudeai"),
    place("gemini", "Gemini", Ai, "gemini.google.com bard.google.com com.google.android.apps.bard", "bard googlegemini"),
    place("copilot", "Microsoft Copilot", Ai, "copilot.microsoft.com copilot.cloud.microsoft com.microsoft.copilot edgeservices.bing.com", "microsoftcopilot bingchat"),
    place("meta ai", "Meta AI", Ai, "meta.ai", "metaai"),
    place("grok", "Grok", Ai, "grok.com x.ai ai.x.grok", ""),
    place("deepseek", "DeepSeek", Ai, "deepseek.com chat.deepseek.com com.deepseek.chat", ""),
    place("mistral", "Mistral", Ai, "chat.mistral.ai mistral.ai", "lechat mistralai"),
    place("you.com", "You.com", Ai, "you.com", ""),
    place("phind", "Phind", Ai, "phind.com", ""),
    place("poe", "Poe", Ai, "poe.com", ""),
    place("qwen", "Qwen", Ai, "chat.qwen.ai qwen.ai tongyi.aliyun.com", ""),
    place("doubao", "Doubao", Ai, "doubao.com", ""),
    place("kimi", "Kimi", Ai, "kimi.com kimi.moonshot.cn", ""),
    place("duck.ai", "Duck.ai", Ai, "duck.ai", ""),
    // advertising hosts that show up as referrers of their own frames
    place("google display", "Google Display", Ads, "doubleclick.net googlesyndication.com googleadservices.com 2mdn.net", "dfa dv360 doubleclick gdn googledisplay cm360"),
    place("criteo", "Criteo", Ads, "criteo.com criteo.net", ""),
    place("taboola", "Taboola", Ads, "taboola.com trc.taboola.com", ""),
    place("outbrain", "Outbrain", Ads, "outbrain.com paid.outbrain.com", ""),
];

/// Google's other products are sites like any other: a link in a shared document is a referral, not a search.
const PLAIN_HOSTS: &str = "docs.google.com drive.google.com sites.google.com classroom.google.com meet.google.com \
    calendar.google.com groups.google.com chat.google.com keep.google.com translate.google.com support.google.com \
    com.google.android.apps.docs finance.yahoo.com news.yahoo.com platform.openai.com help.openai.com \
    community.openai.com apps.apple.com play.google.com translate.yandex.ru";

/// Search engines and shops with one host per country: the label before the public suffix is the name.
const MANY_COUNTRIES: &[&str] = &["google", "yahoo", "yandex", "amazon", "ebay", "pinterest", "etsy"];

/// Payment pages send the buyer back to the shop; log-in pages do the same. Neither brought the visitor.
const NEVER_HOSTS: &str = "paypal.com paypalobjects.com stripe.com klarna.com klarna.net klarnapayments.com adyen.com \
    adyenpayments.com mollie.com gopay.com gopay.cz comgate.cz payu.com payu.pl payu.in payu.cz payu.ro payulatam.com \
    worldpay.com sagepay.com opayo.co.uk opayo.eu elavon.com cardinalcommerce.com arcot.com rsa3dsauth.com \
    3dsecure.io modirum.com afterpay.com clearpay.co.uk affirm.com sezzle.com zip.co quadpay.com tabby.ai tamara.co \
    spotii.me postpay.io checkout.com razorpay.com paytm.com paytm.in phonepe.com cashfree.com ccavenue.com \
    ccavenue.ae billdesk.com payfast.co.za payfast.io paystack.com paystack.co flutterwave.com mercadopago.com \
    mercadopago.com.br mercadopago.com.ar pagseguro.uol.com.br pagar.me squareup.com checkout.square.site authorize.net \
    braintreegateway.com braintreepayments.com pay.google.com payments.google.com pay.amazon.com payments.amazon.com \
    payments.amazon.de payments.amazon.co.uk shop.app checkout.shopify.com pay.shopify.com 2checkout.com paddle.com \
    sofort.com giropay.de ideal.nl trustly.com bancontact.com przelewy24.pl dotpay.pl tpay.com blik.com telr.com \
    paytabs.com ngenius-payments.com payfort.com myfatoorah.com hyperpay.com oppwa.com tap.company thawani.om skrill.com \
    neteller.com paysafecard.com paysafe.com barion.com simplepay.hu saferpay.com datatrans.com datatrans.ch \
    postfinance.ch twint.ch redsys.es multisafepay.com vivapayments.com vivawallet.com checkout.revolut.com gocardless.com \
    sumup.com alipay.com nets.eu quickpay.net reepay.com vipps.no swish.nu bambora.com wpsandbox.com payone.com \
    wirecard.com heidelpay.com unzer.com iyzipay.com paytr.com cybersource.com moneris.com nuvei.com safecharge.com \
    payplug.com lyra.com systempay.fr payzen.eu monext.fr paybox.com sips-services.com satispay.com nexi.it scalapay.com \
    alma.eu oney.io cofidis.com sequra.com aplazame.com coinbase.com commerce.coinbase.com bitpay.com \
    accounts.google.com login.microsoftonline.com login.live.com appleid.apple.com idmsa.apple.com auth0.com \
    okta.com login.yahoo.com";

struct Index {
    hosts: HashMap<&'static str, &'static Place>,
    words: HashMap<String, &'static Place>,
    plain: Vec<&'static str>,
    never: Vec<&'static str>,
}

static INDEX: LazyLock<Index> = LazyLock::new(|| {
    let mut hosts = HashMap::new();
    let mut words = HashMap::new();
    for place in PLACES {
        for host in place.hosts.split_whitespace() {
            hosts.entry(host).or_insert(place);
        }
        words.entry(squeeze(place.name)).or_insert(place);
        for word in place.words.split_whitespace() {
            words.entry(word.to_owned()).or_insert(place);
        }
    }
    let mut plain: Vec<_> = PLAIN_HOSTS.split_whitespace().collect();
    let mut never: Vec<_> = NEVER_HOSTS.split_whitespace().collect();
    plain.sort_unstable();
    never.sort_unstable();
    Index { hosts, words, plain, never }
});

/// The known place a host belongs to: `l.instagram.com`, `google.ae`, `com.google.android.gm`.
pub fn by_host(host: &str) -> Option<&'static Place> {
    for tail in tails(host) {
        if INDEX.plain.binary_search(&tail).is_ok() {
            return None;
        }
        if let Some(place) = INDEX.hosts.get(tail) {
            return Some(place);
        }
    }
    let domain = psl::domain_str(host)?;
    let label = domain.split('.').next()?;
    let name = MANY_COUNTRIES.iter().find(|name| **name == label)?;
    INDEX.words.get(*name).copied()
}

/// The known place a written source means: `fb`, `Facebook`, `facebook.com`, `google-ads`.
pub fn by_word(source: &str) -> Option<&'static Place> {
    let lower = source.to_lowercase();
    if let Some(place) = INDEX.words.get(&squeeze(&lower)) {
        return Some(place);
    }
    if lower.contains('.') { by_host(lower.strip_prefix("www.").unwrap_or(&lower)) } else { None }
}

/// True for payment and log-in pages.
pub fn is_never_referrer(host: &str) -> bool {
    tails(host).any(|tail| INDEX.never.binary_search(&tail).is_ok())
}

/// The host and each shorter form of it: `a.b.c`, `b.c`, `c`.
fn tails(host: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(Some(host), |rest| rest.split_once('.').map(|(_, tail)| tail))
}

/// People write `Google Ads`, `google-ads` and `google_ads`.
fn squeeze(text: &str) -> String {
    text.chars().filter(|c| !matches!(c, ' ' | '-' | '_')).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(host: &str, want: &str) {
        let got = by_host(host).map_or("", |p| p.name);
        assert_eq!(got, want, "{host}");
    }

    #[test]
    fn hosts() {
        for (host, want) in [
            ("www.google.com", "google"),
            ("google.ae", "google"),
            ("www.google.co.jp", "google"),
            ("google.evil.com", ""),
            ("mail.google.com", "gmail"),
            ("gemini.google.com", "gemini"),
            ("docs.google.com", ""),
            ("l.instagram.com", "instagram"),
            ("lm.facebook.com", "facebook"),
            ("uk.search.yahoo.com", "yahoo"),
            ("mail.yahoo.com", "yahoo mail"),
            ("search.yahoo.co.jp", "yahoo"),
            ("finance.yahoo.com", ""),
            ("t.co", "twitter"),
            ("not.co", ""),
            ("yandex.kz", "yandex"),
            ("cz.pinterest.com", "pinterest"),
            ("www.pinterest.de", "pinterest"),
            ("go.mail.ru", "mail.ru"),
            ("e.mail.ru", "mail.ru mail"),
            ("news.ycombinator.com", "hackernews"),
            ("ycombinator.com", ""),
            ("com.google.android.gm", "gmail"),
            ("notfacebook.com", ""),
            ("", ""),
            ("...", ""),
        ] {
            check(host, want);
        }
    }

    #[test]
    fn words() {
        for (word, want) in [
            ("fb", "facebook"),
            ("Facebook", "facebook"),
            ("FACEBOOK.COM", "facebook"),
            ("m.facebook.com", "facebook"),
            ("www.facebook.com", "facebook"),
            ("Google Ads", "google"),
            ("google-ads", "google"),
            ("ig", "instagram"),
            ("chatgpt.com", "chatgpt"),
            ("x", "twitter"),
            ("newsletter", ""),
            ("", ""),
        ] {
            assert_eq!(by_word(word).map_or("", |p| p.name), want, "{word}");
        }
    }

    #[test]
    fn payment_and_login_pages_are_never_referrers() {
        for host in ["www.paypal.com", "checkout.stripe.com", "pay.google.com", "accounts.google.com", "hooks.stripe.com"] {
            assert!(is_never_referrer(host), "{host}");
        }
        for host in ["google.com", "notpaypal.com", "example.org", ""] {
            assert!(!is_never_referrer(host), "{host}");
        }
    }

    #[test]
    fn no_host_or_word_stands_twice() {
        let mut seen = HashMap::new();
        for place in PLACES {
            for key in place.hosts.split_whitespace().chain(place.words.split_whitespace()) {
                if let Some(other) = seen.insert(key, place.name) {
                    assert_eq!(other, place.name, "{key}");
                }
                assert_eq!(key, key.to_lowercase());
            }
            assert_eq!(place.name, place.name.to_lowercase());
        }
    }
}
