//! Bodies that never change while the server runs: whoever has one already is told so.

use std::sync::OnceLock;

use bytes::Bytes;
use http::header::{CACHE_CONTROL, ETAG, HeaderValue, IF_NONE_MATCH};
use http::{HeaderMap, StatusCode};
use sha2::{Digest, Sha256};

use super::Reply;

/// A body, and the name of exactly these bytes.
#[derive(Clone, Debug)]
pub struct Fixed {
    bytes: Bytes,
    mime: &'static str,
    /// Made when it is first asked for: a start shouldn't read what nobody may want.
    etag: OnceLock<Option<HeaderValue>>,
}

// === impl Fixed ===

impl Fixed {
    /// `bytes`, which are of the type `mime`.
    pub const fn new(bytes: Bytes, mime: &'static str) -> Self {
        Self { bytes, mime, etag: OnceLock::new() }
    }

    /// A file that is part of the program.
    pub const fn file(bytes: &'static [u8], mime: &'static str) -> Self {
        Self::new(Bytes::from_static(bytes), mime)
    }

    /// The body.
    pub fn bytes(&self) -> &Bytes {
        &self.bytes
    }

    /// The answer to a request with these headers: the body, or that the caller has it already.
    pub fn reply(&self, asked: &HeaderMap) -> Reply {
        let etag = self.etag.get_or_init(|| {
            let digest: String = Sha256::digest(&self.bytes).iter().map(|byte| format!("{byte:02x}")).collect();
            HeaderValue::try_from(format!("\"{digest}\"")).ok()
        });
        let known = etag.as_ref().is_some_and(|etag| names(asked, etag));
        let mut reply = if known {
            Reply::empty(StatusCode::NOT_MODIFIED)
        } else {
            Reply::whole(StatusCode::OK, self.mime, self.bytes.clone())
        };
        if let Some(etag) = etag {
            reply.headers.insert(ETAG, etag.clone());
        }
        // It may be kept, but an upgraded server may say something else: ask before it is used.
        reply.headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        reply
    }
}

/// By the weak comparison that `If-None-Match` asks for: what was compressed on its way is still known.
fn names(asked: &HeaderMap, etag: &HeaderValue) -> bool {
    let lists = asked.get_all(IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
    let mut tags = lists.flat_map(|list| list.split(',')).map(str::trim);
    tags.any(|tag| tag == "*" || tag.strip_prefix("W/").unwrap_or(tag).as_bytes() == etag.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    const TAG: &str = "\"44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a\"";

    fn status(tags: &[&str]) -> u16 {
        let mut headers = HeaderMap::new();
        for tag in tags {
            headers.append(IF_NONE_MATCH, HeaderValue::from_str(tag).unwrap());
        }
        let reply = Fixed::file(b"{}", "application/json").reply(&headers);
        assert_eq!(reply.headers[ETAG], TAG);
        assert_eq!(reply.headers[CACHE_CONTROL], "no-cache");
        reply.status.as_u16()
    }

    #[test]
    fn what_is_known_is_not_sent_again() {
        let (weak, list) = (format!("W/{TAG}"), format!("\"a\" , {TAG}"));
        for known in [vec![TAG], vec!["*"], vec![&weak], vec![&list], vec!["\"a\"", TAG]] {
            assert_eq!(status(&known), 304, "{known:?}");
        }
        for other in [vec![], vec![""], vec!["\"a\""], vec![TAG.trim_matches('"')], vec!["\"*\""]] {
            assert_eq!(status(&other), 200, "{other:?}");
        }
    }
}
