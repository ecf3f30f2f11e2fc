//! What accounts and keys may use a day and a month, in tokens and in US dollars, and what everybody has used.
//!
//! What a call will probably take is taken from the budget before the vendor is asked ([`Budgets::open`]), and is on disk then;
//! what it did take is settled when it is over, however it ends ([`Charge`]). So a server that is killed in the middle of calls
//! has counted too much, never too little. Days and months are those of UTC; a call counts where it began.
//!
//! Counts stand in the store; those with a limit also in memory ([`ledger`]), so that two calls at once can't both have what is
//! left for one. Where processes share a store, each learns of the others' calls when it reads again.

mod ledger;
mod writer;

use std::sync::Arc;

use jiff::Timestamp;
use quick_cache::sync::Cache;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::oneshot;

use self::ledger::{Ledger, Refused};
use self::writer::Told;
use super::Clock;
use crate::model::account::Limits;
use crate::model::caller::Caller;
use crate::model::{Error, Kind, Result};
use crate::store::{Key, Store, spaces};

/// See the module.
pub struct Budgets {
    store: Store,
    clock: Clock,
    ledgers: Cache<String, Arc<Ledger>>,
    writer: UnboundedSender<Told>,
}

/// Writes down what was used; see [`Budgets::new`].
pub struct Writer {
    store: Store,
    told: UnboundedReceiver<Told>,
}

/// Tokens, and money in billionths of a US dollar.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Amount {
    /// Tokens of prompts and answers.
    pub tokens: i64,
    /// Billionths of a US dollar.
    pub nanos: i64,
}

/// A day and its month.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Period {
    day: String,
    month: String,
}

/// What was used within a day or a month.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Spent {
    /// Calls that asked a vendor.
    pub calls: i64,
    /// Tokens and money.
    pub amount: Amount,
}

/// What a call takes, until it is known. Dropped, it is settled.
pub struct Charge {
    budgets: Arc<Budgets>,
    period: Period,
    shares: Vec<Share>,
    spent: Amount,
    calls: i64,
    /// Whether what was taken is on disk.
    written: bool,
}

/// Who pays.
struct Share {
    subject: String,
    /// Where there is a limit.
    ledger: Option<Arc<Ledger>>,
    /// What was taken beforehand.
    taken: Amount,
}

/// Everybody together.
pub const ALL: &str = "all";

/// Ledgers in memory.
const REMEMBERED: usize = 20_000;

const CALLS: &str = "calls";
const TOKENS: &str = "tokens";
const NANOS: &str = "nanodollars";

// === impl Budgets ===

impl Budgets {
    /// Those whose counts `store` keeps, and what has to run so that they are written down.
    pub fn new(store: Store, clock: Clock) -> (Arc<Self>, Writer) {
        let (writer, told) = unbounded_channel();
        let budgets = Self { store: store.clone(), clock, ledgers: Cache::new(REMEMBERED), writer };
        (Arc::new(budgets), Writer { store, told })
    }

    /// Takes `estimate` from everybody who pays for what `caller` asks.
    ///
    /// # Errors
    /// If a budget is used up, or the store can't be used.
    pub async fn open(self: &Arc<Self>, caller: &Caller, estimate: Amount) -> Result<Charge> {
        let now = self.clock.now();
        let period = Period::of(now);
        let mut shares = vec![Share { subject: ALL.to_owned(), ledger: None, taken: Amount::default() }];
        let mut limits = Vec::new();
        for bound in caller.member().into_iter().flat_map(|member| &member.bounds) {
            let ledger = if bound.limits.has_budget() {
                let ledger = self.ledger(&bound.subject, &period, now).await?;
                limits.push((ledger.clone(), bound.limits.clone()));
                Some(ledger)
            } else {
                None
            };
            shares.push(Share { subject: bound.subject.clone(), ledger, taken: Amount::default() });
        }
        let (budgets, spent) = (self.clone(), Amount::default());
        let mut charge = Charge { budgets, period, shares, spent, calls: 0, written: true };
        if limits.is_empty() {
            return Ok(charge);
        }
        ledger::take_all(&limits, &charge.period, estimate, now).map_err(|refused| refused_error(&refused, now))?;
        for share in charge.shares.iter_mut().filter(|share| share.ledger.is_some()) {
            share.taken = estimate;
        }
        // Whoever hangs up now doesn't know whether it will be written: the writer does.
        charge.written = false;
        let (tell, told) = oneshot::channel();
        let adds = charge.adds(|share| share.taken, 0);
        let gone = || Error::internal("nothing writes down what is used");
        self.writer.send(Told::Reserve(adds, tell)).map_err(|_| gone())?;
        told.await.map_err(|_| gone())??;
        charge.written = true;
        Ok(charge)
    }

