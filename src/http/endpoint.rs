//! What an endpoint is: the table of them makes the router, the API document, and whatever else has to know them.

use std::borrow::Cow;
use std::future::Future;
use std::pin::Pin;

use http::{Method, StatusCode};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde_json::Value;

use super::fault::Fault;
use super::{Reply, Request};
use crate::model::Result;
use crate::model::account::Right;
use crate::model::id::RequestId;

/// A handler's answer in the making.
pub type Answer = Pin<Box<dyn Future<Output = Result<Reply>> + Send>>;

/// How a surface writes its errors: headers are the fault's, the body is the surface's.
pub type ErrorShape = fn(&Fault<'_>, &RequestId, &str) -> Value;

/// A part of the API with one way of speaking.
#[derive(Clone, Copy)]
pub struct Surface {
    /// For the log.
    pub name: &'static str,
    /// What it is there for; a tag of the API document.
    pub about: &'static str,
    /// Unknown paths below one of these are answered in this surface's shape.
    pub prefixes: &'static [&'static str],
    /// How it writes its errors.
    pub shape: ErrorShape,
    /// The status of a refusal: the fault's, or the vendor's own.
    pub status: fn(&Fault<'_>) -> StatusCode,
    /// The type that `shape` writes.
    pub error: Type,
    /// The header in which the vendor's answers name the request, and how they write its name; beside ours.
    pub vendor_id: Option<VendorId>,
}

/// A header's name, in small letters, and how it tells a request's id.
pub type VendorId = (&'static str, fn(&RequestId) -> String);

/// A type, as the API document knows one.
#[derive(Clone, Copy)]
pub struct Type {
    /// Its name among the document's components.
    pub name: fn() -> Cow<'static, str>,
    /// Its schema, or a reference to it.
    pub schema: fn(&mut SchemaGenerator) -> Schema,
}

/// Who may ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Everybody, also where keys are asked for.
    Anyone,
    /// Who shows a key, where keys are asked for. Whoever may only look may only `GET`.
    Caller,
    /// Users and keys that are kept, also where nobody is asked for a key.
    Member,
    /// Who may change their own account: who has logged in, and keys that say so.
    Account,
    /// Administrators, also where nobody is asked for a key.
    Admin,
}

/// One method at one path.
pub struct Endpoint<S> {
    /// The method; `HEAD` and `OPTIONS` are answered for every endpoint.
    pub method: Method,
    /// The path's template, as `matchit` reads it.
    pub path: &'static str,
    /// The part of the API that it belongs to.
    pub surface: &'static Surface,
    /// Who may ask.
    pub access: Access,
    /// Whether the connection may become a WebSocket.
    pub socket: bool,
    /// Whether a token may stand in the query: browsers can put no header on a WebSocket's request.
    pub token_in_query: bool,
    /// What answers.
    pub handler: fn(Request<S>) -> Answer,
    /// What the API document says of it; nothing where it keeps silent.
    pub operation: Option<Operation>,
}

/// An endpoint in the words of the API document.
#[derive(Clone, Default)]
pub struct Operation {
    /// Names it among all.
    pub id: &'static str,
    /// One sentence.
    pub summary: &'static str,
    /// What else a caller should know.
    pub description: &'static str,
    /// What the path's template leaves open.
    pub parameters: Vec<Parameter>,
    /// What the query may say.
    pub queries: Vec<Query>,
    /// What it takes, if it takes anything.
    pub takes: Option<Content>,
    /// Whether it does without.
    pub optional: bool,
    /// The status of an answer that is no refusal; 200 where it is 0.
    pub status: u16,
    /// What a caller is given who is not refused; nothing where it is empty.
    pub gives: Vec<Content>,
    /// What the server says on its socket.
    pub says: Option<Content>,
    /// What callers say there.
    pub hears: Option<Content>,
    /// What else it may give, with another status than 200.
    pub or_gives: Option<(u16, Content)>,
    /// Headers of what is given: name and meaning.
    pub headers: Vec<(&'static str, &'static str)>,
    /// Whether a caller who has it already is told so.
    pub conditional: bool,
    /// Statuses of refusals, beside those that follow from its nature.
    pub fails: &'static [u16],
}

/// A part of the path that the caller fills in.
#[derive(Clone, Copy)]
pub struct Parameter {
    /// As the template calls it.
    pub name: &'static str,
    /// What it means.
    pub description: &'static str,
    /// A value that works.
    pub example: &'static str,
}

/// A member of the query, which may be left out.
#[derive(Clone, Copy)]
pub struct Query {
    /// Its name.
    pub name: &'static str,
    /// What it means.
    pub description: &'static str,
    /// Its schema.
    pub schema: fn() -> Value,
}

/// A body of one media type.
#[derive(Clone, Copy)]
pub struct Content {
    /// What it is.
    pub description: &'static str,
    /// The media type.
    pub mime: &'static str,
    /// The type of it, or of each event's data in a stream; nothing where it is plain text, or any JSON.
    pub holds: Option<Type>,
    /// What it may look like.
    pub example: Option<fn() -> Value>,
    /// The data of a stream's last event, where that is no `holds`.
    pub last: Option<&'static str>,
}

// === impl Type ===

impl Type {
    /// `T`, as it goes over the wire.
    pub const fn of<T: JsonSchema>() -> Self {
        Self { name: T::schema_name, schema: SchemaGenerator::subschema_for::<T> }
    }
}

// === impl Access ===

impl Access {
    /// What a member must be allowed to ask with `method`; nothing where anybody may.
    pub fn right(self, method: &Method) -> Option<Right> {
        match self {
            Self::Anyone => None,
            Self::Caller if *method == Method::GET || *method == Method::HEAD => Some(Right::Read),
            Self::Caller => Some(Right::Write),
            Self::Member => Some(Right::Read),
            Self::Account => Some(Right::Account),
            Self::Admin => Some(Right::Admin),
        }
    }

    /// Whether only members may ask, also where nobody is asked for a key.
    pub fn is_personal(self) -> bool {
        matches!(self, Self::Member | Self::Account | Self::Admin)
    }
}

// === impl Endpoint ===

impl<S> Endpoint<S> {
    /// `method` at `path`, for callers, and not in the document.
    pub fn new(
        method: Method,
        surface: &'static Surface,
        path: &'static str,
        handler: fn(Request<S>) -> Answer,
    ) -> Self {
        let (socket, token_in_query) = (false, false);
        Self { method, path, surface, access: Access::Caller, socket, token_in_query, handler, operation: None }
    }

    /// `GET` at `path`.
    pub fn get(surface: &'static Surface, path: &'static str, handler: fn(Request<S>) -> Answer) -> Self {
        Self::new(Method::GET, surface, path, handler)
    }

    /// `POST` at `path`.
    pub fn post(surface: &'static Surface, path: &'static str, handler: fn(Request<S>) -> Answer) -> Self {
        Self::new(Method::POST, surface, path, handler)
    }

    /// Nobody is asked for a key.
    pub fn open(self) -> Self {
        Self { access: Access::Anyone, ..self }
    }

    /// The connection may become a WebSocket; see [`Request::upgrade`].
    pub fn socket(self) -> Self {
        Self { socket: true, ..self }
    }

    /// A token may stand in the query, as `token`.
    pub fn token_in_query(self) -> Self {
        Self { token_in_query: true, ..self }
    }

    /// Only those may ask.
    pub fn only(self, access: Access) -> Self {
        Self { access, ..self }
    }

    /// The document speaks of it: with this operation id, and this one sentence.
    pub fn named(self, id: &'static str, summary: &'static str) -> Self {
        self.operation(|operation| (operation.id, operation.summary) = (id, summary))
    }

    /// What else a caller should know.
    pub fn described(self, description: &'static str) -> Self {
        self.operation(|operation| operation.description = description)
    }

    /// What `{name}` in the path means.
    pub fn parameter(self, name: &'static str, description: &'static str, example: &'static str) -> Self {
        self.operation(|operation| operation.parameters.push(Parameter { name, description, example }))
    }

    /// What `name` in the query means.
    pub fn query(self, name: &'static str, description: &'static str, schema: fn() -> Value) -> Self {
        self.operation(|operation| operation.queries.push(Query { name, description, schema }))
    }

    /// It takes a `T` as JSON.
    pub fn takes<T: JsonSchema>(self, description: &'static str, example: fn() -> Value) -> Self {
        self.operation(|operation| operation.takes = Some(Content::json::<T>(description, example)))
    }

    /// It gives a `T` as JSON.
    pub fn gives<T: JsonSchema>(self, description: &'static str, example: fn() -> Value) -> Self {
        self.gives_content(Content::json::<T>(description, example))
    }

    /// It makes something, and gives a `T` as JSON with 201.
    pub fn creates<T: JsonSchema>(self, description: &'static str, example: fn() -> Value) -> Self {
        self.gives::<T>(description, example).operation(|operation| operation.status = 201)
    }

    /// It gives nothing but the word that it is done: 204.
    pub fn gives_nothing(self) -> Self {
        self.operation(|operation| operation.status = 204)
    }

    /// It may give a `T` as JSON with this status too.
    pub fn or_gives<T: JsonSchema>(self, status: u16, description: &'static str, example: fn() -> Value) -> Self {
        self.operation(|operation| operation.or_gives = Some((status, Content::json::<T>(description, example))))
    }

    /// It gives server-sent events whose data is a `T` each.
    pub fn streams<T: JsonSchema>(self, description: &'static str, example: fn() -> Value) -> Self {
        let holds = Some(Type::of::<T>());
        let example = Some(example);
        self.gives_content(Content { description, mime: "text/event-stream", holds, example, last: None })
    }

    /// It gives lines of JSON that are a `T` each.
    pub fn gives_lines<T: JsonSchema>(self, description: &'static str, example: fn() -> Value) -> Self {
        let (holds, example) = (Some(Type::of::<T>()), Some(example));
        self.gives_content(Content { description, mime: "application/x-ndjson", holds, example, last: None })
    }

    /// What it gives last is an event whose data is `last`.
    pub fn ending_in(self, last: &'static str) -> Self {
        self.operation(|operation| operation.gives.iter_mut().for_each(|content| content.last = Some(last)))
    }

    /// What it says on its socket is a `T` each.
    pub fn says<T: JsonSchema>(self, description: &'static str, example: fn() -> Value) -> Self {
        self.operation(|operation| operation.says = Some(Content::json::<T>(description, example)))
    }

    /// What callers say on its socket is a `T` each.
    pub fn hears<T: JsonSchema>(self, description: &'static str, example: fn() -> Value) -> Self {
        self.operation(|operation| operation.hears = Some(Content::json::<T>(description, example)))
    }

    /// It does without what it takes.
    pub fn if_any(self) -> Self {
        self.operation(|operation| operation.optional = true)
    }

    /// It gives text of the type `mime`.
    pub fn gives_text(self, mime: &'static str, description: &'static str) -> Self {
        self.gives_content(Content { description, mime, holds: None, example: None, last: None })
    }

    /// What it gives has the header `name`.
    pub fn with_header(self, name: &'static str, description: &'static str) -> Self {
        self.operation(|operation| operation.headers.push((name, description)))
    }

    /// A caller who names what it has is told whether it is still the same.
    pub fn conditional(self) -> Self {
        self.operation(|operation| operation.conditional = true)
            .with_header("ETag", "Names exactly these bytes.")
            .with_header("Cache-Control", "That it may be kept, but not used unasked.")
    }

    /// It refuses with these statuses too, beside those that follow from its nature.
    pub fn fails(self, statuses: &'static [u16]) -> Self {
        self.operation(|operation| operation.fails = statuses)
    }

    fn gives_content(self, content: Content) -> Self {
        self.operation(|operation| operation.gives.push(content))
    }

    fn operation(mut self, change: impl FnOnce(&mut Operation)) -> Self {
        change(self.operation.get_or_insert_default());
        self
    }
}

// === impl Content ===

impl Content {
    fn json<T: JsonSchema>(description: &'static str, example: fn() -> Value) -> Self {
        let (holds, example) = (Some(Type::of::<T>()), Some(example));
        Self { description, mime: "application/json", holds, example, last: None }
    }
}

/// Boxes a handler's future.
pub fn answer(future: impl Future<Output = Result<Reply>> + Send + 'static) -> Answer {
    Box::pin(future)
}
