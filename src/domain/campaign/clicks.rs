//! Click ids: the identifiers that ad platforms, AnyTrack and our own links put on a landing address.

use super::looks_like_email;

/// Longest click id, in bytes.
pub const MAX_CLICK_ID: usize = 512;

/// A click identifier that an ad platform (or our own link) puts on the landing URL.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ClickKind {
    Gclid,
    Gbraid,
    Wbraid,
    Dclid,
    Fbclid,
    Ttclid,
    Msclkid,
    Twclid,
    LiFatId,
    Epik,
    ScCid,
    RdtCid,
    Irclickid,
    AtGd,
    HaloClick,
}

impl ClickKind {
    /// In order of belief: where one URL carries several, the first names the source.
    pub const ALL: [ClickKind; 15] = [
        ClickKind::Gclid,
        ClickKind::Gbraid,
        ClickKind::Wbraid,
        ClickKind::Dclid,
        ClickKind::Fbclid,
        ClickKind::Ttclid,
        ClickKind::Msclkid,
        ClickKind::Twclid,
        ClickKind::LiFatId,
        ClickKind::Epik,
        ClickKind::ScCid,
        ClickKind::RdtCid,
        ClickKind::Irclickid,
        ClickKind::AtGd,
        ClickKind::HaloClick,
    ];

    /// The URL parameter, as the platform spells it.
    pub fn name(self) -> &'static str {
        match self {
            ClickKind::Gclid => "gclid",
            ClickKind::Gbraid => "gbraid",
            ClickKind::Wbraid => "wbraid",
            ClickKind::Dclid => "dclid",
            ClickKind::Fbclid => "fbclid",
            ClickKind::Ttclid => "ttclid",
            ClickKind::Msclkid => "msclkid",
            ClickKind::Twclid => "twclid",
            ClickKind::LiFatId => "li_fat_id",
            ClickKind::Epik => "epik",
            ClickKind::ScCid => "ScCid",
            ClickKind::RdtCid => "rdt_cid",
            ClickKind::Irclickid => "irclickid",
            ClickKind::AtGd => "at_gd",
            ClickKind::HaloClick => "halo_click",
        }
    }

    /// Only Snapchat's parameter is met in several spellings of case.
    pub fn from_name(name: &str) -> Option<ClickKind> {
        ClickKind::ALL
            .into_iter()
            .find(|kind| if *kind == ClickKind::ScCid { name.eq_ignore_ascii_case(kind.name()) } else { name == kind.name() })
    }

    /// Source and medium that the click proves by itself; None for a click id that only relays another platform's
    /// click (AnyTrack) or our own short link, which carries UTMs where its maker knew better.
    pub fn origin(self) -> Option<(&'static str, &'static str)> {
        Some(match self {
            ClickKind::Gclid | ClickKind::Gbraid | ClickKind::Wbraid => ("google", "cpc"),
            ClickKind::Dclid => ("google", "display"),
            ClickKind::Fbclid => ("facebook", "paid_social"),
            ClickKind::Ttclid => ("tiktok", "cpc"),
            ClickKind::Msclkid => ("bing", "cpc"),
            ClickKind::Twclid => ("twitter", "paid_social"),
            ClickKind::LiFatId => ("linkedin", "paid_social"),
            ClickKind::Epik => ("pinterest", "paid_social"),
            ClickKind::ScCid => ("snapchat", "paid_social"),
            ClickKind::RdtCid => ("reddit", "paid_social"),
            ClickKind::Irclickid => ("impact", "affiliate"),
            ClickKind::AtGd | ClickKind::HaloClick => return None,
        })
    }

    /// Source and medium where neither UTMs, other clicks nor the referrer say more.
    pub(super) fn last_resort(self) -> Option<(&'static str, &'static str)> {
        match self {
            ClickKind::AtGd => Some(("anytrack", "affiliate")),
            ClickKind::HaloClick => Some(("link", "referral")),
            _ => None,
        }
    }
}

/// Click ids of one visit, at most one of each kind, in order of belief. Values are never altered: platforms compare
/// them letter by letter.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClickIds(Vec<(ClickKind, String)>);

impl ClickIds {
    pub fn new() -> ClickIds {
        ClickIds::default()
    }

    /// Keeps the value unless one of that kind is there already. False for a value that no platform can have made:
    /// empty, over 512 bytes, with blanks or control characters inside, or a template that nobody filled in.
    pub fn add(&mut self, kind: ClickKind, value: &str) -> bool {
        let value = value.trim();
        let is_template = value.contains(['{', '}', '<', '>']) || matches!(value, "null" | "undefined");
        let is_broken = value.chars().any(|c| c.is_control() || c.is_whitespace());
        if value.is_empty() || value.len() > MAX_CLICK_ID || is_template || is_broken || looks_like_email(value) {
            return false;
        }
        if let Err(at) = self.0.binary_search_by_key(&kind, |(kind, _)| *kind) {
            self.0.insert(at, (kind, value.to_owned()));
        }
        true
    }

    pub fn get(&self, kind: ClickKind) -> Option<&str> {
        self.iter().find(|(k, _)| *k == kind).map(|(_, value)| value)
    }

    pub fn iter(&self) -> impl Iterator<Item = (ClickKind, &str)> {
        self.0.iter().map(|(kind, value)| (*kind, value.as_str()))
    }

    /// The click that says most, with its value.
    pub fn first(&self) -> Option<(ClickKind, &str)> {
        self.iter().next()
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Adds the kinds that `self` lacks.
    pub fn or(mut self, other: ClickIds) -> ClickIds {
        for (kind, value) in other.iter() {
            self.add(kind, value);
        }
        self
    }

    /// True if both hold the same value of the same kind: one click, however often the page is opened.
    pub fn shares_click(&self, other: &ClickIds) -> bool {
        self.iter().any(|(kind, value)| other.get(kind) == Some(value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn click_ids() {
        let mut a = ClickIds::new();
        assert!(a.add(ClickKind::Fbclid, " IwAR0 ") && a.add(ClickKind::Gclid, "g"));
        assert!(!a.add(ClickKind::Ttclid, "{{click}}") && !a.add(ClickKind::Ttclid, "") && !a.add(ClickKind::Ttclid, &"t".repeat(513)));
        assert_eq!(a.first(), Some((ClickKind::Gclid, "g")));
        assert_eq!(a.get(ClickKind::Fbclid), Some("IwAR0"));
        let mut b = ClickIds::new();
        b.add(ClickKind::Gclid, "other");
        assert!(!a.shares_click(&b));
        let both = b.clone().or(a.clone());
        assert!(both.shares_click(&a) && both.shares_click(&b));
    }
}
