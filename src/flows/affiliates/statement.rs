//! What a statement shows: gathered while its month is open, and written down for good when the month is closed.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::domain::affiliate::claim;
use crate::domain::ids::AffiliateId;
use crate::domain::money::{Currency, Money};
use crate::domain::question::Days;
use crate::domain::time::{Day, Time};
use crate::error::{Error, Result};
use crate::store::affiliates::{self, Affiliate, Code, commissions, statements};
use crate::store::questions::affiliates::{self as questions, Figures, Line, MOST_LINES, Payout, Whose};
use crate::store::scope::SiteConn;
use crate::store::sites::Site;

/// Everything that a statement shows, as of one moment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Statement {
    /// Kept beside the rest: it goes with the partner.
    #[serde(skip)]
    pub name: String,
    pub month: Day,
    pub as_of: Time,
    pub site_name: String,
    pub currency: Currency,
    pub zone: String,
    pub codes: Vec<String>,
    pub coupons: Vec<String>,
    pub terms: String,
    pub cookie_days: u32,
    pub hold_days: u32,
    /// Who earns, as it is printed.
    pub rule: String,
    pub figures: Figures,
    pub lines: Vec<Line>,
    pub is_cut: bool,
    pub payouts: Vec<Payout>,
    pub owed: Vec<Money>,
}

/// A statement with how it stands.
#[derive(Debug, Clone, PartialEq)]
pub struct Standing {
    pub statement: Statement,
    /// None while the month is open.
    pub closed: Option<Closed>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Closed {
    pub at: Time,
    /// SHA-256 of what was written down; none where the partner was not there yet.
    pub digest: Option<[u8; 32]>,
}

/// Partners with what is asked of all of them at once.
struct Month<'a> {
    site: &'a Site,
    first: Day,
    codes: Vec<Code>,
    figures: BTreeMap<Whose, Figures>,
    owed: BTreeMap<AffiliateId, Vec<Money>>,
    now: Time,
}

/// The statement of a partner: as it was closed, or as it stands now.
pub fn find(c: &SiteConn, site: &Site, id: AffiliateId, month: Day, now: Time) -> Result<Standing> {
    let partner = super::found(c, id)?;
    let Some(at) = affiliates::closed_at(c, month)? else {
        let statement = Month::read(c, site, month, now)?.of(c, &partner)?;
        return Ok(Standing { statement, closed: None });
    };
    let Some(frozen) = statements::find(c, id, month)? else {
        // Added after the month was closed: what came of it stands in the first month that was open.
        let statement = Month { site, first: month, codes: Vec::new(), figures: BTreeMap::new(), owed: BTreeMap::new(), now: at };
        return Ok(Standing { statement: statement.without_anything(&partner), closed: Some(Closed { at, digest: None }) });
    };
    let mut statement: Statement = serde_json::from_str(&frozen.body).map_err(Error::internal)?;
    statement.name = frozen.name;
    Ok(Standing { statement, closed: Some(Closed { at: frozen.closed_at, digest: Some(frozen.digest) }) })
}

/// Writes down the statements of all months up to this one that are not yet final. Gives how many.
pub fn freeze(c: &SiteConn, site: &Site, month: Day, now: Time) -> Result<usize> {
    let partners = affiliates::list(c)?;
    let added = partners.iter().map(|p| site.zone.day(p.created_at));
    let Some(begin) = added.chain(affiliates::first_day(c)?).min() else { return Ok(0) };
    let mut at = affiliates::closed_month(c)?.map_or(begin.month(), |closed| closed.plus_months(1).max(begin.month()));
    let mut count = 0;
    while at <= month {
        let whole = Month::read(c, site, at, now)?;
        for partner in &partners {
            let was_there = site.zone.day(partner.created_at) < at.plus_months(1);
            if !was_there && !whole.figures.contains_key(&Whose::Partner(partner.id)) {
                continue;
            }
            let statement = whole.of(c, partner)?;
            let body = serde_json::to_string(&statement).map_err(Error::internal)?;
            statements::add(c, partner.id, at, &partner.name, &body, now)?;
            count += 1;
        }
        at = at.plus_months(1);
    }
    Ok(count)
}

impl<'a> Month<'a> {
    fn read(c: &SiteConn, site: &'a Site, first: Day, now: Time) -> Result<Self> {
        let codes = affiliates::list_codes(c)?;
        let partner_of = codes.iter().filter(|k| k.kind == "code").map(|k| (k.value.clone(), k.affiliate)).collect();
        let figures = questions::all(c, days_of(first), Some(now), &partner_of)?;
        Ok(Self { site, first, codes, figures, owed: commissions::owed_to_all(c, now)?, now })
    }

    fn of(&self, c: &SiteConn, partner: &Affiliate) -> Result<Statement> {
        let lines = questions::lines(c, partner.id, days_of(self.first), self.now)?;
        Ok(Statement {
            figures: self.figures.get(&Whose::Partner(partner.id)).cloned().unwrap_or_default(),
            is_cut: lines.len() >= MOST_LINES,
            lines,
            payouts: questions::payouts(c, partner.id)?,
            owed: self.owed.get(&partner.id).cloned().unwrap_or_default(),
            ..self.without_anything(partner)
        })
    }

    fn without_anything(&self, partner: &Affiliate) -> Statement {
        let of = |kind: &str| {
            let own = self.codes.iter().filter(|k| k.affiliate == partner.id && k.kind == kind);
            own.map(|k| k.shown.clone()).collect()
        };
        Statement {
            name: partner.name.clone(),
            month: self.first,
            as_of: self.now,
            site_name: self.site.name.clone(),
            currency: self.site.currency,
            zone: self.site.zone.name().to_owned(),
            codes: of("code"),
            coupons: of("coupon"),
            terms: partner.terms.words(),
            cookie_days: partner.cookie_days,
            hold_days: partner.hold_days,
            rule: format!("{} {}", claim::RULE, self.site.settings.affiliate_model.sentence()),
            figures: Figures::default(),
            lines: Vec::new(),
            is_cut: false,
            payouts: Vec::new(),
            owed: Vec::new(),
        }
    }
}

fn days_of(month: Day) -> Days {
    Days { from: month, to: month.plus_months(1).plus(-1) }
}
