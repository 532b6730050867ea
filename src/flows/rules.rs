//! Rules for names: what one would change, made, taken away.

use serde_json::{Value, json};

use crate::app::App;
use crate::domain::ids::RuleId;
use crate::domain::question::{Days, Period};
use crate::domain::rule::{self, Renamed, Rule, Rules, Spelling};
use crate::error::{Error, Result};
use crate::store::questions::tables::{self, TableRow};
use crate::store::questions::visits::Origin;
use crate::store::sites::Site;
use crate::store::{audit, rules};

/// Days that a preview looks at, today included.
pub const PREVIEW_DAYS: i32 = 90;

/// What a rule would do to the last days.
#[derive(Debug, Default)]
pub struct Preview {
    /// What would be shown under the new name.
    pub moved: TableRow,
    /// The row under which it would stand, as far as there is one already.
    pub there: TableRow,
    pub is_merge: bool,
    /// The name it would end with: other rules may go on from there.
    pub into: String,
}

/// Counts nothing anew and changes nothing: the rule is laid over the figures of the books, beside those that stand.
pub async fn preview(app: &App, site: &Site, spelling: Spelling) -> Result<Preview> {
    let today = site.zone.day(app.clock.now());
    let period = Period::whole(Days { from: today.plus(1 - PREVIEW_DAYS), to: today });
    let zone = site.zone.clone();
    app.store
        .read(site.id, move |c| {
            let standing = rules::list(c)?;
            rule::admit(&standing, &spelling)?;
            let all = tables::origins_of_the_books(c, &zone, period)?;
            let before = Rules::of(standing.iter().map(|r| &r.spelling));
            let after = Rules::of(standing.iter().map(|r| &r.spelling).chain([&spelling]));
            Ok(moves(all.iter(), &before, &after, &spelling))
        })
        .await
}

fn moves<'o>(all: impl Iterator<Item = (&'o Origin, &'o TableRow)>, before: &Rules, after: &Rules, new: &Spelling) -> Preview {
    let of = |named: (&str, &str, &str)| match new.dimension {
        Renamed::Source => named.0.to_owned(),
        Renamed::Medium => named.1.to_owned(),
        Renamed::Campaign => named.2.to_owned(),
    };
    let probe = new.within.as_deref().unwrap_or("-");
    let into = match new.dimension {
        Renamed::Source => of(after.named(&new.from, "", "")),
        Renamed::Medium => of(after.named(probe, &new.from, "")),
        Renamed::Campaign => of(after.named(probe, "", &new.from)),
    };
    let mut preview = Preview { into, ..Preview::default() };
    for ((source, medium, campaign), row) in all {
        let (was, is) = (before.named(source, medium, campaign), after.named(source, medium, campaign));
        let is_in_scope = new.within.as_deref().is_none_or(|within| was.0 == within);
        if was != is {
            preview.moved.add(row);
        } else if is_in_scope && of(was) == preview.into {
            preview.there.add(row);
            preview.is_merge = true;
        }
    }
    preview
}

pub async fn add(app: &App, site: &Site, spelling: Spelling, who: &str) -> Result<Rule> {
    let (who, now) = (who.to_owned(), app.clock.now());
    let rule = app
        .store
        .write(site.id, move |c| {
            rule::admit(&rules::list(c)?, &spelling)?;
            let rule = rules::add(c, &spelling, &who, now)?;
            audit::add(c, &who, "rule_added", &told(rule.id, &spelling), now)?;
            Ok(rule)
        })
        .await?;
    app.refresh().await?;
    Ok(rule)
}

pub async fn remove(app: &App, site: &Site, id: RuleId, who: &str) -> Result<()> {
    let (who, now) = (who.to_owned(), app.clock.now());
    app.store
        .write(site.id, move |c| {
            let Some(spelling) = rules::remove(c, id)? else { return Err(Error::not_found(format!("There is no {id} on this site."))) };
            audit::add(c, &who, "rule_removed", &told(id, &spelling), now)
        })
        .await?;
    app.refresh().await
}

fn told(id: RuleId, s: &Spelling) -> Value {
    json!({"rule": id, "dimension": s.dimension.word(), "from": s.from, "to": s.to, "within": s.within})
}
