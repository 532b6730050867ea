//! Who it was: which browsers led to a conversion, and by what trace.
//!
//! The strongest link decides the match. Its browsers make the path, joined by all others that are proved to be the
//! same person's. What a browser only claims of itself counts where no proof of any other browser exists; what the
//! sender imported counts where nothing else was found, and what it merely states comes last of all.

use std::collections::{BTreeMap, BTreeSet};

use super::super::fact::Stated;
use super::super::time::Time;
use super::super::touch::{TouchKind, Touchpoint};
use super::sentence;
use super::window::is_before;
use super::{Credit, DayText, Evidence, Judged, Link, LinkedSession, MatchType, PathTouch};

/// The medium of a stated source that comes without one.
pub const STATED_MEDIUM: &str = "(stated)";

/// Finds what led to a conversion. The result is the same in whichever order the evidence is listed, and touches after
/// the conversion have no part in it.
pub fn attribute(judged: &Judged, evidence: &Evidence, day_text: &DayText<'_>) -> Credit {
    let has_proof = evidence.sessions.iter().any(|s| s.link.is_proof());
    let found: Vec<&LinkedSession> = evidence
        .sessions
        .iter()
        .filter(|s| !(s.link.is_asserted() && has_proof))
        .filter(|s| s.touches.iter().any(|t| is_before(t.at, judged.happened_at)))
        .collect();
    if let Some(best) = found.iter().map(|s| s.link).min() {
        let path = path(&found, best, judged.happened_at);
        return Credit {
            match_type: match_type(best),
            is_asserted: best.is_asserted(),
            confidence_bp: confidence_bp(best),
            reason: sentence::matched(judged, best, &path, day_text),
            also_fits: also_fits(evidence, &found, best),
            path,
        };
    }
    match evidence.stated.as_ref().filter(|s| !s.source.trim().is_empty()) {
        Some(stated) => Credit {
            match_type: MatchType::Stated,
            is_asserted: false,
            confidence_bp: STATED_BP,
            reason: sentence::stated(stated),
            also_fits: Vec::new(),
            path: vec![PathTouch { touch: stated_touch(stated, judged.happened_at), link: Link::Imported, earns: false }],
        },
        None => Credit {
            match_type: MatchType::None,
            is_asserted: false,
            confidence_bp: 0,
            reason: sentence::unmatched_reason(judged, evidence, day_text),
            also_fits: Vec::new(),
            path: Vec::new(),
        },
    }
}

/// The words of the contract: a claimed address is still a match by that address.
pub fn match_type(link: Link) -> MatchType {
    match link {
        Link::Session => MatchType::Session,
        Link::Code => MatchType::Code,
        Link::Click => MatchType::Click,
        Link::VerifiedEmail | Link::AssertedEmail => MatchType::Email,
        Link::VerifiedPhone | Link::AssertedPhone => MatchType::Phone,
        Link::CustomerId => MatchType::CustomerId,
        Link::Coupon => MatchType::Coupon,
        Link::Imported => MatchType::Imported,
    }
}

const STATED_BP: u16 = 1_500;

/// An order of trust for sorting and for the mark beside the match, not a probability: nobody has measured how often
/// each tier is right. Only the order means something.
pub fn confidence_bp(link: Link) -> u16 {
    match link {
        Link::Session => 10_000,
        Link::Code => 9_500,
        Link::Click => 9_000,
        Link::VerifiedEmail => 8_500,
        Link::VerifiedPhone => 8_000,
        Link::CustomerId => 7_500,
        Link::Coupon => 6_000,
        Link::AssertedEmail => 4_000,
        Link::AssertedPhone => 3_500,
        Link::Imported => 2_500,
    }
}

/// The touches before the conversion of the best link's browsers and of those proved to be the same person's. A coupon
/// proves no person, so it never brings touches into a path that a stronger link found.
fn path(found: &[&LinkedSession], best: Link, happened_at: Time) -> Vec<PathTouch> {
    let is_taken = |s: &LinkedSession| s.link == best || (s.link.is_proof() && best.is_proof());
    let taken: Vec<&LinkedSession> = found.iter().copied().filter(|s| is_taken(s)).collect();
    let mut strongest: BTreeMap<i64, Link> = BTreeMap::new();
    for s in &taken {
        strongest.entry(s.session).and_modify(|link| *link = s.link.min(*link)).or_insert(s.link);
    }
    let mut path: Vec<PathTouch> = taken
        .iter()
        .flat_map(|s| {
            // What has no browser is not one thing: each touch keeps the link by which it came in.
            let link = if s.session == 0 { s.link } else { strongest.get(&s.session).copied().unwrap_or(s.link) };
            s.touches.iter().filter(|t| is_before(t.at, happened_at)).map(move |t| PathTouch { touch: t.clone(), link, earns: false })
        })
        .collect();
    path.sort_by(|a, b| place(&a.touch).cmp(&place(&b.touch)).then(a.link.cmp(&b.link)));
    // A browser that several links lead to is listed once for each of them.
    path.dedup();
    path
}

