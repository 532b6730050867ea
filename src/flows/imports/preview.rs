//! What a file would do, and nothing of it done: rows by what would become of them, the first refused ones, sums, days.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use super::{Given, Pieces, home_of, step};
use crate::app::App;
use crate::domain::import::{ImportKind, Outcome, Refusal, Row, Shape, Sheet, Told};
use crate::domain::spend::overlap::{Ledger, Overlaps};
use crate::domain::time::Day;
use crate::error::Result;
use crate::store::imports::Counts;
use crate::store::sites::Site;
use crate::store::spend;

/// Refused rows that are shown.
const SHOWN: usize = 10;
/// Rows of one look at the database.
const AT_ONCE: usize = 500;
/// Rows whose names are remembered, so that one that stands in the file twice is seen: 64 MiB or so.
const MOST_NAMES: usize = 2_000_000;

#[derive(Debug, Clone, Default)]
pub struct Preview {
    pub shape: Shape,
    pub counts: Counts,
    pub refused: Vec<(u64, Refusal)>,
    /// Rows and their sum in minor units, of all that would be stored or are there, by currency.
    pub sums: BTreeMap<String, (i64, i64)>,
    pub days: Option<(Day, Day)>,
    /// Amounts of spend that would count twice.
    pub overlaps: Option<Overlaps>,
    /// The file has so many rows that those which stand in it twice may count as new twice.
    pub is_rough: bool,
}

/// What is remembered of the rows before.
#[derive(Default)]
struct Seen {
    names: HashMap<u64, u64>,
    spend: Ledger,
    /// Amounts that rows of the file stand for.
    own: HashSet<i64>,
}

/// Looks at the whole file.
pub async fn of(app: &App, site: &Arc<Site>, kind: ImportKind, given: &Given, mut pieces: Pieces) -> Result<Preview> {
    let mut sheet = Sheet::new(kind, home_of(app, site, given));
    let mut preview = Preview::default();
    let mut seen = Seen::default();
    loop {
        let piece = pieces.recv().await.transpose()?;
        let is_end = piece.is_none();
        match piece {
            Some(piece) => sheet.push(&piece)?,
            None => sheet.end()?,
        }
        let mut batch = Vec::new();
        while let Some(told) = sheet.next_row() {
            batch.push(told);
            if batch.len() >= AT_ONCE {
                look(app, site, kind, std::mem::take(&mut batch), &mut preview, &mut seen).await?;
            }
        }
        look(app, site, kind, batch, &mut preview, &mut seen).await?;
        if is_end {
            preview.shape = sheet.shape().clone();
            preview.is_rough |= seen.spend.is_full();
            preview.overlaps = overlaps(app, site, seen).await?;
            return Ok(preview);
        }
    }
}

/// What of the file would count twice: beside its own rows, or beside amounts that are there.
async fn overlaps(app: &App, site: &Site, seen: Seen) -> Result<Option<Overlaps>> {
    let Seen { spend: mut ledger, own, .. } = seen;
    let Some(span) = ledger.span() else { return Ok(None) };
    app.store
        .read(site.id, move |c| {
            spend::each(c, span, |id, source, campaign, days| {
                if !own.contains(&id.number()) {
                    ledger.beside(source, campaign, days);
                }
            })?;
            Ok(ledger.overlaps())
        })
        .await
}

async fn look(app: &App, site: &Arc<Site>, kind: ImportKind, batch: Vec<Told>, preview: &mut Preview, seen: &mut Seen) -> Result<()> {
    if batch.is_empty() {
        return Ok(());
    }
    let (of, now) = (site.clone(), app.clock.now());
    let (batch, words) = app
        .store
        .read(site.id, move |c| {
            let words = batch
                .iter()
                .map(|told| match &told.outcome {
                    Outcome::Row { name, row } => step::would(c, &of, kind, name, row, now),
                    Outcome::LeftOut => Ok(("left_out", None)),
                    Outcome::Refused(_) => Ok(("refused", None)),
                })
                .collect::<Result<Vec<_>>>()?;
            Ok((batch, words))
        })
        .await?;
    for (told, (word, amount)) in batch.into_iter().zip(words) {
        let counts = &mut preview.counts;
        counts.rows += 1;
        let (name, row) = match told.outcome {
            Outcome::LeftOut => {
                counts.left_out += 1;
                continue;
            }
            Outcome::Refused(refusal) => {
                counts.refused += 1;
                if preview.refused.len() < SHOWN {
                    preview.refused.push((told.line, refusal));
                }
                continue;
            }
            Outcome::Row { name, row } => (name, row),
        };
        let (key, content) = step::digests(site, &name);
        let short =
            |digest: [u8; 16]| u64::from_be_bytes([digest[0], digest[1], digest[2], digest[3], digest[4], digest[5], digest[6], digest[7]]);
        let before = seen.names.get(&short(key)).copied();
        if before.is_some() || seen.names.len() < MOST_NAMES {
            seen.names.insert(short(key), short(content));
        } else {
            preview.is_rough = true;
        }
        match before {
            // It stands in the file above.
            Some(same) if same == short(content) || kind == ImportKind::Touches => {
                counts.known += 1;
                continue;
            }
            Some(_) => {
                counts.changed += 1;
                continue;
            }
            None => {}
        }
        seen.own.extend(amount);
        if let Row::Spend(spend) = &row {
            seen.spend.add(spend, word != "known");
        }
        match word {
            "known" => counts.known += 1,
            "changed" => counts.changed += 1,
            "joined" => counts.joined += 1,
            "left_out" => {
                counts.left_out += 1;
                continue;
            }
            _ => counts.new += 1,
        }
        add(preview, &row, site);
    }
    Ok(())
}

fn add(preview: &mut Preview, row: &Row, site: &Site) {
    if let Some(amount) = row.amount() {
        let sum = preview.sums.entry(amount.currency.code().to_owned()).or_default();
        *sum = (sum.0 + 1, sum.1.saturating_add(amount.minor));
    }
    let (first, last) = row.days(&site.zone);
    preview.days = Some(match preview.days {
        Some((from, to)) => (from.min(first), to.max(last)),
        None => (first, last),
    });
}
