//! How many connections there may be: in all, and of one address.

use std::collections::HashMap;
use std::convert::Infallible;
use std::net::IpAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use ipnet::IpNet;
use tokio::time::sleep;

use crate::config::Server;
use crate::model::caller::network;
use crate::telemetry::metrics::Metrics;

/// How often refusals are logged, at most.
const QUIET: Duration = Duration::from_secs(1);

/// Counts connections, and refuses those that are too many.
pub(super) struct Guard {
    most: usize,
    most_of_one: usize,
    /// Behind one of these are many callers.
    exempt: Vec<IpNet>,
    open: AtomicUsize,
    /// Only of addresses that have connections now, so no more than there may be of those.
    addresses: Mutex<HashMap<IpAddr, usize>>,
    refusals: Mutex<Refusals>,
    metrics: Arc<Metrics>,
}

/// A connection's place, free again when it is dropped.
pub(super) struct Seat {
    guard: Arc<Guard>,
    address: Option<IpAddr>,
}

/// Those that nobody has been told of yet.
#[derive(Default)]
struct Refusals {
    count: u64,
    /// The key of the configuration, and the address where it is about one, of the last of them.
    last: (&'static str, Option<IpAddr>),
}

// === impl Guard ===

impl Guard {
    pub(super) fn new(server: &Server, metrics: Arc<Metrics>) -> Arc<Self> {
        Arc::new(Self {
            most: server.max_connections,
            most_of_one: server.max_connections_per_address,
            exempt: server.trusted_proxies.clone(),
            open: AtomicUsize::new(0),
            addresses: Mutex::default(),
            refusals: Mutex::default(),
            metrics,
        })
    }

    /// A place, if there is one.
    pub(super) fn enter(self: &Arc<Self>) -> Option<Seat> {
        if self.open.fetch_add(1, Ordering::Relaxed) >= self.most {
            self.open.fetch_sub(1, Ordering::Relaxed);
            self.refused("max_connections", None);
            return None;
        }
        self.metrics.connection_opened();
        Some(Seat { guard: self.clone(), address: None })
    }

    /// Whether `address` is a proxy's, behind which there are many callers.
    pub(super) fn trusts(&self, address: IpAddr) -> bool {
        self.exempt.iter().any(|network| network.contains(&address))
    }

    fn counts(&self) -> MutexGuard<'_, HashMap<IpAddr, usize>> {
        self.addresses.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn refused(&self, limit: &'static str, address: Option<IpAddr>) {
        self.metrics.connection_refused(limit);
        let mut refusals = self.refusals();
        refusals.count += 1;
        refusals.last = (limit, address);
    }

    fn refusals(&self) -> MutexGuard<'_, Refusals> {
        self.refusals.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells of refusals, once for all of a flood's second.
    pub(super) async fn report(&self) -> Infallible {
        loop {
            sleep(QUIET).await;
            let Refusals { count, last: (limit, address) } = std::mem::take(&mut *self.refusals());
            if count > 0 {
                let address = address.map(tracing::field::display);
                tracing::warn!(count, address, "{count} connections were refused: server.{limit} is reached");
            }
        }
    }
}

// === impl Seat ===

impl Seat {
    /// Counts for `address` too; `false` if that has too many already.
    pub(super) fn claim(&mut self, address: IpAddr) -> bool {
        if self.guard.trusts(address) {
            return true;
        }
        let key = network(address);
        let mut counts = self.guard.counts();
        let count = counts.entry(key).or_default();
        if *count >= self.guard.most_of_one {
            drop(counts);
            self.guard.refused("max_connections_per_address", Some(address));
            return false;
        }
        *count += 1;
        self.address = Some(key);
        true
    }

    /// Whether it is taken for one who speaks for many callers.
    pub(super) fn is_of_proxy(&self, address: IpAddr) -> bool {
        self.guard.trusts(address)
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.guard.open.fetch_sub(1, Ordering::Relaxed);
        self.guard.metrics.connection_closed();
        if let Some(address) = self.address {
            let mut counts = self.guard.counts();
            if let Some(count) = counts.get_mut(&address) {
                *count -= 1;
                if *count == 0 {
                    counts.remove(&address);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn guard(most: usize, most_of_one: usize) -> Arc<Guard> {
        let server = Server {
            max_connections: most,
            max_connections_per_address: most_of_one,
            trusted_proxies: vec!["10.0.0.0/8".parse().unwrap()],
            ..Server::default()
        };
        Guard::new(&server, Arc::new(Metrics::new([])))
    }

    fn sit(guard: &Arc<Guard>, address: &str) -> Option<Seat> {
        let mut seat = guard.enter()?;
        seat.claim(address.parse().unwrap()).then_some(seat)
    }

    #[test]
    fn places_are_free_again() {
        let guard = guard(2, 2);
        let (first, second) = (sit(&guard, "1.1.1.1"), sit(&guard, "1.1.1.2"));
        assert!(first.is_some() && second.is_some() && guard.enter().is_none());
        drop(first);
        assert!(sit(&guard, "1.1.1.3").is_some());
    }

    #[test]
    fn an_address_has_only_so_many_and_a_network_of_ipv6_is_one() {
        let guard = guard(100, 2);
        let seats = [sit(&guard, "2001:db8::1"), sit(&guard, "2001:db8::ffff:2")];
        assert!(seats.iter().all(Option::is_some));
        assert!(sit(&guard, "2001:db8::3").is_none(), "the same /64");
        assert!(sit(&guard, "2001:db8:0:1::1").is_some(), "another one");
        let seats: Vec<_> = (0..3).map(|_| sit(&guard, "::ffff:1.1.1.1")).collect();
        assert!(seats.iter().filter(|seat| seat.is_some()).count() == 2 && sit(&guard, "1.1.1.1").is_none());
        let proxied: Vec<_> = (0..10).map(|_| sit(&guard, "10.1.2.3")).collect();
        assert!(proxied.iter().all(Option::is_some), "a trusted proxy may have more");
    }

    #[test]
    fn nothing_is_remembered_of_those_who_left() {
        let guard = guard(1000, 1);
        for last in 0..=255 {
            drop(sit(&guard, &format!("1.1.1.{last}")));
        }
        assert!(guard.counts().is_empty());
        assert_eq!(guard.open.load(Ordering::Relaxed), 0);
    }
}
