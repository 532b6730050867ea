//! Which model and window the books use. A change is shown before it is made; what was credited before keeps its run, and
//! gets a new one beside it only where the owner says so and the answer differs.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::json;

use crate::app::App;
use crate::domain::attribution::matching::{confidence_bp, match_type};
use crate::domain::attribution::{Judged, MatchType, PathTouch, Policy, Window, basis_points, chat, shares, weights};
use crate::domain::ids::SiteId;
use crate::domain::money::{Currency, Money};
use crate::domain::question::filter::UNATTRIBUTED;
use crate::error::{Error, Result};
use crate::flows::crediting;
use crate::store::audit;
use crate::store::credits::{self, Anew, Standing};
use crate::store::scope::SiteConn;
use crate::store::sites::{self, Site};

/// Conversions judged in one write: a few milliseconds.
const STEP: usize = 200;
/// Billionths of one conversion.
const WHOLE: i64 = 1_000_000_000;

/// What one source has under the policy in force, and under the one that is looked at.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Row {
    pub before: Share,
    pub after: Share,
}

#[derive(Debug, Clone, Default, PartialEq)]
pub struct Share {
    pub conversions_e9: i64,
    pub net: BTreeMap<Currency, i64>,
}

#[derive(Debug, Default)]
pub struct Preview {
    /// By source; what nothing is credited with has a row of its own.
    pub rows: BTreeMap<String, Row>,
    pub conversions: i64,
    /// Conversions that would be credited to another touch.
    pub moved: i64,
}

/// The effect of a policy on all that has been credited. Nothing is stored.
pub async fn preview(app: &App, site: &Arc<Site>, policy: Policy) -> Result<Preview> {
    let own = site.settings.policy.clone();
    app.store
        .read(site.id, move |c| {
            let mut preview = Preview::default();
            let mut after = 0;
            loop {
                let page = credits::page(c, after, STEP)?;
                let Some(last) = page.last() else { return Ok(preview) };
                after = last.id.number();
                for standing in page.iter().filter(|s| s.counts) {
                    add(&mut preview, standing, &own, &policy);
                }
            }
        })
        .await
}

fn add(preview: &mut Preview, s: &Standing, own: &Policy, new: &Policy) {
    preview.conversions += 1;
    if is_moved(s, &path_under(s, new), new) {
        preview.moved += 1;
    }
    let frozen = || vec![(s.source.clone(), 1)];
    let before = if own.model.is_single() || s.path.is_empty() { frozen() } else { earners(&s.path, s, own) };
    let path = path_under(s, new);
    let after = if path.is_empty() && s.path.is_empty() { frozen() } else { earners(&path, s, new) };
    spread(preview, s, &before, |row| &mut row.before);
    spread(preview, s, &after, |row| &mut row.after);
}

/// Sources with their weights; one without a name where no touch earns anything.
fn earners(path: &[PathTouch], s: &Standing, policy: &Policy) -> Vec<(Option<String>, u64)> {
    let weights = weights(policy.model, path, s.happened_at, policy.window_of(s.kind));
    let all: Vec<(Option<String>, u64)> =
        path.iter().zip(weights).filter(|(_, w)| *w > 0).map(|(p, w)| (Some(p.touch.source.clone()), w)).collect();
    if all.is_empty() { vec![(None, 1)] } else { all }
}

fn spread(preview: &mut Preview, s: &Standing, earners: &[(Option<String>, u64)], pick: impl Fn(&mut Row) -> &mut Share) {
    let weights: Vec<u64> = earners.iter().map(|(_, w)| *w).collect();
    let parts = shares(&weights);
    let money = s.net.map(|net| net.split(&weights));
    for (n, (source, _)) in earners.iter().enumerate() {
        let row = preview.rows.entry(source.clone().unwrap_or_else(|| UNATTRIBUTED.into())).or_default();
        let share = pick(row);
        share.conversions_e9 += if parts.iter().all(|p| *p == 0) { WHOLE } else { parts[n] as i64 };
        if let Some(Money { minor, currency }) = money.as_ref().and_then(|all| all.get(n)).copied() {
            *share.net.entry(currency).or_default() += minor;
        }
    }
}

/// The touches that may earn under a policy: with its conversations where the owner lets them.
fn path_under(s: &Standing, policy: &Policy) -> Vec<PathTouch> {
    let chats: &[PathTouch] = if policy.chat_credit { &s.chats } else { &[] };
    chat::with_chats(&s.path, chats, true)
}

