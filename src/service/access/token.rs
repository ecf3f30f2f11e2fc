//! Tokens: what a login gives, signed with keys that are kept in the store and named in every token.
//!
//! The newest key of the configured algorithm signs; older ones still verify until no token of theirs can be good any more.
//! A token names its login: it is good as long as that is kept ([`super::directory`]), so that nothing has to remember what was
//! revoked. What time it is, is given, and never taken by the crate that reads tokens.

use std::sync::Arc;

use arc_swap::ArcSwap;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::{SignedDuration, Timestamp};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use ring::rand::SystemRandom;
use ring::signature::{Ed25519KeyPair, KeyPair};
use serde::{Deserialize, Serialize};

use super::{records, signature};
use crate::config;
use crate::model::{Error, Kind, Result};
use crate::service::{Clock, clock};
use crate::store::{Change, Committed, Record, Store, spaces};

/// Signs tokens, and knows its own again.
pub(super) struct Signer {
    store: Store,
    clock: Clock,
    algorithm: config::Algorithm,
    /// As long as the longest token is good.
    lifetime: SignedDuration,
    ring: ArcSwap<Ring>,
}

/// The keys, the newest first.
#[derive(Default)]
struct Ring {
    keys: Vec<SigningKey>,
    read_at: Timestamp,
}

struct SigningKey {
    id: String,
    algorithm: Algorithm,
    created_at: Timestamp,
    encoding: EncodingKey,
    decoding: DecodingKey,
}

/// A signing key as it is kept.
#[derive(Clone, Serialize, Deserialize)]
struct SigningRecord {
    id: String,
    algorithm: config::Algorithm,
    /// In base64: 32 bytes of chance, or PKCS #8.
    secret: String,
    created_at: Timestamp,
}

impl Record for SigningRecord {}

/// What a token says.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Claims {
    /// The user's id.
    pub(super) sub: String,
    #[serde(rename = "type")]
    pub(super) kind: TokenKind,
    /// Names the token.
    pub(super) jti: String,
    /// Names the login.
    pub(super) sid: String,
    pub(super) iat: i64,
    pub(super) exp: i64,
}

/// What a token is good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum TokenKind {
    /// Asking.
    Access,
    /// Having a new one.
    Refresh,
}

/// How long a key that nobody here knows may have been made elsewhere.
const READ_AGAIN: SignedDuration = SignedDuration::from_secs(2);

// === impl Signer ===

impl Signer {
    pub(super) fn new(store: Store, clock: Clock, settings: &config::Auth) -> Self {
        signature::install();
        let longest = settings.refresh_lifetime.max(settings.access_lifetime);
        let lifetime = SignedDuration::try_from(longest).unwrap_or(SignedDuration::MAX);
        Self { store, clock, algorithm: settings.algorithm, lifetime, ring: ArcSwap::default() }
    }

    /// Reads the keys, and makes the first one.
    pub(super) async fn prepare(&self) -> Result<()> {
        self.read().await?;
        if self.current().is_none() {
            self.rotate().await?;
        }
        Ok(())
    }

    /// Makes a new key, which signs from now on; forgets those whose tokens have all ended.
    pub(super) async fn rotate(&self) -> Result<String> {
        let id = clock::uuid();
        let record = SigningRecord {
            id: id.clone(),
            algorithm: self.algorithm,
            secret: STANDARD.encode(secret(self.algorithm)?),
            created_at: self.clock.now(),
        };
        let mut change = Change::default();
        change.insert(spaces::SIGNING_KEYS.key().text(&id), &record)?;
        let ring = self.ring.load_full();
        for (newer, older) in ring.keys.iter().zip(ring.keys.iter().skip(1)) {
            // Since `newer` is there, `older` has signed nothing.
            if newer.created_at.saturating_add(self.lifetime).is_ok_and(|end| end < record.created_at) {
                change.delete(spaces::SIGNING_KEYS.key().text(&older.id));
            }
        }
        if self.store.commit(change).await? == Committed::Conflict {
            return Err(Error::internal("a fresh signing key has the id of another"));
        }
        self.read().await?;
        Ok(id)
    }

