//! Who it was, as Meta wants it: normalised and hashed, with the browser's own cookies and the click.
//! <https://developers.facebook.com/docs/marketing-api/conversions-api/parameters/customer-information-parameters>

use serde_json::{Map, Value, json};

use crate::destinations::kit::{self, Hashed};
use crate::domain::campaign::ClickKind;
use crate::domain::outgoing::{Outgoing, Visit};
use crate::domain::person;
use crate::domain::time::Time;

/// `user_data`, and whether Meta could find anybody by it.
pub struct UserData {
    pub fields: Map<String, Value>,
    pub is_matchable: bool,
}

/// Builds `user_data`. Meta refuses events that only generic fields describe (a name, a town, a user agent alone), so
/// at least one of these must be there: e-mail, phone, the shop's customer id, a click or browser id of Meta's own, or
/// address and user agent together. Our digest of the visitor is sent along but proves nothing to Meta by itself.
pub fn user_data(out: &Outgoing, hashed: &mut Hashed) -> UserData {
    let mut fields = Map::new();
    let mut add = |key: &str, digest: Option<String>, masked: String| {
        if let Some(digest) = digest {
            hashed.add(key, masked);
            fields.insert(key.to_owned(), json!([digest]));
        }
    };
    if let Some(email) = &out.email {
        add("em", person::meta_email(email.as_str()), email.masked());
    }
    if let Some(phone) = &out.phone {
        add("ph", person::meta_phone(phone.as_str(), None), phone.masked());
    }
    type Rule = fn(&str) -> Option<String>;
    let texts: [(&str, &Option<String>, Rule); 6] = [
        ("fn", &out.first_name, person::meta_name),
        ("ln", &out.last_name, person::meta_name),
        ("ct", &out.city, person::meta_city),
        ("st", &out.region, person::meta_state),
        ("zp", &out.postcode, person::meta_zip),
        ("country", &out.country, person::meta_country),
    ];
    for (key, text, rule) in texts {
        if let Some(text) = kit::filled(text) {
            add(key, rule(text), kit::masked(text));
        }
    }
    let visitor = out.visit.as_ref().map(|v| v.visitor.as_str()).filter(|v| !v.is_empty());
    if let Some(customer) = kit::filled(&out.customer_id) {
        add("external_id", person::meta_external_id(customer), kit::masked(customer));
    } else if let Some(visitor) = visitor {
        add("external_id", person::meta_external_id(visitor), "the visitor's digest".into());
    }
    if let Some(visit) = &out.visit {
        if let Some(address) = &visit.address {
            // The visitor's address is stored nowhere in the clear, so not in the record of a delivery either.
            hashed.hide("/data/0/user_data/client_ip_address", kit::masked_address(address));
        }
        let fbp = visit.fbp.as_deref().map(str::trim).filter(|t| Cookie::read(t).is_some());
        let plain = [
            ("client_ip_address", visit.address.clone()),
            ("client_user_agent", visit.user_agent.clone()),
            ("fbc", click_cookie(visit)),
            ("fbp", fbp.map(str::to_owned)),
        ];
        for (key, value) in plain {
            if let Some(value) = value.filter(|v| !v.trim().is_empty()) {
                fields.insert(key.into(), json!(value));
            }
        }
    }
    let has = |key: &str| fields.contains_key(key);
    let is_matchable = ["em", "ph", "fbc", "fbp"].iter().any(|k| has(k))
        || (has("external_id") && kit::filled(&out.customer_id).is_some())
        || (has("client_ip_address") && has("client_user_agent"));
    UserData { fields, is_matchable }
}

