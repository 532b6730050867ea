//! The person as a contact: HubSpot's own fields, readable, since the owner's people work with them.

use serde_json::{Map, Value};

use crate::destinations::kit::{self, Hashed};
use crate::domain::outgoing::Outgoing;

/// None without an e-mail address, by which contacts are known. What is readable here is hidden in what is kept of it.
pub fn contact(out: &Outgoing, hidden: &mut Hashed) -> Option<Value> {
    let email = out.email.as_ref()?;
    hidden.hide("/inputs/0/id", email.masked());
    let mut contact = Map::new();
    let mut put = |key: &str, value: &str, masked: Option<String>| {
        if let Some(masked) = masked {
            hidden.hide(&format!("/inputs/0/properties/{key}"), masked);
        }
        contact.insert(key.to_owned(), Value::String(value.to_owned()));
    };
    put("email", email.as_str(), Some(email.masked()));
    for (key, text) in [("firstname", &out.first_name), ("lastname", &out.last_name)] {
        if let Some(text) = kit::filled(text) {
            put(key, text, Some(kit::masked(text)));
        }
    }
    if let Some(phone) = &out.phone {
        put("phone", phone.as_str(), Some(phone.masked()));
    }
    if let Some(postcode) = kit::filled(&out.postcode) {
        put("zip", postcode, Some(kit::masked(postcode)));
    }
    // Where a town came from an address of the network it may be wrong, and would stand in the owner's letters: only that
    // of an order or a form, which has a postcode beside it, is passed on.
    for (key, text) in [("city", &out.city), ("country", &out.country)] {
        if let Some(text) = kit::filled(text).filter(|_| kit::filled(&out.postcode).is_some()) {
            put(key, text, None);
        }
    }
    Some(Value::Object(contact))
}
