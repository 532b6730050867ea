//! What was said in a chat: a message, or only who the person of a conversation is. With the simple rules that tell a
//! question about a price or a product from its words at arrival.

use serde_json::Value;

use super::fact::{Person, Traces};
use super::money::Currency;
use super::time::Time;

#[derive(Debug, Clone)]
pub struct Message {
    /// The sender's own id of the conversation; none where it speaks of a person in all of their conversations.
    pub conversation: Option<String>,
    /// The platform's own word for the person, by which later news of them finds their conversations.
    pub visitor: Option<String>,
    /// The sender's platform word: `chatwoot`, or `chat` for the owner's own.
    pub platform: String,
    pub happened_at: Time,
    pub person: Person,
    pub traces: Traces,
    /// Told by who could sign it. What comes by a secret address alone is only said.
    pub is_proved: bool,
    /// None where the body tells only who it is.
    pub said: Option<Said>,
}

/// One message.
#[derive(Debug, Clone, PartialEq)]
pub struct Said {
    /// The sender's own id; without one the same time, role and text is the same message.
    pub external_id: Option<String>,
    pub role: Role,
    pub text: Option<String>,
    /// As the sender says; where it does not, the words tell.
    pub is_product_inquiry: Option<bool>,
    pub is_price_check: Option<bool>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    Customer,
    Agent,
    Bot,
}

impl Role {
    pub fn word(self) -> &'static str {
        match self {
            Self::Customer => "customer",
            Self::Agent => "agent",
            Self::Bot => "bot",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        [Self::Customer, Self::Agent, Self::Bot].into_iter().find(|r| r.word() == text)
    }
}

/// A body without what people wrote to each other: the shape stays, for who wants to see what came and to read it again.
/// What is no JSON is not kept at all.
pub fn without_words(body: &[u8]) -> Vec<u8> {
    match serde_json::from_slice::<Value>(body) {
        Ok(mut value) => {
            blank(&mut value, 0);
            value.to_string().into_bytes()
        }
        Err(_) => Vec::new(),
    }
}

/// Under these names chats write their words, wherever they stand.
const WORDS: [&str; 9] =
    ["content", "text", "msg", "message", "body", "processed_message_content", "content_attributes", "subject", "excerpt"];

fn blank(value: &mut Value, depth: usize) {
    match value {
        Value::Object(fields) => {
            for (name, inner) in fields {
                let is_words = WORDS.contains(&name.as_str());
                match inner {
                    Value::String(text) if is_words => text.clear(),
                    // A message is an object too: its words stand inside.
                    _ if is_words && name != "message" && name != "body" => *inner = Value::Null,
                    _ if depth < 60 => blank(inner, depth + 1),
                    _ => *inner = Value::Null,
                }
            }
        }
        Value::Array(all) if depth < 60 => all.iter_mut().for_each(|v| blank(v, depth + 1)),
        Value::Array(all) => all.clear(),
        _ => {}
    }
}

/// Where nothing is said of them.
const PRICE_WORDS: [&str; 6] = ["price", "prices", "pricing", "how much", "cost", "costs"];
const SIGNS: &str = "$€£¥₹₽₺₺₪₩฿₫₴₦₱₨";

/// Whether the words ask for a price: an amount of money, the usual words, or the site's own.
pub fn asks_price(text: &str, own_words: &[String]) -> bool {
    let lower = text.to_lowercase();
    has_amount(text) || PRICE_WORDS.iter().any(|w| holds(&lower, w)) || own_words.iter().any(|w| holds(&lower, &w.to_lowercase()))
}

/// Whether the words name one of these products, or one of the site's own words for them.
pub fn asks_product<'a>(text: &str, names: impl IntoIterator<Item = &'a str>) -> bool {
    let lower = text.to_lowercase();
    // A name of one or two letters stands in every sentence.
    names.into_iter().any(|name| name.trim().chars().count() >= 3 && holds(&lower, &name.trim().to_lowercase()))
}

/// Whether a word or phrase stands in a text for itself: `cost`, not `Costa`.
fn holds(text: &str, word: &str) -> bool {
    if word.is_empty() {
        return false;
    }
    let is_edge = |c: Option<char>| c.is_none_or(|c| !c.is_alphanumeric());
    text.match_indices(word).any(|(at, _)| is_edge(text[..at].chars().next_back()) && is_edge(text[at + word.len()..].chars().next()))
}

