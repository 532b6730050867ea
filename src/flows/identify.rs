//! What a browser says of who it is. Asserted, unless the owner's server signed it; nothing is ever told back.

use std::sync::Arc;

use crate::app::App;
use crate::crypto;
use crate::domain::fact::Person;
use crate::domain::short_code;
use crate::domain::time::{MINUTE_MS, Time};
use crate::error::Result;
use crate::flows::session_id::SessionKey;
use crate::store::people::{self, IdentityKind, SessionLink};
use crate::store::scope::SiteConn;
use crate::store::sites::Site;
use crate::store::{page_events, sessions, short_codes};

/// Different identities that one browser may claim in a day, and browsers that may claim one identity.
const IDENTITIES_A_DAY: i64 = 5;
const SESSIONS_A_DAY: i64 = 20;
/// A signature is good for this long before and after its time.
const SIGNATURE_MS: i64 = 5 * MINUTE_MS;

/// A claim as the page sent it.
#[derive(Debug, Clone, Default)]
pub struct Claim {
    pub person: Person,
    /// `sig` and `ts` as sent: hex HMAC-SHA256(site secret, "site.session.email.ts").
    pub signature: Option<(String, String)>,
    /// How the site named itself in what was signed.
    pub site_word: Option<String>,
    /// The session id as sent, with its seal: part of what is signed.
    pub session_text: String,
}

/// Stores the claim. The same work is done for a known and an unknown person.
pub async fn run(app: &App, site: &Arc<Site>, session: SessionKey, claim: Claim) -> Result<()> {
    let now = app.clock.now();
    let is_verified = claim.signature.as_ref().is_some_and(|(sig, ts)| is_signed(site, &claim, sig, ts, now));
    app.store.write(site.id, move |c| record(c, session.key(), &claim.person, is_verified, now)).await
}

fn record(c: &SiteConn, key: &str, person: &Person, is_verified: bool, now: Time) -> Result<()> {
    // Without a session there is nobody to link; refused consent has none.
    let Some(session) = sessions::find_by_key(c, key)? else { return Ok(()) };
    if session.analytics == "denied" {
        return Ok(());
    }
    for (kind, value) in people::identities_of(person) {
        let (identities, browsers) = people::count_claims(c, session.id, kind, &value, now)?;
        // The signature speaks of the e-mail alone; what stands beside it is only said.
        let is_verified = is_verified && kind == IdentityKind::Email;
        let is_flagged = !is_verified && (identities >= IDENTITIES_A_DAY || browsers >= SESSIONS_A_DAY);
        let source = if is_verified { "signed identify" } else { "identify" };
        people::link_session(c, &SessionLink { kind, value: &value, session: session.id, is_verified, at: now, source, is_flagged })?;
    }
    if is_verified
        && let Some(proved) =
            people::contact_of_verified(c, &Person { email: person.email.clone(), ..Person::default() }, "signed identify", now)?
    {
        sessions::set_contact(c, session.id, proved.contact.number())?;
    }
    Ok(())
}

/// Made by the owner's own server, so that a browser cannot claim somebody else's address.
fn is_signed(site: &Site, claim: &Claim, signature: &str, ts: &str, now: Time) -> bool {
    let Some(at) = ts.trim().parse::<i64>().ok().map(|n| if ts.trim().len() >= 12 { Time::from_ms(n) } else { Time::from_s(n) }) else {
        return false;
    };
    let (Some(given), Some(email)) = (crypto::unhex(signature.trim()), &claim.person.email) else { return false };
    if now.ms_since(at).abs() > SIGNATURE_MS {
        return false;
    }
    let words = [site.public_key.as_str(), site.slug.as_str()];
    let mut fits = false;
    for word in words.into_iter().chain(claim.site_word.as_deref()).take(3) {
        let is_own = word == site.public_key || word == site.slug;
        let signed = format!("{word}.{}.{}.{}", claim.session_text, email.as_str(), ts.trim());
        fits |= is_own && crypto::same(&crypto::hmac_sha256(site.keys.identify.as_bytes(), &[signed.as_bytes()]), &given);
    }
    fits
}

/// By this name the tag says that the page shows the browser's short code.
const CODE_SHOWN: &str = "halo_code";

/// What a page reports by name. Kept only for a browser that may be kept.
pub async fn event(app: &App, site: &Arc<Site>, session: SessionKey, name: String, properties: String, path: Option<String>) -> Result<()> {
    let now = app.clock.now();
    app.store
        .write(site.id, move |c| match sessions::find_by_key(c, session.key())? {
            // Which code it is the id itself says; nobody is asked.
            Some(found) if found.analytics != "denied" && name == CODE_SHOWN => {
                short_codes::shown(c, &short_code::of_session(session.key()), found.id, now)
            }
            Some(found) if found.analytics != "denied" => page_events::add(c, found.id, &name, &properties, path.as_deref(), now),
            _ => Ok(()),
        })
        .await
}
