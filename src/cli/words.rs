//! The command words and their flags, as the contract lists them.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use super::partners::AffiliateWord;

/// Lists that go out as files, and history that comes in.
mod files;
/// Short links.
mod link;

pub use files::{Export, FileFormat, Import};
pub use link::LinkWord;

/// What is said of arguments that many commands have.
pub const SITE: &str = "The site, by its short name as `site list` shows it";
const CONNECTION: &str = "The connection, such as con_7";

/// Marketing attribution on one box: which marketing earned each order, lead, booking and chat.
#[derive(Parser)]
#[command(name = "halotrack", version, propagate_version = true, disable_help_subcommand = true)]
pub struct Halotrack {
    #[command(flatten)]
    pub every: Every,
    #[command(flatten)]
    pub serve: Serve,
    #[command(subcommand)]
    pub word: Option<Word>,
}

/// Flags of every command.
#[derive(Args)]
pub struct Every {
    /// Folder of the data [default: ./halotrack-data]
    #[arg(long, global = true, value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// Configuration file [default: halotrack.toml beside the data folder]
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// One JSON value on standard output, and nothing else there
    #[arg(long, global = true)]
    pub json: bool,
}

#[derive(Args, Default)]
pub struct Serve {
    /// Address to listen on [default: 127.0.0.1:8080]
    #[arg(long, value_name = "ADDR:PORT")]
    pub listen: Option<String>,
}

#[derive(Args, Default)]
pub struct Demo {
    #[command(flatten)]
    pub serve: Serve,
    /// In the place of every command's: the demo has a folder of its own, and offers no other.
    #[arg(long, hide = true)]
    pub data: Option<PathBuf>,
}

#[derive(Subcommand)]
pub enum Word {
    /// Run the server (what `halotrack` alone does too)
    Serve(Serve),
    /// Look at two invented shops with 90 days of data, in a folder that is thrown away
    Demo(Demo),
    /// Sites: one for each tenant
    #[command(subcommand)]
    Site(SiteWord),
    /// People who sign in to the dashboard
    #[command(subcommand)]
    User(UserWord),
    /// Keys of programs, each for one site
    #[command(subcommand)]
    Token(TokenWord),
    /// Connections: a site's set-ups of platforms
    #[command(subcommand)]
    Connection(ConnectionWord),
    /// Partners who send buyers for a commission
    #[command(subcommand)]
    Affiliate(AffiliateWord),
    /// Short links that lead to the site
    #[command(subcommand)]
    Link(LinkWord),
    /// Send deliveries again, or read raw bodies again
    Replay(Replay),
    /// Read a platform's own list now
    Sync {
        #[arg(long, help = SITE)]
        site: String,
        /// One platform only, such as woocommerce [default: every one that has a list]
        #[arg(long)]
        platform: Option<String>,
        /// Also before its time
        #[arg(long)]
        force: bool,
    },
    /// Write lists into files; people are masked in them, as in every list
    Export(Export),
    /// Bring history in from a file: CSV or JSON lines; the same file again changes nothing
    Import(Import),
    /// Erase a person; prints the certificate
    Erase(Erase),
    /// The master key
    #[command(subcommand)]
    Key(KeyWord),
    /// Copy everything but the key into one file, and prove that it can be restored
    Backup {
        /// The file to make [default: one in the folder `backups` of the data folder, where older ones make room]
        #[arg(long, value_name = "FILE")]
        to: Option<PathBuf>,
    },
    /// Put a backup in the place of the database; the server must be stopped
    Restore(Restore),
    /// Deliveries that wait since a backup was restored
    #[command(subcommand)]
    Outbox(OutboxWord),
    /// Ask with SQL, read-only, under the documented names
    Sql(Sql),
    /// Look at everything the server leans on, and say what to do
    Doctor,
    /// Bring the database to the shape of this version
    Migrate,
}

