//! Who wrote, and what ties it to a visit, out of a sheet of fields.

use serde_json::{Map, Value};

use super::shapes::is_click;
use super::sheet::{Sheet, cleaned};
use crate::domain::campaign::{MAX_CLICK_ID, MAX_TEXT, landing};
use crate::domain::coupon;
use crate::domain::fact::{Person, Stated, Traces};
use crate::domain::person::{Email, MAX_EMAIL, Name, Phone, country_code};
use crate::domain::short_code::found_in_all;
use crate::sources::Home;

const EMAIL: &[&str] =
    &["email", "customeremail", "emailaddress", "youremail", "mail", "useremail", "contactemail", "workemail", "billingemail"];
const PHONE: &[&str] = &[
    "phone",
    "customerphone",
    "phonenumber",
    "yourphone",
    "tel",
    "yourtel",
    "telephone",
    "mobile",
    "mobilephone",
    "mobilenumber",
    "cell",
    "whatsapp",
    "whatsappnumber",
    "contactnumber",
    "contactphone",
    "telefon",
    "billingphone",
];
const NAME: &[&str] = &["name", "fullname", "yourname", "customername", "contactname", "namefull", "fullnamefull", "username"];
const FIRST_NAME: &[&str] = &["firstname", "fname", "yourfirstname", "givenname", "namefirst", "fullnamefirst", "vorname"];
const LAST_NAME: &[&str] = &["lastname", "lname", "yourlastname", "familyname", "surname", "namelast", "fullnamelast", "nachname"];
const COMPANY: &[&str] = &["company", "companyname", "yourcompany", "organization", "organisation", "business", "businessname"];
const SESSION: &[&str] = &["sessionid", "halosessionid", "halosession", "halo", "visitorid"];
const SENT_TO: &[&str] = &["shippingcountry", "shippingcountrycode", "shippingaddresscountry", "deliverycountry"];
const COUPON: &[&str] = &["coupon", "coupons", "couponcode", "couponcodes", "promocode", "discountcode", "discountcodes", "voucher"];
const CONSENT: &[&str] = &["consentgiven", "gdprconsent", "marketingconsent"];

/// Longest session id that is looked at; ours are shorter.
const MAX_SESSION: usize = 512;
const MAX_CLICK_IDS: usize = 20;

/// Reads the person. What was typed as an e-mail address or number and is none comes back as typed.
pub fn person(sheet: &mut Sheet, home: &Home) -> (Person, Map<String, Value>) {
    let mut as_typed = Map::new();
    let country = sheet.text(&["country", "countrycode", "addresscountry", "customercountry"], MAX_TEXT);
    let country = country.as_deref().and_then(iso_country);
    let dialled_in = country.as_deref().or(home.country.as_deref());

    let typed = sheet.text(EMAIL, 4 * MAX_EMAIL);
    let email = typed.as_deref().and_then(Email::parse).or_else(|| {
        keep(&mut as_typed, "email_as_typed", typed);
        sheet.guess(|key, text| if is_someone_else(key) { None } else { Email::parse(text) })
    });
    let typed = sheet.text(PHONE, MAX_TEXT);
    let phone = typed.as_deref().and_then(|t| Phone::parse(t, dialled_in)).or_else(|| {
        keep(&mut as_typed, "phone_as_typed", typed);
        sheet.guess(|key, text| guessed_phone(key, text, dialled_in))
    });

    let (first, last) = (sheet.text(FIRST_NAME, MAX_TEXT), sheet.text(LAST_NAME, MAX_TEXT));
    // "What is your name?"
    let full = sheet.text(NAME, MAX_TEXT).or_else(|| sheet.guess(|key, text| key.ends_with("yourname").then(|| text.to_owned())));
    let name = match (first, last, full) {
        (None, None, full) => Name::from_full(full.as_deref().unwrap_or_default()),
        // Some forms ask for "Name" and "Last name".
        (None, Some(last), Some(full)) if !full.to_lowercase().ends_with(&last.to_lowercase()) => {
            Name::from_parts(Some(&full), Some(&last))
        }
        (None, Some(_), Some(full)) => Name::from_full(&full),
        (first, last, _) => Name::from_parts(first.as_deref(), last.as_deref()),
    };
    let person = Person {
        email,
        phone,
        first_name: name.first,
        last_name: name.last,
        company: sheet.text(COMPANY, MAX_TEXT),
        customer_id: sheet.text(&["customerid", "externalcustomerid"], MAX_TEXT),
        city: sheet.text(&["city", "addresscity", "town"], MAX_TEXT),
        postcode: sheet.text(&["postcode", "postalcode", "zip", "zipcode", "addresszip", "addresspostcode"], 32),
        country,
        address: sheet.text(&["address", "address1", "street", "streetaddress", "addressline1", "addressstreet"], MAX_TEXT),
        sent_to: sheet.text(SENT_TO, MAX_TEXT).as_deref().and_then(iso_country),
    };
    (person, as_typed)
}

/// Parts of names under which a buyer's or a seller's own words stand, a short code among them.
const NOTES: &[&str] = &["note", "comment", "message", "remark", "instruction", "halocode", "shortcode"];

