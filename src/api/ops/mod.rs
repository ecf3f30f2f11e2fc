//! Tells operators whether the server is well, and callers how to ask it.

mod docs;
mod health;
mod metrics;

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Value, json};

use super::State;
use super::v1::shape;
use crate::http::endpoint::{Type, answer};
use crate::http::{Endpoint, Surface};

/// Errors here are native ones.
pub const SURFACE: Surface = Surface {
    name: "ops",
    about: "How the server is, and this document. Nobody is asked for a key.",
    prefixes: &["/health", "/metrics"],
    shape: shape::write,
    status: |fault| fault.status,
    error: Type::of::<shape::NativeError<'_>>(),
    vendor_id: None,
};

pub(super) fn endpoints() -> Vec<Endpoint<State>> {
    let surface = &SURFACE;
    vec![
        Endpoint::get(surface, "/health", |request| answer(health::health(request)))
            .named("getHealth", "Whether the server is well.")
            .gives::<health::Health<'_>>("How the server is, and each of its parts.", health::example)
            .open(),
        Endpoint::get(surface, "/health/live", |request| answer(health::live(request)))
            .named("getLiveness", "Whether the server lives: who gets no answer may restart it.")
            .gives::<health::Health<'_>>("It lives.", health::example)
            .open(),
        Endpoint::get(surface, "/health/ready", |request| answer(health::ready(request)))
            .named("getReadiness", "Whether the server wants requests.")
            .gives::<health::Health<'_>>("It does.", health::example)
            .or_gives::<health::Health<'_>>(503, "It starts or ends.", health::example)
            .open(),
        Endpoint::get(surface, "/metrics", |request| answer(metrics::metrics(request)))
            .named("getMetrics", "What the server counts, for Prometheus.")
            .gives_text("text/plain", "The counts, in the text format.")
            .gives_text("application/openmetrics-text", "The counts, for who accepts OpenMetrics.")
            .fails(&[404])
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
