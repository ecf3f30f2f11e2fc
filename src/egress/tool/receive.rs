//! What comes back: without the connection's headers, without credentials, and no more of it than a call may take.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{CONTENT_ENCODING, HeaderValue};
use http::{HeaderMap, Response};
use http_body_util::{BodyExt, StreamBody};
use hyper::body::{Frame, Incoming};
use tokio::time::timeout;

use super::super::lanes::Open;
use super::leak::Scanner;
use super::{Budget, Door, Refusal, ToolBody};

/// Headers of a response that are the connection's.
const HOP: [&str; 6] = ["connection", "keep-alive", "proxy-authenticate", "trailer", "transfer-encoding", "upgrade"];

/// A response's body as it is read.
struct Reading {
    body: Incoming,
    scanner: Scanner,
    budget: Arc<Budget>,
    idle: Duration,
    over: bool,
    _open: Open,
}

// === impl Door ===

impl Door {
    /// The response as the guest may read it.
    pub(super) fn receive(
        &self,
        response: Response<Incoming>,
        open: Open,
        budget: Arc<Budget>,
        idle: Duration,
    ) -> Result<Response<ToolBody>, Refusal> {
        let (mut parts, body) = response.into_parts();
        for name in HOP {
            parts.headers.remove(name);
        }
        let plain = parts.headers.get(CONTENT_ENCODING).is_none_or(|coding| coding.as_bytes() == b"identity");
        if !self.secrets.is_empty() {
            if !plain {
                return Err(Refusal::Leak(format!(
                    "a response to plugin `{}` was withheld: it is compressed, so nobody can tell whether it repeats a \
                     credential (plugins.grants.{}.secrets)",
                    self.plugin, self.plugin
                )));
            }
            parts.headers = self.cleaned(parts.headers);
        }
        let scanner = Scanner::new(self.secrets.clone(), &self.plugin);
        let reading = Reading { body, scanner, budget, idle, over: false, _open: open };
        let stream = futures_util::stream::unfold(Some(reading), |reading| async move {
            let mut reading = reading?;
            match reading.next().await {
                Some(Ok(bytes)) => Some((Ok(Frame::data(bytes)), Some(reading))),
                Some(Err(refusal)) => Some((Err(refusal), None)),
                None => None,
            }
        });
        Ok(Response::from_parts(parts, StreamBody::new(stream).boxed_unsync()))
    }

    /// The headers without credentials in their values.
    fn cleaned(&self, headers: HeaderMap) -> HeaderMap {
        let mut scanner = Scanner::new(self.secrets.clone(), &self.plugin);
        let mut clean = |value: HeaderValue| {
            let cleaned = scanner.whole(value.as_bytes());
            HeaderValue::from_bytes(&cleaned).unwrap_or(HeaderValue::from_static("[secret]"))
        };
        let mut last = None;
        let mut out = HeaderMap::with_capacity(headers.len());
        for (name, value) in headers {
            last = name.or(last);
            if let Some(name) = &last {
                out.append(name.clone(), clean(value));
            }
        }
        out
    }
}

// === impl Reading ===

impl Reading {
    /// More of it, without credentials; what might be the beginning of one waits for what follows.
    async fn next(&mut self) -> Option<Result<Bytes, Refusal>> {
        while !self.over {
            let Ok(frame) = timeout(self.idle, self.body.frame()).await else { return Some(Err(Refusal::Late)) };
            let bytes = match frame {
                None => {
                    self.over = true;
                    self.scanner.finish()
                }
                Some(Err(error)) => return Some(Err(Refusal::Broken(error.to_string()))),
                Some(Ok(frame)) => {
                    let Ok(data) = frame.into_data() else { continue };
                    if let Err(refusal) = self.budget.download(data.len() as u64) {
                        return Some(Err(refusal));
                    }
                    self.scanner.more(data)
                }
            };
            if !bytes.is_empty() {
                return Some(Ok(bytes));
            }
        }
        None
    }
}
