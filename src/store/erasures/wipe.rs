//! Carries out the plan of `domain::erasure` for one person, table by table, in the caller's transaction.

use std::collections::BTreeMap;

use rusqlite::named_params;
use serde_json::{Map, Value};

use super::super::affiliates;
use super::super::scope::SiteConn;
use super::super::trails::visits;
use super::goods::{self, Bearer};
use super::person::Whole;
use crate::domain::attribution::PathTouch;
use crate::domain::erasure::{IMPERSONAL, PLAN};
use crate::domain::time::{MINUTE_MS, Time, Zone};
use crate::error::{Error, Result};

/// Rows by table; each table of the plan is named, also where it had nothing.
pub type Counts = BTreeMap<&'static str, usize>;

pub fn run(c: &SiteConn, zone: &Zone, whole: &Whole, digests: &[[u8; 16]], at: Time) -> Result<Counts> {
    let mut counts: Counts = PLAN.iter().map(|p| (p.table, 0)).collect();
    let mut count = |table: &'static str, rows: usize| *counts.entry(table).or_default() += rows;
    if !whole.sessions.is_empty() {
        visits::went(c)?;
    }
    let bearer = Bearer::of(c, whole)?;
    for conversion in &whole.conversions {
        keep_for_counts(c, *conversion)?;
    }
    for session in &whole.sessions {
        leave_visits(c, zone, *session)?;
        let id = named_params! {":id": session};
        count("touches", c.execute("delete from touches where site_id = :site and session_id = :id", id)?);
        let sql = "update link_clicks set click = null
             where site_id = :site and click in (select value from clicks where site_id = :site and session_id = :id and kind = 'halo_click')";
        count("link_clicks", c.execute(sql, id)?);
        count("clicks", c.execute("delete from clicks where site_id = :site and session_id = :id", id)?);
        count("page_events", c.execute("delete from page_events where site_id = :site and session_id = :id", id)?);
        count("short_codes", c.execute("delete from short_codes where site_id = :site and session_id = :id", id)?);
        count("consents", c.execute("delete from consents where site_id = :site and session_id = :id", id)?);
        count("session_addresses", c.execute("delete from session_addresses where site_id = :site and session_id = :id", id)?);
        count("session_people", c.execute("delete from session_people where site_id = :site and session_id = :id", id)?);
        count("sessions", c.execute("delete from sessions where site_id = :site and id = :id", id)?);
    }
    for (kind, value) in &whole.identities {
        let known = named_params! {":kind": kind, ":value": value};
        count("session_people", c.execute("delete from session_people where site_id = :site and kind = :kind and value = :value", known)?);
        count("identities", c.execute("delete from identities where site_id = :site and kind = :kind and value = :value", known)?);
    }
    for contact in &whole.contacts {
        let id = named_params! {":id": contact};
        count("identities", c.execute("delete from identities where site_id = :site and contact_id = :id", id)?);
        count("consents", c.execute("delete from consents where site_id = :site and contact_id = :id", id)?);
        count("contact_merges", c.execute("delete from contact_merges where site_id = :site and kept = :id", id)?);
        count("contacts", c.execute("delete from contacts where site_id = :site and id = :id", id)?);
    }
    for inbox in &whole.inbox {
        let id = named_params! {":id": inbox};
        count("inbox_people", c.execute("delete from inbox_people where site_id = :site and inbox_id = :id", id)?);
        let sql = "update inbox set body = null, reason = case when reason is null then null else 'erased' end
             where site_id = :site and id = :id and body is not null";
        count("inbox", c.execute(sql, id)?);
    }
    for digest in digests {
        let sql = "delete from inbox_people where site_id = :site and digest = :digest";
        count("inbox_people", c.execute(sql, named_params! {":digest": digest})?);
    }
    for event in &whole.events {
        let sql = "delete from tracker_events where site_id = :site and id = :id";
        count("tracker_events", c.execute(sql, named_params! {":id": event})?);
    }
    for lead in &whole.leads {
        let sql = "update leads set contact_id = null, email = null, phone = null, first_name = null, last_name = null, company = null,
               message = null, custom_fields = '{}', url = null, session_id = null, content_key = null, erased_at = :at
             where site_id = :site and id = :id and erased_at is null";
        count("leads", c.execute(sql, named_params! {":id": lead, ":at": at.ms()})?);
    }
    for talk in &whole.conversations {
        let id = named_params! {":id": talk, ":at": at.ms()};
        let sql = "update conversations set external_id = 'erased_' || id, visitor = null, contact_id = null, email = null, phone = null,
               session_id = null, erased_at = :at
             where site_id = :site and id = :id and erased_at is null";
        count("conversations", c.execute(sql, id)?);
        let sql = "delete from messages where site_id = :site and conversation_id = :id";
        count("messages", c.execute(sql, named_params! {":id": talk})?);
    }
    // For the counts they stay one and the same somebody, under a number that is nobody's.
    let nobody = -c.next_inner_number("milestone")?;
    for milestone in &whole.milestones {
        count("milestones", of_milestone(c, whole, *milestone, nobody, at)?);
    }
    for enrolment in &whole.enrolments {
        without_user(c, *enrolment)?;
        let named = named_params! {":id": enrolment, ":nobody": nobody, ":at": at.ms()};
        let sql = "update enrolments set contact_id = :nobody, email = null, user_id = null, erased_at = :at
             where site_id = :site and conversion_id = :id and erased_at is null";
        // The number under which it was told stays: a digest under the site's own key, as tombstones are, by which a repeat is known.
        count("enrolments", c.execute(sql, named)?);
    }
    for value in texts(whole) {
        for lead in &whole.leads {
            let sql = "update leads set external_id = 'erased_' || id
                 where site_id = :site and id = :id and instr(lower(external_id), :value) > 0";
            c.execute(sql, named_params! {":id": lead, ":value": value})?;
        }
    }
    for order in &whole.orders {
        let sql = "update orders set contact_id = null, email = null, phone = null, first_name = null, last_name = null,
               customer_id = null, session_id = null, journey = '[]', erased_at = :at
             where site_id = :site and id = :id and erased_at is null";
        let sql_of_refunds = "update refunds set reason = null
             where site_id = :site and reason is not null and (connection_id, order_external_id) =
               (select connection_id, external_id from orders where site_id = :site and id = :id)";
        count("refunds", c.execute(sql_of_refunds, named_params! {":id": order})?);
        count("orders", c.execute(sql, named_params! {":id": order, ":at": at.ms()})?);
        goods::rename(c, &bearer, *order)?;
    }
    for (kind, value) in &whole.identities {
        for partner in affiliates::list_of_person(c, kind, value)? {
            count("affiliates", usize::from(affiliates::erase(c, partner, at)?));
            count("affiliate_statements", affiliates::statements::erase(c, partner)?);
        }
    }
    let mut buyers: BTreeMap<i64, i64> = BTreeMap::new();
    for conversion in &whole.conversions {
        let buyer = buyer_of(c, *conversion, &mut buyers)?;
        of_conversion(c, whole, &bearer, *conversion, (nobody, buyer, at), &mut count)?;
    }
    Ok(counts)
}

