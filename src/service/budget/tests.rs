//! Tests of budgets.

use std::net::IpAddr;
use std::sync::atomic::{AtomicI64, Ordering};

use futures_util::future::join_all;

use super::*;
use crate::model::account::{Bound, Credential, Member, Role};

/// Noon of a last day of a month.
const NOON: i64 = 1_769_860_800;

struct World {
    store: Store,
    budgets: Arc<Budgets>,
    time: Arc<AtomicI64>,
}

fn world(store: Store) -> World {
    let time = Arc::new(AtomicI64::new(NOON));
    let now = time.clone();
    let clock = Clock::from_fn(move || Timestamp::from_second(now.load(Ordering::Relaxed)).unwrap());
    let (budgets, writer) = Budgets::new(store.clone(), clock);
    tokio::spawn(writer.run());
    World { store, budgets, time }
}

fn caller(bounds: &[(&str, Limits)]) -> Caller {
    let bounds = bounds.iter().map(|(subject, limits)| Bound { subject: (*subject).into(), limits: limits.clone() });
    let credential = Credential::Login { id: "l".into() };
    let member = Member { id: "u".into(), role: Role::User, credential, bounds: bounds.collect() };
    Caller::with_member(Arc::new(member), IpAddr::from([127, 0, 0, 1]), "openai")
}

fn tokens(day: u64) -> Limits {
    Limits { tokens_per_day: Some(day), ..Limits::default() }
}

fn amount(tokens: i64) -> Amount {
    Amount { tokens, nanos: tokens * 1000 }
}

impl World {
    async fn used(&self, subject: &str, period: &str) -> (i64, i64) {
        self.budgets.flush().await;
        let spent = self.budgets.spent(subject, &[period.to_owned()]).await.unwrap();
        (spent[0].calls, spent[0].amount.tokens)
    }
}

#[tokio::test]
async fn what_is_taken_is_settled_and_counted_for_all_who_pay() {
    let world = world(Store::in_memory());
    let caller = caller(&[("user:u", tokens(100)), ("key:k", Limits::default())]);
    let mut charge = world.budgets.open(&caller, amount(60)).await.unwrap();
    assert_eq!(world.used("user:u", "2026-01-31").await, (0, 60), "taken is on disk before anybody is asked");
    assert_eq!(world.used("key:k", "2026-01-31").await, (0, 0));
    let error = world.budgets.open(&caller, amount(41)).await.err().unwrap();
    assert_eq!(error.kind(), Kind::OverBudget);
    assert_eq!(error.details().unwrap()["budget"], "tokens_per_day");
    assert_eq!(error.details().unwrap()["resets_at"], "2026-02-01T00:00:00.000Z");
    charge.called();
    charge.spent(amount(20));
    drop(charge);
    for subject in ["user:u", "key:k", ALL] {
        assert_eq!(world.used(subject, "2026-01-31").await, (1, 20), "{subject}");
        assert_eq!(world.used(subject, "2026-01").await, (1, 20), "{subject}");
    }
    drop(world.budgets.open(&caller, amount(80)).await.unwrap());
    assert_eq!(world.used("user:u", "2026-01-31").await, (1, 20), "who asked nobody has used nothing");
}

#[tokio::test]
async fn every_limit_of_everybody_holds() {
    let world = world(Store::in_memory());
    let dollars = Limits { usd_per_month: Some(0.000_05), ..Limits::default() };
    let both = caller(&[("user:u", dollars), ("key:k", tokens(1000))]);
    let mut charge = world.budgets.open(&both, amount(40)).await.unwrap();
    let error = world.budgets.open(&both, amount(11)).await.err().unwrap();
    assert_eq!(error.details().unwrap()["budget"], "usd_per_month");
    // An answer longer than was expected counts while it is being said.
    charge.spent(amount(50));
    assert!(world.budgets.open(&both, amount(1)).await.is_err());
    assert_eq!(world.used("user:u", "2026-01").await, (0, 50));
    drop(charge);
    assert_eq!(world.used("user:u", "2026-01").await, (0, 50));
    // Another key of the same account is held to the account's limit, too.
    let other = caller(&[
        ("user:u", Limits { usd_per_month: Some(0.000_05), ..Limits::default() }),
        ("key:m", Limits::default()),
    ]);
    assert!(world.budgets.open(&other, amount(1)).await.is_err());
}

#[tokio::test]
async fn days_and_months_begin_anew() {
    let world = world(Store::in_memory());
    let limits = Limits { tokens_per_day: Some(100), tokens_per_month: Some(150), ..Limits::default() };
    let caller = caller(&[("user:u", limits)]);
    let use_up = async |tokens: i64| {
        let mut charge = world.budgets.open(&caller, amount(tokens)).await?;
        charge.spent(amount(tokens));
        Ok::<_, Error>(charge)
    };
    world.time.fetch_sub(86_400, Ordering::Relaxed);
    drop(use_up(100).await.unwrap());
    assert!(use_up(1).await.is_err());
    world.time.fetch_add(86_400, Ordering::Relaxed);
    let overnight = use_up(50).await.unwrap();
    assert!(use_up(1).await.is_err(), "the month is used up");
    world.time.fetch_add(86_400, Ordering::Relaxed);
    drop(overnight);
    assert_eq!(world.used("user:u", "2026-01-31").await.1, 50, "a call counts where it began");
    drop(use_up(100).await.unwrap());
    assert_eq!(world.used("user:u", "2026-02").await.1, 100);
}

#[tokio::test]
async fn nothing_is_given_twice_and_nothing_is_forgotten() {
    let store = Store::in_memory();
    let world = world(store.clone());
    let caller = caller(&[("user:u", tokens(100))]);
    let opened = join_all((0..50).map(|_| world.budgets.open(&caller, amount(7)))).await;
    let mut charges: Vec<Charge> = opened.into_iter().filter_map(Result::ok).collect();
    assert_eq!(charges.len(), 14, "98 of 100");
    charges.iter_mut().for_each(|charge| charge.spent(amount(5)));
    drop(charges);
    assert_eq!(world.used("user:u", "2026-01-31").await.1, 70);
    // Another process, later, on the same store.
    let again = self::world(store.clone());
    assert!(again.budgets.open(&caller, amount(31)).await.is_err());
    let cut = again.budgets.open(&caller, amount(30)).await.unwrap();
    // It is killed: what was taken stays taken.
    std::mem::forget(cut);
    let after = self::world(again.store.clone());
    assert!(after.budgets.open(&caller, amount(1)).await.is_err());
}

#[tokio::test]
async fn who_hangs_up_before_it_is_written_takes_nothing() {
    let world = world(Store::in_memory());
    let caller = caller(&[("user:u", tokens(100))]);
    {
        let mut open = Box::pin(world.budgets.open(&caller, amount(100)));
        assert!(futures_util::poll!(&mut open).is_pending());
    }
    // The first flush may be in the same commit as what is to be given back; the second is behind it.
    world.budgets.flush().await;
    assert_eq!(world.used("user:u", "2026-01-31").await, (0, 0));
    assert!(world.budgets.open(&caller, amount(100)).await.is_ok());
}
