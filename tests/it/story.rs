//! What stories share: visits, leads, connections, and the lists that are looked at afterwards.

use halotrack::destinations;
use halotrack::flows::connections::{self, NewConnectionForm};
use halotrack::jobs::worker;
use halotrack::sources;
use halotrack::store::documented::{Cell, Documented, Row};
use serde_json::{Map, Value, json};

use crate::house::{Answer, House, SiteAt};

/// A set-up platform.
pub struct Connected {
    pub id: String,
    /// Path of the hook address, where the platform calls us.
    pub hook: String,
    pub secret: String,
}

impl House {
    /// A page view as the tag sends it. `id` is what the browser's cookie holds.
    pub async fn touch(&self, site: &SiteAt, id: Option<&str>, fields: Value) -> Answer {
        let call = self.post("/api/touch").browser(site).body(page(site, fields).to_string());
        match id {
            Some(id) => call.header("cookie", &format!("_halo={id}")).send().await,
            None => call.send().await,
        }
    }

    /// A page view that is kept; gives the session id.
    pub async fn visit(&self, site: &SiteAt, id: Option<&str>, fields: Value) -> String {
        let answer = self.touch(site, id, fields).await.is(200);
        answer.json["session_id"].as_str().unwrap_or_else(|| panic!("no session: {}", answer.text)).to_owned()
    }

    /// A page view that the owner's own server tells of, with a time of its own.
    pub async fn history(&self, site: &SiteAt, id: Option<&str>, hours_ago: i64, fields: Value) -> String {
        let mut fields = page(site, fields);
        fields["at"] = Value::from(self.ago(hours_ago * 3_600));
        fields["user_agent"] = Value::from(crate::house::CHROME);
        if let Some(id) = id {
            fields["session_id"] = Value::from(id);
        }
        let answer = self.post("/api/touch").token(&site.token).json(&fields).send().await.is(200);
        answer.json["session_id"].as_str().unwrap_or_else(|| panic!("no session: {}", answer.text)).to_owned()
    }

    pub fn ago(&self, seconds: i64) -> String {
        self.clock.now().plus_ms(-seconds * 1_000).utc()
    }

    /// A lead told by the owner's server.
    pub async fn lead(&self, site: &SiteAt, fields: Value) -> Answer {
        self.post("/api/webhook/lead").token(&site.token).json(&fields).send().await
    }

    pub async fn order(&self, site: &SiteAt, fields: Value) -> Answer {
        self.post("/api/webhook/order").token(&site.token).json(&fields).send().await
    }

    pub async fn conversion(&self, site: &SiteAt, fields: Value) -> Answer {
        self.post("/api/conversions").token(&site.token).json(&fields).send().await
    }

    /// As the owner's command does it.
    pub async fn connect(&self, site: &SiteAt, platform: &str, mode: &str, settings: &[(&str, &str)]) -> Connected {
        assert!(sources::find(platform).is_some() || destinations::find(platform).is_some(), "no platform {platform}");
        let form = NewConnectionForm {
            platform: platform.into(),
            name: None,
            mode: destinations::find(platform).map(|_| mode.to_owned()),
            settings: settings.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect(),
            is_shown_later: false,
        };
        let added = connections::add(&self.app, site.id, &form, "test").await.expect("a connection");
        let hook = added.card.hook_url.unwrap_or_default();
        let given = settings.iter().find(|(k, _)| *k == "secret").map(|(_, v)| (*v).to_owned());
        Connected {
            id: added.card.connection.to_string(),
            hook: hook.strip_prefix(&self.app.config.public_url).unwrap_or(&hook).to_owned(),
            secret: added.secret.or(given).unwrap_or_default(),
        }
    }

    /// Carries all that is due now.
    pub async fn work(&self) -> usize {
        worker::drain(&self.app).await.expect("the queue is read")
    }

    /// Every item of a list, page by page.
    pub async fn list(&self, site: &SiteAt, what: &str) -> Vec<Value> {
        let mut items = Vec::new();
        let mut cursor = String::new();
        loop {
            // A token may ask ten times a second; time stands still here.
            self.advance_s(4);
            let mark = if what.contains('?') { '&' } else { '?' };
            let next = if cursor.is_empty() { String::new() } else { format!("{mark}cursor={cursor}") };
            let page = self.get(&format!("/api/sites/{}/{what}{next}", site.slug)).token(&site.token).send().await.is(200);
            self.advance_s(-4);
            items.extend(page.json["items"].as_array().cloned().unwrap_or_default());
            match page.json["next"].as_str() {
                Some(next) => cursor = next.to_owned(),
                None => return items,
            }
        }
    }

    pub async fn deliveries(&self, site: &SiteAt) -> Vec<Value> {
        self.list(site, "deliveries").await
    }

    /// Its only delivery.
    pub async fn delivery(&self, site: &SiteAt) -> Value {
        let all = self.deliveries(site).await;
        assert_eq!(all.len(), 1, "{all:#?}");
        all.into_iter().next().unwrap_or_default()
    }

    pub async fn receipt(&self, site: &SiteAt, fact: &str) -> Value {
        self.get(&format!("/api/sites/{}/receipts/{fact}", site.slug)).token(&site.token).send().await.is(200).json
    }

    /// Asks the site's data by the documented names.
    pub fn sql(&self, site: &SiteAt, query: &str) -> Vec<Value> {
        let mut head: Vec<String> = Vec::new();
        let mut rows = Vec::new();
        let asked = Documented::open(self.data(), Some(&site.slug)).expect("the file is there");
        let answer = asked.ask(query, |row| {
            match row {
                Row::Head(names) => head = names,
                Row::Cells(cells) => rows.push(Value::Object(head.iter().cloned().zip(cells.iter().map(Cell::json)).collect())),
            }
            true
        });
        answer.unwrap_or_else(|e| panic!("{query}: {e}"));
        rows
    }

    /// The row of the documented view `sessions`; it shows the id without its seal.
    pub fn session(&self, site: &SiteAt, id: &str) -> Value {
        let rows = self.sql(site, "select * from sessions");
        let found = rows.iter().find(|r| r["session_id"].as_str().is_some_and(|key| id.starts_with(key)));
        found.cloned().unwrap_or_else(|| panic!("no session {id} in {rows:#?}"))
    }
}

fn page(site: &SiteAt, fields: Value) -> Value {
    let mut body = Map::from_iter([("site".to_owned(), json!(site.key)), ("landing".to_owned(), json!("/"))]);
    if let Value::Object(fields) = fields {
        body.extend(fields);
    }
    Value::Object(body)
}

/// First and last touch in one line: `google/cpc/one → newsletter/email/two`.
pub fn ends(row: &Value) -> String {
    let word = |name: &str| row[name].as_str().unwrap_or("-").to_owned();
    format!(
        "{}/{}/{} → {}/{}/{}",
        word("ft_source"),
        word("ft_medium"),
        word("ft_campaign"),
        word("lt_source"),
        word("lt_medium"),
        word("lt_campaign")
    )
}
