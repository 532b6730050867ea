//! Where the law asks for consent first: the EEA, the United Kingdom and Switzerland, by country code and time zone.

/// The 30 states of the EEA, their parts overseas where EU law holds and that have a code of their own, the United
/// Kingdom with the islands and Gibraltar, whose laws follow it, and Switzerland. `EL` and `UK` are the EU's own
/// codes; `EU` is what some registries give for an address that is somewhere in Europe.
const COUNTRIES: &str = "AT BE BG HR CY CZ DK EE FI FR DE GR EL HU IE IT LV LT LU MT NL PL PT RO SK SI ES SE IS LI NO \
    AX GF GP MQ RE YT MF SJ EU GB UK GG JE IM GI CH";

/// Zones of the same places, with the aliases that browsers report.
const ZONES: &str = "Europe/Amsterdam Europe/Athens Europe/Belfast Europe/Berlin Europe/Bratislava Europe/Brussels \
    Europe/Bucharest Europe/Budapest Europe/Busingen Europe/Copenhagen Europe/Dublin Europe/Gibraltar Europe/Guernsey \
    Europe/Helsinki Europe/Isle_of_Man Europe/Jersey Europe/Lisbon Europe/Ljubljana Europe/London Europe/Luxembourg \
    Europe/Madrid Europe/Malta Europe/Mariehamn Europe/Nicosia Europe/Oslo Europe/Paris Europe/Prague Europe/Riga \
    Europe/Rome Europe/Sofia Europe/Stockholm Europe/Tallinn Europe/Vaduz Europe/Vienna Europe/Vilnius Europe/Warsaw \
    Europe/Zagreb Europe/Zurich Atlantic/Azores Atlantic/Canary Atlantic/Jan_Mayen Atlantic/Madeira \
    Atlantic/Reykjavik Arctic/Longyearbyen Africa/Ceuta Asia/Famagusta Asia/Nicosia America/Cayenne \
    America/Guadeloupe America/Marigot America/Martinique Indian/Mayotte Indian/Reunion CET MET EET WET GB GB-Eire \
    Eire Iceland Poland Portugal";

/// Areas of the IANA names; what begins otherwise (`UTC`, `Etc/GMT-1`, `SystemV/…`, nonsense) says nothing of a place.
const AREAS: &str = "Africa America Antarctica Arctic Asia Atlantic Australia Brazil Canada Chile Europe Indian Mexico Pacific US";

/// Whether the law of a country asks first; None for what names no country (`XX`, Tor's `T1`, an empty header).
pub fn asks_first(country: &str) -> Option<bool> {
    let code = country.trim().to_ascii_uppercase();
    let is_code = code.len() == 2 && code.bytes().all(|b| b.is_ascii_uppercase());
    if !is_code || matches!(&*code, "XX" | "ZZ" | "AP" | "AA" | "QO") {
        return None;
    }
    Some(COUNTRIES.split_whitespace().any(|known| known == code))
}

/// The same for a time zone; None for one that names no place.
pub fn zone_asks_first(zone: &str) -> Option<bool> {
    let zone = zone.trim();
    if ZONES.split_whitespace().any(|known| known.eq_ignore_ascii_case(zone)) {
        return Some(true);
    }
    let (area, place) = zone.split_once('/')?;
    let is_place = !place.is_empty() && AREAS.split_whitespace().any(|known| known.eq_ignore_ascii_case(area));
    is_place.then_some(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(given: &str, want: Option<bool>) {
        let got = if given.len() == 2 { asks_first(given) } else { zone_asks_first(given) };
        assert_eq!(got, want, "{given}");
    }

    #[test]
    fn places() {
        for (given, want) in [
            ("DE", Some(true)),
            ("ie", Some(true)),
            ("GB", Some(true)),
            ("CH", Some(true)),
            ("IS", Some(true)),
            ("RE", Some(true)),
            ("US", Some(false)),
            ("AE", Some(false)),
            ("RS", Some(false)),
            ("XX", None),
            ("T1", None),
            ("1é", None),
            ("Europe/Prague", Some(true)),
            ("Europe/Belgrade", Some(false)),
            ("Europe/Moscow", Some(false)),
            ("Europe/Istanbul", Some(false)),
            ("Asia/Dubai", Some(false)),
            ("Asia/Nicosia", Some(true)),
            ("Africa/Ceuta", Some(true)),
            ("Africa/Cairo", Some(false)),
            ("America/Argentina/Ushuaia", Some(false)),
            ("UTC", None),
            ("Etc/GMT-1", None),
            ("Nonsense/Berlin", None),
            ("Europe/", None),
            ("", None),
        ] {
            check(given, want);
        }
        assert_eq!((asks_first(""), asks_first("Germany")), (None, None));
    }

    #[test]
    fn thirty_states_and_two() {
        let codes: Vec<_> = COUNTRIES.split_whitespace().take(31).filter(|code| *code != "EL").collect();
        assert_eq!(codes.len(), 30);
    }
}
