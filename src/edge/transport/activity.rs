//! What a connection does, and when it has done nothing for too long.
//!
//! A connection is idle while it has no request; one whose answer is still going out is never idle. A head that has begun must
//! come soon. Who cancels nearly all that is asked for only makes work, unless it is a proxy, which cancels for many.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::time::{Instant, Sleep};

/// Bytes that an idle connection sends when the end of an answer is still on its way; probes are shorter.
const PROGRESS: u64 = 4 << 10;

/// Requests that one connection may cancel before they are answered, and more only if as many are answered.
const CANCELLED: u64 = 100;

/// How long a connection without a request may stay once it was told to end: a request may be on its way.
pub(super) const LAST_CALL: Duration = Duration::from_secs(1);

/// Why a connection is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It had no request for too long.
    Idle,
    /// Its request's head didn't come in time.
    SlowHead,
    /// Its requests are only there to be cancelled.
    Cancels,
}

/// How long a connection may take for what.
#[derive(Clone, Copy, Debug)]
pub(super) struct Patience {
    pub(super) head: Duration,
    pub(super) idle: Duration,
}

/// What is known of a connection; shared by its socket, its requests, and whoever watches it.
pub(super) struct Activity {
    patience: Patience,
    /// Times below are milliseconds from here, plus one.
    began: Instant,
    /// Whether its requests are those of many callers.
    shared: AtomicBool,
    requests: AtomicUsize,
    /// When the last request was over.
    quiet_since: AtomicU64,
    /// When the head began that isn't whole yet; 0 while there is none.
    head_since: AtomicU64,
    /// Whether what is read belongs to one head at a time.
    reads_heads: AtomicBool,
    /// Whether what is sent isn't taken; that is [`Patient`](super::patience::Patient)'s matter.
    blocked: AtomicBool,
    written: AtomicU64,
    cancelled: AtomicU64,
    answered: AtomicU64,
    /// When it was told to end; 0 before.
    ending_since: AtomicU64,
}

/// A request, until its answer has gone out.
pub(super) struct InFlight {
    activity: Arc<Activity>,
    answered: bool,
}

// === impl Activity ===

impl Activity {
    pub(super) fn new(patience: Patience) -> Arc<Self> {
        Arc::new(Self {
            patience,
            began: Instant::now(),
            shared: AtomicBool::new(false),
            requests: AtomicUsize::new(0),
            quiet_since: AtomicU64::new(1),
            head_since: AtomicU64::new(0),
            reads_heads: AtomicBool::new(false),
            blocked: AtomicBool::new(false),
            written: AtomicU64::new(0),
            cancelled: AtomicU64::new(0),
            answered: AtomicU64::new(0),
            ending_since: AtomicU64::new(0),
        })
    }

    fn now(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX).saturating_add(1)
    }

    fn at(&self, time: u64) -> Instant {
        self.began + Duration::from_millis(time.saturating_sub(1))
    }

    /// Its requests are those of many callers: who cancels is no reason to cut the others.
    pub(super) fn share(&self) {
        self.shared.store(true, Ordering::Relaxed);
    }

    /// HTTP begins, with the first bytes of a request read already. `one_by_one`: what is read then belongs to one head after
    /// the other.
    pub(super) fn begin(&self, one_by_one: bool) {
        self.reads_heads.store(one_by_one, Ordering::Relaxed);
        self.quiet_since.store(self.now(), Ordering::Relaxed);
        self.read();
    }

    /// Something was read.
    pub(super) fn read(&self) {
        let heads = self.reads_heads.load(Ordering::Relaxed) && self.requests.load(Ordering::Relaxed) == 0;
        if heads && self.head_since.load(Ordering::Relaxed) == 0 {
            self.head_since.store(self.now(), Ordering::Relaxed);
        }
    }

    /// This many bytes were taken by the caller.
    pub(super) fn wrote(&self, bytes: usize) {
        if self.requests.load(Ordering::Relaxed) == 0
            && self.written.fetch_add(bytes as u64, Ordering::Relaxed) + bytes as u64 >= PROGRESS
        {
            self.written.store(0, Ordering::Relaxed);
            self.quiet_since.store(self.now(), Ordering::Relaxed);
        }
    }

    /// Whether something is to be sent and isn't taken.
    pub(super) fn blocked(&self, blocked: bool) {
        self.blocked.store(blocked, Ordering::Relaxed);
    }

    /// A request is there.
    pub(super) fn request(self: &Arc<Self>) -> InFlight {
        self.requests.fetch_add(1, Ordering::Relaxed);
        self.head_since.store(0, Ordering::Relaxed);
        InFlight { activity: self.clone(), answered: false }
    }

    /// It was told to end.
    pub(super) fn end(&self) {
        self.ending_since.store(self.now(), Ordering::Relaxed);
    }

    /// When it will have been too long, as far as can be said now.
    fn deadline(&self) -> Option<(Instant, Verdict)> {
        let cancelled = self.cancelled.load(Ordering::Relaxed);
        let ending_since = self.ending_since.load(Ordering::Relaxed);
        let in_vain = cancelled > CANCELLED && cancelled > self.answered.load(Ordering::Relaxed);
        if ending_since == 0 && in_vain && !self.shared.load(Ordering::Relaxed) {
            return Some((self.began, Verdict::Cancels));
        }
        // A request's time is bounded elsewhere, and so is the time in which something has to be taken.
        if self.requests.load(Ordering::Relaxed) > 0 || self.blocked.load(Ordering::Relaxed) {
            return None;
        }
        let quiet_since = self.quiet_since.load(Ordering::Relaxed);
        let deadline = match self.head_since.load(Ordering::Relaxed) {
            0 => (self.at(quiet_since) + self.patience.idle, Verdict::Idle),
            head_since => (self.at(head_since) + self.patience.head, Verdict::SlowHead),
        };
        match ending_since {
            0 => Some(deadline),
            _ => {
                let last = self.at(ending_since.max(quiet_since)) + LAST_CALL;
                Some(if last < deadline.0 { (last, Verdict::Idle) } else { deadline })
            }
        }
    }

    /// Ready when it has been too long; `timer` is anybody's.
    pub(super) fn poll_over(&self, timer: &mut Pin<Box<Sleep>>, context: &mut Context<'_>) -> Poll<Verdict> {
        loop {
            let now = Instant::now();
            let deadline = self.deadline();
            if let Some((at, verdict)) = deadline
                && at <= now
            {
                return Poll::Ready(verdict);
            }
            // Setting a timer costs more than being woken too early once in a while, so that it is only ever set back.
            let at = deadline.map_or(now + self.patience.idle, |(at, _)| at);
            if timer.is_elapsed() || timer.deadline() > at {
                timer.as_mut().reset(at);
            }
            if timer.as_mut().poll(context).is_pending() {
                return Poll::Pending;
            }
        }
    }
}

