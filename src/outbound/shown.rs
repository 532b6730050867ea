//! What may be shown of a request and an answer: secrets as dots, people masked.

use serde_json::{Map, Value, json};

use crate::domain::person;
use crate::domain::platform::Secrets;
use crate::wire::{Body, Part, Request, Response, Sign};

const DOTS: &str = "••••";
/// How much of an answer is kept for the owner, in bytes.
const KEPT: usize = 512;
/// Shorter texts are no secrets worth the name, and would black out innocent digits.
const SHORTEST_SECRET: usize = 8;

/// A request as the delivery list keeps and shows it: `{"method","url","headers","body","hashed"}`. Keys of `hashed`
/// that begin with a slash are JSON pointers into the body: what stands there is shown as that text.
pub fn redacted(request: &Request, hashed: &Value) -> Value {
    let mut url = request.origin.clone();
    if request.path.iter().any(|p| matches!(p, Part::Hidden(_))) {
        url.push('/');
    }
    url.extend(request.path.iter().map(part));
    for (i, (name, value)) in request.query.iter().enumerate() {
        let sign = if i == 0 && !url.contains('?') { '?' } else { '&' };
        url.push_str(&format!("{sign}{name}={}", part(value)));
    }
    let mut headers: Map<String, Value> = request.headers.iter().map(|(name, value)| (name.to_lowercase(), json!(part(value)))).collect();
    if let Some(Sign::StandardWebhooks { id, timestamp_s, .. }) = &request.sign {
        headers.insert("webhook-id".into(), json!(id));
        headers.insert("webhook-timestamp".into(), json!(timestamp_s.to_string()));
        headers.insert("webhook-signature".into(), json!(format!("v1,{DOTS}")));
    }
    if let Some(Sign::Bearer { .. }) = &request.sign {
        headers.insert("authorization".into(), json!(format!("Bearer {DOTS}")));
    }
    let mut body = body(&request.body);
    let mut notes = Map::new();
    for (key, text) in hashed.as_object().into_iter().flatten() {
        match body.pointer_mut(key).filter(|_| key.starts_with('/')) {
            Some(place) => *place = text.clone(),
            None => {
                notes.insert(key.clone(), text.clone());
            }
        }
    }
    json!({ "method": request.method, "url": url, "headers": headers, "body": body, "hashed": notes })
}

/// The beginning of an answer's body: at most 512 bytes, without secrets and e-mail addresses.
pub fn excerpt(response: &Response, secrets: &Secrets) -> String {
    let text = String::from_utf8_lossy(&response.body);
    let text: String = text.chars().filter(|c| !c.is_control() || *c == '\n').collect();
    let masked = without_emails(&without_secrets(&text, secrets));
    match masked.char_indices().find(|(at, c)| at + c.len_utf8() > KEPT) {
        Some((at, _)) => masked[..at].to_owned(),
        None => masked,
    }
}

/// Takes the values of secrets out of a text, also as they are written in an address or in JSON.
pub fn without_secrets(text: &str, secrets: &Secrets) -> String {
    let mut text = text.to_owned();
    for secret in secrets.all.values().flatten() {
        let plain = secret.reveal();
        let in_url: String = url::form_urlencoded::byte_serialize(plain.as_bytes()).collect();
        let in_json = json!(plain).to_string();
        let bare = plain.strip_prefix("whsec_").unwrap_or(plain);
        for form in [plain, &in_url, in_json.trim_matches('"'), bare] {
            if form.len() >= SHORTEST_SECRET && text.contains(form) {
                text = text.replace(form, DOTS);
            }
        }
    }
    text
}

