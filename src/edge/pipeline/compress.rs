//! Bodies for callers who can read them shorter. Streams of events go out as they are: a word must not wait for the next.

use std::io::{self, Write};

use bytes::Bytes;
use flate2::Compression as Level;
use flate2::write::GzEncoder;
use http::header::{ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_TYPE, ETAG, HeaderMap, HeaderValue, VARY};
use quick_cache::Weighter;
use quick_cache::sync::Cache;

use http::StatusCode;

use crate::config;
use crate::http::Reply;
use crate::http::body::ReplyBody;

/// From this size on, others of the same worker shouldn't wait for it.
const LONG: usize = 64 << 10;
/// What compressed static bodies may hold.
const CACHE_BYTES: u64 = 16 << 20;

/// Compresses answers.
pub(super) struct Compressor {
    settings: config::Compression,
    /// Static bodies, by what names them.
    cache: Cache<(HeaderValue, Coding), Bytes, ByLength>,
}

/// How a body can be written shorter, the best for a server first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Coding {
    Zstd,
    Brotli,
    Gzip,
}

#[derive(Clone)]
struct ByLength;

// === impl Compressor ===

impl Compressor {
    pub(super) fn new(settings: config::Compression) -> Self {
        Self { settings, cache: Cache::with_weighter(64, CACHE_BYTES, ByLength) }
    }

    /// `reply` for a caller who sent these headers.
    pub(super) async fn apply(&self, asked: &Accepted, mut reply: Reply) -> Reply {
        if reply.status == StatusCode::NOT_MODIFIED && self.settings.enabled {
            reply.headers.append(VARY, HeaderValue::from_name(ACCEPT_ENCODING));
        }
        let ReplyBody::Whole(Some(body)) = &reply.body else { return reply };
        let written = reply.headers.contains_key(CONTENT_ENCODING);
        if !self.settings.enabled || written || body.len() < self.settings.min_bytes || !is_text(&reply.headers) {
            return reply;
        }
        reply.headers.append(VARY, HeaderValue::from_name(ACCEPT_ENCODING));
        let Some(coding) = asked.0 else { return reply };
        let named = reply.headers.get(ETAG).cloned();
        let known = named.clone().and_then(|name| self.cache.get(&(name, coding)));
        let shorter = match known {
            Some(shorter) => shorter,
            None => {
                let Some(shorter) = compress(coding, body.clone()).await else { return reply };
                if let Some(name) = &named {
                    self.cache.insert((name.clone(), coding), shorter.clone());
                }
                shorter
            }
        };
        reply.headers.insert(CONTENT_ENCODING, HeaderValue::from_static(coding.name()));
        // The bytes are others now; what they mean is the same.
        let weak = named.and_then(|name| HeaderValue::from_str(&format!("W/{}", name.to_str().ok()?)).ok());
        if let Some(weak) = weak.filter(|weak| !weak.as_bytes().starts_with(b"W/W/")) {
            reply.headers.insert(ETAG, weak);
        }
        reply.body = ReplyBody::Whole(Some(shorter));
        reply
    }
}

/// The body in `coding`, if that is shorter.
async fn compress(coding: Coding, body: Bytes) -> Option<Bytes> {
    let length = body.len();
    let written = if length < LONG {
        coding.write(&body)
    } else {
        tokio::task::spawn_blocking(move || coding.write(&body))
            .await
            .unwrap_or_else(|error| Err(io::Error::other(error)))
    };
    match written {
        Ok(shorter) => Some(Bytes::from(shorter)).filter(|shorter| shorter.len() < length),
        Err(error) => {
            tracing::warn!(%error, "an answer could not be compressed and goes out as it is");
            None
        }
    }
}

fn is_text(headers: &HeaderMap) -> bool {
    let Some(kind) = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()) else { return false };
    let mime = kind.split(';').next().unwrap_or_default().trim();
    mime.starts_with("text/")
        || mime.ends_with("json")
        || matches!(
            mime,
            "application/javascript" | "application/yaml" | "application/openmetrics-text" | "image/svg+xml"
        )
}

// === impl Coding ===

impl Coding {
    fn name(self) -> &'static str {
        match self {
            Self::Zstd => "zstd",
            Self::Brotli => "br",
            Self::Gzip => "gzip",
        }
    }

    fn write(self, body: &[u8]) -> io::Result<Vec<u8>> {
        let room = Vec::with_capacity(body.len() / 3);
        match self {
            Self::Zstd => zstd::bulk::compress(body, 3),
            Self::Brotli => {
                let mut writer = brotli::CompressorWriter::new(room, 4096, 4, 20);
                writer.write_all(body)?;
                writer.flush()?;
                Ok(writer.into_inner())
            }
            Self::Gzip => {
                let mut writer = GzEncoder::new(room, Level::new(5));
                writer.write_all(body)?;
                writer.finish()
            }
        }
    }
}

// === impl ByLength ===

