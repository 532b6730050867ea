//! Countries and states by the codes that ad platforms ask for.

use std::str::FromStr;

use iso_currency::Country;

/// English names and older codes of the countries that forms and shops write out; everything else must be a code.
const NAMES: &[(&str, &str)] = &[
    ("united states", "us"),
    ("united states of america", "us"),
    ("america", "us"),
    ("usa", "us"),
    ("uk", "gb"),
    ("united kingdom", "gb"),
    ("great britain", "gb"),
    ("england", "gb"),
    ("scotland", "gb"),
    ("wales", "gb"),
    ("northern ireland", "gb"),
    ("gbr", "gb"),
    ("united arab emirates", "ae"),
    ("uae", "ae"),
    ("are", "ae"),
    ("argentina", "ar"),
    ("australia", "au"),
    ("aus", "au"),
    ("austria", "at"),
    ("aut", "at"),
    ("bahrain", "bh"),
    ("bangladesh", "bd"),
    ("belgium", "be"),
    ("bel", "be"),
    ("brazil", "br"),
    ("bra", "br"),
    ("bulgaria", "bg"),
    ("canada", "ca"),
    ("can", "ca"),
    ("chile", "cl"),
    ("china", "cn"),
    ("chn", "cn"),
    ("colombia", "co"),
    ("costa rica", "cr"),
    ("croatia", "hr"),
    ("cyprus", "cy"),
    ("czech republic", "cz"),
    ("czechia", "cz"),
    ("cze", "cz"),
    ("denmark", "dk"),
    ("dnk", "dk"),
    ("ecuador", "ec"),
    ("egypt", "eg"),
    ("egy", "eg"),
    ("estonia", "ee"),
    ("finland", "fi"),
    ("fin", "fi"),
    ("france", "fr"),
    ("fra", "fr"),
    ("germany", "de"),
    ("deu", "de"),
    ("ghana", "gh"),
    ("greece", "gr"),
    ("grc", "gr"),
    ("el", "gr"),
    ("hong kong", "hk"),
    ("hungary", "hu"),
    ("iceland", "is"),
    ("india", "in"),
    ("ind", "in"),
    ("indonesia", "id"),
    ("iraq", "iq"),
    ("ireland", "ie"),
    ("republic of ireland", "ie"),
    ("irl", "ie"),
    ("israel", "il"),
    ("italy", "it"),
    ("ita", "it"),
    ("japan", "jp"),
    ("jpn", "jp"),
    ("jordan", "jo"),
    ("kazakhstan", "kz"),
    ("kenya", "ke"),
    ("kuwait", "kw"),
    ("latvia", "lv"),
    ("lebanon", "lb"),
    ("liechtenstein", "li"),
    ("lithuania", "lt"),
    ("luxembourg", "lu"),
    ("malaysia", "my"),
    ("malta", "mt"),
    ("mexico", "mx"),
    ("mex", "mx"),
    ("morocco", "ma"),
    ("netherlands", "nl"),
    ("the netherlands", "nl"),
    ("holland", "nl"),
    ("nld", "nl"),
    ("new zealand", "nz"),
    ("nzl", "nz"),
    ("nigeria", "ng"),
    ("norway", "no"),
    ("nor", "no"),
    ("oman", "om"),
    ("pakistan", "pk"),
    ("panama", "pa"),
    ("peru", "pe"),
    ("philippines", "ph"),
    ("poland", "pl"),
    ("pol", "pl"),
    ("portugal", "pt"),
    ("prt", "pt"),
    ("puerto rico", "pr"),
    ("qatar", "qa"),
    ("romania", "ro"),
    ("rou", "ro"),
    ("russia", "ru"),
    ("russian federation", "ru"),
    ("saudi arabia", "sa"),
    ("sau", "sa"),
    ("ksa", "sa"),
    ("serbia", "rs"),
    ("singapore", "sg"),
    ("slovakia", "sk"),
    ("slovak republic", "sk"),
    ("svk", "sk"),
    ("slovenia", "si"),
    ("south africa", "za"),
    ("zaf", "za"),
    ("south korea", "kr"),
    ("korea", "kr"),
    ("spain", "es"),
    ("esp", "es"),
    ("sri lanka", "lk"),
    ("sweden", "se"),
    ("swe", "se"),
    ("switzerland", "ch"),
    ("che", "ch"),
    ("taiwan", "tw"),
    ("thailand", "th"),
    ("tunisia", "tn"),
    ("turkey", "tr"),
    ("türkiye", "tr"),
    ("tur", "tr"),
    ("ukraine", "ua"),
    ("uruguay", "uy"),
    ("vietnam", "vn"),
    ("viet nam", "vn"),
];

