//! Counts within a sliding window.
//!
//! Two counts stand for a window: of the aligned one that runs now, and of the one before it, which counts for as much of it
//! as the sliding window still covers. That takes a few words a caller, and who asks around the change of windows isn't let
//! through twice. It takes what came before as evenly spread: who asks at the very end of two windows in a row can have up to
//! twice the limit within the time of one.

use std::time::Duration;

use jiff::Timestamp;

use crate::config::Rate;

/// What a caller has used of one rate.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::service) struct Window {
    /// Which aligned window `current` counts.
    index: u64,
    current: u64,
    previous: u64,
}

/// How a caller stands with one rate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// What the rate allows.
    pub rate: Rate,
    /// How much of it is left.
    pub remaining: u64,
    /// When more of it is there again, in seconds since 1970.
    pub reset: i64,
}

// === impl Window ===

impl Window {
    /// Takes `cost`, or says after what time it can be taken. What is more than the whole rate can be taken when nothing was.
    pub(in crate::service) fn take(&mut self, rate: Rate, cost: u64, now: Timestamp) -> Result<(), Duration> {
        self.roll(rate, now);
        let wait = self.wait(rate, cost.min(rate.limit), now);
        if !wait.is_zero() {
            return Err(wait);
        }
        self.current = self.current.saturating_add(cost);
        Ok(())
    }

    /// After what time `cost` could be taken.
    pub(in crate::service) fn wait(&self, rate: Rate, cost: u64, now: Timestamp) -> Duration {
        let (window, elapsed) = (millis(rate), millis_into(rate, now));
        let (limit, cost) = (u128::from(rate.limit), u128::from(cost));
        let (current, previous) = (u128::from(self.current), u128::from(self.previous));
        let left = window - elapsed;
        if current + cost <= limit {
            if previous * left + (current + cost) * window <= limit * window {
                return Duration::ZERO;
            }
            // Enough of the window before has to slide out.
            let may_cover = (limit - current - cost) * window / previous.max(1);
            return duration(left.saturating_sub(may_cover));
        }
        // This window is full: it has to become the one before, and slide out far enough.
        let may_cover = limit.saturating_sub(cost) * window / current.max(1);
        duration(left + window.saturating_sub(may_cover))
    }

    /// Adds what was used beyond what was taken, or gives back what wasn't, where it was taken: in the aligned window of that
    /// index. Given back anywhere else, it would pay for others.
    pub(in crate::service) fn settle(&mut self, rate: Rate, index: u64, taken: u64, used: u64, now: Timestamp) {
        self.roll(rate, now);
        self.current = self.current.saturating_add(used.saturating_sub(taken));
        let back = taken.saturating_sub(used);
        match self.index.checked_sub(index) {
            Some(0) => self.current = self.current.saturating_sub(back),
            Some(1) => self.previous = self.previous.saturating_sub(back),
            _ => {}
        }
    }

    /// Which aligned window it counts in.
    pub(in crate::service) fn index(&self) -> u64 {
        self.index
    }

    pub(in crate::service) fn standing(&mut self, rate: Rate, now: Timestamp) -> Standing {
        self.roll(rate, now);
        let (window, elapsed) = (millis(rate), millis_into(rate, now));
        let used = (u128::from(self.previous) * (window - elapsed)).div_ceil(window) + u128::from(self.current);
        let remaining = rate.limit.saturating_sub(u64::try_from(used).unwrap_or(u64::MAX));
        let wait = if remaining == 0 { self.wait(rate, 1.min(rate.limit), now) } else { duration(window - elapsed) };
        let millis = now.as_millisecond().saturating_add(i64::try_from(wait.as_millis()).unwrap_or(i64::MAX));
        // Rounded up: who comes then must not come too early.
        let reset = millis.div_euclid(1000).saturating_add(i64::from(millis.rem_euclid(1000) > 0));
        Standing { rate, remaining, reset }
    }

    /// Goes on to the aligned window of `now`. A clock that goes back changes nothing.
    fn roll(&mut self, rate: Rate, now: Timestamp) {
        let index = u64::try_from(now.as_millisecond()).unwrap_or_default() / u64::try_from(millis(rate)).unwrap_or(1);
        match index.checked_sub(self.index) {
            None | Some(0) => {}
            Some(1) => *self = Self { index, current: 0, previous: self.current },
            Some(_) => *self = Self { index, current: 0, previous: 0 },
        }
    }
}

