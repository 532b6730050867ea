//! Which column means what: header names in any order and under the names that shops, spreadsheets, Meta Ads, Google Ads and
//! our own exports give them.

use super::amount::Unit;
use super::{Home, ImportKind};

/// A meaning and the names under which it comes, without blanks, dashes and underscores, in the order of belief.
type Names = (&'static str, &'static str);

const PERSON: &[Names] = &[
    ("email", "email emailaddress customeremail billingemail useremail mail"),
    ("phone", "phone phonenumber billingphone customerphone telephone tel mobile"),
    ("first_name", "firstname billingfirstname givenname"),
    ("last_name", "lastname billinglastname surname familyname"),
    ("full_name", "fullname customername billingname contactname"),
    ("company", "company billingcompany organisation organization"),
    ("customer_id", "customerid userid"),
    ("country", "country countrycode billingcountry"),
    ("sent_to", "shippingcountry shippingcountrycode deliverycountry"),
    ("city", "city billingcity"),
    ("postcode", "postcode zip zipcode postalcode billingzip billingpostcode"),
];

const ORIGIN: &[Names] = &[
    ("source", "source utmsource trafficsource"),
    ("medium", "medium utmmedium"),
    ("campaign", "campaign campaignname utmcampaign campaignid"),
    ("content", "content utmcontent"),
    ("term", "term utmterm keyword"),
    ("landing", "landing landingpage landingurl landingsite page"),
    ("referrer", "referrer referer referringsite"),
];

const TRACES: &[Names] = &[
    ("session", "sessionid halosessionid halosession session"),
    ("click_id", "clickid gclid fbclid ttclid msclkid haloclick"),
    ("code", "shortcode halocode visitorcode code"),
    ("coupon", "coupon coupons couponcode couponcodes discountcode discountcodes"),
    ("affiliate", "affiliate affiliateid affiliatecode ref"),
    ("consent", "consentgiven consent marketingconsent acceptsmarketing"),
];

/// What went back of a sale.
const BACK: &str = "back refunded refundedamount refundtotal refund totalrefunded refundamount amountrefunded refundedtotal totalrefund \
    totalrefunds refunds refundvalue refundedvalue orderrefundamount";

/// Meanings whose cells are money: the head of such a column may name the currency, and so may each cell.
pub const AMOUNTS: [&str; 8] = ["amount", "total", "tax", "shipping", "discount", "back", "value", "net"];

const SPEND: &[Names] = &[
    ("id", "id spendid"),
    ("day", "day date"),
    ("from", "from firstday reportingstarts start startdate datestart"),
    ("to", "to lastday reportingends end enddate datestop"),
    ("source", "source utmsource platform network"),
    ("medium", "medium utmmedium"),
    ("campaign", "campaign campaignname utmcampaign"),
    ("adset", "adset adsetname adgroup adgroupname"),
    ("ad", "ad adname"),
    ("amount", "amount amountspent spend spent cost costs totalspend totalcost"),
    ("currency", "currency currencycode accountcurrency"),
    ("note", "note notes comment"),
];

const ORDER: &[Names] = &[
    ("order_id", "orderid orderkey"),
    ("number", "ordernumber orderno number order"),
    ("id", "id"),
    ("platform", "platform shop store"),
    ("total", "total ordertotal amount grandtotal revenue value totalprice"),
    ("tax", "tax taxes totaltax"),
    ("shipping", "shipping shippingtotal shippingcost"),
    ("discount", "discount discounttotal discountamount"),
    ("back", BACK),
    ("currency", "currency currencycode"),
    ("status", "status orderstatus financialstatus paymentstatus"),
    ("sale", "sale"),
    ("paid", "paid ispaid"),
    ("test", "test istest"),
    ("gone", "gone"),
    ("lines", "lines"),
    ("at", "createdat created date orderdate datecreated happenedat timestamp time"),
    ("paid_at", "paidat datepaid paymentdate"),
    ("modified_at", "modifiedat updatedat datemodified"),
    ("refunded_at", "refundedat refunddate"),
    ("ended_at", "endedat cancelledat canceledat"),
    ("conversion", "conversion"),
];

