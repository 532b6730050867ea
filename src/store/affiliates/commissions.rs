//! Who earns a conversion and under which terms, and the ledger of what is earned: lines are added, never changed but for the
//! payment that they went into.

use std::collections::BTreeMap;

use rusqlite::{Row, named_params};

use super::super::scope::SiteConn;
use crate::domain::affiliate::claim::{Claim, Model, Way};
use crate::domain::affiliate::ledger::{Entry, Place, Sums};
use crate::domain::affiliate::{Piece, Terms};
use crate::domain::ids::{AffiliateId, ConversionId, PayoutId, SessionId};
use crate::domain::money::{Currency, Money};
use crate::domain::outgoing::Item;
use crate::domain::time::{Day, Time};
use crate::error::{Error, Result};

/// Who earns a conversion.
#[derive(Debug, Clone, PartialEq)]
pub struct Credit {
    pub affiliate: Option<AffiliateId>,
    pub claim: Claim,
    /// The newest link of the same partner before it.
    pub followed_at: Option<Time>,
    pub terms: Option<Terms>,
    pub hold_days: u32,
    pub due_at: Time,
    pub reason: String,
    /// Which of several links earned when the sale was first known. A later setting does not change it.
    pub model: Model,
    pub flag: Option<String>,
    /// `approved` or `refused`, and when.
    pub verdict: Option<(String, Time)>,
}

/// A partner, or none and a code that nobody has.
pub type Owner = (Option<AffiliateId>, String);

/// A line to be booked.
pub struct NewLine<'a> {
    pub conversion: ConversionId,
    pub affiliate: Option<AffiliateId>,
    pub code: &'a str,
    pub kind: &'a str,
    pub place: Place,
    pub sums: Sums,
    pub book_day: Day,
    pub note: &'a str,
}

const CREDIT: &str =
    "affiliate_id, code, way, followed_at, terms, hold_days, due_at, reason, flag, verdict, verdict_at, model, is_asserted";

pub fn find(c: &SiteConn, conversion: ConversionId) -> Result<Option<Credit>> {
    c.find(
        &format!("select {CREDIT} from affiliate_credits where site_id = :site and conversion_id = :id"),
        named_params! {":id": conversion.number()},
        |row| Ok(read(row)),
    )?
    .transpose()
}

/// Writes who earns it; a stronger claim takes the place of a weaker one, and the ledger keeps both.
pub fn save(c: &SiteConn, conversion: ConversionId, credit: &Credit, now: Time) -> Result<()> {
    let terms = credit.terms.as_ref().map(serde_json::to_string).transpose().map_err(Error::internal)?;
    c.execute(
        "insert into affiliate_credits (site_id, conversion_id, affiliate_id, code, way, followed_at, at, terms, hold_days, due_at, reason, flag, model,
           is_asserted)
         values (:site, :id, :affiliate, :code, :way, :followed, :now, :terms, :hold, :due, :reason, :flag, :model, :asserted)
         on conflict (site_id, conversion_id) do update set affiliate_id = excluded.affiliate_id, code = excluded.code, way = excluded.way,
           followed_at = excluded.followed_at, at = excluded.at, terms = excluded.terms, hold_days = excluded.hold_days,
           due_at = excluded.due_at, reason = excluded.reason, flag = excluded.flag, is_asserted = excluded.is_asserted,
           verdict = iif(affiliate_id is excluded.affiliate_id, verdict, null)",
        named_params! {":id": conversion.number(), ":affiliate": credit.affiliate.map(AffiliateId::number), ":code": credit.claim.code,
        ":way": credit.claim.way.word(), ":followed": credit.followed_at.map(Time::ms), ":now": now.ms(), ":terms": terms,
        ":hold": credit.hold_days, ":due": credit.due_at.ms(), ":reason": credit.reason, ":flag": credit.flag,
        ":model": credit.model.word(), ":asserted": credit.claim.is_asserted},
    )?;
    Ok(())
}

/// What the owner decided on one; nothing takes it back to waiting.
pub fn set_verdict(c: &SiteConn, conversion: ConversionId, verdict: Option<&str>, who: &str, note: Option<&str>, now: Time) -> Result<()> {
    c.execute(
        "update affiliate_credits set verdict = :verdict, verdict_at = iif(:verdict is null, null, :now), verdict_by = :who, verdict_note = :note
         where site_id = :site and conversion_id = :id",
        named_params! {":verdict": verdict, ":now": now.ms(), ":who": who, ":note": note, ":id": conversion.number()},
    )?;
    Ok(())
}

