//! What a person reads where no JSON is asked for: a sentence or a table.

use serde_json::Value;

use super::table;
use crate::control::Command;
use crate::flows::erase::{GOES, STAYS, in_words};

/// The answer of a command as text, without a newline at its end.
pub fn text(command: &Command, answer: &Value) -> String {
    match command {
        Command::SiteAdd(_) => format!(
            "Site {} is there{} {}\nPublic key: {}\nPut this into the head of every page:\n{}",
            word(answer, "site"),
            if answer["is_new"] == false { " already: nothing was changed." } else { "." },
            word(answer, "consent_note"),
            word(answer, "public_key"),
            word(answer, "snippet")
        ),
        Command::SiteList => {
            let mut text = rows(
                answer,
                &["site", "name", "domains", "currency", "zone", "consent", "public_key"],
                "There is no site yet. Make one with `halotrack site add`.",
            );
            for site in answer.as_array().into_iter().flatten() {
                text.push_str(&format!("\nFor the head of every page of {}: {}", word(site, "site"), word(site, "snippet")));
            }
            text
        }
        Command::SiteSet { changes, .. } => {
            let keys: Vec<&str> = changes.iter().map(|(key, _)| key.as_str()).collect();
            format!("{} of site {} changed.", keys.join(", "), word(answer, "site"))
        }
        Command::SiteSecret { .. } => word(answer, "secret"),
        Command::UserAdd(_) => match answer["link"].as_str() {
            Some(link) => format!("{} may choose a password here, once, within seven days: {link}", word(answer, "email")),
            None => format!("{} may sign in now.", word(answer, "email")),
        },
        Command::TokenCreate(_) => format!("Token {}, shown this once: {}", word(answer, "name"), word(answer, "token")),
        Command::TokenList { .. } => rows(
            answer,
            &["token", "site", "name", "scopes", "ends_in", "expires_at", "last_used_at"],
            "There is no token yet. Make one with `halotrack token create`.",
        ),
        Command::TokenRevoke { .. } => format!("{} is void.", word(answer, "token")),
        Command::ConnectionAdd { .. } => {
            let mut lines = vec![standing(answer)];
            if let Some(url) = answer["hook_url"].as_str() {
                lines.push(format!("Hook address for the platform: {url}"));
            }
            if let Some(secret) = answer["secret"].as_str() {
                lines.push(format!("Secret, shown this once: {secret}"));
                lines.push("Send it as the header x-webhook-secret, sign with it, or put ?secret=… behind the address.".into());
            }
            for step in answer["progress"].as_array().into_iter().flatten() {
                lines.push(word(step, "sentence"));
            }
            lines.join("\n")
        }
        Command::ConnectionList { .. } => rows(
            answer,
            &["connection", "site", "platform", "mode", "status", "reason", "last_event_at", "hook_url"],
            "There is no connection yet. Make one with `halotrack connection add`.",
        ),
        Command::AffiliateAdd { .. } => format!(
            "{} ({}) earns {}. Link to send out: {}",
            word(answer, "name"),
            word(answer, "affiliate"),
            word(answer, "terms"),
            word(answer, "link")
        ),
        Command::AffiliateList { .. } => rows(
            answer,
            &["affiliate", "site", "code", "name", "terms", "coupons", "state", "hold_days"],
            "There is no partner yet. Add one with `halotrack affiliate add`.",
        ),
        Command::ConnectionTest(_) => each(answer, tested),
        Command::ConnectionRegister(_) | Command::ConnectionCheck(_) | Command::ConnectionUnregister(_) => {
            each(answer, |a| format!("{} {}", standing(a), word(a, "message")))
        }
        Command::ConnectionSet { .. } | Command::ConnectionPause(_) | Command::ConnectionResume(_) => standing(answer),
        Command::LinkAdd(_) => {
            let mut lines = vec![format!("{} leads to {}", word(answer, "url"), word(answer, "to"))];
            lines.extend(answer["warnings"].as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned));
            lines.join("\n")
        }
        Command::LinkList { .. } => rows(
            answer,
            &["link", "url", "to", "label", "clicks", "bots", "visits", "conversions", "last_click_at", "state"],
            "There is no link yet. Make one with `halotrack link add`.",
        ),
        Command::Sync { .. } => each(answer, synced),
        Command::Replay(_) => replayed(answer),
        // Asked for by other words, which show it in their own way.
        Command::Queue | Command::Heard { .. } | Command::Export(_) | Command::Import(_) => answer.to_string(),
        Command::Erase(_) => erased(answer),
        Command::KeyRotate => format!(
            "The master key is new ({}), and {} stored secrets are sealed with it. The old key is in {}.\n{}",
            word(answer, "key_file"),
            word(answer, "sealed_anew"),
            word(answer, "old_key_file"),
            word(answer, "message")
        ),
        Command::Backup { .. } => backed_up(answer),
        Command::OutboxRelease { .. } => match answer["still_held"].as_i64() {
            Some(0) | None => format!("Deliveries released: {}.", word(answer, "released")),
            Some(held) => format!("Deliveries released: {}. Still held: {held}; replay, release or cancel them.", word(answer, "released")),
        },
        Command::ConnectionRemove(_) => format!("{} is removed. Its facts and deliveries stay.", word(answer, "connection")),
    }
}

