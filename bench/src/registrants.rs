//! The first reading of a Zoom account with a hundred thousand registrants: how long it takes beyond what the account itself
//! needs for its answers, and how much memory.

use std::time::{Duration, Instant};

use crate::leads::connect;
use crate::meetings::{MEETINGS, PAGE};
use crate::memory::Watch;
use crate::orders::read;
use crate::product::{Folder, Product, get};
use crate::settings::Settings;
use crate::table::{Bar, Row, Unit, grouped};
use crate::yardstick::{Running, Yardstick};

const BEYOND: Bar = Bar::Below { must: 60.0, aim: 25.0, unit: Unit::Seconds };
const MEMORY: Bar = Bar::Below { must: 150.0, aim: 128.0, unit: Unit::Mb };
const PATIENCE: Duration = Duration::from_secs(900);

pub fn run(settings: &Settings) -> Result<Vec<Row>, String> {
    let count: i64 = if settings.is_quick { 5_000 } else { 100_000 };
    let folder = Folder::new(&settings.folder, "registrants")?;
    let stand_in = Running::start(Yardstick::Meetings, folder.path())?;
    let own = own_time(&stand_in, count)?;
    let base = format!("http://{}", stand_in.address);
    let allowed = stand_in.address.to_string();
    let env = [("HALOTRACK_BASE_URL_ZOOM", &*base), ("HALOTRACK_BASE_URL_ZOOM_OAUTH", &*base), ("HALOTRACK_OUTBOUND_ALLOW", &*allowed)];
    let product = Product::start(&settings.binary, &folder, &env)?;
    product.add_sites(1)?;
    let watch = Watch::start(product.pid());
    let began = Instant::now();
    connect(&product, "shop001", "zoom", &[("account_id", &count.to_string()), ("client_id", "client"), ("client_secret", "secret")])?;
    let file = read(&product)?;
    let number = |sql: &str| file.query_row(sql, [], |r| r.get::<_, i64>(0)).map_err(|e| e.to_string());
    while number("select count(*) from pulls where ended_at is not null")? == 0 {
        if began.elapsed() > PATIENCE {
            let so_far = number("select count(*) from milestones")?;
            return Err(format!("after {} s {so_far} of {count} registrants were read", PATIENCE.as_secs()));
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    let took = began.elapsed();
    let most = watch.most()?;
    let (steps, people) = (number("select count(*) from milestones")?, number("select count(distinct contact_id) from milestones")?);
    if steps != count || people != count {
        return Err(format!("{steps} registrations of {people} people are there; there should be {count} of each"));
    }
    let beyond = took.saturating_sub(own).as_secs_f64();
    // A shorter list is a look, not a measurement.
    let (time, memory) = if settings.is_quick { (Bar::None, Bar::None) } else { (BEYOND, MEMORY) };
    let what = format!("first reading of {} registrants, beyond Zoom's own time", grouped(count as f64));
    let mut row = Row::figure(&what, beyond, time);
    row.figure = Unit::Seconds.show(beyond);
    row.of = format!("{:.1} s in all, Zoom's own {:.1} s", took.as_secs_f64(), own.as_secs_f64());
    let mut memory = Row::figure("memory at most meanwhile", most, memory);
    memory.figure = Unit::Mb.show(most);
    Ok(vec![row, memory])
}

/// The same pages without the product.
fn own_time(stand_in: &Running, count: i64) -> Result<Duration, String> {
    let began = Instant::now();
    let token = format!("Bearer {count}");
    let ask = |path: String| get(stand_in.address, &format!("/v2/{path}"), &[("Authorization", &token)]).map(drop);
    ask("users?page_size=300".into())?;
    ask("users/host1/meetings?page_size=300&type=previous_meetings".into())?;
    for meeting in 0..MEETINGS {
        for page in 0..(count / MEETINGS + PAGE - 1) / PAGE {
            ask(format!("meetings/{}/registrants?page_size=300&next_page_token=p{page}", 80_000_000_000 + meeting))?;
        }
        ask(format!("meetings/{}/registrants?page_size=300&status=denied", 80_000_000_000 + meeting))?;
        ask(format!("past_meetings/u{meeting}%3D%3D/participants?page_size=300"))?;
    }
    Ok(began.elapsed())
}
