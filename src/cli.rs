//! The command line: reads words and flags, runs them, says in one line what went wrong. Exit codes are part of the
//! contract: 0 done, 1 failed, 2 wrong usage or configuration, 3 locked, 4 storage, 5 key, 6 port.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Parser;
use clap::error::ErrorKind;
use serde_json::{Value, json};

use crate::backup::Watch;
use crate::config::Config;
use crate::config::load::{Flags, Loaded, load};
use crate::control::restore::RestoreForm;
use crate::control::{self, Chosen, Command, EraseForm, LinkForm, ReplayForm, TokenForm, UserForm};
use crate::error::{Error, Kind, Result};
use crate::flows::connections::NewConnectionForm;
use crate::flows::restore::Release;
use crate::flows::sites::NewSiteForm;
use crate::{demo, doctor, serve};

/// Questions before what cannot be undone.
mod asking;
/// `halotrack export`.
mod export;
/// Values from files and standard input.
mod given;
/// `halotrack import`.
mod import;
/// Partners who send buyers for a commission.
mod partners;
/// Answers as text.
mod show;
/// `halotrack sql`.
mod sql;
/// Rows as text.
mod table;
/// The words.
mod words;

use given::Given;
use words::{ConnectionWord, Halotrack, LinkWord, OutboxWord, SiteWord, TokenWord, UserWord, Word};

/// Runs what the command line asks for.
pub fn run() -> ExitCode {
    private_files();
    quiet_panics();
    let words = match Halotrack::try_parse() {
        Ok(words) => words,
        Err(e) if matches!(e.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) => {
            say(&e.render().to_string());
            return ExitCode::SUCCESS;
        }
        Err(e) => {
            let is_json = std::env::args_os().any(|a| a == "--json");
            return refuse(&usage(&e), is_json);
        }
    };
    let is_json = words.every.json;
    match std::panic::catch_unwind(|| dispatch(words)) {
        Ok(Ok(code)) => code,
        Ok(Err(e)) => refuse(&e, is_json),
        // The hook has said where.
        Err(_) => ExitCode::from(1),
    }
}

fn dispatch(words: Halotrack) -> Result<ExitCode> {
    let Halotrack { every, serve: top, word } = words;
    let word = match word {
        None => Word::Serve(words::Serve { listen: top.listen }),
        Some(Word::Demo(demo)) => {
            Word::Demo(words::Demo { serve: words::Serve { listen: demo.serve.listen.or(top.listen) }, data: demo.data })
        }
        Some(Word::Serve(serve)) => Word::Serve(words::Serve { listen: serve.listen.or(top.listen) }),
        Some(_) if top.listen.is_some() => {
            return Err(Error::new(Kind::Invalid, "usage", "--listen belongs to `halotrack serve` and `halotrack demo` only."));
        }
        Some(other) => other,
    };
    let listen = match &word {
        Word::Serve(serve) => serve.listen.clone(),
        Word::Demo(demo) if demo.data.is_some() || every.data.is_some() => {
            return Err(Error::new(Kind::Invalid, "usage", "The demo makes a folder of its own and throws it away. Leave --data out."));
        }
        Word::Demo(demo) => demo.serve.listen.clone(),
        _ => None,
    };
    let flags = Flags { data: every.data, config: every.config, listen };
    let env: BTreeMap<String, String> =
        std::env::vars_os().filter_map(|(k, v)| Some((k.into_string().ok()?, v.into_string().ok()?))).collect();
    let Loaded { config, warnings } = load(&flags, &env)?;
    let mut given = Given::default();
    let command = match word {
        Word::Serve(_) => return serve::run(config, &warnings).map(done),
        Word::Demo(_) => {
            // Whoever waits sees that something happens; what programs read begins with the greeting.
            let _ = writeln!(std::io::stderr(), "Two shops and a quarter of theirs are being made. That takes a few seconds…");
            return demo::run(config, if every.json { greet_json } else { greet }).map(done);
        }
        Word::Migrate => {
            let version = serve::migrate(config)?;
            print(every.json, &json!({ "version": version }), || format!("The database is of shape {version}."));
            return Ok(ExitCode::SUCCESS);
        }
        Word::Export(words) => return export::run(&config, words, every.json).map(done),
        Word::Import(words) => return import::run(&config, words, every.json).map(done),
        Word::Doctor => return checkup(&config, every.json),
        Word::Sql(words) => return sql::run(&config, words, every.json, &mut given).map(done),
        Word::Restore(words) => return restore(config, words, every.json).map(done),
        Word::Site(word) => site(word)?,
        Word::User(word) => user(word, &mut given)?,
        Word::Token(word) => token(word, &mut given)?,
        Word::Replay(r) => {
            Command::Replay(ReplayForm { site: r.site, deliveries: r.deliveries, inbox: r.inbox, platform: r.platform, since: r.since })
        }
        Word::Connection(word) => connection(word, &mut given)?,
        Word::Affiliate(word) => partners::command(word)?,
        Word::Link(word) => link(word),
        Word::Sync { site, platform, force } => Command::Sync { site, platform, force },
        Word::Erase(e) => {
            let form = EraseForm { site: e.site, email: e.email, phone: e.phone, order: e.order, preview: false };
            if !e.yes && !every.json && asking::is_at_a_terminal() && !asking::may_erase(&config, &form)? {
                return Err(Error::new(Kind::Conflict, "not_confirmed", "Nothing was erased."));
            }
            Command::Erase(form)
        }
        Word::Key(words::KeyWord::Rotate) => Command::KeyRotate,
        Word::Backup { to } => Command::Backup { to: to.map(|path| absolute(&path)).transpose()? },
        Word::Outbox(OutboxWord::Release { site, since }) => Command::OutboxRelease { site, since },
    };
    let answer = control::run(&config, &command)?;
    print(every.json, &answer, || show::text(&command, &answer));
    Ok(ExitCode::SUCCESS)
}

