//! What is kept of a user: handed out to them, or taken away for good.
//!
//! Whoever keeps something that users own says so by [`Belongings`]; the composition root brings them together
//! ([`Accounts::entrust`]). The audit log stays: it says what happened, and names users by ids alone.

#[cfg(test)]
mod tests;

use std::sync::{Arc, PoisonError};
use std::time::Duration;

use futures_util::future::BoxFuture;
use futures_util::stream::{self, BoxStream, Stream, StreamExt};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::audit::Origin;
use super::records;
use super::{Accounts, budget_keys};
use crate::model::account::{Role, User};
use crate::model::{Error, Fault, Kind, Result};
use crate::service::clock;
use crate::store::age::{self, Aged};
use crate::store::{Change, Committed, Stored};

/// Where owners that are gone stand among what is looked at.
const GONE: &str = "owner";
/// So long after an owner is gone the last request is over that was let in before.
const LAST_REQUEST: Duration = Duration::from_hours(1);
/// After how many owners it is looked at once.
const SOME: usize = 64;

/// Something that keeps what users own.
pub trait Belongings: Send + Sync {
    /// What it keeps, for people: `sessions`.
    fn name(&self) -> &'static str;

    /// Takes away all that `owner` owns; says how much it was. Doing it again does no harm.
    fn erase<'a>(&'a self, owner: &'a str) -> BoxFuture<'a, Result<u64>>;

    /// All that `owner` owns, piece by piece; each is an object with a `kind`.
    fn export(&self, owner: &str) -> BoxStream<'static, Result<Value>>;
}

impl Accounts {
    /// These keep what users own, too.
    pub fn entrust(&self, keepers: Vec<Arc<dyn Belongings>>) {
        self.keepers.write().unwrap_or_else(PoisonError::into_inner).extend(keepers);
    }

    fn keepers(&self) -> Vec<Arc<dyn Belongings>> {
        self.keepers.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Takes a user away, with all that they own. Where it fails on the way, the account can do nothing any more, and doing it
    /// again goes on.
    ///
    /// # Errors
    /// If there is no such user, nobody else could administer, or the store can't be used.
    pub async fn erase(&self, id: &str, origin: &Origin) -> Result<()> {
        let user = self.user(id).await?;
        self.keep_an_admin(&user).await?;
        // From here on nothing new comes.
        self.update_user(id, origin, "user.erasing", json!({}), |user| {
            user.is_active = false;
            true
        })
        .await?;
        self.erase_disabled(id, origin).await.map_err(by_half)
    }

    async fn erase_disabled(&self, id: &str, origin: &Origin) -> Result<()> {
        let erased = self.erase_belongings(id).await?;
        for view in self.keys_of(id).await? {
            self.delete_key(&view.key.id, Some(id), origin).await?;
        }
        let stored: Stored<User> = self.store.read(records::user(id)).await?.ok_or_else(not_found)?;
        let user = &stored.record;
        let mut change = Change::removal();
        change.remove(&stored);
        change.delete(records::email(&user.email));
        change.delete(records::username(&user.username));
        change.delete(records::seen(&records::user_subject(id)));
        change.delete_range(records::logins(id).within());
        change.delete_range(budget_keys(&records::user_subject(id)).within());
        change.add(records::count(user.role, user.is_active), -1);
        leave(&mut change, id, self.clock.now())?;
        self.audit.put(&mut change, origin, "user.erased", Some(id), json!({"erased": erased}))?;
        if self.store.commit(change).await? == Committed::Conflict {
            return Err(Error::caller(Kind::Conflict, "the account is being changed by others; try again"));
        }
        self.directory.forget();
        Ok(())
    }

    /// That somebody can administer when `user` can't any more.
    pub(super) async fn keep_an_admin(&self, user: &User) -> Result<()> {
        if user.role != Role::Admin || !user.is_active {
            return Ok(());
        }
        let admins = self.store.counters(vec![records::count(Role::Admin, true)]).await?;
        if admins.first().is_none_or(|admins| *admins <= 1) {
            let what = "this is the last administrator; give somebody else the role first";
            return Err(Error::new(Kind::Conflict, Fault::Caller, what));
        }
        Ok(())
    }

    /// All that is kept of a user, piece by piece.
    ///
    /// # Errors
    /// If there is no such user.
    pub async fn export(
        &self,
        id: &str,
        origin: &Origin,
    ) -> Result<impl Stream<Item = Result<Value>> + Send + 'static> {
        let user = self.user(id).await?;
        let own = json!({
            "kind": "user",
            "id": user.id,
            "email": user.email,
            "username": user.username,
            "full_name": user.full_name,
            "role": user.role.as_str(),
            "created_at": clock::written(user.created_at),
            "last_login_at": self.last_login(id).await?.map(clock::written),
            "limits": user.limits,
        });
        let keys = self.keys_of(id).await?.into_iter().map(|view| {
            json!({
                "kind": "api_key",
                "id": view.key.id,
                "name": view.key.name,
                "prefix": view.key.prefix,
                "scopes": view.key.scopes,
                "created_at": clock::written(view.key.created_at),
                "expires_at": view.key.expires_at.map(clock::written),
                "last_used_at": view.last_used_at.map(clock::written),
            })
        });
        let first: Vec<Result<Value>> = std::iter::once(own).chain(keys).map(Ok).collect();
        let rest: Vec<_> = self.keepers().iter().map(|keeper| keeper.export(id)).collect();
        let mut change = Change::default();
        self.audit.put(&mut change, origin, "user.exported", Some(id), json!({}))?;
        let _: Committed = self.store.commit(change).await?;
        Ok(stream::iter(first).chain(stream::iter(rest).flatten()))
    }

