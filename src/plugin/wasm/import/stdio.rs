//! What a tool prints: into the host's log, line by line, within the same budget as its log.

use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use tokio::io::AsyncWrite;
use wasmtime_wasi::cli::{IsTerminal, StdoutStream};
use wasmtime_wasi::p2::{OutputStream, Pollable, StreamResult};

use super::log::{self, Words};
use crate::plugin::wasm::state::LogBudget;

/// What a stream takes at once.
const WRITE_BYTES: usize = 64 << 10;

/// A standard stream of a guest.
#[derive(Clone)]
pub(in crate::plugin::wasm) struct Printer {
    plugin: Arc<str>,
    budget: Arc<Mutex<LogBudget>>,
    /// Whether it is the one for errors.
    errors: bool,
}

// === impl Printer ===

impl Printer {
    pub(in crate::plugin::wasm) fn new(plugin: &Arc<str>, budget: &Arc<Mutex<LogBudget>>, errors: bool) -> Self {
        Self { plugin: plugin.clone(), budget: budget.clone(), errors }
    }

    fn print(&self, bytes: &[u8]) {
        let text = String::from_utf8_lossy(bytes);
        if !text.trim().is_empty() {
            let words = if self.errors { Words::Warn } else { Words::Info };
            let mut budget = self.budget.lock().unwrap_or_else(PoisonError::into_inner);
            log::write(&self.plugin, &mut budget, words, &text);
        }
    }
}

impl IsTerminal for Printer {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdoutStream for Printer {
    fn p2_stream(&self) -> Box<dyn OutputStream> {
        Box::new(self.clone())
    }

    fn async_stream(&self) -> Box<dyn AsyncWrite + Send + Sync> {
        // WASI 0.2's streams are all that is offered.
        Box::new(tokio::io::sink())
    }
}

#[wasmtime_wasi::async_trait]
impl OutputStream for Printer {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        self.print(&bytes);
        Ok(())
    }

    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        Ok(WRITE_BYTES)
    }
}

#[wasmtime_wasi::async_trait]
impl Pollable for Printer {
    async fn ready(&mut self) {}
}
