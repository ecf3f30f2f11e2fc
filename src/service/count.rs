//! Counting the tokens of a request before it is asked.

use tokio::time::Instant;

use super::call::Call;
use super::chat::Chat;
use super::route::{Choice, Chosen, prompt};
use crate::model::caller::Caller;
use crate::model::chat::Request;
use crate::model::provider::{Operation, Output};
use crate::model::{Error, Fault, Kind, Result};

/// The tokens that a model would read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Count {
    /// How many.
    pub tokens: u64,
    /// Whether nobody counted them: the provider can't, and this is a guess.
    pub estimated: bool,
}

// === impl Chat ===

impl Chat {
    /// Counts the tokens of `request` as the model's vendor does, or guesses where it has no way to tell: clients ask before each
    /// turn, and a guess serves them better than a failure.
    ///
    /// # Errors
    /// If nobody serves `choice`, or the vendor fails.
    pub async fn count_tokens(
        &self,
        choice: Choice<'_>,
        mut request: Request,
        caller: &Caller,
    ) -> Result<(Chosen, Count)> {
        let guess = Count { tokens: prompt::count(&request), estimated: true };
        let plan = self.providers.plan(choice, || guess.tokens, &self.chance)?;
        let plan = self.permitted(choice, plan, caller)?;
        let Some(chosen) = plan.targets.into_iter().next() else {
            return Err(Error::internal("a plan without targets"));
        };
        request.model.clone_from(&chosen.model);
        let pass = chosen.provider.circuit.force(Instant::now());
        let (mut call, caller) = Call::begin(&self.telemetry, &chosen, pass, "count_tokens", false, caller);
        let counted = counted(&chosen, request, &caller).await;
        match counted {
            Ok(tokens) => {
                call.end(None);
                Ok((chosen, Count { tokens, estimated: false }))
            }
            Err(error) if error.kind() == Kind::Unsupported => {
                call.end(None);
                Ok((chosen, guess))
            }
            Err(error) => {
                call.end(Some(&error));
                Err(error)
            }
        }
    }
}

async fn counted(chosen: &Chosen, request: Request, caller: &Caller) -> Result<u64> {
    let mut drive = chosen.vendor()?.begin(Operation::CountTokens(request), false, caller).await?;
    let mut tokens = None;
    while let Some(outputs) = drive.outputs().await? {
        for output in outputs {
            if let Output::Tokens(count) = output {
                tokens = Some(count);
            }
        }
    }
    tokens.ok_or_else(|| {
        let what = format!("provider `{}` didn't say how many tokens it counted", chosen.provider.name);
        Error::new(Kind::Upstream, Fault::Upstream, what)
    })
}
