//! Which rows are asked for. One rule for rows and for counts of rows, so that a list, its sums and its facets agree.

use super::super::attribution::MatchType;
use super::super::campaign::NOT_SET;
use super::super::channel::{CHANNELS, channel};
use super::super::conversion::ConversionKind;
use super::super::money::Currency;
use super::super::rule::Rules;
use super::super::sight::Sight;
use super::{Asked, Bands, Choice};
use crate::error::{Error, Kind, Result};

/// How a row without a source is called in facets and filters.
pub const UNATTRIBUTED: &str = "unattributed";

/// How a country or a device is called that nobody knows.
pub const UNKNOWN: &str = "unknown";

/// What can be asked of a conversion, and most of it of a visit.
pub const DIMENSIONS: [&str; 22] = [
    "kind",
    "channel",
    "source",
    "medium",
    "campaign",
    "content",
    "term",
    "click",
    "landing",
    "referrer",
    "country",
    "device",
    "consent",
    "chat",
    "match",
    "status",
    "currency",
    "amount",
    "customers",
    "affiliate",
    "platform",
    "connection",
];

/// What was said to marketing; whoever is counted without a person is `anonymous`.
pub const CONSENTS: [&str; 4] = ["granted", "denied", "unknown", "anonymous"];

/// Whose sale it is: somebody's first one that counts, a later one, or one of nobody known. What is no sale, and what does not
/// count, is none of these.
pub const CUSTOMERS: [&str; 3] = ["new", "returning", "unknown"];

/// States of a conversion: a lead's pipeline, then what became of a sale.
pub const STATUSES: [&str; 11] =
    ["new", "contacted", "qualified", "won", "lost", "pending", "paid", "part_refunded", "refunded", "cancelled", "draft"];

/// What a conversion is known by when it is filtered and counted. Empty words stand for "none".
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Marks<'r> {
    pub kind: &'r str,
    pub source: &'r str,
    pub medium: &'r str,
    pub campaign: &'r str,
    pub match_type: &'r str,
    pub status: &'r str,
    pub currency: &'r str,
}

impl<'r> Marks<'r> {
    /// The same under the names that rules give.
    pub fn named_by<'n>(&'n self, rules: &'n Rules) -> Marks<'n>
    where
        'r: 'n,
    {
        let (source, medium, campaign) = rules.named(self.source, self.medium, self.campaign);
        Marks { source, medium, campaign, ..*self }
    }
}

/// Dimensions that facets count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dimension {
    Kind,
    Source,
    Match,
    Status,
    /// One that has no facet.
    Other,
}

#[derive(Debug, Clone, Default, PartialEq)]
pub struct ConversionFilter {
    pub kind: Choice,
    pub source: Choice,
    pub medium: Choice,
    pub campaign: Choice,
    pub channel: Choice,
    pub match_type: Choice,
    pub status: Choice,
    pub currency: Choice,
    /// One that has told of it, or was told.
    pub platform: Choice,
    /// A connection that told of it or was told, by its number.
    pub connection: Choice,
    pub country: Choice,
    pub device: Choice,
    /// Of the visit that the books credit: the page on which it began, the words and the click id of its link, where it came from.
    pub landing: Choice,
    pub content: Choice,
    pub term: Choice,
    pub click: Choice,
    pub referrer: Choice,
    /// What was said to marketing when it happened.
    pub consent: Choice,
    /// Whether a chat helped.
    pub chat: Choice,
    /// What was first told, before anything went back.
    pub amount: Bands,
    /// Whether its buyer had bought before.
    pub customers: Choice,
    /// The partner who earns it, by the first code.
    pub affiliate: Choice,
    /// What the asker may see at all. A row outside is not there: no facet counts it, no parameter brings it back.
    pub within: Option<Box<ConversionFilter>>,
    /// Under which names rows are filtered and counted. What somebody may see at all goes by the stored words: no rule widens it.
    pub rules: Rules,
}

/// Where a conversion or a visit came about, and by what. Empty words stand for what is not known.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Whereabouts<'r> {
    pub country: &'r str,
    pub device: &'r str,
    pub landing: &'r str,
    pub content: &'r str,
    pub term: &'r str,
    pub click: &'r str,
    pub referrer: &'r str,
    pub consent: &'r str,
    /// No visit is credited at all.
    pub is_nobodys: bool,
}

