//! Every statement of the store is explained on the real shape of the file: none may walk a whole table, or all rows of a
//! site, unless it is listed here with its reason.

use std::path::{Path, PathBuf};

use halotrack::store::FILE;
use halotrack::store::erasures::residue;
use rusqlite::Connection;

use crate::house::House;

/// Tables that stay small whatever a site sells; a walk over them is nothing.
const SMALL: [&str; 32] = [
    "affiliates",
    "affiliate_codes",
    "affiliate_months",
    "sites",
    "site_domains",
    "users",
    "recovery_codes",
    "members",
    "logins",
    "one_time_links",
    "tokens",
    "connections",
    "hook_tokens",
    "shares",
    "rules",
    // A few hundred files in the life of a site.
    "imports",
    "segments",
    "link_templates",
    "funnels",
    "short_links",
    "numbers",
    "count_marks",
    "delivery_recounts",
    "counted_days",
    "dirty_days",
    "jobs",
    "pulls",
    "registrations",
    "hooks",
    "happenings",
    "backups",
    "schema_steps",
];

/// Beginnings of statements that may walk all rows of a site or a table, and why.
const ALLOWED: &[(&str, &str)] = &[
    ("select state, sum(count) from delivery_counts group by state", "the metrics page: one row a day, connection, kind and state"),
    ("update deliveries set state = 'held', reason = 'restored'", "once, while a backup is restored and nothing else runs"),
    (
        "update deliveries set state = iif(reason = :checking, 'accepted', 'pending'), owner = null",
        "at start: the index holds leased rows only, a handful",
    ),
    ("update sync_runs set status = 'broken_off'", "at start: the index holds runs that are under way only, a handful"),
    (
        "select id from leads where site_id = :site and mentions(",
        "after an erasure, only where a search of the file found the address in it",
    ),
    ("select id from reports where site_id = :site and mentions(", "the same"),
    ("select id from page_events where site_id = :site and mentions(", "the same"),
    ("select id from inbox where site_id = :site and body is not null and mentions(", "the same"),
    ("select id from conversations where site_id = :site and mentions(", "the same"),
    ("select id from milestones where site_id = :site and mentions(", "the same"),
    ("select id from touches where site_id = :site and mentions(", "the same"),
    ("select id from tracker_events where site_id = :site and mentions(", "the same"),
    ("select id from orders where site_id = :site and mentions(", "the same"),
    ("select count(*) from tombstones where site_id = :site", "a few for each person who was erased"),
    ("update notes set text = 'erased'", "the same"),
    ("update audit set detail = '{}'", "the same"),
    ("update sync_runs set sentences = '[]'", "the same"),
    ("update refunds set reason = null where site_id = :site and mentions(", "the same"),
    ("update spend set note = null where site_id = :site and mentions(", "the same"),
    ("update deliveries set request = null, response = null, reason = case", "the same"),
    ("update tracker_calls set message = 'erased'", "the same"),
    (
        "select kind, value from identities where site_id = :site",
        "at start, only where erasures.log knows of somebody whom the file does not",
    ),
    ("select kind, value from session_people where site_id = :site", "the same"),
    ("select 'email', email from", "the same"),
    ("select 'phone', phone from", "the same"),
    (
        "select k.affiliate_id, k.currency, sum(k.amount_minor) from commissions k",
        "what is due to each partner: the commissions that are not paid yet",
    ),
    ("delete from idempotency_keys where site_id = :site and instr(", "keys of the last 48 hours, in an erasure"),
];

struct Statement {
    file: PathBuf,
    sql: String,
}

