//! What chats had to do with what was sold: revenue that a conversation helped with, and whether those who chat buy more
//! often, with a warning where there are too few to say.

use serde_json::{Value, json};

use super::super::ask::Ask;
use super::super::reply::Reply;
use super::super::route::Doc;
use super::super::shown;
use super::query::CHAT as CHAT_QUERY;
use super::{moneys, patient, read};
use crate::app::App;
use crate::domain::attribution::chat::{Band, Method};
use crate::domain::conversion::ConversionKind;
use crate::domain::question::rate::{FEW, range, rate};
use crate::domain::question::{ConversionFilter, Days, Period};
use crate::error::Result;
use crate::store::conversations;
use crate::store::questions::chats::{self, Helped};
use crate::store::questions::overview;
use crate::store::scope::SiteConn;
use crate::store::sites::Site;

pub const CHAT: Doc = Doc::new(
    "Reports",
    "What chats helped to sell: assisted orders and money by tier and by how sure it is, and how often those who chat buy. A chat takes no credit from what brought the customer.",
)
.query(CHAT_QUERY)
.answer(r#"{"conversations":31,"assisted":{"orders":9,"net":[{"minor":81200,"currency":"EUR"}],"by_band":[]},"rates":{"is_few":false,"sentence":"…"}}"#)
.statuses(&[200, 400]);

/// `GET /api/sites/{site}/reports/chat`
pub async fn chat(app: App, ask: Ask) -> Result<Reply> {
    let site = ask.site()?.clone();
    let wanted = read(&app, &ask, &site)?;
    let of = site.clone();
    let shown = patient(&app, &site, move |c| shown_chat(c, &of, wanted.days, &wanted.filter)).await?;
    ask.shown(shown)
}

/// Nothing where nobody has ever chatted.
pub fn shown_part(c: &SiteConn, site: &Site, days: Days, filter: &ConversionFilter) -> Result<Value> {
    if conversations::is_empty(c)? { Ok(Value::Null) } else { shown_chat(c, site, days, filter) }
}

fn shown_chat(c: &SiteConn, site: &Site, days: Days, filter: &ConversionFilter) -> Result<Value> {
    let talked = chats::talked(c, &site.zone, days, filter)?;
    let assisted = chats::assisted(c, &site.zone, days, filter)?;
    let all = overview::headline(&overview::by_day(c, &site.zone, Period::whole(days), filter)?);
    let orders = all.of_kind(ConversionKind::Sale.word());
    let helped = |h: &Helped| json!({"orders": h.orders, "net": shown::moneys(&moneys(&h.money, |m| m.net_minor()))});
    let with = |name: &str, word: &str, h: Option<&Helped>| {
        let mut shown = helped(h.unwrap_or(&Helped::default()));
        shown[name] = word.into();
        shown
    };
    let by_method: Vec<Value> =
        Method::ALL.iter().filter(|m| **m != Method::NoMatch).map(|m| with("method", m.word(), assisted.by_method.get(m))).collect();
    let by_band: Vec<Value> = Band::ALL.iter().map(|b| with("band", b.word(), assisted.by_band.get(b))).collect();
    let mut shown = helped(&assisted.all);
    shown["by_method"] = by_method.into();
    shown["by_band"] = by_band.into();
    Ok(json!({
        "from": days.from.to_string(),
        "to": days.to.to_string(),
        "conversations": talked.conversations,
        "product_inquiries": talked.product_inquiries,
        "price_checks": talked.price_checks,
        "answered": talked.answered,
        "median_wait_s": talked.median_wait_ms.map(|ms| ms / 1_000),
        "orders": orders,
        "earns": site.settings.policy.chat_credit,
        "net": shown::moneys(&moneys(&all.money, |m| m.net_minor())),
        "assisted": shown,
        "rates": rates((assisted.all.orders, talked.conversations), (orders, all.visits)),
    }))
}

/// Orders of those who chat out of their conversations, against all other orders out of all other visits.
fn rates(chat: (i64, i64), all: (i64, i64)) -> Value {
    let others = ((all.0 - chat.0).max(0), (all.1 - chat.1).max(0));
    let is_few = chat.1 < FEW || others.1 < FEW;
    let shown = |(cases, whole): (i64, i64)| json!({"orders": cases, "of": whole, "rate": rate(cases, whole), "range": range(cases, whole).map(|(low, high)| [low, high])});
    json!({"chat": shown(chat), "others": shown(others), "is_few": is_few, "sentence": sentence(chat, others)})
}

fn sentence(chat: (i64, i64), others: (i64, i64)) -> String {
    if chat.1 < FEW {
        return format!("Too few conversations to compare: {} of at least {FEW}.", chat.1);
    }
    if others.1 < FEW {
        return format!("Too few visits without a chat to compare: {} of at least {FEW}.", others.1);
    }
    let (with, without) = (chat.0 * others.1, others.0 * chat.1);
    let what = match with.cmp(&without) {
        std::cmp::Ordering::Greater if others.0 == 0 => {
            return "Only those who chat have bought. They are often close to buying already: not all of it is the chat's doing.".into();
        }
        std::cmp::Ordering::Greater => format!("Those who chat buy {} times as often.", times(with, without)),
        std::cmp::Ordering::Equal => "Those who chat buy as often as all others.".into(),
        std::cmp::Ordering::Less if chat.0 == 0 => "Nobody who chatted has bought.".into(),
        std::cmp::Ordering::Less => format!("All others buy {} times as often as those who chat.", times(without, with)),
    };
    format!("{what} They are often close to buying already: not all of a difference is the chat's doing.")
}

/// `3.4`, to the nearest tenth.
fn times(many: i64, few: i64) -> String {
    let tenths = (many * 20 + few) / (few * 2);
    format!("{}.{}", tenths / 10, tenths % 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_comparison_warns_where_it_is_too_small() {
        let rows: &[((i64, i64), (i64, i64), &str)] = &[
            ((3, 29), (10, 1_000), "Too few conversations"),
            ((3, 40), (3, 29), "Too few visits"),
            ((10, 40), (20, 800), "buy 10.0 times as often"),
            ((1, 40), (20, 800), "buy as often as all others"),
            ((0, 40), (20, 800), "Nobody who chatted"),
            ((4, 40), (0, 800), "Only those who chat"),
            ((1, 80), (20, 800), "All others buy 2.0 times"),
        ];
        for (chat, others, want) in rows {
            let got = sentence(*chat, *others);
            assert!(got.contains(want), "{got}");
        }
    }
}
