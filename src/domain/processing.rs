//! The record of processing (GDPR, article 30), as a text that an owner can complete and hand over. It says what this
//! installation does with people's data, from its own settings; what only the owner knows stands there to be filled in.
//! https://eur-lex.europa.eu/eli/reg/2016/679/oj

use super::consent;
use super::outgoing;

/// What the record is made from.
#[derive(Debug, Clone, Default)]
pub struct Processing {
    pub site: String,
    pub domains: Vec<String>,
    /// The day it was made, as the owner reads it.
    pub made_on: String,
    /// What the site makes of people who have not answered.
    pub rule: consent::Mode,
    /// Whether the law of the site's own country asks first: it decides where no country is known.
    pub home_asks: bool,
    pub honours_signals: bool,
    pub recipients: Vec<Recipient>,
    /// Kinds of data in words, each with the days that it is kept.
    pub kept: Vec<(String, u32)>,
    pub erasures: i64,
}

/// Somebody who is told.
#[derive(Debug, Clone)]
pub struct Recipient {
    pub name: String,
    pub mode: outgoing::Mode,
    pub purpose: String,
}

const WIDTH: usize = 96;

pub fn record(p: &Processing) -> String {
    let mut text = format!("RECORD OF PROCESSING\n{}\nMade on {} by HaloTrack, from the settings of that day.\n", p.site, p.made_on);
    let mut part = |title: &str, lines: Vec<String>| {
        text.push_str(&format!("\n{title}\n{}\n", "-".repeat(title.chars().count())));
        for line in lines {
            text.push_str(&folded(&line));
        }
    };
    part(
        "1. Who is responsible",
        vec![
            "Name and address of the business: ______________________________".into(),
            "Contact for questions about privacy: ______________________________".into(),
            format!("Web sites: {}.", p.domains.join(", ")),
        ],
    );
    part(
        "2. What for",
        vec![
            "- To count visits and to know which advertising and which sources bring customers.".into(),
            "- To keep orders and enquiries together with the visit they came from.".into(),
            format!(
                "- {}: to tell the platforms of part 5 of purchases and enquiries, so that they can judge their advertisements.",
                telling(p.rule)
            ),
        ],
    );
    part(
        "3. Whose data, and which",
        vec![
            "- Visitors: pages, source, campaign and click ids, device, country, an id in a cookie, their answer on consent. The network address is sealed and removed after a few days.".into(),
            "- People who follow a short link: when, from which site, in which country and on what kind of device. A page that gives the link's click id back ties it to a visit.".into(),
            "- Visitors who refuse: that there was a visit, without anything by which somebody could be known.".into(),
            "- Customers and people who enquire: name, e-mail, phone, company, what they wrote, what they bought and for how much.".into(),
            "- Partners who send buyers: name, e-mail, phone, bank account, what they earned.".into(),
            "- People who work here: e-mail, sign-ins, what they changed.".into(),
        ],
    );
    part("4. On what ground", ground(p));
    let recipients = match p.recipients.is_empty() {
        true => vec!["Nobody is told. No platform is connected.".into()],
        false => {
            let told = p.recipients.iter().map(|r| format!("- {} ({}): {}.", r.name, mode_words(r.mode), r.purpose));
            told.chain(["The rule of part 4 holds for each of them alike.".into()]).collect()
        }
    };
    part("5. Who is told", recipients);
    part(
        "6. Other countries",
        vec!["Data lies on this server alone. Some of the platforms above are in other countries; on what their transfers rest: ______________________________".into()],
    );
    part("7. How long it is kept", p.kept.iter().map(|(what, days)| format!("- {what}: {days} days.")).collect());
    part(
        "8. How it is protected",
        vec![
            "- One server, one database file, no third party in between. Keys and secrets are sealed; the master key is in no backup."
                .into(),
            "- Sign-in with password and, where switched on, a second step; roles; people are masked in lists; every change is logged."
                .into(),
            "- What platforms are told of people is hashed as they ask for it.".into(),
            "- Backups are made each night and restored on trial.".into(),
            format!("- People are erased on request, also from older backups when they are restored. So far: {}.", p.erasures),
        ],
    );
    text
}

/// Of whom the platforms are told, by the site's rule.
fn telling(rule: consent::Mode) -> &'static str {
    match rule {
        consent::Mode::OptIn => "Where people have agreed",
        consent::Mode::OptOut => "Unless people have refused",
        consent::Mode::Auto => {
            "Where people have agreed and, outside the EEA, the United Kingdom and Switzerland, also where they have not answered"
        }
    }
}