/// How many dimensions refuse a row: the facet of a dimension counts what all others take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    Taken,
    /// Only this one refuses it.
    RefusedBy(Dimension),
    Refused,
}

impl ConversionFilter {
    pub fn read(asked: Asked) -> Result<Self> {
        let kinds = ConversionKind::ALL.map(ConversionKind::word);
        let matches = MatchType::ALL.map(MatchType::word);
        let is_click =
            |v: &str| v == NOT_SET || v == UNATTRIBUTED || v.len() <= 40 && v.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
        let is_currency = |v: &str| v.len() == 3 && v.bytes().all(|b| b.is_ascii_uppercase()) && Currency::parse(v).is_some();
        Ok(Self {
            kind: asked.one_of("kind", &kinds)?,
            source: asked.free("source")?,
            medium: asked.free("medium")?,
            campaign: asked.free("campaign")?,
            channel: asked.choice_of_parts("channel", |v| CHANNELS.contains(&v), &format!("one of {}", CHANNELS.join(", ")))?,
            match_type: asked.one_of("match", &matches)?,
            status: asked.one_of("status", &STATUSES)?,
            currency: asked.choice("currency", is_currency, "an ISO 4217 code like EUR")?,
            platform: asked.slug("platform")?,
            country: asked.free("country")?,
            device: asked.free("device")?,
            connection: asked.connections("connection")?,
            landing: asked.free("landing")?,
            content: asked.free("content")?,
            term: asked.free("term")?,
            click: asked.choice("click", is_click, "the name of a click id like gclid, or (not set)")?,
            referrer: asked.free("referrer")?,
            consent: asked.one_of("consent", &CONSENTS)?,
            chat: asked.one_of("chat", &["yes", "no"])?,
            amount: asked.bands("amount")?,
            customers: asked.one_of("customers", &CUSTOMERS)?,
            affiliate: asked.free("affiliate")?,
            within: None,
            rules: Rules::default(),
        })
    }

    /// The same for somebody who is shown a part. Amounts that are hidden cannot be found out by asking which are how large, and
    /// what else a buyer has bought, which the part does not hold, not by asking whether it was the first time.
    pub fn within(mut self, sight: &Sight) -> Result<Self> {
        if sight.hides_money && !self.amount.is_open() {
            return Err(
                Error::new(Kind::Forbidden, "missing_right", "Amounts are hidden from you: nothing can be filtered by them.").of("amount")
            );
        }
        if !sight.segment.is_open() && !self.customers.is_open() {
            return Err(Error::new(
                Kind::Forbidden,
                "missing_right",
                "You are shown a part of this site: whether its customers bought before goes by all of it.",
            )
            .of("customers"));
        }
        self.within = sight.segment.filter().map(Box::new);
        Ok(self)
    }

    /// The same, by the names that the site's rules give.
    pub fn named_by(mut self, rules: &Rules) -> Self {
        self.rules = rules.clone();
        self
    }

    /// Nothing is left out, whatever it is called.
    pub fn is_open(&self) -> bool {
        Self { rules: Rules::default(), ..self.clone() } == Self::default()
    }

    /// The counts of whole days know all that is asked for. They know neither who was told, nor where and by what it came about,
    /// nor how much it was.
    pub fn is_of_counts(&self) -> bool {
        !self.asks_platforms() && !self.asks_row()
    }

    /// Something that only the conversion's own row and its credit say.
    pub fn asks_row(&self) -> bool {
        self.asks_whereabouts() || !(self.amount.is_open() && self.chat.is_open() && self.customers.is_open() && self.affiliate.is_open())
    }

    /// Who told of it and who was told stands in other tables, whose changes are none of the conversion.
    pub fn asks_platforms(&self) -> bool {
        !(self.platform.is_open() && self.connection.is_open())
    }

    pub fn asks_whereabouts(&self) -> bool {
        !(self.country.is_open() && self.device.is_open() && self.consent.is_open()) || self.asks_visit()
    }

