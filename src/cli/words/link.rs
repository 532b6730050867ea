//! The words of short links.

use clap::{Args, Subcommand};

use super::SITE;

#[derive(Subcommand)]
pub enum LinkWord {
    /// Make a short link; prints its address
    Add(Box<LinkAdd>),
    /// Links with what came of them
    List {
        #[arg(long, help = SITE)]
        site: String,
    },
}

#[derive(Args)]
pub struct LinkAdd {
    #[arg(long, help = SITE)]
    pub site: String,
    /// The page it leads to, of one of the site's domains
    #[arg(long, value_name = "URL")]
    pub to: String,
    #[arg(long = "utm_source", alias = "utm-source", value_name = "WORD", help = "Where the link stands, such as newsletter")]
    pub utm_source: Option<String>,
    #[arg(long = "utm_medium", alias = "utm-medium", value_name = "WORD", help = "What kind of place that is, such as email")]
    pub utm_medium: Option<String>,
    #[arg(long = "utm_campaign", alias = "utm-campaign", value_name = "WORD", help = "What it is part of, such as spring")]
    pub utm_campaign: Option<String>,
    #[arg(long = "utm_term", alias = "utm-term", value_name = "WORD", help = "The word that was searched for, where there is one")]
    pub utm_term: Option<String>,
    #[arg(long = "utm_content", alias = "utm-content", value_name = "WORD", help = "Which of several links it is")]
    pub utm_content: Option<String>,
    /// An affiliate's code
    #[arg(long, value_name = "CODE")]
    pub affiliate: Option<String>,
    /// What to call it
    #[arg(long, value_name = "NAME")]
    pub label: Option<String>,
}
