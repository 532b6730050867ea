//! A thousand visitors say yes, no and yes again, before and after they tell who they are and ask for something, in every
//! order: nothing leaves without consent, and what may leave does. A page tells its answer again and again: a yes counts from when
//! it was first said, a no from when it was last said.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;

use halotrack::domain::consent::Mode;
use serde_json::{Value, json};

use crate::ground::Dice;
use crate::house::{House, SiteAt};
use crate::stand_in::{Answer, Seen, StandIn};

const VISITORS: usize = 1_000;
const STEPS: usize = 8;

/// What a visitor has said and told, by the seconds of the story.
#[derive(Debug, Default)]
struct Visitor {
    session: Option<String>,
    /// A lead with this browser's session was told: from now on they are known to be one.
    is_linked: bool,
    /// It has refused even to be counted: what it says of itself is not kept.
    is_shut: bool,
    /// The browser has claimed the address: leads told from now on are matched with it.
    is_claimed: bool,
    by_browser: Vec<(i64, bool)>,
    by_leads: Vec<(i64, bool)>,
    leads: Vec<Lead>,
}

#[derive(Debug)]
struct Lead {
    id: String,
    at: i64,
    own: Option<bool>,
    is_of_browser: bool,
    is_judged: bool,
}

impl Visitor {
    /// The rule of the contract, told again: a lead's own word, unless a refusal came after it; else the newest answer; else
    /// the site's mode. A silent page is no answer, nor is one that speaks of analytics alone.
    fn may_leave(&self, lead: &Lead, is_opt_in: bool) -> bool {
        let heard = lead.is_of_browser || self.is_linked;
        let newest = self.by_leads.iter().chain(self.by_browser.iter().filter(|_| heard)).max_by_key(|(at, _)| *at);
        match (lead.own, newest) {
            (Some(false), _) => false,
            (Some(true), Some((at, false))) => *at <= lead.at,
            (Some(true), _) => true,
            (None, Some((_, answer))) => *answer,
            (None, None) => !is_opt_in,
        }
    }
}

struct Street {
    house: House,
    sites: [SiteAt; 2],
    receiver: StandIn,
    visitors: Vec<Visitor>,
    seen: usize,
    now: i64,
}

impl Street {
    async fn open() -> Self {
        // What every seventh tells waits for another try while answers change; not so many that the receiver counts as down.
        let tried: Mutex<BTreeSet<String>> = Mutex::default();
        let receiver = StandIn::start(move |seen, _| {
            let id = lead_of(seen);
            let is_away = seventh(&id) && tried.lock().expect("no test panics while it holds the list").insert(id);
            Answer::text(if is_away { 503 } else { 204 }, "")
        })
        .await;
        let house = House::new();
        let mut sites = Vec::new();
        for (domain, mode) in [("in.example", Mode::OptIn), ("out.example", Mode::OptOut)] {
            let site = house.site_with(domain, |new| new.consent = mode).await;
            house.connect(&site, "webhook", "live", &[("url", &format!("{}/hook", receiver.url()))]).await;
            sites.push(site);
        }
        let sites = sites.try_into().unwrap_or_else(|_| unreachable!("two were made"));
        Self { house, sites, receiver, visitors: (0..VISITORS).map(|_| Visitor::default()).collect(), seen: 0, now: 0 }
    }

