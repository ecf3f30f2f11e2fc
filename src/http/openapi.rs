//! The API document: what the table of endpoints says, in the words of OpenAPI 3.1.

use schemars::generate::SchemaSettings;
use schemars::{Schema, SchemaGenerator};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::endpoint::{Access, Content, Endpoint, Operation, Surface};
use super::fault::Fault;
use crate::model::id::RequestId;
use crate::model::{Error, Fault as Whose, Kind};

/// What the document says of itself.
#[derive(Clone, Copy, Debug)]
pub struct Info {
    /// The name of the API.
    pub title: &'static str,
    /// The server's version.
    pub version: &'static str,
    /// What it is there for, in Markdown.
    pub description: &'static str,
    /// The server's licence, as SPDX names it.
    pub licence: &'static str,
}

/// The document of `endpoints`; those without words are left out.
pub fn document<S>(info: &Info, endpoints: &[Endpoint<S>]) -> Value {
    let mut writer = Writer::default();
    let (mut paths, mut tags) = (Map::new(), Map::new());
    for endpoint in endpoints {
        let Some(operation) = &endpoint.operation else { continue };
        let surface = endpoint.surface;
        tags.entry(surface.name).or_insert_with(|| json!({"name": surface.name, "description": surface.about}));
        let item = paths.entry(template(endpoint.path)).or_insert_with(|| json!({}));
        put(item, endpoint.method.as_str().to_ascii_lowercase(), writer.operation(endpoint, operation));
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": info.title,
            "version": info.version,
            "summary": "An edge server for AI.",
            "description": info.description,
            "license": {"name": info.licence, "identifier": info.licence},
        },
        "servers": [{"url": "/", "description": "The server that this document comes from"}],
        "tags": tags.into_iter().map(|(_, tag)| tag).collect::<Vec<_>>(),
        "paths": paths,
        "components": writer.components(),
    })
}

/// Writes operations, and remembers what they refer to.
struct Writer {
    /// What callers send: a field with a default may be left out.
    requests: SchemaGenerator,
    /// What callers read: a field with a default is there.
    replies: SchemaGenerator,
    refusals: Map<String, Value>,
}

/// A refusal as the document tells it: status, an error that has it, and when it happens.
type Refusal = (u16, Kind, Whose, &'static str, &'static str);

#[rustfmt::skip]
const REFUSALS: &[Refusal] = &[
    (400, Kind::MissingField, Whose::Caller, "Missing required field: model", "The request can't be understood: no JSON object, a field that is missing or has a wrong value."),
    (401, Kind::Unauthenticated, Whose::Caller, "no API key was sent; send one as X-API-Key or as a bearer token", "The server asks for a key and this is none, or the vendor refused the operator's."),
    (403, Kind::Forbidden, Whose::Upstream, "the vendor does not allow this model", "The vendor behind the provider forbids it."),
    (404, Kind::NotFound, Whose::Caller, "Not found", "What was named is not there: a provider, a model, a conversation."),
    (408, Kind::Timeout, Whose::Caller, "the request body did not arrive within 30 s", "The request's body came too slowly."),
    (409, Kind::Conflict, Whose::Caller, "this is taken already", "What is there already, or is being changed, stands against it."),
    (413, Kind::TooLarge, Whose::Caller, "the request body is longer than 10485760 bytes", "The request's body is too long."),
    (415, Kind::UnsupportedMediaType, Whose::Caller, "a request from another site's page must have the Content-Type application/json", "The page of another site sent a body that isn't said to be JSON."),
    (422, Kind::Tool, Whose::Caller, "/workspace/notes.txt: no such file", "The tool was called, and couldn't do it."),
    (426, Kind::UpgradeRequired, Whose::Caller, "this endpoint speaks WebSocket; connect with ws:// or wss://", "The request is none that makes a WebSocket of its connection."),
    (429, Kind::RateLimited, Whose::Caller, "Rate limit exceeded", "The caller, or the vendor's customer, asks too often."),
    (500, Kind::Internal, Whose::Us, "internal error; the server's log tells more under this request id", "The server failed."),
    (502, Kind::Upstream, Whose::Upstream, "the vendor answered with what is no answer", "The vendor or the plugin in front of it failed."),
    (503, Kind::Overloaded, Whose::Us, "the server is busy; try again later", "The server or the vendor has too much to do, or the provider can't be used at the moment."),
    (503, Kind::Unavailable, Whose::Us, "the provider can't be used: its key is missing", "The provider can't be used at the moment."),
    (504, Kind::Timeout, Whose::Upstream, "the vendor did not answer in time", "The vendor did not answer in time."),
];

/// After which statuses another attempt makes sense.
const RETRIED: [u16; 3] = [429, 503, 529];

#[rustfmt::skip]
const RATE_HEADERS: [(&str, &str); 3] = [
    ("X-RateLimit-Limit", "Requests that the tightest of the caller's limits allows in its window; absent where the surface has no limit."),
    ("X-RateLimit-Remaining", "Requests that are left in that window."),
    ("X-RateLimit-Reset", "When that window ends, in Unix seconds."),
];

