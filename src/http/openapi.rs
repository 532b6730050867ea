//! `/openapi.json` (OpenAPI 3.1), made from the table of routes: what is served is described, and nothing else.

use std::sync::OnceLock;

use bytes::Bytes;
use serde_json::{Map, Value, json};

use super::ask::Ask;
use super::reply::Reply;
use super::route::{Doc, Right, Route, Shape, Who};
use super::table::ROUTES;
use crate::app::App;
use crate::error::Result;

pub const DESCRIBED: Doc = Doc::new("Pages", "This description.").answer(r#"{"openapi":"3.1.0","info":{},"paths":{}}"#);

pub async fn described(_: App, _: Ask) -> Result<Reply> {
    static TEXT: OnceLock<Bytes> = OnceLock::new();
    let text = TEXT.get_or_init(|| Bytes::from(description().to_string()));
    Ok(Reply::text("application/json", text.clone()))
}

/// The whole description.
pub fn description() -> Value {
    let mut paths = Map::new();
    for route in ROUTES {
        let place = paths.entry(route.path.replace("{*", "{")).or_insert_with(|| json!({}));
        place[route.method.to_lowercase()] = operation(route);
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "HaloTrack",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "Touches and facts come in, credit is worked out, conversions go out. Times are RFC 3339, days YYYY-MM-DD in the \
                            site's zone, money {minor, currency} unless a route says otherwise. Lists take cursor and limit (at most 500) \
                            and answer {items, next}. SITE is `site_1`, `1` or the slug.",
        },
        "paths": paths,
        "components": {
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer", "description": "`halotrack token create --site SITE --name N --scope read,write`"},
                "login": {"type": "apiKey", "in": "cookie", "name": "__Host-halo_login", "description": "A signed-in user of the dashboard."},
            },
            "schemas": schemas(),
        },
    })
}

fn operation(route: &Route) -> Value {
    let doc = &route.doc;
    let mut parameters: Vec<Value> = names_in(route.path)
        .map(|name| json!({"name": name, "in": "path", "required": true, "schema": {"type": "string"}, "description": said_of(name)}))
        .collect();
    parameters.extend(
        doc.query
            .iter()
            .map(|(name, what)| json!({"name": name, "in": "query", "required": false, "schema": {"type": "string"}, "description": what})),
    );
    let mut operation = json!({
        "operationId": operation_id(route),
        "tags": [doc.tag],
        "summary": doc.summary,
        "description": who_may(route.who),
        "parameters": parameters,
        "responses": responses(route),
        "security": security(route.who),
    });
    if let Some(body) = doc.body {
        operation["requestBody"] = json!({
            "required": true,
            "description": format!("At most {} KiB, not compressed.", route.most / 1024),
            "content": {"application/json": {"example": example(body)}},
        });
    }
    operation
}

fn responses(route: &Route) -> Value {
    let doc = &route.doc;
    let mut all = Map::new();
    for status in doc.statuses {
        let answer = match status {
            204 | 304 => json!({"description": said_of_status(*status)}),
            302 => json!({"description": said_of_status(302), "headers": {"location": {"schema": {"type": "string"}}}}),
            200..=299 if doc.answer.is_empty() => json!({"description": said_of_status(*status)}),
            200..=299 => {
                let example = if doc.answers_with == "application/json" { example(doc.answer) } else { Value::from(doc.answer) };
                json!({"description": said_of_status(*status), "content": {doc.answers_with: {"example": example}}})
            }
            _ => error(route.shape, *status),
        };
        all.insert(status.to_string(), answer);
    }
    // What every route may answer beside its own.
    for status in common(route) {
        all.entry(status.to_string()).or_insert_with(|| error(route.shape, status));
    }
    Value::Object(all)
}

