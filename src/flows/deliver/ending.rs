//! What the verdict of a run means for its delivery and for the breaker of its connection.

use crate::app::App;
use crate::domain::breaker::{Breaker, LOOK_OUT_MS};
use crate::domain::conversion::ConversionKind;
use crate::domain::ids::ConnectionId;
use crate::domain::money::Money;
use crate::domain::outgoing::{Mode, Outgoing};
use crate::domain::reckoning::Place;
use crate::domain::retry::{self, Next, Scale};
use crate::domain::steps::Verdict;
use crate::domain::time::{MINUTE_MS, Time};
use crate::error::Result;
use crate::flows::reckoning::Reckoning;
use crate::sources;
use crate::store::connections;
use crate::store::conversions::{Conversion, VOID};
use crate::store::deliveries::{self, ALL_TOLD, CHECKING, Delivery, OWN_REPORT, REVERSED, SALE_HOLDS, SALE_NOT_SENT};
use crate::store::scope::SiteConn;
use crate::store::sites::Site;
use crate::store::{reports, reversals};

use super::End;

/// A platform that could not be asked what became of a delivery is asked again so much later.
const CHECK_AGAIN_MS: i64 = 30 * MINUTE_MS;

/// What a verdict means for the row.
pub struct Ending {
    pub state: &'static str,
    pub reason: Option<&'static str>,
    pub next_at: Option<Time>,
    pub is_charged: bool,
    pub pauses: bool,
}

pub fn judge(delivery: &Delivery, end: &End, breaker: &mut Breaker, scale: Scale, jitter: u32, now: Time) -> Ending {
    let settled = |state| Ending { state, reason: None, next_at: None, is_charged: true, pauses: false };
    if let Some(ms) = end.wait_ms {
        breaker.record(true, now, scale);
        return Ending { next_at: Some(now.plus_ms(ms)), is_charged: false, ..settled("pending") };
    }
    // Taken, and looked after once more at that time.
    let checking =
        |ms: i64| Ending { reason: Some(CHECKING), next_at: Some(now.plus_ms(scale.of_ms(ms))), is_charged: false, ..settled("accepted") };
    match &end.verdict {
        Verdict::Retry { .. } if delivery.is_check() => {
            breaker.record(false, now, scale);
            checking(CHECK_AGAIN_MS)
        }
        Verdict::Pause(_) if delivery.is_check() => Ending { pauses: true, ..checking(CHECK_AGAIN_MS) },
        Verdict::Delivered(_) => {
            breaker.record(true, now, scale);
            settled("delivered")
        }
        Verdict::Accepted(_) => {
            breaker.record(true, now, scale);
            settled("accepted")
        }
        Verdict::CheckLater { after_ms, state } if !state.is_null() => {
            breaker.record(true, now, scale);
            checking(*after_ms)
        }
        // Not kept after all, by no fault of anybody's: from the start.
        Verdict::CheckLater { after_ms, .. } => {
            breaker.record(true, now, scale);
            Ending { next_at: Some(now.plus_ms(scale.of_ms(*after_ms))), is_charged: false, ..settled("pending") }
        }
        Verdict::Retry { after_ms, .. } => {
            breaker.record(false, now, scale);
            if let Some(ms) = after_ms {
                // The platform asks for quiet, not only for this delivery.
                breaker.keep_quiet_until(now.plus_ms(*ms));
            }
            if breaker.is_hopeless() {
                return look_out(delivery, after_ms.unwrap_or(0).max(scale.of_ms(LOOK_OUT_MS)), now);
            }
            let attempts = u32::try_from(delivery.attempts + 1).unwrap_or(u32::MAX);
            match retry::next(attempts, *after_ms, scale, jitter) {
                Next::After(ms) if delivery.not_after.is_none_or(|limit| now.plus_ms(ms) <= limit) => {
                    Ending { next_at: Some(now.plus_ms(ms)), ..settled("pending") }
                }
                Next::After(_) => Ending { reason: Some("too_old"), ..settled("dead") },
                Next::Dead => Ending { reason: Some("no_success"), ..settled("dead") },
            }
        }
        Verdict::Split(_) | Verdict::Refused(_) => {
            breaker.record(true, now, scale);
            // Each delivery travels alone, so there is nothing left to split: the refusal is this one's.
            Ending { reason: Some("refused_by_platform"), ..settled("refused") }
        }
        Verdict::Pause(_) => Ending { is_charged: false, pauses: true, ..settled("pending") },
    }
}

/// The one on the look-out of a hopeless connection: tried at leisure and never given up for it, until the platform
/// would take it no more.
fn look_out(delivery: &Delivery, wait_ms: i64, now: Time) -> Ending {
    let next = now.plus_ms(wait_ms);
    if delivery.not_after.is_some_and(|limit| next > limit) {
        return Ending { state: "dead", reason: Some("too_old"), next_at: None, is_charged: true, pauses: false };
    }
    Ending { state: "pending", reason: None, next_at: Some(next), is_charged: false, pauses: false }
}

/// What the owner reads on the card of a connection that turned hopeless.
pub fn notice(site: &Site, breaker: &Breaker) -> String {
    let since = breaker.failing_since().map_or_else(String::new, |at| format!(" since {}", site.zone.day(at)));
    format!(
        "Nothing was taken{since}: five days of failures only. What waits is held and nothing is lost. One is tried every hour; \
         the first that is taken lets the others go."
    )
}

