//! Who earns a sale, and what is booked of it. Asked with every telling of a conversion and every change of its money: all
//! that was ever heard is judged by one rule, and only what is missing in the ledger is added, so that neither the order of
//! arrival nor a repeat makes a difference.

use std::collections::BTreeMap;

use crate::domain::affiliate::claim::{self, Claim, Model, Way};
use crate::domain::affiliate::flags::{Own, UNPROVED, is_same_mailbox};
use crate::domain::affiliate::ledger::{self, Earning};
use crate::domain::affiliate::{self, MOST_DAYS, Sold};
use crate::domain::attribution::latest_before;
use crate::domain::ids::{AffiliateId, ConversionId, SessionId};
use crate::domain::time::{DAY_MS, Time};
use crate::error::{Error, Result};
use crate::store::affiliates::commissions::{Credit, NewLine};
use crate::store::affiliates::{self, Affiliate, commissions, days as clicks};
use crate::store::conversions::Conversion;
use crate::store::people::IdentityKind;
use crate::store::scope::SiteConn;
use crate::store::sites::Site;
use crate::store::{conversions, credits, facts, people, short_links};

/// What one telling says of partners.
#[derive(Debug, Clone, Copy, Default)]
pub struct Heard<'a> {
    /// By the owner's own server.
    pub named: Option<&'a str>,
    pub coupons: &'a [String],
    /// In a form, whose fields anybody may fill: no more than a link.
    pub told: Option<&'a str>,
}

/// A claim with whoever makes it.
struct Candidate {
    claim: Claim,
    partner: Option<Affiliate>,
    shown: String,
}

/// Judges who earns, with what a telling has added. What it comes to is booked by `rebook`.
pub fn settle(c: &SiteConn, site: &Site, id: ConversionId, heard: &Heard, now: Time) -> Result<()> {
    if heard.named.is_none() && !affiliates::are_used(c)? {
        return Ok(());
    }
    let conversion = conversions::find(c, id)?.ok_or_else(|| Error::internal("the conversion just told is not there"))?;
    let held = commissions::find(c, id)?;
    let candidates = candidates(c, &conversion, heard)?;
    if held.is_none() && candidates.is_empty() {
        return Ok(());
    }
    let credit = judge(c, site, &conversion, held.as_ref(), &candidates)?;
    if held.as_ref() != Some(&credit) {
        commissions::save(c, id, &credit, now)?;
    }
    Ok(())
}

/// Brings the ledger of commissions to what the money of a sale is now.
pub fn rebook(c: &SiteConn, site: &Site, id: ConversionId, now: Time) -> Result<()> {
    rebook_because(c, site, id, None, now)
}

/// The same, with a reason that the money itself does not tell: what the lines say that it adds.
pub fn rebook_because(c: &SiteConn, site: &Site, id: ConversionId, why: Option<&str>, now: Time) -> Result<()> {
    let Some(credit) = commissions::find(c, id)? else { return Ok(()) };
    let conversion = conversions::find(c, id)?.ok_or_else(|| Error::internal("a conversion with a commission is not there"))?;
    book(c, site, &conversion, &credit, why, now)
}

/// Two sales turn out to be one: what one of them earns by counts for the sale that is left, and of both claims the stronger
/// holds. Its terms and the owner's word on it come along.
pub fn take_over(c: &SiteConn, kept: &Conversion, gone: ConversionId, now: Time) -> Result<()> {
    let Some(other) = commissions::find(c, gone)? else { return Ok(()) };
    let own = commissions::find(c, kept.id)?;
    let claims: Vec<Claim> = own.iter().chain([&other]).map(|credit| credit.claim.clone()).collect();
    let model = own.as_ref().map_or(other.model, |own| own.model);
    let is_own = own.is_some() && claim::strongest(&claims, model) == claims.first();
    if !is_own {
        let due_at = kept.happened_at.plus_ms(i64::from(other.hold_days) * DAY_MS);
        commissions::save(c, kept.id, &Credit { due_at, model, ..other }, now)?;
    }
    commissions::copy_verdict(c, gone, kept.id)
}