    /// Something of one visit that the counts of whole days do not know.
    pub fn asks_visit(&self) -> bool {
        [&self.landing, &self.content, &self.term, &self.click, &self.referrer].iter().any(|choice| !choice.is_open())
    }

    pub fn admits_whereabouts(&self, w: &Whereabouts) -> bool {
        let none = if w.is_nobodys { UNATTRIBUTED } else { NOT_SET };
        let of_visit = [
            (&self.landing, w.landing),
            (&self.content, w.content),
            (&self.term, w.term),
            (&self.click, w.click),
            (&self.referrer, w.referrer),
        ];
        (self.country.is_open() || self.country.admits_named(w.country, named(w.country, UNKNOWN)))
            && (self.device.is_open() || self.device.admits_named(w.device, named(w.device, UNKNOWN)))
            && (self.consent.is_open() || self.consent.admits(named(w.consent, UNKNOWN)))
            && of_visit.iter().all(|(choice, word)| choice.is_open() || choice.admits_named(word, named(word, none)))
    }

    /// Visits are left out by where they came from. What only a conversion has (a kind, a match, a status, money) leaves
    /// no visit out: a rate of some conversions is still one of all visits.
    pub fn admits_visit(&self, source: &str, medium: &str, campaign: &str) -> bool {
        if self.within.as_ref().is_some_and(|locked| !locked.admits_visit(source, medium, campaign)) {
            return false;
        }
        let (source, medium, campaign) = self.rules.named(source, medium, campaign);
        let m = Marks { kind: "", source, medium, campaign, match_type: "", status: "", currency: "" };
        (self.source.is_open() || self.source.admits_named(source, named(source, UNATTRIBUTED)))
            && (self.medium.is_open() || self.medium.admits_named(medium, named(medium, NOT_SET)))
            && (self.campaign.is_open() || self.campaign.admits_named(campaign, named(campaign, NOT_SET)))
            && (self.channel.is_open() || self.admits_channel(&m))
    }

    /// Every visit is taken.
    pub fn is_open_to_visits(&self) -> bool {
        let origin = [&self.source, &self.medium, &self.campaign, &self.channel];
        origin.iter().all(|choice| choice.is_open()) && !self.asks_whereabouts() && self.within.is_none()
    }

    /// Nothing but where something came from, and what kind of thing it is: what advertising has cost can be asked so too.
    pub fn asks_only_origins(&self) -> bool {
        let origins = Self {
            source: self.source.clone(),
            medium: self.medium.clone(),
            campaign: self.campaign.clone(),
            channel: self.channel.clone(),
            kind: self.kind.clone(),
            within: self.within.clone(),
            rules: self.rules.clone(),
            ..Self::default()
        };
        *self == origins && self.within.as_ref().is_none_or(|locked| locked.asks_only_origins())
    }

    /// By what the counts of whole days know.
    pub fn judge(&self, m: &Marks) -> Verdict {
        if self.within.as_ref().is_some_and(|locked| !locked.admits(m)) {
            return Verdict::Refused;
        }
        let m = &m.named_by(&self.rules);
        let mut verdict = Verdict::Taken;
        let mut refuse = |by: Dimension| {
            verdict = if verdict == Verdict::Taken { Verdict::RefusedBy(by) } else { Verdict::Refused };
        };
        if !self.kind.admits(m.kind) {
            refuse(Dimension::Kind);
        }
        if !self.source.is_open() && !self.source.admits_named(m.source, named(m.source, UNATTRIBUTED)) {
            refuse(Dimension::Source);
        }
        if !self.match_type.admits(m.match_type) {
            refuse(Dimension::Match);
        }
        if !self.status.admits(m.status) {
            refuse(Dimension::Status);
        }
        let is_other = (!self.medium.is_open() && !self.medium.admits_named(m.medium, named(m.medium, NOT_SET)))
            || (!self.campaign.is_open() && !self.campaign.admits_named(m.campaign, named(m.campaign, NOT_SET)))
            || !self.currency.admits(m.currency)
            || (!self.channel.is_open() && !self.admits_channel(m));
        if is_other {
            refuse(Dimension::Other);
        }
        verdict
    }