/// The owner's word on a conversion that is the same as another one, unless there is one on that already.
pub fn copy_verdict(c: &SiteConn, from: ConversionId, to: ConversionId) -> Result<()> {
    c.execute(
        "update affiliate_credits as own set verdict = o.verdict, verdict_at = o.verdict_at, verdict_by = o.verdict_by, verdict_note = o.verdict_note
         from affiliate_credits as o
         where own.site_id = :site and own.conversion_id = :to and own.verdict is null
           and o.site_id = :site and o.conversion_id = :from and o.affiliate_id is own.affiliate_id and o.verdict is not null",
        named_params! {":from": from.number(), ":to": to.number()},
    )?;
    Ok(())
}

/// A line of what is booked of a conversion: for its receipt.
#[derive(Debug, Clone, PartialEq)]
pub struct BookedLine {
    pub affiliate: Option<AffiliateId>,
    pub own_day: Day,
    pub book_day: Day,
    pub amount: Option<Money>,
    pub note: String,
}

pub fn lines_of(c: &SiteConn, conversion: ConversionId) -> Result<Vec<BookedLine>> {
    c.list(
        "select affiliate_id, own_day, book_day, amount_minor, currency, note from commissions
         where site_id = :site and conversion_id = :id order by id limit 100",
        named_params! {":id": conversion.number()},
        |row| {
            let currency = money_of(row.get(4)?);
            let minor: i64 = row.get(3)?;
            Ok(BookedLine {
                affiliate: row.get::<_, Option<i64>>(0)?.map(AffiliateId::new),
                own_day: Day(row.get(1)?),
                book_day: Day(row.get(2)?),
                amount: currency.map(|currency| Money::new(minor, currency)),
                note: row.get(5)?,
            })
        },
    )
}

/// What is booked of a conversion, by whose it is.
pub fn booked(c: &SiteConn, conversion: ConversionId) -> Result<BTreeMap<Owner, BTreeMap<Place, Sums>>> {
    let rows = c.list(
        "select affiliate_id, iif(affiliate_id is null, code, ''), own_day, base_currency, currency, sum(conversions), sum(base_minor), sum(amount_minor)
         from commissions where site_id = :site and conversion_id = :id group by 1, 2, 3, 4, 5",
        named_params! {":id": conversion.number()},
        |row| {
            let (base, currency): (Option<String>, Option<String>) = (row.get(3)?, row.get(4)?);
            let place: Place = (Day(row.get(2)?), money_of(base), money_of(currency));
            let sums = Sums { conversions: row.get(5)?, base_minor: row.get(6)?, minor: row.get(7)? };
            Ok((row.get::<_, Option<i64>>(0)?.map(AffiliateId::new), row.get::<_, String>(1)?, place, sums))
        },
    )?;
    let mut all: BTreeMap<Owner, BTreeMap<Place, Sums>> = BTreeMap::new();
    for (affiliate, code, place, sums) in rows {
        all.entry((affiliate, code)).or_default().insert(place, sums);
    }
    Ok(all)
}

pub fn add(c: &SiteConn, new: &NewLine, now: Time) -> Result<()> {
    let id = c.next_number("commission")?;
    let (day, base, currency) = new.place;
    c.execute(
        "insert into commissions (site_id, id, conversion_id, affiliate_id, code, kind, conversions, base_minor, base_currency, amount_minor,
           currency, own_day, book_day, booked_at, note)
         values (:site, :id, :conversion, :affiliate, :code, :kind, :conversions, :base, :base_currency, :amount, :currency, :own, :book, :now, :note)",
        named_params! {":id": id, ":conversion": new.conversion.number(), ":affiliate": new.affiliate.map(AffiliateId::number),
        ":code": new.code, ":kind": new.kind, ":conversions": new.sums.conversions, ":base": new.sums.base_minor,
        ":base_currency": base.map(|x| x.code().to_owned()), ":amount": new.sums.minor, ":currency": currency.map(|x| x.code().to_owned()),
        ":own": day.0, ":book": new.book_day.0, ":now": now.ms(), ":note": new.note},
    )?;
    Ok(())
}

