//! Words for yes and no, as forms, shops and people write them: the one list, for every flag that comes from outside.

/// A yes or a no, in the languages that shops are run in; nothing for any other word. Numbers are read as they are written: `0` is a no,
/// and so is `0.0`.
pub fn read(text: &str) -> Option<bool> {
    let word = bare(text);
    let number = word.strip_suffix(".0").unwrap_or(&word);
    if YES.contains(&number) {
        return Some(true);
    }
    NO.contains(&number).then_some(false)
}

/// In lower case, without what stands around a word.
pub(super) fn bare(text: &str) -> String {
    text.trim_matches(|c: char| c.is_whitespace() || "\"'.!".contains(c)).to_lowercase()
}

const YES: &[&str] = &[
    "true", "1", "yes", "y", "t", "on", "ok", "checked", "granted", "accepted", "ja", "j", "jo", "oui", "si", "sí", "sì", "sim", "tak",
    "ano", "áno", "igen", "evet", "kyllä", "da", "да", "так", "ναι", "نعم", "כן", "はい", "是",
];

const NO: &[&str] = &[
    "false",
    "0",
    "no",
    "n",
    "f",
    "off",
    "unchecked",
    "denied",
    "declined",
    "nein",
    "non",
    "não",
    "nao",
    "nee",
    "nie",
    "ne",
    "nej",
    "nei",
    "ei",
    "nem",
    "nu",
    "hayır",
    "hayir",
    "нет",
    "не",
    "ні",
    "όχι",
    "οχι",
    "لا",
    "לא",
    "いいえ",
    "否",
    "不",
    "아니요",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags() {
        for (text, want) in [
            ("true", Some(true)),
            (" Yes ", Some(true)),
            ("1", Some(true)),
            ("1.0", Some(true)),
            ("ja", Some(true)),
            ("SÍ", Some(true)),
            ("Да", Some(true)),
            ("0", Some(false)),
            ("0.0", Some(false)),
            ("No.", Some(false)),
            ("\"no\"", Some(false)),
            ("FALSE", Some(false)),
            ("Nein", Some(false)),
            ("NÃO", Some(false)),
            ("Όχι", Some(false)),
            ("нет", Some(false)),
            ("いいえ", Some(false)),
            ("", None),
            ("-1", None),
            ("2", None),
            ("10", None),
            ("perhaps", None),
            ("yes no", None),
        ] {
            assert_eq!(read(text), want, "{text}");
        }
        assert!(YES.iter().all(|word| !NO.contains(word)), "no word is both");
    }
}
