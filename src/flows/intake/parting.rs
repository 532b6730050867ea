//! Tellings of sales that were taken for one and may not be: a payment without a number, and a second order that it fits as
//! well. They are parted again, so that it makes no difference who was heard first.

use serde::{Deserialize, Serialize};

use crate::domain::conversion::{Candidate, ConversionKind, Rank};
use crate::domain::doubt;
use crate::domain::fact::{Person, ShopTouch, Stated, Traces};
use crate::domain::ids::{ContactId, ConversionId, OrderId, SessionId};
use crate::error::{Error, Result};
use crate::flows::crediting::{self, Known};
use crate::flows::planning;
use crate::store::conversions::{self, Conversion, NewConversion};
use crate::store::deliveries::{self, Made};
use crate::store::orders;
use crate::store::reports::{self, Told};

use super::ledger::{balance, book, retell};
use super::telling::{AMBIGUOUS, Telling, free_event, sessions_of};
use super::{Context, must};

/// What makes a statement a sale of its own again. Names and addresses are not in it: they stand with the contact.
#[derive(Serialize, Deserialize)]
struct Remembered {
    label: String,
    event_id: String,
    session: Option<i64>,
    clicks: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    codes: Vec<String>,
    coupons: Vec<String>,
    affiliate: Option<String>,
    stated: Option<(String, Option<String>, Option<String>)>,
    consent: Option<bool>,
    country: Option<String>,
    counts: bool,
    is_imported: bool,
}

/// What is remembered of a telling; none where it can never be parted: orders have their own rows.
pub fn remembered(t: &Telling, counts: bool) -> Result<Option<String>> {
    if t.kind != ConversionKind::Sale || t.contact.is_none() || t.fact_kind == "order" {
        return Ok(None);
    }
    let stated = t.traces.stated.as_ref().map(|s| (s.source.clone(), s.medium.clone(), s.campaign.clone()));
    let remembered = Remembered {
        label: t.label.clone(),
        event_id: t.event_id.clone(),
        session: t.session.map(SessionId::number),
        clicks: t.traces.click_ids.clone(),
        codes: t.traces.codes.clone(),
        coupons: t.traces.coupons.clone(),
        affiliate: t.traces.affiliate.clone(),
        stated,
        consent: t.traces.consent_given,
        country: t.person.country.clone(),
        counts,
        is_imported: t.is_imported,
    };
    serde_json::to_string(&remembered).map(Some).map_err(Error::internal)
}

/// Looks at all sales of a person that look like this one, and parts what may belong to several. Repeating it changes nothing.
pub fn settle(x: &Context, like: &Candidate) -> Result<Vec<Made>> {
    let near = conversions::list_candidates(x.c, &Candidate { order_key: None, ..like.clone() })?;
    let mut all: Vec<Bound> = Vec::new();
    for (id, sale) in near.into_iter().filter(|(_, sale)| sale.amount == like.amount) {
        all.extend(tellings_of(x, id, &sale)?);
    }
    let candidates: Vec<Candidate> = all.iter().map(|one| one.like.clone()).collect();
    let sales = doubt::sales(&candidates);
    let mut ids: Vec<ConversionId> = all.iter().map(|one| one.sale).collect();
    ids.dedup();
    let mut planned = Vec::new();
    for id in ids {
        let own: Vec<usize> = (0..all.len()).filter(|n| all[*n].sale == id).collect();
        let Some(keep) = own.iter().copied().max_by_key(|n| all[*n].weight()) else { continue };
        let gone: Vec<usize> = own.iter().copied().filter(|n| sales[*n] != sales[keep]).collect();
        if gone.is_empty() || gone.iter().any(|n| !all[*n].may_part()) {
            continue;
        }
        let mut groups: Vec<usize> = gone.iter().map(|n| sales[*n]).collect();
        groups.sort_unstable();
        groups.dedup();
        for group in groups {
            let members: Vec<usize> = gone.iter().copied().filter(|n| sales[*n] == group).collect();
            let told: Vec<&Told> = members.iter().flat_map(|n| &all[*n].told).collect();
            let flag = members.iter().any(|n| doubt::is_doubtful(&candidates, *n)).then_some(AMBIGUOUS);
            planned.extend(part(x, id, &told, flag)?);
        }
        planned.extend(rebuild(x, id)?);
        if doubt::is_doubtful(&candidates, keep) {
            conversions::set_flag(x.c, id, AMBIGUOUS)?;
        }
    }
    Ok(planned)
}

