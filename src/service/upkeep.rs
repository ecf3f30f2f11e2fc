//! What a running server does for `mortise store`.

use super::control::Control;
use crate::model::{Error, Result};
use crate::store::Store;

/// Reads everything.
pub const CHECK: &str = "store.check";

/// A stream: a backup.
pub const BACKUP: &str = "store.backup";

/// Lets `control` be asked for it.
pub fn offer(control: &mut Control, store: &Store) {
    let checked = store.clone();
    control.on(CHECK, move |_| {
        let store = checked.clone();
        async move {
            let checked = tokio::task::spawn_blocking(move || store.check()).await.map_err(Error::internal)??;
            serde_json::to_value(checked).map_err(Error::internal)
        }
    });
    let store = store.clone();
    control.stream(BACKUP, move |out| -> Result<()> {
        match store.backup(out) {
            Ok(records) => {
                tracing::info!(records, "a backup was made");
                Ok(())
            }
            Err(error) => {
                tracing::warn!(%error, "a backup was broken off");
                Err(error)
            }
        }
    });
}