const CONVERSION: &[Names] = &[
    ("id", "id conversionid"),
    ("kind", "kind conversiontype type"),
    ("name", "name eventname"),
    ("label", "label"),
    ("order_id", "orderid ordernumber transactionid"),
    ("at", "happenedat timestamp conversiontime createdat date time day"),
    ("total", "amount revenue value conversionvalue total"),
    ("net", "net"),
    ("back", BACK),
    ("currency", "currency conversioncurrency currencycode"),
    ("status", "status"),
    ("test", "test istest"),
];

const LEAD: &[Names] = &[
    ("lead_id", "leadid id"),
    ("platform", "platform"),
    ("form_type", "formtype form formname"),
    ("value", "value amount worth"),
    ("currency", "currency currencycode"),
    ("status", "status stage leadstatus"),
    ("message", "message comment notes"),
    ("at", "createdat created date timestamp time submittedat"),
    ("url", "url pageurl"),
    ("conversion", "conversion"),
];

const OFFLINE: &[Names] = &[
    ("id", "id leadid entryid"),
    ("what", "what whathappened event eventtype type kind step"),
    ("at", "at when happenedat createdat created date timestamp time"),
    ("value", "value amount worth"),
    ("currency", "currency currencycode"),
    ("note", "note notes message comment comments"),
    ("referred_by", "referredby referral referrername recommendedby sentby"),
];

const TOUCH: &[Names] = &[
    ("at", "at timestamp time date happenedat visitedat createdat"),
    ("event_id", "eventid id"),
    ("url", "url pageurl pagelocation"),
    ("title", "title pagetitle"),
    ("user_agent", "useragent agent"),
    ("language", "language lang"),
    ("country", "country countrycode"),
    ("session", "sessionid session visitorid clientid"),
    ("gclid", "gclid"),
    ("gbraid", "gbraid"),
    ("wbraid", "wbraid"),
    ("fbclid", "fbclid"),
    ("ttclid", "ttclid"),
    ("msclkid", "msclkid"),
    ("affiliate", "affiliate ref via aff"),
    ("consent", "consent consentgiven marketingconsent"),
];

/// What a file of a kind cannot do without; of words with `|` between one is enough.
fn needed(kind: ImportKind) -> &'static [&'static str] {
    match kind {
        ImportKind::Spend => &["day|from", "amount"],
        ImportKind::Orders => &["order_id|number|id", "total", "at|paid_at"],
        ImportKind::Conversions => &["at"],
        ImportKind::Leads => &["at", "email|phone|lead_id|conversion"],
        ImportKind::Offline => &["at", "email|phone"],
        ImportKind::Touches => &["at", "landing|url|source|referrer"],
    }
}

fn meanings(kind: ImportKind) -> Vec<Names> {
    let groups: &[&[Names]] = match kind {
        ImportKind::Spend => &[SPEND],
        ImportKind::Orders => &[ORDER, PERSON, ORIGIN, TRACES],
        ImportKind::Conversions => &[CONVERSION, PERSON, ORIGIN, TRACES],
        ImportKind::Leads => &[LEAD, PERSON, ORIGIN, TRACES],
        ImportKind::Offline => &[OFFLINE, PERSON, ORIGIN, TRACES],
        ImportKind::Touches => &[TOUCH, ORIGIN],
    };
    groups.concat()
}

/// What a column of this name means in a file of this kind, and how far down it stands among the names of that meaning:
/// `lead_id` is believed before `id`.
pub fn meaning(kind: ImportKind, name: &str) -> Option<(&'static str, usize)> {
    let name = squeezed(name);
    meanings(kind).into_iter().find_map(|(meaning, names)| names.split(' ').position(|n| n == name).map(|place| (meaning, place)))
}

/// Who has made a file whose rows lack what its maker knows.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Maker {
    Meta,
    Google,
}

#[derive(Debug, Clone, Default, PartialEq)]
pub struct Layout {
    places: Vec<Option<&'static str>>,
    /// `Amount spent (USD)`, `Total (€)`: currencies that the heads of columns name.
    pub units: Vec<Unit>,
    pub maker: Option<Maker>,
}

