//! People who do not exist: names that are common where they live, addresses on domains that nobody can have, and
//! invented telephone numbers.

use super::chance::Chance;
use super::shop::Place;

#[derive(Debug, Clone)]
pub struct Someone {
    pub first_name: &'static str,
    pub last_name: &'static str,
    pub email: String,
    pub phone: String,
    pub country: &'static str,
}

/// Domains that end in `.example` belong to nobody (RFC 2606).
const MAILS: [&str; 4] = ["mail.example", "inbox.example", "post.example", "home.example"];

pub fn someone(chance: &mut Chance, place: &Place) -> Someone {
    let first_name = *chance.one_of(place.first_names);
    let last_name = *chance.one_of(place.last_names);
    let number = match chance.below(3) {
        0 => String::new(),
        1 => chance.between(2, 99).to_string(),
        _ => format!("{}", chance.between(1964, 2004)),
    };
    let email = format!("{}.{}{number}@{}", plain(first_name), plain(last_name), chance.one_of(&MAILS));
    let phone = place.phone.chars().map(|c| if c == '#' { char::from(b'0' + chance.below(10) as u8) } else { c }).collect();
    Someone { first_name, last_name, email, phone, country: place.country }
}

/// As people write their names in addresses.
fn plain(name: &str) -> String {
    let mut text = String::new();
    for c in name.to_lowercase().chars() {
        match c {
            'ä' => text.push_str("ae"),
            'ö' => text.push_str("oe"),
            'ü' => text.push_str("ue"),
            'ı' => text.push('i'),
            c if c.is_ascii_alphanumeric() => text.push(c),
            _ => {}
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::demo::{fragrance, kitchens};
    use crate::domain::person::{Email, Phone};

    #[test]
    fn everybody_can_be_written_to_and_nobody_exists() {
        let mut chance = Chance::of_seed(3);
        let mut strange = Vec::new();
        for place in fragrance::SHOP.places.iter().chain(kitchens::SHOP.places) {
            for _ in 0..40 {
                let who = someone(&mut chance, place);
                assert!(Email::parse(&who.email).is_some_and(|e| e.as_str().ends_with(".example")), "{}", who.email);
                if Phone::parse(&who.phone, Some(who.country)).is_none() {
                    strange.push(who.phone);
                }
            }
        }
        assert_eq!(strange, Vec::<String>::new(), "numbers that no telephone takes");
    }
}
