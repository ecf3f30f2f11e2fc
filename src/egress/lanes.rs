//! The connections to one host: as many requests over each as an HTTP/2 server takes at once, and another for more.
//!
//! The library's pool has one HTTP/2 connection for each host, and what is more than the server takes over it waits there,
//! unseen, until another answer is over: minutes, where answers are streams. So there are several pools, each asked for no more
//! than fits.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// What servers take over one HTTP/2 connection: RFC 9113 (6.5.2) recommends no less, and the usual ones take that or little
/// more.
const STREAMS: usize = 100;

/// Clients of one thread for one vendor, or for the hosts of one tool.
pub(super) struct Lanes<C>(Mutex<Vec<Lane<C>>>);

#[derive(Clone)]
struct Lane<C> {
    client: C,
    open: Arc<AtomicUsize>,
}

/// A request on its way, until its answer is over.
pub(super) struct Open(Arc<AtomicUsize>);

// === impl Lanes ===

impl<C> Default for Lanes<C> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<C: Clone> Lanes<C> {
    /// The first client that has room for another request; made by `client` where none has.
    pub(super) fn enter(&self, client: impl FnOnce() -> C) -> (C, Open) {
        let mut lanes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let lane = match lanes.iter().find(|lane| lane.open.load(Ordering::Relaxed) < STREAMS) {
            Some(lane) => lane.clone(),
            None => {
                let lane = Lane { client: client(), open: Arc::default() };
                lanes.push(lane.clone());
                lane
            }
        };
        lane.open.fetch_add(1, Ordering::Relaxed);
        (lane.client, Open(lane.open))
    }
}

// === impl Open ===

impl Drop for Open {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_as_many_as_are_needed_and_the_first_is_used_again() {
        let lanes = Lanes::default();
        let mut made = 0;
        let mut enter = || {
            lanes.enter(|| {
                made += 1;
                made
            })
        };
        let mut open: Vec<_> = (0..STREAMS * 2 + 1).map(|_| enter()).collect();
        let lane = |index: usize| open.iter().filter(|(client, _)| *client == index).count();
        assert_eq!([lane(1), lane(2), lane(3)], [STREAMS, STREAMS, 1]);
        open.remove(0);
        let again: Vec<_> = (0..2).map(|_| enter()).collect();
        assert_eq!(again.iter().map(|(client, _)| *client).collect::<Vec<_>>(), [1, 3]);
        drop((open, again));
        assert_eq!(enter().0, 1);
    }
}