    async fn ledger(&self, subject: &str, period: &Period, now: Timestamp) -> Result<Arc<Ledger>> {
        let fresh = || Ok::<_, std::convert::Infallible>(Arc::default());
        let ledger: Arc<Ledger> = match self.ledgers.get_or_insert_with(subject, fresh) {
            Ok(ledger) => ledger,
            Err(never) => match never {},
        };
        if let Some(version) = ledger.wants_reading(period, now) {
            let keys = [&period.day, &period.month];
            let keys = keys.into_iter().flat_map(|period| [key(subject, period, TOKENS), key(subject, period, NANOS)]);
            let counted = self.store.counters(keys.collect()).await?;
            if let [day_tokens, day_nanos, month_tokens, month_nanos] = counted[..] {
                let amount = |tokens, nanos| Amount { tokens, nanos };
                let read = [amount(day_tokens, day_nanos), amount(month_tokens, month_nanos)];
                ledger.read(version, period, read, now);
            }
        }
        Ok(ledger)
    }

    /// What `subject` used within each of `periods`: days (`2026-01-31`) or months (`2026-01`). Calls that are over are in it.
    ///
    /// # Errors
    /// If the store can't be read.
    pub async fn spent(&self, subject: &str, periods: &[String]) -> Result<Vec<Spent>> {
        self.flush().await;
        let keys = periods.iter().flat_map(|period| [CALLS, TOKENS, NANOS].map(|what| key(subject, period, what)));
        let counted = self.store.counters(keys.collect()).await?;
        let spent = counted.chunks_exact(3).map(|counts| match *counts {
            [calls, tokens, nanos] => Spent { calls, amount: Amount { tokens, nanos } },
            _ => Spent::default(),
        });
        Ok(spent.collect())
    }

    /// The names of the last `count` days, today first.
    pub fn days(&self, count: usize) -> impl Iterator<Item = String> + use<> {
        let now = self.clock.now();
        let hours = (0..count).filter_map(|days| i64::try_from(days).ok()).map(|days| days.saturating_mul(24));
        let ago = move |hours| now.checked_sub(jiff::SignedDuration::from_hours(hours)).ok();
        hours.filter_map(ago).map(|time| Period::of(time).day)
    }

    /// Today's name among the days, and that of this month.
    pub fn today(&self) -> (String, String) {
        let period = Period::of(self.clock.now());
        (period.day, period.month)
    }

    /// Waits until what was told so far is written down.
    pub async fn flush(&self) {
        let (tell, told) = oneshot::channel();
        if self.writer.send(Told::Flush(tell)).is_ok() {
            // It is gone only with the process.
            drop(told.await);
        }
    }
}

fn key(subject: &str, period: &str, what: &str) -> Key {
    spaces::SPENT.key().text(subject).text(period).text(what)
}

fn refused_error(refused: &Refused, now: Timestamp) -> Error {
    let Refused { name, limit, used, needed, is_money, ends_at } = *refused;
    let written =
        |amount: i64| if is_money { format!("{:.6} US dollars", dollars(amount)) } else { format!("{amount} tokens") };
    let number = |amount: i64| if is_money { dollars(amount).into() } else { serde_json::Value::from(amount) };
    let what = format!(
        "the budget `{name}` of this account or key is used up: {} of {} are used, and this needs up to {}; it begins anew at {}",
        written(used),
        written(limit),
        written(needed),
        super::clock::written(ends_at),
    );
    let details = serde_json::json!({
        "budget": name,
        "limit": number(limit),
        "used": number(used),
        "needed": number(needed),
        "resets_at": super::clock::written(ends_at),
    });
    let wait = std::time::Duration::try_from(ends_at.duration_since(now)).unwrap_or_default();
    Error::caller(Kind::OverBudget, what).with_details(details).with_retry_after(Some(wait))
}

/// Billionths of a US dollar, as US dollars.
pub fn dollars(nanos: i64) -> f64 {
    nanos as f64 / 1e9
}

