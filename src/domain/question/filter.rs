//! Which rows are asked for. One rule for rows and for counts of rows, so that a list, its sums and its facets agree.

use super::super::attribution::MatchType;
use super::super::campaign::NOT_SET;
use super::super::channel::{CHANNELS, channel};
use super::super::conversion::ConversionKind;
use super::super::money::Currency;
use super::super::rule::Rules;
use super::super::sight::Sight;
use super::{Asked, LONGEST_WORD, MOST_VALUES};
use crate::error::{Error, Result};

/// How a row without a source is called in facets and filters.
pub const UNATTRIBUTED: &str = "unattributed";

/// How a country or a device is called that nobody knows.
pub const UNKNOWN: &str = "unknown";

/// States of a conversion: a lead's pipeline, then what became of a sale.
pub const STATUSES: [&str; 11] =
    ["new", "contacted", "qualified", "won", "lost", "pending", "paid", "part_refunded", "refunded", "cancelled", "draft"];

pub const DELIVERY_STATES: [&str; 9] = ["pending", "leased", "delivered", "accepted", "skipped", "refused", "dead", "held", "cancelled"];

/// One dimension: is one of, and is none of.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Choice {
    pub is: Vec<String>,
    pub not: Vec<String>,
}

impl Choice {
    /// Takes everything.
    pub fn is_open(&self) -> bool {
        self.is.is_empty() && self.not.is_empty()
    }

    pub fn admits(&self, value: &str) -> bool {
        (self.is.is_empty() || self.is.iter().any(|v| v == value)) && !self.not.iter().any(|v| v == value)
    }

    /// For rows that have several values: one of them is wanted, and none is unwanted.
    pub fn admits_any<'v>(&self, values: impl Iterator<Item = &'v str> + Clone) -> bool {
        (self.is.is_empty() || values.clone().any(|value| self.is.iter().any(|v| v == value)))
            && !values.clone().any(|value| self.not.iter().any(|v| v == value))
    }
}

impl<'a> Asked<'a> {
    /// `name=a&name=b` is one of both; `name=!c` is not c.
    pub fn choice(&self, name: &str, check: impl Fn(&str) -> bool, form: &str) -> Result<Choice> {
        let mut choice = Choice::default();
        for text in self.all(name) {
            let (value, list) = match text.strip_prefix('!') {
                Some(value) => (value, &mut choice.not),
                None => (text, &mut choice.is),
            };
            if value.chars().count() > LONGEST_WORD || value.contains('\0') || !check(value) {
                return Err(Error::parameter(name, format!("{name} is {form}; with ! in front, everything else.")));
            }
            if !list.iter().any(|v| v == value) {
                list.push(value.to_owned());
            }
            if list.len() > MOST_VALUES {
                return Err(Error::parameter(name, format!("{name} takes at most {MOST_VALUES} values.")));
            }
        }
        Ok(choice)
    }

    fn one_of(&self, name: &str, words: &[&str]) -> Result<Choice> {
        self.choice(name, |v| words.contains(&v), &format!("one of {}", words.join(", ")))
    }

    fn free(&self, name: &str) -> Result<Choice> {
        self.choice(name, |_| true, &format!("text of at most {LONGEST_WORD} characters"))
    }

    fn slug(&self, name: &str) -> Result<Choice> {
        let is_slug = |v: &str| v.len() <= 40 && v.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
        self.choice(name, is_slug, "a platform's word like meta or woocommerce")
    }
}

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
    pub country: Choice,
    pub device: Choice,
    /// The page on which the visit began that the books credit.
    pub landing: Choice,
    /// What the asker may see at all. A row outside is not there: no facet counts it, no parameter brings it back.
    pub within: Option<Box<ConversionFilter>>,
    /// Under which names rows are filtered and counted. What somebody may see at all goes by the stored words: no rule widens it.
    pub rules: Rules,
}

