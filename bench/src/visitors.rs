//! Visitors of many shops: half come for the first time, from an ad or a tagged link; half are known by their cookie and
//! look at another page. What they send is what the tag sends, byte for byte as a browser behind a TLS proxy would.

use std::io::Write;

use memchr::memmem;

use crate::chance::{Chance, mix};
use crate::driver::{Answer, Talk, header};

/// A site that may be visited.
#[derive(Debug, Clone)]
pub struct Place {
    pub domain: String,
    pub key: String,
}

/// A visitor who has a cookie.
#[derive(Debug, Clone)]
pub struct Known {
    pub place: u32,
    /// Everything else about a visitor follows from this number.
    pub who: u64,
    pub session: Session,
}

const SESSION_CHARS: usize = 40;

/// The sealed id, as the cookie carries it.
pub type Session = [u8; SESSION_CHARS];

/// Of ten returning visitors this many come by a new link, the others look at another page.
const BY_A_LINK_OF_TEN: usize = 1;
/// Visitors remembered; beyond that a new one takes the place of any.
const REMEMBERED: usize = 40_000;

pub struct Visitors<'a> {
    places: &'a [Place],
    chance: Chance,
    pub known: Vec<Known>,
    /// Who is being answered, for each caller.
    asking: Vec<Option<(u32, u64, bool)>>,
    /// The session of every touch that was answered: the ledger of what must be stored.
    pub ledger: Vec<Session>,
    keeps_ledger: bool,
    event: u64,
    body: Vec<u8>,
    mix: Mix,
    left: Option<u64>,
    pub dropped: u64,
    pub without_session: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mix {
    /// Every second one is known already.
    HalfKnown,
    AllNew,
}

impl<'a> Visitors<'a> {
    pub fn new(places: &'a [Place], callers: usize, seed: u64) -> Self {
        Self {
            places,
            chance: Chance::new(seed),
            known: Vec::new(),
            asking: vec![None; callers],
            ledger: Vec::new(),
            keeps_ledger: false,
            event: seed << 40,
            body: Vec::with_capacity(2_048),
            mix: Mix::HalfKnown,
            left: None,
            dropped: 0,
            without_session: 0,
        }
    }

    /// Only first visits, and so many in all.
    pub fn all_new(mut self, count: u64) -> Self {
        self.mix = Mix::AllNew;
        self.left = Some(count);
        self
    }

    /// Writes down which touches were acknowledged.
    pub fn with_ledger(mut self) -> Self {
        self.keeps_ledger = true;
        self
    }
}

impl Talk for Visitors<'_> {
    fn ask(&mut self, caller: usize, out: &mut Vec<u8>) -> bool {
        if let Some(left) = &mut self.left {
            if *left == 0 {
                return false;
            }
            *left -= 1;
        }
        let is_known = self.mix == Mix::HalfKnown && !self.known.is_empty() && self.chance.one_in(2);
        self.event += 1;
        let visitor = if is_known {
            let known = &self.known[self.chance.below(self.known.len())];
            Visit { place: known.place, who: known.who, session: Some(known.session) }
        } else {
            Visit { place: self.chance.below(self.places.len()) as u32, who: self.chance.next(), session: None }
        };
        self.asking[caller] = Some((visitor.place, visitor.who, is_known));
        visitor.write(&self.places[visitor.place as usize], self.event, &mut self.chance, &mut self.body, out);
        true
    }

    fn heard(&mut self, caller: usize, answer: &Answer) {
        let Some((place, who, was_known)) = self.asking[caller].take() else { return };
        if header(answer.head, b"x-halo-dropped").is_some() {
            self.dropped += 1;
            return;
        }
        let Some(session) = session_of(answer.body) else {
            self.without_session += 1;
            return;
        };
        if self.keeps_ledger {
            self.ledger.push(session);
        }
        if was_known {
            return;
        }
        let known = Known { place, who, session };
        if self.known.len() < REMEMBERED {
            self.known.push(known);
        } else {
            let at = self.chance.below(REMEMBERED);
            self.known[at] = known;
        }
    }
}

/// `{"session_id":"…"}`
fn session_of(body: &[u8]) -> Option<Session> {
    let at = memmem::find(body, b"\"session_id\":\"")? + 14;
    let session: Session = body.get(at..at + SESSION_CHARS)?.try_into().ok()?;
    (body.get(at + SESSION_CHARS) == Some(&b'"')).then_some(session)
}

/// The event id of a touch, as it is sent.
fn event_text(event: u64) -> String {
    format!("{:016x}", mix(event))
}

struct Visit {
    place: u32,
    who: u64,
    session: Option<Session>,
}

pub struct Browser {
    pub agent: &'static str,
    screen: &'static str,
}

