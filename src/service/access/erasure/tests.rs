//! What is left of owners that are gone.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use super::*;
use crate::config;
use crate::service::Clock;
use crate::service::access::NewUser;
use crate::store::Store;

/// So many things, whoever owns them.
#[derive(Default)]
struct Things(AtomicU64);

impl Belongings for Things {
    fn name(&self) -> &'static str {
        "things"
    }

    fn erase<'a>(&'a self, _: &'a str) -> BoxFuture<'a, Result<u64>> {
        Box::pin(async { Ok(self.0.swap(0, Ordering::Relaxed)) })
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
