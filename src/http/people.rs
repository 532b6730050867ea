//! People who may sign in to a site: invited, given another role, removed.

use serde_json::{Map, Value, json};

use super::account::check_proved;
use super::ask::Ask;
use super::json as reader;
use super::reply::Reply;
use super::route::{Doc, Right};
use super::segments::spelled_out;
use crate::app::App;
use crate::domain::ids::UserId;
use crate::domain::sight::{Segment, Sight};
use crate::domain::time::Zone;
use crate::error::{Error, Result};
use crate::flows::people;
use crate::store::users::{self, Member};

pub const LIST: Doc = Doc::new("People", "Who may sign in to the site, with roles.")
    .answer(r#"{"items":[{"user":"user_2","email":"ben@shop.example","role":"client","is_box_owner":false,"is_invited":true,"second_factor":false,"last_login_at":null,"segment":{"source":["google"]},"hides_money":false,"hides_people":false}]}"#)
    .statuses(&[200]);
pub const INVITE: Doc =
    Doc::new("People", "Invites somebody. The link is shown once and good for seven days; none where the person has an account.")
        .body(r#"{"email":"ben@shop.example","role":"client","segment":{"source":["google"]},"hides_money":true,"hides_people":false}"#)
        .answer(r#"{"user":"user_2","link":"https://t.shop.example/setup/pW6…"}"#)
        .statuses(&[201, 422]);
pub const CHANGE: Doc = Doc::new("People", "Gives a member another role, or a client another part to see.")
    .body(r#"{"role":"analyst"}"#)
    .nothing()
    .statuses(&[204, 404, 422]);
pub const REMOVE: Doc = Doc::new("People", "Takes a member off the site.").body("{}").nothing().statuses(&[204, 404]);
pub const LINK: Doc = Doc::new("People", "A fresh link for somebody who has not taken up the first.")
    .body("{}")
    .answer(r#"{"link":"https://t.shop.example/setup/pW6…"}"#)
    .statuses(&[200, 404, 409]);

/// `GET /api/sites/{site}/people`
pub async fn list(app: App, ask: Ask) -> Result<Reply> {
    let site = ask.site()?;
    let members = app.store.read(site.id, users::list_members).await?;
    Reply::json(&json!({"items": members.iter().map(|m| shown(m, &site.zone)).collect::<Vec<_>>()}))
}

fn shown(m: &Member, zone: &Zone) -> Value {
    json!({
        "user": m.user.id,
        "email": m.user.email,
        "role": m.right.role(),
        "is_box_owner": m.user.is_owner,
        "is_invited": !m.user.has_password,
        "second_factor": m.user.has_totp,
        "last_login_at": m.user.last_login_at.map(|at| zone.text(at)),
        "segment": m.sight.segment,
        "hides_money": m.sight.hides_money,
        "hides_people": m.sight.hides_people,
    })
}

/// `POST /api/sites/{site}/people`
pub async fn invite(app: App, ask: Ask) -> Result<Reply> {
    check_proved(&app, &ask)?;
    let fields = reader::object(&ask.body)?;
    reader::only(&fields, &["email", "role", "segment", "hides_money", "hides_people"])?;
    let fields = spelled_out(&app, ask.site()?, fields).await?;
    let email = reader::required(&fields, "email", 254)?;
    let (user, link) = people::invite(&app, ask.site()?.id, email, role(&fields)?, sight(&fields)?, &ask.who()).await?;
    Reply::json_with(201, &json!({"user": user, "link": link}))
}

/// `POST /api/sites/{site}/people/{user}`
pub async fn change(app: App, ask: Ask) -> Result<Reply> {
    check_proved(&app, &ask)?;
    let fields = reader::object(&ask.body)?;
    reader::only(&fields, &["role", "segment", "hides_money", "hides_people"])?;
    let fields = spelled_out(&app, ask.site()?, fields).await?;
    people::change(&app, ask.site()?.id, named(&ask)?, role(&fields)?, sight(&fields)?, &ask.who()).await?;
    Ok(Reply::empty(204))
}

/// `POST /api/sites/{site}/people/{user}/remove`
pub async fn remove(app: App, ask: Ask) -> Result<Reply> {
    check_proved(&app, &ask)?;
    people::remove(&app, ask.site()?.id, named(&ask)?, &ask.who()).await?;
    Ok(Reply::empty(204))
}

/// `POST /api/sites/{site}/people/{user}/link`
pub async fn link(app: App, ask: Ask) -> Result<Reply> {
    check_proved(&app, &ask)?;
    let link = people::invite_again(&app, ask.site()?.id, named(&ask)?, &ask.who()).await?;
    Reply::json(&json!({ "link": link }))
}

fn named(ask: &Ask) -> Result<UserId> {
    ask.param("user").parse().map_err(|()| Error::not_found("There is no such person on this site."))
}

fn role(fields: &Map<String, Value>) -> Result<Right> {
    let word = reader::required(fields, "role", 20)?;
    Right::of_role(word).ok_or_else(|| Error::invalid("role", "The role is owner, editor, analyst or client."))
}

/// Which part somebody is shown: `segment`, `hides_money`, `hides_people`.
pub fn sight(fields: &Map<String, Value>) -> Result<Sight> {
    let switch = |name: &str| match fields.get(name) {
        None | Some(Value::Null) => Ok(false),
        Some(Value::Bool(is)) => Ok(*is),
        Some(_) => Err(Error::invalid(name, format!("{name} is true or false."))),
    };
    Ok(Sight { segment: Segment::read(fields.get("segment"))?, hides_money: switch("hides_money")?, hides_people: switch("hides_people")? })
}