fn common(route: &Route) -> Vec<u16> {
    let mut statuses = vec![400, 404, 415, 500, 503];
    if route.doc.body.is_some() {
        statuses.extend([408, 413, 422]);
    }
    match route.who {
        Who::Token(_) | Who::Site(..) | Who::Named(..) => statuses.extend([401, 403, 429]),
        Who::Login | Who::BoxOwner | Who::Member(_) => statuses.extend([401, 403]),
        Who::Share(_) => statuses.extend([401, 403, 404, 429]),
        Who::Machine | Who::Sender | Who::Hook => statuses.push(401),
        Who::Visitor | Who::Page => statuses.extend([403, 429]),
        Who::Anyone => {}
    }
    statuses
}

fn error(shape: Shape, status: u16) -> Value {
    let schema = match shape {
        Shape::Own => "Error",
        Shape::Halo => "HaloError",
        Shape::Shop => "ShopError",
        Shape::AnyTrack => "AnyTrackError",
        Shape::Funnel => "FunnelError",
    };
    json!({
        "description": said_of_status(status),
        "content": {"application/json": {"schema": {"$ref": format!("#/components/schemas/{schema}")}}},
    })
}

fn schemas() -> Value {
    let text = |what: &str| json!({"type": "string", "description": what});
    let own = json!({
        "code": text("A fixed word."), "message": text("What happened and what to do."), "field": text("The field that is meant."),
        "request_id": text("Also in the header x-request-id."),
    });
    json!({
        "Error": {"type": "object", "required": ["error"], "properties": {"error": {"type": "object", "required": ["code", "message", "request_id"], "properties": own}}},
        "HaloError": {"type": "object", "required": ["success", "error", "code", "request_id"], "properties": {
            "success": {"const": false}, "error": text("What happened and what to do."), "code": text("A fixed word."),
            "field": text("The field that is meant."), "request_id": text("Also in the header x-request-id.")}},
        "ShopError": {"type": "object", "required": ["success", "error", "details"], "properties": {
            "success": {"const": false}, "error": text("What happened and what to do."), "details": {"type": "object"}}},
        "AnyTrackError": {"type": "object", "required": ["success", "error"], "properties": {
            "success": {"const": false}, "error": {"type": "object", "properties": {"code": text("A fixed word."), "message": text("What happened.")}}}},
        "FunnelError": {"type": "object", "required": ["detail"], "properties": {"detail": text("What happened and what to do.")}},
        "Money": {"type": "object", "required": ["minor", "currency"], "properties": {
            "minor": {"type": "integer", "description": "In the currency's own smallest unit."}, "currency": text("ISO 4217.")}},
    })
}

fn security(who: Who) -> Value {
    match who {
        Who::Anyone | Who::Page | Who::Visitor | Who::Hook | Who::Share(_) => json!([]),
        Who::Sender => json!([{}, {"token": []}]),
        Who::Login | Who::BoxOwner | Who::Member(_) => json!([{"login": []}]),
        Who::Site(_, scope) | Who::Named(_, scope) => json!([{"login": []}, {"token": [scope.word()]}]),
        Who::Token(scope) => json!([{"token": [scope.word()]}]),
        Who::Machine => json!([{}, {"token": []}]),
    }
}

fn who_may(who: Who) -> String {
    let role = |right: Right| match right {
        Right::See => "any member of the site",
        Right::Read => "an analyst, editor or owner of the site",
        Right::Edit => "an editor or owner of the site",
        Right::Own => "an owner of the site",
    };
    match who {
        Who::Anyone => "For anyone.".into(),
        Who::Page => "For the dashboard's own pages.".into(),
        Who::Visitor => "For pages of a site: its public key, or an origin under one of its domains.".into(),
        Who::Hook => "For whoever holds the hook address; the body's signature is checked as the platform signs it.".into(),
        Who::Sender => "For a sender that proves itself: a token, a signature or a shared secret.".into(),
        Who::Login => "For any signed-in user.".into(),
        Who::Member(right) => format!("For {}, signed in; never for a token.", role(right)),
        Who::Share(_) => "For whoever has the share link; after its password, where it has one.".into(),
        Who::BoxOwner => "For an owner of the installation.".into(),
        Who::Site(right, scope) => format!("For {}, or a token with the scope {}.", role(right), scope.word()),
        Who::Named(right, scope) => {
            format!(
                "For {} of the site that `domain` names, or a token with the scope {}, which names it itself.",
                role(right),
                scope.word()
            )
        }
        Who::Token(scope) => format!("For a token with the scope {}; it names the site.", scope.word()),
        Who::Machine => "For any token, or a program on this machine without a proxy in between.".into(),
    }
}

