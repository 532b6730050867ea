//! An erasure is killed at every moment that has a name: at the next start its line is in `erasures.log`, the file is searched
//! to its end, and an older copy of the database comes back erased.

use std::path::Path;
use std::time::Duration;

use halotrack::backup::Watch;
use halotrack::flows::erase::{self, Named, log};
use halotrack::store::FILE;
use rusqlite::Connection;
use serde_json::json;

use super::{ANN, BO, found_in_db};
use crate::dying::{config, die, dies_at, told};
use crate::running::Running;
use crate::two_shops;

#[test]
fn dies_in_an_erasure() {
    let Some((moment, data, _)) = told() else { return };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let _held = halotrack::control::lock::take(&data).expect("an answer").expect("the lock");
        let app = halotrack::control::build(config(&data)).expect("the product");
        let site = app.book().sites().iter().find(|s| s.slug == "full").cloned().expect("the site");
        erase::run_watched(&app, &site, Named::Email(ANN.into()), "a test", Watch::by(dies_at(moment))).await.expect("erased");
    });
}

#[test]
fn an_erasure_that_dies_is_ended_by_the_next_start() {
    for (n, moment) in erase::MOMENTS.into_iter().enumerate() {
        let (mut server, token) = two_shops::open("dies-erasure");
        for (id, email) in [("L-1", ANN), ("L-2", BO)] {
            two_shops::tell(&server, &token, "/api/webhook/lead", &json!({"lead_id": id, "email": email}));
        }
        server.stop();
        let data = server.folder.join("data");
        let older = server.folder.join("older");
        let db = Connection::open(data.join(FILE)).expect("the file");
        db.execute("vacuum into ?1", [older.to_str().expect("a path")]).expect("a copy");
        drop(db);

        die("erase::killed::dies_in_an_erasure", moment, &data, Path::new(""));
        assert_eq!(log::read(&data).expect("the log").len(), usize::from(n > 0), "{moment}: the line comes after the change");
        assert_eq!(emails(&server), [BO], "{moment}: the change stands");

        server.start();
        let lines = log::read(&data).expect("the log");
        assert_eq!(lines.len(), 1, "{moment}: the first answer comes after the line");
        let bearer = format!("Bearer {token}");
        let certificate = server.wait("the search", Duration::from_secs(30), || {
            let all = server.get("/api/sites/full/erasures", &[("authorization", &bearer)])?.json();
            let one = all["items"].as_array()?.first()?.clone();
            one["done_at"].is_string().then_some(one)
        });
        assert_eq!(
            (certificate["uid"].as_str(), certificate["file"]["state"].as_str()),
            (Some(lines[0].uid.as_str()), Some("clean")),
            "{moment}"
        );
        server.stop();
        assert_eq!(found_in_db(&data), Vec::<String>::new(), "{moment}");

        // The file of before, beside the log of today.
        for name in [FILE.to_owned(), format!("{FILE}-wal"), format!("{FILE}-shm")] {
            let _ = std::fs::remove_file(data.join(name));
        }
        std::fs::copy(&older, data.join(FILE)).expect("the older file");
        server.start();
        assert_eq!(emails(&server), [BO], "{moment}: the older file came back erased");
        assert_eq!(log::read(&data).expect("the log").len(), 1, "{moment}");
        server.stop();
    }
}

fn emails(server: &Running) -> Vec<String> {
    let rows = server.sql("full", "select email from leads order by email");
    rows.iter().filter_map(|r| r["email"].as_str().map(str::to_owned)).collect()
}