/// By time; at the same time by browser and number, and for imported touches, which have neither, by all they say.
fn place(t: &Touchpoint) -> impl Ord + '_ {
    let texts = (&t.source, &t.medium, &t.campaign, &t.term, &t.content, &t.campaign_id);
    (t.at, t.session, t.seq, t.kind.word(), texts, (&t.landing, &t.referrer, &t.click, &t.device), (t.is_direct, t.is_imported))
}

/// Also what was passed over because of proof, as long as it points to one of the browsers that matched.
fn also_fits(evidence: &Evidence, found: &[&LinkedSession], best: Link) -> Vec<Link> {
    let matched: BTreeSet<i64> = found.iter().filter(|s| s.link == best).map(|s| s.session).collect();
    let weaker: BTreeSet<Link> =
        evidence.sessions.iter().filter(|s| s.link > best && matched.contains(&s.session)).map(|s| s.link).collect();
    weaker.into_iter().collect()
}

/// A source without a visit stands in the path as one touch at the conversion's own time.
fn stated_touch(stated: &Stated, at: Time) -> Touchpoint {
    let text = |value: &Option<String>| value.as_deref().map(str::trim).filter(|v| !v.is_empty()).map(str::to_owned);
    let source = stated.source.trim().to_owned();
    let is_direct = ["direct", "(direct)"].contains(&source.to_lowercase().as_str());
    Touchpoint {
        session: 0,
        seq: 0,
        at,
        kind: TouchKind::View,
        medium: text(&stated.medium).unwrap_or_else(|| STATED_MEDIUM.to_owned()),
        campaign: text(&stated.campaign),
        source,
        term: None,
        content: None,
        campaign_id: None,
        landing: None,
        referrer: None,
        click: None,
        short_link: None,
        device: None,
        is_direct,
        is_imported: true,
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample::{day, touchpoint};
    use super::super::{Model, shares, weights};
    use super::*;
    use crate::domain::conversion::ConversionKind;
    use crate::domain::time::DAY_MS;
    use proptest::prelude::*;

    const LINKS: [Link; 10] = [
        Link::Session,
        Link::Code,
        Link::Click,
        Link::VerifiedEmail,
        Link::VerifiedPhone,
        Link::CustomerId,
        Link::Coupon,
        Link::AssertedEmail,
        Link::AssertedPhone,
        Link::Imported,
    ];

    fn sale() -> Judged {
        Judged { kind: ConversionKind::Sale, happened_at: day(100).plus_ms(1) }
    }

    /// A browser with one touch a day, its number as the source.
    fn browser(session: i64, link: Link, days: &[i64]) -> LinkedSession {
        let who = char::from(b'a' + session as u8);
        let touches = days.iter().enumerate().map(|(n, d)| touchpoint(session, n as i64, day(*d), who)).collect();
        LinkedSession { session, link, touches }
    }

    fn judge(sessions: Vec<LinkedSession>) -> Credit {
        attribute(&sale(), &Evidence { sessions, stated: None }, &|at| at.utc())
    }

    fn sources(credit: &Credit) -> String {
        credit.path.iter().map(|p| p.touch.source.as_str()).collect::<Vec<_>>().join("")
    }

    #[test]
    fn the_order_of_tiers_is_the_contracts() {
        for pair in LINKS.windows(2) {
            assert!(confidence_bp(pair[0]) > confidence_bp(pair[1]), "{pair:?}");
            assert!(pair[0] < pair[1], "{pair:?}");
            let credit = judge(vec![browser(2, pair[1], &[99]), browser(1, pair[0], &[10])]);
            assert_eq!(credit.match_type, match_type(pair[0]), "{pair:?}");
        }
        assert!(confidence_bp(Link::Imported) > STATED_BP);
    }

    #[test]
    fn words_are_those_that_are_stored() {
        for match_type in MatchType::ALL {
            assert_eq!(serde_json::to_value(match_type).expect("JSON"), match_type.word());
            assert_eq!(MatchType::parse(match_type.word()), Some(match_type));
        }
    }

    #[test]
    fn who_is_in_the_path() {
        use Link::*;
        let b = browser;
        let rows: Vec<(&str, Vec<LinkedSession>, MatchType, bool, &str)> = vec![
            ("one browser", vec![b(1, Session, &[10, 20])], MatchType::Session, false, "bb"),
            ("a proved address joins", vec![b(1, Session, &[20]), b(2, VerifiedEmail, &[10, 30])], MatchType::Session, false, "cbc"),
            ("a claimed one does not", vec![b(1, Session, &[20]), b(2, AssertedEmail, &[10, 30])], MatchType::Session, false, "b"),
            ("nor does it beat a proved phone", vec![b(1, VerifiedPhone, &[20]), b(2, AssertedEmail, &[30])], MatchType::Phone, false, "b"),
            ("alone it counts", vec![b(2, AssertedEmail, &[30])], MatchType::Email, true, "c"),
            ("the better claim alone", vec![b(2, AssertedEmail, &[30]), b(3, AssertedPhone, &[40])], MatchType::Email, true, "c"),
            ("a coupon brings no strangers", vec![b(1, Session, &[20]), b(2, Coupon, &[30])], MatchType::Session, false, "b"),
            ("alone it counts", vec![b(2, Coupon, &[30]), b(3, AssertedEmail, &[40])], MatchType::Coupon, false, "c"),
            ("imported yields to a claim", vec![b(2, Imported, &[30]), b(3, AssertedPhone, &[10])], MatchType::Phone, true, "d"),
            ("imported alone", vec![b(2, Imported, &[30])], MatchType::Imported, false, "c"),
            ("the same browser twice", vec![b(1, Session, &[10, 20]), b(1, VerifiedEmail, &[10, 20])], MatchType::Session, false, "bb"),
            ("only what came before", vec![b(1, Session, &[20, 101])], MatchType::Session, false, "b"),
            ("later touches match nothing", vec![b(1, Session, &[101])], MatchType::None, false, ""),
            ("but another trace may", vec![b(1, Session, &[101]), b(2, VerifiedEmail, &[50])], MatchType::Email, false, "c"),
            ("yet no claim", vec![b(1, Session, &[101]), b(2, AssertedEmail, &[50])], MatchType::None, false, ""),
            ("imported may", vec![b(1, Session, &[101]), b(2, Imported, &[50])], MatchType::Imported, false, "c"),
            ("a browser without touches", vec![b(1, Session, &[])], MatchType::None, false, ""),
            ("a click nobody landed by", vec![b(0, Click, &[40]), b(1, VerifiedEmail, &[20])], MatchType::Click, false, "ba"),
            ("nobody", vec![], MatchType::None, false, ""),
        ];
        for (what, sessions, want, is_asserted, path) in rows {
            let credit = judge(sessions);
            assert_eq!((credit.match_type, credit.is_asserted), (want, is_asserted), "{what}");
            assert_eq!(sources(&credit), path, "{what}");
            assert_eq!(credit.confidence_bp == 0, want == MatchType::None, "{what}");
            assert!(credit.reason.ends_with('.'), "{what}: {}", credit.reason);
        }
    }

    #[test]
    fn a_joined_touch_says_by_what_link() {
        let credit = judge(vec![
            browser(1, Link::VerifiedEmail, &[20]),
            browser(1, Link::Session, &[20]),
            browser(2, Link::CustomerId, &[30]),
            browser(1, Link::AssertedPhone, &[20]),
        ]);
        let links = |credit: &Credit| credit.path.iter().map(|p| p.link).collect::<Vec<Link>>();
        assert_eq!(links(&credit), [Link::Session, Link::CustomerId]);
        assert_eq!(credit.also_fits, [Link::VerifiedEmail, Link::AssertedPhone]);
        // Touches without a browser are several things: a step of the same person is not the click.
        let credit = judge(vec![browser(0, Link::Click, &[40]), browser(0, Link::VerifiedEmail, &[20])]);
        assert_eq!(links(&credit), [Link::VerifiedEmail, Link::Click]);
    }

    #[test]
    fn a_stated_source_counts_where_no_touch_matches() {
        let stated = |source: &str| Some(Stated { source: source.into(), medium: None, campaign: Some(" Spring ".into()) });
        let alone = attribute(&sale(), &Evidence { sessions: vec![], stated: stated(" radio ") }, &|at| at.utc());
        assert_eq!(alone.match_type, MatchType::Stated);
        let touch = &alone.path[0].touch;
        assert_eq!((touch.source.as_str(), touch.medium.as_str(), touch.campaign.as_deref()), ("radio", "(stated)", Some("Spring")));
        assert!(touch.is_imported && !touch.is_direct);
        for model in Model::ALL {
            assert_eq!(weights(model, &alone.path, sale().happened_at, Some(1)).len(), 1);
            assert_eq!(shares(&weights(model, &alone.path, sale().happened_at, Some(1))), [1_000_000_000]);
        }
        let late = Evidence { sessions: vec![browser(1, Link::Session, &[101])], stated: stated("radio") };
        assert_eq!(attribute(&sale(), &late, &|at| at.utc()).match_type, MatchType::Stated);
        let seen = Evidence { sessions: vec![browser(1, Link::AssertedPhone, &[10])], stated: stated("radio") };
        assert_eq!(attribute(&sale(), &seen, &|at| at.utc()).match_type, MatchType::Phone);
        let blank = Evidence { sessions: vec![], stated: stated("  ") };
        assert_eq!(attribute(&sale(), &blank, &|at| at.utc()).match_type, MatchType::None);
        let direct = Evidence { sessions: vec![], stated: stated("Direct") };
        assert!(attribute(&sale(), &direct, &|at| at.utc()).path[0].touch.is_direct);
    }

    fn any_session() -> impl Strategy<Value = LinkedSession> {
        (0i64..5, 0usize..10, proptest::collection::vec((0i64..110 * DAY_MS, any::<bool>()), 0..6)).prop_map(|(session, link, marks)| {
            let touches = marks
                .iter()
                .enumerate()
                .map(|(n, (ms, is_direct))| {
                    touchpoint(session, n as i64, day(0).plus_ms(*ms), if *is_direct { '-' } else { char::from(b'a' + session as u8) })
                })
                .collect();
            LinkedSession { session, link: LINKS[link], touches }
        })
    }

    proptest! {
        #[test]
        fn the_order_of_arrival_does_not_matter(sessions in proptest::collection::vec(any_session(), 0..8), seed in any::<u64>()) {
            let mut shuffled = sessions.clone();
            for i in (1..shuffled.len()).rev() {
                shuffled.swap(i, (seed.wrapping_mul(i as u64 * 2 + 1) >> 7) as usize % (i + 1));
            }
            for s in &mut shuffled {
                s.touches.reverse();
            }
            let credit = judge(sessions.clone());
            prop_assert_eq!(&credit, &judge(shuffled));
            prop_assert_eq!(credit, judge(sessions), "the same again");
        }

        #[test]
        fn what_comes_after_changes_nothing(sessions in proptest::collection::vec(any_session(), 0..8), later in 1i64..400 * DAY_MS) {
            let before = judge(sessions.clone());
            prop_assume!(before.match_type != MatchType::None);
            let mut more = sessions;
            for s in &mut more {
                s.touches.push(touchpoint(s.session, 99, sale().happened_at.plus_ms(later), 'z'));
            }
            prop_assert_eq!(judge(more), before);
        }

        #[test]
        fn the_path_runs_by_time_before_the_conversion_and_all_shares_add_up(
            sessions in proptest::collection::vec(any_session(), 0..8),
            window in proptest::option::of(1u32..120),
        ) {
            let credit = judge(sessions);
            let at = sale().happened_at;
            prop_assert!(credit.path.windows(2).all(|p| p[0].touch.at <= p[1].touch.at && p[0] != p[1]));
            prop_assert!(credit.path.iter().all(|p| p.touch.at <= at));
            prop_assert_eq!(credit.path.is_empty(), credit.match_type == MatchType::None);
            for model in Model::ALL {
                let sum: u64 = shares(&weights(model, &credit.path, at, window)).iter().sum();
                prop_assert!(sum == 0 || sum == 1_000_000_000);
                if window.is_none() {
                    prop_assert_eq!(sum == 0, credit.path.is_empty());
                }
            }
        }
    }
}