/// Names of `{…}` in a path.
fn names_in(path: &'static str) -> impl Iterator<Item = &'static str> {
    path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}')).map(|name| name.trim_start_matches('*'))
}

fn said_of(name: &str) -> &'static str {
    match name {
        "site" => "`site_1`, `1` or the slug.",
        "token" => "The secret part of the address.",
        "hash" => "The hash of all files, as the page names it.",
        "platform" => "The platform's slug.",
        "path" | "rest" => "The rest of the path.",
        _ => "As lists show it.",
    }
}

fn said_of_status(status: u16) -> &'static str {
    match status {
        200 => "Done.",
        201 => "Made.",
        202 => "Taken; it goes on.",
        204 => "Done; there is nothing to say.",
        302 => "Elsewhere.",
        304 => "Unchanged.",
        400 => "Not readable as it is: bad_json, invalid_parameter, bad_request.",
        401 => "Nobody is signed in, or the token or signature is none.",
        403 => "Not with this role, scope or origin.",
        404 => "There is none, or none for this caller.",
        408 => "The body did not come in time.",
        409 => "It stands against something that is there already.",
        413 => "The body is too large; the limit is named.",
        415 => "Compressed, or of a type that is not taken here.",
        422 => "A field cannot be taken as it is; it is named.",
        429 => "Too many; Retry-After says when to come back.",
        503 => "Not just now; Retry-After says when to come back. Nothing was stored.",
        _ => "Something failed on our side; the request id finds it in the log.",
    }
}

fn operation_id(route: &Route) -> String {
    let path: String = route.path.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
    format!("{}{path}", route.method.to_lowercase())
}

/// Examples are JSON by their test; text stays text.
fn example(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|_| Value::from(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_route_is_described_and_nothing_else_is() {
        let description = description();
        let paths = description["paths"].as_object().expect("paths");
        let described: usize = paths.values().map(|place| place.as_object().map_or(0, Map::len)).sum();
        assert_eq!(described, ROUTES.len(), "two rows of one method and path, or a row without a description");
        for route in ROUTES {
            let operation = &paths[&route.path.replace("{*", "{")][route.method.to_lowercase()];
            let name = format!("{} {}", route.method, route.path);
            assert!(!route.doc.summary.is_empty() && route.doc.summary.ends_with('.'), "{name}: a summary is a sentence");
            assert!(!route.doc.statuses.is_empty(), "{name}: no status");
            for param in names_in(route.path) {
                let has = operation["parameters"].as_array().expect("a list").iter().any(|p| p["name"] == param && p["in"] == "path");
                assert!(has, "{name}: {param}");
            }
        }
    }

    #[test]
    fn examples_are_json_where_json_is_spoken() {
        for route in ROUTES {
            let name = format!("{} {}", route.method, route.path);
            if let Some(body) = route.doc.body {
                assert!(serde_json::from_str::<Value>(body).is_ok(), "{name}: its body {body}");
            }
            if route.doc.answers_with == "application/json" && !route.doc.answer.is_empty() {
                assert!(serde_json::from_str::<Value>(route.doc.answer).is_ok(), "{name}: its answer {}", route.doc.answer);
            }
        }
    }

    #[test]
    fn operation_ids_are_unique() {
        let mut ids: Vec<String> = ROUTES.iter().map(operation_id).collect();
        ids.sort();
        let count = ids.len();
        ids.dedup();
        assert_eq!(ids.len(), count);
    }
}