impl Layout {
    /// By the names of the columns, or what of them is missing.
    pub fn read(kind: ImportKind, names: &[String], home: &Home) -> Result<Self, Vec<&'static str>> {
        let squeezed: Vec<String> = names.iter().map(|n| squeezed(n)).collect();
        let has = |name: &str| squeezed.iter().any(|n| n == name);
        let maker = match kind {
            ImportKind::Spend if has("amountspent") => Some(Maker::Meta),
            ImportKind::Spend if has("cost") && has("campaign") && !has("source") => Some(Maker::Google),
            _ => None,
        };
        // Our own list of leads calls the platform its source.
        let is_own_leads = kind == ImportKind::Leads && has("formtype") && has("who");
        // Shopify's own export calls the order's number its name.
        let is_shopify = kind == ImportKind::Orders && has("financialstatus");
        let mut ranked: Vec<(Option<&'static str>, usize)> = Vec::new();
        for (name, plain) in names.iter().zip(&squeezed) {
            let meaning = match plain.as_str() {
                "source" if is_own_leads => Some(("platform", 0)),
                "name" if is_shopify => Some(("order_id", 0)),
                "id" if is_shopify => None,
                "name" if matches!(kind, ImportKind::Leads | ImportKind::Offline | ImportKind::Orders) => Some(("full_name", 0)),
                _ => meaning(kind, name),
            };
            // Of two columns of one meaning the surer name counts, of two alike the first.
            let known = meaning.and_then(|(m, rank)| ranked.iter().position(|(other, _)| *other == Some(m)).map(|at| (at, rank)));
            let meaning = match known {
                Some((at, rank)) if rank < ranked[at].1 => {
                    ranked[at].0 = None;
                    meaning
                }
                Some(_) => None,
                None => meaning,
            };
            ranked.push((meaning.map(|(m, _)| m), meaning.map_or(0, |(_, rank)| rank)));
        }
        let places: Vec<Option<&'static str>> = ranked.into_iter().map(|(meaning, _)| meaning).collect();
        let units =
            names.iter().zip(&places).filter(|(_, m)| m.is_some_and(|m| AMOUNTS.contains(&m))).filter_map(|(name, _)| unit_of(name));
        let units = units.collect();
        let is_there = |word: &str| places.contains(&Some(word));
        let mut missing: Vec<&'static str> =
            needed(kind).iter().copied().filter(|words| !words.split('|').any(is_there)).map(|words| in_words(kind, words)).collect();
        if kind == ImportKind::Spend && maker.is_none() && home.source.is_none() && !is_there("source") {
            missing.push("source");
        }
        if missing.is_empty() { Ok(Self { places, units, maker }) } else { Err(missing) }
    }

    /// Columns that have a name or stand before one that has.
    pub fn width(&self) -> usize {
        self.places.len()
    }

    pub fn place(&self, place: usize) -> Option<&'static str> {
        self.places.get(place).copied().flatten()
    }

    pub fn made_by(&self) -> Option<&'static str> {
        self.maker.map(|maker| match maker {
            Maker::Meta => "Meta Ads",
            Maker::Google => "Google Ads",
        })
    }

    pub fn used(&self) -> Vec<String> {
        self.places.iter().flatten().map(|m| (*m).to_owned()).collect()
    }

    /// Each column that is read, and what it is taken for.
    pub fn mapped(&self, names: &[String]) -> Vec<(String, &'static str)> {
        names.iter().zip(&self.places).filter_map(|(name, place)| Some((name.chars().take(60).collect(), (*place)?))).collect()
    }

    pub fn ignored(&self, names: &[String]) -> Vec<String> {
        let unread = names.iter().zip(&self.places).filter(|(name, place)| place.is_none() && !name.is_empty());
        unread.map(|(name, _)| name.chars().take(60).collect()).collect()
    }
}

