//! Partners: added, changed, paused, anonymised; what they are owed, paid; months closed; links to their statements. The
//! command line and the dashboard both come here.

/// What was sent.
mod payment;
/// What a statement shows, and what it has shown.
pub mod statement;

use std::net::IpAddr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::app::App;
use crate::domain::affiliate::{self, COOKIE_DAYS, HOLD_DAYS, MOST_CODES, MOST_DAYS, Terms};
use crate::domain::ids::{AffiliateId, ConversionId, SiteId, StatementId};
use crate::domain::person::{Email, Phone};
use crate::domain::time::{DAY_MS, Day, Time};
use crate::error::{Error, Kind, Result};
use crate::flows::commissions as ledger;
use crate::limits::{Rate, address_key};
use crate::store::affiliates::links as statement_links;
use crate::store::affiliates::links::StatementLink;
use crate::store::affiliates::{self, Affiliate, commissions};
use crate::store::audit;
use crate::store::scope::SiteConn;
use crate::store::sites::Site;

pub use payment::pay;

/// Questions of one address about statement links.
const LOOKS: Rate = Rate::per_second(10, 60);
const LONGEST_NAME: usize = 100;
const LONGEST_TEXT: usize = 200;
/// For how long a link to a statement may be good.
pub const MOST_LINK_DAYS: i64 = 730;

/// What the owner types. What is absent stays as it is, or is the default.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct AffiliateForm {
    pub name: Option<String>,
    pub email: Option<String>,
    pub phone: Option<String>,
    pub payout: Option<String>,
    pub codes: Option<Vec<String>>,
    pub coupons: Option<Vec<String>>,
    /// `10%`, `5.00`, `lead=2.00`, `product:SKU=15%`
    pub commission: Option<Vec<String>>,
    pub cookie_days: Option<u32>,
    pub hold_days: Option<u32>,
    pub paused: Option<bool>,
}

pub async fn add(app: &App, site: &Arc<Site>, form: AffiliateForm, who: &str) -> Result<AffiliateId> {
    let now = app.clock.now();
    let codes = codes("code", form.codes.as_deref().unwrap_or_default())?;
    let (_, first) =
        codes.first().ok_or_else(|| Error::invalid("codes", "Name the partner's code, as it stands behind ?ref= in a link."))?;
    if form.commission.as_ref().is_none_or(Vec::is_empty) {
        return Err(Error::invalid("commission", "Name a commission such as 10% or 5.00."));
    }
    let blank = Affiliate {
        id: AffiliateId::new(0),
        name: first.clone(),
        email: None,
        phone: None,
        payout: None,
        terms: Terms::default(),
        cookie_days: COOKIE_DAYS,
        hold_days: HOLD_DAYS,
        pauses: Vec::new(),
        erased_at: None,
        created_at: now,
    };
    let partner = filled(site, blank, &form, now)?;
    let coupons = self::codes("coupon", form.coupons.as_deref().unwrap_or_default())?;
    let who = who.to_owned();
    app.store
        .write(site.id, move |c| {
            let id = affiliates::add(c, &partner)?;
            set_codes(c, id, "code", &codes, now)?;
            set_codes(c, id, "coupon", &coupons, now)?;
            for (value, _) in &codes {
                affiliates::adopt(c, id, value)?;
            }
            let detail = json!({"affiliate": id, "codes": shown(&codes), "coupons": shown(&coupons), "commission": partner.terms.texts()});
            audit::add(c, &who, "affiliate_added", &detail, now)?;
            Ok(id)
        })
        .await
}