// === impl Writer ===

impl Default for Writer {
    fn default() -> Self {
        let settings = || {
            SchemaSettings::draft2020_12().with(|settings| {
                settings.definitions_path = "/components/schemas".into();
                settings.meta_schema = None;
            })
        };
        Self {
            requests: settings().for_deserialize().into_generator(),
            replies: settings().for_serialize().into_generator(),
            refusals: Map::new(),
        }
    }
}

impl Writer {
    fn operation<S>(&mut self, endpoint: &Endpoint<S>, operation: &Operation) -> Value {
        let mut written = json!({
            "operationId": operation.id,
            "tags": [endpoint.surface.name],
            "summary": operation.summary,
        });
        if !operation.description.is_empty() {
            put(&mut written, "description", operation.description.into());
        }
        let parameters = parameters(endpoint, operation);
        if !parameters.is_empty() {
            put(&mut written, "parameters", parameters.into());
        }
        if let Some(content) = &operation.takes {
            let body = json!({
                "description": content.description,
                "required": !operation.optional,
                "content": {content.mime: media(&mut self.requests, content)},
            });
            put(&mut written, "requestBody", body);
        }
        if endpoint.socket {
            let mut said = |generator: fn(&mut Self) -> &mut SchemaGenerator, content: &Option<Content>| {
                let content = content.as_ref()?;
                let mut written = media(generator(self), content);
                put(&mut written, "description", content.description.into());
                Some(written)
            };
            let server = said(|writer| &mut writer.replies, &operation.says);
            let caller = said(|writer| &mut writer.requests, &operation.hears);
            put(&mut written, "x-websocket", json!({"server": server, "caller": caller}));
        }
        put(&mut written, "responses", self.responses(endpoint, operation));
        let security = match endpoint.access {
            Access::Anyone => json!([]),
            Access::Caller => json!([{"ApiKeyAuth": []}, {"BearerAuth": []}, {}]),
            Access::Member | Access::Account | Access::Admin => json!([{"ApiKeyAuth": []}, {"BearerAuth": []}]),
        };
        put(&mut written, "security", security);
        written
    }

    fn responses<S>(&mut self, endpoint: &Endpoint<S>, operation: &Operation) -> Value {
        let limited = endpoint.access != Access::Anyone;
        let mut headers = common_headers(limited);
        for (name, description) in &operation.headers {
            put(&mut headers, *name, json!({"description": description, "schema": {"type": "string"}}));
        }
        let mut content = Map::new();
        for given in &operation.gives {
            content.insert(given.mime.into(), media(&mut self.replies, given));
        }
        let words: Vec<&str> = operation.gives.iter().map(|given| given.description).collect();
        let mut responses = Map::new();
        if endpoint.socket {
            let switched = "The connection is a WebSocket from here on; what is said on it stands under `x-websocket`.";
            responses.insert("101".into(), json!({"description": switched, "headers": headers}));
            let opened = "Over HTTP/2 (RFC 8441): the stream is a WebSocket from here on.";
            responses.insert("200".into(), json!({"description": opened, "headers": headers}));
        }
        if !content.is_empty() || !endpoint.socket {
            let (status, given) = match operation.status {
                204 => (204, json!({"description": "It is done.", "headers": headers})),
                status => {
                    (status.max(200), json!({"description": words.join(" "), "headers": headers, "content": content}))
                }
            };
            responses.insert(status.to_string(), given);
        }
        if operation.conditional {
            let known = json!({"description": "The caller has it already.", "headers": headers});
            responses.insert("304".into(), known);
        }
        let mut statuses = vec![403, 500];
        if limited {
            statuses.extend([401, 429, 503]);
        }
        if endpoint.socket {
            statuses.extend([400, 426]);
        }
        if operation.takes.is_some() {
            statuses.extend([400, 408, 413, 415]);
        }
        let mut statuses: Vec<u16> = statuses.into_iter().map(|status| own(endpoint.surface, status)).collect();
        statuses.extend(operation.fails);
        statuses.sort_unstable();
        statuses.dedup();
        for status in statuses {
            responses.insert(status.to_string(), self.refusal(endpoint.surface, status, limited));
        }
        if let Some((status, given)) = &operation.or_gives {
            let content = Map::from_iter([(given.mime.into(), media(&mut self.replies, given))]);
            let given = json!({"description": given.description, "headers": headers, "content": content});
            responses.insert(status.to_string(), given);
        }
        responses.into()
    }

    /// A reference to how `surface` refuses with `status`.
    fn refusal(&mut self, surface: &Surface, status: u16, limited: bool) -> Value {
        let name = format!("{}{status}{}", (surface.error.name)(), if limited { "" } else { "Open" });
        let Some(&(_, kind, whose, said, description)) = REFUSALS.iter().find(|row| told(surface, row) == status)
        else {
            return json!({"description": format!("Refused with {status}.")});
        };
        if !self.refusals.contains_key(&name) {
            let mut headers = common_headers(limited);
            if RETRIED.contains(&status) {
                put(&mut headers, "Retry-After", json!({"$ref": "#/components/headers/Retry-After"}));
            }
            let error = Error::new(kind, whose, said);
            let example = (surface.shape)(&Fault::of(&error), &RequestId::new(REQUEST), TIMESTAMP);
            let schema: Schema = (surface.error.schema)(&mut self.replies);
            let response = json!({
                "description": description,
                "headers": headers,
                "content": {"application/json": {"schema": schema, "example": example}},
            });
            self.refusals.insert(name.clone(), response);
        }
        json!({"$ref": format!("#/components/responses/{name}")})
    }

