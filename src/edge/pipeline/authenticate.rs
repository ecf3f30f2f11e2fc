//! Who asks: static keys, recognised in constant time.

use std::net::IpAddr;
use std::sync::Arc;

use http::header::{AUTHORIZATION, HeaderName};
use http::{HeaderMap, HeaderValue};
use sha2::{Digest, Sha256};
use subtle::{ConstantTimeEq, CtOption};

use crate::http::Access;
use crate::model::caller::Caller;
use crate::model::{Error, Kind, Result};

const API_KEY: HeaderName = HeaderName::from_static("x-api-key");

/// Keys shorter than this can be guessed.
const SHORT: usize = 16;

/// Knows the keys.
pub(super) struct Authenticator {
    /// Whether callers must show one.
    asks: bool,
    keys: Vec<Known>,
}

/// A key that the operator set. What it is isn't kept.
struct Known {
    digest: [u8; 32],
    /// Names its owner in logs and wherever callers are kept apart.
    fingerprint: Arc<str>,
}

/// What a caller shows.
enum Shown<'h> {
    Nothing,
    /// Characters that no key has.
    Garbage,
    Key(&'h [u8]),
}

// === impl Authenticator ===

impl Authenticator {
    /// Knows `keys`, and asks for one if `enabled`, or if it isn't said and there are some.
    ///
    /// # Errors
    /// If a key is asked for and there is none.
    pub(super) fn new(enabled: Option<bool>, keys: &[String]) -> Result<Self> {
        let asks = enabled.unwrap_or(!keys.is_empty());
        if asks && keys.is_empty() {
            return Err(Error::internal(
                "server.auth.enabled asks for keys, but there is none; set MORTISE_API_KEY, MORTISE_API_KEYS or server.auth.api_key",
            ));
        }
        if keys.iter().any(|key| key.len() < SHORT) {
            tracing::warn!(
                "a key of callers has less than {SHORT} characters and can be guessed; `openssl rand -hex 32` makes a better one"
            );
        }
        Ok(Self { asks, keys: keys.iter().map(|key| Known::new(key)).collect() })
    }

    /// Whether callers must show a key.
    pub(super) fn asks(&self) -> bool {
        self.asks
    }

    /// Who asks from `address` for something that `access` may ask for.
    ///
    /// # Errors
    /// If a key is needed and none is shown, or a wrong one. A token that has the shape of a JWT must be a good one, always.
    pub(super) fn identify(
        &self,
        headers: &HeaderMap,
        access: Access,
        address: IpAddr,
        surface: &'static str,
    ) -> Result<Caller> {
        match shown(headers) {
            Shown::Key(key) => match self.owner(key) {
                Some(fingerprint) => Ok(Caller::with_key(fingerprint, address, surface)),
                // Whatever is shown where nothing is asked for, a good key still names its owner.
                None if access == Access::Anyone => Ok(Caller::anonymous(address, surface)),
                None if is_jwt(key) => Err(refused("the token is not valid, or has expired; log in again")),
                None if self.asks => Err(refused("the API key is not valid")),
                None => Ok(Caller::anonymous(address, surface)),
            },
            _ if access == Access::Anyone => Ok(Caller::anonymous(address, surface)),
            Shown::Nothing if self.asks => {
                Err(refused("an API key is needed; send it as `X-API-Key: KEY` or `Authorization: Bearer KEY`"))
            }
            Shown::Garbage if self.asks => Err(refused("the API key is not valid")),
            _ => Ok(Caller::anonymous(address, surface)),
        }
    }

    /// Compares with every key, however early one fits: how long it takes tells nothing.
    fn owner(&self, key: &[u8]) -> Option<Arc<str>> {
        if self.keys.is_empty() {
            return None;
        }
        let digest = digest(key);
        let none = CtOption::new(0, 0.into());
        let found =
            self.keys.iter().zip(0u64..).fold(none, |found, (known, index)| {
                found.or_else(|| CtOption::new(index, known.digest.ct_eq(&digest)))
            });
        let index = usize::try_from(Option::<u64>::from(found)?).ok()?;
        self.keys.get(index).map(|known| known.fingerprint.clone())
    }
}

// === impl Known ===

impl Known {
    fn new(key: &str) -> Self {
        let digest = digest(key.as_bytes());
        let [a, b, c, d, ..] = digest;
        Self { digest, fingerprint: format!("key-{a:02x}{b:02x}{c:02x}{d:02x}").into() }
    }
}

fn digest(key: &[u8]) -> [u8; 32] {
    Sha256::digest(key).into()
}

