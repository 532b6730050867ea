//! Questions to whoever sits at a terminal, before what cannot be undone. Scripts are not asked.

use std::io::{BufRead, IsTerminal, Write};

use super::show;
use crate::config::Config;
use crate::control::{self, Command, EraseForm};
use crate::error::{Error, Result};

/// Somebody reads what we write, and can answer.
pub fn is_at_a_terminal() -> bool {
    std::io::stdin().is_terminal() && std::io::stdout().is_terminal()
}

/// What would go, and whether it may.
pub fn may_erase(config: &Config, form: &EraseForm) -> Result<bool> {
    let preview = control::run(config, &Command::Erase(EraseForm { preview: true, ..form.clone() }))?;
    ask(&show::would_erase(&preview), &mut std::io::stdin().lock(), &mut std::io::stdout().lock())
}

/// Only the whole word is a yes.
fn ask(text: &str, from: &mut impl BufRead, to: &mut impl Write) -> Result<bool> {
    write!(to, "{text}\nIt cannot be undone. Type yes to erase: ").and_then(|()| to.flush()).map_err(Error::internal)?;
    let mut answer = String::new();
    from.read_line(&mut answer).map_err(Error::internal)?;
    Ok(answer.trim().eq_ignore_ascii_case("yes"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_yes_is_a_yes() {
        for (typed, want) in
            [("yes\n", true), ("YES\n", true), (" yes \r\n", true), ("y\n", false), ("\n", false), ("", false), ("no\n", false)]
        {
            let mut said = Vec::new();
            assert_eq!(ask("2 browsers", &mut typed.as_bytes(), &mut said).expect("an answer"), want, "{typed:?}");
            assert!(String::from_utf8_lossy(&said).starts_with("2 browsers\nIt cannot be undone."));
        }
    }
}
