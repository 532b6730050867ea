//! A fact without people in the names of its campaigns: the person of a fact stands in its own fields, where an erasure finds
//! them. An address in a UTM may be anybody's, and would end as a campaign in reports.

use std::borrow::Cow;

use serde_json::{Map, Value};
use url::form_urlencoded;

use super::campaign::{looks_like_email, names_somebody};
use super::fact::{Fact, Order, ShopTouch, Stated, Statement, Traces};
use super::tracker::{Ad, Campaign, TrackerEvent};

/// Names under which senders tell of campaigns inside their own objects, beside all that begin with `utm`.
const CAMPAIGN_WORDS: &[&str] = &[
    "source",
    "source_attribution",
    "medium",
    "campaign",
    "campaign_id",
    "campaign_name",
    "ad_id",
    "ad_name",
    "adset_id",
    "adset_name",
    "term",
    "content",
];

/// The fact as it may be stored. Most name nobody there, and are not copied.
pub fn unnamed(fact: &Fact) -> Cow<'_, Fact> {
    if !names_anybody(fact) {
        return Cow::Borrowed(fact);
    }
    let mut fact = fact.clone();
    match &mut fact {
        Fact::Lead(lead) => {
            clear_traces(&mut lead.traces);
            clear_words(&mut lead.custom_fields);
            lead.url = lead.url.take().map(|url| without_people(&url));
        }
        Fact::Order(order) => {
            clear_traces(&mut order.traces);
            order.journey.iter_mut().for_each(clear_touch);
        }
        Fact::Statement(statement) => clear_statement(statement),
        Fact::Message(message) => clear_traces(&mut message.traces),
        Fact::Milestone(milestone) => {
            clear_traces(&mut milestone.traces);
            milestone.utm = std::mem::take(&mut milestone.utm).without_people();
            milestone.referrer = milestone.referrer.take().map(|url| without_people(&url));
            clear_words(&mut milestone.data);
            clear_words(&mut milestone.metadata);
        }
        Fact::Enrolment(enrolment) => clear_traces(&mut enrolment.traces),
        Fact::Event(event) => clear_event(event),
        Fact::Refund(_) | Fact::Deletion(_) | Fact::Progress(_) => {}
    }
    Cow::Owned(fact)
}

fn names_anybody(fact: &Fact) -> bool {
    match fact {
        Fact::Lead(lead) => in_traces(&lead.traces) || in_words(&lead.custom_fields) || lead.url.as_deref().is_some_and(in_address),
        Fact::Order(Order { traces, journey, .. }) => in_traces(traces) || journey.iter().any(in_touch),
        Fact::Statement(statement) => in_statement(statement),
        Fact::Message(message) => in_traces(&message.traces),
        Fact::Milestone(milestone) => {
            let utm = &milestone.utm;
            in_traces(&milestone.traces)
                || [&utm.source, &utm.medium, &utm.campaign, &utm.term, &utm.content].into_iter().any(in_text)
                || milestone.referrer.as_deref().is_some_and(in_address)
                || in_words(&milestone.data)
                || in_words(&milestone.metadata)
        }
        Fact::Enrolment(enrolment) => in_traces(&enrolment.traces),
        Fact::Event(event) => in_event(event),
        Fact::Refund(_) | Fact::Deletion(_) | Fact::Progress(_) => false,
    }
}

fn in_text(text: &Option<String>) -> bool {
    text.as_deref().is_some_and(names_somebody)
}

fn in_traces(traces: &Traces) -> bool {
    traces.stated.as_ref().is_some_and(|s| names_somebody(&s.source) || in_text(&s.medium) || in_text(&s.campaign))
}

/// A source that names somebody is none: what stands beside it says nothing alone.
fn clear_traces(traces: &mut Traces) {
    traces.stated = traces.stated.take().filter(|s| !names_somebody(&s.source)).map(|s| Stated {
        medium: s.medium.filter(|text| !names_somebody(text)),
        campaign: s.campaign.filter(|text| !names_somebody(text)),
        ..s
    });
}