/// Masks whatever looks like an e-mail address, plain or with an encoded at sign.
fn without_emails(text: &str) -> String {
    let is_local = |c: char| c.is_alphanumeric() || "._%+-'".contains(c);
    let is_domain = |c: char| c.is_alphanumeric() || c == '.' || c == '-';
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('@') {
        let (before, after) = (&rest[..at], &rest[at + 1..]);
        let start = before.char_indices().rev().take_while(|(_, c)| is_local(*c)).last().map_or(at, |(i, _)| i);
        let end = after.find(|c| !is_domain(c)).unwrap_or(after.len());
        let domain = after[..end].trim_end_matches(['.', '-']);
        if start < at && domain.contains('.') {
            out.push_str(&before[..start]);
            out.push_str(&person::mask_email(&format!("{}@{domain}", &before[start..])));
            rest = &after[domain.len()..];
        } else {
            out.push_str(&rest[..=at]);
            rest = after;
        }
    }
    out.push_str(rest);
    out
}

fn part(part: &Part) -> &str {
    match part {
        Part::Plain(text) => text,
        Part::Secret(_) | Part::Hidden(_) | Part::Proof { .. } => DOTS,
    }
}

fn body(body: &Body) -> Value {
    match body {
        Body::Empty => Value::Null,
        Body::Json(value) => value.clone(),
        Body::JsonWithSecrets(value, pointers) => {
            let mut value = value.clone();
            for (pointer, _) in pointers {
                if let Some(place) = value.pointer_mut(pointer) {
                    *place = json!(DOTS);
                }
            }
            value
        }
        Body::Form(fields) => Value::Object(fields.iter().map(|(name, value)| (name.clone(), json!(part(value)))).collect()),
        Body::Text(text) => json!(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::Secret;
    use crate::wire::Headers;

    fn secrets() -> Secrets {
        let mut secrets = Secrets::default();
        secrets.set("access_token", Secret::new("EAAtoken/with+signs=="));
        secrets.set("secret", Secret::new("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"));
        secrets.set("pin", Secret::new("1234"));
        secrets
    }

    #[test]
    fn requests_are_shown_without_secrets() {
        let request = Request::new("POST", "https://api.example", "/v1/")
            .query("id", Part::plain("12"))
            .query("access_token", Part::secret("access_token"))
            .header("Authorization", Part::secret("access_token"))
            .signed(Sign::StandardWebhooks { secret: "secret".into(), id: "msg_1".into(), timestamp_s: 5 });
        let mut request = request;
        request.path.push(Part::secret("secret"));
        request.body = Body::JsonWithSecrets(json!({ "auth": { "key": null }, "n": 1 }), vec![("/auth/key".into(), "secret".into())]);
        let shown = redacted(&request, &json!({ "em": "SHA-256 of ni••••@••••.ie", "/n": "hidden" }));
        assert_eq!(shown["url"], "https://api.example/v1/••••?id=12&access_token=••••");
        assert_eq!(shown["headers"]["authorization"], "••••");
        assert_eq!(shown["headers"]["webhook-signature"], "v1,••••");
        assert_eq!(shown["body"], json!({ "auth": { "key": "••••" }, "n": "hidden" }));
        assert_eq!(shown["hashed"], json!({ "em": "SHA-256 of ni••••@••••.ie" }));
    }

    #[test]
    fn answers_are_shown_short_and_without_people() {
        let rows = [
            ("Malformed access token EAAtoken/with+signs==.", "Malformed access token ••••."),
            ("see ?access_token=EAAtoken%2Fwith%2Bsigns%3D%3D&x=1", "see ?access_token=••••&x=1"),
            ("key MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "key ••••"),
            ("pin 1234", "pin 1234"),
            ("Contact niamh.byrne@shop.example.ie. exists", "Contact ni••••@••••.ie. exists"),
            (r#"{"email":"o'neil@x.ie"}"#, r#"{"email":"o'••••@••••.ie"}"#),
            ("a @ b, @here, x@y", "a @ b, @here, x@y"),
            ("line\u{0}\u{7} one", "line one"),
        ];
        for (body, want) in rows {
            let response = Response { status: 400, headers: Headers::default(), body: body.as_bytes().to_vec() };
            assert_eq!(excerpt(&response, &secrets()), want, "{body}");
        }
        let long = Response { status: 200, headers: Headers::default(), body: "é".repeat(600).into_bytes() };
        assert_eq!(excerpt(&long, &secrets()).len(), 512);
    }
}
