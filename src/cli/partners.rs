//! Partners by command: the words, and what they ask for.

use clap::Subcommand;

use super::words::SITE;
use crate::control::Command;
use crate::error::{Error, Result};
use crate::flows::affiliates::AffiliateForm;

#[derive(Subcommand)]
pub enum AffiliateWord {
    /// Add a partner; prints the link to send out
    Add {
        #[arg(long, help = SITE)]
        site: String,
        /// What stands behind ?ref= in the partner's links; the `affiliate_id` of the API
        #[arg(long = "code", required = true, value_name = "C")]
        codes: Vec<String>,
        /// What to call the partner [default: the code]
        #[arg(long, value_name = "N")]
        name: Option<String>,
        /// 10% or 5.00 for each sale, lead=2.00 for each lead, product:SKU=15% for a product
        #[arg(long = "commission", required = true, value_name = "RULE")]
        commission: Vec<String>,
        /// How long a commission waits for refunds [default: 30d]
        #[arg(long, value_name = "DAYS")]
        hold: Option<String>,
        /// How long a followed link may earn [default: 60d]
        #[arg(long, value_name = "DAYS")]
        cookie: Option<String>,
        /// A coupon of the partner's own
        #[arg(long = "coupon", value_name = "C")]
        coupons: Vec<String>,
        #[arg(long, value_name = "E", help = "The partner's address")]
        email: Option<String>,
    },
    /// Partners with what is due to them
    List {
        #[arg(long, help = SITE)]
        site: Option<String>,
    },
}

pub fn command(word: AffiliateWord) -> Result<Command> {
    Ok(match word {
        AffiliateWord::Add { site, codes, name, commission, hold, cookie, coupons, email } => {
            let form = AffiliateForm {
                name,
                email,
                codes: Some(codes),
                coupons: Some(coupons),
                commission: Some(commission),
                hold_days: hold.map(|text| days("hold", &text)).transpose()?,
                cookie_days: cookie.map(|text| days("cookie", &text)).transpose()?,
                ..AffiliateForm::default()
            };
            Command::AffiliateAdd { site, form }
        }
        AffiliateWord::List { site } => Command::AffiliateList { site },
    })
}

/// `30d`, or the number alone.
fn days(flag: &str, text: &str) -> Result<u32> {
    let wrong = || Error::invalid(flag, format!("{text:?} is no number of days such as 30d."));
    text.trim().trim_end_matches('d').parse().map_err(|_| wrong())
}