    async fn step(&mut self, n: usize, dice: &mut Dice) {
        self.house.advance_s(1);
        self.now += 1;
        let (site, now) = (&self.sites[n % 2], self.now);
        let visitor = &mut self.visitors[n];
        let email = format!("visitor{n}@mail.example");
        match dice.below(11) {
            // A page: unasked, with a word on analytics alone, with a yes, with a no to marketing, with a no to all.
            0 => look(&self.house, site, visitor, json!({}), None, now).await,
            1 => look(&self.house, site, visitor, json!({"consent": {"analytics": "granted"}}), None, now).await,
            2 | 3 => look(&self.house, site, visitor, json!({"consent": "granted"}), Some(true), now).await,
            4 | 5 => {
                let no = json!({"consent": {"analytics": "granted", "marketing": "denied"}});
                look(&self.house, site, visitor, no, Some(false), now).await;
            }
            6 => {
                let no = [json!({"consent": "denied"}), json!({"gpc": true, "consent": "granted"})][dice.below(2) as usize].clone();
                look(&self.house, site, visitor, no, Some(false), now).await;
            }
            // Beside a page.
            7 => {
                if let Some(session) = &visitor.session {
                    let call =
                        self.house.post("/api/event").browser(site).header("cookie", &format!("_halo={session}; halo_consent=denied"));
                    call.body(json!({"site": site.key, "name": "button_click"}).to_string()).send().await.is(204);
                    visitor.by_browser.push((now, false));
                    visitor.is_shut = true;
                }
            }
            8 => {
                if let Some(session) = &visitor.session {
                    let call = self.house.post("/api/identify").browser(site).header("cookie", &format!("_halo={session}"));
                    call.body(json!({"site": site.key, "email": email}).to_string()).send().await.is(204);
                    visitor.is_claimed |= !visitor.is_shut;
                }
            }
            _ => {
                let id = format!("L-{n}-{}", visitor.leads.len());
                let own = [None, None, Some(true), Some(false)][dice.below(4) as usize];
                let session = visitor.session.as_ref().filter(|_| dice.below(4) > 0);
                let mut told = json!({"lead_id": id, "email": email});
                if let Some(session) = session {
                    told["session_id"] = json!(session);
                }
                if let Some(own) = own {
                    told["consent_given"] = json!(own);
                    visitor.by_leads.push((now, own));
                }
                visitor.is_linked |= session.is_some();
                visitor.leads.push(Lead { id, at: now, own, is_of_browser: session.is_some() || visitor.is_claimed, is_judged: false });
                self.house.lead(site, told).await.is(200);
            }
        }
    }

    /// Sends what is due. Each lead that left might leave in this moment, and each that had not had its turn yet and might
    /// leave did.
    async fn send(&mut self) {
        self.house.work().await;
        let seen = self.receiver.seen();
        let left: BTreeSet<String> = seen[self.seen..].iter().map(lead_of).collect();
        self.seen = seen.len();
        let mut known = 0;
        for (n, visitor) in self.visitors.iter_mut().enumerate() {
            let told = format!("{visitor:?}");
            let may: Vec<bool> = visitor.leads.iter().map(|lead| visitor.may_leave(lead, n % 2 == 0)).collect();
            for (lead, may) in visitor.leads.iter_mut().zip(may) {
                let has_left = left.contains(&lead.id);
                known += usize::from(has_left);
                assert!(may || !has_left, "{} left without consent: {told}", lead.id);
                assert!(lead.is_judged || has_left == may, "{} may leave and did not: {told}", lead.id);
                lead.is_judged = true;
            }
        }
        assert_eq!(known, left.len(), "what leaves is one of the leads");
    }
}

fn lead_of(seen: &Seen) -> String {
    seen.json()["data"]["external_id"].as_str().unwrap_or_default().to_owned()
}

/// `L-14-0`: of every seventh visitor.
fn seventh(id: &str) -> bool {
    id.split('-').nth(1).and_then(|n| n.parse::<usize>().ok()).is_some_and(|n| n % 7 == 0)
}

async fn look(house: &House, site: &SiteAt, visitor: &mut Visitor, fields: Value, answer: Option<bool>, now: i64) {
    let is_silent = fields == json!({});
    let got = house.touch(site, visitor.session.as_deref(), fields).await.is(200);
    if !is_silent {
        visitor.is_shut = got.json["session_id"].is_null();
    }
    visitor.session = got.json["session_id"].as_str().map(str::to_owned).or(visitor.session.take());
    // Whoever has no session yet, and says no, is nobody of whom anything could be kept. A yes that is told again was given
    // once; a no counts each time.
    let is_new = visitor.session.is_some() && (answer == Some(false) || visitor.by_browser.last().map(|(_, known)| *known) != answer);
    visitor.by_browser.extend(answer.filter(|_| is_new).map(|answer| (now, answer)));
}

#[tokio::test]
async fn nothing_leaves_without_consent_in_any_order() {
    let (mut street, mut dice) = (Street::open().await, Dice::new(7));
    for _ in 0..STEPS {
        for n in 0..VISITORS {
            street.step(n, &mut dice).await;
        }
        street.send().await;
    }
    // What was refused by the receiver is tried until it is through, or may not leave any more.
    for _ in 0..12 {
        street.house.advance_s(20 * 3_600);
        street.send().await;
    }
    let mut told: BTreeMap<String, usize> = BTreeMap::new();
    for seen in street.receiver.seen() {
        *told.entry(lead_of(&seen)).or_default() += 1;
    }
    let is_fair = |(id, times): (&String, &usize)| *times == 1 || seventh(id) && *times == 2;
    assert!(told.len() > 200 && told.iter().all(is_fair), "{} leads were told, each once", told.len());
}