impl Weighter<(HeaderValue, Coding), Bytes> for ByLength {
    fn weight(&self, _: &(HeaderValue, Coding), body: &Bytes) -> u64 {
        body.len() as u64
    }
}

/// What a caller can read that is also written here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Accepted(Option<Coding>);

impl Accepted {
    /// The best of what `headers` accept: by the caller's weights, then by the server's order.
    pub(super) fn of(headers: &HeaderMap) -> Self {
        let (mut weights, mut others, mut as_it_is) = ([None; 3], None, 0.0);
        for value in headers.get_all(ACCEPT_ENCODING) {
            for item in value.to_str().unwrap_or_default().split(',') {
                let mut parts = item.split(';').map(str::trim);
                let name = parts.next().unwrap_or_default().to_ascii_lowercase();
                let weight = parts.find_map(|part| part.strip_prefix("q=").or_else(|| part.strip_prefix("Q=")));
                let weight: f32 = weight.map_or(1.0, |text| text.parse().unwrap_or(0.0));
                let [zstd, brotli, gzip] = &mut weights;
                match &*name {
                    "zstd" => *zstd = Some(weight),
                    "br" => *brotli = Some(weight),
                    "gzip" | "x-gzip" => *gzip = Some(weight),
                    "*" => others = Some(weight),
                    "identity" => as_it_is = weight,
                    _ => {}
                }
            }
        }
        let codings = [Coding::Zstd, Coding::Brotli, Coding::Gzip].into_iter().zip(weights);
        let offers = codings.filter_map(|(coding, weight)| Some((coding, weight.or(others)?)));
        // Of equals, the first.
        let best = offers
            .filter(|(_, weight)| *weight > as_it_is)
            .reduce(|best, next| if next.1 > best.1 { next } else { best });
        Self(best.map(|(coding, _)| coding))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accepted(text: &str) -> Option<Coding> {
        Accepted::of(&HeaderMap::from_iter([(ACCEPT_ENCODING, text.parse().unwrap())])).0
    }

    #[test]
    fn the_caller_s_weights_decide_then_the_server_s_order() {
        assert_eq!(accepted("gzip, deflate, br, zstd"), Some(Coding::Zstd));
        assert_eq!(accepted("gzip, br;q=0.9"), Some(Coding::Gzip));
        assert_eq!(accepted("GZIP;q=0.5, br;q=0.8"), Some(Coding::Brotli));
        assert_eq!(accepted("*"), Some(Coding::Zstd));
        assert_eq!(accepted("*, zstd;q=0"), Some(Coding::Brotli));
        assert_eq!(accepted("gzip, identity;q=0.5"), Some(Coding::Gzip));
        assert_eq!(accepted("identity;q=0, *;q=0.1"), Some(Coding::Zstd));
        for nothing in
            ["gzip;q=0.5, identity", "gzip;q=NaN", "", "identity", "deflate", "gzip;q=0", "gzip;q=nonsense", "*;q=0"]
        {
            assert_eq!(accepted(nothing), None, "{nothing}");
        }
    }

    #[tokio::test]
    async fn what_is_written_is_what_was_said() {
        let compressor = Compressor::new(config::Compression::default());
        let body = Bytes::from("the same words again and again; ".repeat(4000));
        for (coding, read) in [
            (Coding::Zstd, (|bytes| zstd::bulk::decompress(bytes, 1 << 20).unwrap()) as fn(&[u8]) -> Vec<u8>),
            (Coding::Gzip, |bytes| io::Read::bytes(flate2::read::GzDecoder::new(bytes)).map(Result::unwrap).collect()),
            (Coding::Brotli, |bytes| {
                io::Read::bytes(brotli::Decompressor::new(bytes, 4096)).map(Result::unwrap).collect()
            }),
        ] {
            for _ in 0..2 {
                let mut reply = Reply::whole(http::StatusCode::OK, "application/json", body.clone());
                reply.headers.insert(ETAG, HeaderValue::from_static("\"x\""));
                let reply = compressor.apply(&Accepted(Some(coding)), reply).await;
                assert_eq!(reply.headers[CONTENT_ENCODING], coding.name());
                assert_eq!(reply.headers[ETAG], "W/\"x\"");
                let ReplyBody::Whole(Some(shorter)) = reply.body else { panic!("no body") };
                assert_eq!(read(&shorter), body);
            }
        }
    }

    #[tokio::test]
    async fn what_isn_t_worth_it_stays() {
        let compressor = Compressor::new(config::Compression::default());
        for (mime, length) in [("application/json", 100), ("image/png", 100_000)] {
            let reply = Reply::whole(http::StatusCode::OK, mime, Bytes::from(vec![b' '; length]));
            let reply = compressor.apply(&Accepted(Some(Coding::Gzip)), reply).await;
            assert!(!reply.headers.contains_key(CONTENT_ENCODING) && !reply.headers.contains_key(VARY), "{mime}");
        }
    }
}