fn millis(rate: Rate) -> u128 {
    rate.window.as_millis().max(1)
}

fn millis_into(rate: Rate, now: Timestamp) -> u128 {
    u128::try_from(now.as_millisecond()).unwrap_or_default() % millis(rate)
}

fn duration(millis: u128) -> Duration {
    // Never nothing: what has to wait has to wait.
    Duration::from_millis(u64::try_from(millis.max(1)).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millisecond(1_700_000_040_000 + millis).unwrap()
    }

    const RATE: Rate = Rate { limit: 60, window: Duration::from_secs(60) };

    #[test]
    fn as_many_as_the_limit_says() {
        let mut window = Window::default();
        for taken in 0..60 {
            assert_eq!(window.standing(RATE, at(0)).remaining, 60 - taken);
            assert_eq!(window.take(RATE, 1, at(0)), Ok(()));
        }
        let standing = window.standing(RATE, at(0));
        assert_eq!((standing.remaining, standing.reset), (0, at(61_000).as_second()));
        assert_eq!(window.take(RATE, 1, at(0)), Err(Duration::from_secs(61)));
    }

    #[test]
    fn nobody_passes_twice_around_the_change() {
        let mut window = Window::default();
        (0..60).for_each(|_| window.take(RATE, 1, at(59_999)).unwrap());
        let passed = (0..60).filter(|_| window.take(RATE, 1, at(60_000)).is_ok()).count();
        assert_eq!(passed, 0);
        let passed = (0..60).filter(|_| window.take(RATE, 1, at(90_000)).is_ok()).count();
        assert_eq!(passed, 30);
    }

    #[test]
    fn what_is_more_than_all_passes_alone_and_is_paid_for() {
        let mut window = Window::default();
        window.take(RATE, 1000, at(0)).unwrap();
        assert!(window.take(RATE, 1, at(1000)).is_err());
        window.settle(RATE, window.index(), 1000, 20, at(1000));
        assert_eq!(window.standing(RATE, at(1000)).remaining, 40);
    }

    #[test]
    fn what_is_given_back_is_what_was_taken() {
        let mut window = Window::default();
        window.take(RATE, 60, at(0)).unwrap();
        let first = window.index();
        window.take(RATE, 30, at(90_000)).unwrap();
        window.settle(RATE, first, 60, 0, at(90_000));
        assert_eq!(window.standing(RATE, at(90_000)).remaining, 30, "the thirty of this window stay");
        window.settle(RATE, window.index(), 30, 45, at(150_000));
        assert_eq!(window.standing(RATE, at(150_000)).remaining, 30, "half of thirty, and fifteen more");
        window.settle(RATE, first, 60, 0, at(150_000));
        assert_eq!(window.standing(RATE, at(150_000)).remaining, 30, "what has slid out is nobody's");
    }

    #[test]
    fn a_clock_that_goes_back_gives_nothing_away() {
        let mut window = Window::default();
        (0..60).for_each(|_| window.take(RATE, 1, at(70_000)).unwrap());
        assert!(window.take(RATE, 1, at(10_000)).is_err());
    }

    proptest! {
        /// Whoever waits as long as told gets in, and never more than the limit and a window's edge within a window.
        #[test]
        fn waiting_helps(gaps in prop::collection::vec(0i64..30_000, 1..200), limit in 1u64..20) {
            let rate = Rate { limit, window: Duration::from_secs(10) };
            let (mut window, mut now, mut passed) = (Window::default(), 0i64, Vec::new());
            for gap in gaps {
                now += gap / 100;
                match window.take(rate, 1, at(now)) {
                    Ok(()) => passed.push(now),
                    Err(wait) => {
                        let later = now + i64::try_from(wait.as_millis()).unwrap();
                        let mut then = window;
                        prop_assert!(then.take(rate, 1, at(later)).is_ok(), "refused after the wait that was told");
                    }
                }
            }
            for (index, first) in passed.iter().enumerate() {
                let within = passed[index..].iter().take_while(|time| **time - first < 10_000).count();
                prop_assert!(within as u64 <= 2 * limit, "{within} of {limit}");
            }
        }
    }
}