/// One buyer of the model above, in words: the banner says no on every page, and one order says yes.
#[tokio::test]
async fn a_no_that_is_said_again_is_newer_than_a_yes_in_a_fact() {
    let silent = json!({});
    let no_to_all = json!({"consent": "denied"});
    let no_to_ads = json!({"consent": {"analytics": "granted", "marketing": "denied"}});
    let signal = json!({"gpc": true});
    let cookie = json!({"consent_cookies": "cookieyes-consent=consentid:a,consent:no,action:yes,analytics:yes,advertisement:no"});
    for (mode, no) in
        [Mode::OptIn, Mode::OptOut].into_iter().flat_map(|mode| [&no_to_all, &no_to_ads, &signal, &cookie].map(|no| (mode, no)))
    {
        let house = House::new();
        let is_away = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
        let away = is_away.clone();
        let receiver =
            StandIn::start(move |_, _| Answer::text(if away.load(std::sync::atomic::Ordering::SeqCst) { 503 } else { 204 }, "")).await;
        let site = house.site_with("shop.example", |new| new.consent = mode).await;
        house.connect(&site, "webhook", "live", &[("url", &format!("{}/hook", receiver.url()))]).await;
        let id = house.visit(&site, None, json!({"consent": "granted"})).await;
        let page = async |said: &Value| {
            house.advance_s(1);
            house.touch(&site, Some(&id), said.clone()).await.is(200);
        };
        let order = async |number: &str, session: bool, own: Option<bool>| {
            house.advance_s(1);
            let mut told = json!({"order_id": number, "total": "9.00", "currency": "EUR", "email": "ann@mail.example"});
            if session {
                told["session_id"] = json!(id);
            }
            if let Some(own) = own {
                told["consent_given"] = json!(own);
            }
            house.order(&site, told).await.is(200);
            house.work().await;
            receiver.seen().iter().filter(|seen| seen.json()["data"]["external_id"] == number).count()
        };
        page(no).await;
        assert_eq!(order("A", true, None).await, 0, "{mode:?} {no}: refused");
        assert_eq!(order("B", true, Some(true)).await, 1, "{mode:?} {no}: its own word");
        assert_eq!(order("C", false, None).await, 1, "{mode:?} {no}: the newest answer of the person");
        // What waits of the order that said yes is called back by the very same no.
        is_away.store(true, std::sync::atomic::Ordering::SeqCst);
        assert_eq!(order("D", true, Some(true)).await, 1, "{mode:?} {no}: tried");
        page(&silent).await;
        assert_eq!(house.deliveries(&site).await[0]["state"], "pending", "{mode:?} {no}: who says nothing takes nothing back");
        let basis = async || {
            house.receipt(&site, house.deliveries(&site).await[0]["conversion"].as_str().expect("an id")).await["conversion"]["consent"]
                .clone()
        };
        assert_eq!(basis().await, json!({"marketing": "granted", "basis": "its own consent_given"}), "{mode:?} {no}");
        page(no).await;
        let told = basis().await;
        assert!(told["marketing"] == "denied" && told["basis"].as_str().is_some_and(|b| b.starts_with("refused after")), "{told}");
        let newest = &house.deliveries(&site).await[0];
        assert_eq!((&newest["state"], &newest["reason"]), (&json!("cancelled"), &json!("consent")), "{mode:?} {no}");
        is_away.store(false, std::sync::atomic::Ordering::SeqCst);
        assert_eq!(order("E", true, None).await, 0, "{mode:?} {no}: the same browser");
        assert_eq!(order("F", false, None).await, 0, "{mode:?} {no}: the same person");
        // A yes that is new is one; told again it takes back no newer no.
        page(&json!({"consent": "granted"})).await;
        assert_eq!(order("G", false, None).await, 1, "{mode:?} {no}: agreed");
        assert_eq!(order("H", false, Some(false)).await, 0);
        page(&json!({"consent": "granted"})).await;
        assert_eq!(order("I", true, None).await, 0, "{mode:?} {no}: a form's no, and a page that goes on saying yes");
        let proof = house.get("/api/sites/shop/reports/consent/proof").token(&site.token).send().await.is(200).json;
        assert_eq!(proof["total"]["refused"], 0, "{proof:#}");
    }
}

