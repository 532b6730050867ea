//! What a member of a site may do, and what a token may be used for.

/// Each right is the role of that name: whoever has one has those before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Right {
    /// Client and above; a handler masks people and keeps to the locked segment.
    See,
    /// Analyst and above: reads all, exports.
    Read,
    /// Editor and above: all but people, secrets, erasure.
    Edit,
    Own,
}

impl Right {
    pub const ALL: [Right; 4] = [Right::See, Right::Read, Right::Edit, Right::Own];

    /// The role's word, as stored and shown.
    pub fn role(self) -> &'static str {
        match self {
            Right::See => "client",
            Right::Read => "analyst",
            Right::Edit => "editor",
            Right::Own => "owner",
        }
    }

    pub fn of_role(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|right| right.role() == word)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Scope {
    Read,
    Write,
    Sync,
    Export,
    Erase,
}

impl Scope {
    pub const ALL: [Scope; 5] = [Scope::Read, Scope::Write, Scope::Sync, Scope::Export, Scope::Erase];

    pub fn word(self) -> &'static str {
        match self {
            Scope::Read => "read",
            Scope::Write => "write",
            Scope::Sync => "sync",
            Scope::Export => "export",
            Scope::Erase => "erase",
        }
    }

    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|scope| scope.word() == word)
    }

    /// Reads `read,write`. `Err` holds the word that is no scope.
    pub fn parse_list(text: &str) -> Result<Vec<Scope>, String> {
        let mut scopes = Vec::new();
        for word in text.split(',').map(str::trim).filter(|w| !w.is_empty()) {
            let scope = Self::parse(word).ok_or_else(|| word.to_owned())?;
            if !scopes.contains(&scope) {
                scopes.push(scope);
            }
        }
        Ok(scopes)
    }

    pub fn list_words(scopes: &[Scope]) -> String {
        scopes.iter().map(|s| s.word()).collect::<Vec<_>>().join(",")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scopes_are_read_as_they_are_written() {
        let scopes = Scope::parse_list(" read, write,read").expect("scopes");
        assert_eq!(Scope::list_words(&scopes), "read,write");
        assert_eq!(Scope::parse_list("read,fly"), Err("fly".into()));
    }

    #[test]
    fn a_role_holds_those_below_it() {
        assert!(Right::Own > Right::Edit && Right::Edit > Right::Read && Right::Read > Right::See);
        assert_eq!(Right::of_role("analyst"), Some(Right::Read));
        assert_eq!(Right::of_role("boss"), None);
    }
}