/// Where a conversion or a visit came about. Empty words stand for what is not known.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Whereabouts<'r> {
    pub country: &'r str,
    pub device: &'r str,
    pub landing: &'r str,
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
        let is_currency = |v: &str| v.len() == 3 && v.bytes().all(|b| b.is_ascii_uppercase()) && Currency::parse(v).is_some();
        Ok(Self {
            kind: asked.one_of("kind", &kinds)?,
            source: asked.free("source")?,
            medium: asked.free("medium")?,
            campaign: asked.free("campaign")?,
            channel: asked.one_of("channel", &CHANNELS)?,
            match_type: asked.one_of("match", &matches)?,
            status: asked.one_of("status", &STATUSES)?,
            currency: asked.choice("currency", is_currency, "an ISO 4217 code like EUR")?,
            platform: asked.slug("platform")?,
            country: asked.free("country")?,
            device: asked.free("device")?,
            landing: asked.free("landing")?,
            within: None,
            rules: Rules::default(),
        })
    }

    /// The same for somebody who is shown a part.
    pub fn within(mut self, sight: &Sight) -> Self {
        self.within = sight.segment.filter().map(Box::new);
        self
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

    /// The counts of whole days know all that is asked for. They know neither who was told nor where it was.
    pub fn is_of_counts(&self) -> bool {
        self.platform.is_open() && !self.asks_whereabouts()
    }

    pub fn asks_whereabouts(&self) -> bool {
        !(self.country.is_open() && self.device.is_open() && self.landing.is_open())
    }

    pub fn admits_whereabouts(&self, w: &Whereabouts) -> bool {
        (self.country.is_open() || self.country.admits(named(w.country, UNKNOWN)))
            && (self.device.is_open() || self.device.admits(named(w.device, UNKNOWN)))
            && (self.landing.is_open() || self.landing.admits(w.landing))
    }

    /// Visits are left out by where they came from. What only a conversion has (a kind, a match, a status, money) leaves
    /// no visit out: a rate of some conversions is still one of all visits.
    pub fn admits_visit(&self, source: &str, medium: &str, campaign: &str) -> bool {
        if self.within.as_ref().is_some_and(|locked| !locked.admits_visit(source, medium, campaign)) {
            return false;
        }
        let (source, medium, campaign) = self.rules.named(source, medium, campaign);
        let m = Marks { kind: "", source, medium, campaign, match_type: "", status: "", currency: "" };
        (self.source.is_open() || self.source.admits(named(source, UNATTRIBUTED)))
            && (self.medium.is_open() || self.medium.admits(named(medium, NOT_SET)))
            && (self.campaign.is_open() || self.campaign.admits(named(campaign, NOT_SET)))
            && (self.channel.is_open() || self.admits_channel(&m))
    }

    /// Every visit is taken.
    pub fn is_open_to_visits(&self) -> bool {
        let origin = [&self.source, &self.medium, &self.campaign, &self.channel];
        origin.iter().all(|choice| choice.is_open()) && !self.asks_whereabouts() && self.within.is_none()
    }

    /// Platforms apart, which stand in other tables.
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
        if !self.source.is_open() && !self.source.admits(named(m.source, UNATTRIBUTED)) {
            refuse(Dimension::Source);
        }
        if !self.match_type.admits(m.match_type) {
            refuse(Dimension::Match);
        }
        if !self.status.admits(m.status) {
            refuse(Dimension::Status);
        }
        let is_other = (!self.medium.is_open() && !self.medium.admits(named(m.medium, NOT_SET)))
            || (!self.campaign.is_open() && !self.campaign.admits(named(m.campaign, NOT_SET)))
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
            return self.channel.is.is_empty();
        }
        self.channel.admits(channel(m.source, m.medium, Some(m.campaign)))
    }
}

fn named<'r>(value: &'r str, none: &'r str) -> &'r str {
    if value.is_empty() { none } else { value }
}

#[derive(Debug, Clone, Default, PartialEq)]
pub struct DeliveryFilter {
    pub platform: Choice,
    /// Numbers of connections, as text.
    pub connection: Choice,
    pub state: Choice,
    pub kind: Choice,
    pub conversion: Option<i64>,
}

/// What a delivery is filtered and counted by.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DeliveryMarks<'r> {
    pub platform: &'r str,
    pub connection: i64,
    pub state: &'r str,
    pub kind: &'r str,
    pub conversion: i64,
}

impl DeliveryFilter {
    pub fn read(asked: Asked) -> Result<Self> {
        use super::super::ids::{ConnectionId, ConversionId};
        let mut connection = asked.choice("connection", |v| v.parse::<ConnectionId>().is_ok(), "a connection like con_7")?;
        for value in connection.is.iter_mut().chain(connection.not.iter_mut()) {
            *value = value.trim_start_matches("con_").to_owned();
        }
        let conversion = asked
            .one("conversion")
            .map(|text| {
                text.parse::<ConversionId>()
                    .map(ConversionId::number)
                    .map_err(|()| Error::parameter("conversion", "conversion is an id like conversion_12."))
            })
            .transpose()?;
        Ok(Self {
            platform: asked.slug("platform")?,
            connection,
            state: asked.one_of("state", &DELIVERY_STATES)?,
            kind: asked.free("kind")?,
            conversion,
        })
    }

    pub fn is_open(&self) -> bool {
        *self == Self::default()
    }

    /// Whether only some connections or states are wanted.
    pub fn is_narrow(&self) -> bool {
        !(self.platform.is_open() && self.connection.is_open() && self.state.is_open())
    }

    /// Whether anything of this connection may be wanted.
    pub fn admits_connection(&self, id: i64, platform: &str) -> bool {
        self.platform.admits(platform) && (self.connection.is_open() || self.connection.admits(&id.to_string()))
    }

    pub fn admits(&self, m: &DeliveryMarks) -> bool {
        self.admits_but_state(m) && self.state.admits(m.state)
    }

    /// For the facet of states.
    pub fn admits_but_state(&self, m: &DeliveryMarks) -> bool {
        self.platform.admits(m.platform) && self.admits_rest(m)
    }

    /// For the facet of platforms.
    pub fn admits_but_platform(&self, m: &DeliveryMarks) -> bool {
        self.state.admits(m.state) && self.admits_rest(m)
    }

    fn admits_rest(&self, m: &DeliveryMarks) -> bool {
        (self.connection.is_open() || self.connection.admits(&m.connection.to_string()))
            && self.kind.admits(m.kind)
            && self.conversion.is_none_or(|id| id == m.conversion)
    }
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
