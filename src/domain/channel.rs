//! The channel a source and medium belong to, by the rules of GA4's default channel group, and readable source names.
//!
//! Rules and their order: https://support.google.com/analytics/answer/9756891. Google's lists of sites are ours in
//! `campaign/referrers.rs`. One channel is added, "AI Assistants", ahead of the organic ones.

use std::borrow::Cow;

use super::campaign::referrers::{self, Class};
use super::campaign::{DIRECT, NO_MEDIUM, NOT_SET};

/// Every name that `channel` can give, in the order in which the rules are asked.
pub const CHANNELS: [&str; 20] = [
    "Direct",
    "Cross-network",
    "Paid Shopping",
    "Paid Search",
    "Paid Social",
    "Paid Video",
    "Display",
    "Paid Other",
    "AI Assistants",
    "Organic Shopping",
    "Organic Social",
    "Organic Video",
    "Organic Search",
    "Referral",
    "Email",
    "Affiliates",
    "Audio",
    "SMS",
    "Mobile Push Notifications",
    "Unassigned",
];

/// The channel of a normalised source and medium.
pub fn channel(source: &str, medium: &str, campaign: Option<&str>) -> &'static str {
    let source = source.trim().to_lowercase();
    let medium = medium.trim().to_lowercase();
    let campaign = campaign.unwrap_or_default().to_lowercase();
    let class = referrers::by_word(&source).map(|place| place.class);
    let is_paid = medium.contains("cp") || medium.starts_with("paid") || matches!(&*medium, "ppc" | "retargeting");
    let is_shopping = class == Some(Class::Shopping) || names_a_shop(&campaign);
    let is_email = |word: &str| matches!(word, "email" | "e-mail" | "e_mail" | "e mail");

    if matches!(&*source, DIRECT | "(direct)") && matches!(&*medium, NO_MEDIUM | NOT_SET | "") {
        return "Direct";
    }
    if campaign.contains("cross-network") {
        return "Cross-network";
    }
    if is_paid {
        match class {
            _ if is_shopping => return "Paid Shopping",
            Some(Class::Search) => return "Paid Search",
            Some(Class::Social) => return "Paid Social",
            Some(Class::Video) => return "Paid Video",
            _ => {}
        }
    }
    if matches!(&*medium, "display" | "banner" | "expandable" | "interstitial" | "cpm") {
        return "Display";
    }
    if is_paid {
        // GA4 knows no source "paid_social"; a medium that says so is believed where the source is unknown.
        return if medium == "paid_social" { "Paid Social" } else { "Paid Other" };
    }
    if class == Some(Class::Ai) || medium == "ai" {
        return "AI Assistants";
    }
    if is_shopping {
        return "Organic Shopping";
    }
    if class == Some(Class::Social) || is_social(&medium) {
        return "Organic Social";
    }
    if class == Some(Class::Video) || medium.contains("video") {
        return "Organic Video";
    }
    if class == Some(Class::Search) || medium == "organic" {
        return "Organic Search";
    }
    if matches!(&*medium, "referral" | "app" | "link") {
        return "Referral";
    }
    if class == Some(Class::Email) || is_email(&source) || is_email(&medium) {
        return "Email";
    }
    if matches!(&*medium, "affiliate" | "affiliates") {
        return "Affiliates";
    }
    if medium == "audio" {
        return "Audio";
    }
    if source == "sms" || medium == "sms" {
        return "SMS";
    }
    if medium.ends_with("push") || medium.contains("mobile") || medium.contains("notification") || source == "firebase" {
        return "Mobile Push Notifications";
    }
    "Unassigned"
}

/// A source as people call it: `google` is Google, a host or a name of the owner's own stays as it is.
pub fn display_source(source: &str) -> Cow<'_, str> {
    match source {
        DIRECT | "(direct)" => return Cow::Borrowed("Direct"),
        NOT_SET | "" => return Cow::Borrowed("Not set"),
        "anytrack" => return Cow::Borrowed("AnyTrack"),
        "impact" => return Cow::Borrowed("Impact"),
        "link" => return Cow::Borrowed("Short link"),
        _ => {}
    }
    if let Some(place) = referrers::by_word(source) {
        return Cow::Borrowed(place.title);
    }
    let mut letters = source.chars();
    match letters.next() {
        // A plain word is capitalised; `partner.org` and `nl-2026` are names that someone chose.
        Some(first) if first.is_lowercase() && letters.as_str().chars().all(char::is_lowercase) => {
            Cow::Owned(first.to_uppercase().chain(letters).collect())
        }
        _ => Cow::Borrowed(source),
    }
}

