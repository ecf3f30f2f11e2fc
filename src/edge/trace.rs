//! One line in the log for each request, when its answer is over or its caller has hung up.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::header::{HeaderName, HeaderValue};
use http::{Method, Request, Response, StatusCode};
use http_body::{Body, Frame, SizeHint};
use tokio::time::Instant;

use crate::http::Reply;
use crate::http::body::ReplyBody;
use crate::model::id::RequestId;
use crate::model::{Error, Fault};
use crate::telemetry::stats::ActiveRequest;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// What is known of a request while it is served.
pub(super) struct Trace {
    id: RequestId,
    method: Method,
    /// Without the query, which may hold a token.
    path: String,
    template: Option<&'static str>,
    began: Instant,
    error: Option<Error>,
    _active: ActiveRequest,
}

/// A body that writes its request's line when it is over.
pub struct TracedBody {
    inner: ReplyBody,
    trace: Trace,
    status: StatusCode,
    bytes: u64,
    over: bool,
}

// === impl Trace ===

impl Trace {
    pub(super) fn begin<B>(id: RequestId, request: &Request<B>, active: ActiveRequest) -> Self {
        Self {
            id,
            method: request.method().clone(),
            path: request.uri().path().to_owned(),
            template: None,
            began: Instant::now(),
            error: None,
            _active: active,
        }
    }

    pub(super) fn id(&self) -> &RequestId {
        &self.id
    }

    pub(super) fn found(&mut self, template: &'static str) {
        self.template = Some(template);
    }

    pub(super) fn failed(&mut self, error: Error) {
        self.error = Some(error);
    }

    /// The answer, with the request's id, and with its line to be written.
    pub(super) fn answer(self, reply: Reply) -> Response<TracedBody> {
        let mut response = reply.into_response();
        if let Ok(id) = HeaderValue::from_str(self.id.as_str()) {
            response.headers_mut().insert(REQUEST_ID, id);
        }
        let status = response.status();
        response.map(|inner| TracedBody { inner, trace: self, status, bytes: 0, over: false })
    }
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
                self.bytes += frame.data_ref().map_or(0, |data| data.len() as u64);
                self.over = self.inner.is_end_stream();
            }
            Poll::Ready(None) => self.over = true,
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

impl Drop for TracedBody {
    fn drop(&mut self) {
        let Trace { id, method, path, template, began, error, .. } = &self.trace;
        let (status, bytes, id) = (self.status.as_u16(), self.bytes, id.as_str());
        let ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
        let route = template.unwrap_or_default();
        // HEAD has no body to finish, an empty one is over before it begins.
        let whole = self.over || self.inner.is_end_stream() || *method == Method::HEAD;
        let ending = if whole { "" } else { ", the caller hung up" };
        macro_rules! line {
            ($level:ident $(, $field:ident = $value:expr)*) => {
                tracing::$level!(request_id = id, route, status, ms, bytes $(, $field = $value)*, "{method} {path} {status} in {ms} ms{ending}")
            };
        }
        match error {
            None => line!(info),
            Some(error) => {
                let error_text = error.to_string();
                match error.fault() {
                    Fault::Caller => line!(info, error = error_text),
                    Fault::Upstream | Fault::Plugin => line!(warn, error = error_text),
                    Fault::Us => line!(error, error = error_text),
                }
            }
        }
    }
}
