//! Names of goods that name their buyer: "Mug for Ann Lee". A name counts in full only: half of the people of a shop share a
//! first name with somebody, or with a thing that it sells.

use serde_json::Value;

use super::excerpt::LEFT_OUT;
use super::mentions;

/// Letters that may stand between the parts of a name.
const BETWEEN: usize = 3;

/// The title without the person; none where it does not name them. `names` are first and last names, `values` as `looked_for` gives
/// them.
pub fn without(title: &str, names: &[(String, String)], values: &[String]) -> Option<String> {
    let mut text = title.to_owned();
    for (first, last) in names {
        for parts in [[first, last], [last, first]] {
            while let Some((from, until)) = place(&text, parts) {
                text.replace_range(from..until, LEFT_OUT);
            }
        }
    }
    if values.iter().any(|value| mentions(&text, value)) {
        let words = text.split(' ').map(|word| if values.iter().any(|value| mentions(word, value)) { LEFT_OUT } else { word });
        text = words.collect::<Vec<_>>().join(" ");
        // A number that is written with blanks.
        if values.iter().any(|value| mentions(&text, value)) {
            text = LEFT_OUT.into();
        }
    }
    (text != title).then_some(text)
}

/// The lines of an order or of a statement, each with `name` and `id`. Gives old and new of what was changed.
pub fn clear_lines(lines: &mut Value, names: &[(String, String)], values: &[String]) -> Vec<(String, String)> {
    let mut changed = Vec::new();
    for line in lines.as_array_mut().into_iter().flatten() {
        for field in ["name", "id"] {
            let Some(text) = line[field].as_str() else { continue };
            if let Some(new) = without(text, names, values) {
                changed.push((text.to_owned(), new.clone()));
                line[field] = new.into();
            }
        }
    }
    changed
}

/// Where both parts stand one after the other, as whole words, whatever their case.
fn place(text: &str, parts: [&String; 2]) -> Option<(usize, usize)> {
    let [first, last] = parts.map(|part| part.trim().to_lowercase());
    if first.is_empty() || last.is_empty() {
        return None;
    }
    let is_inside = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
    text.char_indices().map(|(from, _)| from).filter(|from| !is_inside(text[..*from].chars().next_back())).find_map(|from| {
        let behind_first = from + prefix(&text[from..], &first)?;
        let rest = &text[behind_first..];
        let gap: usize = rest.chars().take_while(|c| !c.is_alphanumeric()).take(BETWEEN).map(char::len_utf8).sum();
        let until = behind_first + gap + prefix(&rest[gap..], &last)?;
        (gap > 0 && !is_inside(text[until..].chars().next())).then_some((from, until))
    })
}

/// Bytes of the text that read as `lower` in lower case.
fn prefix(text: &str, lower: &str) -> Option<usize> {
    let mut wanted = lower.chars();
    for (at, letter) in text.char_indices() {
        if wanted.as_str().is_empty() {
            return Some(at);
        }
        for small in letter.to_lowercase() {
            if wanted.next() != Some(small) {
                return None;
            }
        }
    }
    wanted.as_str().is_empty().then_some(text.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn only_a_full_name_is_a_name() {
        let names = [("Ann".to_owned(), "Lee".to_owned()), ("Zoë".into(), "Nový-Stará".into())];
        let values = ["ann@mail.example".to_owned(), "971501234567".into()];
        for (title, want) in [
            ("Mug for Ann Lee", Some("Mug for …")),
            ("mug ANN  LEE!", Some("mug …!")),
            ("Lee, Ann: cup", Some("…: cup")),
            ("Cup ZOË NOVÝ-STARÁ", Some("Cup …")),
            ("Ann Lee and Ann Lee", Some("… and …")),
            ("Shirt for ann@mail.example, blue", Some("Shirt for … blue")),
            ("Call +971 50 123 4567", Some("…")),
            ("Mug for Ann", None),
            ("Lee jeans", None),
            ("Joann Lee", None),
            ("Ann Leeds", None),
            ("AnnLee", None),
            ("Ann or Lee", None),
            ("", None),
        ] {
            assert_eq!(without(title, &names, &values).as_deref(), want, "{title:?}");
        }
        assert_eq!(without("Ann Lee", &[("Ann".into(), " ".into())], &[]), None);
    }

    proptest! {
        #[test]
        fn never_panics_and_ends(title in "\\PC{0,40}", first in "\\PC{0,6}", last in "\\PC{0,6}") {
            let names = [(first, last)];
            if let Some(text) = without(&title, &names, &[]) {
                prop_assert_eq!(without(&text, &names, &[]), None);
            }
        }
    }
}
