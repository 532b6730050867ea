//! Tenants: added, changed, their identify secret replaced. The command line and the dashboard both come here.

/// A site that is there already.
mod known;

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{COMMAND_LINE, pull};
use crate::app::App;
use crate::domain::affiliate::claim;
use crate::domain::attribution::Model;
use crate::domain::consent::Mode;
use crate::domain::conversion::ConversionKind;
use crate::domain::host;
use crate::domain::ids::SiteId;
use crate::domain::milestone;
use crate::domain::money::Currency;
use crate::domain::network::Network;
use crate::domain::person::Email;
use crate::domain::retention;
use crate::domain::time::Zone;
use crate::error::{Error, Result};
use crate::store::sites::{NewSite, Site};
use crate::store::{audit, recounts, sites};

/// What the owner types to make a site. Empty texts are the defaults.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct NewSiteForm {
    pub name: String,
    pub domains: Vec<String>,
    pub currency: Option<String>,
    pub zone: Option<String>,
    pub country: Option<String>,
    pub consent: Option<String>,
}

/// What the owner needs next.
#[derive(Debug, Clone, Serialize)]
pub struct SiteAdded {
    pub site: String,
    pub name: String,
    pub public_key: String,
    pub snippet: String,
    pub consent_note: String,
    /// False where it was there already under this name: nothing was changed.
    pub is_new: bool,
}

/// The keys that `set` takes, as the contract lists them.
pub const KEYS: &[&str] = &[
    "name",
    "domains",
    "currency",
    "zone",
    "country",
    "consent",
    "gpc",
    "cookie_domain",
    "staff_emails",
    "staff_networks",
    "extra_params",
    "public_leads",
    "chat.text",
    "chat.price_words",
    "chat.product_words",
    "chat.credit",
    "cors_origins",
    "model",
    "affiliates.model",
    "window",
    "window.KIND",
    "funnel.types",
    "retention.KIND",
    "proxy.upstream",
    "proxy.inject",
];

/// Entries of a list setting at most.
const MOST_ENTRIES: usize = 200;

pub async fn add(app: &App, form: &NewSiteForm, who: &str) -> Result<SiteAdded> {
    let domains = form.domains.iter().map(|d| domain(d)).collect::<Result<Vec<_>>>()?;
    let first = domains.first().ok_or_else(|| Error::invalid("domain", "Name at least one domain, such as shop.example."))?;
    let new = NewSite {
        name: name(&form.name)?,
        cookie_domain: cookie_domain_of(first)?,
        currency: currency(form.currency.as_deref().unwrap_or("USD"))?,
        zone: zone(form.zone.as_deref().unwrap_or("UTC"))?,
        country: country(form.country.as_deref().unwrap_or_default())?,
        consent: consent(form.consent.as_deref().unwrap_or("auto"))?,
        domains: deduped(domains),
    };
    if who == COMMAND_LINE
        && let Some(known) = known::by_domain(app, &new)?
    {
        return Ok(known);
    }
    let now = app.clock.now();
    let who = who.to_owned();
    let id = app
        .store
        .write_all_sites(move |all| {
            let id = sites::add(all, &new, now)?;
            audit::add(&all.of(id), &who, "site_added", &json!({"name": new.name, "domains": new.domains}), now)?;
            Ok(id)
        })
        .await?;
    app.refresh().await?;
    let book = app.book();
    let site = book.site(id).ok_or_else(|| Error::internal("a site that was just added is not in the book"))?;
    Ok(added(app, site, true))
}

fn added(app: &App, site: &Site, is_new: bool) -> SiteAdded {
    SiteAdded {
        site: site.slug.clone(),
        name: site.name.clone(),
        public_key: site.public_key.clone(),
        snippet: snippet(&app.config.public_url, &site.public_key),
        consent_note: consent_note(site.consent).into(),
        is_new,
    }
}

/// Changes one setting by name.
pub async fn set(app: &App, id: SiteId, key: &str, value: &str, who: &str) -> Result<()> {
    set_all(app, id, &[(key.to_owned(), value.to_owned())], who).await
}

