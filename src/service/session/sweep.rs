//! What is done from time to time, whoever asks for it.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::sleep;

use super::Sessions;

/// How often.
const EVERY: Duration = Duration::from_secs(10);

// === impl Sessions ===

impl Sessions {
    /// Does it until this is dropped.
    pub async fn sweep(self: Arc<Self>) {
        loop {
            match self.free_abandoned().await {
                Ok(0) => {}
                Ok(freed) => tracing::warn!(
                    sessions = freed,
                    "turns ended with their process; what was said in them is kept, marked incomplete"
                ),
                Err(error) => tracing::warn!(error = error.to_string(), "abandoned turns can't be looked for"),
            }
            sleep(EVERY).await;
        }
    }
}
