//! Who is better not asked for a while: a provider that failed too often in a row, or one that said when to come again.
//!
//! An open circuit is a word to those who have another choice. Who has none is let through: a provider that fails is then no
//! worse than one that isn't asked, and what makes it fail may be the requests of somebody else. Time is given, never taken.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::config::Breaker;

/// What is known of a provider by how its latest requests ended.
#[derive(Debug)]
pub struct Circuit {
    rules: Breaker,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// In a row.
    failures: u32,
    /// Until when it is passed over; then one request tries.
    open: Option<Instant>,
    /// Which request that is, while it is on its way.
    probe: Option<u64>,
    /// How often one tried.
    probes: u64,
    /// When the vendor wants to be asked again.
    held: Option<Instant>,
}

/// One request to a provider. Dropped without a word, it says nothing of the provider.
#[derive(Debug)]
pub(in crate::service) struct Pass {
    circuit: Arc<Circuit>,
    /// Its number, if it is the one request that tries.
    probe: Option<u64>,
    /// Whether it goes though the circuit is open.
    forced: bool,
}

/// What became of a circuit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::service) enum Change {
    Opened,
    Closed,
}

// === impl Circuit ===

impl Circuit {
    /// A closed circuit.
    pub(in crate::service) fn new(rules: Breaker) -> Arc<Self> {
        Arc::new(Self { rules, state: Mutex::default() })
    }

    /// Whether it is open.
    pub fn is_open(&self) -> bool {
        self.lock().open.is_some()
    }

    /// Lets a request through that comes at `now`, unless it is better sent elsewhere.
    pub(in crate::service) fn enter(self: &Arc<Self>, now: Instant) -> Option<Pass> {
        let mut state = self.lock();
        if state.held.is_some_and(|until| now < until) {
            return None;
        }
        let probe = match state.open {
            None => None,
            Some(until) if now < until || state.probe.is_some() => return None,
            Some(_) => {
                state.probes += 1;
                state.probe = Some(state.probes);
                state.probe
            }
        };
        drop(state);
        Some(Pass { circuit: self.clone(), probe, forced: false })
    }

    /// Lets a request through that has no other choice.
    pub(in crate::service) fn force(self: &Arc<Self>, now: Instant) -> Pass {
        let pass = self.enter(now);
        pass.unwrap_or_else(|| Pass { circuit: self.clone(), probe: None, forced: self.is_open() })
    }