/// Changes several settings, all or none. `proxy.…` is for the command line alone: it decides what stands behind the
/// shop's host.
pub async fn set_all(app: &App, id: SiteId, changes: &[(String, String)], who: &str) -> Result<()> {
    let book = app.book();
    let was = book.site(id).map(|site| site.zone.name().to_owned());
    let mut site = Site::clone(book.site(id).ok_or_else(|| Error::not_found(format!("There is no {id}.")))?);
    for (key, value) in changes {
        if key.starts_with("proxy.") && who != COMMAND_LINE {
            return Err(Error::invalid(key, "This is set on the server's command line only: `halotrack site set`."));
        }
        change(&mut site, key, value.trim())?;
    }
    let keys: Vec<String> = changes.iter().map(|(key, _)| key.clone()).collect();
    let is_moved = was.as_deref() != Some(site.zone.name());
    let now = app.clock.now();
    let who = who.to_owned();
    app.store
        .write_all_sites(move |all| {
            sites::save(all, &site)?;
            if is_moved {
                recounts::begin(&all.of(id), &site.zone)?;
            }
            audit::add(&all.of(id), &who, "site_set", &json!({ "keys": keys }), now)
        })
        .await?;
    app.refresh().await?;
    // Lists that are read by the clocks of the site.
    if is_moved { pull::follow_zone(app, id).await } else { Ok(()) }
}

/// A new secret for signed identify; what the owner's server signs with the old one is only *asserted* from now on.
pub async fn rotate_secret(app: &App, id: SiteId, who: &str) -> Result<String> {
    let keys = app.book().site(id).ok_or_else(|| Error::not_found(format!("There is no {id}.")))?.keys.clone();
    let now = app.clock.now();
    let who = who.to_owned();
    let secret = app
        .store
        .write(id, move |c| {
            let secret = sites::rotate_identify(c, keys)?;
            audit::add(c, &who, "site_secret_rotated", &json!({}), now)?;
            Ok(secret)
        })
        .await?;
    app.refresh().await?;
    Ok(secret)
}

/// The line for the page's head. It works from any host: the key names the site.
pub fn snippet(public_url: &str, public_key: &str) -> String {
    format!("<script defer src=\"{public_url}/t.js\" data-site=\"{public_key}\"></script>")
}

/// What becomes of visitors who have not answered, in one sentence.
pub fn consent_note(mode: Mode) -> &'static str {
    match mode {
        Mode::Auto => {
            "Automatic (auto): visitors from the EEA, the United Kingdom and Switzerland who have not answered are only counted, \
             all others are tracked. Until a no (opt-out) is the older rule, which tracks everybody until they refuse."
        }
        Mode::OptIn => {
            "Only after a yes (opt-in): visitors who have not answered are only counted. Until a no (opt-out) is the older rule, \
             which tracks everybody until they refuse."
        }
        Mode::OptOut => "Until a no (opt-out), the older rule: visitors who have not answered are tracked until they refuse.",
    }
}

