//! Tells operators whether the server is well, and callers how to ask it.

mod docs;

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Value, json};

use super::State;
use super::v1::shape;
use crate::http::endpoint::{Type, answer};
use crate::http::{Endpoint, Reply, Request, Surface};
use crate::model::Result;
use crate::model::plugin;

/// Errors here are native ones.
pub const SURFACE: Surface = Surface {
    name: "ops",
    about: "How the server is, and this document. Nobody is asked for a key.",
    prefixes: &["/health"],
    shape: shape::write,
    error: Type::of::<shape::NativeError<'_>>(),
};

pub(super) fn endpoints() -> Vec<Endpoint<State>> {
    let surface = &SURFACE;
    vec![
        Endpoint::get(surface, "/health", |request| answer(health(request)))
            .named("getHealth", "Whether the server is well.")
            .gives::<Health<'_>>("How the server is, and each of its parts.", health_example)
            .open(),
        Endpoint::get(surface, "/openapi.json", |request| answer(docs::document(request)))
            .named("getDocument", "This document.")
            .gives::<Document>("The document.", document_example)
            .conditional()
            .open(),
        Endpoint::get(surface, "/api/v1/openapi.json", |request| answer(docs::document(request)))
            .named("getDocumentOfV1", "This document, where another API had it.")
            .gives::<Document>("The document.", document_example)
            .conditional()
            .open(),
        Endpoint::get(surface, "/docs", |request| answer(docs::swagger_ui(request)))
            .named("showDocs", "This document as a page that can send requests: Swagger UI.")
            .gives_text("text/html", "The page.")
            .conditional()
            .open(),
        Endpoint::get(surface, "/redoc", |request| answer(docs::redoc(request)))
            .named("showRedoc", "This document as a page to read: ReDoc.")
            .gives_text("text/html", "The page.")
            .conditional()
            .open(),
        // What those pages load is nobody else's business, and the document doesn't speak of it.
        Endpoint::get(surface, "/docs/assets/{file}", |request| answer(docs::file(request))).open(),
    ]
}

/// An API document in the words of OpenAPI.
#[derive(JsonSchema, Serialize)]
struct Document {
    /// The version of those words.
    openapi: String,
    /// The name and the version of the API.
    info: Value,
    /// What can be asked, by path and method.
    paths: Value,
    /// What all the rest refers to.
    components: Value,
    #[serde(flatten)]
    more: Value,
}

fn document_example() -> Value {
    json!({"openapi": "3.1.0", "info": {"title": "Mortise", "version": "0.1.0"}, "paths": {}, "components": {}})
}

/// How the server is.
#[derive(Serialize, JsonSchema)]
struct Health<'a> {
    /// In one word: `healthy`, `degraded` or `unhealthy`.
    status: &'static str,
    /// The server's version.
    version: &'static str,
    /// Which program answers.
    service: &'static str,
    /// Where it runs, as its operator calls it.
    environment: &'a str,
    /// Since the server started.
    uptime_seconds: u64,
    /// How its parts are.
    checks: Checks,
}

/// How the parts are: `healthy`, `degraded`, `unhealthy`, or `disabled` where there is none.
#[derive(Serialize, JsonSchema)]
struct Checks {
    /// What outlives a restart.
    database: &'static str,
    /// Who can be asked.
    providers: &'static str,
    /// What needn't be asked twice.
    cache: &'static str,
    /// What is loaded.
    plugins: &'static str,
}

fn health_example() -> Value {
    json!({
        "status": "healthy",
        "version": "0.1.0",
        "service": "mortise",
        "environment": "production",
        "uptime_seconds": 3600,
        "checks": {"database": "disabled", "providers": "healthy", "cache": "disabled", "plugins": "healthy"},
    })
}

async fn health(request: Request<State>) -> Result<Reply> {
    let state = &request.state;
    let providers = state.providers.all();
    let (mut ready, mut broken) = (false, false);
    for provider in providers.values() {
        ready |= provider.state.is_ok();
        // What nobody configured needs nobody's attention.
        broken |= provider.state.is_err() && provider.configured;
    }
    let plugins = state.catalog.snapshot().statuses();
    let sick = |status: &plugin::Status| status.state != plugin::State::Ready || status.last_error.is_some();
    let word = |well: bool| if well { "healthy" } else { "degraded" };
    Reply::json(&Health {
        status: if ready { "healthy" } else { "unhealthy" },
        version: env!("CARGO_PKG_VERSION"),
        service: "mortise",
        environment: &state.environment,
        uptime_seconds: state.started.elapsed().as_secs(),
        checks: Checks {
            // There is none yet.
            database: "disabled",
            providers: if ready { word(!broken) } else { "unhealthy" },
            // There is none yet.
            cache: "disabled",
            plugins: word(!plugins.iter().any(sick)),
        },
    })
}