fn done((): ()) -> ExitCode {
    ExitCode::SUCCESS
}

/// What failed makes the exit code; what only warns does not.
fn checkup(config: &crate::config::Config, is_json: bool) -> Result<ExitCode> {
    let found = doctor::look(config)?;
    let is_well = found.iter().all(|f| f.state != doctor::State::Failed);
    let answer = json!({"ok": is_well, "version": env!("CARGO_PKG_VERSION"), "checks": found});
    print(is_json, &answer, || {
        let lines = found.iter().map(|f| {
            let remedy = f.remedy.as_deref().map(|r| format!(" → {r}")).unwrap_or_default();
            format!("{:<11}  {}: {}{remedy}", f.state.word(), f.check.replace('_', " "), f.message)
        });
        lines.collect::<Vec<_>>().join("\n")
    });
    Ok(if is_well { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

fn greet(g: &demo::Greeting) {
    say(&format!(
        "DEMO: two invented shops with 90 days behind them. Nothing leaves this machine; all of it is thrown away when you stop it (Ctrl+C).\n\n  \
         Open      http://{}\n  E-mail    {}\n  Password  {}\n\n\
         Commands see it with --data {}",
        g.address,
        g.email,
        g.password,
        g.data.display()
    ));
}

fn greet_json(g: &demo::Greeting) {
    say(&json!({"url": format!("http://{}", g.address), "email": g.email, "password": g.password, "data": g.data, "demo": true})
        .to_string());
}

fn restore(config: Config, words: words::Restore, is_json: bool) -> Result<()> {
    let word = words.release.as_deref().unwrap_or("none");
    let release = Release::parse(word).ok_or_else(|| Error::invalid("release", format!("{word:?} is none of none, 24h, all.")))?;
    let answer = control::restore::run(config, &RestoreForm { file: words.file, release }, &Watch::nobody())?;
    print(is_json, &answer, || show::restored(&answer));
    Ok(())
}

/// A file that is not there yet, from the folder we stand in.
fn absolute(path: &Path) -> Result<PathBuf> {
    std::path::absolute(path).map_err(|_| Error::new(Kind::Invalid, "usage", "--to needs the name of a file."))
}

fn site(word: SiteWord) -> Result<Command> {
    Ok(match word {
        SiteWord::Add { name, domains, currency, zone, country, consent } => {
            Command::SiteAdd(NewSiteForm { name, domains, currency, zone, country, consent })
        }
        SiteWord::List => Command::SiteList,
        SiteWord::Set { site, changes } => Command::SiteSet { site, changes: Given::changes(&changes)? },
        SiteWord::Secret { site, rotate } => Command::SiteSecret { site, rotate },
    })
}

fn user(word: UserWord, given: &mut Given) -> Result<Command> {
    let UserWord::Add { email, role, site, password_stdin } = word;
    let password = if password_stdin { Some(given.value("-")?) } else { None };
    Ok(Command::UserAdd(UserForm { email, role, site, password }))
}

fn token(word: TokenWord, given: &mut Given) -> Result<Command> {
    Ok(match word {
        TokenWord::Create { site, name, scopes, expires, value } => {
            let is_hidden = value.as_deref().is_none_or(|v| v == "-" || v.starts_with('@'));
            if !is_hidden {
                // On the command line it would stand in the shell's history and in the list of processes.
                return Err(Error::invalid("value", "Give it as @FILE, or as - to read it from standard input."));
            }
            let value = value.map(|v| given.value(&v)).transpose()?;
            Command::TokenCreate(TokenForm { site, name, scopes, expires, value })
        }
        TokenWord::List { site } => Command::TokenList { site },
        TokenWord::Revoke { token, site } => Command::TokenRevoke { site, token },
    })
}

fn link(word: LinkWord) -> Command {
    match word {
        LinkWord::Add(l) => Command::LinkAdd(Box::new(LinkForm {
            site: l.site,
            to: l.to,
            utm_source: l.utm_source,
            utm_medium: l.utm_medium,
            utm_campaign: l.utm_campaign,
            utm_term: l.utm_term,
            utm_content: l.utm_content,
            affiliate: l.affiliate,
            label: l.label,
        })),
        LinkWord::List { site } => Command::LinkList { site },
    }
}

fn connection(word: ConnectionWord, given: &mut Given) -> Result<Command> {
    Ok(match word {
        ConnectionWord::Add { site, platform, settings, mode, name } => Command::ConnectionAdd {
            site,
            form: NewConnectionForm { platform, name, mode, settings: given.pairs(&settings)?, ..NewConnectionForm::default() },
        },
        ConnectionWord::List { site } => Command::ConnectionList { site },
        ConnectionWord::Test(chosen) => Command::ConnectionTest(chosen.into()),
        ConnectionWord::Register(chosen) => Command::ConnectionRegister(chosen.into()),
        ConnectionWord::Check(chosen) => Command::ConnectionCheck(chosen.into()),
        ConnectionWord::Unregister(chosen) => Command::ConnectionUnregister(chosen.into()),
        ConnectionWord::Pause(chosen) => Command::ConnectionPause(chosen.into()),
        ConnectionWord::Resume(chosen) => Command::ConnectionResume(chosen.into()),
        ConnectionWord::Remove(chosen) => Command::ConnectionRemove(chosen.into()),
        ConnectionWord::Set { connection, settings, mode, site } => {
            Command::ConnectionSet { chosen: Chosen { connection: Some(connection), site }, mode, given: given.pairs(&settings)? }
        }
    })
}

impl From<words::Chosen> for Chosen {
    fn from(chosen: words::Chosen) -> Self {
        Chosen { connection: chosen.connection.or(chosen.named), site: chosen.site }
    }
}

/// The number that the contract gives to a failure.
pub fn exit_code(e: &Error) -> u8 {
    match e.code {
        "locked" => 3,
        "storage_damaged" | "storage_failed" | "storage_newer" | "storage_foreign" | "migration_failed" => 4,
        "key_missing" | "key_unreadable" | "key_exposed" | "key_damaged" | "key_unwritable" | "key_wrong" => 5,
        "port_taken" => 6,
        "bad_query" => 1,
        _ if e.kind == Kind::Invalid => 2,
        _ => 1,
    }
}

fn refuse(e: &Error, is_json: bool) -> ExitCode {
    let cause = match (&e.source, e.kind) {
        (Some(source), Kind::Internal) => format!(" ({source})"),
        _ => String::new(),
    };
    let line = format!("{e}{cause}").split_whitespace().collect::<Vec<_>>().join(" ");
    let _ = writeln!(std::io::stderr(), "halotrack: {line}");
    if is_json {
        say(&json!({"error": {"code": e.code, "field": e.field, "message": e.message}}).to_string());
    }
    ExitCode::from(exit_code(e))
}

/// clap writes paragraphs; one line is enough.
fn usage(e: &clap::Error) -> Error {
    let text = e.render().to_string();
    let cause: Vec<&str> = text.lines().take_while(|l| !l.starts_with("Usage:")).flat_map(str::split_whitespace).collect();
    let cause = cause.join(" ");
    let cause = match e.kind() {
        ErrorKind::MissingSubcommand | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => "A word is missing.",
        _ => cause.trim_start_matches("error: ").trim_end_matches("For more information, try '--help'.").trim(),
    };
    let stop = if cause.ends_with(['.', '?', '!', ']']) { "" } else { "." };
    Error::new(Kind::Invalid, "usage", format!("{cause}{stop} `halotrack --help` lists the words, `halotrack WORD --help` their flags."))
}

fn print(is_json: bool, answer: &Value, text: impl FnOnce() -> String) {
    if is_json { say(&answer.to_string()) } else { say(&text()) }
}

/// One text to standard output. Whoever closed the other end of a pipe has read enough.
fn say(text: &str) {
    let mut out = std::io::stdout().lock();
    let _ = out.write_all(text.trim_end().as_bytes()).and_then(|()| out.write_all(b"\n")).and_then(|()| out.flush());
}

/// Whatever this process makes is for its owner alone.
fn private_files() {
    // SAFETY: umask only swaps a number of the process and cannot fail; no other thread runs yet.
    unsafe {
        libc::umask(0o077);
    }
}

/// A fault of ours is one line without a trace. What was being worked on is not in it: it may hold people.
fn quiet_panics() {
    std::panic::set_hook(Box::new(|info| {
        let place = info.location().map(|l| format!("{}:{}", l.file(), l.line())).unwrap_or_default();
        let line = format!("A fault of the program itself at {place}. Please report this line.");
        if tracing::dispatcher::has_been_set() {
            tracing::error!("{line}");
        } else {
            let _ = writeln!(std::io::stderr(), "halotrack: {line}");
        }
    }));
}