fn change(site: &mut Site, key: &str, value: &str) -> Result<()> {
    match key {
        "name" => site.name = name(value)?,
        "domains" => {
            let domains = deduped(list(value).map(domain).collect::<Result<Vec<_>>>()?);
            let first = domains.first().ok_or_else(|| Error::invalid(key, "Name at least one domain, such as shop.example."))?;
            // A cookie domain that the owner chose stays while it still covers the first domain.
            if !host::is_under(first, &site.cookie_domain) {
                site.cookie_domain = cookie_domain_of(first)?;
            }
            site.domains = domains;
        }
        "currency" => site.currency = currency(value)?,
        "zone" => site.zone = zone(value)?,
        "country" => site.country = country(value)?,
        "consent" => site.consent = consent(value)?,
        "gpc" => site.settings.gpc = switch(key, value)?,
        "cookie_domain" => {
            let wanted = host::parse(value).filter(|d| host::registrable(d).is_some());
            let covers = |d: &String| site.domains.first().is_some_and(|first| host::is_under(first, d));
            site.cookie_domain = wanted.filter(covers).ok_or_else(|| {
                Error::invalid(key, "It must be the site's first domain or one above it, and not a public suffix such as co.uk.")
            })?;
        }
        "staff_emails" => {
            site.settings.staff_emails = entries(key, value, |e| Email::parse(e).map(|e| e.as_str().to_owned()), "an e-mail address")?;
        }
        "staff_networks" => {
            let read = |e: &str| Network::parse(e).map(|n| n.to_string());
            let all = entries(key, value, read, "an address or range such as 203.0.113.0/24")?;
            site.settings.staff_networks = all.iter().filter_map(|n| Network::parse(n)).collect();
        }
        "extra_params" => site.settings.extra_params = entries(key, value, parameter, "a query parameter's name")?,
        "public_leads" => site.settings.public_leads = switch(key, value)?,
        "chat.text" => site.settings.chat_text = switch(key, value)?,
        "chat.price_words" => site.settings.chat_price_words = entries(key, value, phrase, "a word or phrase of 2 to 60 characters")?,
        "chat.product_words" => site.settings.chat_product_words = entries(key, value, phrase, "a word or phrase of 3 to 60 characters")?,
        "chat.credit" => site.settings.policy.chat_credit = switch(key, value)?,
        "cors_origins" => site.settings.cors_origins = entries(key, value, host::origin, "an origin such as https://app.shop.example")?,
        "model" => {
            site.settings.policy.model = serde_json::from_value::<Model>(json!(value))
                .map_err(|_| Error::invalid(key, "The model is one of last_non_direct, first, last, linear, position, time_decay."))?;
        }
        "affiliates.model" => {
            site.settings.affiliate_model = claim::Model::parse(value)
                .ok_or_else(|| Error::invalid(key, "It is last or first: which of several partners' links earns."))?;
        }
        "window" => site.settings.policy.window_days = window(key, value)?,
        _ if key.starts_with("window.") => {
            let kind = ConversionKind::parse(&key["window.".len()..])
                .ok_or_else(|| Error::invalid(key, "The kind is one of sale, lead, signup, custom."))?;
            match value {
                "" => site.settings.policy.windows.remove(&kind),
                _ => site.settings.policy.windows.insert(kind, window(key, value)?),
            };
        }
        "funnel.types" => {
            site.settings.funnel_types =
                entries(key, value, milestone::own_word, "a new word of a-z, 0-9 and _, or word=type for another name of a type")?
        }
        "proxy.upstream" => put(&mut site.settings.proxy, "upstream", upstream(value)?),
        "proxy.inject" => {
            let is_on = switch(key, value)?;
            put(&mut site.settings.proxy, "inject", is_on.then(|| "true".into()));
        }
        _ => match key.strip_prefix("retention.") {
            Some(kind) => retain(site, kind, value)?,
            None => return Err(Error::invalid(key, format!("A site has no setting {key}. It takes: {}.", KEYS.join(", ")))),
        },
    }
    Ok(())
}

fn retain(site: &mut Site, kind: &str, value: &str) -> Result<()> {
    let field = format!("retention.{kind}");
    let Some(default) = retention::default_days(kind) else {
        let known: Vec<&str> = retention::KINDS.iter().map(|k| k.kind).collect();
        return Err(Error::invalid(&field, format!("There is no such kind. There are: {}.", known.join(", "))));
    };
    if value.is_empty() {
        site.settings.retention.remove(kind);
        return Ok(());
    }
    let days = value.parse::<u32>().ok().filter(|d| (1..=retention::MOST_DAYS).contains(d));
    let days = days
        .ok_or_else(|| Error::invalid(&field, format!("Days from 1 to {}; empty for the default of {default}.", retention::MOST_DAYS)))?;
    site.settings.retention.insert(kind.to_owned(), days);
    Ok(())
}

fn name(text: &str) -> Result<String> {
    let text = text.trim();
    let is_fit = (1..=200).contains(&text.chars().count()) && !text.chars().any(char::is_control);
    if is_fit { Ok(text.to_owned()) } else { Err(Error::invalid("name", "The name is a text of 1 to 200 characters.")) }
}

