//! What is left of owners that are gone.

use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};

use super::*;
use crate::config;
use crate::service::Clock;
use crate::service::access::{KeyKind, NewKey, NewUser};
use crate::store::{Store, StoreError};

/// So many things, whoever owns them; they stay where the disk is full.
#[derive(Default)]
struct Things(AtomicU64, AtomicBool);

impl Belongings for Things {
    fn name(&self) -> &'static str {
        "things"
    }

    fn erase<'a>(&'a self, _: &'a str) -> BoxFuture<'a, Result<u64>> {
        Box::pin(async {
            match self.1.load(Ordering::Relaxed) {
                true => Err(StoreError::Full("no room".into()).into()),
                false => Ok(self.0.swap(0, Ordering::Relaxed)),
            }
        })
    }

    fn export(&self, _: &str) -> BoxStream<'static, Result<Value>> {
        stream::empty().boxed()
    }
}

#[tokio::test]
async fn what_is_made_while_its_owner_is_erased_goes_later() {
    let seconds = Arc::new(AtomicI64::new(1_800_000_000));
    let now = seconds.clone();
    let clock = Clock::from_fn(move || Timestamp::from_second(now.load(Ordering::Relaxed)).unwrap());
    let accounts = Accounts::new(Store::in_memory(), &config::Server::default(), clock);
    accounts.prepare().await.unwrap();
    let things = Arc::new(Things::default());
    accounts.entrust(vec![things.clone()]);
    let count = || things.0.load(Ordering::Relaxed);
    let origin = Origin::operator();
    let wanted = NewUser { email: "a@example.com".into(), password: "a long password 1".into(), ..NewUser::default() };
    let user = accounts.create_user(wanted, Role::User, &origin).await.unwrap();
    things.0.store(3, Ordering::Relaxed);
    accounts.erase(&user.id, &origin).await.unwrap();
    assert_eq!(count(), 0);
    // A request that was let in before writes down its own.
    things.0.store(2, Ordering::Relaxed);
    accounts.erase_late().await.unwrap();
    assert_eq!(count(), 2, "others may still be on their way");
    seconds.fetch_add(2 * 3600, Ordering::Relaxed);
    accounts.erase_late().await.unwrap();
    assert_eq!(count(), 0);
    // Nobody is looked after for ever.
    things.0.store(1, Ordering::Relaxed);
    accounts.erase_late().await.unwrap();
    assert_eq!(count(), 1);
}

#[tokio::test]
async fn an_erasure_that_fails_on_the_way_says_so_and_goes_on_when_it_is_done_again() {
    let clock = Clock::from_fn(|| Timestamp::from_second(1_800_000_000).unwrap());
    let accounts = Accounts::new(Store::in_memory(), &config::Server::default(), clock);
    accounts.prepare().await.unwrap();
    let things = Arc::new(Things::default());
    accounts.entrust(vec![things.clone()]);
    let origin = Origin::operator();
    let wanted = NewUser { email: "a@example.com".into(), password: "a long password 1".into(), ..NewUser::default() };
    let user = accounts.create_user(wanted, Role::User, &origin).await.unwrap();
    let wanted = NewKey { name: "alone".into(), ..NewKey::default() };
    let (_, key) = accounts.create_key(KeyKind::Token, None, wanted, &origin).await.unwrap();
    things.1.store(true, Ordering::Relaxed);
    for failed in [accounts.erase(&user.id, &origin).await, accounts.delete_key(&key.id, None, &origin).await.map(drop)]
    {
        let error = failed.unwrap_err();
        assert_eq!(error.kind(), Kind::Storage);
        assert!(error.public().contains("not all that it owns is gone"), "{}", error.public());
        assert!(error.private().is_some_and(|why| why.contains("no room")), "{:?}", error.private());
    }
    assert!(!accounts.user(&user.id).await.unwrap().is_active);
    assert!(accounts.key(&key.id).await.unwrap().key.expires_at.is_some(), "it is none any more");
    things.1.store(false, Ordering::Relaxed);
    accounts.erase(&user.id, &origin).await.unwrap();
    accounts.delete_key(&key.id, None, &origin).await.unwrap();
    assert!(accounts.user(&user.id).await.is_err());
    assert!(accounts.key(&key.id).await.is_err());
}
