//! How far calls have come, as watchers are told: at once, and then every so often, the newest word of each call.

use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};

use crate::model::tool::Progress;

/// How often watchers are told: each time is a write.
const EVERY: Duration = Duration::from_millis(500);
/// What may come before it is looked at; more is dropped.
const MOST: usize = 64;

/// See the module.
pub(super) struct Reports {
    from: mpsc::Receiver<Progress>,
    untold: Vec<Progress>,
    next: Instant,
}

// === impl Reports ===

impl Reports {
    /// What is sent there comes here.
    pub(super) fn channel() -> (mpsc::Sender<Progress>, Self) {
        let (to, from) = mpsc::channel(MOST);
        (to, Self { from, untold: Vec::new(), next: Instant::now() })
    }

    /// Waits until watchers are to be told something. Nothing is lost if that is given up.
    pub(super) async fn due(&mut self) -> Vec<Progress> {
        loop {
            let told = async {
                if self.untold.is_empty() {
                    std::future::pending().await
                } else {
                    sleep_until(self.next).await;
                }
            };
            tokio::select! {
                Some(report) = self.from.recv() => self.keep(report),
                () = told => {
                    self.next = Instant::now() + EVERY;
                    return std::mem::take(&mut self.untold);
                }
            }
        }
    }

    /// Call `call` is over; its last word, if nobody was told yet.
    pub(super) fn last(&mut self, call: &str) -> Option<Progress> {
        while let Ok(report) = self.from.try_recv() {
            self.keep(report);
        }
        let place = self.untold.iter().position(|report| report.call == call)?;
        Some(self.untold.remove(place))
    }

    fn keep(&mut self, report: Progress) {
        self.untold.retain(|known| known.call != report.call);
        self.untold.push(report);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(call: &str, message: &str) -> Progress {
        Progress { call: call.into(), tool: "dig".into(), fraction: None, message: message.into() }
    }

    #[tokio::test(start_paused = true)]
    async fn watchers_are_told_at_once_and_then_every_so_often() {
        let (to, mut reports) = Reports::channel();
        let began = Instant::now();
        to.send(report("a", "1")).await.unwrap();
        assert_eq!(reports.due().await, [report("a", "1")]);
        assert_eq!(began.elapsed(), Duration::ZERO);
        for (call, message) in [("a", "2"), ("b", "1"), ("a", "3"), ("c", "1")] {
            to.send(report(call, message)).await.unwrap();
        }
        assert_eq!(reports.last("c"), Some(report("c", "1")));
        assert_eq!(reports.last("c"), None);
        assert_eq!(reports.due().await, [report("b", "1"), report("a", "3")], "the newest word of each");
        assert_eq!(began.elapsed(), EVERY);
        drop(to);
        let more = tokio::time::timeout(Duration::from_secs(60), reports.due()).await;
        assert!(more.is_err(), "silence is no news");
    }
}