/// What a conversion is counted by and its browser alone knows: with the browser gone the counts would change.
fn keep_for_counts(c: &SiteConn, id: i64) -> Result<()> {
    type Last = (Option<i64>, Option<i64>, Option<i64>);
    let last: Option<Last> = c.find(
        "select coalesce(v.session_id, case when json_valid(k.path) then k.path ->> '$[#-1].session' end),
           case when json_valid(k.path) then k.path ->> '$[#-1].session' end, case when json_valid(k.path) then k.path ->> '$[#-1].seq' end
         from conversions v left join credits k on k.site_id = v.site_id and k.conversion_id = v.id and k.run = v.run
         where v.site_id = :site and v.id = :id and v.erased_at is null",
        named_params! {":id": id},
        |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
    )?;
    let Some((browser, last, seq)) = last else { return Ok(()) };
    c.execute(
        "update conversions set
           country = coalesce(country, (select country from sessions where site_id = :site and id = :browser)),
           device = (select device from sessions where site_id = :site and id = :browser),
           marketing = (select marketing from touches where site_id = :site and session_id = :last and seq = :seq)
         where site_id = :site and id = :id",
        named_params! {":id": id, ":browser": browser, ":last": last, ":seq": seq},
    )?;
    Ok(())
}

/// A number below zero, of nobody, for each contact who bought: new and returning customers stay as many as they were.
fn buyer_of(c: &SiteConn, id: i64, known: &mut BTreeMap<i64, i64>) -> Result<Option<i64>> {
    let contact: Option<Option<i64>> =
        c.find("select contact_id from conversions where site_id = :site and id = :id", named_params! {":id": id}, |row| row.get(0))?;
    let Some(contact) = contact.flatten() else { return Ok(None) };
    if let Some(buyer) = known.get(&contact) {
        return Ok(Some(*buyer));
    }
    let buyer = -c.next_inner_number("milestone")?;
    known.insert(contact, buyer);
    Ok(Some(buyer))
}

