//! The row of a conversion in the file that Meta imports by its address: offline events of a dataset.
//! <https://www.facebook.com/business/help/155437961572700>

use super::person;
use crate::destinations::Destination;
use crate::destinations::kit::Hashed;
use crate::domain::conversion::ConversionKind;
use crate::domain::outgoing::Outgoing;

pub const COLUMNS: [&str; 11] =
    ["event_name", "event_time", "event_id", "email", "phone", "fbc", "fbp", "value", "currency", "order_id", "lead_id"];

/// None where nothing in it lets Meta recognise the person by itself: an address, a number or a click.
pub fn row(out: &Outgoing) -> Option<[String; 11]> {
    let name = super::Meta.kind_of(out.kind, out.name.as_deref())?;
    let person = person::user_data(out, &mut Hashed::default()).fields;
    let hashed = |key: &str| person.get(key).and_then(|v| v[0].as_str()).unwrap_or_default().to_owned();
    let plain = |key: &str| person.get(key).and_then(|v| v.as_str()).unwrap_or_default().to_owned();
    let (email, phone, click) = (hashed("em"), hashed("ph"), plain("fbc"));
    if email.is_empty() && phone.is_empty() && click.is_empty() {
        return None;
    }
    let id_of = |kind: ConversionKind| if out.kind == kind { out.external_id.clone() } else { String::new() };
    Some([
        name,
        out.happened_at.utc(),
        out.event_id.clone(),
        email,
        phone,
        click,
        plain("fbp"),
        out.amount.map(|m| m.decimal()).unwrap_or_default(),
        out.amount.map(|m| m.currency.code().to_owned()).unwrap_or_default(),
        id_of(ConversionKind::Sale),
        id_of(ConversionKind::Lead),
    ])
}
