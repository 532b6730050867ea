//! Tenants: what each is called, which domains are its own, and its keys.

use rusqlite::Row;
use rusqlite::named_params;
use serde::{Deserialize, Serialize};

use super::scope::{AllSites, SiteConn};
use crate::crypto::{self, Sealer};
use crate::domain::affiliate;
use crate::domain::attribution::Policy;
use crate::domain::consent;
use crate::domain::ids::SiteId;
use crate::domain::money::Currency;
use crate::domain::network::Network;
use crate::domain::rule::Rules;
use crate::domain::time::{Time, Zone};
use crate::error::{Error, Result};

/// A tenant as the rest of the program knows it.
#[derive(Debug, Clone)]
pub struct Site {
    pub id: SiteId,
    pub slug: String,
    pub name: String,
    /// Public by nature: it stands in the page.
    pub public_key: String,
    pub zone: Zone,
    pub currency: Currency,
    pub country: Option<String>,
    pub consent: consent::Mode,
    /// Registrable domain of the first domain; a setting, never taken from a request.
    pub cookie_domain: String,
    /// In the order in which the owner named them.
    pub domains: Vec<String>,
    pub settings: SiteSettings,
    /// Under which names sources, media and campaigns are shown.
    pub rules: Rules,
    pub keys: SiteKeys,
}

/// What `site set` changes beyond the columns. Absent keys are the defaults.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct SiteSettings {
    /// Do Not Track and GPC count as a refusal.
    pub gpc: bool,
    /// Exact addresses of the owner's own people; their conversions are kept and left out.
    pub staff_emails: Vec<String>,
    /// Visits from these addresses are not counted.
    pub staff_networks: Vec<Network>,
    /// Query parameters kept beside the usual ones.
    pub extra_params: Vec<String>,
    /// `POST /api/lead` takes leads straight from the page.
    pub public_leads: bool,
    /// The words of chats are kept; else only how many, by whom and when.
    pub chat_text: bool,
    /// Words by which a message asks for a price, and names a product, beside the usual ones.
    pub chat_price_words: Vec<String>,
    pub chat_product_words: Vec<String>,
    /// Exact extra origins for kept paths.
    pub cors_origins: Vec<String>,
    pub funnel_types: Vec<String>,
    /// Days by kind of row.
    pub retention: std::collections::BTreeMap<String, u32>,
    pub policy: Policy,
    /// Which of several partners' links earns.
    pub affiliate_model: affiliate::claim::Model,
    pub proxy: std::collections::BTreeMap<String, String>,
}

impl Default for SiteSettings {
    fn default() -> Self {
        Self {
            gpc: true,
            staff_emails: Vec::new(),
            staff_networks: Vec::new(),
            extra_params: Vec::new(),
            public_leads: false,
            chat_text: false,
            chat_price_words: Vec::new(),
            chat_product_words: Vec::new(),
            cors_origins: Vec::new(),
            funnel_types: Vec::new(),
            retention: Default::default(),
            policy: Policy::default(),
            affiliate_model: Default::default(),
            proxy: Default::default(),
        }
    }
}

/// Keys that outlive a rotation of the master key, random per site.
#[derive(Clone, Serialize, Deserialize)]
pub struct SiteKeys {
    /// Seals session ids.
    pub session: [u8; 32],
    /// Keys digests of what was seen and of people.
    pub digest: [u8; 32],
    /// Keys tombstones of erased people.
    pub tombstone: [u8; 32],
    /// The secret for signed identify, as the owner's server uses it.
    pub identify: String,
}

impl std::fmt::Debug for SiteKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SiteKeys(…)")
    }
}

impl SiteKeys {
    pub fn fresh() -> Self {
        Self {
            session: crypto::random(),
            digest: crypto::random(),
            tombstone: crypto::random(),
            identify: crypto::hex(&crypto::random::<32>()),
        }
    }

    fn sealed(&self, sealer: &Sealer, site: SiteId) -> Result<Vec<u8>> {
        let plain = serde_json::to_vec(self).map_err(Error::internal)?;
        Ok(sealer.seal(&plain, &keys_row(site)))
    }
}

fn keys_row(site: SiteId) -> String {
    format!("sites/{}/keys", site.number())
}

