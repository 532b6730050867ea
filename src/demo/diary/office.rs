//! What the shop's own people do with those who ask for something: calls, offers, sales, in days and weeks.

use super::{Event, What, Writer};
use crate::domain::pipeline::Stage;
use crate::domain::time::{DAY_MS, HOUR_MS, MINUTE_MS, Time, Zone};

impl Writer {
    /// Through the pipeline, in days and weeks: most who ask for something that is sold are called back, some of them buy.
    pub(super) fn follow_up(&mut self, at: Time, lead: usize, form: usize) {
        let office = &mut self.office;
        let mut moves: Vec<(Time, Stage, Option<i64>)> = Vec::new();
        let Some((low, high)) = self.shop.forms[form].deal else {
            // A question is answered, and that is mostly all.
            if office.happens(6_500) {
                moves.push((at.plus_ms(office.between(HOUR_MS, 30 * HOUR_MS)), Stage::Contacted, None));
            }
            return self.move_on(lead, moves);
        };
        if office.happens(800) {
            return;
        }
        let called = at.plus_ms(office.between(40 * MINUTE_MS, 44 * HOUR_MS));
        moves.push((called, Stage::Contacted, None));
        let heard = called.plus_ms(office.between(20 * HOUR_MS, 6 * DAY_MS));
        if !office.happens(5_400) {
            // Nobody answers any more, or another one was cheaper. Some simply wait.
            if office.happens(7_000) {
                moves.push((heard.plus_ms(office.between(DAY_MS, 9 * DAY_MS)), Stage::Lost, None));
            }
            return self.move_on(lead, moves);
        }
        // An offer is a round sum, what is sold in the end is not.
        let offer = office.between(low / 100, high / 100) * 10_000;
        moves.push((heard, Stage::Qualified, Some(offer)));
        let ended = heard.plus_ms(office.between(2 * DAY_MS, 17 * DAY_MS));
        match office.below(100) {
            0..48 => {
                let sold = offer * office.between(91, 108) / 100;
                moves.push((ended, Stage::Won, Some(sold - sold % 500)));
            }
            48..80 => moves.push((ended, Stage::Lost, None)),
            _ => {}
        }
        self.move_on(lead, moves);
    }

    /// At the shop's own hours.
    fn move_on(&mut self, lead: usize, moves: Vec<(Time, Stage, Option<i64>)>) {
        let zone = Zone::parse(self.shop.zone).unwrap_or_else(Zone::utc);
        let mut before = Time::from_ms(0);
        for (at, stage, worth) in moves {
            let start = zone.start(zone.day(at));
            let hour = at.ms_since(start) / HOUR_MS;
            // In the evening somebody looks at it the next morning; before they open, the same one.
            let next = start.plus_ms(if hour < 9 { 0 } else { DAY_MS });
            let open = if (9..18).contains(&hour) { at } else { next.plus_ms(9 * HOUR_MS + at.ms_since(start) % (3 * HOUR_MS)) };
            let at = open.max(before.plus_ms(25 * MINUTE_MS));
            before = at;
            self.diary.events.push(Event { at, what: What::Moved { lead, stage, worth } });
        }
    }
}