/// A link that was followed before sales which are known already: history that a server brings.
pub fn followed(c: &SiteConn, site: &Site, session: SessionId, at: Time, now: Time) -> Result<()> {
    if at >= now || !affiliates::are_used(c)? {
        return Ok(());
    }
    for id in commissions::conversions_of(c, session, at, at.plus_ms(i64::from(MOST_DAYS) * DAY_MS))? {
        settle(c, site, id, &Heard::default(), now)?;
        rebook(c, site, id, now)?;
    }
    Ok(())
}

fn candidates(c: &SiteConn, conversion: &Conversion, heard: &Heard) -> Result<Vec<Candidate>> {
    let mut all: Vec<Candidate> = Vec::new();
    if let Some(code) = heard.named.and_then(affiliate::named) {
        // It is counted in any case: the owner's own server says so.
        let partner = affiliates::find_by_code(c, "code", &code)?.map(|(partner, _)| partner);
        all.push(Candidate {
            claim: Claim { way: Way::Named, code, at: None, is_asserted: false },
            shown: heard.named.unwrap_or_default().trim().to_owned(),
            partner,
        });
    }
    for shown in heard.coupons {
        let Some(code) = affiliate::code(shown) else { continue };
        let Some(partner) = earner(c, "coupon", &code, conversion)? else { continue };
        let claim = Claim { way: Way::Coupon, code, at: None, is_asserted: false };
        all.push(Candidate { claim, shown: shown.trim().to_owned(), partner: Some(partner) });
    }
    let sold_at = conversion.happened_at;
    let told = heard.told.map(|code| (sold_at, code.to_owned(), false));
    let mut known: BTreeMap<String, Option<Affiliate>> = BTreeMap::new();
    for (at, shown, is_asserted) in links_before(c, conversion)?.into_iter().chain(told) {
        let Some(code) = affiliate::code(&shown) else { continue };
        if !known.contains_key(&code) {
            known.insert(code.clone(), earner(c, "code", &code, conversion)?);
        }
        let partner = known.get(&code).cloned().flatten();
        let Some(partner) = partner.filter(|p| claim::is_within(at, sold_at, p.cookie_days)) else { continue };
        all.push(Candidate { claim: Claim { way: Way::Link, code, at: Some(at), is_asserted }, shown, partner: Some(partner) });
    }
    Ok(all)
}

/// Links that were followed in the browsers that led to the conversion, each with whether such a browser is the buyer's by its own
/// word alone.
fn links_before(c: &SiteConn, conversion: &Conversion) -> Result<Vec<(Time, String, bool)>> {
    let mut sessions: BTreeMap<SessionId, bool> = conversion.session.map(|told| (told, false)).into_iter().collect();
    let mut all = Vec::new();
    if let Some((_, path)) = credits::find_newest(c, conversion.id)? {
        // A click on a short link that no page gave back: the link says whose it is.
        for step in path.iter().filter(|step| step.touch.session == 0) {
            if let Some(link) = step.touch.short_link.map(|id| short_links::find(c, id)).transpose()?.flatten()
                && let Some(code) = link.words.affiliate
            {
                all.push((step.touch.at, code, false));
            }
        }
        // Of a browser each touch keeps its strongest link: a proof stands beside no claim.
        for step in path.iter().filter(|step| step.touch.session > 0) {
            sessions.insert(SessionId::new(step.touch.session), step.link.is_asserted());
        }
    }
    let from = conversion.happened_at.plus_ms(-i64::from(MOST_DAYS) * DAY_MS);
    for (session, is_asserted) in sessions {
        let links = clicks::links_of(c, session, from, latest_before(conversion.happened_at))?;
        all.extend(links.into_iter().map(|(at, code)| (at, code, is_asserted)));
    }
    Ok(all)
}

/// Whoever has a code or coupon and may earn by it: not by one that came after the sale was known.
fn earner(c: &SiteConn, kind: &str, code: &str, conversion: &Conversion) -> Result<Option<Affiliate>> {
    let found = affiliates::find_by_code(c, kind, code)?;
    Ok(found.filter(|(partner, since)| conversion.received_at >= *since && may_earn(partner, conversion)).map(|(partner, _)| partner))
}

