//! Reads an `Outgoing` from a case's `outgoing.json`. The domain type itself is never read from anywhere.

use halotrack::domain::campaign::ClickKind;
use halotrack::domain::conversion::ConversionKind;
use halotrack::domain::money::{Currency, Money};
use halotrack::domain::outgoing::{ConsentSent, Credited, Item, Mode, Outgoing, Visit};
use halotrack::domain::person::{Email, Phone};
use halotrack::domain::pipeline::Stage;
use halotrack::domain::time::Time;
use serde::Deserialize;
use serde_json::Value;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    conversion: String,
    kind: ConversionKind,
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    stage: Option<String>,
    #[serde(default, rename = "refund")]
    is_refund: bool,
    #[serde(default, rename = "again")]
    is_again: bool,
    event_id: String,
    /// The same as `event_id` where it is left out.
    #[serde(default)]
    subject: Option<String>,
    mode: Mode,
    happened_at: String,
    #[serde(default)]
    amount: Option<Amount>,
    #[serde(default)]
    left: Option<Amount>,
    external_id: String,
    #[serde(default)]
    form_type: Option<String>,
    #[serde(default)]
    items: Vec<Line>,
    #[serde(default)]
    coupons: Vec<String>,
    #[serde(default)]
    email: Option<String>,
    #[serde(default)]
    phone: Option<String>,
    #[serde(default)]
    first_name: Option<String>,
    #[serde(default)]
    last_name: Option<String>,
    #[serde(default)]
    city: Option<String>,
    #[serde(default)]
    region: Option<String>,
    #[serde(default)]
    postcode: Option<String>,
    #[serde(default)]
    country: Option<String>,
    #[serde(default)]
    customer_id: Option<String>,
    #[serde(default)]
    visit: Option<Seen>,
    site_domain: String,
    explicit_consent: bool,
    #[serde(default)]
    credited: Option<(String, String, Option<String>)>,
    match_type: String,
}

/// `["12.50", "EUR"]`
type Amount = (String, String);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    id: String,
    #[serde(default)]
    name: Option<String>,
    quantity: i64,
    #[serde(default)]
    price: Option<Amount>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct Seen {
    visitor: String,
    started_at: Option<String>,
    page_url: Option<String>,
    referrer: Option<String>,
    user_agent: Option<String>,
    address: Option<String>,
    ga_client_id: Option<String>,
    ga_session_id: Option<String>,
    fbc: Option<String>,
    fbp: Option<String>,
    clicks: Vec<(String, String, String)>,
}

pub fn read(given: &Value) -> Outgoing {
    let w: Written = serde_json::from_value(given.clone()).expect("outgoing.json in its shape");
    Outgoing {
        conversion: w.conversion,
        kind: w.kind,
        name: w.name,
        stage: w.stage.map(|s| Stage::parse(&s).expect("a stage")),
        is_refund: w.is_refund,
        is_again: w.is_again,
        subject: w.subject.unwrap_or_else(|| w.event_id.clone()),
        event_id: w.event_id,
        mode: w.mode,
        happened_at: time(&w.happened_at),
        amount: w.amount.as_ref().map(money),
        left: w.left.as_ref().map(money),
        external_id: w.external_id,
        form_type: w.form_type,
        items: w.items.into_iter().map(item).collect(),
        coupons: w.coupons,
        email: w.email.map(|e| Email::parse(&e).expect("an e-mail address")),
        phone: w.phone.map(|p| Phone::parse(&p, None).expect("a phone number")),
        first_name: w.first_name,
        last_name: w.last_name,
        city: w.city,
        region: w.region,
        postcode: w.postcode,
        country: w.country,
        customer_id: w.customer_id,
        visit: w.visit.map(visit),
        site_domain: w.site_domain,
        consent: ConsentSent { is_explicit: w.explicit_consent },
        credited: w.credited.map(|(source, medium, campaign)| Credited { source, medium, campaign }),
        match_type: w.match_type,
    }
}

fn item(line: Line) -> Item {
    Item { id: line.id, name: line.name, quantity: line.quantity, price: line.price.as_ref().map(money) }
}

fn visit(seen: Seen) -> Visit {
    let click = |(kind, value, at): (String, String, String)| (ClickKind::from_name(&kind).expect("a kind of click"), value, time(&at));
    Visit {
        visitor: seen.visitor,
        started_at: seen.started_at.as_deref().map(time),
        page_url: seen.page_url,
        referrer: seen.referrer,
        user_agent: seen.user_agent,
        address: seen.address,
        ga_client_id: seen.ga_client_id,
        ga_session_id: seen.ga_session_id,
        fbc: seen.fbc,
        fbp: seen.fbp,
        clicks: seen.clicks.into_iter().map(click).collect(),
    }
}

fn time(text: &str) -> Time {
    Time::parse(text).unwrap_or_else(|| panic!("{text} is no time"))
}

pub fn money((decimal, currency): &Amount) -> Money {
    let currency = Currency::parse(currency).unwrap_or_else(|| panic!("{currency} is no currency"));
    Money::parse(decimal, currency).unwrap_or_else(|e| panic!("{decimal}: {e:?}"))
}
