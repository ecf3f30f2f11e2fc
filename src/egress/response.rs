//! Sending a request, and reading what comes back, within its time-outs.

use std::error::Error as _;
use std::pin::pin;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::header::{DATE, HeaderMap, HeaderName, HeaderValue, RETRY_AFTER};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper_util::client::legacy::connect::capture_connection;
use jiff::Timestamp;
use jiff::fmt::rfc2822;
use tokio::time::{Instant, timeout};

use super::connect::{self, AddressRefused, ConnectTimeout};
use super::frames::{self, Cutter};
use super::lanes::Open;
use super::{Egress, Target, request};
use crate::model::provider::{Frame, Framing, Head, HttpRequest};
use crate::model::trace::TraceContext;
use crate::model::{Error, Fault, Kind, Result};

/// How long and how much is read of a response that nobody wants any more, so that its connection can serve again.
const DRAIN: (Duration, usize) = (Duration::from_millis(500), 256 << 10);

/// Headers that say nothing to a provider: the connection's, the server's, a browser's, and the trace's.
const OURS: [&str; 15] = [
    "connection",
    "keep-alive",
    "transfer-encoding",
    "content-length",
    "content-encoding",
    "date",
    "server",
    "set-cookie",
    "vary",
    "via",
    "alt-svc",
    "strict-transport-security",
    "traceparent",
    "tracestate",
    "traceresponse",
];

/// A response whose head has arrived.
pub struct Response {
    /// Status and headers.
    pub head: Head,
    /// Absent once the body is over.
    body: Option<(Incoming, Open)>,
    cutter: Cutter,
    idle: Duration,
    provider: String,
}

/// What comes of waiting for more of a body.
#[derive(Debug, PartialEq)]
pub enum Piece {
    /// As many frames as have arrived; maybe none yet.
    Frames(Vec<Frame>),
    /// The body is over, as its framing promised.
    End,
    /// It broke off; the text says how.
    Broken(String),
}

// === impl Egress ===

impl Egress {
    /// Sends a guest's request to `target` and waits for the response's head; the vendor is told `trace` where the operator
    /// wants that.
    ///
    /// # Errors
    /// If the guest asked for what it may not, or no head came in time.
    pub async fn send(&self, target: &Target, request: HttpRequest, trace: Option<&TraceContext>) -> Result<Response> {
        let framing = request.framing;
        let mut request =
            request::build(&target.name, &target.base, target.credential.as_ref(), request, (self.now)())?;
        if let Some(trace) = trace.filter(|_| self.propagate) {
            request::propagate(&mut request, trace);
        }
        let mut connection = capture_connection(&mut request);
        let (client, open) = target.client();
        let mut sending = pin!(client.request(request));
        // The head's clock starts once there is a connection; the connector has a clock of its own.
        let early = tokio::select! {
            response = &mut sending => Some(response),
            _ = connection.wait_for_connection_metadata() => None,
        };
        let response = match early {
            Some(response) => response,
            None => timeout(target.timeouts.head, sending)
                .await
                .map_err(|_| target.late("sent no response", target.timeouts.head, "head"))?,
        };
        let response = response.map_err(|error| target.unreachable(&error))?;
        let (parts, body) = response.into_parts();
        let success = parts.status.is_success();
        let (framing, longest) = match framing {
            // An error is read in one piece.
            _ if !success => (Framing::Whole, self.max_body),
            Framing::Whole => (framing, self.max_body),
            _ => (framing, self.max_frame),
        };
        Ok(Response {
            head: Head { status: parts.status.as_u16(), headers: told(&parts.headers, (self.now)()) },
            body: Some((body, open)),
            cutter: Cutter::new(framing, longest),
            idle: target.timeouts.idle,
            provider: target.name.clone(),
        })
    }
}

/// The headers that a guest is told.
fn told(headers: &HeaderMap, now: SystemTime) -> Vec<(String, String)> {
    let wait = seconds_to_wait(headers, now);
    let text = |name: &HeaderName, value: &HeaderValue| match &wait {
        Some(seconds) if name == RETRY_AFTER => seconds.to_string(),
        _ => String::from_utf8_lossy(value.as_bytes()).into_owned(),
    };
    let told = headers.iter().filter(|(name, _)| !OURS.contains(&name.as_str()));
    told.map(|(name, value)| (name.as_str().to_owned(), text(name, value))).collect()
}

/// Seconds until the date that the server wants to be asked again, if it says so with a date: a guest has no clock. The server's
/// own counts, where it tells its time.
fn seconds_to_wait(headers: &HeaderMap, now: SystemTime) -> Option<i64> {
    let date =
        |name| headers.get(name)?.to_str().ok().and_then(|text| rfc2822::parse(text).ok()).map(|date| date.timestamp());
    let until = date(RETRY_AFTER)?;
    let now = date(DATE).or_else(|| Timestamp::try_from(now).ok())?;
    Some(until.duration_since(now).as_secs().max(0))
}

