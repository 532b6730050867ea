//! Gathers what a destination may see of a conversion, at the moment of sending: consent and erasure count as they are
//! then.

use crate::crypto;
use crate::domain::attribution::{Judged, PathTouch};
use crate::domain::campaign::ClickKind;
use crate::domain::conversion::ConversionKind;
use crate::domain::ids::ConnectionId;
use crate::domain::money::Money;
use crate::domain::outgoing::{ConsentSent, Credited, Mode, Outgoing, Visit};
use crate::domain::person::{Email, Phone};
use crate::domain::time::Time;
use crate::error::Result;
use crate::flows::{crediting, planning::May};
use crate::store::conversions::Conversion;
use crate::store::facts::{self, Told};
use crate::store::scope::SiteConn;
use crate::store::sites::Site;
use crate::store::{lead_changes, reversals, sessions, touches};

pub fn build(
    c: &SiteConn,
    site: &Site,
    (event_id, mode, connection): (&str, Mode, Option<ConnectionId>),
    conversion: &Conversion,
    path: &[PathTouch],
    may: &May,
    now: Time,
) -> Result<Outgoing> {
    let told: Told = facts::told(c, conversion.id)?;
    let session = conversion.session;
    let mut visit = None;
    let (mut region, mut city, mut country) = (None, told.city.clone(), conversion.country.clone());
    if let Some(session) = session
        && let Some(carried) = sessions::find_device(c, session)?
    {
        let page = path.iter().rev().find(|t| t.touch.session == session.number());
        let key = sessions::find_key(c, session)?.unwrap_or_default();
        let clicks = touches::list_clicks(c, session)?
            .into_iter()
            .filter_map(|(kind, value, at)| ClickKind::from_name(&kind).map(|kind| (kind, value, at)))
            .collect();
        visit = Some(Visit {
            visitor: crypto::hex(&crypto::hmac_sha256(&site.keys.digest, &[b"visitor.", key.as_bytes()])[..16]),
            started_at: Some(carried.created_at),
            page_url: told.url.clone().or_else(|| {
                let landing = page.and_then(|t| t.touch.landing.as_deref())?;
                let path = landing.split('?').next().unwrap_or("/");
                Some(format!("https://{}{path}", site.domains.first()?))
            }),
            referrer: page.and_then(|t| t.touch.referrer.clone()),
            user_agent: carried.user_agent,
            address: sessions::find_address(c, session, now)?,
            ga_client_id: carried.ga_client_id,
            ga_session_id: carried.ga_session_id,
            fbc: carried.fbc,
            fbp: carried.fbp,
            clicks,
        });
        region = carried.region;
        city = city.or(carried.city);
        country = country.or(carried.country);
    }
    let judged = Judged { kind: conversion.kind, happened_at: conversion.happened_at };
    let credited = crediting::credited(path, &judged, &site.settings.policy).map(|t| Credited {
        source: t.touch.source.clone(),
        medium: t.touch.medium.clone(),
        campaign: t.touch.campaign.clone(),
    });
    // A lead that moved in the pipeline is a fact of its own, with its own time and worth.
    let moved = match conversion.kind {
        ConversionKind::Lead if event_id != conversion.event_id => lead_changes::find_by_event(c, event_id)?,
        _ => None,
    };
    let reversal = match (conversion.kind, connection) {
        (ConversionKind::Sale, Some(connection)) if event_id != conversion.event_id => reversals::find_by_event(c, connection, event_id)?,
        _ => None,
    };
    let (happened_at, amount) = match (&moved, &reversal) {
        (Some(m), _) => (m.at, m.value),
        (None, Some(r)) => (r.happened_at, Some(Money::new(r.amount.minor.abs(), r.amount.currency))),
        (None, None) => (conversion.happened_at, conversion.amount),
    };
    Ok(Outgoing {
        conversion: conversion.id.to_string(),
        kind: conversion.kind,
        name: conversion.name.clone(),
        stage: moved.as_ref().map(|m| m.stage),
        event_id: event_id.to_owned(),
        subject: conversion.event_id.clone(),
        mode,
        is_refund: reversal.as_ref().is_some_and(|r| r.amount.minor >= 0),
        is_again: reversal.as_ref().is_some_and(|r| r.amount.minor < 0),
        happened_at,
        amount,
        left: conversion.net,
        external_id: told.order_number.clone().unwrap_or_else(|| told.external_id.clone()),
        form_type: if conversion.kind == ConversionKind::Lead { told.form_type.clone() } else { None },
        items: told.items,
        coupons: told.coupons,
        email: told.email.as_deref().and_then(Email::parse),
        phone: told.phone.as_deref().and_then(|p| Phone::parse(p, site.country.as_deref())),
        first_name: told.first_name,
        last_name: told.last_name,
        city,
        region,
        postcode: told.postcode,
        country,
        customer_id: told.customer_id,
        visit,
        site_domain: site.domains.first().cloned().unwrap_or_default(),
        consent: ConsentSent { is_explicit: may.is_explicit },
        credited,
        match_type: conversion.match_type.clone(),
    })
}

/// A delivery planned in shadow stays there, and a connection set back to shadow sends nothing more.
pub fn effective_mode(planned: Mode, now: Mode) -> Mode {
    if planned == Mode::Shadow { Mode::Shadow } else { now }
}
