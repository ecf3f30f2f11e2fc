//! Spans of requests that the server answers, with the conventions for HTTP servers.

use std::time::Duration;

use opentelemetry::KeyValue;
use opentelemetry::trace::{Span as _, SpanKind, Status};
use opentelemetry_sdk::trace::Span;

use super::{Otel, heard};
use crate::model::trace::TraceContext;

/// A request that is being answered.
pub struct ServerSpan {
    span: Span,
    method: &'static str,
    scheme: &'static str,
    /// For what is done on its behalf.
    pub context: TraceContext,
}

/// How a request was answered.
#[derive(Clone, Copy, Debug)]
pub struct Answered {
    /// The template of its path, if it has one.
    pub route: Option<&'static str>,
    /// Absent if the caller hung up before there was an answer.
    pub status: Option<u16>,
    /// Whether all of the answer was taken.
    pub whole: bool,
    /// From the head to the end.
    pub time: Duration,
}

/// Methods that are told apart.
const METHODS: [&str; 9] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "CONNECT", "TRACE"];

// === impl Otel ===

impl Otel {
    /// A request begins; `parent` is what its caller says that it belongs to.
    pub fn request(&self, method: &str, path: &str, secure: bool, parent: Option<&TraceContext>) -> ServerSpan {
        let method = METHODS.iter().find(|known| **known == method).copied().unwrap_or("_OTHER");
        let scheme = if secure { "https" } else { "http" };
        let attributes = vec![
            KeyValue::new("http.request.method", method),
            KeyValue::new("url.path", path.to_owned()),
            KeyValue::new("url.scheme", scheme),
        ];
        // The conventions' name for a method that isn't known.
        let name = if method == "_OTHER" { "HTTP" } else { method };
        let parent = parent.map(|parent| heard(parent, true));
        let (span, context) = self.span(name.to_owned(), SpanKind::Server, attributes, parent);
        ServerSpan { span, method, scheme, context }
    }

    /// A request is over.
    pub fn answered(&self, mut request: ServerSpan, answered: Answered) {
        let Answered { route, status, whole, time } = answered;
        let span = &mut request.span;
        let mut attributes =
            vec![KeyValue::new("http.request.method", request.method), KeyValue::new("url.scheme", request.scheme)];
        if let Some(route) = route {
            attributes.push(KeyValue::new("http.route", route));
            span.update_name(format!("{} {route}", if request.method == "_OTHER" { "HTTP" } else { request.method }));
        }
        let failed = match status {
            None => Some("client_disconnected".to_owned()),
            Some(status) => {
                attributes.push(KeyValue::new("http.response.status_code", i64::from(status)));
                (status >= 500).then(|| status.to_string())
            }
        };
        if let Some(failed) = failed {
            attributes.push(KeyValue::new("error.type", failed));
            // A caller who goes is no failure of the server's.
            if status.is_some() {
                span.set_status(Status::error(""));
            }
        }
        self.request_duration.record(time.as_secs_f64(), &attributes);
        if !whole {
            span.set_attribute(KeyValue::new("mortise.response.whole", false));
        }
        // The first two are there already.
        span.set_attributes(attributes.into_iter().skip(2));
        span.end();
    }
}