/// `X-API-Key` first, then `Authorization: Bearer`.
fn shown(headers: &HeaderMap) -> Shown<'_> {
    let filled = |value: &&[u8]| !value.is_empty();
    if let Some(key) = headers.get(API_KEY).map(|value| value.as_bytes().trim_ascii()).filter(filled) {
        return Shown::Key(key);
    }
    let Some(value) = headers.get(AUTHORIZATION).map(HeaderValue::as_bytes) else { return Shown::Nothing };
    let Some((scheme, rest)) = value.split_at_checked(BEARER.len()) else { return Shown::Garbage };
    let key = rest.trim_ascii();
    if scheme.eq_ignore_ascii_case(BEARER) && !key.is_empty() { Shown::Key(key) } else { Shown::Garbage }
}

const BEARER: &[u8] = b"bearer ";

/// Three parts of base64url, the first of which begins as a JSON object does.
fn is_jwt(key: &[u8]) -> bool {
    let base64url = |part: &[u8]| {
        !part.is_empty() && part.iter().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
    };
    key.starts_with(b"eyJ")
        && key.split(|byte| *byte == b'.').count() == 3
        && key.split(|byte| *byte == b'.').all(base64url)
}

fn refused(what: &str) -> Error {
    Error::caller(Kind::Unauthenticated, what)
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "0123456789abcdef-one";
    const JWT: &str = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln";

    fn ask(keys: &[&str], enabled: Option<bool>, headers: &[(&str, &str)]) -> Result<String> {
        let keys: Vec<String> = keys.iter().map(|key| (*key).to_owned()).collect();
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.insert(HeaderName::from_bytes(name.as_bytes()).unwrap(), value.parse().unwrap());
        }
        let authenticator = Authenticator::new(enabled, &keys).unwrap();
        let caller = authenticator.identify(&map, Access::Caller, IpAddr::from([192, 0, 2, 1]), "chat")?;
        Ok(caller.principal.to_string())
    }

    #[test]
    fn keys_are_recognised_in_either_header() {
        let keys = ["0123456789abcdef-two", KEY];
        for headers in [
            vec![("x-api-key", KEY)],
            vec![("authorization", &*format!("Bearer {KEY}"))],
            vec![("authorization", &*format!("bearer  {KEY} "))],
            vec![("x-api-key", KEY), ("authorization", "Bearer wrong")],
            vec![("x-api-key", ""), ("authorization", &*format!("BEARER {KEY}"))],
        ] {
            let name = ask(&keys, None, &headers).unwrap();
            assert!(name.starts_with("key-") && !name.contains("0123456789abcdef-one"), "{name}");
            assert_eq!(name, ask(&[KEY], None, &headers).unwrap(), "a name doesn't depend on other keys");
        }
        assert_ne!(
            ask(&keys, None, &[("x-api-key", KEY)]).unwrap(),
            ask(&keys, None, &[("x-api-key", "0123456789abcdef-two")]).unwrap()
        );
    }

    #[test]
    fn who_shows_no_good_key_is_refused() {
        for headers in [
            vec![],
            vec![("x-api-key", "wrong")],
            vec![("x-api-key", "wrong"), ("authorization", &*format!("Bearer {KEY}"))],
            vec![("authorization", KEY)],
            vec![("authorization", "Bearer ")],
            vec![("authorization", "Basic dXNlcjpwYXNz")],
            vec![("authorization", &*format!("Bearer {KEY}x"))],
            vec![("authorization", JWT)],
        ] {
            assert_eq!(ask(&[KEY], None, &headers).unwrap_err().kind(), Kind::Unauthenticated, "{headers:?}");
        }
    }

    #[test]
    fn where_no_key_is_asked_for_any_is_ignored_but_tokens_are_not() {
        for headers in [vec![], vec![("x-api-key", "not-needed")], vec![("authorization", "Bearer a.b.c")]] {
            assert_eq!(ask(&[], None, &headers).unwrap(), "192.0.2.1", "{headers:?}");
            assert_eq!(ask(&[KEY], Some(false), &headers).unwrap(), "192.0.2.1", "{headers:?}");
        }
        assert!(ask(&[KEY], Some(false), &[("x-api-key", KEY)]).unwrap().starts_with("key-"));
        assert!(ask(&[], None, &[("authorization", &format!("Bearer {JWT}"))]).is_err());
    }

    #[test]
    fn asking_for_keys_without_having_any_is_a_mistake() {
        assert!(Authenticator::new(Some(true), &[]).is_err());
    }
}