// === impl Target ===

impl Target {
    fn late(&self, what: &str, limit: Duration, setting: &str) -> Error {
        late(&self.name, what, limit, setting)
    }

    /// Why no response came: the caller learns what is the operator's to mend, but no address.
    fn unreachable(&self, error: &hyper_util::client::legacy::Error) -> Error {
        let mut cause = error.source();
        let mut words = error.to_string();
        while let Some(inner) = cause {
            if let Some(refused) = inner.downcast_ref::<AddressRefused>() {
                return connect::refused(&self.name, refused);
            }
            if inner.downcast_ref::<ConnectTimeout>().is_some() {
                return self.late("could not be connected to", self.timeouts.connect, "connect");
            }
            words = format!("{words}: {inner}");
            cause = inner.source();
        }
        let what =
            if error.is_connect() { "can't be connected to" } else { "closed the connection before it answered" };
        Error::new(Kind::Unavailable, Fault::Upstream, format!("the vendor of provider `{}` {what}", self.name))
            .with_private(words)
    }
}

pub(super) fn late(provider: &str, what: &str, limit: Duration, setting: &str) -> Error {
    Error::new(
        Kind::Timeout,
        Fault::Upstream,
        format!("the vendor of provider `{provider}` {what} within {} ms (timeouts.{setting})", limit.as_millis()),
    )
}

// === impl Response ===

impl Response {
    /// Waits for more of the body.
    ///
    /// # Errors
    /// If nothing came within the idle time-out, or a frame is longer than it may be.
    pub async fn piece(&mut self) -> Result<Piece> {
        let Some((body, _)) = &mut self.body else { return Ok(Piece::End) };
        let frame = match timeout(self.idle, body.frame()).await {
            Ok(frame) => frame,
            Err(_) => return Err(late(&self.provider, "sent nothing more", self.idle, "idle")),
        };
        match frame {
            Some(Ok(frame)) => match frame.into_data() {
                Ok(data) => self.cut(&data),
                Err(_) => Ok(Piece::Frames(Vec::new())),
            },
            Some(Err(error)) => {
                self.body = None;
                Ok(Piece::Broken(format!("the response broke off: {error}")))
            }
            None => {
                self.body = None;
                let frames = self.cutter.finish();
                if frames.is_empty() { Ok(Piece::End) } else { Ok(Piece::Frames(frames)) }
            }
        }
    }

    fn cut(&mut self, data: &Bytes) -> Result<Piece> {
        self.cutter.push(data).map(Piece::Frames).map_err(|fault| {
            self.body = None;
            let what = match fault {
                frames::Fault::TooLong => "at a length that isn't taken (egress.max_frame, egress.max_body)",
                frames::Fault::Unreadable => "in a form that can't be read",
            };
            let message = format!("the vendor of provider `{}` answered {what}", self.provider);
            Error::new(Kind::Upstream, Fault::Upstream, message)
        })
    }

    /// Lets go of a response whose end nobody waits for: what little is left of it is read, so that its connection can
    /// serve again.
    pub fn finish(mut self) {
        let Some((mut body, open)) = self.body.take() else { return };
        let drain = async move {
            let (within, mut left) = DRAIN;
            let deadline = Instant::now() + within;
            while let Ok(Some(Ok(frame))) = tokio::time::timeout_at(deadline, body.frame()).await {
                left = left.saturating_sub(frame.data_ref().map_or(1, Bytes::len));
                if left == 0 {
                    break;
                }
            }
            drop(open);
        };
        tokio::spawn(drain);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_to_wait_for_becomes_seconds() {
        let told = |headers: &[(&'static str, &'static str)]| {
            let headers =
                headers.iter().map(|&(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)));
            // 2026-10-21 07:28:00 UTC
            told(&headers.collect(), SystemTime::UNIX_EPOCH + Duration::from_secs(1_792_567_680))
        };
        let wait = |value| told(&[("retry-after", value)]).remove(0).1;
        assert_eq!(wait("Wed, 21 Oct 2026 07:28:30 GMT"), "30");
        assert_eq!(wait("Wed, 21 Oct 2026 07:27:00 GMT"), "0", "it is over");
        for other in ["120", "soon", ""] {
            assert_eq!(wait(other), other);
        }
        let theirs = [("date", "Wed, 21 Oct 2026 08:00:00 GMT"), ("retry-after", "Wed, 21 Oct 2026 08:00:07 GMT")];
        assert_eq!(told(&theirs), [("retry-after".to_owned(), "7".to_owned())]);
    }
}