fn is_social(medium: &str) -> bool {
    matches!(medium, "social" | "social-network" | "social-media" | "sm" | "social network" | "social media")
}

/// GA4's `^(.*(([^a-df-z]|^)shop|shopping).*)$`: a word that begins with "shop" or "eshop", but no "workshop".
fn names_a_shop(campaign: &str) -> bool {
    campaign.contains("shopping")
        || campaign
            .match_indices("shop")
            .any(|(at, _)| campaign[..at].chars().next_back().is_none_or(|before| !matches!(before, 'a'..='d' | 'f'..='z')))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[track_caller]
    fn check(source: &str, medium: &str, campaign: &str, want: &str) {
        let campaign = (!campaign.is_empty()).then_some(campaign);
        assert_eq!(channel(source, medium, campaign), want, "{source} / {medium} / {campaign:?}");
        assert!(CHANNELS.contains(&want));
    }

    #[test]
    fn channels() {
        for (source, medium, campaign, want) in [
            ("direct", "(none)", "", "Direct"),
            ("(direct)", "(not set)", "", "Direct"),
            ("google", "cpc", "Cross-Network", "Cross-network"),
            ("amazon", "cpc", "", "Paid Shopping"),
            ("google", "cpc", "eshop-brand", "Paid Shopping"),
            ("google", "cpc", "Spring shopping", "Paid Shopping"),
            ("google", "cpc", "workshop", "Paid Search"),
            ("google", "cpc", "", "Paid Search"),
            ("bing", "ppc", "", "Paid Search"),
            ("facebook", "paid_social", "", "Paid Social"),
            ("facebook", "cpc", "", "Paid Social"),
            ("fb", "cpc", "", "Paid Social"),
            ("unknown", "paid_social", "", "Paid Social"),
            ("tiktok", "cpc", "", "Paid Social"),
            ("youtube", "cpv", "", "Paid Video"),
            ("youtube", "cpc", "", "Paid Video"),
            ("google", "display", "", "Display"),
            ("network", "cpm", "", "Display"),
            ("network", "banner", "", "Display"),
            ("network", "cpc", "", "Paid Other"),
            ("network", "retargeting", "", "Paid Other"),
            ("chatgpt", "ai", "", "AI Assistants"),
            ("perplexity.ai", "(not set)", "", "AI Assistants"),
            ("amazon", "referral", "", "Organic Shopping"),
            ("nl", "email", "shop news", "Organic Shopping"),
            ("instagram", "social", "", "Organic Social"),
            ("agency", "sm", "", "Organic Social"),
            ("youtube", "video", "", "Organic Video"),
            ("partner", "video-post", "", "Organic Video"),
            ("google", "organic", "", "Organic Search"),
            ("unknown", "organic", "", "Organic Search"),
            ("example.org", "referral", "", "Referral"),
            ("link", "referral", "", "Referral"),
            ("newsletter", "email", "", "Email"),
            ("email", "(not set)", "", "Email"),
            ("gmail", "email", "", "Email"),
            ("impact", "affiliate", "", "Affiliates"),
            ("podcast", "audio", "", "Audio"),
            ("sms", "(not set)", "", "SMS"),
            ("app", "web-push", "", "Mobile Push Notifications"),
            ("firebase", "(not set)", "", "Mobile Push Notifications"),
            ("newsletter", "(not set)", "", "Unassigned"),
            ("(not set)", "(not set)", "", "Unassigned"),
            ("direct", "email", "", "Email"),
        ] {
            check(source, medium, campaign, want);
        }
    }

    #[test]
    fn names() {
        for (source, want) in [
            ("google", "Google"),
            ("facebook", "Facebook"),
            ("twitter", "X (Twitter)"),
            ("chatgpt", "ChatGPT"),
            ("direct", "Direct"),
            ("(not set)", "Not set"),
            ("newsletter", "Newsletter"),
            ("partner.org", "partner.org"),
            ("nl-2026", "nl-2026"),
            ("écho", "Écho"),
            ("", "Not set"),
        ] {
            assert_eq!(display_source(source), want);
        }
    }

    proptest! {
        #[test]
        fn never_panics(source in ".{0,30}", medium in ".{0,30}", campaign in ".{0,30}") {
            prop_assert!(CHANNELS.contains(&channel(&source, &medium, Some(&campaign))));
            display_source(&source);
        }
    }
}
