//! Asking a model: one turn, read event by event or as a whole.

use std::sync::Arc;

use super::answer::{Answer, Assembly};
use super::bill::Bill;
use super::call::Call;
use super::limit::Limiter;
use super::provider::Providers;
use super::route::{Choice, Chosen};
use crate::model::caller::Caller;
use crate::model::chat::{Event, Request};
use crate::model::provider::{EmbedRequest, Operation, Output};
use crate::model::{Error, Fault, Kind, Result};
use crate::plugin::drive::Drive;
use crate::telemetry::Telemetry;

/// Asks models.
pub struct Chat {
    pub(super) providers: Arc<Providers>,
    limiter: Arc<Limiter>,
    pub(super) telemetry: Arc<Telemetry>,
}

/// A model's turn in progress. Dropping it ends the work upstream.
pub struct Turn {
    /// Who answers.
    pub chosen: Chosen,
    drive: Drive,
    call: Call,
    bill: Bill,
    stopped: bool,
    /// What came before the caller was told that there is an answer.
    early: Option<Vec<Event>>,
}

/// Vectors for texts.
#[derive(Debug, Default)]
pub struct Embedding {
    /// By the index of their text.
    pub vectors: Vec<(u32, Vec<f32>)>,
    /// Tokens, if the vendor told.
    pub usage: Option<crate::model::chat::Usage>,
}

// === impl Chat ===

impl Chat {
    /// Asks the models of `providers` as often as `limiter` allows, and tells `telemetry`.
    pub fn new(providers: Arc<Providers>, limiter: Arc<Limiter>, telemetry: Arc<Telemetry>) -> Self {
        Self { providers, limiter, telemetry }
    }

    /// Begins a turn and waits for the model's first word, so that whatever fails before it can still be told plainly.
    ///
    /// # Errors
    /// If nobody serves `choice`, or the turn fails before the model said anything.
    pub async fn begin(&self, choice: Choice<'_>, mut request: Request, caller: &Caller) -> Result<Turn> {
        let chosen = self.providers.choose(choice)?;
        request.model.clone_from(&chosen.model);
        let streaming = request.streaming;
        let mut bill = self.counted(caller, Bill::open(&self.limiter, caller, &request))?;
        let (mut call, caller) = Call::begin(&self.telemetry, &chosen, "chat", streaming, caller);
        let drive = chosen.vendor()?.begin(Operation::Chat(request), streaming, &caller).await;
        let drive = drive.inspect_err(|error| call.end(Some(error)))?;
        bill.asked();
        let mut turn = Turn { chosen, drive, call, bill, stopped: false, early: None };
        let mut early = Vec::new();
        while !turn.stopped && !early.iter().any(Event::is_content) {
            match turn.next().await? {
                Some(mut events) => early.append(&mut events),
                None => break,
            }
        }
        turn.early = Some(early);
        Ok(turn)
    }

    /// Turns texts into vectors.
    ///
    /// # Errors
    /// If nobody serves `choice`, or the vendor fails.
    pub async fn embed(
        &self,
        choice: Choice<'_>,
        mut request: EmbedRequest,
        caller: &Caller,
    ) -> Result<(Chosen, Embedding)> {
        let chosen = self.providers.choose(choice)?;
        request.model.clone_from(&chosen.model);
        let inputs = request.inputs.len();
        let mut bill = self.counted(caller, Bill::of_texts(&self.limiter, caller, &request.inputs))?;
        let (mut call, caller) = Call::begin(&self.telemetry, &chosen, "embeddings", false, caller);
        let outcome = async {
            let mut drive = chosen.vendor()?.begin(Operation::Embed(request), false, &caller).await?;
            bill.asked();
            let mut embedding = Embedding::default();
            while let Some(outputs) = drive.outputs().await? {
                call.heard(&outputs);
                for output in outputs {
                    match output {
                        Output::Vector { index, values } => embedding.vectors.push((index, values)),
                        Output::Usage(usage) => {
                            bill.told(usage);
                            embedding.usage = Some(usage);
                        }
                        _ => {}
                    }
                }
            }
            embedding.vectors.sort_by_key(|(index, _)| *index);
            let whole = embedding.vectors.iter().map(|(index, _)| *index).eq((0u32..).take(inputs));
            let finite = embedding.vectors.iter().all(|(_, values)| values.iter().all(|value| value.is_finite()));
            if !whole || !finite {
                let what = format!(
                    "provider `{}` didn't answer with one vector of numbers for each text",
                    chosen.provider.name
                );
                return Err(Error::new(Kind::Upstream, Fault::Upstream, what));
            }
            Ok(embedding)
        };
        let outcome: Result<Embedding> = outcome.await;
        if outcome.is_err() {
            bill.failed();
        }
        call.end(outcome.as_ref().err());
        outcome.map(|embedding| (chosen.clone(), embedding))
    }

    /// Counts who has used up their tokens.
    fn counted(&self, caller: &Caller, bill: Result<Bill>) -> Result<Bill> {
        bill.inspect_err(|_| self.telemetry.metrics.limited(caller.surface, "tokens"))
    }
}

// === impl Turn ===

impl Turn {
    /// The next events, as many as have come; `None` once the answer is whole.
    ///
    /// # Errors
    /// Whatever kept the answer from being whole; there is nothing after it.
    pub async fn events(&mut self) -> Result<Option<Vec<Event>>> {
        match self.early.take() {
            Some(events) => Ok(Some(events)),
            None => self.next().await,
        }
    }

    /// The whole answer.
    ///
    /// # Errors
    /// If it doesn't come to its end.
    pub async fn collect(mut self) -> Result<Answer> {
        let mut assembly = Assembly::default();
        while let Some(events) = self.events().await? {
            events.into_iter().for_each(|event| assembly.add(event));
        }
        Ok(assembly.finish())
    }

    async fn next(&mut self) -> Result<Option<Vec<Event>>> {
        let outcome = self.drive.outputs().await;
        let outcome = match outcome {
            Ok(None) if !self.stopped => Err(Error::new(
                Kind::Upstream,
                Fault::Upstream,
                format!("provider `{}` ended the answer without saying why", self.chosen.provider.name),
            )),
            outcome => outcome,
        };
        match outcome {
            Ok(Some(outputs)) => {
                self.call.heard(&outputs);
                let events: Vec<Event> = outputs
                    .into_iter()
                    .filter_map(|output| if let Output::Chat(event) = output { Some(event) } else { None })
                    .collect();
                self.bill.add(&events);
                self.stopped |= events.iter().any(|event| matches!(event, Event::Stopped(_)));
                Ok(Some(events))
            }
            Ok(None) => {
                self.call.end(None);
                Ok(None)
            }
            Err(error) => {
                self.bill.failed();
                self.call.end(Some(&error));
                Err(error)
            }
        }
    }
}