/// The first no is kept, the last, and each that took back a yes: pages without end leave no rows without end.
#[tokio::test]
async fn a_no_on_every_page_is_written_down_once() {
    let house = House::new();
    let site = house.site("shop.example").await;
    let id = house.visit(&site, None, json!({"consent": "granted"})).await;
    for _ in 0..20 {
        house.advance_s(60);
        house.touch(&site, Some(&id), json!({"consent": {"analytics": "granted", "marketing": "denied"}})).await.is(200);
    }
    let rows = || -> (i64, i64) {
        let db = rusqlite::Connection::open(house.data().join(halotrack::store::FILE)).expect("the file");
        db.query_row("select (select count(*) from consents), (select consent_at from sessions)", [], |r| Ok((r.get(0)?, r.get(1)?)))
            .expect("counts")
    };
    assert_eq!(rows(), (2, house.clock.now().ms()), "the yes and the first no; the last in the browser's own row");
    // History that the owner's server brings is older than what was said since.
    let old = json!({"landing": "/", "session_id": id, "at": house.ago(3_600), "consent": "granted", "user_agent": crate::house::CHROME});
    house.post("/api/touch").token(&site.token).json(&old).send().await.is(200);
    assert_eq!(rows().0, 2);
    assert_eq!(house.session(&site, &id)["consent_status"], json!("denied"));
}

/// Whose law holds for a silent buyer: that of the bill, or of the door to which the goods go. The stricter of the two.
#[tokio::test]
async fn goods_that_go_where_the_law_asks_first_are_not_told_unasked() {
    let house = House::new();
    let receiver = StandIn::start(|_, _| Answer::text(204, "")).await;
    let site = house
        .site_with("shop.example", |new| {
            new.country = Some("US".into());
            new.consent = Mode::Auto;
        })
        .await;
    house.connect(&site, "webhook", "live", &[("url", &format!("{}/hook", receiver.url()))]).await;
    let woo = |id: u64, bill: &str, goods: Value| {
        json!({"id": id, "number": id.to_string(), "status": "processing", "total": "10.00", "currency": "USD", "line_items": [],
            "billing": {"email": format!("p{id}@mail.example"), "country": bill}, "shipping": goods})
    };
    let shopify = |id: u64, bill: &str, goods: Value| {
        json!({"id": id, "order_number": id, "checkout_token": "c", "total_price": "10.00", "currency": "USD", "financial_status": "paid",
            "email": format!("p{id}@mail.example"), "billing_address": {"country_code": bill}, "shipping_address": goods})
    };
    let plain = |id: u64, bill: &str, goods: &str| {
        json!({"order_id": id.to_string(), "total": "10.00", "currency": "USD", "email": format!("p{id}@mail.example"), "country": bill,
            "shipping_country": goods})
    };
    let rows = [
        (woo(1, "US", json!({"country": "US"})), true),
        (woo(2, "US", json!({"country": "DE"})), false),
        (woo(3, "DE", json!({"country": "US"})), false),
        (woo(4, "US", json!({"country": ""})), true),
        (shopify(5, "US", json!({"country_code": "US"})), true),
        (shopify(6, "US", json!({"country_code": "GB"})), false),
        (shopify(7, "CH", Value::Null), false),
        (plain(8, "US", "US"), true),
        (plain(9, "US", "Germany"), false),
        (plain(10, "", "FR"), false),
    ];
    for (body, may) in rows {
        house.advance_s(60);
        house.order(&site, body.clone()).await.is(200);
        let newest = house.deliveries(&site).await.remove(0);
        let want = if may { json!("pending") } else { json!("skipped") };
        assert_eq!(newest["state"], want, "{body}: {newest:#}");
        let receipt = house.receipt(&site, newest["conversion"].as_str().expect("an id")).await;
        let basis = receipt["conversion"]["consent"]["basis"].as_str().unwrap_or_default().to_owned();
        assert_eq!(basis.ends_with("may be forwarded"), may, "{body}: {basis}");
    }
    // An order that turns out to go there waits no more.
    let mut moved = woo(1, "US", json!({"country": "DE"}));
    moved["date_modified_gmt"] = json!(house.clock.now().utc().trim_end_matches('Z'));
    house.order(&site, moved).await.is(200);
    house.work().await;
    let told: Vec<Value> = receiver.seen().iter().map(|s| s.json()).collect();
    assert_eq!(told.len(), 3, "the first goes to Germany after all: {told:#?}");
}