/// States of the USA and provinces of Canada, names without blanks.
const STATES: &str = "alabama al alaska ak arizona az arkansas ar california ca colorado co connecticut ct delaware de \
    districtofcolumbia dc washingtondc dc florida fl georgia ga hawaii hi idaho id illinois il indiana in iowa ia \
    kansas ks kentucky ky louisiana la maine me maryland md massachusetts ma michigan mi minnesota mn mississippi ms \
    missouri mo montana mt nebraska ne nevada nv newhampshire nh newjersey nj newmexico nm newyork ny northcarolina nc \
    northdakota nd ohio oh oklahoma ok oregon or pennsylvania pa rhodeisland ri southcarolina sc southdakota sd \
    tennessee tn texas tx utah ut vermont vt virginia va washington wa westvirginia wv wisconsin wi wyoming wy \
    puertorico pr guam gu americansamoa as virginislands vi northernmarianaislands mp \
    alberta ab britishcolumbia bc manitoba mb newbrunswick nb newfoundland nl newfoundlandandlabrador nl \
    northwestterritories nt novascotia ns nunavut nu ontario on princeedwardisland pe quebec qc québec qc \
    saskatchewan sk yukon yt yukonterritory yt";

/// ISO 3166-1 alpha-2 in lower case, from a code (`UK` is `gb`), a three-letter code or an English name.
pub fn country_code(text: &str) -> Option<String> {
    let text = text.trim().to_lowercase().replace('.', "");
    if let Some((_, code)) = NAMES.iter().find(|(name, _)| *name == text) {
        return Some((*code).to_owned());
    }
    let is_code = text.len() == 2 && (text == "xk" || Country::from_str(&text.to_uppercase()).is_ok());
    is_code.then_some(text)
}

/// Two-letter code of a US state or Canadian province, from its name in lower case without blanks.
pub fn state_code(squeezed: &str) -> Option<&'static str> {
    let mut words = STATES.split_whitespace();
    while let (Some(name), Some(code)) = (words.next(), words.next()) {
        if name == squeezed {
            return Some(code);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, want: &str) {
        assert_eq!(country_code(text).unwrap_or_default(), want, "{text}");
    }

    #[test]
    fn countries() {
        for (text, want) in [
            ("US", "us"),
            (" u.s.a. ", "us"),
            ("U.S.", "us"),
            ("UK", "gb"),
            ("Ireland", "ie"),
            ("xk", "xk"),
            ("Deutschland", ""),
            ("zz", ""),
            ("", ""),
            ("é", ""),
        ] {
            check(text, want);
        }
        for (name, code) in NAMES {
            assert!(Country::from_str(&code.to_uppercase()).is_ok(), "{name}");
            assert_eq!(*name, name.to_lowercase());
        }
    }

    #[test]
    fn states() {
        assert_eq!((state_code("newyork"), state_code("ontario"), state_code("bayern")), (Some("ny"), Some("on"), None));
        assert_eq!(STATES.split_whitespace().count() % 2, 0);
        assert!(STATES.split_whitespace().skip(1).step_by(2).all(|code| code.len() == 2));
    }
}
