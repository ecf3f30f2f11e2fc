//! Keys: made, listed, taken away. What a key is, is shown once and kept nowhere.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use serde_json::json;

use super::audit::Origin;
use super::erasure::{by_half, leave};
use super::records::{self, Id, KeyRecord, Seen};
use super::user::{check_name, wrong};
use super::{Accounts, KEY_PREFIXES, budget_keys};
use crate::model::account::{ApiKey, Limits, Role, Scope};
use crate::model::{Error, Fault, Kind, Result};
use crate::service::clock;
use crate::store::{Change, Committed, Stored};

/// A key that is wanted.
#[derive(Clone, Debug, Default)]
pub struct NewKey {
    /// What its owner calls it.
    pub name: String,
    /// From when on it is none.
    pub expires_at: Option<Timestamp>,
    /// What it may do; `read` and `write` where that is empty.
    pub scopes: Vec<Scope>,
    /// What bounds it.
    pub limits: Limits,
}

/// What a key begins with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyKind {
    /// `md_`: made by a caller.
    User,
    /// `token-`: made by the operator.
    Token,
}

/// A key, and what is known of its use.
#[derive(Clone, Debug)]
pub struct KeyView {
    /// The key.
    pub key: ApiKey,
    /// When it was last used, to the minute.
    pub last_used_at: Option<Timestamp>,
}

/// Characters of a key that are kept.
const PREFIX: usize = 8;
/// Keys of one user.
const MOST: usize = 1000;

impl Accounts {
    /// Makes a key of `user`, or one that stands for itself. The text is told only here.
    ///
    /// # Errors
    /// If something is wrong with what is wanted.
    pub async fn create_key(
        &self,
        kind: KeyKind,
        user: Option<&str>,
        wanted: NewKey,
        origin: &Origin,
    ) -> Result<(String, ApiKey)> {
        let name = check_name(&wanted.name, "name")?;
        let now = self.clock.now();
        if wanted.expires_at.is_some_and(|end| end <= now) {
            return Err(wrong("expires_at", "a time to come is wanted"));
        }
        self.check_limits(&wanted.limits)?;
        if let Some(user) = user {
            let has = self.store.keys(records::keys_of(user).within(), false, MOST).await?.len();
            if has >= MOST {
                let what = format!("an account can have {MOST} keys at most; delete some");
                return Err(Error::new(Kind::Conflict, Fault::Caller, what));
            }
        }
        let [made, operators] = KEY_PREFIXES;
        let start = if kind == KeyKind::User { made } else { operators };
        let text = format!("{start}{}", URL_SAFE_NO_PAD.encode(clock::random::<32>()?));
        let scopes = if wanted.scopes.is_empty() { vec![Scope::Read, Scope::Write] } else { wanted.scopes };
        // One that stands for itself may do what it says.
        let role = if scopes.contains(&Scope::Admin) { Role::Admin } else { Role::User };
        let role = user.is_none().then_some(role);
        let key = ApiKey {
            id: clock::uuid(),
            name,
            user: user.map(str::to_owned),
            prefix: text.chars().take(PREFIX).collect(),
            scopes,
            created_at: now,
            expires_at: wanted.expires_at,
            limits: wanted.limits,
        };
        let record = KeyRecord { key, hash: records::hash(text.as_bytes()), role };
        let key = &record.key;
        let mut change = Change::default();
        change.insert(records::key(&key.id), &record)?;
        change.insert(records::key_hash(&record.hash), &Id(key.id.clone()))?;
        if let Some(user) = user {
            change.put(records::keys_of(user).text(&key.id), &Id(key.id.clone()))?;
        }
        let told = json!({"name": key.name, "prefix": key.prefix, "scopes": key.scopes, "user": user});
        self.audit.put(&mut change, origin, "key.created", Some(&key.id), told)?;
        if self.store.commit(change).await? == Committed::Conflict {
            return Err(Error::internal("a fresh key is the same as another"));
        }
        // Whoever tried it before it was there must not be remembered as nobody.
        self.directory.forget();
        Ok((text, record.key))
    }

    /// The keys of a user, the newest first.
    ///
    /// # Errors
    /// If the store can't be read.
    pub async fn keys_of(&self, user: &str) -> Result<Vec<KeyView>> {
        let ids = self.store.list_back::<Id>(records::keys_of(user).within(), MOST).await?;
        let keys = ids.into_iter().map(|id| records::key(&id.record.0)).collect();
        let found: Vec<Option<KeyRecord>> = self.store.get_all(keys).await?;
        self.with_use(found.into_iter().flatten().collect()).await
    }

    /// Keys of everybody, the newest first: at most `limit` behind the first `skip`, and how many there are.
    ///
    /// # Errors
    /// If the store can't be read.
    pub async fn all_keys(&self, skip: usize, limit: usize) -> Result<(Vec<KeyView>, usize)> {
        let range = records::all(crate::store::spaces::KEYS).within();
        let total = self.store.keys(range.clone(), true, usize::MAX).await?.len();
        let stored = self.store.list_back::<KeyRecord>(range, skip.saturating_add(limit)).await?;
        let keys = stored.into_iter().skip(skip).map(|stored| stored.record).collect();
        Ok((self.with_use(keys).await?, total))
    }

    async fn with_use(&self, keys: Vec<KeyRecord>) -> Result<Vec<KeyView>> {
        let seen = keys.iter().map(|record| records::seen(&records::key_subject(&record.key.id))).collect();
        let seen: Vec<Option<Seen>> = self.store.get_all(seen).await?;
        let view = |(record, seen): (KeyRecord, Option<Seen>)| KeyView {
            key: record.key,
            last_used_at: seen.map(|seen| seen.at),
        };
        Ok(keys.into_iter().zip(seen).map(view).collect())
    }

