//! The record of processing (GDPR, article 30), as a text that an owner can complete and hand over. It says what this
//! installation does with people's data, from its own settings; what only the owner knows stands there to be filled in.
//! https://eur-lex.europa.eu/eli/reg/2016/679/oj

/// What the record is made from.
#[derive(Debug, Clone, Default)]
pub struct Processing {
    pub site: String,
    pub domains: Vec<String>,
    /// The day it was made, as the owner reads it.
    pub made_on: String,
    /// What happens to visitors who have not answered.
    pub consent: String,
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
    /// Shadow, test or live.
    pub mode: String,
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
            "- Where people have agreed: to tell advertising platforms of purchases and enquiries, so that they can judge their advertisements.".into(),
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
    part(
        "4. On what ground",
        vec![
            format!("- Visitors who have not answered the consent question: {}.", p.consent),
            if p.honours_signals {
                "- A browser's privacy signal (Global Privacy Control, Do Not Track) counts as a no.".into()
            } else {
                "- A browser's privacy signal (Global Privacy Control, Do Not Track) is not taken as an answer.".into()
            },
            "- Orders and enquiries are kept to fulfil them and to keep the books. Nothing leaves for advertising without marketing consent; a withdrawal stops what waits.".into(),
        ],
    );
    let recipients = match p.recipients.is_empty() {
        true => vec!["Nobody is told. No platform is connected.".into()],
        false => p.recipients.iter().map(|r| format!("- {} ({}): {}.", r.name, r.mode, r.purpose)).collect(),
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

    #[test]
    fn the_record_says_what_the_settings_say() {
        let told = Recipient { name: "Meta".into(), mode: "live".into(), purpose: "learns of purchases".into() };
        let p = Processing {
            site: "Harrow Lane".into(),
            domains: vec!["harrow.example".into()],
            made_on: "13 June 2026".into(),
            consent: "nothing is kept".into(),
            recipients: vec![told],
            kept: vec![("Visits".into(), 400)],
            ..Processing::default()
        };
        let text = record(&p);
        for word in
            ["Harrow Lane", "harrow.example", "- Meta (live): learns of purchases.", "- Visits: 400 days.", "is not taken as an answer"]
        {
            assert!(text.contains(word), "{word}: {text}");
        }
        assert!(text.lines().all(|l| l.chars().count() <= WIDTH + 2), "{text}");
        assert!(record(&Processing::default()).contains("Nobody is told."));
    }
}