fn of_milestone(c: &SiteConn, whole: &Whole, id: i64, nobody: i64, at: Time) -> Result<usize> {
    let changed = c.next_inner_number("milestone")?;
    for value in texts(whole) {
        c.execute(
            "update milestones set external_id = 'erased_' || id
             where site_id = :site and id = :id and instr(lower(external_id), :value) > 0",
            named_params! {":id": id, ":value": value},
        )?;
    }
    c.execute(
        "update milestones set contact_id = :nobody, session_id = null, email = null, phone = null, first_name = null, last_name = null,
           company = null, referrer = null, data = '{}', metadata = '{}', changed = :changed, erased_at = :at
         where site_id = :site and id = :id and erased_at is null",
        named_params! {":id": id, ":nobody": nobody, ":changed": changed, ":at": at.ms()},
    )
}

fn of_conversion(
    c: &SiteConn,
    whole: &Whole,
    bearer: &Bearer,
    id: i64,
    (nobody, buyer, at): (i64, Option<i64>, Time),
    count: &mut impl FnMut(&'static str, usize),
) -> Result<()> {
    let key = named_params! {":id": id};
    // An answer kept for a repeat names its conversion.
    let sql = "delete from idempotency_keys where site_id = :site and instr(answer, :name) > 0";
    count("idempotency_keys", c.execute(sql, named_params! {":name": format!("\"conversion_{id}\"")})?);
    // What a platform has already is known to be there, and is asked about no more.
    let sql = "update deliveries set state = 'accepted', reason = null, next_at = null, owner = null
         where site_id = :site and conversion_id = :id and state in ('accepted', 'leased') and reason = 'checking'";
    c.execute(sql, key)?;
    // What waits is called back, and says why: how many there were to tell stays, as with every other reason.
    let sql = "update deliveries set state = 'cancelled', reason = 'erased', next_at = null, owner = null, settled_at = :at,
           request = null, response = null, step = null
         where site_id = :site and conversion_id = :id and state in ('pending', 'leased', 'held')";
    count("deliveries", c.execute(sql, named_params! {":id": id, ":at": at.ms()})?);
    let sql = "update deliveries set request = null, response = null, step = null
         where site_id = :site and conversion_id = :id and (request is not null or response is not null or step is not null)";
    count("deliveries", c.execute(sql, key)?);
    let sql = "update attempts set sentence = '' where site_id = :site and sentence <> ''
         and delivery_id in (select id from deliveries where site_id = :site and conversion_id = :id)";
    count("attempts", c.execute(sql, key)?);
    let reports: Vec<(i64, String)> =
        c.list("select id, detail from reports where site_id = :site and conversion_id = :id", key, |row| Ok((row.get(0)?, row.get(1)?)))?;
    for (report, detail) in reports {
        if let Some(click) = quoted_click(&detail) {
            let sql = "update link_clicks set click = null where site_id = :site and click = :click";
            count("link_clicks", c.execute(sql, named_params! {":click": click})?);
        }
        let sql = "update reports set detail = :detail, known = null where site_id = :site and id = :id";
        count("reports", c.execute(sql, named_params! {":id": report, ":detail": impersonal(&detail, bearer)})?);
    }
    let runs: Vec<(i64, String, String)> =
        c.list("select run, path, snapshot from credits where site_id = :site and conversion_id = :id", key, |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?))
        })?;
    for (run, path, snapshot) in runs {
        let snapshot = deleted(&snapshot, at);
        let sql = "update credits set snapshot = :snapshot, path = :path where site_id = :site and conversion_id = :id and run = :run";
        let new = named_params! {":id": id, ":run": run, ":snapshot": snapshot, ":path": without_browser(&path)?};
        count("credits", c.execute(sql, new)?);
    }
    names_of_its_own(c, whole, id)?;
    let sql = "update conversions set contact_id = null, session_id = null, nobody = :nobody, bought_by = :buyer, erased_at = :at
         where site_id = :site and id = :id and erased_at is null";
    count("conversions", c.execute(sql, named_params! {":id": id, ":nobody": nobody, ":buyer": buyer, ":at": at.ms()})?);
    Ok(())
}

