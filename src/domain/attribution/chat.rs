//! Which conversation, if any, led to a conversion: four tiers, the first that fits wins (spec 4.5). A chat helps; it
//! takes credit from no marketing source unless the owner chooses so. Whole numbers only: confidence is in basis points.

use serde::{Deserialize, Serialize};

use super::super::time::{DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS, Time};
use super::super::touch::{TouchKind, Touchpoint};
use super::{Credit, Link, MatchType, PathTouch, matching};

/// What a chat's touch says of where it came from.
pub const MEDIUM: &str = "chat";

/// A conversation of the person or the browser, as it stood right before the conversion: later messages have no part.
#[derive(Debug, Clone, PartialEq)]
pub struct Talk {
    pub conversation: i64,
    /// The sender's own id.
    pub external_id: String,
    pub platform: String,
    /// How it is known to be the same person's.
    pub link: Link,
    pub last_at: Time,
    /// Of all sides.
    pub messages: i64,
    pub is_product_inquiry: bool,
    pub is_price_check: bool,
}

/// By which rule a conversation led to it, the strongest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Method {
    SessionMatch,
    TimeProximity,
    EmailMatch,
    NoMatch,
}

impl Method {
    pub const ALL: [Method; 4] = [Self::SessionMatch, Self::TimeProximity, Self::EmailMatch, Self::NoMatch];

    pub fn word(self) -> &'static str {
        match self {
            Self::SessionMatch => "session_match",
            Self::TimeProximity => "time_proximity",
            Self::EmailMatch => "email_match",
            Self::NoMatch => "no_match",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|m| m.word() == text)
    }
}

/// How much a confidence is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Band {
    High,
    Medium,
    Low,
}

impl Band {
    pub const ALL: [Band; 3] = [Self::High, Self::Medium, Self::Low];

    pub fn word(self) -> &'static str {
        match self {
            Self::High => "high",
            Self::Medium => "medium",
            Self::Low => "low",
        }
    }

    /// None below the lowest: no match.
    pub fn of(confidence_bp: u16) -> Option<Self> {
        match confidence_bp {
            8_500.. => Some(Self::High),
            6_500.. => Some(Self::Medium),
            5_000.. => Some(Self::Low),
            _ => None,
        }
    }
}

/// One conversation's claim on a conversion.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claim {
    pub conversation: i64,
    pub method: Method,
    pub confidence_bp: u16,
    pub reason: String,
}

/// The verdict on all of them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Assist {
    /// None where no conversation led to it.
    pub claim: Option<Claim>,
    /// The next best.
    pub runner_up: Option<Claim>,
    /// A sentence for the owner, also where nothing matched.
    pub reason: String,
    /// The conversations before the conversion as touches, by time.
    pub touches: Vec<PathTouch>,
}

impl Assist {
    pub fn method(&self) -> Method {
        self.claim.as_ref().map_or(Method::NoMatch, |c| c.method)
    }

    pub fn confidence_bp(&self) -> u16 {
        self.claim.as_ref().map_or(0, |c| c.confidence_bp)
    }
}

/// The last moment that is still before a conversion: a message in its very second counts as before it.
pub fn until(happened_at: Time) -> Time {
    Time::from_s(happened_at.ms().div_euclid(SECOND_MS)).plus_ms(SECOND_MS - 1)
}

/// Older conversations than this lead to nothing.
pub const LONGEST_MS: i64 = 7 * DAY_MS;

/// What the person is known by is proved, or nothing proved leads to any: said and proved are never mixed. The result is
/// the same in whichever order the conversations are listed.
pub fn judge(happened_at: Time, talks: &[Talk]) -> Assist {
    let mut all: Vec<(&Talk, Option<Claim>)> = talks.iter().map(|t| (t, claim(happened_at, t))).collect();
    let is_proved = |t: &Talk| t.link.is_proof();
    let has_proved = all.iter().any(|(t, c)| is_proved(t) && c.is_some()) || all.iter().all(|(t, _)| is_proved(t));
    all.retain(|(t, _)| is_proved(t) == has_proved);
    all.sort_by(|(a, one), (b, other)| rank(a, one.as_ref()).cmp(&rank(b, other.as_ref())));
    let mut touches: Vec<PathTouch> = all.iter().map(|(t, _)| touch(t)).collect();
    touches.sort_by_key(|a| (a.touch.at, a.touch.session));
    let newest = all.iter().map(|(t, _)| t.last_at).max();
    let mut claims = all.into_iter().filter_map(|(_, c)| c);
    let (first, runner_up) = (claims.next(), claims.next());
    let reason = match (&first, newest) {
        (Some(c), _) => c.reason.clone(),
        (None, Some(at)) => {
            let days = happened_at.ms_since(at) / DAY_MS;
            format!("The last chat of this person was {days} days before; a chat counts for 7 days.")
        }
        (None, None) => NOBODY.into(),
    };
    Assist { claim: first, runner_up, reason, touches }
}

