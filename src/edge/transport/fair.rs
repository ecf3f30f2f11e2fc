//! Whose turn it is on a worker, so that nobody waits for another's burst.
//!
//! A worker's tasks run in the order in which they were woken. While that is a moment's work, nobody waits for long. Whoever comes
//! later than that stands in line, in the line of a flow: all that comes from one address. Lines are served in turn, each for as
//! long as the others (deficit round robin), but first those that were empty before (sparse flows, as in RFC 8290). After each
//! moment the system is asked what has arrived. So who asks little waits for about two turns, whatever others do.
//!
//! A task can't be interrupted: what may go on for long asks [`poll_proceed`] between its steps.

use std::cell::Cell;
use std::collections::{HashMap, VecDeque};
use std::convert::Infallible;
use std::future::{Future, poll_fn};
use std::net::{IpAddr, SocketAddr};
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use futures_util::task::AtomicWaker;
use tokio::sync::Notify;
use tokio::task::yield_now;
use tokio::time::Instant;

/// How long a turn is, and the moment after which the system is asked what has arrived.
const TURN: Duration = Duration::from_micros(100);

/// What a flow can owe to the others after a step that took long.
const DEBT: Duration = Duration::from_millis(10);

tokio::task_local! {
    static CURRENT: Visit;
}

/// Those who have equal shares of a worker.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Flow {
    /// Connections that begin.
    Arrivals,
    /// All connections of one address.
    Address(IpAddr),
    /// One connection of a proxy, which may be anybody's.
    Connection(SocketAddr),
}

/// A worker's lines.
pub(super) struct Fair {
    lines: Mutex<Lines>,
    /// Somebody stands in line, and nobody has a turn.
    stalled: Notify,
}

struct Lines {
    /// When the system was asked what has arrived.
    asked: Instant,
    /// Of each flow in one of the two below.
    flows: HashMap<Flow, Line>,
    /// Flows that had no line before, in order.
    sparse: VecDeque<Flow>,
    /// The others, in order.
    busy: VecDeque<Flow>,
    /// Who was called, until the turn is over.
    called: Option<Arc<AtomicWaker>>,
}

/// Tasks of a flow that wait; those that are gone may still stand in it.
#[derive(Default)]
struct Line {
    places: VecDeque<Weak<AtomicWaker>>,
    /// What the flow had of this round.
    used: Duration,
}

/// A task on its way through the lines.
struct Visit {
    fair: Arc<Fair>,
    flow: Flow,
    place: Arc<AtomicWaker>,
    waits: Cell<bool>,
    began: Cell<Instant>,
    /// Whether it has done a step since.
    proceeded: Cell<bool>,
}

/// Ready if the task may do another step. If not, it is woken when it is its turn again; a turn has one step at least.
pub(super) fn poll_proceed(context: &Context<'_>) -> Poll<()> {
    let over = CURRENT.try_with(|visit| visit.proceeded.replace(true) && visit.began.get().elapsed() >= TURN);
    if over.unwrap_or(false) {
        context.waker().wake_by_ref();
        return Poll::Pending;
    }
    Poll::Ready(())
}

/// Lets others have their turn, if this one is over.
pub(super) async fn proceed() {
    poll_fn(|context| poll_proceed(context)).await;
}

/// Runs `work` in turns of the flow that the current task belongs to.
pub(super) fn join<T>(work: impl Future<Output = T>) -> impl Future<Output = T> {
    let current = CURRENT.try_with(|visit| (visit.fair.clone(), visit.flow)).ok();
    async move {
        match current {
            Some((fair, flow)) => fair.run(flow, work).await,
            None => work.await,
        }
    }
}

// === impl Fair ===

impl Fair {
    pub(super) fn new() -> Arc<Self> {
        let lines = Lines {
            asked: Instant::now(),
            flows: HashMap::new(),
            sparse: VecDeque::new(),
            busy: VecDeque::new(),
            called: None,
        };
        Arc::new(Self { lines: Mutex::new(lines), stalled: Notify::new() })
    }

