//! Many prompts side by side.

use futures_util::future::BoxFuture;
use futures_util::{StreamExt, stream};
use tokio::time::Instant;

use super::{End, Outcome, Prompt, Prompts};
use crate::model::caller::Caller;
use crate::service::Chat;

/// How many prompts are asked.
#[derive(Clone, Copy, Debug)]
pub struct Order {
    /// How many run at once.
    pub at_once: usize,
    /// Whether one that fails ends the others.
    pub fail_fast: bool,
}

// === impl Prompts ===

impl Prompts {
    /// Asks all of `prompts`; what comes of them is in their order. Those that run when another fails are dropped, which ends the
    /// work upstream.
    pub async fn ask_all(&self, chat: &Chat, prompts: &[Prompt], order: Order, caller: &Caller) -> Vec<Outcome> {
        let began = Instant::now();
        // Boxed, because as many of them as run at once are held in one place.
        let mut asking: Vec<BoxFuture<'_, (usize, Outcome)>> = Vec::with_capacity(prompts.len());
        for (index, prompt) in prompts.iter().enumerate() {
            asking.push(Box::pin(async move { (index, self.ask(chat, prompt, None, caller).await) }));
        }
        let mut running = stream::iter(asking).buffer_unordered(order.at_once.max(1));
        let mut outcomes: Vec<Option<Outcome>> = prompts.iter().map(|_| None).collect();
        while let Some((index, outcome)) = running.next().await {
            let failed = !outcome.is_done();
            if let Some(place) = outcomes.get_mut(index) {
                *place = Some(outcome);
            }
            if failed && order.fail_fast {
                break;
            }
        }
        drop(running);
        let canceled = |prompt| Outcome { end: End::Canceled, duration: began.elapsed(), ..Outcome::of(prompt) };
        outcomes.into_iter().zip(prompts).map(|(outcome, prompt)| outcome.unwrap_or_else(|| canceled(prompt))).collect()
    }
}