/// Why nothing matched where nothing is known.
pub const NOBODY: &str = "No conversation of this person is known from before it.";

/// Better tiers first, then the surer, the later, and at last the sender's own id, so that arrival decides nothing.
fn rank<'a>(t: &'a Talk, c: Option<&Claim>) -> impl Ord + use<'a> {
    let (method, bp) = c.map_or((Method::NoMatch, 0), |c| (c.method, c.confidence_bp));
    (method, std::cmp::Reverse(bp), std::cmp::Reverse(t.last_at), t.link, &t.platform, &t.external_id)
}

fn claim(happened_at: Time, t: &Talk) -> Option<Claim> {
    let (method, confidence_bp) = tier(seconds_between(t.last_at, happened_at), t)?;
    Some(Claim { conversation: t.conversation, method, confidence_bp, reason: sentence(happened_at, t, method) })
}

/// Both times in whole seconds, as shops write them.
fn seconds_between(last_at: Time, happened_at: Time) -> i64 {
    let whole = |t: Time| t.ms().div_euclid(SECOND_MS);
    (whole(happened_at) - whole(last_at)).max(0)
}

const MINUTE: i64 = MINUTE_MS / SECOND_MS;
const HOUR: i64 = HOUR_MS / SECOND_MS;
const DAY: i64 = DAY_MS / SECOND_MS;

/// The table of spec 4.5, by the seconds between the last message and the conversion.
fn tier(gap_s: i64, t: &Talk) -> Option<(Method, u16)> {
    if gap_s <= 60 * MINUTE {
        let is_sure = gap_s <= 30 * MINUTE || t.link == Link::Session;
        return Some((Method::SessionMatch, if is_sure { 9_500 } else { 9_000 }));
    }
    if gap_s <= 24 * HOUR {
        let base = match gap_s {
            s if s <= 6 * HOUR => 8_500,
            s if s <= 12 * HOUR => 8_000,
            s if s <= 22 * HOUR => 7_500,
            _ => 7_000,
        };
        let more = [(t.messages >= 5, 500), (t.is_product_inquiry, 500), (t.is_price_check, 300)];
        let sum = base + more.iter().filter(|(holds, _)| *holds).map(|(_, bp)| bp).sum::<u16>();
        return Some((Method::TimeProximity, sum.min(9_000)));
    }
    let confidence = match gap_s {
        s if s <= 3 * DAY => 6_500,
        s if s <= 5 * DAY => 5_500,
        s if s <= 7 * DAY => 5_000,
        _ => return None,
    };
    Some((Method::EmailMatch, confidence))
}

/// `The same e-mail address wrote in the chat 20 hours before, in 5 messages, with a question about a product.`
fn sentence(happened_at: Time, t: &Talk, method: Method) -> String {
    let who = match t.link {
        Link::Session => "The same browser",
        Link::Code => "Whoever has the same short code",
        Link::Click => "The browser of the same click",
        Link::VerifiedEmail => "The same e-mail address",
        Link::VerifiedPhone => "The same phone number",
        Link::CustomerId => "The same customer",
        Link::Coupon => "Whoever has the same coupon",
        Link::AssertedEmail => "Somebody who gave the same e-mail address",
        Link::AssertedPhone => "Somebody who gave the same phone number",
        Link::Imported => "The customer named by the shop",
    };
    let lapse = match seconds_between(t.last_at, happened_at) {
        s if s < MINUTE => "less than a minute".to_owned(),
        s if s < 2 * MINUTE => "a minute".to_owned(),
        s if s < 2 * HOUR => format!("{} minutes", s / MINUTE),
        s if s < 2 * DAY => format!("{} hours", s / HOUR),
        s => format!("{} days", s / DAY),
    };
    let mut more = String::new();
    if method == Method::TimeProximity {
        if t.messages >= 5 {
            more.push_str(&format!(", in {} messages", t.messages));
        }
        match (t.is_product_inquiry, t.is_price_check) {
            (true, true) => more.push_str(", with a question about a product and its price"),
            (true, false) => more.push_str(", with a question about a product"),
            (false, true) => more.push_str(", with a question about a price"),
            (false, false) => {}
        }
    }
    format!("{who} wrote in the chat {lapse} before{more}.")
}

