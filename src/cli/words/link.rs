//! The words of short links.

use clap::{Args, Subcommand};

#[derive(Subcommand)]
pub enum LinkWord {
    /// Make a short link; prints its address
    Add(Box<LinkAdd>),
    /// Links with what came of them
    List {
        #[arg(long)]
        site: String,
    },
}

#[derive(Args)]
pub struct LinkAdd {
    #[arg(long)]
    pub site: String,
    /// The page it leads to, of one of the site's domains
    #[arg(long, value_name = "URL")]
    pub to: String,
    #[arg(long = "utm_source", alias = "utm-source", value_name = "WORD")]
    pub utm_source: Option<String>,
    #[arg(long = "utm_medium", alias = "utm-medium", value_name = "WORD")]
    pub utm_medium: Option<String>,
    #[arg(long = "utm_campaign", alias = "utm-campaign", value_name = "WORD")]
    pub utm_campaign: Option<String>,
    #[arg(long = "utm_term", alias = "utm-term", value_name = "WORD")]
    pub utm_term: Option<String>,
    #[arg(long = "utm_content", alias = "utm-content", value_name = "WORD")]
    pub utm_content: Option<String>,
    /// An affiliate's code
    #[arg(long, value_name = "CODE")]
    pub affiliate: Option<String>,
    /// What to call it
    #[arg(long, value_name = "NAME")]
    pub label: Option<String>,
}