/// What `site add` is given, already checked.
#[derive(Debug, Clone)]
pub struct NewSite {
    pub name: String,
    pub domains: Vec<String>,
    pub currency: Currency,
    pub zone: Zone,
    pub country: Option<String>,
    pub consent: consent::Mode,
    pub cookie_domain: String,
}

/// Makes a site. The slug comes from the name; a domain belongs to one site only.
pub fn add(all: &AllSites, new: &NewSite, now: Time) -> Result<SiteId> {
    for domain in &new.domains {
        check_free(all, domain, None)?;
    }
    let slug = free_slug(all, &new.name)?;
    let public_key = crypto::random_text(12);
    all.execute(
        "insert into sites (slug, name, public_key, zone, currency, country, consent, cookie_domain, sealed_keys, created_at)
         values (:slug, :name, :key, :zone, :currency, :country, :consent, :cookie, x'', :now)",
        named_params! {":slug": slug, ":name": new.name, ":key": public_key, ":zone": new.zone.name(), ":currency": new.currency.code(),
        ":country": new.country, ":consent": new.consent.as_str(), ":cookie": new.cookie_domain, ":now": now.ms()},
    )?;
    let site = SiteId::issued(all.last_insert_rowid());
    let sealed = SiteKeys::fresh().sealed(all.sealer(), site)?;
    all.execute("update sites set sealed_keys = :keys where id = :id", named_params! {":keys": sealed, ":id": site.number()})?;
    put_domains(&all.of(site), &new.domains)?;
    Ok(site)
}

/// Writes a changed site back. Its id, slug and keys never change here.
pub fn save(all: &AllSites, site: &Site) -> Result<()> {
    for domain in &site.domains {
        check_free(all, domain, Some(site.id))?;
    }
    let settings = serde_json::to_string(&site.settings).map_err(Error::internal)?;
    let own = all.of(site.id);
    own.execute(
        "update sites set name = :name, zone = :zone, currency = :currency, country = :country, consent = :consent,
           cookie_domain = :cookie, settings = :settings where id = :site",
        named_params! {":name": site.name, ":zone": site.zone.name(), ":currency": site.currency.code(), ":country": site.country,
        ":consent": site.consent.as_str(), ":cookie": site.cookie_domain, ":settings": settings},
    )?;
    own.execute("delete from site_domains where site_id = :site", &[])?;
    put_domains(&own, &site.domains)
}

/// Replaces a site's identify secret and gives the new one.
pub fn rotate_identify(own: &SiteConn, mut keys: SiteKeys) -> Result<String> {
    keys.identify = crypto::hex(&crypto::random::<32>());
    let sealed = keys.sealed(own.sealer(), own.site())?;
    own.execute("update sites set sealed_keys = :keys where id = :site", named_params! {":keys": sealed})?;
    Ok(keys.identify)
}