/// New terms are for what becomes known from now on: known sales keep theirs.
pub async fn change(app: &App, site: &Arc<Site>, id: AffiliateId, form: AffiliateForm, who: &str) -> Result<()> {
    let now = app.clock.now();
    let (of, who) = (site.clone(), who.to_owned());
    app.store
        .write(site.id, move |c| {
            let known = found(c, id)?;
            if known.erased_at.is_some() {
                return Err(Error::new(Kind::Conflict, "erased", "This partner was erased. Add a new one."));
            }
            let partner = filled(&of, known.clone(), &form, now)?;
            affiliates::change(c, &partner)?;
            for (kind, given) in [("code", &form.codes), ("coupon", &form.coupons)] {
                let Some(given) = given else { continue };
                let codes = codes(kind, given)?;
                if kind == "code" && codes.is_empty() {
                    return Err(Error::invalid("codes", "A partner keeps at least one code."));
                }
                set_codes(c, id, kind, &codes, now)?;
            }
            let mut detail = json!({"affiliate": id, "codes": form.codes, "coupons": form.coupons});
            if partner.terms != known.terms {
                detail["commission"] = json!({"before": known.terms.texts(), "now": partner.terms.texts()});
            }
            let what = match (known.is_paused(), partner.is_paused()) {
                (false, true) => "affiliate_paused",
                (true, false) => "affiliate_resumed",
                _ => "affiliate_changed",
            };
            audit::add(c, &who, what, &detail, now)
        })
        .await
}

/// Who the partner was goes, with every link to a statement; what was earned stays in the books, and nothing more is.
pub async fn erase(app: &App, site: SiteId, id: AffiliateId, who: &str) -> Result<()> {
    let (now, who) = (app.clock.now(), who.to_owned());
    app.store
        .write(site, move |c| {
            found(c, id)?;
            affiliates::erase(c, id, now)?;
            affiliates::statements::erase(c, id)?;
            audit::add(c, &who, "affiliate_erased", &json!({"affiliate": id}), now)
        })
        .await
}

/// The owner's word on one commission: `approved` pays it before its time or in spite of a flag, `refused` takes it back, none
/// lets it wait again.
pub async fn decide(
    app: &App,
    site: &Arc<Site>,
    id: AffiliateId,
    conversion: ConversionId,
    verdict: Option<&'static str>,
    note: Option<String>,
    who: &str,
) -> Result<()> {
    let now = app.clock.now();
    if note.as_ref().is_some_and(|n| n.chars().count() > LONGEST_TEXT) {
        return Err(Error::invalid("note", format!("A note has at most {LONGEST_TEXT} characters.")));
    }
    let (of, who) = (site.clone(), who.to_owned());
    app.store
        .write(site.id, move |c| {
            let known = commissions::find(c, conversion)?.filter(|k| k.affiliate == Some(id));
            let known = known.ok_or_else(|| Error::not_found(format!("{conversion} earns nothing for {id}.")))?;
            if known.terms.is_none() {
                return Err(Error::new(Kind::Conflict, "earns_nothing", known.reason));
            }
            commissions::set_verdict(c, conversion, verdict, &who, note.as_deref(), now)?;
            ledger::rebook(c, &of, conversion, now)?;
            audit::add(
                c,
                &who,
                "commission_decided",
                &json!({"affiliate": id, "conversion": conversion, "verdict": verdict, "note": note}),
                now,
            )
        })
        .await
}

/// Makes the statements of a month, and of all before it, final: what they show is written down, and nothing changes it any more.
/// What becomes known later is booked in the first month that is open.
pub async fn close(app: &App, site: &Arc<Site>, month: Day, who: &str) -> Result<()> {
    let now = app.clock.now();
    if month.plus_months(1) > site.zone.day(now) {
        return Err(Error::invalid("month", "This month is not over yet."));
    }
    let (of, who) = (site.clone(), who.to_owned());
    app.store
        .write(site.id, move |c| {
            let statements = statement::freeze(c, &of, month, now)?;
            affiliates::close_month(c, month, &who, now)?;
            audit::add(c, &who, "affiliate_month_closed", &json!({"month": month.to_string()[..7], "statements": statements}), now)
        })
        .await
}

/// Makes a link to the statement of a month, and gives its address.
pub async fn add_link(
    app: &App,
    site: &Arc<Site>,
    id: AffiliateId,
    month: Day,
    days: i64,
    who: &str,
) -> Result<(StatementId, String, Time)> {
    let now = app.clock.now();
    let expires_at = now.plus_ms(days * DAY_MS);
    let (of, who) = (site.clone(), who.to_owned());
    let (link, token) = app
        .store
        .write(site.id, move |c| {
            if found(c, id)?.erased_at.is_some() {
                return Err(Error::new(Kind::Conflict, "erased", "This partner was erased."));
            }
            let (link, token) =
                statement_links::add(c, &of.keys.digest, id, month, expires_at, who.split(audit::FROM).next().unwrap_or_default(), now)?;
            audit::add(c, &who, "statement_link_added", &json!({"affiliate": id, "link": link, "month": month.to_string()[..7]}), now)?;
            Ok((link, token))
        })
        .await?;
    Ok((link, address(app, &token), expires_at))
}