fn synced(answer: &Value) -> String {
    let what = format!("{} ({})", word(answer, "connection"), word(answer, "platform"));
    match answer["status"].as_str() {
        Some("done") => format!("{what}: the list was read to its end, {} new orders.", word(answer, "orders")),
        Some("later") => format!("{what} goes on at {}.", word(answer, "next_at")),
        Some("failed") => format!("{what}: {}", word(answer, "sentence")),
        _ => format!("{what} is {} and was not read.", word(answer, "status").replace('_', " ")),
    }
}

fn backed_up(answer: &Value) -> String {
    let megabytes = answer["bytes"].as_f64().unwrap_or_default() / 1e6;
    format!(
        "{} is made, restored into a scratch file and checked: {} rows, {megabytes:.1} MB.\n\
         The key is not in it. Keep {} in another place: without it nobody can open the backup's secrets, with both anybody can.",
        word(answer, "backup"),
        word(answer, "rows"),
        word(answer, "key_file")
    )
}

/// What `halotrack restore` did.
pub fn restored(answer: &Value) -> String {
    let mut lines = vec![format!(
        "The backup of {} is in place: {} rows. Everybody has to sign in again; tokens revoked since then are good again.",
        word(answer, "taken_at"),
        word(answer, "rows")
    )];
    if answer["held"] != 0 {
        lines.push(format!(
            "Deliveries held: {}. They may have been sent since; send them with `halotrack outbox release --site SITE --since T`.",
            word(answer, "held")
        ));
    }
    if answer["erased"] != 0 {
        lines.push(format!("People erased since then are erased again: {}.", word(answer, "erased")));
    }
    if let Some(path) = answer["replaced"].as_str() {
        lines.push(format!("The database that was there is kept as {path}."));
    }
    lines.join("\n")
}

fn standing(answer: &Value) -> String {
    let mode = answer["mode"].as_str().map(|m| format!(", mode {m}")).unwrap_or_default();
    let reason = answer["reason"].as_str().map(|r| format!(" {r}")).unwrap_or_default();
    format!(
        "{} ({} of site {}) is {}{mode}.{reason}",
        word(answer, "connection"),
        word(answer, "name"),
        word(answer, "site"),
        word(answer, "status").replace('_', " ")
    )
}

fn tested(answer: &Value) -> String {
    let ready = if answer["is_ready"] == true { "is ready" } else { "is not ready" };
    let mut lines = vec![format!("{} ({}) {ready}.", word(answer, "connection"), word(answer, "platform"))];
    for (key, mark) in [("checked", "checked"), ("not_checked", "not checked")] {
        for line in answer[key].as_array().into_iter().flatten().filter_map(Value::as_str) {
            lines.push(format!("  {mark}: {line}"));
        }
    }
    lines.join("\n")
}

fn replayed(answer: &Value) -> String {
    let mut lines = Vec::new();
    if answer["count"] != 0 {
        lines.push(format!("{} of {} deliveries are sent again.", word(answer, "replayed"), word(answer, "count")));
    }
    if let Some(warning) = answer["warning"].as_str() {
        lines.push(warning.to_owned());
    }
    for body in answer["bodies"].as_array().into_iter().flatten() {
        lines.push(format!("{}: {}, facts: {}. {}", word(body, "id"), word(body, "status"), word(body, "facts"), word(body, "reason")));
    }
    if lines.is_empty() { "There was nothing to run again.".into() } else { lines.join("\n") }
}