/// `fbc`: the cookie as it was found, unless the visit has a newer click than the cookie; then, and without a cookie,
/// it is built from the click and the time of its landing.
/// <https://developers.facebook.com/docs/marketing-api/conversions-api/parameters/fbp-and-fbc>
fn click_cookie(visit: &Visit) -> Option<String> {
    let found = visit.fbc.as_deref().map(str::trim);
    let cookie = found.and_then(Cookie::read);
    let click = visit.clicks.iter().filter(|(kind, value, _)| *kind == ClickKind::Fbclid && !value.is_empty()).max_by_key(|c| c.2);
    match (cookie, click) {
        (Some(cookie), Some((_, value, at))) if cookie.payload != value && cookie.made_at < *at => Some(built(value, *at)),
        (Some(_), _) => found.map(str::to_owned),
        (None, Some((_, value, at))) => Some(built(value, *at)),
        (None, None) => None,
    }
}

/// The 1 counts the labels of the cookie's domain less one: cookies are set for the registrable domain.
fn built(click: &str, landed_at: Time) -> String {
    format!("fb.1.{}.{click}", landed_at.ms())
}

/// A `_fbc` or `_fbp` cookie: `fb.<subdomain index>.<ms>.<payload>`, and from newer libraries a fifth part.
struct Cookie<'a> {
    made_at: Time,
    payload: &'a str,
}

impl<'a> Cookie<'a> {
    fn read(text: &'a str) -> Option<Self> {
        let parts: Vec<&str> = text.split('.').collect();
        let (made, payload) = match parts[..] {
            ["fb", index, made, payload] if is_digits(index) => (made, payload),
            ["fb", index, made, payload, appendix] if is_digits(index) && is_appendix(appendix) => (made, payload),
            _ => return None,
        };
        let is_fit = is_digits(made) && !payload.is_empty() && text.len() <= 512 && text.bytes().all(|b| b.is_ascii_graphic());
        is_fit.then(|| Self { made_at: Time::from_ms(made.parse().unwrap_or(0)), payload })
    }
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())
}

/// Two letters of the older libraries or eight of the newer ones.
fn is_appendix(text: &str) -> bool {
    matches!(text, "AQ" | "Ag" | "Aw" | "BA" | "BQ" | "Bg")
        || (text.len() == 8 && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn visit(fbc: Option<&str>, clicks: &[(&str, i64)]) -> Visit {
        Visit {
            fbc: fbc.map(str::to_owned),
            clicks: clicks.iter().map(|(v, s)| (ClickKind::Fbclid, v.to_string(), Time::from_s(*s))).collect(),
            ..Visit::default()
        }
    }

    #[test]
    fn the_cookie_is_kept_unless_a_newer_click_is_known() {
        type Row<'a> = (&'a str, Option<&'a str>, &'a [(&'a str, i64)], Option<&'a str>);
        let rows: &[Row] = &[
            ("nothing", None, &[], None),
            ("cookie", Some("fb.1.1795299000000.AbC"), &[], Some("fb.1.1795299000000.AbC")),
            ("five parts", Some("fb.1.1795299000000.AbC.AQQCAQMC"), &[], Some("fb.1.1795299000000.AbC.AQQCAQMC")),
            ("bad appendix", Some("fb.1.1795299000000.AbC.zz"), &[], None),
            ("click", None, &[("XyZ", 1_795_299_100)], Some("fb.1.1795299100000.XyZ")),
            ("newest click", None, &[("new", 1_795_299_100), ("old", 1_795_299_000)], Some("fb.1.1795299100000.new")),
            ("same click", Some("fb.1.1795299000000.AbC"), &[("AbC", 1_795_299_100)], Some("fb.1.1795299000000.AbC")),
            ("newer click", Some("fb.1.1795299000000.AbC"), &[("XyZ", 1_795_299_100)], Some("fb.1.1795299100000.XyZ")),
            ("older click", Some("fb.1.1795299200000.AbC"), &[("XyZ", 1_795_299_100)], Some("fb.1.1795299200000.AbC")),
            ("broken cookie", Some("fb.x.1.AbC"), &[("XyZ", 1_795_299_100)], Some("fb.1.1795299100000.XyZ")),
            ("no payload", Some("fb.1.1795299000000."), &[], None),
        ];
        for (what, cookie, clicks, want) in rows {
            assert_eq!(click_cookie(&visit(*cookie, clicks)).as_deref(), *want, "{what}");
        }
    }
}
