//! Variables of the five older systems: each gets one line that says what to do instead.

use std::collections::BTreeMap;

/// A name, or with a star at its end the beginning of names; the first that fits is said.
const INSTEAD: &[(&str, &str)] = &[
    ("ENGARDE_DATABASE_URL", "HaloTrack keeps its own file: name its folder with HALOTRACK_DATA"),
    ("ENGARDE_*", "connect the booking system with `halotrack connection add` and name the data folder with HALOTRACK_DATA"),
    (
        "SIGNUP_SYNC_SERVICE_TOKEN",
        "bring the same secret along with `halotrack token create --site SITE --name sync --scope read,write,sync --value -`",
    ),
    ("ANYTRACK_WEBHOOK_SECRET", "give it to the connection: `halotrack connection add --site SITE --platform anytrack --set secret=-`"),
    ("ANYTRACK_*", "it is read by the Python client only; make its key with `halotrack token create`"),
    ("SUPABASE_*", "no Supabase is needed: HaloTrack keeps its own file in the folder that HALOTRACK_DATA names"),
    ("NEXT_PUBLIC_SUPABASE_*", "no Supabase is needed: HaloTrack keeps its own file in the folder that HALOTRACK_DATA names"),
    ("WEBHOOK_SECRET", "give it to a forms connection: `halotrack connection add --site SITE --platform forms --set secret=-`"),
    ("GOOGLE_EXPORT_KEY", "make a token with the scope export: `halotrack token create --site SITE --name google --scope export`"),
    ("CRON_SECRET", "nothing calls in on a schedule any more: retries run by themselves"),
    ("N8N_WEBHOOK_URL", "give it to a webhook connection: `halotrack connection add --site SITE --platform webhook --set url=…`"),
    ("SKIP_SERVER_GA4_PURCHASE", "leave the GA4 connection in mode shadow: `halotrack connection set con_N --mode shadow`"),
    ("SITE_DOMAIN", "give it to the site: `halotrack site set SITE domains=…`"),
    ("CLIENT_ID", "a site is named on each command: `--site SITE`"),
    ("ALLOWED_ORIGINS", "use HALOTRACK_CORS_ORIGINS, or `halotrack site set SITE cors_origins=…`"),
    (
        "FACEBOOK_*",
        "give it to a meta connection: `halotrack connection add --site SITE --platform meta --set pixel_id=… --set access_token=-`",
    ),
    ("META_PIXEL_ID", "give it to a meta connection: `halotrack connection add --site SITE --platform meta --set pixel_id=…`"),
    ("META_ACCESS_TOKEN", "give it to a meta connection: `halotrack connection add --site SITE --platform meta --set access_token=-`"),
    ("HUBSPOT_API_KEY", "give it to a hubspot connection: `halotrack connection add --site SITE --platform hubspot --set access_token=-`"),
    (
        "HUBSPOT_ACCESS_TOKEN",
        "give it to a hubspot connection: `halotrack connection add --site SITE --platform hubspot --set access_token=-`",
    ),
];

/// One line a variable, in the order of their names. Values are never shown.
pub fn warnings(env: &BTreeMap<String, String>) -> Vec<String> {
    env.iter()
        .filter(|(_, value)| !value.trim().is_empty())
        .filter_map(|(name, _)| {
            let (_, instead) = INSTEAD.iter().find(|(known, _)| match known.strip_suffix('*') {
                Some(beginning) => name.starts_with(beginning),
                None => name == known,
            })?;
            Some(format!("{name} belongs to an older system and is not read: {instead}."))
        })
        .collect()
}