/// A conversation stands in journeys at its last message before the conversion. Its number, negative, stands where pages
/// have their browser's.
fn touch(t: &Talk) -> PathTouch {
    let touch = Touchpoint {
        session: -t.conversation,
        seq: 1,
        at: t.last_at,
        kind: TouchKind::Chat,
        source: t.platform.clone(),
        medium: MEDIUM.into(),
        campaign: None,
        term: None,
        content: None,
        campaign_id: None,
        landing: None,
        referrer: None,
        click: None,
        short_link: None,
        device: None,
        is_direct: false,
        is_imported: false,
    };
    PathTouch { touch, link: t.link, earns: false }
}

/// A path with its chats, by time. Those that earn do so only where the owner has chosen it.
pub fn with_chats(path: &[PathTouch], chats: &[PathTouch], may_earn: bool) -> Vec<PathTouch> {
    let mut all: Vec<PathTouch> = without_chats(path);
    all.extend(chats.iter().map(|p| PathTouch { earns: may_earn, ..p.clone() }));
    // Stable: a chat in the moment of a click comes after it.
    all.sort_by_key(|p| p.touch.at);
    all
}

/// What brought the customer, without what helped.
pub fn without_chats(path: &[PathTouch]) -> Vec<PathTouch> {
    path.iter().filter(|p| p.touch.kind != TouchKind::Chat).cloned().collect()
}