/// What is known of a delivery before it is built.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    Goes,
    /// Money that went back is told after its sale, which is on its way.
    Waits,
    /// There is nothing to tell any more: state and reason.
    Over(&'static str, &'static str),
}

/// What has changed since it was planned: a person who was erased, a test after all, a sale that went back, or one that
/// holds again. A refund is told where its sale was, and no more of it than that platform was told as sold.
pub(super) fn standing(c: &SiteConn, delivery: &Delivery, conversion: &Conversion, outgoing: &mut Outgoing) -> Result<Standing> {
    let is_reversed = conversion.kind == ConversionKind::Sale && matches!(conversion.status.as_str(), "cancelled" | "refunded");
    // It may have told us of it since, or the owner has asked for it by hand.
    let is_own_report = delivery.event_id == conversion.event_id
        && sources::find(&delivery.platform).is_some()
        && reports::list_tellers(c, conversion.id)?.iter().any(|(_, platform)| *platform == delivery.platform);
    Ok(match (conversion.is_erased, conversion.counts) {
        (true, _) => Standing::Over("cancelled", "erased"),
        // Of a sale that was another one's all along it goes on being told that it went back.
        (_, false) if !(conversion.status == VOID && outgoing.is_refund) => Standing::Over("skipped", "not_counted"),
        _ if is_own_report => Standing::Over("skipped", OWN_REPORT),
        _ if (outgoing.is_refund || outgoing.is_again) && outgoing.amount.is_some_and(|amount| amount.minor == 0) => {
            Standing::Over("cancelled", SALE_HOLDS)
        }
        _ if outgoing.is_again && is_reversed => Standing::Over("cancelled", REVERSED),
        _ if outgoing.is_refund || outgoing.is_again => by_account(c, delivery, conversion, outgoing)?,
        _ if is_reversed => Standing::Over("cancelled", REVERSED),
        _ => Standing::Goes,
    })
}

/// Money that goes back, or counts again, by the account of this platform: after its sale, and of what it contradicts.
fn by_account(c: &SiteConn, delivery: &Delivery, conversion: &Conversion, outgoing: &mut Outgoing) -> Result<Standing> {
    let (told, known) = (reversals::list_of_conversion(c, conversion.id)?, deliveries::list_known(c, conversion.id)?);
    let account = Reckoning::of(delivery.connection, conversion, &told, &known);
    let (Some(sale), Some(amount)) = (account.sale, outgoing.amount) else { return Ok(Standing::Over("skipped", SALE_NOT_SENT)) };
    let is_shown = delivery.mode == Mode::Shadow;
    match sale.told {
        _ if sale.is_open() => return Ok(Standing::Waits),
        None if is_shown && sale.is_shown() => return Ok(Standing::Goes),
        None => return Ok(Standing::Over("skipped", SALE_NOT_SENT)),
        // Of a sale that only the platform's test view has, its books know nothing.
        Some(_) if delivery.mode == Mode::Live && sale.mode != Mode::Live => return Ok(Standing::Over("skipped", SALE_NOT_SENT)),
        Some(_) => {}
    }
    let mut others = account.tellings.iter().zip(account.pieces(amount)).filter_map(|((reversal, row), piece)| {
        let row = row.filter(|row| row.id != delivery.id)?;
        Some((reversal.amount.minor < 0, row, piece))
    });
    let contradicts = |is_again: bool| is_again != outgoing.is_again;
    if others.clone().any(|(is_again, row, _)| contradicts(is_again) && row.is_queued() && row.id < delivery.id) {
        return Ok(Standing::Waits);
    }
    let gone = others.try_fold(0_i64, |sum, (_, row, piece)| match piece.place {
        Place::Told(_) => sum.checked_add(piece.heard()),
        Place::OnItsWay if row.id < delivery.id => sum.checked_add(piece.heard()),
        _ => Some(sum),
    });
    let gone = gone.unwrap_or(i64::MAX);
    let room = if outgoing.is_again { gone } else { account.sold_minor(amount).saturating_sub(gone) };
    // What went into another mode than the sale is no part of its account.
    if sale.mode == delivery.mode {
        if room <= 0 {
            return Ok(Standing::Over("cancelled", if outgoing.is_again { SALE_HOLDS } else { ALL_TOLD }));
        }
        outgoing.amount = Some(Money::new(amount.minor.min(room), amount.currency));
    }
    Ok(Standing::Goes)
}

/// How often money that went back looks whether its sale was told.
const AFTER_SALE_MS: i64 = MINUTE_MS;

pub(super) async fn wait_for_sale(app: &App, delivery: &Delivery) -> Result<()> {
    let at = app.clock.now().plus_ms(Scale::from_ppm(app.config.retry_scale_ppm).of_ms(AFTER_SALE_MS));
    let (id, connection, boot) = (delivery.id, delivery.connection, app.boot.clone());
    app.store
        .write(delivery.site, move |c| {
            free_probe(c, connection)?;
            deliveries::put_back(c, id, &boot, Some(at))
        })
        .await
}

/// Nothing was sent: if this was the one that should try a failing destination, another may.
pub(super) fn free_probe(c: &SiteConn, connection: ConnectionId) -> Result<()> {
    let mut breaker = connections::find_breaker(c, connection)?;
    if breaker.withdraw_probe() {
        connections::save_breaker(c, connection, &breaker)?;
    }
    Ok(())
}