/// Reports that one number holds together, or a single one without a sure number.
struct Bound {
    sale: ConversionId,
    told: Vec<Told>,
    like: Candidate,
}

impl Bound {
    /// Whoever knows a number keeps the sale, then whoever knows most; of two alike the earlier.
    fn weight(&self) -> (bool, i64, std::cmp::Reverse<(i64, i64)>) {
        let first = self.told.first().map_or(0, |t| t.connection);
        (self.is_sure(), self.rank(), std::cmp::Reverse((self.like.happened_at.ms(), first)))
    }

    fn is_sure(&self) -> bool {
        self.like.order_key.is_some() && self.like.is_key_sure
    }

    fn rank(&self) -> i64 {
        self.told.iter().map(|t| t.rank).max().unwrap_or_default()
    }

    fn may_part(&self) -> bool {
        self.told.iter().all(|t| t.known.is_some())
    }
}

fn tellings_of(x: &Context, sale: ConversionId, like: &Candidate) -> Result<Vec<Bound>> {
    let is_sure = |t: &Told| t.rank != Rank::AnyTrack.number();
    let told = reports::list_told(x.c, sale)?;
    let sure: Vec<String> = told.iter().filter(|t| is_sure(t)).filter_map(|t| t.order_key.clone()).collect();
    let mut all: Vec<Bound> = Vec::new();
    for one in told {
        let number = one.order_key.clone().filter(|key| is_sure(&one) || sure.contains(key));
        match all.iter_mut().find(|t| number.is_some() && t.like.is_key_sure && t.like.order_key == number) {
            Some(known) => {
                known.like.reporters.push(one.reporter());
                known.told.push(one);
            }
            None => {
                let like = Candidate {
                    kind: like.kind,
                    order_key: one.order_key.clone(),
                    is_key_sure: number.is_some() || one.order_key.is_none(),
                    contact: like.contact,
                    amount: like.amount,
                    happened_at: one.happened_at,
                    reporters: vec![one.reporter()],
                };
                all.push(Bound { sale, told: vec![one], like });
            }
        }
    }
    for one in &mut all {
        // Of those who tell of one, the best informed says when it was.
        let rank = one.rank();
        let at = one.told.iter().filter(|t| t.rank == rank).map(|t| t.happened_at).min();
        one.like.happened_at = at.unwrap_or(one.like.happened_at);
    }
    Ok(all)
}

/// What speaks for a sale.
struct Voice {
    label: String,
    event_id: String,
    session: Option<SessionId>,
    country: Option<String>,
    traces: Traces,
    journey: Vec<ShopTouch>,
    counts: bool,
    is_imported: bool,
}

impl Voice {
    /// None where nothing is remembered: of somebody who was erased since.
    fn of(x: &Context, told: &Told, before: &Conversion) -> Result<Option<Self>> {
        if let (Some(order), "order") = (told.fact_id, told.fact_kind.as_str()) {
            let Some(order) = orders::find_remembered(x.c, OrderId::new(order))? else { return Ok(None) };
            let traces = Traces { coupons: order.coupons, ..Traces::default() };
            return Ok(Some(Self {
                label: format!("Order {}", order.number),
                event_id: before.event_id.clone(),
                session: order.session,
                country: order.country,
                traces,
                journey: order.journey,
                counts: before.counts && !order.is_test,
                is_imported: before.is_imported,
            }));
        }
        let Some(known) = &told.known else { return Ok(None) };
        let known: Remembered = serde_json::from_str(known).map_err(Error::internal)?;
        let stated = known.stated.map(|(source, medium, campaign)| Stated { source, medium, campaign });
        let traces = Traces {
            click_ids: known.clicks,
            codes: known.codes,
            coupons: known.coupons,
            affiliate: known.affiliate,
            stated,
            consent_given: known.consent,
            ..Traces::default()
        };
        Ok(Some(Self {
            label: known.label,
            event_id: known.event_id,
            session: known.session.map(SessionId::new),
            country: known.country,
            traces,
            journey: Vec::new(),
            counts: known.counts,
            is_imported: known.is_imported,
        }))
    }

    fn known<'a>(&'a self, person: &'a Person, contact: Option<ContactId>) -> Known<'a> {
        Known { session: self.session, person, contact, traces: &self.traces, journey: &self.journey, is_asserted: false }
    }
}

