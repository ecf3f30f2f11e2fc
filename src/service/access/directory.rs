//! Whose a token or a key is: looked up in the store, and remembered for a moment.
//!
//! What this process changes holds at once: every change that takes something away raises the epoch, and what was looked up
//! in an earlier one is looked up again. What another process changes holds when the moment is over ([`FRESH`]).

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use jiff::{SignedDuration, Timestamp};
use quick_cache::sync::Cache;

use super::records::{self, Id, KeyRecord, Login, Seen};
use super::token::bad;
use crate::model::account::{Bound, Credential, Member, Role, User};
use crate::model::{Error, Kind, Result};
use crate::service::Clock;
use crate::store::{Change, Store};

/// See the module.
pub(super) struct Directory {
    store: Store,
    clock: Clock,
    epoch: AtomicU64,
    known: Cache<Shown, Arc<Known>>,
}

/// What leads to a member.
#[derive(Clone, PartialEq, Eq, Hash)]
enum Shown {
    Login {
        user: String,
        id: String,
    },
    /// A key's hash.
    Key(String),
}

/// What was found.
struct Known {
    epoch: u64,
    read_at: Timestamp,
    expires_at: Option<Timestamp>,
    standing: Standing,
    /// When it was last written down that it was used, in seconds since 1970.
    noted: AtomicI64,
}

#[derive(Clone)]
enum Standing {
    Good(Arc<Member>),
    /// The account is there, and may do nothing.
    Disabled,
    Unknown,
}

/// How long what was looked up is believed.
const FRESH: SignedDuration = SignedDuration::from_secs(5);
/// How many are remembered.
const REMEMBERED: usize = 20_000;
/// How often it is written down that a key is used, in seconds.
const NOTED: i64 = 60;

// === impl Directory ===

impl Directory {
    pub(super) fn new(store: Store, clock: Clock) -> Self {
        Self { store, clock, epoch: AtomicU64::new(0), known: Cache::new(REMEMBERED) }
    }

    /// Something was taken away: nothing that was looked up before counts any more.
    pub(super) fn forget(&self) {
        self.epoch.fetch_add(1, Ordering::SeqCst);
    }

    /// Who logged in so.
    ///
    /// # Errors
    /// If the login is over, or the account may do nothing.
    pub(super) async fn by_login(&self, user: &str, id: &str) -> Result<Arc<Member>> {
        let known = self.look(Shown::Login { user: user.to_owned(), id: id.to_owned() }).await?;
        match &known.standing {
            Standing::Good(member) => Ok(member.clone()),
            Standing::Disabled => Err(disabled()),
            Standing::Unknown => Err(bad()),
        }
    }

    /// Whose `key` is; nobody's if it is unknown.
    ///
    /// # Errors
    /// If it has expired, or its owner may do nothing.
    pub(super) async fn by_key(&self, key: &[u8]) -> Result<Option<Arc<Member>>> {
        let known = self.look(Shown::Key(records::hash(key))).await?;
        if known.expires_at.is_some_and(|end| end <= self.clock.now()) {
            return Err(Error::caller(Kind::Unauthenticated, "the API key has expired; make a new one"));
        }
        match &known.standing {
            Standing::Good(member) => {
                self.note(&known, member);
                Ok(Some(member.clone()))
            }
            Standing::Disabled => Err(disabled()),
            Standing::Unknown => Ok(None),
        }
    }

    /// Member `id` as it stands now, who showed the kept key `key`, or logged in.
    ///
    /// # Errors
    /// If the account or the key is gone, or may do nothing any more.
    pub(super) async fn again(&self, id: &str, key: Option<&str>) -> Result<Arc<Member>> {
        let (standing, expires_at) = match key {
            Some(key) => self.read_kept(key).await?,
            None => match self.store.get::<User>(records::user(id)).await? {
                Some(user) if user.is_active => {
                    let bounds = vec![user_bound(&user)];
                    // The login may be over by now: it was one when the work was begun.
                    let credential = Credential::Login { id: String::new() };
                    (Standing::Good(Arc::new(Member { id: user.id, role: user.role, credential, bounds })), None)
                }
                Some(_) => (Standing::Disabled, None),
                None => (Standing::Unknown, None),
            },
        };
        let gone = |what: &str| Error::caller(Kind::Unauthenticated, what);
        match standing {
            Standing::Good(_) if expires_at.is_some_and(|end| end <= self.clock.now()) => {
                Err(gone("its key has expired"))
            }
            Standing::Good(member) => Ok(member),
            Standing::Disabled => Err(disabled()),
            Standing::Unknown => Err(gone("its account or its key is gone")),
        }
    }

    async fn look(&self, shown: Shown) -> Result<Arc<Known>> {
        let (now, epoch) = (self.clock.now(), self.epoch.load(Ordering::SeqCst));
        let fresh = |known: &Arc<Known>| {
            let age = now.duration_since(known.read_at);
            known.epoch == epoch && age < FRESH && age > -FRESH
        };
        let before = self.known.get(&shown);
        if let Some(known) = before.as_ref().filter(|known| fresh(known)) {
            return Ok(known.clone());
        }
        let (standing, expires_at) = match &shown {
            Shown::Login { user, id } => (self.read_login(user, id).await?, None),
            Shown::Key(hash) => self.read_key(hash).await?,
        };
        let noted = before.map_or(0, |known| known.noted.load(Ordering::Relaxed));
        let known = Arc::new(Known { epoch, read_at: now, expires_at, standing, noted: noted.into() });
        self.known.insert(shown, known.clone());
        Ok(known)
    }

