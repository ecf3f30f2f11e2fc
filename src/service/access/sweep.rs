//! What accounts leave behind is taken out in time: belongings of owners that are gone, and old security events.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::sleep;

use super::Accounts;
use crate::model::Result;

/// How long it rests between two looks.
const EVERY: Duration = Duration::from_mins(10);

impl Accounts {
    /// Does so until this is dropped; security events are kept for `events`, or for ever.
    pub async fn sweep(self: Arc<Self>, events: Option<Duration>) {
        loop {
            if let Err(error) = self.erase_late().await {
                tracing::warn!(
                    error = error.to_string(),
                    "what may be left of owners that are gone can't be looked for"
                );
            }
            match self.forget_events(events).await {
                Ok(0) => {}
                Ok(forgotten) => tracing::info!(forgotten, "old security events were taken out (retention.audit)"),
                Err(error) => tracing::warn!(error = error.to_string(), "old security events can't be taken out"),
            }
            sleep(EVERY).await;
        }
    }

    /// Takes security events out that are older than `age`; says how many.
    pub(super) async fn forget_events(&self, age: Option<Duration>) -> Result<u64> {
        match age.and_then(|age| self.clock.ago(age)) {
            Some(before) => self.audit.forget(before).await,
            None => Ok(0),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicI64, Ordering};

    use jiff::Timestamp;

    use super::*;
    use crate::config;
    use crate::service::Clock;
    use crate::service::access::{KeyKind, NewKey, Origin, Search};
    use crate::store::Store;

    #[tokio::test]
    async fn old_security_events_go_and_others_stay() {
        let seconds = Arc::new(AtomicI64::new(1_800_000_000));
        let now = seconds.clone();
        let clock = Clock::from_fn(move || Timestamp::from_second(now.load(Ordering::Relaxed)).unwrap());
        let accounts = Accounts::new(Store::in_memory(), &config::Server::default(), clock);
        accounts.prepare().await.unwrap();
        let made = async |name: &str| {
            let wanted = NewKey { name: name.into(), ..NewKey::default() };
            accounts.create_key(KeyKind::Token, None, wanted, &Origin::operator()).await.unwrap().1.id
        };
        let (old, day) = (made("old").await, Duration::from_secs(86_400));
        seconds.fetch_add(86_399, Ordering::Relaxed);
        let new = made("new").await;
        assert_eq!(accounts.forget_events(Some(day)).await.unwrap(), 0);
        seconds.fetch_add(2, Ordering::Relaxed);
        assert_eq!(accounts.forget_events(None).await.unwrap(), 0, "they may be kept for ever");
        assert_eq!(accounts.forget_events(Some(day)).await.unwrap(), 1);
        let (events, _) = accounts.audit.page(&Search::default(), None).await.unwrap();
        let subjects: Vec<_> = events.into_iter().filter_map(|event| event.subject).collect();
        assert_eq!(subjects, [new]);
        assert!(accounts.key(&old).await.is_ok(), "what they tell of stays");
    }
}