    pub fn admits(&self, m: &Marks) -> bool {
        self.judge(m) == Verdict::Taken
    }

    /// Visits and money know nothing but where they came from.
    pub fn admits_origin(&self, source: &str, medium: &str, campaign: &str) -> bool {
        self.admits(&Marks { kind: "", source, medium, campaign, match_type: "", status: "", currency: "" })
    }

    fn admits_channel(&self, m: &Marks) -> bool {
        if m.source.is_empty() {
            return self.channel.is.is_empty() && self.channel.has.is_empty();
        }
        self.channel.admits(channel(m.source, m.medium, Some(m.campaign)))
    }
}

fn named<'r>(value: &'r str, none: &'r str) -> &'r str {
    if value.is_empty() { none } else { value }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filter(query: &str) -> Result<ConversionFilter> {
        let pairs: Vec<(String, String)> =
            query.split('&').filter_map(|p| p.split_once('=')).map(|(n, v)| (n.to_owned(), v.to_owned())).collect();
        ConversionFilter::read(Asked(&pairs))
    }

    const SALE: Marks =
        Marks { kind: "sale", source: "google", medium: "cpc", campaign: "spring", match_type: "session", status: "paid", currency: "EUR" };
    const LOST: Marks = Marks { source: "", medium: "", campaign: "", match_type: "none", ..SALE };

    #[test]
    fn filters_say_is_one_of_and_is_not() {
        for (query, sale, lost) in [
            ("", true, true),
            ("kind=sale", true, true),
            ("kind=lead&kind=sale", true, true),
            ("kind=!sale", false, false),
            ("source=google", true, false),
            ("source=!google", false, true),
            ("source=google&source=unattributed", true, true),
            ("source=unattributed", false, true),
            ("campaign=!(not set)", true, false),
            ("channel=Paid Search", true, false),
            ("channel=!Paid Search", false, true),
            ("match=none", false, true),
            ("currency=AED", false, false),
            ("source=google&medium=email", false, false),
            ("source=~OO", true, false),
            ("source=!~oo", false, true),
            ("source=~tribut", false, false),
            ("campaign=~set", false, false),
            ("channel=~paid", true, false),
            ("channel=!~paid", false, true),
        ] {
            let filter = filter(query).expect(query);
            assert_eq!((filter.admits(&SALE), filter.admits(&LOST)), (sale, lost), "{query}");
        }
    }

    #[test]
    fn a_facet_counts_what_all_other_dimensions_take() {
        let one = filter("source=bing").expect("a filter");
        assert_eq!(one.judge(&SALE), Verdict::RefusedBy(Dimension::Source));
        let two = filter("source=bing&kind=lead").expect("a filter");
        assert_eq!(two.judge(&SALE), Verdict::Refused);
        let other = filter("medium=email&channel=Email").expect("a filter");
        assert_eq!(other.judge(&SALE), Verdict::RefusedBy(Dimension::Other));
    }

    #[test]
    fn values_that_do_not_exist_are_refused_by_name() {
        for (query, field) in [
            ("kind=sales", "kind"),
            ("kind=!x", "kind"),
            ("match=sess%", "match"),
            ("status=paid' or 1", "status"),
            ("currency=EURO", "currency"),
            ("currency=eur", "currency"),
            ("channel=Paid", "channel"),
            ("platform=Meta;", "platform"),
            ("connection=7x", "connection"),
            ("consent=yes", "consent"),
            ("chat=maybe", "chat"),
            ("customers=old", "customers"),
            ("click=a-b", "click"),
            ("amount=50", "amount"),
            ("kind=~sal", "kind"),
            ("source=~", "source"),
            ("source=a\0b", "source"),
        ] {
            let e = filter(query).expect_err(query);
            assert_eq!((e.code, e.field.as_deref()), ("invalid_parameter", Some(field)), "{query}");
        }
        assert_eq!(filter(&"campaign=x&".repeat(1)).expect("one").campaign.is, ["x"]);
        let many: Vec<String> = (0..51).map(|n| format!("source=s{n}")).collect();
        assert!(filter(&many.join("&")).is_err());
    }
}