#[tokio::test]
async fn no_statement_walks_a_large_table() {
    let house = House::new();
    let db = Connection::open(house.data().join(FILE)).expect("the file");
    residue::teach(&db).expect("the words of the store");
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/store");
    let mut statements = Vec::new();
    collect(&root, &mut statements);
    assert!(statements.len() > 150, "only {} statements were found", statements.len());
    let mut wrong = Vec::new();
    let mut unread = Vec::new();
    for Statement { file, sql } in &statements {
        let plan = match explained(&db, sql) {
            Ok(plan) => plan,
            Err(e) => {
                unread.push(format!("{}: {e}\n  {}", file.display(), line(sql)));
                continue;
            }
        };
        let is_bounded = sql.contains(" limit ") || sql.contains("min(") || sql.contains("max(");
        if ALLOWED.iter().any(|(start, _)| line(sql).starts_with(start)) {
            continue;
        }
        for step in plan {
            let Some(table) = walked(&step, is_bounded, sql) else { continue };
            if !SMALL.contains(&table.as_str()) {
                wrong.push(format!("{}: {step}\n  {}", file.display(), line(sql)));
            }
        }
    }
    assert!(unread.is_empty(), "these could not be explained:\n{}", unread.join("\n"));
    assert!(wrong.is_empty(), "these walk too much:\n{}", wrong.join("\n"));
}

/// Of two upper bounds SQLite takes the plain one for its index: where the days' end is bound as it is, page 1,000 of a list
/// passes over all the rows of the 999 before it. Plans look the same either way, so that what is bound is read here.
#[test]
fn a_page_deep_in_a_list_begins_at_its_cursor() {
    let mut files = Vec::new();
    sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src/store"), &mut files);
    let (mut seen, mut wrong) = (0, Vec::new());
    for path in files {
        let text = std::fs::read_to_string(&path).expect("a source");
        for (at, start) in text.match_indices("named_params! {") {
            let bound = text[at + start.len()..].split('}').next().unwrap_or_default();
            // By amount, a cursor says nothing of days.
            let is_by_days = bound.contains("\":to\":")
                && bound.contains("\":key\":")
                && !bound.contains("\":to\": to.ms(), \":id\": id, \":key\": key");
            if is_by_days {
                seen += 1;
                if !bound.contains(".end(") {
                    wrong.push(format!("{}:{}", path.display(), text[..at].lines().count()));
                }
            }
        }
    }
    assert!(seen >= 7, "only {seen} lists by days and cursor were found");
    assert!(wrong.is_empty(), "these bind the days' end without the cursor's (`Cursor::end`):\n{}", wrong.join("\n"));
}

/// The steps of a plan; a statement is planned without its parameters.
fn explained(db: &Connection, sql: &str) -> rusqlite::Result<Vec<String>> {
    let mut statement = db.prepare(&format!("explain query plan {sql}"))?;
    let mut rows = statement.raw_query();
    let mut steps = Vec::new();
    while let Some(row) = rows.next()? {
        steps.push(row.get(3)?);
    }
    Ok(steps)
}

/// The table that a step of a plan goes through as a whole, or through all rows of a site.
fn walked(step: &str, is_bounded: bool, sql: &str) -> Option<String> {
    let words: Vec<&str> = step.split_whitespace().collect();
    let name = |alias: &str| table_of(sql, alias);
    match words.as_slice() {
        ["SCAN", "CONSTANT", ..] | ["SCAN", _, "VIRTUAL", ..] => None,
        ["SCAN", alias, ..] => {
            let table = name(alias);
            // A walk in the order of an index that ends at a limit is no walk of the table.
            (!is_bounded && !alias.starts_with('(') && alias.chars().all(|c| c.is_alphanumeric() || c == '_')).then_some(table)
        }
        ["SEARCH", alias, ..] if step.contains("(site_id=?)") && !is_bounded => Some(name(alias)),
        _ => None,
    }
}

/// `c` in `from conversions c` is conversions.
fn table_of(sql: &str, alias: &str) -> String {
    let words: Vec<&str> = sql.split(|c: char| c.is_whitespace() || "(),".contains(c)).filter(|w| !w.is_empty()).collect();
    for pair in words.windows(3) {
        if matches!(pair[0], "from" | "join" | "into" | "update") && pair[2] == alias {
            return pair[1].trim_start_matches("main.").to_owned();
        }
    }
    alias.to_owned()
}

