//! What an erasure does to each table of people, and what must not be left of a person in the file.

use std::collections::HashSet;

use super::person::{Email, Phone, google_email, google_phone, meta_email, meta_phone};
use crate::crypto;

/// What of a raw body is the person's to see.
pub mod excerpt;
/// Names of goods that name their buyer.
pub mod titles;
/// As others write them.
mod written;

pub use written::{FEWEST_DIGITS, looked_for, mentions, pattern_of_number};

/// What becomes of a person's rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum How {
    Delete,
    /// The row stays for its sums and counts; these columns are emptied.
    Blank(&'static [&'static str]),
}

/// One table of people.
#[derive(Debug, Clone, Copy)]
pub struct Planned {
    pub table: &'static str,
    pub how: How,
}

const fn delete(table: &'static str) -> Planned {
    Planned { table, how: How::Delete }
}

const fn blank(table: &'static str, columns: &'static [&'static str]) -> Planned {
    Planned { table, how: How::Blank(columns) }
}

/// Every table that holds anything of people. A test compares it with the marks in the schema.
pub const PLAN: &[Planned] = &[
    delete("sessions"),
    // Their visits become visits of nobody, so that the days' counts stay.
    delete("touches"),
    delete("clicks"),
    // That somebody clicked stays; whose visit it became goes.
    blank("link_clicks", &["click"]),
    delete("page_events"),
    delete("short_codes"),
    delete("consents"),
    delete("session_addresses"),
    delete("contacts"),
    delete("identities"),
    delete("session_people"),
    delete("contact_merges"),
    blank("inbox", &["body", "reason"]),
    delete("inbox_people"),
    blank(
        "leads",
        &["contact_id", "email", "phone", "first_name", "last_name", "company", "message", "custom_fields", "url", "session_id"],
    ),
    // How many chatted stays; who it was and what was said goes.
    blank("conversations", &["external_id", "visitor", "contact_id", "email", "phone", "session_id"]),
    delete("messages"),
    // How many took which step stays; `contact_id` becomes a number that is nobody's, so that they are counted as one.
    blank(
        "milestones",
        &["contact_id", "session_id", "email", "phone", "first_name", "last_name", "company", "referrer", "data", "metadata"],
    ),
    blank("enrolments", &["contact_id", "email", "user_id"]),
    blank("orders", &["contact_id", "email", "phone", "first_name", "last_name", "customer_id", "session_id", "journey"]),
    // What the shop's people have written beside a refund.
    blank("refunds", &["reason"]),
    blank("conversions", &["contact_id", "session_id"]),
    blank("reports", &["detail", "known"]),
    blank("credits", &["snapshot", "path"]),
    // Those that wait are called back, and it stays that they were; of those that went out, that they did.
    blank("deliveries", &["request", "response", "step"]),
    blank("attempts", &["sentence"]),
    delete("idempotency_keys"),
    // Their sums stand in conversions.
    delete("tracker_events"),
    // Its own note of who it is about, once everything is done.
    blank("erasures", &["sealed"]),
    // A partner is a person too: what was earned stays in the books, who it was goes.
    blank("affiliates", &["name", "email", "phone", "payout"]),
    blank("affiliate_statements", &["name"]),
];

/// Words of a statement's detail that say nothing of who it was.
pub const IMPERSONAL: &[&str] =
    &["order_id", "items", "product_id", "status", "form_type", "source", "campaign_id", "ad_id", "affiliate_id"];

/// What a search of the file looks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Needle {
    pub text: String,
    /// Base64 has two cases that differ; addresses and hex have not.
    pub is_exact: bool,
    /// The digits of a number, which people write with this and that between them.
    pub is_number: bool,
}

impl Needle {
    fn of(text: String) -> Self {
        Self { text, is_exact: false, is_number: false }
    }

    fn exact(text: String) -> Self {
        Self { text, is_exact: true, is_number: false }
    }
}

/// The addresses themselves and their plain hashes, also in the spelling in which ad platforms hash them.
pub fn needles(emails: &[String], phones: &[String], home: Option<&str>) -> Vec<Needle> {
    let mut texts: Vec<String> = Vec::new();
    let mut hashes: Vec<Vec<u8>> = Vec::new();
    let mut found = Vec::new();
    for email in emails {
        found.push(Needle::of(email.clone()));
        found.push(Needle::of(email.replacen('@', "%40", 1)));
        texts.push(email.clone());
        let sent = [meta_email(email), google_email(email, false), google_email(email, true)];
        hashes.extend(sent.into_iter().flatten().filter_map(|hex| crypto::unhex(&hex)));
    }
    for phone in phones {
        let digits: String = phone.chars().filter(char::is_ascii_digit).collect();
        if digits.len() >= FEWEST_DIGITS {
            found.extend(
                looked_for(&[], std::slice::from_ref(phone), home).into_iter().map(|text| Needle { is_number: true, ..Needle::of(text) }),
            );
            texts.extend([digits, phone.clone()]);
            let sent = [meta_phone(phone, None), google_phone(phone, None)];
            hashes.extend(sent.into_iter().flatten().filter_map(|hex| crypto::unhex(&hex)));
        }
    }
    hashes.extend(texts.iter().flat_map(|text| crypto::plain_hashes(text.as_bytes())));
    hashes.sort();
    hashes.dedup();
    for hash in hashes {
        found.push(Needle::of(crypto::hex(&hash)));
        found.push(Needle::exact(crypto::base64(&hash).trim_end_matches('=').to_owned()));
        found.push(Needle::exact(crypto::base64url(&hash)));
    }
    found
}

