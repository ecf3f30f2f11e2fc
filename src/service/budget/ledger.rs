//! What one subject with a limit has used today and this month, calls that aren't over among it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::{SignedDuration, Timestamp};

use super::{Amount, Period, rules};
use crate::model::account::Limits;

/// See the module.
#[derive(Default)]
pub(super) struct Ledger(Mutex<State>);

#[derive(Default)]
struct State {
    period: Period,
    /// Today's, and this month's.
    used: [Amount; 2],
    /// When it was last read from the store; never by default.
    read_at: Option<Timestamp>,
    /// Calls that aren't over.
    open: usize,
    /// Changes so far: what was read before one of them is no longer so.
    version: u64,
    changed_at: Timestamp,
}

/// A limit that would be passed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Refused {
    pub(super) name: &'static str,
    pub(super) limit: i64,
    pub(super) used: i64,
    pub(super) needed: i64,
    pub(super) is_money: bool,
    pub(super) ends_at: Timestamp,
}

/// How long what was read is believed, where others may count too.
const FRESH: SignedDuration = SignedDuration::from_secs(5);
/// How long what was settled may take to be written.
const SETTLED: SignedDuration = SignedDuration::from_secs(2);

/// Takes `amount` from all of them, or from none.
pub(super) fn take_all(
    limits: &[(Arc<Ledger>, Limits)],
    period: &Period,
    amount: Amount,
    now: Timestamp,
) -> Result<(), Refused> {
    // Whoever takes from the same ones takes them in the same order: that of an account and its keys.
    let mut states: Vec<(MutexGuard<'_, State>, &Limits)> =
        limits.iter().map(|(ledger, limits)| (ledger.lock(), limits)).collect();
    for (state, limits) in &mut states {
        state.roll(period);
        for (name, limit, is_money, of_month) in rules(limits) {
            let [day, month] = state.used;
            let used = if of_month { month } else { day };
            let part = |amount: Amount| if is_money { amount.nanos } else { amount.tokens };
            if part(used.plus(amount)) > limit {
                let ends_at = end(now, of_month);
                let (used, needed) = (part(used), part(amount));
                return Err(Refused { name, limit, used, needed, is_money, ends_at });
            }
        }
    }
    for (state, _) in &mut states {
        state.open += 1;
        state.change(period, Amount::default(), amount, now);
    }
    Ok(())
}

/// When the day or the month of `now` is over.
fn end(now: Timestamp, of_month: bool) -> Timestamp {
    let date = now.to_zoned(jiff::tz::TimeZone::UTC).date();
    let next = if of_month { date.last_of_month().tomorrow() } else { date.tomorrow() };
    let midnight = next.and_then(|next| next.to_zoned(jiff::tz::TimeZone::UTC));
    midnight.map_or(now, |midnight| midnight.timestamp())
}

// === impl Ledger ===

impl Ledger {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether the counts have to be read, and how many changes there were before.
    pub(super) fn wants_reading(&self, period: &Period, now: Timestamp) -> Option<u64> {
        let mut state = self.lock();
        state.roll(period);
        let old = |at: Timestamp, limit| now.duration_since(at) > limit;
        let quiet = state.open == 0 && old(state.changed_at, SETTLED);
        match state.read_at {
            None => Some(state.version),
            Some(at) => (quiet && old(at, FRESH)).then_some(state.version),
        }
    }

    /// The counts are so, unless there was a change since.
    pub(super) fn read(&self, version: u64, period: &Period, used: [Amount; 2], now: Timestamp) {
        let mut state = self.lock();
        if state.version == version && state.period == *period {
            (state.used, state.read_at) = (used, Some(now));
        }
    }

    /// A call that goes on takes more.
    pub(super) fn take(&self, period: &Period, more: Amount, now: Timestamp) {
        self.lock().change(period, Amount::default(), more, now);
    }

    /// A call that took `taken` is over, and has used `used`.
    pub(super) fn settle(&self, period: &Period, taken: Amount, used: Amount, now: Timestamp) {
        let mut state = self.lock();
        state.open = state.open.saturating_sub(1);
        state.change(period, taken, used, now);
    }
}

// === impl State ===

impl State {
    /// Goes on to `period`; one that is over stays over.
    fn roll(&mut self, period: &Period) {
        if self.period.day < period.day {
            let same_month = self.period.month == period.month;
            // Nothing of a new day can have been counted here.
            self.used = [Amount::default(), if same_month { self.used[1] } else { Amount::default() }];
            if self.period.day.is_empty() {
                self.read_at = None;
            }
            self.period = period.clone();
        }
    }

    fn change(&mut self, period: &Period, less: Amount, more: Amount, now: Timestamp) {
        if self.period.day == period.day {
            self.used[0] = self.used[0].plus(more).minus(less);
        }
        if self.period.month == period.month {
            self.used[1] = self.used[1].plus(more).minus(less);
        }
        self.version += 1;
        self.changed_at = self.changed_at.max(now);
    }
}