// === impl InFlight ===

impl InFlight {
    /// There is an answer.
    pub(super) fn answered(&mut self) {
        self.answered = true;
        self.activity.answered.fetch_add(1, Ordering::Relaxed);
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        let activity = &self.activity;
        if !self.answered {
            activity.cancelled.fetch_add(1, Ordering::Relaxed);
        }
        activity.quiet_since.store(activity.now(), Ordering::Relaxed);
        activity.written.store(0, Ordering::Relaxed);
        activity.requests.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATIENCE: Patience = Patience { head: Duration::from_secs(30), idle: Duration::from_secs(120) };

    async fn over(activity: &Activity) -> (Verdict, u64) {
        let before = Instant::now();
        let mut timer = Box::pin(tokio::time::sleep(Duration::ZERO));
        let verdict = std::future::poll_fn(|context| activity.poll_over(&mut timer, context)).await;
        (verdict, before.elapsed().as_secs())
    }

    #[tokio::test(start_paused = true)]
    async fn a_head_that_has_begun_must_come_soon_and_no_head_may_come_late() {
        let activity = Activity::new(PATIENCE);
        activity.begin(true);
        assert_eq!(over(&activity).await, (Verdict::SlowHead, 30));
        drop(activity.request());
        assert_eq!(over(&activity).await, (Verdict::Idle, 120));
        let streams = Activity::new(PATIENCE);
        streams.begin(false);
        streams.read();
        assert_eq!(over(&streams).await, (Verdict::Idle, 120));
    }

    #[tokio::test(start_paused = true)]
    async fn a_connection_with_a_request_is_never_over() {
        let activity = Activity::new(PATIENCE);
        activity.begin(false);
        let request = activity.request();
        let day = Duration::from_secs(24 * 3600);
        assert!(tokio::time::timeout(day, over(&activity)).await.is_err());
        activity.end();
        assert!(tokio::time::timeout(day, over(&activity)).await.is_err());
        drop(request);
        assert_eq!(over(&activity).await, (Verdict::Idle, 1), "the last call");
    }

    #[tokio::test(start_paused = true)]
    async fn the_end_of_an_answer_is_waited_for_but_not_probes() {
        let activity = Activity::new(PATIENCE);
        activity.begin(false);
        for _ in 0..10 {
            tokio::time::advance(Duration::from_secs(10)).await;
            activity.wrote(17);
        }
        assert_eq!(over(&activity).await, (Verdict::Idle, 20));
        drop(activity.request());
        tokio::time::advance(Duration::from_secs(100)).await;
        activity.wrote(16 << 10);
        assert_eq!(over(&activity).await, (Verdict::Idle, 120));
    }

    #[tokio::test(start_paused = true)]
    async fn who_only_cancels_is_over() {
        let activity = Activity::new(PATIENCE);
        activity.begin(false);
        for _ in 0..=CANCELLED {
            drop(activity.request());
        }
        let busy = activity.request();
        assert_eq!(over(&activity).await, (Verdict::Cancels, 0));
        drop(busy);
        let proxied = Activity::new(PATIENCE);
        proxied.share();
        proxied.begin(false);
        for _ in 0..=CANCELLED {
            drop(proxied.request());
        }
        assert_eq!(over(&proxied).await.0, Verdict::Idle, "those of many");
        for _ in 0..200 {
            activity.request().answered();
        }
        assert_eq!(over(&activity).await.0, Verdict::Idle);
    }
}
