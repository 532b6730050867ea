//! The token of an app that was made in the Dev Dashboard: bought with its client id and secret, good for a day.
//! <https://shopify.dev/docs/apps/build/authentication-authorization/access-tokens/client-credentials-grant>

use serde_json::Value;

use super::graphql::{quoted, shop_of};
use crate::crypto::Secret;
use crate::domain::platform::Settings;
use crate::domain::steps::{Fresh, Token, Verdict, retry_after_ms};
use crate::domain::time::{HOUR_MS, SECOND_MS};
use crate::wire::{Body, Part, Request, Response};

/// Where the answer does not say how long: less than any is known to live.
const USUAL_LIFE_MS: i64 = HOUR_MS;

/// None where the owner gave a token that does not end.
pub fn token(settings: &Settings) -> Option<Token> {
    let client_id = settings.get("client_id")?;
    let mut request = Request::new("POST", format!("https://{}", shop_of(settings)?), "/admin/oauth/access_token");
    request.body = Body::Form(vec![
        ("grant_type".into(), Part::plain("client_credentials")),
        ("client_id".into(), Part::plain(client_id)),
        ("client_secret".into(), Part::secret("client_secret")),
    ]);
    Some(Token { name: "access_token", request: request.host("shopify"), read })
}

fn read(response: &Response) -> Result<Fresh, Verdict> {
    let body = response.json().unwrap_or(Value::Null);
    if response.is_success()
        && let Some(value) = body.get("access_token").and_then(Value::as_str).filter(|t| !t.is_empty())
    {
        let lives_ms =
            body.get("expires_in").and_then(Value::as_i64).filter(|s| *s > 0).map_or(USUAL_LIFE_MS, |s| s.saturating_mul(SECOND_MS));
        return Ok(Fresh { value: Secret::new(value), lives_ms });
    }
    Err(refusal(response, &body))
}

/// Some refusals are JSON, some a page that holds the word.
fn refusal(response: &Response, body: &Value) -> Verdict {
    let page = String::from_utf8_lossy(&response.body);
    let has = |word: &str| page.contains(word);
    match response.status {
        408 | 425 | 429 | 430 | 500..=599 => Verdict::Retry {
            after_ms: retry_after_ms(response),
            sentence: format!("Shopify gave no token ({}). It is asked again.", response.status),
        },
        404 => Verdict::Pause("There is no Shopify shop at this address. Enter the one that ends in .myshopify.com.".into()),
        _ if has("shop_not_permitted") => Verdict::Pause(
            "Shopify gives this app no token for this shop: app and shop must belong to the same organisation. Make the app in the organisation of the shop, or enter an access token.".into(),
        ),
        _ if has("app_not_installed") || has("not installed") => {
            Verdict::Pause("The app is not installed on this shop. Install it from the Dev Dashboard, then resume the connection.".into())
        }
        _ if has("invalid_client") || has("application_cannot_be_found") || response.status == 401 => Verdict::Pause(
            "Shopify refuses client id and secret. Copy both anew from the Dev Dashboard: your app → Settings.".into(),
        ),
        status => {
            let said = body.get("error_description").or_else(|| body.get("error")).map(|e| quoted(Some(e)));
            let said = said.map(|s| format!(": {s}")).unwrap_or_default();
            Verdict::Pause(format!("Shopify gave no token ({status}){said}. Check the shop's address, client id and secret."))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::Headers;

    fn judged(status: u16, body: &str) -> Result<i64, Verdict> {
        read(&Response { status, headers: Headers::default(), body: body.as_bytes().to_vec() }).map(|fresh| fresh.lives_ms)
    }

    #[test]
    fn a_token_is_read_with_its_life() {
        assert_eq!(judged(200, r#"{"access_token":"shpat_1","scope":"read_orders","expires_in":86399}"#), Ok(86_399_000));
        assert_eq!(judged(200, r#"{"access_token":"shpat_1"}"#), Ok(USUAL_LIFE_MS));
    }

    #[test]
    fn each_refusal_has_its_remedy() {
        for (status, body, want) in [
            (400, r#"{"error":"invalid_client"}"#, "refuses client id and secret"),
            (400, "<html><title>Oauth error application_cannot_be_found</title></html>", "refuses client id and secret"),
            (400, "<html>Oauth error shop_not_permitted: Client credentials cannot be performed on this shop.</html>", "same organisation"),
            (400, r#"{"error":"app_not_installed"}"#, "not installed"),
            (404, "", "no Shopify shop"),
            (422, r#"{"error":"invalid_request","error_description":"Missing grant."}"#, "(422): Missing grant."),
            (200, "<html></html>", "no token (200)"),
        ] {
            match judged(status, body) {
                Err(Verdict::Pause(sentence)) => assert!(sentence.contains(want), "{body}: {sentence}"),
                other => panic!("{body}: {other:?}"),
            }
        }
        for status in [429, 503] {
            assert!(matches!(judged(status, ""), Err(Verdict::Retry { .. })), "{status}");
        }
    }

    #[test]
    fn only_an_app_with_an_id_needs_one() {
        let with = |pairs: &[(&str, &str)]| Settings(pairs.iter().map(|(k, v)| (k.to_string(), v.to_string())).collect());
        assert!(token(&with(&[("shop", "cups.myshopify.com")])).is_none());
        let token = token(&with(&[("shop", "cups.myshopify.com"), ("client_id", "abc")])).expect("a token");
        assert_eq!((token.request.origin.as_str(), token.name), ("https://cups.myshopify.com", "access_token"));
    }
}