// === impl Amount ===

impl Amount {
    /// So many tokens for so many US dollars.
    pub fn new(tokens: u64, dollars: Option<f64>) -> Self {
        let nanos = (dollars.unwrap_or_default() * 1e9).round();
        #[expect(clippy::cast_possible_truncation, reason = "what is beyond becomes the greatest amount there is")]
        let nanos = nanos as i64;
        Self { tokens: i64::try_from(tokens).unwrap_or(i64::MAX), nanos }
    }

    fn plus(self, other: Self) -> Self {
        Self { tokens: self.tokens.saturating_add(other.tokens), nanos: self.nanos.saturating_add(other.nanos) }
    }

    fn minus(self, other: Self) -> Self {
        Self { tokens: self.tokens.saturating_sub(other.tokens), nanos: self.nanos.saturating_sub(other.nanos) }
    }
}

// === impl Period ===

impl Period {
    fn of(now: Timestamp) -> Self {
        let day = now.strftime("%Y-%m-%d").to_string();
        let month = day.chars().take(7).collect();
        Self { day, month }
    }
}

// === impl Charge ===

impl Charge {
    /// The call has used so much so far; the newest word counts.
    pub fn spent(&mut self, amount: Amount) {
        self.spent = amount;
        if !self.written || self.shares.iter().all(|share| share.ledger.is_none()) {
            return;
        }
        let now = self.budgets.clock.now();
        let over = |share: &Share| {
            let over = amount.minus(share.taken);
            if share.ledger.is_some() {
                Amount { tokens: over.tokens.max(0), nanos: over.nanos.max(0) }
            } else {
                Amount::default()
            }
        };
        // An answer that is longer than was expected counts while it is being said.
        let adds = self.adds(over, 0);
        if adds.is_empty() {
            return;
        }
        for share in &mut self.shares {
            let more = over(share);
            if let Some(ledger) = &share.ledger {
                ledger.take(&self.period, more, now);
                share.taken = share.taken.plus(more);
            }
        }
        self.tell(adds);
    }

    fn tell(&self, adds: Vec<(Key, i64)>) {
        if !adds.is_empty() && self.budgets.writer.send(Told::Add(adds)).is_err() {
            tracing::error!("what a call used can't be written down: nothing writes any more");
        }
    }

    /// A vendor was asked.
    pub fn called(&mut self) {
        self.calls = 1;
    }

    /// So much for everybody who pays, for the day and for the month.
    fn adds(&self, of: impl Fn(&Share) -> Amount, calls: i64) -> Vec<(Key, i64)> {
        let mut adds = Vec::new();
        for share in &self.shares {
            let Amount { tokens, nanos } = of(share);
            for period in [&self.period.day, &self.period.month] {
                for (what, more) in [(CALLS, calls), (TOKENS, tokens), (NANOS, nanos)] {
                    if more != 0 {
                        adds.push((key(&share.subject, period, what), more));
                    }
                }
            }
        }
        adds
    }
}

impl Drop for Charge {
    fn drop(&mut self) {
        let now = self.budgets.clock.now();
        for share in &self.shares {
            if let Some(ledger) = &share.ledger {
                ledger.settle(&self.period, share.taken, self.spent, now);
            }
        }
        // Where nobody waited for it to be written, the writer gives it back; nothing can have been used.
        if self.written {
            self.tell(self.adds(|share| self.spent.minus(share.taken), self.calls));
        }
    }
}

/// Which limit of `limits` would be passed: its name, the limit, whether it is money, and whether it is the month's.
fn rules(limits: &Limits) -> impl Iterator<Item = (&'static str, i64, bool, bool)> {
    let tokens = |tokens: u64| i64::try_from(tokens).unwrap_or(i64::MAX);
    let money = |dollars: f64| Amount::new(0, Some(dollars)).nanos;
    [
        limits.tokens_per_day.map(|limit| ("tokens_per_day", tokens(limit), false, false)),
        limits.tokens_per_month.map(|limit| ("tokens_per_month", tokens(limit), false, true)),
        limits.usd_per_day.map(|limit| ("usd_per_day", money(limit), true, false)),
        limits.usd_per_month.map(|limit| ("usd_per_month", money(limit), true, true)),
    ]
    .into_iter()
    .flatten()
}

#[cfg(test)]
mod tests;
