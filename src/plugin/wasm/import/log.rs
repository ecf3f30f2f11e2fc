//! The guest's log: into the host's, with the plugin's name, within a budget.

use crate::plugin::wasm::bindings::log::{Host, Level};
use crate::plugin::wasm::state::State;

impl Host for State {
    fn write(&mut self, level: Level, message: String) -> wasmtime::Result<()> {
        write(self, level, &message);
        Ok(())
    }
}

/// Writes one message; control characters are escaped, so that a guest can't forge a line.
pub(super) fn write(state: &mut State, level: Level, message: &str) {
    let plugin = &*state.plugin;
    match state.log.take(message.len().max(16)) {
        Some(true) => {}
        Some(false) => return,
        None => {
            tracing::warn!(
                plugin,
                "plugin `{plugin}` logs too much; the rest of this exchange's words is dropped (plugins.limits.log)"
            );
            return;
        }
    }
    let message = message.trim_end().escape_debug();
    match level {
        Level::Debug => tracing::debug!(plugin, "{plugin}: {message}"),
        Level::Info => tracing::info!(plugin, "{plugin}: {message}"),
        Level::Warn => tracing::warn!(plugin, "{plugin}: {message}"),
        Level::Error => tracing::error!(plugin, "{plugin}: {message}"),
    }
}