    /// The key of that id, and what is known of its use.
    ///
    /// # Errors
    /// If there is none.
    pub async fn key(&self, id: &str) -> Result<KeyView> {
        let record: KeyRecord = self.store.get(records::key(id)).await?.ok_or_else(not_found)?;
        self.with_use(vec![record]).await?.into_iter().next().ok_or_else(not_found)
    }

    /// The keys whose name, or whose first characters, are `name`.
    ///
    /// # Errors
    /// If the store can't be read.
    pub async fn find_keys(&self, name: &str) -> Result<Vec<KeyView>> {
        let (all, _) = self.all_keys(0, usize::MAX).await?;
        Ok(all.into_iter().filter(|view| view.key.name == name || view.key.prefix == name).collect())
    }

    /// Gives a key other limits.
    ///
    /// # Errors
    /// If there is no such key, or a limit is none.
    pub async fn limit_key(&self, id: &str, limits: Limits, origin: &Origin) -> Result<()> {
        self.check_limits(&limits)?;
        let stored: Stored<KeyRecord> = self.store.read(records::key(id)).await?.ok_or_else(not_found)?;
        let mut record = stored.record.clone();
        record.key.limits = limits;
        let mut change = Change::default();
        change.replace(&stored, &record)?;
        self.audit.put(&mut change, origin, "key.changed", Some(id), json!({"limits": record.key.limits}))?;
        let done = self.store.commit(change).await?;
        self.directory.forget();
        match done {
            Committed::Done => Ok(()),
            Committed::Conflict => Err(Error::caller(Kind::Conflict, "the key is being changed by others; try again")),
        }
    }

    /// Takes a key away: that of `owner`, or anybody's where nobody is named.
    ///
    /// # Errors
    /// If there is no such key.
    pub async fn delete_key(&self, id: &str, owner: Option<&str>, origin: &Origin) -> Result<ApiKey> {
        let stored: Stored<KeyRecord> = self.store.read(records::key(id)).await?.ok_or_else(not_found)?;
        if owner.is_some_and(|owner| stored.record.key.user.as_deref() != Some(owner)) {
            return Err(not_found());
        }
        if stored.record.key.user.is_some() {
            return self.take_key_out(stored, origin).await;
        }
        self.retire_key(stored, origin).await?;
        let rest = async {
            self.erase_belongings(id).await?;
            let retired = self.store.read(records::key(id)).await?.ok_or_else(not_found)?;
            self.take_key_out(retired, origin).await
        };
        rest.await.map_err(by_half)
    }

    async fn take_key_out(&self, stored: Stored<KeyRecord>, origin: &Origin) -> Result<ApiKey> {
        let key = stored.record.key.clone();
        let subject = records::key_subject(&key.id);
        let mut change = Change::removal();
        change.remove(&stored);
        change.delete(records::key_hash(&stored.record.hash));
        change.delete(records::seen(&subject));
        change.delete_range(budget_keys(&subject).within());
        match &key.user {
            Some(user) => change.delete(records::keys_of(user).text(&key.id)),
            None => leave(&mut change, &key.id, self.clock.now())?,
        }
        let told = json!({"name": key.name, "prefix": key.prefix});
        self.audit.put(&mut change, origin, "key.revoked", Some(&key.id), told)?;
        let done = self.store.commit(change).await?;
        self.directory.forget();
        match done {
            Committed::Done => Ok(key),
            Committed::Conflict => Err(not_found()),
        }
    }

    /// A key that stands for itself is none from now on. Where what comes behind that fails, doing it again goes on.
    async fn retire_key(&self, stored: Stored<KeyRecord>, origin: &Origin) -> Result<()> {
        let mut record = stored.record.clone();
        record.key.expires_at = Some(self.clock.now());
        let mut change = Change::removal();
        change.replace(&stored, &record)?;
        self.audit.put(&mut change, origin, "key.retiring", Some(&record.key.id), json!({}))?;
        let done = self.store.commit(change).await?;
        self.directory.forget();
        match done {
            Committed::Done => Ok(()),
            Committed::Conflict => Err(Error::caller(Kind::Conflict, "the key is being changed by others; try again")),
        }
    }
}

fn not_found() -> Error {
    Error::caller(Kind::NotFound, "API key not found")
}

impl Accounts {
    /// # Errors
    /// Names the limit that is none.
    pub(super) fn check_limits(&self, limits: &Limits) -> Result<()> {
        if let Some(class) = limits.rate_class.as_ref().filter(|class| !self.classes.contains(class)) {
            let known = if self.classes.is_empty() { "none".to_owned() } else { self.classes.join(", ") };
            let what = format!("there is no class `{class}` in server.rate_limit.classes; there are: {known}");
            return Err(wrong("limits.rate_class", &what));
        }
        check_limits(limits)
    }
}

fn check_limits(limits: &Limits) -> Result<()> {
    for (field, dollars) in [("usd_per_day", limits.usd_per_day), ("usd_per_month", limits.usd_per_month)] {
        if dollars.is_some_and(|dollars| !dollars.is_finite() || !(0.0..=1e9).contains(&dollars)) {
            return Err(wrong(&format!("limits.{field}"), "write US dollars, from 0 to a billion"));
        }
    }
    if limits.models.iter().any(|model| model.is_empty() || model.chars().count() > 256) || limits.models.len() > 1000 {
        return Err(wrong("limits.models", "write names of models, such as openai/gpt-4o or openai/*"));
    }
    Ok(())
}