pub async fn revoke_link(app: &App, site: SiteId, id: AffiliateId, link: StatementId, who: &str) -> Result<()> {
    let (now, who) = (app.clock.now(), who.to_owned());
    app.store
        .write(site, move |c| {
            if !statement_links::revoke(c, id, link, now)? {
                return Err(Error::not_found(format!("There is no {link}.")));
            }
            audit::add(c, &who, "statement_link_revoked", &json!({"affiliate": id, "link": link}), now)
        })
        .await
}

/// Where a statement's link leads.
pub fn address(app: &App, token: &str) -> String {
    format!("{}/statement/{token}", app.config.public_url)
}

/// A link that is still good, with its site. Unknown, revoked and ended ones are the same.
pub async fn find_link(app: &App, token: &str, client: IpAddr, is_proxy: bool) -> Result<(StatementLink, Arc<Site>)> {
    let now = app.clock.now();
    if !is_proxy {
        app.limits.take("statement", address_key(client), LOOKS, now).map_err(|seconds| {
            Error::new(Kind::TooMany, "too_many", format!("Too many attempts. Try again in {seconds} s.")).after(seconds)
        })?;
    }
    let token = token.to_owned();
    let gone = || Error::new(Kind::NotFound, "not_found", "This link is not there any more. Ask whoever sent it for a new one.");
    let link = app.store.read_all_sites(move |all| statement_links::find(all, &token, now)).await?.ok_or_else(gone)?;
    let site = app.book().site(link.site).cloned().ok_or_else(gone)?;
    Ok((link, site))
}

/// Counts a view.
pub async fn viewed(app: &App, link: &StatementLink) -> Result<()> {
    let (id, now) = (link.id, app.clock.now());
    app.store.write(link.site, move |c| statement_links::viewed(c, id, now)).await
}

/// A partner's code as the partner spells it, for a link that is to be made. A code that nobody has would bring clicks and sales that
/// earn for nobody, so it is refused here; in the address of a visit it is counted beside the partners.
pub fn code_of_link(c: &SiteConn, text: &str) -> Result<String> {
    let wrong = |sentence: String| Error::invalid("affiliate", sentence);
    let code = affiliate::code(text).ok_or_else(|| {
        wrong(format!("{text:?} can be no partner's code: a code has up to 64 letters, digits and - _ . ~ +, without blanks."))
    })?;
    let found = affiliates::find_by_code(c, "code", &code)?.map(|(partner, _)| partner);
    let partner = found.ok_or_else(|| {
        wrong(format!(
            "No partner has the code {text:?}. Add the partner first (Affiliates, or `halotrack affiliate add`), or leave it empty. \
             A code that nobody has, where it only stands in an address, is counted beside the partners and earns nothing."
        ))
    })?;
    if partner.erased_at.is_some() {
        return Err(wrong(format!("The partner who had the code {text:?} was erased and earns nothing any more. Leave it empty.")));
    }
    let own = affiliates::codes_of(c, partner.id, "code")?.into_iter().find(|known| known.value == code);
    Ok(own.map_or_else(|| text.trim().to_owned(), |known| known.shown))
}

pub fn found(c: &SiteConn, id: AffiliateId) -> Result<Affiliate> {
    affiliates::find(c, id)?.ok_or_else(|| Error::not_found(format!("There is no {id} on this site.")))
}