fn domain(text: &str) -> Result<String> {
    let domain = host::parse(text).ok_or_else(|| {
        Error::invalid("domain", format!("{text:?} is no domain. Write it like shop.example, without https:// and without a path."))
    })?;
    // Refuses a bare public suffix: it would be everybody's.
    cookie_domain_of(&domain)?;
    Ok(domain)
}

fn cookie_domain_of(domain: &str) -> Result<String> {
    host::registrable(domain).map(str::to_owned).ok_or_else(|| {
        Error::invalid("domain", format!("{domain} is a public suffix under which anybody may register. Name your own domain below it."))
    })
}

fn currency(text: &str) -> Result<Currency> {
    Currency::parse(text).ok_or_else(|| Error::invalid("currency", format!("{text:?} is no ISO 4217 currency code such as AED.")))
}

fn zone(text: &str) -> Result<Zone> {
    Zone::parse(text).ok_or_else(|| Error::invalid("zone", format!("{text:?} is no time zone name such as Asia/Dubai.")))
}

fn country(text: &str) -> Result<Option<String>> {
    let upper = text.trim().to_ascii_uppercase();
    match upper.len() {
        0 => Ok(None),
        2 if upper.bytes().all(|b| b.is_ascii_uppercase()) => Ok(Some(upper)),
        _ => Err(Error::invalid("country", format!("{text:?} is no ISO 3166 country code of two letters such as AE."))),
    }
}

fn consent(text: &str) -> Result<Mode> {
    Mode::parse(text).ok_or_else(|| Error::invalid("consent", format!("{text:?} is none of auto, opt-in, opt-out.")))
}

fn switch(key: &str, value: &str) -> Result<bool> {
    match value {
        "true" | "on" | "yes" => Ok(true),
        "false" | "off" | "no" => Ok(false),
        _ => Err(Error::invalid(key, "It is true or false.")),
    }
}

fn window(key: &str, value: &str) -> Result<Option<u32>> {
    match value {
        "unlimited" => Ok(None),
        "1" | "7" | "14" | "30" | "60" | "90" => Ok(value.parse().ok()),
        _ => Err(Error::invalid(key, "The window is 1, 7, 14, 30, 60 or 90 days, or unlimited.")),
    }
}

fn upstream(value: &str) -> Result<Option<String>> {
    if value.is_empty() {
        return Ok(None);
    }
    host::origin(value).map(Some).ok_or_else(|| {
        Error::invalid("proxy.upstream", "It is the address of the site behind the proxy, such as http://127.0.0.1:3000, without a path.")
    })
}

/// A name that may be kept from every visitor's address. Names under which addresses of people travel are refused.
fn parameter(text: &str) -> Option<String> {
    let is_name = (1..=64).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-.[]".contains(&b));
    let lower = text.to_ascii_lowercase();
    let is_personal = ["email", "e-mail", "mail", "phone", "tel", "name", "password", "token"].iter().any(|w| lower == *w);
    (is_name && !is_personal).then(|| text.to_owned())
}

/// A word of a chat, as people write it.
fn phrase(text: &str) -> Option<String> {
    let text = text.trim();
    ((2..=60).contains(&text.chars().count()) && !text.chars().any(char::is_control)).then(|| text.to_owned())
}

fn entries(key: &str, value: &str, read: impl Fn(&str) -> Option<String>, what: &str) -> Result<Vec<String>> {
    let read = |e: &str| read(e).ok_or_else(|| Error::invalid(key, format!("{e:?} is not {what}.")));
    let all = deduped(list(value).map(read).collect::<Result<Vec<_>>>()?);
    if all.len() > MOST_ENTRIES {
        return Err(Error::invalid(key, format!("At most {MOST_ENTRIES} entries.")));
    }
    Ok(all)
}

fn list(value: &str) -> impl Iterator<Item = &str> {
    value.split(',').map(str::trim).filter(|e| !e.is_empty())
}