/// Addresses and phone numbers as they may stand inside an id.
fn texts(whole: &Whole) -> Vec<String> {
    let digits = whole.phones().into_iter().map(|p| p.trim_start_matches('+').to_owned()).collect::<Vec<_>>();
    whole.emails().into_iter().chain(digits).collect()
}

/// The user's own id in the owner's product, by which a sign-up was told, is in its name and in what it is called elsewhere. The
/// number by which a repeat is known is a digest, and stays.
fn without_user(c: &SiteConn, conversion: i64) -> Result<()> {
    let sql = "select user_id from enrolments where site_id = :site and conversion_id = :id and user_id is not null and user_id <> ''";
    let user: Option<String> = c.find(sql, named_params! {":id": conversion}, |row| row.get(0))?;
    let Some(user) = user else { return Ok(()) };
    for sql in [
        "update conversions set label = 'Erased ' || id, event_id = 'erased_' || id
         where site_id = :site and id = :id and (instr(label, :user) > 0 or instr(event_id, :user) > 0)",
        "update deliveries set event_id = 'erased_' || conversion_id
         where site_id = :site and conversion_id = :id and instr(event_id, :user) > 0",
        "update reversals set event_id = null where site_id = :site and conversion_id = :id and instr(event_id, :user) > 0",
        "update reports set order_key = null
         where site_id = :site and conversion_id = :id and instr(lower(order_key), lower(:user)) > 0",
    ] {
        c.execute(sql, named_params! {":id": conversion, ":user": user})?;
    }
    Ok(())
}

/// Some senders take the address itself for an id: then the id goes too.
fn names_of_its_own(c: &SiteConn, whole: &Whole, id: i64) -> Result<()> {
    for value in texts(whole) {
        let named = named_params! {":id": id, ":value": value};
        c.execute(
            "update conversions set label = 'Erased ' || id, event_id = 'erased_' || id, order_key = null
             where site_id = :site and id = :id and (instr(lower(label), :value) > 0 or instr(lower(event_id), :value) > 0)",
            named,
        )?;
        c.execute(
            "update deliveries set event_id = 'erased_' || conversion_id
             where site_id = :site and conversion_id = :id and instr(lower(event_id), :value) > 0",
            named,
        )?;
        c.execute(
            "update reversals set event_id = null
             where site_id = :site and conversion_id = :id and instr(lower(event_id), :value) > 0",
            named,
        )?;
        c.execute(
            "update reports set external_id = 'erased_' || id, order_key = null
             where site_id = :site and conversion_id = :id and instr(lower(external_id || ' ' || coalesce(order_key, '')), :value) > 0",
            named,
        )?;
        c.execute(
            "update orders set external_id = 'erased_' || id, order_number = 'erased_' || id, order_key = null
             where site_id = :site and conversion_id = :id and (instr(lower(external_id), :value) > 0 or instr(lower(order_number), :value) > 0)",
            named,
        )?;
    }
    Ok(())
}

