//! What every answer has, whoever gave it.

use http::header::{HeaderMap, HeaderName, HeaderValue, ORIGIN, X_CONTENT_TYPE_OPTIONS};
use http::request::Parts;

use super::compress::{Accepted, Compressor};
use super::origin::Cors;
use crate::config::Compression;
use crate::http::{Reply, Surface};
use crate::model::id::RequestId;
use crate::service::limit::Standing;

const LIMIT: HeaderName = HeaderName::from_static("x-ratelimit-limit");
const REMAINING: HeaderName = HeaderName::from_static("x-ratelimit-remaining");
const RESET: HeaderName = HeaderName::from_static("x-ratelimit-reset");
const NOSNIFF: HeaderValue = HeaderValue::from_static("nosniff");

/// Dresses answers.
pub(super) struct Dress {
    compressor: Compressor,
}

/// What a request says of how it wants its answer.
pub(super) struct Asked {
    origin: Option<HeaderValue>,
    accepted: Accepted,
}

// === impl Dress ===

impl Dress {
    pub(super) fn new(compression: Compression) -> Self {
        Self { compressor: Compressor::new(compression) }
    }

    pub(super) fn asked(&self, parts: &Parts) -> Asked {
        Asked { origin: parts.headers.get(ORIGIN).and_then(own), accepted: Accepted::of(&parts.headers) }
    }

    pub(super) async fn apply(&self, asked: &Asked, cors: &Cors, standing: Option<Standing>, reply: Reply) -> Reply {
        let mut reply = self.compressor.apply(&asked.accepted, reply).await;
        // A browser must not take an answer for something else than it says it is.
        reply.headers.insert(X_CONTENT_TYPE_OPTIONS, NOSNIFF);
        cors.tell(asked.origin.as_ref(), &mut reply.headers);
        if let Some(standing) = standing {
            show(standing, &mut reply.headers);
        }
        reply
    }
}

/// A copy that doesn't keep the head's buffer alive.
fn own(value: &HeaderValue) -> Option<HeaderValue> {
    HeaderValue::from_bytes(value.as_bytes()).ok()
}

/// Names the request as the answers of the surface's vendor do; our own name for it is put on by its trace.
pub(super) fn named(surface: &Surface, id: &RequestId, mut reply: Reply) -> Reply {
    if let Some((name, write)) = surface.vendor_id
        && let Ok(id) = HeaderValue::try_from(write(id))
    {
        reply.headers.insert(HeaderName::from_static(name), id);
    }
    reply
}

fn show(standing: Standing, headers: &mut HeaderMap) {
    headers.insert(LIMIT, standing.rate.limit.into());
    headers.insert(REMAINING, standing.remaining.into());
    headers.insert(RESET, standing.reset.into());
}