/// Every site's keys under the present master key; gives how many were changed.
pub fn seal_anew(all: &AllSites) -> Result<usize> {
    let rows: Vec<(i64, Vec<u8>)> = all.list("select id, sealed_keys from sites", &[], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let mut changed = 0;
    for (id, sealed) in rows {
        if let Some(anew) = all.sealer().sealed_anew(&sealed, &keys_row(SiteId::issued(id))) {
            changed += all.execute("update sites set sealed_keys = :keys where id = :id", named_params! {":keys": anew, ":id": id})?;
        }
    }
    Ok(changed)
}

/// Every site with its domains and opened keys.
pub fn list(all: &AllSites) -> Result<Vec<Site>> {
    let domains: Vec<(i64, String)> =
        all.list("select site_id, domain from site_domains order by site_id, place, domain", &[], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let rows = all.list(
        "select id, slug, name, public_key, zone, currency, country, consent, cookie_domain, settings, sealed_keys from sites order by id",
        &[],
        |row| Ok(read(row, all.sealer())),
    )?;
    let mut sites = rows.into_iter().collect::<Result<Vec<Site>>>()?;
    let mut rules = super::rules::spellings_of_all(all)?;
    for site in &mut sites {
        site.domains = domains.iter().filter(|(id, _)| *id == site.id.number()).map(|(_, d)| d.clone()).collect();
        site.rules = Rules::of(rules.remove(&site.id.number()).unwrap_or_default().iter());
    }
    Ok(sites)
}

/// When the site's first touch and its first conversion were: a fresh site has neither.
pub fn find_beginnings(c: &SiteConn) -> Result<(Option<Time>, Option<Time>)> {
    // A visit of somebody who refused is a visit too.
    let touch: Option<i64> = c.one(
        "select min(at) from (select min(at) as at from touches where site_id = :site union all select min(at) from anon_events where site_id = :site)",
        &[],
    )?;
    let conversion: Option<i64> = c.one("select min(happened_at) from conversions where site_id = :site", &[])?;
    Ok((touch.map(Time::from_ms), conversion.map(Time::from_ms)))
}

pub fn count(all: &AllSites) -> Result<i64> {
    Ok(all.find("select count(*) from sites", &[], |row| row.get(0))?.unwrap_or(0))
}

fn read(row: &Row, sealer: &Sealer) -> Result<Site> {
    let sql = super::scope::sql_error;
    let id = SiteId::issued(row.get(0).map_err(sql)?);
    let zone: String = row.get(4).map_err(sql)?;
    let currency: String = row.get(5).map_err(sql)?;
    let consent: String = row.get(7).map_err(sql)?;
    let settings: String = row.get(9).map_err(sql)?;
    let sealed: Vec<u8> = row.get(10).map_err(sql)?;
    let keys = sealer.open(&sealed, &keys_row(id)).and_then(|plain| serde_json::from_slice(&plain).ok()).ok_or_else(|| {
        super::storage("key_wrong", "The master key does not fit this database. Put the key file back that belongs to it.")
    })?;
    Ok(Site {
        id,
        slug: row.get(1).map_err(sql)?,
        name: row.get(2).map_err(sql)?,
        public_key: row.get(3).map_err(sql)?,
        zone: Zone::parse(&zone).unwrap_or_else(Zone::utc),
        currency: Currency::parse(&currency).ok_or_else(|| Error::internal(format!("{id} has the currency {currency}")))?,
        country: row.get(6).map_err(sql)?,
        consent: consent::Mode::parse(&consent).ok_or_else(|| Error::internal(format!("{id} has the consent mode {consent}")))?,
        cookie_domain: row.get(8).map_err(sql)?,
        domains: Vec::new(),
        settings: serde_json::from_str(&settings).map_err(Error::internal)?,
        rules: Rules::default(),
        keys,
    })
}

fn check_free(all: &AllSites, domain: &str, own: Option<SiteId>) -> Result<()> {
    let holder: Option<i64> =
        all.find("select site_id from site_domains where domain = :domain", named_params! {":domain": domain}, |row| row.get(0))?;
    match holder {
        Some(id) if Some(id) != own.map(SiteId::number) => {
            Err(Error::invalid("domain", format!("{domain} already belongs to another site. A domain belongs to one site only.")))
        }
        _ => Ok(()),
    }
}

fn put_domains(own: &SiteConn, domains: &[String]) -> Result<()> {
    for (place, domain) in domains.iter().enumerate() {
        own.execute(
            "insert into site_domains (domain, site_id, place) values (:domain, :site, :place)",
            named_params! {":domain": domain, ":place": place as i64},
        )?;
    }
    Ok(())
}

/// A word for addresses: letters, digits and dashes, never one that could be read as a number.
fn free_slug(all: &AllSites, name: &str) -> Result<String> {
    let mut slug = String::new();
    for c in name.chars().flat_map(char::to_lowercase) {
        if c.is_ascii_alphanumeric() {
            slug.push(c);
        } else if !slug.ends_with('-') && !slug.is_empty() {
            slug.push('-');
        }
    }
    let mut slug = slug.trim_matches('-').chars().take(40).collect::<String>();
    if slug.is_empty() || slug.bytes().all(|b| b.is_ascii_digit()) || slug.starts_with("site-") || slug.starts_with("site_") {
        slug = format!("shop-{slug}").trim_matches('-').to_owned();
    }
    for n in 1.. {
        let candidate = if n == 1 { slug.clone() } else { format!("{slug}-{n}") };
        let taken = all.find("select 1 from sites where slug = :slug", named_params! {":slug": candidate}, |_| Ok(()))?;
        if taken.is_none() {
            return Ok(candidate);
        }
    }
    unreachable!("there is always a next number")
}
