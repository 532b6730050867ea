//! Visits that a shop itself has noted on an order: imported evidence, the lowest tier.

use super::super::campaign::{Utm, classify, host_of, landing};
use super::super::fact::{ShopTouch, Stated};
use super::super::time::Time;
use super::super::touch::{TouchKind, Touchpoint};

/// More than these no shop keeps.
const MOST: usize = 50;

/// What may be kept of such notes: allow-listed parameters of the landing page, the host of the referrer.
pub fn cleaned(journey: &[ShopTouch]) -> Vec<ShopTouch> {
    let clean = |t: &ShopTouch| ShopTouch {
        landing: t.landing.as_deref().map(|page| landing(page, &[]).path_and_query()),
        referrer: t.referrer.as_deref().and_then(host_of).map(|host| format!("https://{host}/")),
        ..t.clone()
    };
    journey.iter().take(MOST).map(clean).collect()
}

/// What the owner's own file says of a lead or conversion is such a note: it was written down where we have seen nothing.
pub fn of_history(stated: Option<&Stated>, is_imported: bool) -> Vec<ShopTouch> {
    let note = |s: &Stated| ShopTouch {
        source: Some(s.source.clone()),
        medium: s.medium.clone(),
        campaign: s.campaign.clone(),
        ..ShopTouch::default()
    };
    stated.filter(|_| is_imported).map(note).into_iter().collect()
}

/// The notes as touches of a path. Where the shop names no source, its landing page and its referrer do. A visit without
/// a time was just before the order.
pub fn touchpoints(journey: &[ShopTouch], happened_at: Time, site_domains: &[&str]) -> Vec<Touchpoint> {
    let touch = |(n, t): (usize, &ShopTouch)| {
        let page = landing(t.landing.as_deref().unwrap_or_default(), &[]);
        let told = Utm { source: t.source.clone(), medium: t.medium.clone(), campaign: t.campaign.clone(), ..Utm::default() };
        let origin = classify(&told.or(page.utm), &page.clicks, t.referrer.as_deref(), site_domains, &[]);
        Touchpoint {
            session: 0,
            seq: n as i64,
            at: t.at.unwrap_or(happened_at),
            kind: TouchKind::View,
            source: origin.source,
            medium: origin.medium,
            campaign: origin.campaign,
            term: origin.term,
            content: origin.content,
            campaign_id: None,
            landing: t.landing.clone(),
            referrer: origin.referrer_host,
            click: origin.click.map(|kind| kind.name().to_owned()),
            short_link: None,
            device: None,
            is_direct: origin.is_direct,
            is_imported: true,
        }
    };
    journey.iter().enumerate().map(touch).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn visit(source: Option<&str>, page: Option<&str>, referrer: Option<&str>) -> ShopTouch {
        ShopTouch {
            source: source.map(str::to_owned),
            landing: page.map(str::to_owned),
            referrer: referrer.map(str::to_owned),
            ..ShopTouch::default()
        }
    }

    #[test]
    fn a_source_is_the_shops_word_or_what_its_page_says() {
        let rows: &[(ShopTouch, &str)] = &[
            (visit(Some("newsletter"), Some("/?utm_source=other"), None), "newsletter"),
            (visit(None, Some("/a?utm_source=spring_mail&utm_medium=email"), None), "spring_mail"),
            (visit(None, Some("/a?gclid=abc"), None), "google"),
            (visit(None, None, Some("https://www.google.com/search?q=x")), "google"),
            (visit(None, None, Some("https://shop.example/cart")), "direct"),
            (visit(None, None, None), "direct"),
        ];
        for (told, want) in rows {
            let touches = touchpoints(std::slice::from_ref(told), Time::from_s(1_000), &["shop.example"]);
            assert_eq!(touches[0].source, *want, "{told:?}");
            assert!(touches[0].is_imported && touches[0].at == Time::from_s(1_000));
        }
    }

    #[test]
    fn nothing_of_a_person_is_kept() {
        let told = visit(
            None,
            Some("https://shop.example/reset/a%40b.example?token=1&utm_source=x"),
            Some("https://mail.example/u?to=a@b.example"),
        );
        let kept = &cleaned(&[told])[0];
        assert!(!format!("{kept:?}").contains("b.example") && !format!("{kept:?}").contains("token"), "{kept:?}");
        assert!(kept.landing.as_deref().is_some_and(|page| page.ends_with("?utm_source=x")), "{kept:?}");
        assert_eq!(kept.referrer.as_deref(), Some("https://mail.example/"));
    }
}
