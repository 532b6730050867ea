//! One list of words for yes and no, at every door: what is a no is one however it is written, and a word that nobody can read is no answer.

use halotrack::domain::consent::Mode;
use serde_json::{Value, json};

use crate::house::{House, SiteAt};
use crate::stand_in::{Answer, StandIn};

struct Shop {
    house: House,
    site: SiteAt,
    receiver: StandIn,
    leads: usize,
}

impl Shop {
    async fn open(mode: Mode) -> Self {
        let receiver = StandIn::start(|_, _| Answer::text(204, "")).await;
        let house = House::new();
        let site = house.site_with("shop.example", |new| new.consent = mode).await;
        house.connect(&site, "webhook", "live", &[("url", &format!("{}/hook", receiver.url()))]).await;
        halotrack::flows::sites::set(&house.app, site.id, "public_leads", "true", "test").await.expect("set");
        Self { house, site, receiver, leads: 0 }
    }

    fn someone(&mut self, more: Value) -> Value {
        self.leads += 1;
        // Past the limit of leads for one address.
        self.house.advance_s(60);
        let mut told = json!({"email": format!("p{}@mail.example", self.leads), "message": "hello"});
        told.as_object_mut().expect("an object").extend(more.as_object().cloned().expect("an object"));
        told
    }

    async fn is_told(&self, before: usize) -> bool {
        self.house.work().await;
        self.receiver.seen().len() > before
    }

    /// By a form's own server.
    async fn by_server(&mut self, more: Value) -> bool {
        let (told, before) = (self.someone(more), self.receiver.seen().len());
        self.house.lead(&self.site, told).await.is(200);
        self.is_told(before).await
    }

    /// By a page.
    async fn by_page(&mut self, more: Value) -> bool {
        let (mut told, before) = (self.someone(more), self.receiver.seen().len());
        told["site"] = json!(self.site.key);
        self.house.post("/api/lead").browser(&self.site).body(told.to_string()).send().await.is(200);
        self.is_told(before).await
    }

    /// By the conversions API.
    async fn by_call(&mut self, more: Value) -> bool {
        let (mut told, before) = (self.someone(more), self.receiver.seen().len());
        told["conversion_type"] = json!("sale");
        told["revenue"] = json!(5);
        self.house.conversion(&self.site, told).await.is(201);
        self.is_told(before).await
    }
}

#[tokio::test]
async fn a_no_is_a_no_however_it_is_written() {
    for mode in [Mode::OptIn, Mode::OptOut] {
        let mut shop = Shop::open(mode).await;
        for no in
            [json!(false), json!(0), json!(0.0), json!("0"), json!("FALSE"), json!("nein"), json!("Não"), json!("нет"), json!("reject_all")]
        {
            let given = json!({"consent_given": no});
            assert!(!shop.by_server(given.clone()).await, "{mode:?} {no}");
            assert!(!shop.by_page(given.clone()).await, "{mode:?} {no}, from a page");
            assert!(!shop.by_call(given).await, "{mode:?} {no}, by the API");
        }
        for name in ["consentGiven", "gdpr_consent", "Marketing consent"] {
            assert!(!shop.by_server(json!({name: 0})).await, "{mode:?} {name}");
            assert!(!shop.by_page(json!({name: "nein"})).await, "{mode:?} {name}, from a page");
        }
        assert!(
            !shop.by_server(json!({"consent_given": true, "custom_fields": {"marketing_consent": "no"}})).await,
            "{mode:?}: of two the no wins"
        );
        for consent in [json!("deny_all"), json!(false), json!(0), json!({"marketing": "rejected_all"}), json!({"analytics": 0})] {
            assert!(!shop.by_page(json!({"consent": consent})).await, "{mode:?} {consent}: the page's own word");
        }
    }
}

#[tokio::test]
async fn a_yes_is_one_word_and_what_nobody_can_read_is_no_answer() {
    for mode in [Mode::OptIn, Mode::OptOut] {
        let is_opt_out = mode == Mode::OptOut;
        let mut shop = Shop::open(mode).await;
        for yes in [json!(true), json!(1), json!("1"), json!("Ja"), json!("oui"), json!("accepted")] {
            let given = json!({"consent_given": yes});
            assert!(shop.by_server(given.clone()).await, "{mode:?} {yes}");
            assert!(shop.by_call(given.clone()).await, "{mode:?} {yes}, by the API");
            assert_eq!(shop.by_page(given).await, is_opt_out, "{mode:?} {yes}: a page cannot say it for its visitor");
        }
        for unread in [json!("perhaps"), json!("newsletter"), json!("-1"), json!(2), json!(""), json!(null), json!({"given": true})] {
            let given = json!({"consent_given": unread});
            assert_eq!(shop.by_server(given.clone()).await, is_opt_out, "{mode:?} {unread}: the site's mode decides");
            assert_eq!(shop.by_call(given.clone()).await, is_opt_out, "{mode:?} {unread}, by the API");
            assert_eq!(shop.by_page(given).await, is_opt_out, "{mode:?} {unread}, from a page");
        }
        // No answer takes no refusal back.
        assert!(!shop.by_server(json!({"email": "no@mail.example", "consent_given": "no"})).await);
        assert!(!shop.by_server(json!({"email": "no@mail.example", "message": "again", "consent_given": "perhaps"})).await, "{mode:?}");
    }
}
