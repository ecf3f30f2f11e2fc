//! Asking a model: one turn, or vectors for texts.

use std::sync::Arc;

use super::Clock;
use super::attempt::{Attempt, Attempts};
use super::bill::{Bill, Books};
use super::budget::Budgets;
use super::cache::{Answers, Found, Wish};
use super::call::Call;
use super::chance::Chance;
use super::limit::Limiter;
use super::meter::Meter;
use super::provider::Providers;
use super::route::{Choice, Chosen, Plan, prompt};
use super::turn::{Live, Talk, Turn};
use crate::model::caller::Caller;
use crate::model::chat::{Event, Request};
use crate::model::provider::{EmbedRequest, Operation, Output};
use crate::model::{Error, Fault, Kind, Result};
use crate::telemetry::Telemetry;

/// Asks models.
pub struct Chat {
    pub(super) providers: Arc<Providers>,
    limiter: Arc<Limiter>,
    meter: Arc<Meter>,
    budgets: Arc<Budgets>,
    answers: Arc<Answers>,
    pub(super) telemetry: Arc<Telemetry>,
    pub(super) chance: Chance,
}

/// Vectors for texts.
#[derive(Debug, Default)]
pub struct Embedding {
    /// By the index of their text.
    pub vectors: Vec<(u32, Vec<f32>)>,
    /// Tokens, if the vendor told.
    pub usage: Option<crate::model::chat::Usage>,
    /// Who made them.
    pub served: super::Served,
}

// === impl Chat ===

impl Chat {
    /// Asks the models of `providers` as often as `limiter` allows, and tells `telemetry`.
    pub fn new(
        providers: Arc<Providers>,
        limiter: Arc<Limiter>,
        budgets: Arc<Budgets>,
        telemetry: Arc<Telemetry>,
        chance: Chance,
        clock: Clock,
    ) -> Self {
        let answers = Answers::new(providers.cache(), clock);
        Self { providers, limiter, meter: Arc::default(), budgets, answers, telemetry, chance }
    }

    /// Why nobody would be asked for `name`, if nobody would.
    pub fn fault_of(&self, name: &str) -> Option<Error> {
        let choice = Choice { provider: None, model: Some(name) };
        self.providers.plan(choice, || 0, &self.chance).err()
    }

    /// The answers that are kept.
    pub fn answers(&self) -> &Answers {
        &self.answers
    }

    /// What calls took so far.
    pub fn meter(&self) -> &Meter {
        &self.meter
    }

    /// The same as [`Chat::begin_with`] for who has no wish about the cache.
    ///
    /// # Errors
    /// The same.
    pub async fn begin(&self, choice: Choice<'_>, request: Request, caller: &Caller) -> Result<Turn> {
        self.begin_with(Wish::default(), choice, request, caller).await
    }

    /// Begins a turn and waits for the model's first word: whatever fails before it is tried again, tried elsewhere, and told
    /// plainly if nothing helps. An answer that is kept is found before anybody is asked.
    ///
    /// # Errors
    /// If nobody serves `choice`, or every attempt fails before the model said anything.
    pub async fn begin_with(&self, wish: Wish, choice: Choice<'_>, request: Request, caller: &Caller) -> Result<Turn> {
        let plan = self.providers.plan(choice, || prompt::count(&request), &self.chance)?;
        let plan = self.permitted(choice, plan, caller)?;
        let mut recording = None;
        match self.answers.find(wish, plan.cache, choice, &request, caller).await {
            Found::Unasked => {}
            Found::Hit(kept) => {
                // It may be gone since, or not for this caller.
                let permitted = caller.may_ask(self.route(choice), &kept.provider, &kept.model);
                if let (true, Ok(provider)) = (permitted, self.providers.get(&kept.provider)) {
                    self.telemetry.metrics.cache("hit");
                    return Ok(Turn::kept(Chosen { provider, model: kept.model.clone() }, kept));
                }
            }
            Found::Miss(found) => {
                self.telemetry.metrics.cache("miss");
                recording = Some(found);
            }
        }
        let mut bill = self.counted(caller, Bill::open(self.books(), caller, &request, &plan).await)?;
        let mut attempts = Attempts::new(self.providers.rules(), &self.chance, plan);
        let mut request = Some(request);
        loop {
            let attempt = attempts.next().map_err(|error| attempts.told(error))?;
            bill.attempt(&attempt.chosen, attempts.made());
            let given = match &request {
                Some(request) if !attempts.is_last() => {
                    request.copy_for_dialects(&attempt.chosen.vendor()?.info.dialects)
                }
                _ => request.take().ok_or_else(|| Error::internal("an attempt came after the last one"))?,
            };
            let chosen = attempt.chosen.clone();
            // Boxed, because it is large and over soon: what waits for the answer should not be.
            let word = Box::pin(self.first_word(attempt, given, caller, &attempts, &mut bill));
            let (talk, early) = match word.await {
                Ok(begun) => begun,
                Err(error) => {
                    bill.failed(&error);
                    attempts.failed(error).await.map_err(|error| attempts.told(error))?;
                    continue;
                }
            };
            let live = Live { talk, bill, early: Some(early), recording };
            return Ok(Turn::live(chosen, attempts.made(), live));
        }
    }

