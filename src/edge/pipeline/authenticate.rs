//! Who asks: a token, a key that is kept, or a static key, recognised by its shape; and whether that is enough.

use std::net::IpAddr;
use std::sync::Arc;

use http::header::{AUTHORIZATION, HeaderName};
use http::{HeaderMap, HeaderValue, Method};
use sha2::{Digest, Sha256};
use subtle::{ConstantTimeEq, CtOption};

use crate::http::Access;
use crate::model::account::{Credential, Member, Right};
use crate::model::caller::{Caller, Identity};
use crate::model::{Error, Fault, Kind, Result};
use crate::service::access::{Accounts, KEY_PREFIXES};

const API_KEY: HeaderName = HeaderName::from_static("x-api-key");

/// Keys shorter than this can be guessed.
const SHORT: usize = 16;

/// Knows callers.
pub(super) struct Authenticator {
    /// Whether callers must show a key.
    asks: bool,
    keys: Vec<Known>,
    accounts: Arc<Accounts>,
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
    /// Knows `keys` and `accounts`, and asks for a key if `enabled`, or if it isn't said and there are some in the configuration.
    pub(super) fn new(enabled: Option<bool>, keys: &[String], accounts: Arc<Accounts>) -> Self {
        if keys.iter().any(|key| key.len() < SHORT) {
            tracing::warn!(
                "a key of callers has less than {SHORT} characters and can be guessed; `openssl rand -hex 32` makes a better one"
            );
        }
        let asks = enabled.unwrap_or(!keys.is_empty());
        Self { asks, keys: keys.iter().map(|key| Known::new(key)).collect(), accounts }
    }

    /// Whether callers must show a key.
    pub(super) fn asks(&self) -> bool {
        self.asks
    }

    /// Who asks from `address` for something that `access` may ask for.
    ///
    /// # Errors
    /// If a key is needed and none is shown, or a wrong one. A token that has the shape of a JWT must be a good one, always.
    pub(super) async fn identify(
        &self,
        headers: &HeaderMap,
        access: Access,
        address: IpAddr,
        surface: &'static str,
    ) -> Result<Caller> {
        let anonymous = || Caller::anonymous(address, surface);
        let known = match shown(headers) {
            Shown::Key(key) => self.known(key, address, surface).await,
            Shown::Garbage if self.asks => Err(refused("the API key is not valid")),
            Shown::Nothing if self.asks => Err(refused(NEEDED)),
            Shown::Garbage | Shown::Nothing => Ok(None),
        };
        match known {
            Ok(Some(caller)) => Ok(caller),
            // Whatever is shown where nothing is asked for: a good key still names its owner, a bad one nobody.
            _ if access == Access::Anyone => Ok(anonymous()),
            Ok(None) if access.is_personal() => Err(refused(match access {
                Access::Admin => "an administrator's token or key is needed",
                _ => "an account is needed; log in, and send the token as `Authorization: Bearer TOKEN`",
            })),
            Ok(None) => Ok(anonymous()),
            Err(error) => Err(error),
        }
    }

    /// Whose `key` is; nobody's if it is unknown and none is asked for.
    async fn known(&self, key: &[u8], address: IpAddr, surface: &'static str) -> Result<Option<Caller>> {
        let member = |member| Some(Caller::with_member(member, address, surface));
        if let Some(token) = jwt(key) {
            return Ok(member(self.accounts.by_token(token).await?));
        }
        if KEY_PREFIXES.iter().any(|prefix| key.starts_with(prefix.as_bytes()))
            && let Some(found) = self.accounts.by_key(key).await?
        {
            return Ok(member(found));
        }
        match self.owner(key) {
            Some(fingerprint) => Ok(Some(Caller::with_key(fingerprint, address, surface))),
            None if self.asks => Err(refused("the API key is not valid")),
            None => Ok(None),
        }
    }