    fn lines(&self) -> MutexGuard<'_, Lines> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs `work` in turns of `flow`.
    pub(super) async fn run<T>(self: Arc<Self>, flow: Flow, work: impl Future<Output = T>) -> T {
        let mut work = pin!(work);
        let visit = Visit {
            fair: self,
            flow,
            place: Arc::default(),
            waits: Cell::new(false),
            began: Cell::new(Instant::now()),
            proceeded: Cell::new(false),
        };
        let turns = poll_fn(|context| {
            CURRENT.with(|visit| {
                if !visit.enter(context.waker()) {
                    return Poll::Pending;
                }
                let outcome = work.as_mut().poll(context);
                visit.leave();
                outcome
            })
        });
        CURRENT.scope(visit, turns).await
    }

    /// The system was asked what has arrived.
    pub(super) fn asked(&self) {
        self.lines().asked = Instant::now();
    }

    /// Has the system asked between two moments, for as long as somebody stands in line.
    pub(super) async fn attend(&self) -> Infallible {
        loop {
            self.stalled.notified().await;
            // Woken again only after the system was asked.
            yield_now().await;
            self.asked();
            self.pass_on(self.lines());
        }
    }

    /// Calls the next one, if nobody has a turn and the moment isn't over.
    fn pass_on(&self, mut lines: MutexGuard<'_, Lines>) {
        if lines.called.is_some() || lines.flows.is_empty() {
            return;
        }
        if lines.moment_is_over(Instant::now()) {
            drop(lines);
            self.stalled.notify_one();
        } else if let Some(place) = lines.next() {
            lines.called = Some(place.clone());
            drop(lines);
            place.wake();
        }
    }
}

// === impl Lines ===

impl Lines {
    fn moment_is_over(&self, now: Instant) -> bool {
        now.saturating_duration_since(self.asked) >= TURN
    }

    fn has_called(&self, place: &Arc<AtomicWaker>) -> bool {
        self.called.as_ref().is_some_and(|called| Arc::ptr_eq(called, place))
    }

    fn push(&mut self, flow: Flow, place: &Arc<AtomicWaker>) {
        let (line, sparse) = (self.flows.entry(flow), &mut self.sparse);
        let line = line.or_insert_with(|| {
            sparse.push_back(flow);
            Line::default()
        });
        line.places.push_back(Arc::downgrade(place));
    }

    /// Takes the next one out of the lines.
    fn next(&mut self) -> Option<Arc<AtomicWaker>> {
        loop {
            let was_sparse = !self.sparse.is_empty();
            let first = if was_sparse { &mut self.sparse } else { &mut self.busy };
            let flow = *first.front()?;
            let line = self.flows.get_mut(&flow)?;
            if line.used < TURN {
                match line.places.pop_front().map(|place| place.upgrade()) {
                    Some(Some(place)) => return Some(place),
                    Some(None) => continue,
                    None => {}
                }
            }
            first.pop_front();
            // Who had a line in this round doesn't come first again before the others were served.
            if line.used >= TURN || was_sparse {
                line.used = line.used.saturating_sub(TURN);
                self.busy.push_back(flow);
            } else {
                self.flows.remove(&flow);
            }
        }
    }
}

// === impl Visit ===

impl Visit {
    /// Whether it is the task's turn; if not, it stands in line.
    fn enter(&self, waker: &Waker) -> bool {
        let now = Instant::now();
        let mut lines = self.fair.lines();
        let free = lines.called.is_none() && lines.flows.is_empty() && !lines.moment_is_over(now);
        if !free && !lines.has_called(&self.place) {
            self.place.register(waker);
            if !self.waits.replace(true) {
                lines.push(self.flow, &self.place);
                self.fair.pass_on(lines);
            }
            return false;
        }
        self.waits.set(false);
        self.began.set(now);
        self.proceeded.set(false);
        true
    }

    fn leave(&self) {
        let mut lines = self.fair.lines();
        if let Some(line) = lines.flows.get_mut(&self.flow) {
            line.used = (line.used + self.began.get().elapsed()).min(DEBT);
        }
        self.pass(lines);
    }

    /// Gives the turn away, if it was this task's.
    fn pass(&self, mut lines: MutexGuard<'_, Lines>) {
        if lines.has_called(&self.place) {
            lines.called = None;
        }
        self.fair.pass_on(lines);
    }
}

impl Drop for Visit {
    fn drop(&mut self) {
        self.pass(self.fair.lines());
    }
}