fn line(sql: &str) -> String {
    sql.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn sources(folder: &Path, all: &mut Vec<PathBuf>) {
    let mut entries: Vec<PathBuf> = std::fs::read_dir(folder).expect("a folder").map(|e| e.expect("an entry").path()).collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            sources(&path, all);
        } else if path.extension().is_some_and(|e| e == "rs") {
            all.push(path);
        }
    }
}

fn collect(folder: &Path, all: &mut Vec<Statement>) {
    let mut files = Vec::new();
    sources(folder, &mut files);
    for path in files {
        let text = std::fs::read_to_string(&path).expect("a source");
        // What follows belongs to tests.
        let text = text.split("[cfg(test)]").next().unwrap_or_default();
        let literals = literals(text);
        let columns = columns(text);
        for literal in literals {
            let start = literal.trim_start();
            let is_statement = ["select ", "insert ", "update ", "delete ", "with "].iter().any(|w| start.starts_with(w))
                && (start.contains(" from ") || start.contains(" into ") || start.contains(" set ") || start.contains("\nfrom"));
            if !is_statement || start.contains("sqlite_") || start.contains("pragma") || start.contains(" temp.") {
                continue;
            }
            let mut sql = literal.clone();
            for (name, value) in &columns {
                sql = sql.replace(&format!("{{{name}}}"), value);
            }
            all.push(Statement { file: path.clone(), sql });
        }
    }
}

/// Fragments that statements of a file are built from: `const NAME: &str = "…";` and `let name = "…";`
fn columns(text: &str) -> Vec<(String, String)> {
    let mut all = Vec::new();
    for start in ["const ", "let "] {
        for (at, _) in text.match_indices(start) {
            let rest = &text[at + start.len()..];
            let name: String = rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
            let Some(value) = rest[name.len()..].trim_start_matches(": &str").strip_prefix(" = \"").or_else(|| {
                rest[name.len()..]
                    .trim_start_matches(": &str")
                    .trim_start()
                    .strip_prefix('=')
                    .and_then(|r| r.trim_start().strip_prefix('"'))
            }) else {
                continue;
            };
            if let Some(value) = literals(&format!("\"{value}")).first() {
                all.push((name, value.clone()));
            }
        }
    }
    // Fragments may hold fragments.
    let known = all.clone();
    for (_, value) in &mut all {
        for (name, inner) in &known {
            *value = value.replace(&format!("{{{name}}}"), inner);
        }
    }
    all
}

/// The plain string literals of a source, unescaped.
fn literals(text: &str) -> Vec<String> {
    let mut all = Vec::new();
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '/' if chars.peek() == Some(&'/') => {
                for c in chars.by_ref() {
                    if c == '\n' {
                        break;
                    }
                }
            }
            '\'' => {
                // A letter in quotes, or a lifetime.
                let mut ahead = chars.clone();
                match (ahead.next(), ahead.next()) {
                    (Some('\\'), _) => {
                        chars.next();
                        chars.next();
                    }
                    (Some(_), Some('\'')) => {
                        chars.next();
                        chars.next();
                    }
                    _ => {}
                }
            }
            '"' => {
                let mut literal = String::new();
                while let Some(c) = chars.next() {
                    match c {
                        '"' => break,
                        '\\' => match chars.next() {
                            Some('\n') => {
                                while chars.peek().is_some_and(|c| c.is_whitespace()) {
                                    chars.next();
                                }
                            }
                            Some('n') => literal.push('\n'),
                            Some('t') => literal.push('\t'),
                            Some(other) => literal.push(other),
                            None => break,
                        },
                        other => literal.push(other),
                    }
                }
                all.push(literal);
            }
            _ => {}
        }
    }
    all
}