pub const BROWSERS: [Browser; 8] = [
    Browser {
        agent: "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36",
        screen: "1920x1080",
    },
    Browser {
        agent: "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.6 Mobile/15E148 Safari/604.1",
        screen: "390x844",
    },
    Browser {
        agent: "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Mobile Safari/537.36",
        screen: "412x915",
    },
    Browser {
        agent: "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.6 Safari/605.1.15",
        screen: "1512x982",
    },
    Browser {
        agent: "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148 Instagram 402.0.0.28.90 (iPhone15,3; iOS 18_5; en_GB; scale=3.00; 1290x2796)",
        screen: "430x932",
    },
    Browser { agent: "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:143.0) Gecko/20100101 Firefox/143.0", screen: "2560x1440" },
    Browser {
        agent: "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36 Edg/141.0.0.0",
        screen: "1536x864",
    },
    Browser {
        agent: "Mozilla/5.0 (Linux; Android 15; SM-S928B) AppleWebKit/537.36 (KHTML, like Gecko) SamsungBrowser/28.0 Chrome/130.0.0.0 Mobile Safari/537.36",
        screen: "384x854",
    },
];

const LANGUAGES: [(&str, &str); 5] = [
    ("en-GB", "Europe/London"),
    ("de-DE", "Europe/Berlin"),
    ("en-US", "America/New_York"),
    ("ar-AE", "Asia/Dubai"),
    ("fr-FR", "Europe/Paris"),
];
const PAGES: [(&str, &str); 8] = [
    ("/", "Walking boots and rain coats"),
    ("/boots/ladies", "Ladies' boots"),
    ("/boots/leather-lined-42", "Leather boot, lined, size 42"),
    ("/coats", "Rain coats"),
    ("/sale", "Last pairs"),
    ("/contact", "Write to us"),
    ("/pages/how-to-measure-your-foot", "How to measure your foot"),
    ("/cart", "Your cart"),
];
const CAMPAIGNS: [&str; 6] = ["spring-boots", "brand-search", "retargeting-30d", "newsletter-24", "coats-autumn", "lookalike-buyers"];

impl Visit {
    /// One request, head and body.
    fn write(&self, place: &Place, event: u64, chance: &mut Chance, body: &mut Vec<u8>, out: &mut Vec<u8>) {
        let browser = &BROWSERS[self.who as usize % BROWSERS.len()];
        let (language, zone) = LANGUAGES[(self.who >> 8) as usize % LANGUAGES.len()];
        let (page, title) = *chance.of(&PAGES);
        body.clear();
        body.push(b'{');
        let comes_by_link = self.session.is_none() || chance.below(10) < BY_A_LINK_OF_TEN;
        let mut query = Query::None;
        if comes_by_link {
            query = Query::of(chance);
            query.write_fields(body);
        }
        put(body, &["\"site\":\"", &place.key, "\",\"navigation\":\"navigate\",\"event_id\":\"", &event_text(event)]);
        put(body, &["\",\"consent\":{\"analytics\":\"granted\",\"marketing\":\"granted\"},\"landing\":\"", page]);
        query.write_query(body);
        put(body, &["\",\"referrer\":\""]);
        match (&query, comes_by_link) {
            (Query::Google { .. }, _) => put(body, &["https://www.google.com/"]),
            (Query::Meta { .. }, _) => put(body, &["https://l.instagram.com/"]),
            (_, false) => put(body, &["https://", &place.domain, "/boots/ladies"]),
            _ => {}
        }
        put(body, &["\",\"session_id\":"]);
        match &self.session {
            Some(session) => {
                body.push(b'"');
                body.extend_from_slice(session);
                body.push(b'"');
            }
            None => put(body, &["null"]),
        }
        put(body, &[",\"consent_cookies\":\"\",\"title\":\"", title, "\",\"screen\":\"", browser.screen]);
        put(body, &["\",\"language\":\"", language, "\",\"time_zone\":\"", zone, "\""]);
        // Every second visitor also carries what other scripts of the page have set.
        if self.who & 0x1_0000 == 0 {
            let _ = write!(body, ",\"ga_client_id\":\"{}.{}\"", 100_000_000 + self.who % 900_000_000, 1_750_000_000 + self.who % 9_000_000);
        }
        put(body, &[",\"gpc\":false,\"dnt\":false}"]);

        put(out, &["POST /api/touch HTTP/1.1\r\nHost: t.", &place.domain]);
        put(out, &["\r\nX-Forwarded-Proto: https\r\nX-Forwarded-For: "]);
        let [a, b, c, d] = address_of(self.who);
        let _ = write!(out, "{a}.{b}.{c}.{d}");
        put(out, &["\r\nUser-Agent: ", browser.agent]);
        put(out, &["\r\nAccept: */*\r\nAccept-Encoding: gzip, deflate, br, zstd\r\nAccept-Language: ", language, ",en;q=0.8"]);
        put(out, &["\r\nContent-Type: text/plain;charset=UTF-8\r\nOrigin: https://", &place.domain]);
        put(out, &["\r\nReferer: https://", &place.domain]);
        put(out, &["/\r\nSec-Fetch-Dest: empty\r\nSec-Fetch-Mode: cors\r\nSec-Fetch-Site: same-site"]);
        if let Some(session) = &self.session {
            put(out, &["\r\nCookie: _halo="]);
            out.extend_from_slice(session);
        }
        let _ = write!(out, "\r\nContent-Length: {}\r\n\r\n", body.len());
        out.extend_from_slice(body);
    }
}