/// Each once, in the order in which they were named.
fn deduped(all: Vec<String>) -> Vec<String> {
    let mut seen = std::collections::HashSet::new();
    all.into_iter().filter(|e| seen.insert(e.clone())).collect()
}

fn put(map: &mut std::collections::BTreeMap<String, String>, key: &str, value: Option<String>) {
    match value {
        Some(value) => map.insert(key.to_owned(), value),
        None => map.remove(key),
    };
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::sites::{SiteKeys, SiteSettings};

    fn site() -> Site {
        Site {
            id: SiteId::issued(1),
            slug: "shop".into(),
            name: "Shop".into(),
            public_key: "key".into(),
            zone: Zone::utc(),
            currency: Currency::parse("USD").expect("USD"),
            country: None,
            consent: Mode::Auto,
            cookie_domain: "name.co.uk".into(),
            domains: vec!["shop.name.co.uk".into()],
            settings: SiteSettings::default(),
            rules: Default::default(),
            keys: SiteKeys::fresh(),
        }
    }

    #[test]
    fn settings_are_taken_or_named() {
        let rows: &[(&str, &str, bool)] = &[
            ("name", "New name", true),
            ("name", "", false),
            ("domains", "shop.name.co.uk, shop.example", true),
            ("domains", "https://shop.example", false),
            ("domains", "co.uk", false),
            ("domains", "", false),
            ("currency", "aed", true),
            ("currency", "EURO", false),
            ("zone", "Asia/Dubai", true),
            ("zone", "Mars/Olympus", false),
            ("country", "ae", true),
            ("country", "", true),
            ("country", "UAE", false),
            ("consent", "opt-in", true),
            ("consent", "perhaps", false),
            ("gpc", "false", true),
            ("gpc", "maybe", false),
            ("cookie_domain", "shop.name.co.uk", true),
            ("cookie_domain", "co.uk", false),
            ("cookie_domain", "other.example", false),
            ("staff_emails", "me@shop.example, you@shop.example", true),
            ("staff_emails", "me", false),
            ("extra_params", "hsa_cam,variant", true),
            ("extra_params", "email", false),
            ("public_leads", "true", true),
            ("chat.text", "on", true),
            ("chat.text", "sometimes", false),
            ("chat.price_words", "was kostet, rabatt", true),
            ("chat.price_words", "x", false),
            ("chat.product_words", "diffuser", true),
            ("chat.credit", "true", true),
            ("cors_origins", "https://app.shop.example", true),
            ("cors_origins", "*", false),
            ("model", "linear", true),
            ("model", "guess", false),
            ("affiliates.model", "first", true),
            ("affiliates.model", "linear", false),
            ("window", "unlimited", true),
            ("window", "31", false),
            ("funnel.types", "trial_started", true),
            ("funnel.types", "Trial started", false),
            ("funnel.types", "demo_held=event_attended", true),
            ("funnel.types", "activation", false),
            ("retention.touches", "90", true),
            ("retention.touches", "", true),
            ("retention.touches", "0", false),
            ("retention.sandwiches", "9", false),
            ("proxy.upstream", "http://127.0.0.1:3000", true),
            ("proxy.upstream", "127.0.0.1", false),
            ("proxy.inject", "true", true),
            ("colour", "blue", false),
        ];
        for (key, value, is_taken) in rows {
            let got = change(&mut site(), key, value);
            assert_eq!(got.is_ok(), *is_taken, "{key}={value}: {got:?}");
            if let Err(e) = got {
                let named = e.field.unwrap_or_default();
                assert!(named == *key || (*key == "domains" && named == "domain"), "{key} is named {named}");
            }
        }
    }

    #[test]
    fn the_cookie_domain_follows_the_first_domain() {
        let mut site = site();
        change(&mut site, "domains", "www.bücher.example,shop.name.co.uk").expect("domains");
        assert_eq!(site.domains, ["www.xn--bcher-kva.example", "shop.name.co.uk"]);
        assert_eq!(site.cookie_domain, "xn--bcher-kva.example");
    }
}
