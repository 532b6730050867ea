//! Values as the owner types them: `key=value`, and secrets from a file or standard input, so that they stay out of the
//! shell's history.

use std::collections::BTreeMap;
use std::io::Read;

use crate::error::{Error, Kind, Result};

/// Bytes of a value at most; a service account's key file fits many times.
const MOST: u64 = 256 * 1024;

/// Reads values. Standard input can be read once only.
#[derive(Default)]
pub struct Given {
    has_read_stdin: bool,
}

impl Given {
    /// `key=value`, `key=@FILE`, `key=-`. A key twice is a slip of the hand.
    pub fn pairs(&mut self, texts: &[String]) -> Result<BTreeMap<String, String>> {
        let mut pairs = BTreeMap::new();
        for text in texts {
            let (key, value) = split(text)?;
            if pairs.insert(key.clone(), self.value(&value)?).is_some() {
                return Err(Error::invalid(&key, "It is given twice."));
            }
        }
        Ok(pairs)
    }

    /// The same in the order in which they were typed, values as they are.
    pub fn changes(texts: &[String]) -> Result<Vec<(String, String)>> {
        texts.iter().map(|t| split(t)).collect()
    }

    /// A plain text, `@FILE` or `-`. The newline at the end of a file is not part of it.
    pub fn value(&mut self, text: &str) -> Result<String> {
        let read = match text.strip_prefix('@') {
            _ if text == "-" => {
                if std::mem::replace(&mut self.has_read_stdin, true) {
                    return Err(usage("Standard input can be read for one value only."));
                }
                self.stdin()
            }
            Some(file) => std::fs::File::open(file).and_then(limited).map_err(|e| usage(format!("{file} cannot be read: {e}."))),
            None => return Ok(text.to_owned()),
        };
        Ok(read?.trim_end_matches(['\r', '\n']).to_owned())
    }

    pub fn stdin(&mut self) -> Result<String> {
        self.has_read_stdin = true;
        limited(std::io::stdin().lock()).map_err(|e| usage(format!("Standard input cannot be read: {e}.")))
    }
}

fn limited(from: impl Read) -> std::io::Result<String> {
    let mut text = String::new();
    from.take(MOST + 1).read_to_string(&mut text)?;
    if text.len() as u64 > MOST { Err(std::io::Error::other("it is longer than 256 KiB")) } else { Ok(text) }
}

fn split(text: &str) -> Result<(String, String)> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), value.to_owned())),
        _ => Err(usage(format!("{text:?} is not of the form key=value."))),
    }
}

fn usage(message: impl Into<String>) -> Error {
    Error::new(Kind::Invalid, "usage", message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_are_split_at_the_first_sign() {
        let mut given = Given::default();
        let pairs = given.pairs(&["url=https://a.example/?x=1".into(), "name=".into()]).expect("pairs");
        assert_eq!(pairs["url"], "https://a.example/?x=1");
        assert_eq!(pairs["name"], "");
        for bad in ["url", "=x", ""] {
            assert!(given.pairs(&[bad.to_owned()]).is_err(), "{bad}");
        }
        assert!(given.pairs(&["a=1".into(), "a=2".into()]).is_err());
        assert!(given.value("@/nowhere/at/all").is_err());
    }
}