/// Whoever is paused earns nothing that happens meanwhile, and nobody earns by history that is only brought in.
fn may_earn(partner: &Affiliate, conversion: &Conversion) -> bool {
    let is_history = conversion.is_imported && conversion.happened_at < partner.created_at;
    !is_history && !partner.was_paused(conversion.happened_at)
}

fn judge(c: &SiteConn, site: &Site, conversion: &Conversion, held: Option<&Credit>, candidates: &[Candidate]) -> Result<Credit> {
    let claims: Vec<Claim> = held.map(|h| h.claim.clone()).into_iter().chain(candidates.iter().map(|x| x.claim.clone())).collect();
    let model = held.map_or(site.settings.affiliate_model, |h| h.model);
    let best = claim::strongest(&claims, model).ok_or_else(|| Error::internal("no claim to judge"))?;
    let chosen = candidates.iter().find(|x| x.claim == *best);
    let credit = match (held, chosen) {
        (Some(held), _) if held.claim == *best => held.clone(),
        (held, Some(chosen)) => credit_of(conversion, chosen, held, candidates, model),
        _ => return Err(Error::internal("the strongest claim is nobody's")),
    };
    let newest = candidates.iter().filter(|x| x.claim.way == Way::Link && x.partner.as_ref().map(|p| p.id) == credit.affiliate);
    let followed_at = newest.filter_map(|x| x.claim.at).max().max(credit.followed_at);
    // Once it looked like the partner's own it always will; a claim may be proved later.
    let flag = credit.flag.clone().filter(|flag| flag != UNPROVED);
    let flag = match credit.affiliate {
        Some(partner) if flag.is_none() => {
            let own = looks_own(c, conversion, partner)?.map(|own| own.sentence().to_owned());
            own.or(credit.claim.is_asserted.then(|| UNPROVED.to_owned()))
        }
        _ => flag,
    };
    // Of a link the moment is that of the claim itself.
    let followed_at = if credit.claim.way == Way::Link { credit.claim.at } else { followed_at };
    let due_at = conversion.happened_at.plus_ms(i64::from(credit.hold_days) * DAY_MS);
    Ok(Credit { followed_at, flag, due_at, ..credit })
}

/// Terms are those of the moment when somebody first earned; another claim of the same partner leaves them.
fn credit_of(conversion: &Conversion, chosen: &Candidate, held: Option<&Credit>, candidates: &[Candidate], model: Model) -> Credit {
    let partner = chosen.partner.as_ref();
    let id = partner.map(|p| p.id);
    let over: Vec<(Way, String)> = candidates
        .iter()
        .filter(|x| x.partner.as_ref().map(|p| p.id) != id)
        .map(|x| (x.claim.way, x.shown.clone()))
        .fold(Vec::new(), |mut all, one| {
            if !all.contains(&one) {
                all.push(one);
            }
            all
        });
    let reason = claim::sentence(&chosen.claim, &chosen.shown, conversion.happened_at, &over);
    let same = held.filter(|h| h.affiliate == id && id.is_some());
    let (terms, hold_days, nothing) = match (same, partner) {
        (Some(held), _) => (held.terms.clone(), held.hold_days, ""),
        (None, Some(p)) if may_earn(p, conversion) => (Some(p.terms.clone()), p.hold_days, ""),
        (None, Some(p)) if p.was_paused(conversion.happened_at) => (None, p.hold_days, " The partner was paused then: it earns nothing."),
        (None, Some(p)) => (None, p.hold_days, " It is history from before the partner was added: it earns nothing."),
        (None, None) => (None, 0, " No partner has this code: it earns nothing."),
    };
    Credit {
        affiliate: id,
        claim: chosen.claim.clone(),
        followed_at: None,
        terms,
        hold_days,
        due_at: conversion.happened_at,
        reason: format!("{reason}{nothing}"),
        model,
        flag: None,
        verdict: same.and_then(|h| h.verdict.clone()),
    }
}