    /// The vendor wants nobody to ask for so long from `now` on.
    pub(in crate::service) fn hold(&self, now: Instant, time: Duration) {
        let mut state = self.lock();
        state.held = state.held.max(Some(now + time));
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

// === impl Pass ===

impl Pass {
    /// Whether it goes though the circuit is open: then once is enough.
    pub(in crate::service) fn is_forced(&self) -> bool {
        self.forced || self.probe.is_some()
    }

    /// The provider said a first word: it is there again, whatever becomes of the rest.
    pub(in crate::service) fn spoke(&mut self) -> Option<Change> {
        self.probe = None;
        let mut state = self.circuit.lock();
        let closed = state.open.take().is_some();
        if closed {
            (state.failures, state.probe) = (0, None);
        }
        closed.then_some(Change::Closed)
    }

    /// It answered, be it with a no that says nothing against it.
    pub(in crate::service) fn answered(&mut self) -> Option<Change> {
        let closed = self.spoke();
        self.circuit.lock().failures = 0;
        closed
    }

    /// It failed at `now`.
    pub(in crate::service) fn failed(&mut self, now: Instant) -> Option<Change> {
        let rules = self.circuit.rules;
        let mut state = self.circuit.lock();
        let probe = state.end(self.probe.take());
        state.failures = state.failures.saturating_add(1);
        let opens = match state.open {
            Some(_) => probe,
            None => rules.failures > 0 && state.failures >= rules.failures,
        };
        if !opens {
            return None;
        }
        state.open.replace(now + rules.pause).is_none().then_some(Change::Opened)
    }
}

impl Drop for Pass {
    fn drop(&mut self) {
        if self.probe.is_some() {
            // Another one may try.
            self.circuit.lock().end(self.probe);
        }
    }
}

// === impl State ===

impl State {
    /// The probe of that number is over; whether it still was the one. Another request may have closed the circuit meanwhile.
    fn end(&mut self, probe: Option<u64>) -> bool {
        let current = probe.is_some() && self.probe == probe;
        if current {
            self.probe = None;
        }
        current
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const PAUSE: Duration = Duration::from_secs(10);

    fn circuit(failures: u32) -> (Arc<Circuit>, Instant) {
        (Circuit::new(Breaker { failures, pause: PAUSE }), Instant::now())
    }

    #[test]
    fn failures_in_a_row_open_it_and_one_probe_closes_it() {
        let (circuit, now) = circuit(3);
        for expected in [None, None, Some(Change::Opened)] {
            assert_eq!(circuit.enter(now).unwrap().failed(now), expected);
        }
        assert!(circuit.enter(now).is_none() && circuit.enter(now + PAUSE / 2).is_none());
        let later = now + PAUSE;
        let probe = circuit.enter(later).unwrap();
        assert!(circuit.enter(later).is_none(), "one at a time");
        drop(probe);
        let mut probe = circuit.enter(later).expect("who hung up stands in nobody's way");
        assert_eq!(probe.failed(later), None, "it stays open");
        drop(probe);
        assert!(circuit.enter(later + PAUSE / 2).is_none());
        let mut probe = circuit.enter(later + PAUSE).unwrap();
        assert_eq!(probe.spoke(), Some(Change::Closed));
        assert!(circuit.enter(later + PAUSE).is_some() && !circuit.is_open());
    }

    #[test]
    fn an_answer_between_failures_starts_anew() {
        let (circuit, now) = circuit(2);
        circuit.enter(now).unwrap().failed(now);
        assert_eq!(circuit.enter(now).unwrap().answered(), None);
        assert_eq!(circuit.enter(now).unwrap().failed(now), None);
        // Streams that begin well and break off are failures all the same.
        let mut stream = circuit.enter(now).unwrap();
        assert_eq!((stream.spoke(), stream.failed(now)), (None, Some(Change::Opened)));
    }

    #[test]
    fn who_has_no_choice_is_let_through() {
        let (circuit, now) = circuit(1);
        circuit.enter(now).unwrap().failed(now);
        let mut forced = circuit.force(now);
        assert!(forced.is_forced());
        assert_eq!(forced.failed(now), None);
        assert_eq!(circuit.force(now).answered(), Some(Change::Closed));
        assert!(!circuit.force(now).is_forced());
    }

    #[test]
    fn a_vendor_who_said_when_is_not_asked_before() {
        let (circuit, now) = circuit(5);
        circuit.hold(now, PAUSE);
        circuit.hold(now, PAUSE / 2);
        assert!(circuit.enter(now + PAUSE - Duration::from_millis(1)).is_none());
        assert!(!circuit.force(now).is_forced(), "no failure, so it may be asked again as told");
        assert!(circuit.enter(now + PAUSE).is_some());
    }

    #[test]
    fn none_opens_where_the_operator_wants_none() {
        let (circuit, now) = circuit(0);
        assert!((0..100).all(|_| circuit.enter(now).unwrap().failed(now).is_none()));
    }

    proptest! {
        /// Whatever happens, the place of the one probe is taken by one request or free, and every opening is followed by a closing.
        #[test]
        fn it_opens_and_closes_in_turn(steps in prop::collection::vec((0u8..5, 0usize..4, 0u64..8), 1..200)) {
            let (circuit, mut now) = circuit(3);
            let (mut passes, mut open) = (Vec::<Pass>::new(), false);
            for (step, which, seconds) in steps {
                now += Duration::from_secs(seconds);
                let change = match (step, passes.is_empty()) {
                    (0 | 1, _) | (_, true) => { passes.extend(circuit.enter(now)); None }
                    (2, _) => { let index = which % passes.len(); drop(passes.swap_remove(index)); None }
                    (3, _) => { let index = which % passes.len(); passes.swap_remove(index).failed(now) }
                    _ => { let index = which % passes.len(); passes.swap_remove(index).answered() }
                };
                let probe = circuit.lock().probe;
                let probes = passes.iter().filter(|pass| pass.probe.is_some() && pass.probe == probe).count();
                prop_assert_eq!(probes, usize::from(probe.is_some()), "the place of the probe is lost");
                match change {
                    Some(Change::Opened) => prop_assert!(!std::mem::replace(&mut open, true)),
                    Some(Change::Closed) => prop_assert!(std::mem::replace(&mut open, false)),
                    None => {}
                }
                prop_assert_eq!(circuit.is_open(), open);
            }
        }
    }
}