fn ground(p: &Processing) -> Vec<String> {
    let (visitors, silent) = match p.rule {
        consent::Mode::OptIn => (
            "they are only counted, without anything by which they could be known, until they agree",
            "their purchases and enquiries are told to nobody",
        ),
        consent::Mode::OptOut => ("they are recognised until they refuse", "their purchases and enquiries are told until they refuse"),
        consent::Mode::Auto => (
            "in the EEA, the United Kingdom and Switzerland they are only counted until they agree; elsewhere they are recognised until they refuse",
            "their purchases and enquiries are told until they refuse, but not where the bill or the goods go to the EEA, the United Kingdom or Switzerland",
        ),
    };
    let unknown = match (p.rule, p.home_asks) {
        (consent::Mode::Auto, true) => "; and not where no country is known, because the business is in one of them",
        (consent::Mode::Auto, false) => "; where no country is known they are told",
        _ => "",
    };
    let signal = if p.honours_signals { "counts as a no" } else { "is not taken as an answer" };
    let mut lines = vec![
        format!("- Visitors who have not answered the consent question: {visitors}."),
        format!("- A browser's privacy signal (Global Privacy Control, Do Not Track) {signal}."),
        "- Orders and enquiries are kept to fulfil them and to keep the books.".into(),
        "- Telling platforms: people who agreed to marketing are told of, people who refused are not. What a shop or a form says of its customer's consent counts as the answer. A no that comes later stops what waits.".into(),
        format!("- Telling platforms of people who have not answered: {silent}{unknown}."),
    ];
    if p.rule != consent::Mode::OptIn {
        lines.push("- The ground for telling of people who have not answered (article 6): ______________________________".into());
    }
    lines
}

/// What a mode means for who is told.
fn mode_words(mode: outgoing::Mode) -> &'static str {
    match mode {
        outgoing::Mode::Shadow => "shadow: nothing is sent to it yet",
        outgoing::Mode::Test => "test: to its test view alone",
        outgoing::Mode::Live => "live",
    }
}

/// Lines of a width that prints well; what follows a dash stands below it.
fn folded(line: &str) -> String {
    let indent = if line.starts_with("- ") { "  " } else { "" };
    let mut out = String::new();
    let mut length = 0;
    for word in line.split(' ') {
        let size = word.chars().count();
        if length > 0 && length + 1 + size > WIDTH {
            out.push('\n');
            out.push_str(indent);
            length = indent.len();
        } else if length > 0 {
            out.push(' ');
            length += 1;
        }
        out.push_str(word);
        length += size;
    }
    out.push('\n');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A text as it reads: without the breaks that print well.
    fn read(p: &Processing) -> String {
        record(p).split_whitespace().collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn the_record_follows_the_rule_of_the_site() {
        const ASKED: &str = "told to nobody";
        const TOLD: &str = "are told until they refuse";
        const ABROAD: &str = "not where the bill or the goods go to the EEA, the United Kingdom or Switzerland";
        for (rule, home_asks, says, not) in [
            (consent::Mode::OptIn, false, vec!["Where people have agreed: to tell", ASKED], vec![TOLD, ABROAD, "article 6"]),
            (consent::Mode::OptOut, true, vec!["Unless people have refused: to tell", TOLD, "article 6"], vec![ASKED, ABROAD]),
            (
                consent::Mode::Auto,
                false,
                vec!["also where they have not answered: to tell", TOLD, ABROAD, "where no country is known they are told", "article 6"],
                vec![ASKED],
            ),
            (consent::Mode::Auto, true, vec![TOLD, ABROAD, "not where no country is known"], vec![ASKED, "known they are told"]),
        ] {
            let text = read(&Processing { rule, home_asks, ..Processing::default() });
            for word in says {
                assert!(text.contains(word), "{rule:?}: {word}: {text}");
            }
            for word in not.into_iter().chain(["without marketing consent"]) {
                assert!(!text.contains(word), "{rule:?}: {word}: {text}");
            }
        }
    }

    #[test]
    fn the_record_says_what_the_settings_say() {
        let told = Recipient { name: "Meta".into(), mode: outgoing::Mode::Live, purpose: "learns of purchases".into() };
        let shown = Recipient { name: "Store-room".into(), mode: outgoing::Mode::Shadow, purpose: "is told of sales".into() };
        let p = Processing {
            site: "Harrow Lane".into(),
            domains: vec!["harrow.example".into()],
            made_on: "13 June 2026".into(),
            recipients: vec![told, shown],
            kept: vec![("Visits".into(), 400)],
            ..Processing::default()
        };
        let text = record(&p);
        for word in [
            "Harrow Lane",
            "harrow.example",
            "- Meta (live): learns of purchases.",
            "- Store-room (shadow: nothing is sent to it yet): is told of sales.",
            "- Visits: 400 days.",
            "is not taken as an answer",
        ] {
            assert!(text.contains(word), "{word}: {text}");
        }
        assert!(text.lines().all(|l| l.chars().count() <= WIDTH + 2), "{text}");
        assert!(record(&Processing::default()).contains("Nobody is told."));
    }
}
