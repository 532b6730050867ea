//! What a route is: its address, who may ask, in which shape it refuses, and what it does. One constant table of these
//! makes the router, the OpenAPI file and the access test.

use std::future::Future;
use std::pin::Pin;

use crate::app::App;
pub use crate::domain::rights::{Right, Scope};
use crate::domain::share::SharedPage;
use crate::domain::storage::Burden;
use crate::error::Result;

use super::ask::Ask;
use super::reply::Reply;

pub type Running = Pin<Box<dyn Future<Output = Result<Reply>> + Send>>;
pub type Run = fn(App, Ask) -> Running;

/// Bytes that platforms and servers may send, and pages.
const MOST_TOLD: usize = 2 * 1024 * 1024;
const MOST_OF_A_PAGE: usize = 16 * 1024;

#[derive(Clone, Copy)]
pub struct Route {
    pub method: &'static str,
    /// axum's syntax: `/api/sites/{site}/deliveries`.
    pub path: &'static str,
    pub who: Who,
    pub shape: Shape,
    pub hosts: Hosts,
    /// What it asks of the disk: the first to be refused where there is little room.
    pub burden: Burden,
    /// Bytes of a request body at most.
    pub most: usize,
    /// Keeps to a locked segment and hides amounts. Any other route is closed to who is shown only a part.
    pub keeps_within: bool,
    /// Seconds that the handler may take until its answer begins.
    pub patience_s: u16,
    pub run: Run,
    pub doc: Doc,
}

/// Who may ask. Checked before the handler runs; a foreign site is 404, never 403.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Who {
    Anyone,
    /// Our own pages before anybody is signed in: the same origin, or none of it happens.
    Page,
    /// A page of a site: public key or origin, checked by the handler's `Visitor`.
    Visitor,
    /// A hook token in the path, checked by the handler.
    Hook,
    /// A kept path whose sender proves itself in one of several ways, checked by the handler.
    Sender,
    /// Any signed-in user.
    Login,
    /// An owner of the box.
    BoxOwner,
    /// `{site}` in the path: a member with this right, or a token with this scope.
    Site(Right, Scope),
    /// `{site}` in the path: a signed-in member with this right. Never a token: people and secrets are for people.
    Member(Right),
    /// A share link's token in the path, with its password where it has one, that shows one of these pages. Shows the link's
    /// part and nothing else.
    Share(&'static [SharedPage]),
    /// A token alone; it names the site.
    Token(Scope),
    /// A kept path for both: a token with this scope, or a member with this right of the site that `domain` names in the
    /// query or, where something is changed, in the body.
    Named(Right, Scope),
    /// A token of any scope, or a loopback peer without forwarding headers.
    Machine,
}

/// The shape in which a path refuses: kept paths keep their old ones (spec 4.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// `{error:{code,message,field?,request_id}}`
    Own,
    /// `{success:false,error,code,request_id}`
    Halo,
    /// `{success:false,error,details}`
    Shop,
    /// `{success:false,error:{code,message}}`
    AnyTrack,
    /// `{detail}`
    Funnel,
}

/// On which hosts a route answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hosts {
    /// Also on the shops' own hosts.
    All,
    /// Only where the dashboard lives.
    Own,
    /// There, and for a program on this machine that asks for 127.0.0.1 or localhost.
    Loopback,
}

/// What the API page says of a route. `body` and `answer` are examples, as JSON text.
#[derive(Debug, Clone, Copy)]
pub struct Doc {
    pub tag: &'static str,
    pub summary: &'static str,
    pub query: &'static [(&'static str, &'static str)],
    pub body: Option<&'static str>,
    pub answer: &'static str,
    /// What the answer is: `application/json` unless said otherwise.
    pub answers_with: &'static str,
    pub statuses: &'static [u16],
}

impl Route {
    pub const fn new(method: &'static str, path: &'static str, who: Who, run: Run, doc: Doc) -> Self {
        let burden = match who {
            Who::Hook | Who::Sender | Who::Token(Scope::Write) => Burden::Fact,
            Who::Visitor => Burden::Visit,
            Who::Site(_, Scope::Export) => Burden::Export,
            _ => Burden::Care,
        };
        Self {
            method,
            path,
            who,
            shape: Shape::Own,
            hosts: Hosts::Own,
            burden,
            most: 256 * 1024,
            keeps_within: false,
            patience_s: 20,
            run,
            doc,
        }
    }

    pub const fn shape(mut self, shape: Shape) -> Self {
        self.shape = shape;
        self
    }

    /// Another burden than its callers usually bring.
    pub const fn burden(mut self, burden: Burden) -> Self {
        self.burden = burden;
        self
    }

    /// Also on the shops' own hosts.
    pub const fn everywhere(mut self) -> Self {
        self.hosts = Hosts::All;
        self
    }

    /// Also for programs on this machine.
    pub const fn on_loopback(mut self) -> Self {
        self.hosts = Hosts::Loopback;
        self
    }

    /// For a handler that obeys `Ask::sight`.
    pub const fn within(mut self) -> Self {
        self.keeps_within = true;
        self
    }

    /// For a handler that waits for work to end.
    pub const fn patience(mut self, seconds: u16) -> Self {
        self.patience_s = seconds;
        self
    }

    /// A body of a platform or a server that tells facts.
    pub const fn told(self) -> Self {
        self.everywhere().most(MOST_TOLD)
    }

    /// A small body of a page, on every host.
    pub const fn from_page(self) -> Self {
        self.shape(Shape::Halo).everywhere().most(MOST_OF_A_PAGE)
    }

    pub const fn most(mut self, bytes: usize) -> Self {
        self.most = bytes;
        self
    }
}

impl Doc {
    pub const fn new(tag: &'static str, summary: &'static str) -> Self {
        Self { tag, summary, query: &[], body: None, answer: "{}", answers_with: "application/json", statuses: &[200] }
    }

    pub const fn query(mut self, query: &'static [(&'static str, &'static str)]) -> Self {
        self.query = query;
        self
    }

    pub const fn body(mut self, example: &'static str) -> Self {
        self.body = Some(example);
        self
    }

    pub const fn answer(mut self, example: &'static str) -> Self {
        self.answer = example;
        self
    }

    /// Plain text.
    pub const fn text(self, example: &'static str) -> Self {
        self.answer(example).of_type("text/plain")
    }

    /// An answer without a body.
    pub const fn nothing(self) -> Self {
        self.answer("")
    }

    pub const fn of_type(mut self, content_type: &'static str) -> Self {
        self.answers_with = content_type;
        self
    }

    pub const fn statuses(mut self, statuses: &'static [u16]) -> Self {
        self.statuses = statuses;
        self
    }
}

/// Wraps an async handler into the table's function type.
#[macro_export]
macro_rules! run {
    ($handler:path) => {
        |app, ask| Box::pin($handler(app, ask))
    };
}