#[cfg(test)]
mod tests {
    use tokio::task::JoinHandle;
    use tokio::time::advance;

    use super::*;

    type Log = Arc<Mutex<Vec<u8>>>;

    /// A worker and what its tasks did, each by the last byte of its address.
    fn worker() -> (Arc<Fair>, Log) {
        let fair = Fair::new();
        let attendant = fair.clone();
        tokio::spawn(async move { attendant.attend().await });
        (fair, Log::default())
    }

    /// A task of `steps`, each as long as a turn.
    fn task(fair: &Arc<Fair>, log: &Log, flow: u8, steps: usize) -> JoinHandle<()> {
        let (address, log) = (Flow::Address([192, 0, 2, flow].into()), log.clone());
        tokio::spawn(fair.clone().run(address, async move {
            for _ in 0..steps {
                log.lock().unwrap().push(flow);
                // The clock moves at once, and the rest comes with the next turn.
                advance(TURN).await;
            }
        }))
    }

    #[tokio::test(start_paused = true)]
    async fn who_asks_little_does_not_wait_for_a_burst() {
        let (fair, log) = worker();
        let burst: Vec<_> = (0..100).map(|_| task(&fair, &log, 1, 1)).collect();
        task(&fair, &log, 2, 1).await.unwrap();
        assert!(log.lock().unwrap().iter().position(|flow| *flow == 2).unwrap() <= 2, "{log:?}");
        for one in burst {
            one.await.unwrap();
        }
        assert_eq!(log.lock().unwrap().len(), 101);
        task(&fair, &log, 1, 2).await.unwrap();
        let lines = fair.lines();
        assert!(lines.flows.is_empty() && lines.busy.is_empty() && lines.called.is_none(), "nothing is kept of them");
    }

    #[tokio::test(start_paused = true)]
    async fn who_has_more_tasks_does_not_get_more() {
        let (fair, log) = worker();
        let tasks = [(1, 20, 1), (2, 1, 20), (3, 4, 5)];
        let spawned = tasks.iter().flat_map(|&(flow, count, steps)| vec![(flow, steps); count]);
        for one in spawned.map(|(flow, steps)| task(&fair, &log, flow, steps)).collect::<Vec<_>>() {
            one.await.unwrap();
        }
        let log = log.lock().unwrap();
        for flow in [1, 2, 3] {
            let share = log.iter().take(30).filter(|one| **one == flow).count();
            assert!((8..=12).contains(&share), "{flow} had {share} of 30: {log:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn who_leaves_the_line_gives_the_turn_away() {
        let (fair, _) = worker();
        // The moment is over, so that all stand in line.
        advance(TURN).await;
        let mut waiting: VecDeque<_> =
            (1..=3).map(|flow| Box::pin(fair.clone().run(Flow::Address([192, 0, 2, flow].into()), async {}))).collect();
        let mut context = Context::from_waker(Waker::noop());
        assert!(waiting.iter_mut().all(|one| one.as_mut().poll(&mut context).is_pending()));
        drop(waiting.remove(1));
        for _ in 0..10 {
            yield_now().await;
        }
        assert!(waiting[1].as_mut().poll(&mut context).is_pending(), "the first was called");
        drop(waiting.pop_front());
        assert!(waiting[0].as_mut().poll(&mut context).is_ready());
        drop(waiting);
        let lines = fair.lines();
        assert!(lines.called.is_none() && lines.flows.is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn a_turn_has_an_end_but_one_step_at_least() {
        let steps = |spent: Duration| async move {
            proceed().await;
            poll_fn(|context| {
                // Moves the clock.
                let _ = pin!(advance(spent)).poll(context);
                Poll::Ready(poll_proceed(context).is_ready())
            })
            .await
        };
        assert!(steps(TURN).await, "no flow, no turns");
        let flow = Flow::Connection("192.0.2.1:1".parse().unwrap());
        let (fair, _) = worker();
        assert!(fair.clone().run(flow, steps(TURN / 2)).await);
        assert!(!fair.clone().run(flow, steps(TURN)).await);
        let first = poll_fn(|context| {
            let _ = pin!(advance(TURN)).poll(context);
            Poll::Ready(poll_proceed(context).is_ready())
        });
        assert!(fair.run(flow, first).await, "it would never get on");
    }
}