/// The addresses that stand somewhere in a body of any shape, also where its `@` is written as `%40` or `\u0040`.
pub fn mentioned(body: &[u8]) -> Vec<Email> {
    mentioned_up_to(body, MOST_MENTIONED)
}

/// The same for a body that is a list of many people's doings.
pub fn mentioned_up_to(body: &[u8], most: usize) -> Vec<Email> {
    let text = String::from_utf8_lossy(body);
    let text = text.replace("%40", "@").replace("\\u0040", "@");
    let is_part = |c: char| c.is_alphanumeric() || "._%+-'".contains(c);
    let mut found: Vec<Email> = Vec::new();
    let mut known: HashSet<Email> = HashSet::new();
    for (place, _) in text.match_indices('@').take(most) {
        let front: String =
            text[..place].chars().rev().take(64).take_while(|c| is_part(*c)).collect::<Vec<_>>().into_iter().rev().collect();
        let back: String = text[place + 1..].chars().take(253).take_while(|c| c.is_alphanumeric() || ".-".contains(*c)).collect();
        let back = back.trim_end_matches(['.', '-']);
        // In a form body the name before the address is not separated by what an address cannot hold.
        let fronts = [Some(front.as_str()), front.rsplit_once("%3D").map(|(_, f)| f)];
        for front in fronts.into_iter().flatten() {
            if let Some(email) = Email::parse(&format!("{front}@{back}"))
                && known.insert(email.clone())
            {
                found.push(email);
            }
        }
    }
    found
}

/// The valid phone numbers that stand in a body nobody could read.
pub fn dialled(body: &[u8], country: Option<&str>) -> Vec<Phone> {
    let text = String::from_utf8_lossy(body).replace("%2B", "+").replace("%20", " ");
    let is_part = |c: char| c.is_ascii_digit() || "+-(). ".contains(c);
    let mut found: Vec<Phone> = Vec::new();
    for run in text.split(|c: char| !is_part(c)).filter(|r| r.bytes().filter(u8::is_ascii_digit).count() >= 7).take(MOST_MENTIONED) {
        if let Some(phone) = Phone::parse(run, country)
            && !found.contains(&phone)
        {
            found.push(phone);
        }
    }
    found
}

/// A body of this many addresses is a list, not a message.
const MOST_MENTIONED: usize = 200;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_found_in_bodies_of_any_shape() {
        let rows: &[(&str, &[&str])] = &[
            (r#"{"email":"Ann.Lee@Shop.example","message":"write to bo@x.example."}"#, &["ann.lee@shop.example", "bo@x.example"]),
            ("name=Ann&email=ann%40shop.example&x=1", &["ann@shop.example"]),
            (r#"{"email":"ann\u0040shop.example"}"#, &["ann@shop.example"]),
            ("<a href=\"mailto:ann@shop.example\">", &["ann@shop.example"]),
            ("ann@shop.example, ann@shop.example", &["ann@shop.example"]),
            ("@home, a@b, nobody", &[]),
        ];
        for (body, want) in rows {
            let got: Vec<String> = mentioned(body.as_bytes()).iter().map(|e| e.as_str().to_owned()).collect();
            assert_eq!(got, *want, "{body}");
        }
    }

    #[test]
    fn hashes_are_looked_for_in_hex_and_base64() {
        let found = needles(&["a.b@gmail.com".into()], &["+971501234567".into()], None);
        let has = |text: &str| found.iter().any(|n| n.text == text);
        assert!(has("a.b@gmail.com") && has("971501234567"));
        let sha1 = crypto::plain_hashes(b"a.b@gmail.com")[1].clone();
        assert!(has(&crypto::hex(&sha1)));
        assert!(has(crypto::base64(&sha1).trim_end_matches('=')));
        // RFC 1321 knows the MD5 of "abc".
        assert_eq!(crypto::hex(&crypto::plain_hashes(b"abc")[2]), "900150983cd24fb0d6963f7d28e17f72");
        assert!(has(&crypto::sha256_hex(b"ab@gmail.com")), "as one platform hashes it, without dots");
    }

    #[test]
    fn a_table_stands_once_in_the_plan() {
        let mut names: Vec<&str> = PLAN.iter().map(|p| p.table).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), PLAN.len());
    }
}
