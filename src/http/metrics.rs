//! `/metrics` in Prometheus' text format: counters by fixed words of ours, never by what a visitor sent.

use std::fmt::Write;

use super::ask::Ask;
use super::reply::Reply;
use super::route::Doc;
use crate::app::App;
use crate::domain::readiness::Worker;
use crate::domain::storage::Level;
use crate::error::Result;
use crate::flows::backup;
use crate::store::deliveries;

/// https://prometheus.io/docs/instrumenting/exposition_formats/
const TEXT_FORMAT: &str = "text/plain; version=0.0.4; charset=utf-8";

pub const METRICS: Doc =
    Doc::new("Health", "Figures for Prometheus. For any token, or for a program on this machine that comes without a proxy's headers.")
        .text(
            "# TYPE halotrack_requests_total counter\nhalotrack_requests_total{route=\"/api/touch\",method=\"POST\",status=\"2xx\"} 812\n",
        )
        .statuses(&[200, 401]);

pub async fn metrics(app: App, _: Ask) -> Result<Reply> {
    let states = app.store.read_all_sites(deliveries::count_by_state).await?;
    let waiting = states.iter().filter(|(state, _)| state == "pending" || state == "leased").map(|(_, count)| count).sum::<i64>();
    let mut page = Page::default();
    page.counters(&app);
    page.gauge("deliveries", states.iter().map(|(state, count)| (format!("state=\"{state}\""), *count as f64)));
    page.single("queue_depth", "gauge", waiting as f64);
    let writer = app.store.figures();
    page.single("writer_batches_total", "counter", writer.batches as f64);
    page.single("writer_changes_total", "counter", writer.changes as f64);
    page.single("writer_wait_seconds_total", "counter", writer.wait_us as f64 / 1e6);
    page.single("writer_waiting", "gauge", writer.waiting as f64);
    page.single("writer_refused_total", "counter", writer.refused as f64);
    page.single("writer_alive", "gauge", if writer.is_dead { 0.0 } else { 1.0 });
    page.single("writer_full_total", "counter", writer.full as f64);
    page.single("disk_free_bytes", "gauge", app.disk.free() as f64);
    let level = app.disk.level();
    page.gauge("disk_level", Level::ALL.map(|l| (format!("level=\"{}\"", l.word()), f64::from(u8::from(l == level)))));
    page.single("disk_ballast", "gauge", f64::from(u8::from(app.disk.has_ballast())));
    page.single("key_present", "gauge", f64::from(u8::from(app.pulse.has_key())));
    let silence = Worker::ALL.iter().zip(app.pulse.silence_ms());
    let silence = silence.filter_map(|(worker, ms)| Some((format!("worker=\"{}\"", worker.word()), ms? as f64 / 1e3)));
    page.gauge("worker_silent_seconds", silence);
    readings(&mut page, &app);
    page.single("readers_in_use", "gauge", f64::from(app.store.readers_in_use()));
    page.single("connections_open", "gauge", app.door.connections() as f64);
    page.single("sites", "gauge", app.book().sites().len() as f64);
    backups(&mut page, &backup::overview(&app).await?);
    page.gauge("build_info", [(format!("version=\"{}\"", env!("CARGO_PKG_VERSION")), 1.0)]);
    Ok(Reply::text(TEXT_FORMAT, page.text))
}

/// How readings of platforms keep to their plan, and what a look at the plan costs.
fn readings(page: &mut Page, app: &App) {
    let (checks, checking_us) = app.watch.checks();
    page.single("pull_checks_total", "counter", checks as f64);
    page.single("pull_check_seconds_total", "counter", checking_us as f64 / 1e6);
    page.single("pulls_late", "gauge", app.watch.late().len() as f64);
    page.single("pull_waker_restarts_total", "counter", app.watch.stops() as f64);
    if let Some(ms) = app.watch.silence_ms(app.clock.uptime_ms()) {
        page.single("pull_waker_silent_seconds", "gauge", ms as f64 / 1e3);
    }
}

/// An alert on the age of the newest good one needs no other figure: `time() - halotrack_backup_good_timestamp_seconds`.
fn backups(page: &mut Page, overview: &backup::Overview) {
    let standing = overview.standing.word();
    let is = |word: &str| (format!("standing=\"{word}\""), if word == standing { 1.0 } else { 0.0 });
    page.gauge("backup_standing", ["fresh", "good", "old", "failed"].map(is));
    if let Some(last) = &overview.last {
        page.single("backup_last_timestamp_seconds", "gauge", last.at.s() as f64);
    }
    if let Some(good) = &overview.last_good {
        page.single("backup_good_timestamp_seconds", "gauge", good.at.s() as f64);
        page.single("backup_good_rows", "gauge", good.rows as f64);
        page.single("backup_good_bytes", "gauge", good.bytes as f64);
        page.single("backup_good_duration_seconds", "gauge", good.took_ms as f64 / 1e3);
    }
}

#[derive(Default)]
struct Page {
    text: String,
}

impl Page {
    /// All counters of the process: `touches_dropped` with the label `bot` is `halotrack_touches_dropped_total{what="bot"}`.
    fn counters(&mut self, app: &App) {
        let mut last = "";
        for (name, label, count) in app.figures.all() {
            if name != last {
                let _ = writeln!(self.text, "# TYPE halotrack_{name}_total counter");
                last = name;
            }
            let labels = if label.contains("=\"") { label } else { format!("what=\"{label}\"") };
            let _ = writeln!(self.text, "halotrack_{name}_total{{{labels}}} {count}");
        }
    }

    fn gauge(&mut self, name: &str, rows: impl IntoIterator<Item = (String, f64)>) {
        let _ = writeln!(self.text, "# TYPE halotrack_{name} gauge");
        for (labels, value) in rows {
            let _ = writeln!(self.text, "halotrack_{name}{{{labels}}} {value}");
        }
    }

    fn single(&mut self, name: &str, kind: &str, value: f64) {
        let _ = writeln!(self.text, "# TYPE halotrack_{name} {kind}\nhalotrack_{name} {value}");
    }
}
