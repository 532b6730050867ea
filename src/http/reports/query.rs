//! What reports and lists may be asked by, as the API page says it.

/// A parameter's name and what it takes.
pub type Param = (&'static str, &'static str);

const DAYS: &[Param] = &[("from", "first day, 2026-06-01; without it, 30 days"), ("to", "last day, included; without it, today")];

const LENS: &[Param] =
    &[("model", "last_non_direct, first, last, linear, position, time_decay"), ("window", "1, 7, 14, 30, 60, 90 or unlimited")];

const COMPARE: &[Param] = &[
    ("compare", "previous, year, custom or none; a day that is not over is compared with as many hours"),
    ("align", "weekday or date: what stands over what; unsaid, a year before goes by weekdays and the time before by dates"),
    ("compare_from", "with compare=custom: the first day"),
    ("compare_to", "with compare=custom: the last day, included. As many days as asked for are compared hour by hour"),
];

/// Which rows. One rule for all: a value is one of, `!` in front is none of, `~` in front is a part of it, and `!~` is without it.
pub const FILTERS: &[Param] = &[
    ("kind", "sale, lead, signup or custom; repeat for several, ! in front for all others. It leaves no visit out"),
    ("source", "credited in the books, whatever the lens; `unattributed` for none; ~ in front for a part of the name. Visits by their own"),
    ("medium", "as credited"),
    ("campaign", "as credited"),
    ("channel", "a name like Paid Search"),
    ("content", "of the credited visit's link"),
    ("term", "of the credited visit's link"),
    ("click", "the click id that the credited visit came with: gclid, fbclid, …, or (not set)"),
    ("landing", "the page on which the credited visit began"),
    ("referrer", "the host from which the credited visit came"),
    ("country", "two letters, or unknown"),
    ("device", "mobile, desktop, tablet, or unknown"),
    ("consent", "what was said to marketing then: granted, denied, unknown; anonymous for visits without a person"),
    ("chat", "yes where a chat helped, no where none did"),
    ("match", "session, code, click, email, phone, customer_id, coupon, imported, stated or none"),
    ("status", "paid, refunded, new, won, …"),
    ("currency", "EUR"),
    ("amount", "50..200, 200.. or ..50 in the large unit of its currency, both ends included; none for what has no amount"),
    ("customers", "new where the sale is its buyer's first one, returning, or unknown where nobody is known; leads are none of these"),
    ("affiliate", "the first code of the partner who earns it, or (not set)"),
    ("platform", "one that told of it or was told"),
    ("connection", "one that told of it or was told, con_7"),
];

const WITH: &[Param] =
    &[("with", "parts to come along: days, notes, connections, needs, latest, sources, countries, devices, products, chat")];

const TABLE: &[Param] = &[
    ("by", "channel, source (default), medium, campaign, content, term or landing"),
    ("beside", "ends: with what the first and the last visit would earn beside it"),
    ("limit", "rows, at most 500; the total is of all"),
];

/// Columns of a file, as they are shown.
const SHOWN: &[Param] = &[
    (
        "columns",
        "those that are shown, in their order: visits, leads, orders, conversions, rate, sold, back, net, first, last, balance, spend, new_customers, cost_per_lead, cost_per_order, cost_per_customer, return; without it, all but the last six",
    ),
    ("sort", "a column, the largest first; without it, net"),
];

const PLACE: &[Param] = &[
    ("in_channel", "with in_source and in_campaign: what stands below this campaign, by content and term"),
    ("in_source", "the source of that campaign"),
    ("in_campaign", "its name, as shown"),
];

/// Which rows journeys are looked at by, and what is left out of them.
const JOURNEYS: &[Param] = &[
    ("by", "channel (default), source, medium, campaign, content, term or landing"),
    ("without", "direct: direct visits are passed over; unattributed: what nothing is known of is left out; both with a comma"),
    ("limit", "rows, at most 500; the total is of all"),
];

/// People of a funnel: by where they first came from.
const FIRST_VISIT: &[Param] = &[
    ("by", "channel, source (default), medium or campaign of the first visit that is known of each person"),
    (
        "source",
        "where people first came from; ! in front is none of, ~ in front a part of it, `unattributed` for those of whom nothing is known",
    ),
    ("medium", "of the first visit"),
    ("campaign", "of the first visit"),
    ("channel", "of the first visit, a name like Paid Search"),
];

const FUNNEL_NAMED: &[Param] = &[("funnel", "which one, funnel_3")];
const PEOPLE: &[Param] = &[("cursor", "`next` of the page before"), ("limit", "rows, at most 500")];

pub const FUNNEL: &[Param] = &joined::<8>(&[FUNNEL_NAMED, DAYS, FIRST_VISIT]);
pub const FUNNEL_PEOPLE: &[Param] = &joined::<12>(&[
    FUNNEL_NAMED,
    &[
        ("step", "how far they came: 1 for the first step"),
        ("part", "left: no further than this step; without it, everybody who reached it"),
    ],
    DAYS,
    FIRST_VISIT,
    PEOPLE,
]);
pub const SHOW_UP: &[Param] = &joined::<7>(&[DAYS, FIRST_VISIT]);
pub const SHOW_UP_PEOPLE: &[Param] = &joined::<10>(&[
    &[(
        "part",
        "booked (default), asked, moved, came, no_show, not_told, cancelled, open, bought, came_only (came and bought nothing) or refunded",
    )],
    DAYS,
    FIRST_VISIT,
    PEOPLE,
]);

const ESTIMATE: &[Param] = &[("estimate", "1, 2 or 3: how many visits the data-driven estimate remembers; without it, none is made")];

pub const ATTRIBUTION: &[Param] = &joined::<34>(&[DAYS, LENS, COMPARE, FILTERS, JOURNEYS, ESTIMATE]);
pub const ATTRIBUTION_CSV: &[Param] = &joined::<30>(&[DAYS, LENS, FILTERS, JOURNEYS, ESTIMATE]);
pub const PATHS: &[Param] = &joined::<29>(&[DAYS, LENS, FILTERS, JOURNEYS]);
pub const TIME_TO_CONVERT: &[Param] = &joined::<29>(&[DAYS, LENS, FILTERS, JOURNEYS]);
pub const CHAT: &[Param] = &joined::<24>(&[DAYS, FILTERS]);
pub const REPORT: &[Param] = &joined::<30>(&[DAYS, LENS, COMPARE, FILTERS]);
pub const HEADLINE: &[Param] = &joined::<34>(&[DAYS, LENS, COMPARE, FILTERS, WITH, TABLE]);
pub const SOURCES: &[Param] = &joined::<33>(&[DAYS, LENS, COMPARE, FILTERS, TABLE]);
pub const SOURCES_CSV: &[Param] = &joined::<35>(&[DAYS, LENS, COMPARE, FILTERS, TABLE, SHOWN]);
pub const TREE: &[Param] = &joined::<33>(&[DAYS, LENS, COMPARE, FILTERS, PLACE]);
pub const TREE_CSV: &[Param] = &joined::<32>(&[DAYS, LENS, COMPARE, FILTERS, SHOWN]);

/// Several lists as one, while the program is compiled: a wrong number of them does not compile.
pub const fn joined<const N: usize>(lists: &[&[Param]]) -> [Param; N] {
    let mut all = [("", ""); N];
    let (mut place, mut list) = (0, 0);
    while list < lists.len() {
        let mut n = 0;
        while n < lists[list].len() {
            all[place] = lists[list][n];
            (place, n) = (place + 1, n + 1);
        }
        list += 1;
    }
    assert!(place == N, "as many as there are");
    all
}