fn filled(site: &Site, known: Affiliate, form: &AffiliateForm, now: Time) -> Result<Affiliate> {
    let terms = match &form.commission {
        None => known.terms.clone(),
        Some(texts) => {
            let texts = texts.iter().map(String::as_str).filter(|t| !t.trim().is_empty());
            Terms::parse(texts, site.currency).map_err(|no| Error::invalid("commission", no.0))?
        }
    };
    let email = match text(form.email.as_deref()) {
        Given::Kept => known.email,
        Given::Nothing => None,
        Given::Text(email) => {
            let read = Email::parse(email).ok_or_else(|| Error::invalid("email", "email must be an address like ann@shop.example."))?;
            Some(read.as_str().to_owned())
        }
    };
    let phone = match text(form.phone.as_deref()) {
        Given::Kept => known.phone,
        Given::Nothing => None,
        Given::Text(phone) => {
            let read = Phone::parse(phone, site.country.as_deref());
            Some(read.ok_or_else(|| Error::invalid("phone", "phone must be a number like +971501234567."))?.as_str().to_owned())
        }
    };
    let payout = match text(form.payout.as_deref()) {
        Given::Kept => known.payout,
        Given::Nothing => None,
        Given::Text(payout) if payout.chars().count() <= LONGEST_TEXT && !payout.chars().any(char::is_control) => Some(payout.to_owned()),
        Given::Text(_) => return Err(Error::invalid("payout", format!("It is one line of at most {LONGEST_TEXT} characters."))),
    };
    let name = match text(form.name.as_deref()) {
        Given::Kept | Given::Nothing => known.name,
        Given::Text(name) if name.chars().count() <= LONGEST_NAME && !name.chars().any(char::is_control) => name.to_owned(),
        Given::Text(_) => return Err(Error::invalid("name", format!("The name is a text of 1 to {LONGEST_NAME} characters."))),
    };
    let days = |field: &str, given: Option<u32>, known: u32, least: u32| match given {
        Some(days) if (least..=MOST_DAYS).contains(&days) => Ok(days),
        Some(_) => Err(Error::invalid(field, format!("Days from {least} to {MOST_DAYS}."))),
        None => Ok(known),
    };
    let (cookie_days, hold_days) =
        (days("cookie_days", form.cookie_days, known.cookie_days, 1)?, days("hold_days", form.hold_days, known.hold_days, 0)?);
    let mut partner = Affiliate { name, email, phone, payout, terms, cookie_days, hold_days, ..known };
    match form.paused {
        Some(true) => partner.pause(now),
        Some(false) => partner.resume(now),
        None => {}
    }
    Ok(partner)
}

enum Given<'t> {
    Kept,
    Nothing,
    Text(&'t str),
}

/// An empty text takes away what was there.
fn text(given: Option<&str>) -> Given<'_> {
    match given.map(str::trim) {
        None => Given::Kept,
        Some("") => Given::Nothing,
        Some(text) => Given::Text(text),
    }
}

/// Compared and shown, in their order, each once.
fn codes(kind: &str, given: &[String]) -> Result<Vec<(String, String)>> {
    let field = field_of(kind);
    let mut all: Vec<(String, String)> = Vec::new();
    for shown in given.iter().map(|text| text.trim()).filter(|text| !text.is_empty()) {
        let value = affiliate::code(shown).ok_or_else(|| {
            Error::invalid(&field, format!("{shown:?} is no {kind}: up to 64 letters, digits and - _ . ~ +, without blanks."))
        })?;
        if !all.iter().any(|(known, _)| *known == value) {
            all.push((value, shown.to_owned()));
        }
    }
    if all.len() > MOST_CODES {
        return Err(Error::invalid(&field, format!("At most {MOST_CODES} of them.")));
    }
    Ok(all)
}

/// As whoever adds a partner calls it: codes and coupons are sent in lists.
fn field_of(kind: &str) -> String {
    format!("{kind}s")
}

fn set_codes(c: &SiteConn, id: AffiliateId, kind: &str, codes: &[(String, String)], now: Time) -> Result<()> {
    for (value, shown) in codes {
        if let Some((other, _)) = affiliates::find_by_code(c, kind, value)?.filter(|(other, _)| other.id != id) {
            let sentence = format!("The {kind} {shown} belongs to {} already.", other.name);
            return Err(Error::new(Kind::Conflict, "code_taken", sentence).of(&field_of(kind)));
        }
    }
    affiliates::set_codes(c, id, kind, codes, now)
}

fn shown(codes: &[(String, String)]) -> Vec<&str> {
    codes.iter().map(|(_, shown)| shown.as_str()).collect()
}

/// A month as `2026-06`.
pub fn month(field: &str, text: &str) -> Result<Day> {
    let day = Day::parse(&format!("{text}-01")).filter(|d| (0..=200_000).contains(&d.0));
    day.ok_or_else(|| Error::invalid(field, format!("{field} is a month like 2026-06.")))
}
