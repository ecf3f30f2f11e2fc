//! What operators learn of each request, when its answer is over or its caller has hung up: a line in the log, counts, a span.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::header::{HeaderName, HeaderValue};
use http::{HeaderMap, Method, Request, Response, StatusCode};
use http_body::{Body, Frame, SizeHint};
use tokio::time::Instant;

use super::Peer;
use super::capacity::Room;
use crate::http::Reply;
use crate::http::body::{Held, ReplyBody};
use crate::model::caller::Caller;
use crate::model::id::RequestId;
use crate::model::trace::TraceContext;
use crate::model::{Error, Fault, Kind};
use crate::telemetry::Telemetry;
use crate::telemetry::metrics::HUNG_UP;
use crate::telemetry::otel::{Answered, ServerSpan};

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// What of a path stands in the log and in traces: a caller may fill a head with it.
const LONGEST_PATH: usize = 512;
/// What of an error stands in the log.
const LONGEST_ERROR: usize = 2048;

/// What is known of a request while it is served.
pub(super) struct Trace {
    id: RequestId,
    method: Method,
    /// Without the query, which may hold a token.
    path: String,
    template: Option<&'static str>,
    surface: &'static str,
    /// Who asks; nobody until that is known.
    caller: Option<Arc<str>>,
    began: Instant,
    error: Option<Error>,
    /// Absent while there is no answer.
    status: Option<StatusCode>,
    bytes: u64,
    /// Whether the answer went out whole.
    over: bool,
    telemetry: Arc<Telemetry>,
    /// Absent where nothing is traced, and small there.
    span: Option<Box<ServerSpan>>,
    _body: Option<Held>,
    _room: Option<Room>,
}

/// A body that counts for its request's line.
pub struct TracedBody {
    inner: ReplyBody,
    trace: Trace,
}

// === impl Trace ===

impl Trace {
    pub(super) fn begin<B>(id: RequestId, request: &Request<B>, peer: &Peer, telemetry: Arc<Telemetry>) -> Self {
        telemetry.metrics.http.begin();
        let path = cut(request.uri().path(), LONGEST_PATH);
        let span = telemetry.otel.as_ref().map(|otel| {
            let parent = parent(request.headers());
            Box::new(otel.request(request.method().as_str(), &path, peer.secure, parent.as_ref()))
        });
        Self {
            id,
            method: request.method().clone(),
            path,
            template: None,
            surface: "",
            caller: None,
            began: Instant::now(),
            error: None,
            status: None,
            bytes: 0,
            over: false,
            telemetry,
            span,
            _body: None,
            _room: None,
        }
    }

    pub(super) fn id(&self) -> &RequestId {
        &self.id
    }

    /// What is done for the request belongs here.
    pub(super) fn context(&self) -> Option<TraceContext> {
        self.span.as_ref().map(|span| span.context.clone())
    }

    pub(super) fn found(&mut self, template: &'static str) {
        self.template = Some(template);
    }

    /// Who asks.
    pub(super) fn asked_by(&mut self, caller: &Caller) {
        self.caller = Some(caller.principal.clone());
    }

    /// The part of the API that answers.
    pub(super) fn of(&mut self, surface: &'static str) {
        self.surface = surface;
    }

    /// Holds on to the memory of the request's body until its answer is over.
    pub(super) fn hold_body(&mut self, body: Held) {
        self._body = Some(body);
    }

    /// Holds on to the request's room until its answer is over.
    pub(super) fn hold_room(&mut self, room: Room) {
        self._room = Some(room);
    }

    pub(super) fn failed(&mut self, error: Error) {
        self.error = Some(error);
    }

    /// The answer, with the request's id, and with its line to be written.
    pub(super) fn answer(mut self, reply: Reply) -> Response<TracedBody> {
        let mut response = reply.into_response();
        if let Ok(id) = HeaderValue::from_str(self.id.as_str()) {
            response.headers_mut().insert(REQUEST_ID, id);
        }
        self.status = Some(response.status());
        // HEAD has no body to finish, an empty one is over before it begins.
        self.over = self.method == Method::HEAD || response.body().is_end_stream();
        response.map(|inner| TracedBody { inner, trace: self })
    }
}

/// The trace that the caller says that its request belongs to; more than one is none.
fn parent(headers: &HeaderMap) -> Option<TraceContext> {
    let mut parents = headers.get_all("traceparent").iter();
    let (Some(parent), None) = (parents.next(), parents.next()) else { return None };
    let states: Vec<&str> = headers.get_all("tracestate").iter().filter_map(|state| state.to_str().ok()).collect();
    let state = (!states.is_empty()).then(|| states.join(","));
    TraceContext::parse(parent.to_str().ok()?, state.as_deref())
}

// === impl TracedBody ===

impl Body for TracedBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let piece = Pin::new(&mut self.inner).poll_frame(context);
        match &piece {
            Poll::Ready(Some(Ok(frame))) => {
                self.trace.bytes += frame.data_ref().map_or(0, |data| data.len() as u64);
                self.trace.over = self.inner.is_end_stream();
            }
            Poll::Ready(None) => self.trace.over = true,
            _ => {}
        }
        piece
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

impl Drop for Trace {
    fn drop(&mut self) {
        let time = self.began.elapsed();
        let status = self.status.map(|status| status.as_u16());
        let http = &self.telemetry.metrics.http;
        http.end(self.method.as_str(), self.template, status.unwrap_or(HUNG_UP), time);
        let trace = self.context().map(tracing::field::display);
        if let (Some(otel), Some(span)) = (&self.telemetry.otel, self.span.take()) {
            otel.answered(*span, Answered { route: self.template, status, whole: self.over, time });
        }
        let Self { id, method, path, template, surface, caller, error, bytes, .. } = self;
        let (status, bytes, id) = (status.unwrap_or_default(), *bytes, id.as_str());
        let ms = u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        let route = template.unwrap_or_default();
        let ending = if self.over { "" } else { ", the caller hung up" };
        macro_rules! line {
            ($level:ident $(, $field:ident = $value:expr)*) => {
                tracing::$level!(request_id = id, trace_id = trace, surface, route, caller = caller.as_deref(), status, ms, bytes $(, $field = $value)*, "{method} {path} {status} in {ms} ms{ending}")
            };
        }
        match error {
            None => line!(info),
            Some(error) => {
                let text = cut(&error.to_string(), LONGEST_ERROR);
                match error.fault() {
                    Fault::Caller => line!(info, error = text),
                    Fault::Upstream | Fault::Plugin => line!(warn, error = text),
                    // An attacker must not be able to fill the log with what looks like failures.
                    Fault::Us if error.kind() == Kind::Overloaded => line!(warn, error = text),
                    Fault::Us => line!(error, error = text),
                }
            }
        }
    }
}

/// The beginning of what a caller may have made long.
fn cut(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}