/// The lines of the money ledger, in the order of their days.
pub fn entries_of(c: &SiteConn, conversion: ConversionId) -> Result<Vec<Entry>> {
    let rows: Vec<(i32, i64, String)> = c.list(
        "select book_day, amount_minor, currency from entries where site_id = :site and conversion_id = :id order by book_day, id",
        named_params! {":id": conversion.number()},
        |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
    )?;
    let all =
        rows.into_iter().filter_map(|(day, minor, code)| Some(Entry { day: Day(day), amount: Money::new(minor, Currency::parse(&code)?) }));
    Ok(all.collect())
}

/// What was sold, as the best informed order lists it; else the product that a statement names.
pub fn pieces_of(c: &SiteConn, conversion: ConversionId, amount: Option<Money>) -> Result<Vec<Piece>> {
    let items: Option<String> = c.find(
        "select items from orders where site_id = :site and conversion_id = :id order by rank desc, modified_at desc, connection_id limit 1",
        named_params! {":id": conversion.number()},
        |row| row.get(0),
    )?;
    if let Some(items) = items {
        let items: Vec<Item> = serde_json::from_str(&items).unwrap_or_default();
        let piece = |item: Item| Piece {
            names: [Some(item.id), item.name].into_iter().flatten().filter(|n| !n.is_empty()).collect(),
            quantity: item.quantity,
            minor: item.price.map_or(0, |p| p.minor.saturating_mul(item.quantity.max(1))),
        };
        return Ok(items.into_iter().map(piece).collect());
    }
    let product: Option<Option<String>> = c.find(
        "select case when json_valid(detail) then detail ->> '$.product_id' end from reports
         where site_id = :site and conversion_id = :id and fact_kind = 'statement' order by rank desc, id limit 1",
        named_params! {":id": conversion.number()},
        |row| row.get(0),
    )?;
    let piece = |name: String| Piece { names: vec![name], quantity: 1, minor: amount.map_or(0, |m| m.minor) };
    Ok(product.flatten().map(piece).into_iter().collect())
}

/// Sales and leads of a browser that happened in a time.
pub fn conversions_of(c: &SiteConn, session: SessionId, from: Time, until: Time) -> Result<Vec<ConversionId>> {
    c.list(
        "select id from conversions where site_id = :site and session_id = :session and happened_at between :from and :until limit 100",
        named_params! {":session": session.number(), ":from": from.ms(), ":until": until.ms()},
        |row| Ok(ConversionId::new(row.get(0)?)),
    )
}

/// What is due and not paid to a partner: by currency, of lines whose sale waits for nothing any more.
pub fn owed(c: &SiteConn, affiliate: AffiliateId, now: Time) -> Result<Vec<Money>> {
    let sums: Vec<(String, i64)> = c.list(
        "select k.currency, sum(k.amount_minor) from commissions k
         left join affiliate_credits e on e.site_id = k.site_id and e.conversion_id = k.conversion_id
         where k.site_id = :site and k.affiliate_id = :id and k.payout_id is null and k.currency is not null
           and (e.verdict is not null or (e.flag is null and e.due_at <= :now) or e.affiliate_id is not k.affiliate_id)
         group by k.currency having sum(k.amount_minor) <> 0 order by k.currency",
        named_params! {":id": affiliate.number(), ":now": now.ms()},
        |row| Ok((row.get(0)?, row.get(1)?)),
    )?;
    Ok(sums.into_iter().filter_map(|(code, minor)| Currency::parse(&code).map(|currency| Money::new(minor, currency))).collect())
}

/// The same of all partners.
pub fn owed_to_all(c: &SiteConn, now: Time) -> Result<BTreeMap<AffiliateId, Vec<Money>>> {
    let sums: Vec<(i64, String, i64)> = c.list(
        "select k.affiliate_id, k.currency, sum(k.amount_minor) from commissions k
         left join affiliate_credits e on e.site_id = k.site_id and e.conversion_id = k.conversion_id
         where k.site_id = :site and k.affiliate_id is not null and k.payout_id is null and k.currency is not null
           and (e.verdict is not null or (e.flag is null and e.due_at <= :now) or e.affiliate_id is not k.affiliate_id)
         group by k.affiliate_id, k.currency having sum(k.amount_minor) <> 0 order by k.affiliate_id, k.currency",
        named_params! {":now": now.ms()},
        |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
    )?;
    let mut all: BTreeMap<AffiliateId, Vec<Money>> = BTreeMap::new();
    for (id, code, minor) in sums {
        if let Some(currency) = Currency::parse(&code) {
            all.entry(AffiliateId::new(id)).or_default().push(Money::new(minor, currency));
        }
    }
    Ok(all)
}