    /// Whether `caller` may ask with `method` for what `access` may ask for.
    ///
    /// # Errors
    /// Says what is missing, and what helps.
    pub(super) fn authorize(caller: &Caller, access: Access, method: &Method) -> Result<()> {
        let Some(right) = access.right(method) else { return Ok(()) };
        match &caller.identity {
            Identity::User(member) if member.may(right) => Ok(()),
            Identity::User(member) => Err(Error::new(Kind::Forbidden, Fault::Caller, missing(member, right))),
            Identity::Key if access.is_personal() => {
                let what = "a static key belongs to no account; log in, or use a key that an account has made";
                Err(Error::new(Kind::Forbidden, Fault::Caller, what))
            }
            _ => Ok(()),
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

const NEEDED: &str = "an API key is needed; send it as `X-API-Key: KEY` or `Authorization: Bearer KEY`";

/// Three parts of base64url, the first of which begins as a JSON object does.
fn jwt(key: &[u8]) -> Option<&str> {
    let base64url = |part: &[u8]| {
        !part.is_empty() && part.iter().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
    };
    let shaped = key.starts_with(b"eyJ")
        && key.split(|byte| *byte == b'.').count() == 3
        && key.split(|byte| *byte == b'.').all(base64url);
    std::str::from_utf8(key).ok().filter(|_| shaped)
}

/// What `member` is told who may not do it.
fn missing(member: &Member, right: Right) -> String {
    let scope = match right {
        Right::Read => "read",
        Right::Write => "write",
        Right::Account => "account",
        Right::Admin => "admin",
    };
    let as_login = Member { credential: Credential::Login { id: String::new() }, ..member.clone() };
    if as_login.may(right) {
        return format!("this key has no scope `{scope}`; log in, or make a key that has it");
    }
    match right {
        Right::Admin => "Admin privileges required".to_owned(),
        _ => "a viewer may only look; an administrator can give the account the role `user`".to_owned(),
    }
}

fn refused(what: &str) -> Error {
    Error::caller(Kind::Unauthenticated, what)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config;
    use crate::service::Clock;
    use crate::store::Store;

    const KEY: &str = "0123456789abcdef-one";
    const JWT: &str = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln";

    async fn ask(keys: &[&str], enabled: Option<bool>, headers: &[(&str, &str)]) -> Result<String> {
        let keys: Vec<String> = keys.iter().map(|key| (*key).to_owned()).collect();
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.insert(HeaderName::from_bytes(name.as_bytes()).unwrap(), value.parse().unwrap());
        }
        let accounts = Accounts::new(Store::in_memory(), &config::Server::default(), Clock::system());
        let authenticator = Authenticator::new(enabled, &keys, Arc::new(accounts));
        let caller = authenticator.identify(&map, Access::Caller, IpAddr::from([192, 0, 2, 1]), "chat").await?;
        Ok(caller.principal.to_string())
    }

    #[tokio::test]
    async fn keys_are_recognised_in_either_header() {
        let keys = ["0123456789abcdef-two", KEY];
        for headers in [
            vec![("x-api-key", KEY)],
            vec![("authorization", &*format!("Bearer {KEY}"))],
            vec![("authorization", &*format!("bearer  {KEY} "))],
            vec![("x-api-key", KEY), ("authorization", "Bearer wrong")],
            vec![("x-api-key", ""), ("authorization", &*format!("BEARER {KEY}"))],
        ] {
            let name = ask(&keys, None, &headers).await.unwrap();
            assert!(name.starts_with("key-") && !name.contains("0123456789abcdef-one"), "{name}");
            assert_eq!(name, ask(&[KEY], None, &headers).await.unwrap(), "a name doesn't depend on other keys");
        }
        assert_ne!(
            ask(&keys, None, &[("x-api-key", KEY)]).await.unwrap(),
            ask(&keys, None, &[("x-api-key", "0123456789abcdef-two")]).await.unwrap()
        );
    }

    #[tokio::test]
    async fn who_shows_no_good_key_is_refused() {
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
            assert_eq!(ask(&[KEY], None, &headers).await.unwrap_err().kind(), Kind::Unauthenticated, "{headers:?}");
        }
    }

    #[tokio::test]
    async fn where_no_key_is_asked_for_any_is_ignored_but_tokens_are_not() {
        for headers in [vec![], vec![("x-api-key", "not-needed")], vec![("authorization", "Bearer a.b.c")]] {
            assert_eq!(ask(&[], None, &headers).await.unwrap(), "192.0.2.1", "{headers:?}");
            assert_eq!(ask(&[KEY], Some(false), &headers).await.unwrap(), "192.0.2.1", "{headers:?}");
        }
        assert!(ask(&[KEY], Some(false), &[("x-api-key", KEY)]).await.unwrap().starts_with("key-"));
        assert!(ask(&[], None, &[("authorization", &format!("Bearer {JWT}"))]).await.is_err());
    }
}
