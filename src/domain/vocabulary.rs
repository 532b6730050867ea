//! The words of a site's links: whether a new one only spells a known one in another way. Two spellings are two rows in every
//! report, and nobody sees why.

use super::campaign::normal_source;

/// Shorter words that differ in one letter are usually two words.
const SHORTEST_TYPO: usize = 5;

/// The known word that this one nearly repeats; none where it is known as it is, or new.
pub fn twin<'k>(word: &str, known: &[&'k str]) -> Option<&'k str> {
    let word = word.trim();
    if word.is_empty() || known.contains(&word) {
        return None;
    }
    let bare = bare(word);
    let same = known.iter().find(|k| self::bare(k) == bare);
    let alias = || known.iter().find(|k| normal_source(k) == normal_source(word));
    let typo = || known.iter().find(|k| is_typo(&bare, &self::bare(k)));
    same.or_else(alias).or_else(typo).copied()
}

/// Without case and without what stands between words.
fn bare(word: &str) -> String {
    word.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// One letter more, less or other, or two that changed places. Digits count years and versions: those differ on purpose.
fn is_typo(a: &str, b: &str) -> bool {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    if a.len().min(b.len()) < SHORTEST_TYPO || a.len().abs_diff(b.len()) > 1 {
        return false;
    }
    let front = a.iter().zip(&b).take_while(|(x, y)| x == y).count();
    let back = a[front..].iter().rev().zip(b[front..].iter().rev()).take_while(|(x, y)| x == y).count();
    let (left, right) = (&a[front..a.len() - back], &b[front..b.len() - back]);
    let is_swap = left.len() == 2 && right.len() == 2 && left[0] == right[1] && left[1] == right[0];
    let has_digit = left.iter().chain(right).any(char::is_ascii_digit);
    !has_digit && (is_swap || left.len() <= 1 && right.len() <= 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_near_duplicate_is_found() {
        let known = ["facebook", "Spring Sale", "newsletter", "tiktok", "spring24"];
        let rows: &[(&str, Option<&str>)] = &[
            ("facebook", None),
            ("Facebook", Some("facebook")),
            ("face-book", Some("facebook")),
            ("fb", Some("facebook")),
            ("facebok", Some("facebook")),
            ("faecbook", Some("facebook")),
            ("spring_sale", Some("Spring Sale")),
            ("news letter", Some("newsletter")),
            ("spring25", None),
            ("tik", None),
            ("instagram", None),
            ("", None),
        ];
        for (word, want) in rows {
            assert_eq!(twin(word, &known), *want, "{word}");
        }
        assert_eq!(twin("ads", &["ad", "adv"]), None, "short words differ in one letter");
    }
}
