//! Waiting without guessing: for a signal or for a condition, never longer than a deadline.

use std::future::Future;
use std::time::Duration;

/// Nothing in a test takes longer on a machine that works, however loaded.
pub const DEADLINE: Duration = Duration::from_secs(60);

/// What the future yields, or a failure that says what was waited for.
#[track_caller]
pub fn soon<F: Future>(what: &str, future: F) -> impl Future<Output = F::Output> {
    let place = std::panic::Location::caller();
    async move {
        let outcome = tokio::time::timeout(DEADLINE, future).await;
        outcome.unwrap_or_else(|_| panic!("{place}: waited {DEADLINE:?} in vain for {what}"))
    }
}

/// Asks again and again until there is an answer.
#[track_caller]
pub fn until<T>(what: &str, mut ask: impl AsyncFnMut() -> Option<T>) -> impl Future<Output = T> {
    soon(what, async move {
        let mut ticks = tokio::time::interval(Duration::from_millis(5));
        loop {
            ticks.tick().await;
            if let Some(answer) = ask().await {
                return answer;
            }
        }
    })
}