/// Reads session, click ids, coupons, stated source and consent; `url` is the page with the form.
pub fn traces(sheet: &mut Sheet, url: Option<&str>) -> Traces {
    let page = url.map(|u| landing(u, &[])).unwrap_or_default();
    let mut click_ids: Vec<String> = Vec::new();
    let in_url = page.clicks.iter().map(|(_, id)| id.to_owned());
    for id in sheet.texts(|key| is_click(key) || key == "clickids", MAX_CLICK_ID + 1).into_iter().chain(in_url) {
        if id.len() <= MAX_CLICK_ID && click_ids.len() < MAX_CLICK_IDS && !click_ids.contains(&id) {
            click_ids.push(id);
        }
    }
    let stated = match sheet.trace(&["utmsource"], MAX_TEXT) {
        Some(source) => {
            Some(Stated { source, medium: sheet.trace(&["utmmedium"], MAX_TEXT), campaign: sheet.trace(&["utmcampaign"], MAX_TEXT) })
        }
        None => page.utm.source.map(|source| Stated { source, medium: page.utm.medium, campaign: page.utm.campaign }),
    };
    Traces {
        session: sheet.trace(SESSION, MAX_SESSION),
        click_ids,
        codes: found_in_all(sheet.peek(|key| key == "code" || NOTES.iter().any(|word| key.contains(word)))),
        coupons: coupon::codes(sheet.texts(|key| COUPON.contains(&key), MAX_TEXT)),
        affiliate: sheet.trace(&["affiliate", "affiliateid", "affiliatecode"], MAX_TEXT),
        stated,
        consent_given: sheet.consent(CONSENT),
        user_agent: sheet.text(&["useragent"], 1_024),
    }
}

/// `AE`, from a code or an English name.
pub fn iso_country(text: &str) -> Option<String> {
    country_code(text).map(|code| code.to_uppercase())
}

/// The address of the page without what strangers' parameters may carry: scheme, host, path, known parameters.
pub fn page_address(raw: &str) -> Option<String> {
    let text = cleaned(raw, 4_096, false)?;
    let kept = landing(&text, &[]).path_and_query();
    match url::Url::parse(&text) {
        Ok(url) if matches!(url.scheme(), "http" | "https") => url.host_str().map(|host| match url.port() {
            Some(port) => format!("{}://{host}:{port}{kept}", url.scheme()),
            None => format!("{}://{host}{kept}", url.scheme()),
        }),
        _ if text.starts_with('/') => Some(kept),
        _ => None,
    }
}

/// A number under a name that says nothing. One that merely has the right length may be an order's; so it must begin
/// with a plus, or the name must at least not speak against it.
fn guessed_phone(key: &str, text: &str, country: Option<&str>) -> Option<Phone> {
    let says_phone = ["phone", "mobil", "whatsapp", "telef", "tel"].iter().any(|word| key.contains(word));
    let is_numbered = key.bytes().all(|b| b.is_ascii_digit());
    let is_written_out = text.starts_with('+') && text.len() <= 32;
    (says_phone || is_numbered || is_written_out).then(|| Phone::parse(text, country)).flatten()
}

/// Addresses of the shop's own people, or of a friend: not the writer's.
fn is_someone_else(key: &str) -> bool {
    ["admin", "recipient", "friend", "refer", "cc", "bcc", "to", "from", "sender", "site"].iter().any(|word| match word.len() {
        0..=4 => key == *word || key == format!("{word}email"),
        _ => key.contains(word),
    })
}

fn keep(map: &mut Map<String, Value>, name: &str, text: Option<String>) {
    if let Some(text) = text {
        map.insert(name.to_owned(), Value::String(text));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_keep_only_what_is_known() {
        for (raw, want) in [
            ("https://Shop.example/contact/?utm_source=a&email=jo@example.com#x", Some("https://shop.example/contact/?utm_source=a")),
            ("http://shop.example:8080", Some("http://shop.example:8080/")),
            ("/contact?x=1", Some("/contact")),
            ("javascript:alert(1)", None),
            ("shop", None),
            ("", None),
        ] {
            assert_eq!(page_address(raw).as_deref(), want, "{raw}");
        }
    }

    #[test]
    fn numbers_are_not_guessed_out_of_nothing() {
        let guess = |key, text| guessed_phone(key, text, Some("AE")).map(|p| p.as_str().to_owned());
        assert_eq!(guess("3", "050 123 4567").as_deref(), Some("+971501234567"));
        assert_eq!(guess("anything", "+971501234567").as_deref(), Some("+971501234567"));
        assert_eq!(guess("emergencyphone", "0501234567").as_deref(), Some("+971501234567"));
        assert_eq!(guess("membership", "0501234567"), None);
    }

    #[test]
    fn the_shops_own_address_is_not_the_writers() {
        for key in ["adminemail", "to", "ccemail", "friendsmail", "recipient"] {
            assert!(is_someone_else(key), "{key}");
        }
        for key in ["wheretowrite", "2", "account", "contactaddress"] {
            assert!(!is_someone_else(key), "{key}");
        }
    }
}