/// A group of columns as an owner would call it.
fn in_words(kind: ImportKind, words: &'static str) -> &'static str {
    match words {
        "at" if kind == ImportKind::Offline => "when",
        "day|from" => "day",
        "order_id|number|id" => "order_id",
        "at|paid_at" | "at" => "created_at (the time)",
        "email|phone|lead_id|conversion" => "email, phone or lead_id",
        "email|phone" => "email or phone",
        "landing|url|source|referrer" => "landing, url, source or referrer",
        other => other,
    }
}

/// Without what people and programs write in different ways: case, blanks, dashes, and a unit in brackets behind.
fn squeezed(name: &str) -> String {
    let plain = name.split_once('(').map_or(name, |(front, _)| front);
    plain.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// What stands in brackets, where it is a currency: `(all)` and `(net)` are not.
pub fn unit_of(name: &str) -> Option<Unit> {
    let word = name.split_once('(')?.1.split_once(')')?.0.trim();
    Unit::parse(word).filter(|_| !word.bytes().any(|b| b.is_ascii_lowercase()))
}

#[cfg(test)]
mod tests {
    use super::super::super::money::Currency;
    use super::*;

    fn home() -> Home {
        Home::of_test("EUR")
    }

    fn read(kind: ImportKind, header: &str) -> Result<Layout, Vec<&'static str>> {
        let names: Vec<String> = header.split(',').map(str::to_owned).collect();
        Layout::read(kind, &names, &home())
    }

    #[test]
    fn headers_of_the_ad_platforms() {
        let meta = read(ImportKind::Spend, "Campaign name,Day,Amount spent (USD),Impressions").expect("Meta's");
        assert_eq!((meta.maker, meta.units), (Some(Maker::Meta), Currency::parse("USD").map(Unit::Of).into_iter().collect()));
        let meta = read(ImportKind::Spend, "Campaign name,Day,Amount spent (USD),Impressions").expect("Meta's");
        assert_eq!([meta.place(0), meta.place(1), meta.place(2), meta.place(3)], [Some("campaign"), Some("day"), Some("amount"), None]);
        let google = read(ImportKind::Spend, "Day,Campaign,Currency code,Cost").expect("Google's");
        assert_eq!((google.maker, google.place(2)), (Some(Maker::Google), Some("currency")));
        assert_eq!(read(ImportKind::Spend, "Day,Amount"), Err(vec!["source"]));
        assert_eq!(read(ImportKind::Spend, "Campaign report"), Err(vec!["day", "amount", "source"]));
    }

    #[test]
    fn our_own_lists_and_those_of_shops() {
        let leads = read(ImportKind::Leads, "id,lead_id,source,form_type,who,value,currency,status,created_at,received_at,conversion");
        let leads = leads.expect("our own");
        assert_eq!((leads.place(2), leads.place(4), leads.place(10)), (Some("platform"), None, Some("conversion")));
        assert_eq!((leads.place(0), leads.place(1)), (None, Some("lead_id")), "the sender's own id, not our number");
        let orders = read(ImportKind::Orders, "Name,Email,Financial Status,Paid at,Currency,Total,Id").expect("Shopify's");
        assert_eq!((orders.place(0), orders.place(6), orders.place(3)), (Some("order_id"), None, Some("paid_at")));
        let units = |header: &str| read(ImportKind::Orders, header).expect("orders").units.len();
        assert_eq!(units("Order,Date,Total (USD),Tax (USD),Shipping ($),Weight (KGS)"), 3);
        assert_eq!(units("Order,Date (UTC),Total (incl. tax),Discount (all)"), 0);
        for name in ["Refund Amount", "Amount Refunded", "refunded_amount", "Refund", "Refund Amount (EUR)"] {
            for kind in [ImportKind::Orders, ImportKind::Conversions] {
                assert_eq!(meaning(kind, name).map(|(m, _)| m), Some("back"), "{name}");
            }
        }
        assert_eq!(read(ImportKind::Offline, "what"), Err(vec!["when", "email or phone"]));
        assert_eq!(read(ImportKind::Touches, "time"), Err(vec!["landing, url, source or referrer"]));
    }
}