/// Who speaks: the best informed, of two alike the earlier.
fn top<'a>(told: impl Iterator<Item = &'a Told>) -> Option<&'a Told> {
    told.max_by_key(|t| (t.rank, std::cmp::Reverse((t.happened_at, t.connection))))
}

/// Makes these reports a sale of their own.
fn part(x: &Context, from: ConversionId, told: &[&Told], flag: Option<&str>) -> Result<Vec<Made>> {
    let before = must(conversions::find(x.c, from)?, "the conversion that is parted")?;
    let (Some(speaker), Some(amount)) = (top(told.iter().copied()), before.amount) else { return Ok(Vec::new()) };
    let Some(voice) = Voice::of(x, speaker, &before)? else { return Ok(Vec::new()) };
    let event_id = free_event(x, &voice.event_id, speaker.connection, &speaker.platform)?;
    let new = NewConversion {
        kind: before.kind,
        name: None,
        label: &voice.label,
        order_key: told.iter().find_map(|t| t.order_key.as_deref()),
        event_id: &event_id,
        contact: before.contact,
        session: voice.session,
        amount: Some(amount),
        rank: speaker.rank,
        happened_at: speaker.happened_at,
        received_at: before.received_at,
        book_day: x.site.zone.day(speaker.happened_at),
        status: "paid",
        counts: voice.counts,
        is_imported: voice.is_imported,
        country: voice.country.as_deref(),
        goods_ask: before.goods_ask,
        // Who refused, refused for all that was told of it.
        consent_given: if before.consent_given == Some(false) { Some(false) } else { voice.traces.consent_given },
        flag,
        erased_at: None,
    };
    let id = conversions::add(x.c, &new)?;
    for report in told {
        reports::move_to(x.c, report.id, id)?;
    }
    book(x, id, "sale", amount, speaker.happened_at, None)?;
    let conversion = must(conversions::find(x.c, id)?, "the conversion just parted")?;
    let person = Person::default();
    let outcome = crediting::run(x.c, x.site, &conversion, &voice.known(&person, conversion.contact), 1, "first known", x.now)?;
    planning::run(x.c, x.site, x.connections, &conversion, &sessions_of(&outcome, voice.session), &[], x.now)
}

/// Brings a sale that has lost tellings to what those say that are left.
fn rebuild(x: &Context, id: ConversionId) -> Result<Vec<Made>> {
    let before = must(conversions::find(x.c, id)?, "the conversion that is left")?;
    let told = reports::list_told(x.c, id)?;
    let (Some(speaker), Some(amount)) = (top(told.iter()), before.amount) else { return Ok(Vec::new()) };
    let Some(mut voice) = Voice::of(x, speaker, &before)? else { return Ok(Vec::new()) };
    for other in told.iter().filter(|t| t.id != speaker.id) {
        if voice.session.is_none() {
            voice.session = Voice::of(x, other, &before)?.and_then(|v| v.session);
        }
    }
    let is_sure = |t: &&Told| t.order_key.is_some() && t.rank != Rank::AnyTrack.number();
    let number = told.iter().find(is_sure).or(told.iter().find(|t| t.order_key.is_some())).and_then(|t| t.order_key.as_deref());
    let happened_at = if speaker.rank == before.rank && speaker.fact_kind == "order" { before.happened_at } else { speaker.happened_at };
    retell(x, id, &before, amount, happened_at)?;
    let new = NewConversion {
        kind: before.kind,
        name: None,
        label: &voice.label,
        order_key: number,
        event_id: &before.event_id,
        contact: before.contact,
        session: voice.session,
        amount: Some(amount),
        rank: speaker.rank,
        happened_at,
        received_at: before.received_at,
        book_day: x.site.zone.day(happened_at),
        status: &before.status,
        counts: voice.counts,
        is_imported: voice.is_imported,
        country: voice.country.as_deref(),
        goods_ask: before.goods_ask,
        consent_given: before.consent_given,
        flag: None,
        erased_at: None,
    };
    conversions::reset_speaker(x.c, id, &new)?;
    let conversion = must(conversions::find(x.c, id)?, "the conversion that is left")?;
    let person = Person::default();
    let outcome = crediting::run(x.c, x.site, &conversion, &voice.known(&person, conversion.contact), before.run + 1, "parted", x.now)?;
    let known = deliveries::list_known(x.c, id)?;
    let mut planned = planning::run(x.c, x.site, x.connections, &conversion, &sessions_of(&outcome, voice.session), &known, x.now)?;
    planned.extend(balance(x, id)?);
    Ok(planned)
}