fn in_touch(touch: &ShopTouch) -> bool {
    [&touch.source, &touch.medium, &touch.campaign].into_iter().any(in_text)
        || [&touch.landing, &touch.referrer].into_iter().any(|url| url.as_deref().is_some_and(in_address))
}

fn clear_touch(touch: &mut ShopTouch) {
    for text in [&mut touch.source, &mut touch.medium, &mut touch.campaign] {
        clear(text);
    }
    for url in [&mut touch.landing, &mut touch.referrer] {
        *url = url.take().map(|url| without_people(&url));
    }
}

fn in_statement(statement: &Statement) -> bool {
    in_traces(&statement.traces) || in_words(&statement.detail)
}

fn clear_statement(statement: &mut Statement) {
    clear_traces(&mut statement.traces);
    clear_words(&mut statement.detail);
}

fn in_event(event: &TrackerEvent) -> bool {
    let Campaign { source, medium, campaign, term, content, referrer, landing } = &event.campaign;
    let Ad { ad, adset, campaign: number, ad_name, adset_name } = &event.ad;
    [source, medium, campaign, term, content, ad, adset, number, ad_name, adset_name].into_iter().any(in_text)
        || [referrer, landing].into_iter().any(|url| url.as_deref().is_some_and(in_address))
        || in_words(&event.custom)
        || in_words(&event.meta)
        || event.fact.as_ref().is_some_and(in_statement)
}

fn clear_event(event: &mut TrackerEvent) {
    let Campaign { source, medium, campaign, term, content, referrer, landing } = &mut event.campaign;
    let Ad { ad, adset, campaign: number, ad_name, adset_name } = &mut event.ad;
    for text in [source, medium, campaign, term, content, ad, adset, number, ad_name, adset_name] {
        clear(text);
    }
    for url in [referrer, landing] {
        *url = url.take().map(|url| without_people(&url));
    }
    clear_words(&mut event.custom);
    clear_words(&mut event.meta);
    if let Some(fact) = &mut event.fact {
        clear_statement(fact);
    }
}

fn clear(text: &mut Option<String>) {
    *text = text.take().filter(|text| !names_somebody(text));
}

fn is_campaign_word(name: &str) -> bool {
    let name = name.trim().to_ascii_lowercase();
    name.trim_start_matches('_').starts_with("utm") || CAMPAIGN_WORDS.contains(&name.as_str())
}

/// Whether something in an object of a sender's own says a campaign that names somebody.
fn in_words(value: &Value) -> bool {
    match value {
        Value::Object(map) => map.iter().any(|(name, value)| match value {
            Value::String(text) => (is_campaign_word(name) && names_somebody(text)) || in_address(text),
            other => in_words(other),
        }),
        Value::Array(list) => list.iter().any(in_words),
        _ => false,
    }
}

fn clear_words(value: &mut Value) {
    match value {
        Value::Object(map) => {
            let kept = std::mem::take(map).into_iter().filter_map(|(name, mut value)| {
                if let Value::String(text) = &mut value {
                    if is_campaign_word(&name) && names_somebody(text) {
                        return None;
                    }
                    if in_address(text) {
                        *text = without_people(text);
                    }
                } else {
                    clear_words(&mut value);
                }
                Some((name, value))
            });
            *map = kept.collect::<Map<_, _>>();
        }
        Value::Array(list) => list.iter_mut().for_each(clear_words),
        _ => {}
    }
}

/// Whether a parameter of a page's address, which says a campaign, names somebody.
fn in_address(text: &str) -> bool {
    let Some((_, query)) = text.split_once('?').filter(|_| text.contains("utm_")) else { return false };
    let query = query.split_once('#').map_or(query, |(query, _)| query);
    form_urlencoded::parse(query.as_bytes()).any(|(name, value)| is_campaign_word(&name) && names_somebody(&value))
}

