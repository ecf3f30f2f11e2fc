//! How far a call has come: to whoever watches it, and to nobody's harm if nobody does.

use crate::model::tool::Progress;
use crate::plugin::wasm::bindings::tools::progress::Host;
use crate::plugin::wasm::tool::State;

/// What one report may say.
const LONGEST: usize = 4 << 10;

impl Host for State {
    async fn report(&mut self, fraction: Option<f32>, mut message: String) -> wasmtime::Result<()> {
        if let Some(call) = &self.watched {
            message.truncate(message.floor_char_boundary(LONGEST));
            let fraction = fraction.filter(|fraction| fraction.is_finite()).map(|fraction| fraction.clamp(0.0, 1.0));
            let progress = Progress { call: call.id.clone(), tool: call.tool.clone(), fraction, message };
            // Whoever doesn't take it in time does without it: a report isn't waited for.
            let _ = call.progress.try_send(progress);
        }
        Ok(())
    }
}
