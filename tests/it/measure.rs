//! How long the questions take on a large file. Prints a table, asserts nothing: `cargo test --release -- --ignored
//! measure --nocapture`, with HALOTRACK_MEASURE_SESSIONS for another size.

use std::time::Instant;

use halotrack::domain::question::{Asked, ConversionFilter, Span};
use halotrack::domain::time::Zone;
use halotrack::store::cube::{self, Cube};
use halotrack::store::questions::conversions::{self, Order, Wanted};

use crate::ground;
use crate::house::House;

fn asked(query: &str) -> Vec<(String, String)> {
    query.split('&').filter_map(|p| p.split_once('=')).map(|(n, v)| (n.to_owned(), v.to_owned())).collect()
}

#[tokio::test]
#[ignore = "a measurement, not a test"]
async fn measure() {
    let sessions: i64 = std::env::var("HALOTRACK_MEASURE_SESSIONS").ok().and_then(|v| v.parse().ok()).unwrap_or(1_000_000);
    let house = House::new();
    let made = house.site_with("big.example", |new| new.zone = Zone::parse("Europe/Dublin").expect("a zone")).await;
    let site = house.app.book().site(made.id).cloned().expect("a site");
    let (store, now) = (house.app.store.clone(), house.clock.now());
    let size = ground::Size { sessions, conversions: sessions / 10, days: 365, seed: 1, until: now };
    let since = Instant::now();
    ground::fill(house.data(), &site, &size);
    println!("made {} sessions and {} conversions in {:?}", size.sessions, size.conversions, since.elapsed());
    let rounds = |is_counted: bool| {
        let (store, site) = (store.clone(), site.clone());
        async move {
            println!("---- {}", if is_counted { "counted days" } else { "rows only" });
            for (name, query, order, search) in [
                ("30 days", "from=2026-05-15&to=2026-06-13", Order::HappenedAt, None),
                ("12 months", "from=2025-06-14&to=2026-06-13", Order::HappenedAt, None),
                ("12 months, google", "from=2025-06-14&to=2026-06-13&source=google", Order::HappenedAt, None),
                ("12 months, Paid Search", "from=2025-06-14&to=2026-06-13&channel=Paid Search", Order::HappenedAt, None),
                (
                    "12 months, rare",
                    "from=2025-06-14&to=2026-06-13&source=bing&match=click&status=cancelled&currency=AED",
                    Order::HappenedAt,
                    None,
                ),
                ("12 months, by amount", "from=2025-06-14&to=2026-06-13", Order::Amount, None),
                ("30 days, by amount", "from=2026-05-15&to=2026-06-13", Order::Amount, None),
                ("30 days, platform", "from=2026-05-15&to=2026-06-13&platform=meta", Order::HappenedAt, None),
                ("all, search an order", "", Order::HappenedAt, Some("10042")),
                ("all, search an address", "", Order::HappenedAt, Some("person77@mail.example")),
            ] {
                let pairs = asked(query);
                let wanted = Wanted {
                    span: Asked(&pairs).span(&site.zone, now).expect("a span"),
                    filter: ConversionFilter::read(Asked(&pairs)).expect("a filter"),
                    search: search.map(str::to_owned),
                    may_see_people: true,
                    order,
                    cursor: None,
                    limit: 50,
                };
                let mut best = std::time::Duration::MAX;
                let mut shown = 0;
                let mut failed = None;
                for _ in 0..4 {
                    let (zone, wanted) = (site.zone.clone(), wanted.clone());
                    let since = Instant::now();
                    match store.read(site.id, move |c| conversions::page(c, &zone, &wanted)).await {
                        Ok(page) => shown = page.tally.count,
                        Err(e) => failed = Some(e.code),
                    }
                    best = best.min(since.elapsed());
                }
                println!("{name:30} {best:>12.1?}  {shown} {}", failed.unwrap_or(""));
            }
        }
    };
    rounds(false).await;
    let since = Instant::now();
    let zone = site.zone.clone();
    while {
        let zone = zone.clone();
        store.read(site.id, move |c| cube::is_behind(c, &zone, now)).await.expect("a mark")
    } {
        let zone = zone.clone();
        store.write(site.id, move |c| cube::advance(c, &zone, now)).await.expect("a mark");
    }
    println!("marked in {:?}", since.elapsed());
    for cube in Cube::ALL {
        let since = Instant::now();
        let mut writing = std::time::Duration::ZERO;
        let mut rows = 0;
        loop {
            let days =
                store.read(site.id, move |c| cube::list_dirty(c, cube, halotrack::domain::time::Day(i32::MIN), 31)).await.expect("days");
            if days.is_empty() {
                break;
            }
            let taken = days.clone();
            store.write(site.id, move |c| cube::take(c, cube, &taken)).await.expect("taken");
            let zone = zone.clone();
            let counts = store.read_unhurried(site.id, move |c| cube::count(c, cube, &zone, &days)).await.expect("counts");
            let since = Instant::now();
            rows += counts.iter().map(|c| c.rows.len()).sum::<usize>();
            store
                .write(site.id, move |c| {
                    for day in &counts {
                        cube::put(c, cube, day.day, &day.rows, true)?;
                        cube::finish(c, cube, day.day, &day.beside)?;
                    }
                    Ok(())
                })
                .await
                .expect("written");
            writing += since.elapsed();
        }
        println!("counted {} in {:?}, of which writing {rows} rows {writing:?}", cube.word(), since.elapsed());
    }
    let _ = Span::default();
    rounds(true).await;
    overview(&house, &made.slug, &made.token).await;
}

/// The two questions of the overview, the first time and again.
async fn overview(house: &House, slug: &str, token: &str) {
    println!("---- overview");
    for (name, query) in [
        ("30 days", "from=2026-05-15&to=2026-06-13"),
        ("30 days, Paid Search", "from=2026-05-15&to=2026-06-13&channel=Paid%20Search"),
        ("30 days, mobile, linear", "from=2026-05-15&to=2026-06-13&device=mobile&model=linear"),
        ("12 months", "from=2025-06-14&to=2026-06-13"),
        ("12 months, first touch", "from=2025-06-14&to=2026-06-13&model=first"),
    ] {
        for (what, with) in [("figures", "days,notes,connections,needs"), ("tables", "sources,products,countries,devices,latest")] {
            let path = format!("/api/sites/{slug}/reports/overview?{query}&compare=previous&with={with}");
            let mut times = Vec::new();
            for _ in 0..3 {
                let since = Instant::now();
                house.get(&path).token(token).send().await.is(200);
                times.push(since.elapsed());
            }
            println!("{name:26} {what:8} first {:>10.1?}, again {:>10.1?}", times[0], times[1].min(times[2]));
        }
    }
}
