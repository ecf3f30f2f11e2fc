//! Counts of requests, by route template and method.

use std::collections::HashMap;
use std::fmt::Error;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::exposition::Exposition;
use super::families;
use super::histogram::Histogram;

/// See the module. What one request costs here is a look-up in a table that never changes, and a few atomic additions.
#[derive(Debug)]
pub struct Http {
    routes: HashMap<&'static str, Methods>,
    /// Paths that no endpoint has, whatever they are.
    unmatched: Methods,
    active: AtomicU64,
    /// Of what is over.
    finished: AtomicU64,
}

/// The last one stands for all others: a caller can invent methods without end.
const METHODS: [&str; 8] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "other"];

/// Statuses that are told apart.
const STATUSES: [u16; 38] = [
    101, 200, 201, 202, 204, 206, 301, 302, 303, 304, 307, 308, 400, 401, 403, 404, 405, 406, 408, 409, 410, 411, 412,
    413, 414, 415, 416, 417, 421, 422, 426, 429, 431, 499, 500, 502, 503, 504,
];

/// Counts of one template, made when a method is first used.
#[derive(Debug, Default)]
struct Methods([OnceLock<Box<Route>>; METHODS.len()]);

/// Counts of one template and method.
#[derive(Debug)]
struct Route {
    statuses: [AtomicU64; STATUSES.len()],
    /// Whatever other status.
    other: AtomicU64,
    duration: Histogram,
}

/// The status of a request whose caller hung up before there was an answer.
pub const HUNG_UP: u16 = 499;

// === impl Http ===

impl Http {
    pub(super) fn new(paths: impl IntoIterator<Item = &'static str>) -> Self {
        Self {
            routes: paths.into_iter().map(|path| (path, Methods::default())).collect(),
            unmatched: Methods::default(),
            active: AtomicU64::new(0),
            finished: AtomicU64::new(0),
        }
    }

    /// A request begins.
    pub fn begin(&self) {
        self.active.fetch_add(1, Ordering::Relaxed);
    }

    /// A request is over; `path` is its route's template, if it has one.
    pub fn end(&self, method: &str, path: Option<&str>, status: u16, time: Duration) {
        let methods = path.and_then(|path| self.routes.get(path)).unwrap_or(&self.unmatched);
        let other = METHODS.len() - 1;
        let index = METHODS.iter().position(|known| *known == method).unwrap_or(other);
        if let Some(route) = methods.0.get(index) {
            let route = route.get_or_init(Box::default);
            let counter = STATUSES.binary_search(&status).ok().and_then(|index| route.statuses.get(index));
            counter.unwrap_or(&route.other).fetch_add(1, Ordering::Relaxed);
            route.duration.observe(time);
        }
        // In this order, so that no request is missing in between.
        self.finished.fetch_add(1, Ordering::Relaxed);
        self.active.fetch_sub(1, Ordering::Relaxed);
    }

    /// Requests so far, those in progress included.
    pub fn requests(&self) -> u64 {
        self.finished.load(Ordering::Relaxed).saturating_add(self.active())
    }

    /// Requests in progress.
    pub fn active(&self) -> u64 {
        self.active.load(Ordering::Relaxed)
    }

    pub(super) fn write(&self, out: &mut Exposition<'_>) -> Result<(), Error> {
        let routes = self.routes();
        let label = |(path, method, _): &(&str, &str, &Route)| (method.to_string(), path.to_string());
        let statuses = routes.iter().flat_map(|route| {
            let (method, path) = label(route);
            let sample = move |(status, count): (String, u64)| ([method.clone(), path.clone(), status], count);
            route.2.statuses().map(sample)
        });
        out.counter(&families::REQUESTS, statuses)?;
        let durations = routes.iter().filter_map(|route| {
            let (method, path) = label(route);
            Some(([method, path], route.2.duration.read()?))
        });
        out.histogram(&families::REQUEST_DURATION, durations)?;
        out.gauge(&families::REQUESTS_ACTIVE, [([], self.active())])?;
        let sums = routes.iter().map(|route| {
            let (method, path) = label(route);
            ([method, path], route.2.statuses().map(|(_, count)| count).sum::<u64>())
        });
        out.counter(&families::API_REQUESTS, sums)
    }

    /// Everything that was ever asked, in an order that stays.
    fn routes(&self) -> Vec<(&str, &'static str, &Route)> {
        let known = self.routes.iter().map(|(path, methods)| (*path, methods)).chain([("unmatched", &self.unmatched)]);
        let mut routes: Vec<_> = known
            .flat_map(|(path, methods)| {
                let used = METHODS.iter().zip(&methods.0);
                used.filter_map(move |(method, route)| Some((path, *method, &**route.get()?)))
            })
            .collect();
        routes.sort_unstable_by_key(|(path, method, _)| (*path, *method));
        routes
    }
}

// === impl Route ===

impl Default for Route {
    fn default() -> Self {
        let statuses = std::array::from_fn(|_| AtomicU64::new(0));
        Self { statuses, other: AtomicU64::new(0), duration: Histogram::default() }
    }
}

impl Route {
    /// Statuses that there were, and how often.
    fn statuses(&self) -> impl Iterator<Item = (String, u64)> {
        let known = STATUSES.iter().map(u16::to_string).zip(&self.statuses).chain([("other".to_owned(), &self.other)]);
        known.map(|(status, count)| (status, count.load(Ordering::Relaxed))).filter(|(_, count)| *count > 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statuses_can_be_searched() {
        assert!(STATUSES.is_sorted() && STATUSES.contains(&HUNG_UP));
    }

    #[test]
    fn what_callers_invent_makes_no_labels() {
        let http = Http::new(["/a"]);
        let time = Duration::from_millis(1);
        for (method, path, status) in
            [("GET", Some("/a"), 200), ("BREW", Some("/a"), 200), ("MILK", None, 404), ("GET", Some("/b"), 799)]
        {
            http.begin();
            http.end(method, path, status, time);
        }
        let routes: Vec<_> = http
            .routes()
            .into_iter()
            .map(|(path, method, route)| (path, method, route.statuses().collect::<Vec<_>>()))
            .collect();
        let one = |status: &str| vec![(status.to_owned(), 1)];
        assert_eq!(
            routes,
            [
                ("/a", "GET", one("200")),
                ("/a", "other", one("200")),
                ("unmatched", "GET", one("other")),
                ("unmatched", "other", one("404")),
            ]
        );
        assert_eq!((http.requests(), http.active()), (4, 0));
    }
}