    /// One attempt at a turn.
    async fn first_word(
        &self,
        Attempt { chosen, pass }: Attempt,
        mut request: Request,
        caller: &Caller,
        attempts: &Attempts<'_>,
        bill: &mut Bill,
    ) -> Result<(Talk, Vec<Event>)> {
        request.model.clone_from(&chosen.model);
        let streaming = request.streaming;
        let (mut call, caller) = Call::begin(&self.telemetry, &chosen, pass, "chat", streaming, caller);
        let operation = Operation::Chat(request);
        let drive = chosen.vendor()?.begin_since(attempts.began(), operation, streaming, &caller).await;
        let drive = drive.inspect_err(|error| call.end(Some(error)))?;
        bill.asked();
        let mut talk = Talk::new(drive, call);
        let early = talk.first_word(&chosen.provider.name, bill).await?;
        Ok((talk, early))
    }

    /// Turns texts into vectors. Those of another model are of no use beside them, so another provider is asked only for the
    /// same one.
    ///
    /// # Errors
    /// If nobody serves `choice`, or every attempt fails.
    pub async fn embed(
        &self,
        choice: Choice<'_>,
        request: EmbedRequest,
        caller: &Caller,
    ) -> Result<(Chosen, Embedding)> {
        let plan = self.providers.plan(choice, || 0, &self.chance)?;
        let plan = self.permitted(choice, plan, caller)?.of_one_model();
        let mut bill = self.counted(caller, Bill::of_texts(self.books(), caller, &request.inputs, &plan).await)?;
        let mut attempts = Attempts::new(self.providers.rules(), &self.chance, plan);
        loop {
            let attempt = attempts.next().map_err(|error| attempts.told(error))?;
            bill.attempt(&attempt.chosen, attempts.made());
            let chosen = attempt.chosen.clone();
            match self.vectors(attempt, request.clone(), caller, &attempts, &mut bill).await {
                Ok(mut embedding) => {
                    bill.done();
                    let (usage, estimated) = bill.usage();
                    embedding.served = super::Served {
                        provider: chosen.provider.name.clone(),
                        model: chosen.model.clone(),
                        attempts: attempts.made(),
                        cost: usage.cost,
                        estimated,
                        cached: None,
                    };
                    return Ok((chosen, embedding));
                }
                Err(error) => {
                    bill.failed(&error);
                    attempts.failed(error).await.map_err(|error| attempts.told(error))?;
                }
            }
        }
    }

    /// One attempt at vectors.
    async fn vectors(
        &self,
        Attempt { chosen, pass }: Attempt,
        mut request: EmbedRequest,
        caller: &Caller,
        attempts: &Attempts<'_>,
        bill: &mut Bill,
    ) -> Result<Embedding> {
        request.model.clone_from(&chosen.model);
        let inputs = request.inputs.len();
        let (mut call, caller) = Call::begin(&self.telemetry, &chosen, pass, "embeddings", false, caller);
        let outcome = async {
            let operation = Operation::Embed(request);
            let mut drive = chosen.vendor()?.begin_since(attempts.began(), operation, false, &caller).await?;
            bill.asked();
            let mut embedding = Embedding::default();
            while let Some(outputs) = drive.outputs().await? {
                call.heard(&outputs);
                for output in outputs {
                    match output {
                        Output::Vector { index, values } => embedding.vectors.push((index, values)),
                        Output::Usage(mut usage) => {
                            bill.told(&mut usage);
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
        if outcome.is_ok() {
            call.cost(bill.usage().0.cost);
        }
        call.end(outcome.as_ref().err());
        outcome
    }

    /// Counts who has used up their tokens.
    fn counted(&self, caller: &Caller, bill: Result<Bill>) -> Result<Bill> {
        let limited = [Kind::RateLimited, Kind::OverBudget];
        bill.inspect_err(|error| {
            if limited.contains(&error.kind()) {
                self.telemetry.metrics.limited(caller.surface, "tokens");
            }
        })
    }

    fn books(&self) -> Books<'_> {
        Books { limiter: &self.limiter, meter: &self.meter, budgets: &self.budgets }
    }

    /// The name that `choice` has as a route, if it is one.
    fn route<'c>(&self, choice: Choice<'c>) -> Option<&'c str> {
        choice.model.filter(|model| choice.provider.is_none() && self.providers.routes().contains_key(*model))
    }

    /// Leaves only those whom the account and the key of `caller` may ask.
    ///
    /// # Errors
    /// If that is nobody.
    pub(super) fn permitted(&self, choice: Choice<'_>, mut plan: Plan, caller: &Caller) -> Result<Plan> {
        let route = self.route(choice);
        let first = plan.targets.front().map(|target| format!("{}/{}", target.provider.name, target.model));
        plan.targets.retain(|target| caller.may_ask(route, &target.provider.name, &target.model));
        if plan.targets.is_empty() {
            let what = format!(
                "this account or key may not ask the model {}; GET /v1/models lists those that it may",
                route.map(str::to_owned).or(first).unwrap_or_default()
            );
            return Err(Error::caller(Kind::Forbidden, what).with_param("model"));
        }
        Ok(plan)
    }
}