/// What is left of a conversion's commission for a partner.
pub fn left(c: &SiteConn, conversion: ConversionId, affiliate: Option<AffiliateId>) -> Result<Vec<Money>> {
    let sums: Vec<(String, i64)> = c.list(
        "select currency, sum(amount_minor) from commissions
         where site_id = :site and conversion_id = :id and affiliate_id is :affiliate and currency is not null group by currency",
        named_params! {":id": conversion.number(), ":affiliate": affiliate.map(AffiliateId::number)},
        |row| Ok((row.get(0)?, row.get(1)?)),
    )?;
    Ok(sums.into_iter().filter_map(|(code, minor)| Currency::parse(&code).map(|currency| Money::new(minor, currency))).collect())
}

/// Marks what is due as paid in one payment. Gives its number.
pub fn pay(c: &SiteConn, affiliate: AffiliateId, amount: Money, paid_on: Day, reference: &str, who: &str, now: Time) -> Result<PayoutId> {
    let id = PayoutId::new(c.next_number(PayoutId::WORD)?);
    c.execute(
        "insert into payouts (site_id, id, affiliate_id, amount_minor, currency, paid_on, reference, at, who)
         values (:site, :id, :affiliate, :amount, :currency, :paid, :reference, :now, :who)",
        named_params! {":id": id.number(), ":affiliate": affiliate.number(), ":amount": amount.minor, ":currency": amount.currency.code(),
        ":paid": paid_on.0, ":reference": reference, ":now": now.ms(), ":who": who},
    )?;
    c.execute(
        "update commissions set payout_id = :payout where site_id = :site and id in
           (select k.id from commissions k
            left join affiliate_credits e on e.site_id = k.site_id and e.conversion_id = k.conversion_id
            where k.site_id = :site and k.affiliate_id = :affiliate and k.payout_id is null and k.currency = :currency
              and (e.verdict is not null or (e.flag is null and e.due_at <= :now) or e.affiliate_id is not k.affiliate_id))",
        named_params! {":payout": id.number(), ":affiliate": affiliate.number(), ":currency": amount.currency.code(), ":now": now.ms()},
    )?;
    Ok(id)
}

fn money_of(code: Option<String>) -> Option<Currency> {
    code.as_deref().and_then(Currency::parse)
}

fn read(row: &Row) -> Result<Credit> {
    let sql = super::super::scope::sql_error;
    let time = |place| row.get::<_, Option<i64>>(place).map(|t| t.map(Time::from_ms)).map_err(sql);
    let (way, terms): (String, Option<String>) = (row.get(2).map_err(sql)?, row.get(4).map_err(sql)?);
    let way = Way::parse(&way).ok_or_else(|| Error::internal(format!("{way} is no way to earn")))?;
    let followed_at = time(3)?;
    let verdict: Option<String> = row.get(9).map_err(sql)?;
    Ok(Credit {
        affiliate: row.get::<_, Option<i64>>(0).map_err(sql)?.map(AffiliateId::new),
        claim: Claim {
            way,
            code: row.get(1).map_err(sql)?,
            at: if way == Way::Link { followed_at } else { None },
            is_asserted: row.get(12).map_err(sql)?,
        },
        followed_at,
        terms: terms.as_deref().map(serde_json::from_str).transpose().map_err(Error::internal)?,
        hold_days: row.get(5).map_err(sql)?,
        due_at: time(6)?.unwrap_or(Time::from_ms(0)),
        reason: row.get(7).map_err(sql)?,
        flag: row.get(8).map_err(sql)?,
        verdict: verdict.zip(time(10)?),
        model: Model::parse(&row.get::<_, String>(11).map_err(sql)?).unwrap_or_default(),
    })
}
