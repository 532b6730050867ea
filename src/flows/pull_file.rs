//! Conversions for the files that platforms import by their address: what may leave, built as a delivery is built.

use std::sync::Arc;

use crate::app::App;
use crate::domain::ids::ConversionId;
use crate::domain::outgoing::{Mode, Outgoing};
use crate::domain::question::Cursor;
use crate::domain::time::Time;
use crate::error::Result;
use crate::flows::{outgoing, pipeline, planning};
use crate::store::sites::Site;
use crate::store::{conversions, credits};

/// Conversions looked at for one page of a file.
const PAGE: usize = 200;

/// The next page in the order of time, from `from` on. Consent counts as it is now. Left out are those who do not agree or
/// were erased, tests and one's own people, history that was brought in, and sales of which nothing is left.
pub async fn page(app: &App, site: &Arc<Site>, from: Time, after: Option<Cursor>) -> Result<(Vec<Outgoing>, Option<Cursor>)> {
    let (owner, now) = (site.clone(), app.clock.now());
    app.store
        .read(site.id, move |c| {
            let after = after.map(|cursor| (Time::from_ms(cursor.key.unwrap_or_default()), ConversionId::new(cursor.id)));
            let found = conversions::list_since(c, from, after, PAGE)?;
            let next = (found.len() == PAGE).then(|| found.last()).flatten();
            let next = next.map(|last| Cursor { key: Some(last.happened_at.ms()), id: last.id.number() });
            let mut all = Vec::new();
            for conversion in &found {
                let is_reversed = matches!(conversion.status.as_str(), "cancelled" | "refunded");
                if conversion.is_erased || !conversion.counts || conversion.is_imported || is_reversed || conversion.happened_at > now {
                    continue;
                }
                let may = planning::consent_for(c, &owner, conversion, &pipeline::sessions_of(c, conversion)?, now)?;
                if !may.is_allowed {
                    continue;
                }
                let (_, path) = credits::find_newest(c, conversion.id)?.unwrap_or_default();
                all.push(outgoing::build(c, &owner, (&conversion.event_id, Mode::Live, None), conversion, &path, &may, now)?);
            }
            Ok((all, next))
        })
        .await
}