/// The certificate: what went, what was searched, who was told.
fn erased(answer: &Value) -> String {
    let mut lines =
        vec![format!("{} of site {} at {}: {}.", word(answer, "erasure"), word(answer, "site"), word(answer, "at"), word(answer, "state"))];
    lines.extend(things(answer));
    match answer["total"].as_i64() {
        Some(0) | None => lines.push("  Nothing of this person was found. What is still told of their past is refused from now on.".into()),
        Some(1) => lines.push("  In the database: 1 row deleted or emptied.".into()),
        Some(rows) => lines.push(format!("  In the database: {rows} rows deleted or emptied.")),
    }
    lines.push(match answer["file"]["residue"].as_str() {
        Some(residue) => format!("File: {residue}"),
        None => format!("File: {}.", word(&answer["file"], "state")),
    });
    for told in answer["destinations"].as_array().into_iter().flatten() {
        lines.push(format!("{} ({}): {}", word(told, "name"), word(told, "connection"), word(told, "sentence")));
    }
    lines.join("\n")
}

/// What goes and what stays, as the preview and the certificate both say it.
fn things(answer: &Value) -> Vec<String> {
    let count = |name: &str| answer["things"][name].as_i64().unwrap_or_default();
    [("Goes for good", &GOES[..]), ("Stays without a name", &STAYS[..])]
        .into_iter()
        .map(|(title, names)| (title, in_words(names, count)))
        .filter(|(_, words)| !words.is_empty())
        .map(|(title, words)| format!("  {title}: {}.", words.join(", ")))
        .collect()
}

/// What an erasure would take, and whose it is.
pub fn would_erase(preview: &Value) -> String {
    if preview["is_known"] == false {
        return "Nothing is kept of this person. What is still told of their past would be refused from then on.".into();
    }
    let known = &preview["known_as"];
    let mut lines = vec!["Whose it is:".to_owned()];
    for face in known["people"].as_array().into_iter().flatten() {
        let who: Vec<&str> = ["name", "email", "phone"].into_iter().filter_map(|key| face[key].as_str()).collect();
        let orders = match face["orders"].as_i64() {
            Some(0) | None => String::new(),
            Some(1) => format!(", 1 order ({})", word(face, "numbers")),
            Some(n) => format!(", {n} orders ({})", word(face, "numbers")),
        };
        lines.push(format!("  {}{orders}", who.join(", ")));
    }
    if known["is_several"] == true {
        let why = if known["share_a_phone"] == true {
            "They gave the same phone number, and are held to be one person."
        } else {
            "They are held to be one person."
        };
        lines.push(format!("  This may be more than one person. {why} Erasing takes all of it."));
    }
    lines.extend(things(preview));
    for told in preview["told"].as_array().into_iter().flatten() {
        lines.push(match told["by_program"] == true {
            true => format!("  {} is told by itself, right after.", word(told, "name")),
            false => format!("  {}", word(told, "sentence")),
        });
    }
    lines.join("\n")
}

fn each(answer: &Value, show: impl Fn(&Value) -> String) -> String {
    match answer.as_array() {
        Some(all) if all.is_empty() => "There is no connection yet. Make one with `halotrack connection add`.".into(),
        Some(all) => all.iter().map(show).collect::<Vec<_>>().join("\n"),
        None => show(answer),
    }
}

fn rows(answer: &Value, columns: &[&str], empty: &str) -> String {
    let all = answer.as_array().map(Vec::as_slice).unwrap_or_default();
    if all.is_empty() {
        return empty.to_owned();
    }
    let cells = all.iter().map(|row| columns.iter().map(|c| cell(&row[*c])).collect()).collect();
    table::text(&columns.iter().map(|c| (*c).to_owned()).collect::<Vec<_>>(), cells)
}

fn word(answer: &Value, key: &str) -> String {
    cell(&answer[key])
}

fn cell(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Array(all) => all.iter().map(cell).collect::<Vec<_>>().join(", "),
        other => other.to_string(),
    }
}