fn is_moved(s: &Standing, path: &[PathTouch], policy: &Policy) -> bool {
    let is_known = !s.path.is_empty() || !path.is_empty();
    is_known && origin_of(credited(s, path, policy)) != (s.source.as_deref(), s.medium.as_deref(), s.campaign.as_deref())
}

type Origin<'a> = (Option<&'a str>, Option<&'a str>, Option<&'a str>);

fn origin_of(touch: Option<&PathTouch>) -> Origin<'_> {
    match touch {
        Some(PathTouch { touch, .. }) => (Some(&touch.source), Some(&touch.medium), touch.campaign.as_deref()),
        None => (None, None, None),
    }
}

fn credited<'a>(s: &Standing, path: &'a [PathTouch], policy: &Policy) -> Option<&'a PathTouch> {
    crediting::credited(path, &Judged { kind: s.kind, happened_at: s.happened_at }, policy)
}

/// Puts a policy in force for what comes from now on. With `past`, conversions whose answer differs get a new run as well.
/// Gives the number of those runs.
pub async fn apply(app: &App, site: SiteId, policy: Policy, past: bool, who: &str) -> Result<i64> {
    let mut changed = Site::clone(app.book().site(site).ok_or_else(|| Error::not_found("There is no such site."))?);
    let detail = json!({"before": changed.settings.policy, "after": policy, "past": past});
    changed.settings.policy = policy.clone();
    let now = app.clock.now();
    let by = who.to_owned();
    app.store
        .write_all_sites(move |all| {
            sites::save(all, &changed)?;
            audit::add(&all.of(site), &by, "policy_changed", &detail, now)
        })
        .await?;
    app.refresh().await?;
    if !past {
        return Ok(0);
    }
    // Goes on when the browser goes away: half of it would be neither the old books nor the new.
    let (app, by) = (app.clone(), who.to_owned());
    let runs = tokio::spawn(async move {
        let runs = judge_again(&app, site, &policy).await?;
        let now = app.clock.now();
        app.store.write(site, move |c| audit::add(c, &by, "credited_anew", &json!({ "conversions": runs }), now)).await?;
        Ok::<_, Error>(runs)
    });
    runs.await.map_err(|e| Error::internal(format!("crediting anew stopped: {e}")))?
}

async fn judge_again(app: &App, site: SiteId, policy: &Policy) -> Result<i64> {
    let (mut after, mut runs) = (0, 0);
    loop {
        let (own, now) = (policy.clone(), app.clock.now());
        let (last, made) = app.store.write(site, move |c| step(c, &own, after, now)).await?;
        runs += made;
        match last {
            Some(last) => after = last,
            None => return Ok(runs),
        }
    }
}

/// The number that the step came to, and how many runs it wrote.
fn step(c: &SiteConn, policy: &Policy, after: i64, now: crate::domain::time::Time) -> Result<(Option<i64>, i64)> {
    let page = credits::page(c, after, STEP)?;
    let mut made = 0;
    for s in &page {
        let path = path_under(s, policy);
        if !is_moved(s, &path, policy) {
            continue;
        }
        let window = policy.window_of(s.kind);
        let shares = basis_points(&weights(policy.model, &path, s.happened_at, window));
        let changes = json!({"model": policy.model.word(), "window": Window(window).word(), "shares_bp": shares});
        let anew = Anew { path: &path, matched: matched_by_chat(s, &path) };
        credits::add_again(c, s, policy, &anew, &changes, origin_of(credited(s, &path, policy)), now)?;
        made += 1;
    }
    Ok((page.last().map(|s| s.id.number()), made))
}

/// What chats alone have matched, or no more do: a conversion that no visit explains.
fn matched_by_chat<'a>(s: &'a Standing, path: &[PathTouch]) -> Option<(MatchType, u16, bool, &'a str)> {
    let reason = s.chat_reason.as_deref().unwrap_or(chat::NOBODY);
    match (path.iter().map(|p| p.link).min(), chat::without_chats(&s.path).is_empty()) {
        (Some(best), true) if s.match_type == MatchType::None.word() => {
            Some((match_type(best), confidence_bp(best), best.is_asserted(), reason))
        }
        (None, true) if !s.path.is_empty() => Some((MatchType::None, 0, false, "Unattributed: no visit of this customer is known.")),
        _ => None,
    }
}