#[derive(Subcommand)]
pub enum SiteWord {
    /// Make a site; prints its key and the line for the page
    Add {
        #[arg(long, value_name = "N", help = "What to call it")]
        name: String,
        /// A domain of the site; covers its subdomains
        #[arg(long = "domain", required = true, value_name = "D")]
        domains: Vec<String>,
        /// ISO 4217 [default: USD]
        #[arg(long)]
        currency: Option<String>,
        /// IANA time zone [default: UTC]
        #[arg(long)]
        zone: Option<String>,
        /// ISO 3166, two letters
        #[arg(long)]
        country: Option<String>,
        /// auto, opt-in or opt-out [default: auto]
        #[arg(long)]
        consent: Option<String>,
    },
    /// All sites with their settings
    List,
    /// Change settings of a site
    Set {
        #[arg(value_name = "SITE", help = SITE)]
        site: String,
        #[arg(required = true, value_name = "KEY=VALUE", help = "Settings by their names; `site list` shows them")]
        changes: Vec<String>,
    },
    /// The key for signed identify
    Secret {
        #[arg(value_name = "SITE", help = SITE)]
        site: String,
        /// Make a new one; the old one is void at once
        #[arg(long)]
        rotate: bool,
    },
}

#[derive(Subcommand)]
pub enum UserWord {
    /// Make a user, or give one a role on a site; prints a one-time link unless a password is given
    Add {
        #[arg(long, value_name = "E", help = "Their address")]
        email: String,
        /// owner, editor, analyst or client; an owner without --site owns the box
        #[arg(long)]
        role: String,
        #[arg(long, help = SITE)]
        site: Option<String>,
        /// Read the password from standard input
        #[arg(long)]
        password_stdin: bool,
    },
}

#[derive(Subcommand)]
pub enum TokenWord {
    /// Make a token; its text is shown this once
    Create {
        #[arg(long, help = SITE)]
        site: String,
        /// What it is for
        #[arg(long, value_name = "N")]
        name: String,
        /// Of read, write, sync, export, erase, separated by commas
        #[arg(long = "scope", value_name = "SCOPES")]
        scopes: String,
        /// Such as 365d [default: never]
        #[arg(long, value_name = "WHEN")]
        expires: Option<String>,
        /// Your own secret of at least 32 random bytes, as `@FILE` or `-`
        #[arg(long, value_name = "@FILE|-")]
        value: Option<String>,
    },
    /// Tokens without their text
    List {
        #[arg(long, help = SITE)]
        site: Option<String>,
    },
    /// End a token at once
    Revoke {
        /// Its id, such as token_3
        #[arg(value_name = "TOKEN")]
        token: String,
        #[arg(long, help = SITE)]
        site: String,
    },
}

#[derive(Args)]
#[group(skip)]
pub struct Replay {
    #[arg(long, help = SITE)]
    pub site: String,
    /// Deliveries to send again, with their old event ids
    #[arg(long = "delivery", value_name = "ID", num_args = 1..)]
    pub deliveries: Vec<String>,
    /// Raw bodies to read again
    #[arg(long = "inbox", value_name = "ID", num_args = 1..)]
    pub inbox: Vec<String>,
    /// All of a platform since a time
    #[arg(long, value_name = "SLUG", requires = "since")]
    pub platform: Option<String>,
    #[arg(long, value_name = "T", requires = "platform", help = "Since when, such as 2026-06-13 or 2026-06-13T09:20:00Z")]
    pub since: Option<String>,
}

#[derive(Args)]
#[group(skip)]
pub struct Erase {
    #[arg(long, help = SITE)]
    pub site: String,
    /// The person's address
    #[arg(long, value_name = "E", required_unless_present_any = ["phone", "order"], conflicts_with_all = ["phone", "order"])]
    pub email: Option<String>,
    /// Or their phone number, with its country: +971501234567
    #[arg(long, value_name = "P", conflicts_with = "order")]
    pub phone: Option<String>,
    /// Or the number of an order of theirs
    #[arg(long, value_name = "ID")]
    pub order: Option<String>,
    /// Erase without asking; on a terminal it is first shown what would go
    #[arg(long)]
    pub yes: bool,
}

#[derive(Subcommand)]
pub enum KeyWord {
    /// Make a new master key and seal everything anew with it
    Rotate,
}