/// An address without those parameters.
fn without_people(address: &str) -> String {
    let Some((page, query)) = address.split_once('?').filter(|_| in_address(address)) else { return address.to_owned() };
    let (query, place) = query.split_once('#').map_or((query, ""), |(query, place)| (query, place));
    let is_kept =
        |pair: &&str| !form_urlencoded::parse(pair.as_bytes()).any(|(name, value)| is_campaign_word(&name) && names_somebody(&value));
    let kept: Vec<&str> = query.split('&').filter(is_kept).collect();
    let query = if kept.is_empty() { String::new() } else { format!("?{}", kept.join("&")) };
    let place = if place.is_empty() || looks_like_email(place) { String::new() } else { format!("#{place}") };
    format!("{page}{query}{place}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::conversion::Rank;
    use crate::domain::money::{Currency, Money};
    use crate::domain::time::Time;
    use proptest::prelude::*;
    use serde_json::json;

    const ANN: &str = "ann@mail.example";

    fn order(stated: (&str, Option<&str>, Option<&str>)) -> Order {
        let eur = Currency::parse("EUR").expect("EUR");
        let mut order = Order::paid("shop", Rank::Shop, "7".into(), Time::from_ms(0), Money { minor: 100, currency: eur });
        let (source, medium, campaign) = stated;
        order.traces.stated = Some(Stated { source: source.into(), medium: medium.map(Into::into), campaign: campaign.map(Into::into) });
        order
    }

    #[test]
    fn what_an_order_states() {
        for (given, want) in [
            (("news", Some("email"), Some("Spring")), Some(("news", Some("email"), Some("Spring")))),
            (("news", Some(ANN), Some("Spring")), Some(("news", None, Some("Spring")))),
            (("news", None, Some("ann%40mail.example")), Some(("news", None, None))),
            ((ANN, Some("email"), Some("Spring")), None),
        ] {
            let fact = Fact::Order(order(given));
            let (got, is_same) = (unnamed(&fact), want == Some(given));
            assert_eq!(matches!(got, Cow::Borrowed(_)), is_same, "{given:?}");
            let Fact::Order(got) = got.as_ref() else { panic!("an order") };
            let got = got.traces.stated.as_ref().map(|s| (s.source.as_str(), s.medium.as_deref(), s.campaign.as_deref()));
            assert_eq!(got, want, "{given:?}");
        }
    }

    #[test]
    fn a_shops_own_journey() {
        let mut told = order(("news", None, None));
        let landing = format!("https://shop.example/a?utm_term={ANN}&utm_source=news#top");
        told.journey =
            vec![ShopTouch { source: Some(ANN.into()), medium: Some("email".into()), landing: Some(landing), ..ShopTouch::default() }];
        let Fact::Order(got) = unnamed(&Fact::Order(told)).into_owned() else { panic!("an order") };
        let got = &got.journey[0];
        assert_eq!((got.source.as_deref(), got.medium.as_deref()), (None, Some("email")));
        assert_eq!(got.landing.as_deref(), Some("https://shop.example/a?utm_source=news#top"));
    }

    #[test]
    fn words_inside_objects() {
        let mut value = json!({"utm_source": ANN, "UTM_Content": "YW5uQG1haWwuZXhhbXBsZQ==", "email": ANN, "note": format!("write to {ANN}"),
            "deep": [{"campaign_id": "+971501234567", "phone": "+971501234567", "medium": "email"}],
            "page": format!("/thanks?x=1&utm_campaign={ANN}"), "number": 7});
        assert!(in_words(&value));
        clear_words(&mut value);
        // Who it was stands where it belongs, and what somebody wrote is theirs.
        let want = json!({"email": ANN, "note": format!("write to {ANN}"), "deep": [{"phone": "+971501234567", "medium": "email"}],
            "page": "/thanks?x=1", "number": 7});
        assert_eq!(value, want);
        assert!(!in_words(&value));
    }

    proptest! {
        #[test]
        fn nothing_is_left(name in "[a-z_]{0,12}", text in "[ -~]{0,40}", tail in "[?&=#a-z@.%]{0,30}") {
            let mut value = json!({ name.clone(): text.clone(), format!("utm_{name}"): text.clone(), "page": format!("/a?utm_term={text}{tail}") });
            clear_words(&mut value);
            prop_assert!(!in_words(&value), "{value}");
        }
    }
}