    async fn read_login(&self, user: &str, id: &str) -> Result<Standing> {
        let (login, user) = tokio::try_join!(
            self.store.get::<Login>(records::login(user, id)),
            self.store.get::<User>(records::user(user))
        )?;
        // Whether the account may do anything is told before whether the login is over.
        Ok(match (user, login) {
            (Some(user), _) if !user.is_active => Standing::Disabled,
            (Some(user), Some(_)) => {
                let bounds = vec![user_bound(&user)];
                let credential = Credential::Login { id: id.to_owned() };
                Standing::Good(Arc::new(Member { id: user.id, role: user.role, credential, bounds }))
            }
            _ => Standing::Unknown,
        })
    }

    async fn read_key(&self, hash: &str) -> Result<(Standing, Option<Timestamp>)> {
        match self.store.get(records::key_hash(hash)).await? {
            Some(Id(id)) => self.read_kept(&id).await,
            None => Ok((Standing::Unknown, None)),
        }
    }

    async fn read_kept(&self, id: &str) -> Result<(Standing, Option<Timestamp>)> {
        let unknown = (Standing::Unknown, None);
        let Some(KeyRecord { key, role, .. }) = self.store.get(records::key(id)).await? else { return Ok(unknown) };
        let bound = Bound { subject: records::key_subject(&key.id), limits: key.limits };
        let credential = Credential::Key { id: key.id.clone(), scopes: key.scopes };
        let standing = match key.user {
            None => {
                let role = role.unwrap_or(Role::User);
                Standing::Good(Arc::new(Member { id: key.id, role, credential, bounds: vec![bound] }))
            }
            Some(user) => match self.store.get::<User>(records::user(&user)).await? {
                Some(user) if user.is_active => {
                    let bounds = vec![user_bound(&user), bound];
                    Standing::Good(Arc::new(Member { id: user.id, role: user.role, credential, bounds }))
                }
                Some(_) => Standing::Disabled,
                None => return Ok(unknown),
            },
        };
        Ok((standing, key.expires_at))
    }

    /// Writes down that a key was used, now and then, and without anybody waiting for it.
    fn note(&self, known: &Known, member: &Member) {
        let (now, noted) = (self.clock.now(), known.noted.load(Ordering::Relaxed));
        let Credential::Key { id, .. } = &member.credential else { return };
        let due = now.as_second() - noted >= NOTED;
        if !due || known.noted.compare_exchange(noted, now.as_second(), Ordering::Relaxed, Ordering::Relaxed).is_err() {
            return;
        }
        let (store, key) = (self.store.clone(), records::seen(&records::key_subject(id)));
        tokio::spawn(async move {
            let mut change = Change::default();
            let written = match change.put(key, &Seen { at: now }) {
                Ok(()) => store.commit(change).await.map(drop),
                Err(error) => Err(error),
            };
            if let Err(error) = written {
                tracing::warn!(error = error.to_string(), "the use of a key can't be written down");
            }
        });
    }
}

fn user_bound(user: &User) -> Bound {
    Bound { subject: records::user_subject(&user.id), limits: user.limits.clone() }
}

/// What whoever may do nothing is told.
pub(super) fn disabled() -> Error {
    Error::caller(Kind::Forbidden, "this account is disabled; an administrator can enable it again")
}

#[cfg(test)]
mod tests {
    use crate::config;
    use crate::model::account::{Credential, Limits, Role};
    use crate::service::Clock;
    use crate::service::access::Accounts;
    use crate::service::access::audit::Origin;
    use crate::service::access::key::{KeyKind, NewKey};
    use crate::service::access::user::{NewUser, UserChange};
    use crate::store::Store;

    #[tokio::test]
    async fn who_began_something_goes_on_as_their_account_stands_now() {
        let mut server = config::Server::default();
        server.auth.passwords.passes = 1;
        let accounts = Accounts::new(Store::in_memory(), &server, Clock::system());
        let origin = Origin::operator();
        let new =
            NewUser { email: "a@example.com".into(), username: None, password: "secret123".into(), full_name: None };
        let user = accounts.create_user(new, Role::User, &origin).await.unwrap();
        let wanted = NewKey { name: "k".into(), expires_at: None, scopes: Vec::new(), limits: Limits::default() };
        let (_, key) = accounts.create_key(KeyKind::User, Some(&user.id), wanted, &origin).await.unwrap();

        let again = accounts.again(&user.id, None).await.unwrap();
        assert_eq!((again.role, again.bounds.len()), (Role::User, 1));
        let again = accounts.again(&user.id, Some(&key.id)).await.unwrap();
        assert_eq!((again.id.as_str(), again.bounds.len()), (user.id.as_str(), 2), "the key's bounds hold too");
        assert!(matches!(&again.credential, Credential::Key { id, .. } if *id == key.id));

        let disabled = UserChange { is_active: Some(false), ..UserChange::default() };
        accounts.change_user(&user.id, disabled, &origin).await.unwrap();
        for key in [None, Some(key.id.as_str())] {
            let error = accounts.again(&user.id, key).await.unwrap_err();
            assert!(error.public().contains("disabled"), "{error}");
        }
        let enabled = UserChange { is_active: Some(true), ..UserChange::default() };
        accounts.change_user(&user.id, enabled, &origin).await.unwrap();
        accounts.delete_key(&key.id, None, &origin).await.unwrap();
        assert!(accounts.again(&user.id, Some(&key.id)).await.is_err());
        assert!(accounts.again("nobody", None).await.is_err());
    }
}