/// A number beside the sign or the code of a currency: `$49.90`, `49 €`, `AED 200`.
fn has_amount(text: &str) -> bool {
    let words: Vec<&str> = text.split_whitespace().collect();
    let starts = |w: &str| w.starts_with(|c: char| c.is_ascii_digit());
    let ends = |w: &str| w.trim_end_matches(|c: char| ".,!?)".contains(c)).ends_with(|c: char| c.is_ascii_digit());
    let is_sign = |w: &str| !w.is_empty() && w.chars().all(|c| SIGNS.contains(c));
    let is_code = |w: &str| {
        let word = w.trim_matches(|c: char| !c.is_alphanumeric());
        word.len() == 3 && word.bytes().all(|b| b.is_ascii_uppercase()) && Currency::parse(word).is_some()
    };
    let is_money = |w: &str| is_sign(w.trim_matches(|c: char| ".,!?()".contains(c))) || is_code(w);
    let is_one = |w: &&str| {
        let signed = w
            .char_indices()
            .any(|(at, c)| SIGNS.contains(c) && (starts(&w[at + c.len_utf8()..]) || w[..at].ends_with(|c: char| c.is_ascii_digit())));
        // `AED200`, `200AED`
        let coded = w.is_char_boundary(3) && w.len() > 3 && is_code(&w[..3]) && starts(&w[3..])
            || w.len() > 3 && w.is_char_boundary(w.len() - 3) && is_code(&w[w.len() - 3..]) && ends(&w[..w.len() - 3]);
        signed || coded
    };
    words.iter().any(is_one)
        || words.windows(2).any(|pair| is_money(pair[0]) && starts(pair[1]) || ends(pair[0]) && starts(pair[0]) && is_money(pair[1]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_about_prices_are_known() {
        let rows: &[(&str, bool)] = &[
            ("How much is it to Oslo?", true),
            ("What is the PRICE?", true),
            ("is the cost the same", true),
            ("I saw it for $49.90 elsewhere", true),
            ("I can pay 200 AED", true),
            ("AED200 is my limit", true),
            ("it was 49€!", true),
            ("49 € then", true),
            ("EUR 5.", true),
            ("Was kostet das?", true),
            ("Good morning", false),
            ("We met in Costa Rica", false),
            ("priceless", false),
            ("Order 10574, please", false),
            ("THE 2 of us", false),
            ("", false),
        ];
        for (text, want) in rows {
            assert_eq!(asks_price(text, &["was kostet".into(), String::new()]), *want, "{text}");
        }
    }

    #[test]
    fn a_body_loses_its_words_and_keeps_its_shape() {
        let rows: &[(&str, &str)] = &[
            (
                r#"{"event":"x","id":7,"messages":[{"id":1,"content":"hi","sender":{"name":"Ann"}}]}"#,
                r#"{"event":"x","id":7,"messages":[{"content":"","id":1,"sender":{"name":"Ann"}}]}"#,
            ),
            (
                r#"{"message":{"sender":{"type":"visitor"},"text":"hi"},"chatId":"c"}"#,
                r#"{"chatId":"c","message":{"sender":{"type":"visitor"},"text":""}}"#,
            ),
            (r#"{"data":{"content":{"name":"a.pdf"},"type":"file"}}"#, r#"{"data":{"content":null,"type":"file"}}"#),
            (r#"{"message":"hi","text":"ho"}"#, r#"{"message":"","text":""}"#),
            ("hello=there", ""),
        ];
        for (body, want) in rows {
            let got = without_words(body.as_bytes());
            let read = |b: &[u8]| serde_json::from_slice::<Value>(b).ok();
            assert_eq!(read(&got), read(want.as_bytes()), "{body}");
        }
    }

    #[test]
    fn products_are_known_by_their_whole_names() {
        let names = ["Amber Diffuser", "tea", "Öl 5%", "Ox"];
        let rows: &[(&str, bool)] = &[
            ("Do you still have the amber diffuser?", true),
            ("AMBER DIFFUSER", true),
            ("a cup of tea.", true),
            ("a steal", false),
            ("öl 5% bitte", true),
            ("ox", false),
            ("amber", false),
        ];
        for (text, want) in rows {
            assert_eq!(asks_product(text, names), *want, "{text}");
        }
    }
}
