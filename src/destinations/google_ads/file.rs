//! The row of a conversion in the file that Google Ads imports by its address.
//! <https://support.google.com/google-ads/answer/7014069>
//! One click id a row; who has none, Google could not recognise. It drops a repeat of click, name and time, so that files may
//! overlap: the time is that of the conversion, and never changes.

use super::event;
use crate::domain::campaign::ClickKind;
use crate::domain::conversion::ConversionKind;
use crate::domain::outgoing::Outgoing;

/// As Google's own template has them.
pub const COLUMNS: [&str; 10] = [
    "Google Click ID",
    "GBRAID",
    "WBRAID",
    "Conversion Name",
    "Conversion Time",
    "Conversion Value",
    "Conversion Currency",
    "Order ID",
    "Ad User Data Consent",
    "Ad Personalization Consent",
];

/// `name` is what the conversion action is called in Google Ads; without one each kind has its own. None where there is
/// no click.
pub fn row(out: &Outgoing, name: Option<&str>) -> Option<[String; 10]> {
    let usual = match out.kind {
        ConversionKind::Sale => "HaloTrack Purchase",
        ConversionKind::Lead => "HaloTrack Lead",
        ConversionKind::Signup => "HaloTrack Sign-up",
        ConversionKind::Custom => return None,
    };
    let (kind, click) = event::click(out.visit.as_ref()?, out)?;
    let of = |wanted: ClickKind| if kind == wanted { click.to_owned() } else { String::new() };
    // Where only the site's rule allows it nobody has said a word, and none is claimed.
    let consent = if out.consent.is_explicit { "GRANTED" } else { "UNSPECIFIED" };
    let at = out.happened_at.utc();
    Some([
        of(ClickKind::Gclid),
        of(ClickKind::Gbraid),
        of(ClickKind::Wbraid),
        name.unwrap_or(usual).to_owned(),
        // `2026-06-14 09:40:00+00:00`
        format!("{} {}+00:00", at.get(..10)?, at.get(11..19)?),
        out.amount.map(|m| m.decimal()).unwrap_or_default(),
        out.amount.map(|m| m.currency.code().to_owned()).unwrap_or_default(),
        out.event_id.clone(),
        consent.to_owned(),
        consent.to_owned(),
    ])
}
