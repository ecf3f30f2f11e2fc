//! The guest's log: into the host's, with the plugin's name, within a budget.

use std::sync::PoisonError;

use crate::plugin::wasm::bindings::log::{Host, Level};
use crate::plugin::wasm::bindings::tools;
use crate::plugin::wasm::state::{LogBudget, State};
use crate::plugin::wasm::tool;

/// How grave it is.
#[derive(Clone, Copy)]
pub(super) enum Words {
    Debug,
    Info,
    Warn,
    Error,
}

impl Host for State {
    fn write(&mut self, level: Level, message: String) -> wasmtime::Result<()> {
        let words = match level {
            Level::Debug => Words::Debug,
            Level::Info => Words::Info,
            Level::Warn => Words::Warn,
            Level::Error => Words::Error,
        };
        write(&self.plugin, &mut self.log, words, &message);
        Ok(())
    }
}

impl tools::log::Host for tool::State {
    async fn write(&mut self, level: tools::log::Level, message: String) -> wasmtime::Result<()> {
        let words = match level {
            tools::log::Level::Debug => Words::Debug,
            tools::log::Level::Info => Words::Info,
            tools::log::Level::Warn => Words::Warn,
            tools::log::Level::Error => Words::Error,
        };
        let mut budget = self.log.lock().unwrap_or_else(PoisonError::into_inner);
        write(&self.vitals.id, &mut budget, words, &message);
        Ok(())
    }
}

/// Writes one message; control characters are escaped, so that a guest can't forge a line.
pub(super) fn write(plugin: &str, budget: &mut LogBudget, words: Words, message: &str) {
    match budget.take(message.len().max(16)) {
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
    match words {
        Words::Debug => tracing::debug!(plugin, "{plugin}: {message}"),
        Words::Info => tracing::info!(plugin, "{plugin}: {message}"),
        Words::Warn => tracing::warn!(plugin, "{plugin}: {message}"),
        Words::Error => tracing::error!(plugin, "{plugin}: {message}"),
    }
}