/// What stands behind the question mark.
enum Query {
    None,
    Google { campaign: &'static str, click: u64 },
    Meta { campaign: &'static str, click: u64 },
    Mail { campaign: &'static str },
}

impl Query {
    fn of(chance: &mut Chance) -> Self {
        let campaign = *chance.of(&CAMPAIGNS);
        match chance.below(10) {
            0..4 => Query::Google { campaign, click: chance.next() },
            4..7 => Query::Meta { campaign, click: chance.next() },
            _ => Query::Mail { campaign },
        }
    }

    /// The tag sends the parameters as fields too.
    fn write_fields(&self, body: &mut Vec<u8>) {
        let _ = match self {
            Query::None => Ok(()),
            Query::Google { campaign, click } => write!(
                body,
                "\"utm_source\":\"google\",\"utm_medium\":\"cpc\",\"utm_campaign\":\"{campaign}\",\"gclid\":\"Cj0KCQ{click:016x}wE_BwcB\","
            ),
            Query::Meta { campaign, click } => write!(
                body,
                "\"utm_source\":\"instagram\",\"utm_medium\":\"paid_social\",\"utm_campaign\":\"{campaign}\",\"utm_content\":\"story-2\",\"fbclid\":\"IwZXh0bgNhZW0{click:016x}_aem\","
            ),
            Query::Mail { campaign } => {
                write!(body, "\"utm_source\":\"newsletter\",\"utm_medium\":\"email\",\"utm_campaign\":\"{campaign}\",")
            }
        };
    }

    fn write_query(&self, body: &mut Vec<u8>) {
        let _ = match self {
            Query::None => Ok(()),
            Query::Google { campaign, click } => {
                write!(body, "?utm_source=google&utm_medium=cpc&utm_campaign={campaign}&gclid=Cj0KCQ{click:016x}wE_BwcB")
            }
            Query::Meta { campaign, click } => write!(
                body,
                "?utm_source=instagram&utm_medium=paid_social&utm_campaign={campaign}&utm_content=story-2&fbclid=IwZXh0bgNhZW0{click:016x}_aem"
            ),
            Query::Mail { campaign } => write!(body, "?utm_source=newsletter&utm_medium=email&utm_campaign={campaign}"),
        };
    }
}

pub fn put(out: &mut Vec<u8>, texts: &[&str]) {
    for text in texts {
        out.extend_from_slice(text.as_bytes());
    }
}

/// A public address. Ranges for private networks, loopback and multicast are left out.
pub fn address_of(who: u64) -> [u8; 4] {
    let [first, b, c, d, ..] = mix(who ^ 0xadd7).to_le_bytes();
    let first = match first % 220 + 2 {
        10 | 100 | 127 | 169 | 172 | 192 | 198 | 203 => 81,
        other => other,
    };
    [first, b, c, d.max(1)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_whole_and_its_body_is_json() {
        let places = [Place { domain: "shop1.example".into(), key: "KEY".into() }];
        let mut visitors = Visitors::new(&places, 1, 7);
        for round in 0..200 {
            let mut out = Vec::new();
            assert!(visitors.ask(0, &mut out));
            let at = memmem::find(&out, b"\r\n\r\n").expect("a head") + 4;
            let length = header(&out[..at], b"content-length").and_then(|v| std::str::from_utf8(v).ok()?.parse::<usize>().ok());
            assert_eq!(length, Some(out.len() - at));
            let body: serde_json::Value = serde_json::from_slice(&out[at..]).expect("JSON");
            assert_eq!(body["site"], "KEY");
            let text = format!("{{\"session_id\":\"{round:040}\"}}");
            visitors.heard(0, &Answer { status: 200, head: b"HTTP/1.1 200 OK", body: text.as_bytes() });
        }
        assert!(visitors.known.len() > 60 && visitors.known.len() < 140, "{}", visitors.known.len());
        assert_eq!((visitors.dropped, visitors.without_session), (0, 0));
    }
}