/// Whether it looks like the partner's own purchase.
fn looks_own(c: &SiteConn, conversion: &Conversion, partner: AffiliateId) -> Result<Option<Own>> {
    let Some(partner) = affiliates::find(c, partner)? else { return Ok(None) };
    if partner.email.is_none() && partner.phone.is_none() {
        return Ok(None);
    }
    let told = facts::told(c, conversion.id)?;
    if told.email.as_ref().zip(partner.email.as_ref()).is_some_and(|(told, own)| is_same_mailbox(told, own)) {
        return Ok(Some(Own::Email));
    }
    if partner.phone.is_some() && told.phone == partner.phone {
        return Ok(Some(Own::Phone));
    }
    let Some(session) = conversion.session else { return Ok(None) };
    for (kind, value) in [(IdentityKind::Email, &partner.email), (IdentityKind::Phone, &partner.phone)] {
        let Some(value) = value else { continue };
        if people::sessions_of(c, kind, value)?.iter().any(|(known, _)| *known == session) {
            return Ok(Some(Own::Browser));
        }
    }
    Ok(None)
}

/// Adds what is missing in the ledger, each on its own day, or on the first day that is still open.
fn book(c: &SiteConn, site: &Site, conversion: &Conversion, credit: &Credit, why: Option<&str>, now: Time) -> Result<()> {
    let is_refused = credit.verdict.as_ref().filter(|(word, _)| word == "refused");
    let earning = Earning {
        sold: Sold {
            kind: conversion.kind,
            amount: conversion.amount,
            pieces: commissions::pieces_of(c, conversion.id, conversion.amount)?,
        },
        day: conversion.book_day,
        entries: commissions::entries_of(c, conversion.id)?,
        counts: conversion.counts,
        is_reversed: matches!(conversion.status.as_str(), "cancelled" | "refunded"),
        refused_on: is_refused.map(|(_, at)| site.zone.day(*at)),
    };
    let wanted = ledger::wanted(&earning, credit.terms.as_ref());
    let own = (credit.affiliate, if credit.affiliate.is_some() { String::new() } else { credit.claim.code.clone() });
    let mut booked = commissions::booked(c, conversion.id)?;
    let is_first = booked.is_empty();
    booked.entry(own.clone()).or_default();
    let open = affiliates::closed_month(c)?.map(|month| month.plus_months(1));
    let nothing = BTreeMap::new();
    for (owner, lines) in &booked {
        let is_own = *owner == own;
        for (place, sums) in ledger::missing(if is_own { &wanted } else { &nothing }, lines) {
            let book_day = open.map_or(place.0, |open| place.0.max(open));
            let mut note = match (is_own, is_refused.is_some(), sums.minor) {
                (false, ..) => format!("Earned by somebody else, as became known later. {}", credit.reason),
                (true, ..) if why.is_some() && sums.conversions > 0 => credit.reason.clone(),
                (true, ..) if why.is_some() => String::new(),
                (true, true, minor) if minor < 0 => "The owner refused to pay for it.".to_owned(),
                (true, _, minor) if minor < 0 || sums.base_minor < 0 => "Money went back to the buyer.".to_owned(),
                (true, ..) if is_first && sums.conversions > 0 => credit.reason.clone(),
                (true, ..) if sums.conversions > 0 => format!("Became known later. {}", credit.reason),
                _ => "The shop changed the amount.".to_owned(),
            };
            if let Some(why) = why {
                note = format!("{note} {why}").trim_start().to_owned();
            }
            if book_day != place.0 {
                note.push_str(&format!(" It belongs to {}, whose statement was final already.", place.0));
            }
            let code = if is_own { credit.claim.code.as_str() } else { owner.1.as_str() };
            let line = NewLine {
                conversion: conversion.id,
                affiliate: owner.0,
                code,
                kind: conversion.kind.word(),
                place,
                sums,
                book_day,
                note: &note,
            };
            commissions::add(c, &line, now)?;
        }
    }
    Ok(())
}
