//! Who bought: the billing address of an order, and the country to which it goes.

use serde_json::Value;

use super::text::{readable, short};
use crate::domain::fact::Person;
use crate::domain::person::{Email, Name, Phone, country_code};
use crate::sources::Home;
use crate::sources::kit;

/// The buyer. Numbers without a country in front are dialled in the country of the bill.
pub fn read(order: &Value, home: &Home) -> Person {
    let bill = order.get("billing").unwrap_or(&Value::Null);
    let country = short(bill, "country").as_deref().and_then(country_code).map(|code| code.to_uppercase());
    let dialled_in = country.as_deref().or(home.country.as_deref());
    let name = Name::from_parts(readable(bill, "first_name").as_deref(), readable(bill, "last_name").as_deref());
    Person {
        email: kit::text(bill, "email").as_deref().and_then(Email::parse),
        phone: kit::text(bill, "phone").as_deref().and_then(|phone| Phone::parse(phone, dialled_in)),
        first_name: name.first,
        last_name: name.last,
        company: readable(bill, "company"),
        // 0 is a guest.
        customer_id: short(order, "customer_id").filter(|id| id != "0"),
        city: readable(bill, "city"),
        postcode: short(bill, "postcode"),
        country,
        address: readable(bill, "address_1"),
        sent_to: order
            .get("shipping")
            .and_then(|to| short(to, "country"))
            .as_deref()
            .and_then(country_code)
            .map(|code| code.to_uppercase()),
    }
}
