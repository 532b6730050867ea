//! The one error of the product: a kind, a fixed word, and a sentence that says what to do.

use std::fmt;

/// What sort of failure it is; edges choose a status from it and from `code`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Invalid,
    Unauthorised,
    Forbidden,
    NotFound,
    Conflict,
    TooMany,
    Unavailable,
    Internal,
}

/// A failure told to whoever asked. `source` is only for the log.
#[derive(Debug)]
pub struct Error {
    pub kind: Kind,
    pub code: &'static str,
    pub field: Option<String>,
    pub message: String,
    pub retry_after_s: Option<u32>,
    pub source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    pub fn new(kind: Kind, code: &'static str, message: impl Into<String>) -> Self {
        Self { kind, code, field: None, message: message.into(), retry_after_s: None, source: None }
    }

    /// A field that cannot be taken as it is; the message names the remedy.
    pub fn invalid(field: &str, message: impl Into<String>) -> Self {
        Self::new(Kind::Invalid, "invalid_field", message).of(field)
    }

    /// A query parameter that is none.
    pub fn parameter(field: &str, message: impl Into<String>) -> Self {
        Self::new(Kind::Invalid, "invalid_parameter", message).of(field)
    }

    pub fn not_found(message: impl Into<String>) -> Self {
        Self::new(Kind::NotFound, "not_found", message)
    }

    pub fn internal(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        let mut e = Self::new(Kind::Internal, "internal", "Something failed on our side. It is in the log under this request id.");
        e.source = Some(source.into());
        e
    }

    pub fn of(mut self, field: &str) -> Self {
        self.field = Some(field.to_owned());
        self
    }

    pub fn after(mut self, seconds: u32) -> Self {
        self.retry_after_s = Some(seconds);
        self
    }

    pub fn caused(mut self, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.field {
            Some(field) => write!(f, "{field}: {}", self.message),
            None => f.write_str(&self.message),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_deref().map(|e| e as _)
    }
}
