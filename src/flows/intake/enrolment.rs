//! Somebody became a user of the owner's own product: a sign-up like any other, with credit and deliveries, and beside it
//! the way there as the steps tell it, worked out once.

use crate::crypto;
use crate::domain::conversion::{ConversionKind, Rank};
use crate::domain::fact::{Enrolment, Statement};
use crate::domain::person::Email;
use crate::error::Result;
use crate::store::milestones::enrolments::{self, Filed};
use crate::store::milestones::{self, Way};
use crate::store::sites::Site;
use crate::store::{conversions, reports};

use super::{Context, Stored, statement};

/// Under which it is told: a digest of the address and the user's own id.
pub fn number(site: &Site, e: &Enrolment) -> String {
    let email = e.person.email.as_ref().map(Email::as_str).unwrap_or_default();
    crypto::hex(&crypto::hmac_sha256(&site.keys.digest, &[b"enrolment\0", email.as_bytes(), b"\0", e.user_id.as_bytes()])[..16])
}

pub fn store(x: &Context, e: &Enrolment) -> Result<Stored> {
    let email = e.person.email.as_ref().map(Email::as_str).unwrap_or_default();
    let external_id = number(x.site, e);
    // Told once more after an erasure: the same sign-up, and nobody's.
    if let Some(known) = reports::find_conversion(x.c, x.connection, ConversionKind::Signup.word(), &external_id)?
        && conversions::find(x.c, known)?.is_some_and(|known| known.is_erased)
    {
        return Ok(Stored { conversion: Some(known), ..Stored::of(ConversionKind::Signup.word(), external_id) });
    }
    let told = statement::store(
        x,
        &Statement {
            external_id,
            platform: "funnel".into(),
            rank: Rank::Api,
            kind: ConversionKind::Signup,
            name: None,
            order_id: Some(e.user_id.clone()),
            happened_at: e.happened_at,
            person: e.person.clone(),
            traces: e.traces.clone(),
            // What somebody guesses is no revenue.
            amount: None,
            items: Vec::new(),
            detail: serde_json::json!({"email": email}),
            is_imported: false,
        },
    )?;
    let Some(conversion) = told.conversion.filter(|_| told.is_new) else { return Ok(told) };
    let contact = conversions::find(x.c, conversion)?.and_then(|c| c.contact);
    let way = match contact {
        Some(contact) => milestones::way_before(x.c, contact, e.happened_at)?,
        None => Way::default(),
    };
    let day = |at| x.site.zone.day(at).0;
    let days = way.first.as_ref().map(|(_, at)| i64::from((day(e.happened_at) - day(*at)).max(0)));
    let new = Filed { conversion, contact, enrolment: e, way: &way, days, received_at: x.heard_at };
    enrolments::add(x.c, &new)?;
    Ok(told)
}
