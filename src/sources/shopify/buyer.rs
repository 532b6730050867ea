//! Who bought: the order's own e-mail and number come before the customer's, those before the address.

use serde_json::Value;

use super::told::tidy;
use crate::domain::fact::Person;
use crate::domain::person::{Email, Name, Phone, country_code};
use crate::sources::Home;
use crate::sources::kit::first_text;

/// `parts` in the order in which they are believed, in the shape of REST or of GraphQL; the bill's address, and that of the goods.
pub fn person(parts: &[&Value], customer_id: Option<String>, (address, goods): (&Value, &Value), home: &Home) -> Person {
    let country_of = |address: &Value| {
        let country = first_text(address, &["country_code", "countryCodeV2", "country"])?;
        country_code(&country).map(|code| code.to_uppercase())
    };
    let country = country_of(address);
    let dialled_in = country.as_deref().or(home.country.as_deref());
    let first = |keys: &[&str]| parts.iter().find_map(|part| first_text(part, keys));
    let name = Name::from_parts(first(&["first_name", "firstName"]).as_deref(), first(&["last_name", "lastName"]).as_deref());
    let line = |keys: &[&str]| first_text(address, keys).and_then(|text| tidy(&text));
    Person {
        email: parts.iter().flat_map(|part| emails(part)).find_map(|text| Email::parse(&text)),
        phone: parts.iter().flat_map(|part| phones(part)).find_map(|text| Phone::parse(&text, dialled_in)),
        first_name: name.first,
        last_name: name.last,
        company: line(&["company"]),
        customer_id: customer_id.and_then(|id| tidy(&id)),
        city: line(&["city"]),
        postcode: line(&["zip"]),
        country,
        address: line(&["address1"]),
        sent_to: country_of(goods),
    }
}

/// The number of an object out of its global id: `gid://shopify/Customer/706405506` is 706405506, as webhooks call it.
pub fn number_of(gid: &str) -> String {
    gid.rsplit('/').next().unwrap_or(gid).split('?').next().unwrap_or_default().to_owned()
}

fn emails(part: &Value) -> Vec<String> {
    let inner = part.get("defaultEmailAddress").and_then(|e| first_text(e, &["emailAddress"]));
    ["email", "contact_email"].iter().filter_map(|key| first_text(part, &[key])).chain(inner).collect()
}

fn phones(part: &Value) -> Vec<String> {
    let inner = part.get("defaultPhoneNumber").and_then(|p| first_text(p, &["phoneNumber"]));
    first_text(part, &["phone"]).into_iter().chain(inner).collect()
}
