//! Where a shop is and how it is asked: its address with a folder, pretty or plain permalinks, Basic or OAuth 1.0a.
//! <https://woocommerce.github.io/woocommerce-rest-api-docs/#authentication>

use serde::{Deserialize, Serialize};
use url::Url;

use super::{KEY, SECRET};
use crate::domain::platform::Settings;
use crate::domain::time::Time;
use crate::wire::{Part, Request, Sign};

/// Most of a page of orders that is read, in bytes.
pub const PAGE_BYTES: usize = 4 * 1024 * 1024;

/// A shop's home: scheme and host, and the folder below it, with a slash in front or empty.
#[derive(Debug, Clone, PartialEq)]
pub struct Shop {
    origin: String,
    folder: String,
}

/// How the shop is talked to; found out by its answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Way {
    /// Plain permalinks: the route stands in the query.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_plain: bool,
    /// OAuth 1.0a instead of Basic: on plain http a shop does not even look at Basic, and some servers keep the header
    /// that Basic needs from the shop.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_signed: bool,
}

impl Shop {
    pub fn of(settings: &Settings) -> Option<Self> {
        Self::at(settings.get("url")?)
    }

    /// Reads an address, also one that was copied from further inside the shop.
    pub fn at(address: &str) -> Option<Self> {
        let url = Url::parse(address.trim()).ok()?;
        if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
            return None;
        }
        let path = url.path();
        let inside = ["/wp-json", "/wp-admin", "/wp-login.php", "/index.php", "/wp-content", "/wc-api"];
        let end = inside.iter().filter_map(|part| path.find(part)).min().unwrap_or(path.len());
        Some(Self { origin: url.origin().ascii_serialization(), folder: path[..end].trim_end_matches('/').to_owned() })
    }

    /// The same shop, whichever scheme and with or without `www.`.
    pub fn is_same(&self, other: &Shop) -> bool {
        let host = |shop: &Shop| {
            let (_, host) = shop.origin.split_once("://").unwrap_or(("", &shop.origin));
            host.strip_prefix("www.").unwrap_or(host).to_owned()
        };
        host(self) == host(other) && self.folder == other.folder
    }

    /// The address as it is told to the owner.
    pub fn shown(&self) -> String {
        format!("{}{}", self.origin, self.folder)
    }

    /// How to begin. On plain http a password would be read by others on the way, unless there is no way.
    pub fn way(&self) -> Way {
        let host = self.origin.strip_prefix("http://").map(|rest| rest.split(':').next().unwrap_or(rest));
        let is_overheard = host.is_some_and(|host| host != "localhost" && !host.starts_with("127.") && !host.starts_with('['));
        Way { is_plain: false, is_signed: is_overheard }
    }

    /// A request of the API: `route` is what comes behind `wc/v3/`.
    pub fn ask(&self, way: Way, method: &str, route: &str, query: &[(&str, String)], now: Time) -> Request {
        let path = match way.is_plain {
            false => format!("{}/wp-json/wc/v3/{route}", self.folder),
            // Before WooCommerce 11.1 keys are looked at only where `wp-json/wc/` occurs somewhere in the address.
            // With `index.php` the path that OAuth signs is the same on both sides.
            true => format!("{}/index.php?rest_route=/wc/v3/{route}&via=wp-json/wc/", self.folder),
        };
        let sign = match way.is_signed {
            false => Sign::Basic { user: KEY.into(), password: SECRET.into() },
            true => Sign::OAuth1 { key: KEY.into(), secret: SECRET.into(), timestamp_s: now.s() },
        };
        let request = Request::new(method, &self.origin, path).signed(sign);
        query.iter().fold(request, |request, (name, value)| request.query(name, Part::plain(value)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shop_is_found_from_anywhere_inside_it() {
        for (address, want) in [
            ("https://shop.example", Some("https://shop.example")),
            ("https://Shop.example/", Some("https://shop.example")),
            ("https://shop.example/store/?a=1#b", Some("https://shop.example/store")),
            ("https://shop.example/store/wp-json/wc/v3/orders", Some("https://shop.example/store")),
            ("https://shop.example/wp-admin/admin.php?page=wc-settings", Some("https://shop.example")),
            ("http://127.0.0.1:8080/x/index.php", Some("http://127.0.0.1:8080/x")),
            ("ftp://shop.example", None),
            ("shop.example", None),
            ("", None),
        ] {
            assert_eq!(Shop::at(address).map(|s| s.shown()).as_deref(), want, "{address}");
        }
    }

    #[test]
    fn a_shop_is_known_by_host_and_folder() {
        let own = Shop::at("https://www.shop.example/store").expect("a shop");
        for (named, want) in [
            ("http://shop.example/store/", true),
            ("https://shop.example/store", true),
            ("https://shop.example/", false),
            ("https://shop.example.evil.example/store/", false),
            ("https://shop.example:8443/store/", false),
        ] {
            assert_eq!(Shop::at(named).is_some_and(|s| own.is_same(&s)), want, "{named}");
        }
    }

    #[test]
    fn a_password_does_not_travel_in_the_open() {
        for (address, want) in [
            ("https://shop.example", false),
            ("http://10.0.0.7/store", true),
            ("http://127.0.0.1:8080", false),
            ("http://shop.example:8080", true),
        ] {
            assert_eq!(Shop::at(address).map(|s| s.way().is_signed), Some(want), "{address}");
        }
    }

    #[test]
    fn the_four_ways_of_asking() {
        let shop = Shop::at("https://shop.example/store").expect("a shop");
        let now = Time::from_s(1_781_342_400);
        let ask = |is_plain, is_signed| shop.ask(Way { is_plain, is_signed }, "GET", "orders/7/refunds", &[("per_page", "5".into())], now);
        assert_eq!(ask(false, false).path, [Part::plain("/store/wp-json/wc/v3/orders/7/refunds")]);
        assert_eq!(ask(true, false).path, [Part::plain("/store/index.php?rest_route=/wc/v3/orders/7/refunds&via=wp-json/wc/")]);
        assert!(matches!(ask(false, false).sign, Some(Sign::Basic { .. })));
        assert!(matches!(ask(true, true).sign, Some(Sign::OAuth1 { timestamp_s: 1_781_342_400, .. })));
        assert_eq!(ask(false, true).query, [("per_page".to_owned(), Part::plain("5"))]);
    }
}