    /// Takes away what requests have made that were let in before their owner was gone.
    pub(super) async fn erase_late(&self) -> Result<()> {
        let Some(before) = self.clock.ago(LAST_REQUEST) else { return Ok(()) };
        loop {
            let due = age::due(&self.store, GONE, before, SOME).await?;
            for gone in &due {
                let erased = self.erase_belongings(&gone.record.id).await?;
                if erased.values().any(|count| *count != 0) {
                    tracing::info!(
                        owner = gone.record.id,
                        ?erased,
                        "what was made while its owner was erased was taken out"
                    );
                }
                let mut change = Change::default();
                change.remove(gone);
                // Whoever was faster has done the same.
                let _: Committed = self.store.commit(change).await?;
            }
            if due.len() < SOME {
                return Ok(());
            }
        }
    }

    /// Takes away all that `owner` owns; says how much it was, by who kept it.
    pub(super) async fn erase_belongings(&self, owner: &str) -> Result<serde_json::Map<String, Value>> {
        let mut erased = serde_json::Map::new();
        for keeper in self.keepers() {
            erased.insert(keeper.name().to_owned(), keeper.erase(owner).await?.into());
        }
        Ok(erased)
    }
}

fn not_found() -> Error {
    Error::caller(Kind::NotFound, "User not found")
}

/// What failed of an erasure that is begun: it isn't as if nothing was changed.
pub(super) fn by_half(error: Error) -> Error {
    if error.kind() != Kind::Storage {
        return error;
    }
    let what = "the server's storage failed on the way: what was to be deleted can do nothing any more, but not all that it owns \
                is gone; delete it again when the storage can be written";
    Error::new(Kind::Storage, Fault::Us, what).with_private(error.private().unwrap_or_default())
}

/// It is looked once more, later, what `owner` owns, who is gone since `now`.
///
/// # Errors
/// If that can't be written down.
pub(super) fn leave(change: &mut Change, owner: &str, now: Timestamp) -> Result<()> {
    Aged { owner: String::new(), id: owner.to_owned() }.watch(change, GONE, now)
}