/// The credit where the owner lets chats earn: they stand in the path like any other touch, and where nothing else is
/// known they are what matched.
pub fn credited(credit: Credit, assist: &Assist) -> Credit {
    if assist.touches.is_empty() {
        return credit;
    }
    let path = with_chats(&credit.path, &assist.touches, true);
    match (credit.match_type, assist.touches.iter().map(|t| t.link).min()) {
        (MatchType::None, Some(best)) => Credit {
            match_type: matching::match_type(best),
            is_asserted: best.is_asserted(),
            confidence_bp: matching::confidence_bp(best),
            path,
            reason: assist.reason.clone(),
            also_fits: Vec::new(),
        },
        _ => Credit { path, ..credit },
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample::{day, touch_at};
    use super::super::{Model, weights};
    use super::*;
    use proptest::prelude::*;

    fn talk(link: Link, gap_s: i64) -> Talk {
        Talk {
            conversation: 1,
            external_id: "c-1".into(),
            platform: "chat".into(),
            link,
            last_at: order().plus_ms(-gap_s * SECOND_MS),
            messages: 1,
            is_product_inquiry: false,
            is_price_check: false,
        }
    }

    fn order() -> Time {
        day(100)
    }

    fn check(t: &Talk, want: (Method, u16)) {
        let got = judge(order(), std::slice::from_ref(t));
        assert_eq!((got.method(), got.confidence_bp()), want, "{} s, {:?}: {}", seconds_between(t.last_at, order()), t.link, got.reason);
        assert!(got.reason.ends_with('.'), "{}", got.reason);
    }

    #[test]
    fn every_boundary_holds_to_the_second() {
        use Method::*;
        let rows: &[(i64, Method, u16)] = &[
            (0, SessionMatch, 9_500),
            (30 * MINUTE, SessionMatch, 9_500),
            (30 * MINUTE + 1, SessionMatch, 9_000),
            (60 * MINUTE, SessionMatch, 9_000),
            (60 * MINUTE + 1, TimeProximity, 8_500),
            (6 * HOUR, TimeProximity, 8_500),
            (6 * HOUR + 1, TimeProximity, 8_000),
            (12 * HOUR, TimeProximity, 8_000),
            (12 * HOUR + 1, TimeProximity, 7_500),
            (22 * HOUR, TimeProximity, 7_500),
            (22 * HOUR + 1, TimeProximity, 7_000),
            (24 * HOUR, TimeProximity, 7_000),
            (24 * HOUR + 1, EmailMatch, 6_500),
            (3 * DAY, EmailMatch, 6_500),
            (3 * DAY + 1, EmailMatch, 5_500),
            (5 * DAY, EmailMatch, 5_500),
            (5 * DAY + 1, EmailMatch, 5_000),
            (7 * DAY, EmailMatch, 5_000),
            (7 * DAY + 1, NoMatch, 0),
        ];
        for (gap_s, method, bp) in rows {
            check(&talk(Link::VerifiedEmail, *gap_s), (*method, *bp));
        }
        // By the order's own browser it is sure for the whole hour, and no longer.
        check(&talk(Link::Session, 60 * MINUTE), (SessionMatch, 9_500));
        check(&talk(Link::Session, 60 * MINUTE + 1), (TimeProximity, 8_500));
    }

    #[test]
    fn the_worked_examples_of_the_contract() {
        use Method::*;
        let at = |text: &str| Time::parse(text).expect("a time in a test");
        let rows: &[(&str, Option<(&str, i64, bool)>, Method, u16)] = &[
            ("2026-06-01T12:30:00Z", Some(("2026-06-01T12:05:00Z", 1, false)), SessionMatch, 9_500),
            ("2026-06-02T10:00:00Z", Some(("2026-06-01T14:00:00Z", 1, false)), TimeProximity, 7_500),
            ("2026-06-02T10:00:00Z", Some(("2026-06-01T14:00:00Z", 5, true)), TimeProximity, 8_500),
            ("2026-06-06T12:00:00Z", Some(("2026-06-01T12:00:00Z", 1, false)), EmailMatch, 5_500),
            ("2026-06-09T12:00:00Z", Some(("2026-06-01T12:00:00Z", 1, false)), NoMatch, 0),
            // In the order's very second, which the shop tells without its fraction.
            ("2026-06-01T12:30:00Z", Some(("2026-06-01T12:30:00.800Z", 1, false)), SessionMatch, 9_500),
            ("2026-06-01T12:30:00Z", None, NoMatch, 0),
        ];
        for (order, chat, method, bp) in rows {
            let talk = |(last, messages, is_product_inquiry): (&str, i64, bool)| Talk {
                last_at: at(last),
                messages,
                is_product_inquiry,
                ..talk(Link::VerifiedEmail, 0)
            };
            let got = judge(at(order), &chat.map(talk).into_iter().collect::<Vec<_>>());
            assert_eq!((got.method(), got.confidence_bp()), (*method, *bp), "{chat:?} before {order}: {}", got.reason);
        }
    }

    #[test]
    fn what_was_said_adds_up_to_a_cap_and_only_in_its_tier() {
        use Method::*;
        let rows: &[(i64, i64, bool, bool, Method, u16)] = &[
            (20 * HOUR, 4, false, false, TimeProximity, 7_500),
            (20 * HOUR, 5, false, false, TimeProximity, 8_000),
            (20 * HOUR, 1, true, false, TimeProximity, 8_000),
            (20 * HOUR, 1, false, true, TimeProximity, 7_800),
            (20 * HOUR, 1, true, true, TimeProximity, 8_300),
            (20 * HOUR, 6, true, true, TimeProximity, 8_800),
            (23 * HOUR, 5, true, true, TimeProximity, 8_300),
            (3 * HOUR, 5, false, false, TimeProximity, 9_000),
            (3 * HOUR, 7, true, true, TimeProximity, 9_000),
            (20 * MINUTE, 6, true, true, SessionMatch, 9_500),
            (50 * MINUTE, 6, true, true, SessionMatch, 9_000),
            (2 * DAY, 6, true, true, EmailMatch, 6_500),
            (6 * DAY, 6, true, true, EmailMatch, 5_000),
        ];
        for (gap_s, messages, is_product_inquiry, is_price_check, method, bp) in rows {
            let t = Talk {
                messages: *messages,
                is_product_inquiry: *is_product_inquiry,
                is_price_check: *is_price_check,
                ..talk(Link::VerifiedEmail, *gap_s)
            };
            check(&t, (*method, *bp));
        }
    }

    #[test]
    fn the_first_tier_wins_and_proof_beats_what_is_said() {
        use Link::{AssertedEmail, VerifiedEmail};
        let named = |conversation: i64, link: Link, gap_s: i64| Talk {
            conversation,
            external_id: format!("c-{conversation}"),
            ..talk(link, gap_s)
        };
        let near = named(2, VerifiedEmail, 45 * MINUTE);
        let keen = Talk { messages: 9, is_product_inquiry: true, ..named(3, VerifiedEmail, 2 * HOUR) };
        let (old, ancient) = (named(4, VerifiedEmail, 4 * DAY), named(6, VerifiedEmail, 9 * DAY));
        let said = named(5, AssertedEmail, MINUTE);
        // Who wins, who comes next, how many stand in the journey, and a word of the sentence.
        let rows: &[(&[&Talk], Option<i64>, Option<i64>, usize, &str)] = &[
            (&[&old, &near, &keen], Some(2), Some(3), 3, "45 minutes before"),
            // What somebody only gave as their address waits behind what is proved, and is not mixed with it.
            (&[&old, &said], Some(4), None, 1, "4 days before"),
            // It stands where nothing proved fits.
            (&[&ancient, &said], Some(5), None, 1, "a minute before"),
            (&[&ancient], None, None, 1, "9 days before"),
            (&[&said], Some(5), None, 1, "Somebody who gave"),
            (&[], None, None, 0, NOBODY),
        ];
        for (talks, winner, next, touches, word) in rows {
            let talks: Vec<Talk> = talks.iter().map(|t| (*t).clone()).collect();
            let got = judge(order(), &talks);
            let number = |claim: &Option<Claim>| claim.as_ref().map(|c| c.conversation);
            assert_eq!((number(&got.claim), number(&got.runner_up), got.touches.len()), (*winner, *next, *touches), "{talks:#?}");
            assert!(got.reason.contains(word), "{}", got.reason);
        }
    }

    #[test]
    fn bands_begin_where_the_contract_says() {
        let rows = [
            (9_500, Some(Band::High)),
            (8_500, Some(Band::High)),
            (8_499, Some(Band::Medium)),
            (6_500, Some(Band::Medium)),
            (6_499, Some(Band::Low)),
            (5_000, Some(Band::Low)),
            (4_999, None),
            (0, None),
        ];
        for (bp, want) in rows {
            assert_eq!(Band::of(bp), want, "{bp}");
        }
    }

    #[test]
    fn a_message_in_the_very_second_is_before() {
        let whole = Time::parse("2026-06-01T12:30:00Z").expect("a time");
        assert_eq!(until(whole).ms(), whole.ms() + 999);
        assert_eq!(until(whole.plus_ms(400)).ms(), whole.ms() + 999);
    }

    #[test]
    fn a_chat_earns_only_where_the_owner_chose_so() {
        let path = vec![touch_at(day(90), 'a')];
        let assist = judge(order(), &[talk(Link::VerifiedEmail, HOUR)]);
        let shown = with_chats(&path, &assist.touches, false);
        assert_eq!(weights(Model::LastNonDirect, &shown, order(), Some(30)), [1, 0]);
        assert_eq!(weights(Model::Linear, &shown, order(), Some(30)), [1, 0]);
        let earning = with_chats(&shown, &assist.touches, true);
        assert_eq!(weights(Model::LastNonDirect, &earning, order(), Some(30)), [0, 1]);
        assert_eq!(weights(Model::Linear, &earning, order(), Some(30)), [1, 1]);
        assert_eq!(with_chats(&earning, &[], false), path);
        let nothing = Credit {
            match_type: MatchType::None,
            is_asserted: false,
            confidence_bp: 0,
            path: Vec::new(),
            reason: "Unattributed.".into(),
            also_fits: Vec::new(),
        };
        let got = credited(nothing.clone(), &assist);
        assert_eq!((got.match_type, got.path.len()), (MatchType::Email, 1));
        assert_eq!(credited(nothing.clone(), &judge(order(), &[])), nothing);
    }

    fn any_talk() -> impl Strategy<Value = Talk> {
        let links = [Link::Session, Link::VerifiedEmail, Link::VerifiedPhone, Link::AssertedEmail];
        (0i64..40, 0usize..4, 0i64..9 * DAY, 1i64..9, any::<bool>(), any::<bool>()).prop_map(
            move |(n, link, gap_s, messages, product, price)| Talk {
                conversation: n,
                external_id: format!("c-{n}"),
                messages,
                is_product_inquiry: product,
                is_price_check: price,
                ..talk(links[link], gap_s)
            },
        )
    }

    proptest! {
        #[test]
        fn the_order_of_arrival_does_not_matter(talks in proptest::collection::vec(any_talk(), 0..8), seed in any::<u64>()) {
            let mut talks = talks;
            talks.sort_by_key(|t| t.conversation);
            talks.dedup_by_key(|t| t.conversation);
            let mut shuffled = talks.clone();
            for i in (1..shuffled.len()).rev() {
                shuffled.swap(i, (seed.wrapping_mul(i as u64 * 2 + 1) >> 7) as usize % (i + 1));
            }
            let got = judge(order(), &talks);
            prop_assert_eq!(&got, &judge(order(), &shuffled));
            prop_assert!(got.confidence_bp() <= 9_500);
            prop_assert_eq!(got.claim.is_some(), Band::of(got.confidence_bp()).is_some());
        }
    }
}