#[derive(Subcommand)]
pub enum ConnectionWord {
    /// Connect a platform; prints the hook address
    Add {
        #[arg(long, help = SITE)]
        site: String,
        #[arg(long, value_name = "SLUG", help = "A platform of the table in the README, such as woocommerce")]
        platform: String,
        /// A setting; `key=@FILE` and `key=-` read it from a file or standard input
        #[arg(long = "set", value_name = "KEY=VALUE")]
        settings: Vec<String>,
        /// shadow, test or live [default: shadow]
        #[arg(long)]
        mode: Option<String>,
        /// What to call it [default: the platform's name]
        #[arg(long)]
        name: Option<String>,
    },
    /// Connections of a site or of all
    List {
        #[arg(long, help = SITE)]
        site: Option<String>,
    },
    /// Look at what can be looked at without sending anything
    Test(Chosen),
    /// Put our webhooks into the platform
    Register(Chosen),
    /// Look whether our webhooks are still there, and put missing ones back
    Check(Chosen),
    /// Take our webhooks out of the platform
    Unregister(Chosen),
    /// Stop sending and fetching; what arrives is still taken
    Pause(Chosen),
    /// Go on after a pause
    Resume(Chosen),
    /// Remove it; its facts and deliveries stay
    Remove(Chosen),
    /// Change settings and mode
    Set {
        #[arg(value_name = "CONNECTION", help = CONNECTION)]
        connection: String,
        #[arg(value_name = "KEY=VALUE", help = "Settings; `key=@FILE` and `key=-` read one from a file or standard input")]
        settings: Vec<String>,
        #[arg(long, help = "shadow, test or live")]
        mode: Option<String>,
        #[arg(long, help = SITE)]
        site: Option<String>,
    },
}

#[derive(Args)]
pub struct Chosen {
    /// The connection, such as con_7
    #[arg(value_name = "CONNECTION", conflicts_with = "connection")]
    pub named: Option<String>,
    #[arg(long, value_name = "CONNECTION", help = CONNECTION)]
    pub connection: Option<String>,
    #[arg(long, help = SITE)]
    pub site: Option<String>,
}

#[derive(Args)]
pub struct Restore {
    #[arg(value_name = "FILE", help = "The backup")]
    pub file: PathBuf,
    /// What of the old queue may be sent at once: none, 24h or all [default: none]
    #[arg(long, value_name = "WHAT")]
    pub release: Option<String>,
}

#[derive(Subcommand)]
pub enum OutboxWord {
    /// Send what was held
    Release {
        #[arg(long, help = SITE)]
        site: String,
        /// Only what was made since then; the rest stays held
        #[arg(long, value_name = "T")]
        since: Option<String>,
    },
}

#[derive(Args)]
pub struct Sql {
    /// The site to ask about; not needed where there is one only
    #[arg(long)]
    pub site: Option<String>,
    #[arg(long, value_enum, help = "How the answer is written [default: table on a screen]")]
    pub format: Option<Format>,
    /// Print the SQL of the documented names instead
    #[arg(long, conflicts_with = "query")]
    pub views: bool,
    /// One statement; from standard input if absent
    #[arg(value_name = "QUERY")]
    pub query: Option<String>,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    Table,
    Csv,
    Json,
}

#[cfg(test)]
mod tests {
    use clap::{Command, CommandFactory};

    use super::*;

    /// Arguments that nobody explains, with the command that takes them.
    fn unexplained(command: &Command, found: &mut Vec<String>) {
        let bare = command.get_arguments().filter(|arg| !arg.is_hide_set() && arg.get_help().is_none());
        found.extend(bare.map(|arg| format!("{} {}", command.get_name(), arg.get_id())));
        for below in command.get_subcommands() {
            unexplained(below, found);
        }
    }

    #[test]
    fn every_argument_is_explained() {
        let mut command = Halotrack::command();
        command.build();
        let mut found = Vec::new();
        unexplained(&command, &mut found);
        assert_eq!(found, Vec::<String>::new());
        let offered = |name: &str| {
            let word = command.find_subcommand(name).expect("a word");
            word.get_arguments().any(|arg| arg.get_id() == "data" && !arg.is_hide_set())
        };
        assert_eq!((offered("demo"), offered("serve")), (false, true), "the demo takes no folder");
    }
}