    async fn read(&self) -> Result<()> {
        let range = records::all(spaces::SIGNING_KEYS).within();
        let stored = self.store.list_back::<SigningRecord>(range, usize::MAX).await?;
        let keys = stored.into_iter().map(|stored| SigningKey::new(stored.record)).collect::<Result<_>>()?;
        self.ring.store(Arc::new(Ring { keys, read_at: self.clock.now() }));
        Ok(())
    }

    fn current(&self) -> Option<String> {
        let wanted = algorithm(self.algorithm);
        self.ring.load().keys.iter().find(|key| key.algorithm == wanted).map(|key| key.id.clone())
    }

    /// The token that says `claims`.
    pub(super) async fn sign(&self, claims: &Claims) -> Result<String> {
        if self.current().is_none() {
            self.prepare().await?;
        }
        let (ring, wanted) = (self.ring.load(), algorithm(self.algorithm));
        let key = ring.keys.iter().find(|key| key.algorithm == wanted);
        let key = key.ok_or_else(|| Error::internal("there is no signing key"))?;
        let header = Header { kid: Some(key.id.clone()), ..Header::new(key.algorithm) };
        jsonwebtoken::encode(&header, claims, &key.encoding).map_err(Error::internal)
    }

    /// What `token` says, if it is one of ours and still good.
    pub(super) async fn verify(&self, token: &str, wanted: TokenKind) -> Result<Claims> {
        let header = jsonwebtoken::decode_header(token).map_err(|error| bad().with_private(error))?;
        let id = header.kid.ok_or_else(bad)?;
        let known = |ring: &Ring| ring.keys.iter().any(|key| key.id == id);
        if !known(&self.ring.load()) {
            let read_at = self.ring.load().read_at;
            // Another process may have made it. Whoever makes ids up must not make us read each time.
            if self.clock.now().duration_since(read_at) > READ_AGAIN {
                self.read().await?;
            }
        }
        let ring = self.ring.load();
        let key = ring.keys.iter().find(|key| key.id == id).ok_or_else(bad)?;
        let mut validation = Validation::new(key.algorithm);
        validation.required_spec_claims.clear();
        (validation.validate_exp, validation.validate_aud) = (false, false);
        let claims = jsonwebtoken::decode::<Claims>(token, &key.decoding, &validation)
            .map_err(|error| bad().with_private(error))?
            .claims;
        if claims.exp <= self.clock.unix() || claims.kind != wanted {
            return Err(bad());
        }
        Ok(claims)
    }
}

/// The one answer to whatever is wrong with a token.
pub(super) fn bad() -> Error {
    Error::caller(Kind::Unauthenticated, "the token is not valid, or has expired; log in again")
}

// === impl SigningKey ===

impl SigningKey {
    fn new(record: SigningRecord) -> Result<Self> {
        let damaged = |what: String| Error::internal(format!("signing key {} can't be used: {what}", record.id));
        let secret = STANDARD.decode(&record.secret).map_err(|error| damaged(error.to_string()))?;
        let (encoding, decoding) = match record.algorithm {
            config::Algorithm::HS256 => {
                let wrong = |error: jsonwebtoken::errors::Error| damaged(error.to_string());
                let encoding = EncodingKey::from_secret(&secret).map_err(wrong)?;
                (encoding, DecodingKey::from_secret(&secret).map_err(wrong)?)
            }
            config::Algorithm::EdDSA => {
                let pair = Ed25519KeyPair::from_pkcs8(&secret).map_err(|error| damaged(error.to_string()))?;
                (EncodingKey::from_ed_der(&secret), DecodingKey::from_ed_der(pair.public_key().as_ref()))
            }
        };
        let algorithm = algorithm(record.algorithm);
        Ok(Self { id: record.id, algorithm, created_at: record.created_at, encoding, decoding })
    }
}

fn algorithm(settings: config::Algorithm) -> Algorithm {
    match settings {
        config::Algorithm::HS256 => Algorithm::HS256,
        config::Algorithm::EdDSA => Algorithm::EdDSA,
    }
}

fn secret(algorithm: config::Algorithm) -> Result<Vec<u8>> {
    match algorithm {
        config::Algorithm::HS256 => Ok(clock::random::<32>()?.to_vec()),
        config::Algorithm::EdDSA => Ed25519KeyPair::generate_pkcs8(&SystemRandom::new())
            .map(|document| document.as_ref().to_vec())
            .map_err(|_| Error::internal("the system gives no random numbers")),
    }
}