    fn components(mut self) -> Value {
        let mut schemas = self.requests.take_definitions(true);
        schemas.extend(self.replies.take_definitions(true));
        schemas.sort_keys();
        self.refusals.sort_keys();
        let header = |description: &str, kind: &str, example: Value| json!({"description": description, "schema": {"type": kind}, "example": example});
        let mut headers = json!({
            "X-Request-Id": header("Names the request, in the server's log too.", "string", RequestId::new(REQUEST).as_str().into()),
            "Retry-After": header("Seconds after which another attempt makes sense.", "integer", 30.into()),
        });
        for (name, description) in RATE_HEADERS {
            put(&mut headers, name, header(description, "integer", 60.into()));
        }
        json!({
            "schemas": schemas,
            "responses": self.refusals,
            "headers": headers,
            "securitySchemes": {
                "ApiKeyAuth": {
                    "type": "apiKey", "in": "header", "name": "X-API-Key",
                    "description": "A key of this server; looked at first.",
                },
                "BearerAuth": {
                    "type": "http", "scheme": "bearer",
                    "description": "A key of this server as a bearer token, as vendors' SDKs send theirs.",
                },
            },
        })
    }
}

/// The status with which `surface` tells what is refused with `status` elsewhere.
fn own(surface: &Surface, status: u16) -> u16 {
    REFUSALS.iter().find(|(known, ..)| *known == status).map_or(status, |row| told(surface, row))
}

fn told(surface: &Surface, (_, kind, whose, said, _): &Refusal) -> u16 {
    (surface.status)(&Fault::of(&Error::new(*kind, *whose, *said))).as_u16()
}

/// The request of the examples.
const REQUEST: Uuid = Uuid::from_u128(0x0198_c0a1_b2c3_7d4e_8f90_a1b2_c3d4_e5f6);
const TIMESTAMP: &str = "2026-01-07T10:30:00Z";

/// OpenAPI knows no parameter that spans segments.
fn template(path: &str) -> String {
    path.replace("{*", "{")
}

fn parameters<S>(endpoint: &Endpoint<S>, operation: &Operation) -> Vec<Value> {
    let mut parameters: Vec<Value> = operation
        .parameters
        .iter()
        .map(|parameter| {
            json!({
                "name": parameter.name, "in": "path", "required": true, "description": parameter.description,
                "schema": {"type": "string", "minLength": 1}, "example": parameter.example,
            })
        })
        .collect();
    parameters.extend(operation.queries.iter().map(|query| {
        json!({
            "name": query.name, "in": "query", "required": false, "description": query.description,
            "schema": (query.schema)(),
        })
    }));
    if endpoint.token_in_query {
        parameters.push(json!({
            "name": "token", "in": "query", "required": false, "schema": {"type": "string"},
            "description": "A key or a token, for who can't send it in a header, as browsers can't here.",
        }));
    }
    if operation.conditional {
        parameters.push(json!({
            "name": "If-None-Match", "in": "header", "required": false,
            "description": "The ETag of what the caller has.", "schema": {"type": "string"},
        }));
    }
    parameters
}

fn common_headers(limited: bool) -> Value {
    let mut headers = json!({"X-Request-Id": {"$ref": "#/components/headers/X-Request-Id"}});
    for (name, _) in RATE_HEADERS.iter().filter(|_| limited) {
        put(&mut headers, *name, json!({"$ref": format!("#/components/headers/{name}")}));
    }
    headers
}

/// A media type of a body. Before OpenAPI 3.2, the schema of a stream is that of each event or line.
fn media(generator: &mut SchemaGenerator, content: &Content) -> Value {
    let schema = content.holds.map(|kind| (kind.schema)(generator));
    let schema = match schema {
        Some(event) if content.mime == "text/event-stream" => {
            let data = json!({"type": "string", "contentMediaType": "application/json", "contentSchema": event});
            let data = content.last.map_or(data.clone(), |last| json!({"anyOf": [data, {"const": last}]}));
            json!({
                "description": "One event of the stream.",
                "type": "object",
                "properties": {"event": {"type": "string"}, "data": data},
                "required": ["data"],
            })
        }
        Some(schema) => schema.to_value(),
        None if content.mime == "application/json" => json!({}),
        None => json!({"type": "string"}),
    };
    let mut media = json!({"schema": schema});
    if let Some(example) = content.example {
        put(&mut media, "example", example());
    }
    media
}

/// Puts `value` into the object `into`.
fn put(into: &mut Value, name: impl Into<String>, value: Value) {
    if let Some(object) = into.as_object_mut() {
        object.insert(name.into(), value);
    }
}
