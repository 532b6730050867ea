//! Requests and answers as plain values, without a library's types. Platform files make and read these; only
//! `outbound` sends them, and only there does a named secret become its value.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A piece of a header, path, query value or body: plain, or the name of a secret of the connection.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    Plain(String),
    Secret(String),
    /// Plain text that is a secret of its own, such as the path of an address that proves who calls: sent, never shown.
    Hidden(String),
    /// That one secret is used by who holds another: hex HMAC-SHA256 of the secret `of` under the secret `key`.
    Proof {
        of: String,
        key: String,
    },
}

impl Part {
    pub fn plain(text: impl Into<String>) -> Self {
        Part::Plain(text.into())
    }

    pub fn secret(name: impl Into<String>) -> Self {
        Part::Secret(name.into())
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Body {
    Empty,
    Json(Value),
    /// JSON in which the value at each JSON pointer is replaced by the named secret.
    JsonWithSecrets(Value, Vec<(String, String)>),
    Form(Vec<(String, Part)>),
    Text(String),
}

/// How the request proves who we are, beyond parts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sign {
    /// Standard Webhooks: `webhook-signature: v1,base64(HMAC-SHA256(key, id.timestamp.body))`; the named secret is `whsec_…`.
    StandardWebhooks { secret: String, id: String, timestamp_s: i64 },
    /// `Authorization: Bearer …`: the token is a named secret.
    Bearer { token: String },
    /// A service account's own signed word for a token (RFC 7523): the named secret is its key file. The form gets the
    /// field `assertion`, good for an hour.
    Assertion { key: String, scope: String, issued_s: i64 },
    /// HTTP Basic: user and password are named secrets.
    Basic { user: String, password: String },
    /// OAuth 1.0a of one leg with HMAC-SHA256 (RFC 5849), in the query: for shops on plain http, which refuse Basic. Both
    /// are named secrets; the nonce is made when it is sent.
    OAuth1 { key: String, secret: String, timestamp_s: i64 },
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Request {
    pub method: String,
    /// Scheme, host and port, e.g. `https://graph.facebook.com`. A platform's own host may be redirected by `base_url.PLATFORM`.
    pub origin: String,
    /// Which `base_url.…` applies (`meta`, `google_oauth`); none for an address that the owner typed in.
    pub host_key: Option<String>,
    pub path: Vec<Part>,
    pub query: Vec<(String, Part)>,
    pub headers: Vec<(String, Part)>,
    pub body: Body,
    pub sign: Option<Sign>,
    /// Most of the answer that is read, in bytes. Lists of a shop need more than the usual.
    #[serde(default = "usual_answer", skip_serializing_if = "is_usual")]
    pub most: usize,
}

/// Answers are short, but for lists.
const USUAL_ANSWER: usize = 64 * 1024;

fn usual_answer() -> usize {
    USUAL_ANSWER
}

fn is_usual(most: &usize) -> bool {
    *most == USUAL_ANSWER
}

impl Request {
    pub fn new(method: &str, origin: impl Into<String>, path: impl Into<String>) -> Self {
        Self {
            method: method.into(),
            origin: origin.into(),
            host_key: None,
            path: vec![Part::Plain(path.into())],
            query: Vec::new(),
            headers: Vec::new(),
            body: Body::Empty,
            sign: None,
            most: USUAL_ANSWER,
        }
    }

    /// Reads an answer of up to so many bytes, at most 8 MiB.
    pub fn up_to(mut self, bytes: usize) -> Self {
        self.most = bytes;
        self
    }

    /// A list was asked for: its answer is long and takes longer.
    pub fn is_list(&self) -> bool {
        self.most > USUAL_ANSWER
    }

    pub fn host(mut self, key: &str) -> Self {
        self.host_key = Some(key.into());
        self
    }

    pub fn query(mut self, name: &str, value: Part) -> Self {
        self.query.push((name.into(), value));
        self
    }

    pub fn header(mut self, name: &str, value: Part) -> Self {
        self.headers.push((name.into(), value));
        self
    }

    pub fn json(mut self, value: Value) -> Self {
        self.body = Body::Json(value);
        self
    }

    pub fn bearer(self, token: &str) -> Self {
        self.signed(Sign::Bearer { token: token.into() })
    }

    pub fn signed(mut self, sign: Sign) -> Self {
        self.sign = Some(sign);
        self
    }
}

/// What came back. The body is cut at the request's own cap (`Request::most`).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Response {
    pub status: u16,
    pub headers: Headers,
    pub body: Vec<u8>,
}

impl Response {
    pub fn json(&self) -> Option<Value> {
        serde_json::from_slice(&self.body).ok()
    }

    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }
}

/// Header names in lower case; a name may occur more than once.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Headers(pub Vec<(String, String)>);

impl Headers {
    /// The first value under a name, given in lower case.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str())
    }

    /// The value under a name that occurs once; a repeated signature could be read by us and another in two ways.
    pub fn only(&self, name: &str) -> Option<&str> {
        let mut all = self.0.iter().filter(|(n, _)| n == name);
        all.next().filter(|_| all.next().is_none()).map(|(_, v)| v.as_str())
    }

    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(n, _)| n == name).map(|(_, v)| v.as_str())
    }
}

/// A request that reached us, as a source sees it.
#[derive(Debug, Clone, Copy)]
pub struct Incoming<'a> {
    /// Scheme and host under which we are reached, as configured: some platforms sign the whole address.
    pub origin: &'a str,
    pub method: &'a str,
    pub path: &'a str,
    pub query: &'a str,
    pub headers: &'a Headers,
    pub body: &'a [u8],
}