/// A browser's visits stay as visits of nobody, to the minute, with what it had answered: the counts of their days do not change.
fn leave_visits(c: &SiteConn, zone: &Zone, session: i64) -> Result<()> {
    type Visit = (i64, String, String, Option<String>, Option<String>, Option<String>, String);
    let visits: Vec<Visit> = c.list(
        "select t.at, t.source, t.medium, t.campaign, s.country, s.device, t.marketing
         from touches t join sessions s on s.site_id = t.site_id and s.id = t.session_id
         where t.site_id = :site and t.session_id = :id and t.starts_visit = 1",
        named_params! {":id": session},
        |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?, row.get(5)?, row.get(6)?)),
    )?;
    for (at, source, medium, campaign, country, device, marketing) in visits {
        let id = c.next_inner_number("anon_event")?;
        let day = zone.day(Time::from_ms(at));
        c.execute(
            "insert into anon_events (site_id, id, at, day, source, medium, utm_campaign, country, device, starts_visit, marketing)
             values (:site, :id, :at, :day, :source, :medium, :campaign, :country, :device, 1, :marketing)",
            named_params! {":id": id, ":at": at - at.rem_euclid(MINUTE_MS), ":day": day.0, ":source": source, ":medium": medium,
            ":campaign": campaign, ":country": country, ":device": device, ":marketing": marketing},
        )?;
    }
    Ok(())
}

/// As the documents print it of somebody who was deleted, with the figures that reports add up.
fn deleted(snapshot: &str, at: Time) -> String {
    const FIGURES: [&str; 7] = ["match_type", "asserted", "days_to_convert", "seconds_to_convert", "model", "window", "shares_bp"];
    let mut kept: Map<String, Value> = match serde_json::from_str(snapshot) {
        Ok(Value::Object(fields)) => fields.into_iter().filter(|(key, _)| FIGURES.contains(&key.as_str())).collect(),
        _ => Map::new(),
    };
    kept.insert("deleted".into(), true.into());
    kept.insert("deletion_date".into(), at.utc().into());
    Value::Object(kept).to_string()
}

/// The click id by which a sender told of somebody.
fn quoted_click(detail: &str) -> Option<String> {
    let detail: Value = serde_json::from_str(detail).ok()?;
    detail["click_id"].as_str().map(str::to_owned)
}

fn impersonal(detail: &str, bearer: &Bearer) -> String {
    let Ok(Value::Object(detail)) = serde_json::from_str(detail) else { return "{}".into() };
    let mut kept: Map<String, Value> = detail.into_iter().filter(|(key, _)| IMPERSONAL.contains(&key.as_str())).collect();
    if let Some(items) = kept.get_mut("items") {
        *items = goods::unnamed(bearer, std::mem::take(items));
    }
    Value::Object(kept).to_string()
}

/// Where the touches came from stays, for the models; which browser and page it was goes.
fn without_browser(path: &str) -> Result<String> {
    let mut path: Vec<PathTouch> = serde_json::from_str(path).map_err(Error::internal)?;
    for step in &mut path {
        step.touch.session = 0;
        step.touch.landing = None;
        step.touch.referrer = None;
        step.touch.term = None;
        step.touch.content = None;
    }
    serde_json::to_string(&path).map_err(Error::internal)
}
