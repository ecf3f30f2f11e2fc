//! One operation of a provider, as the operators see it: counted, traced, and told apart by how it ended.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::route::Chosen;
use super::route::breaker::{Change, Pass};
use crate::model::caller::Caller;
use crate::model::chat::{Event, StopReason, Usage};
use crate::model::provider::Output;
use crate::model::{Error, Fault, Kind};
use crate::telemetry::Telemetry;
use crate::telemetry::metrics::Outcome;
use crate::telemetry::otel::{ClientSpan, Operation, OperationResult};

/// An operation in progress; dropped before its end, it was cancelled.
pub(super) struct Call {
    telemetry: Arc<Telemetry>,
    chosen: Chosen,
    began: Instant,
    streaming: bool,
    /// The newest that the vendor reported, which counts also if the rest never comes.
    usage: Option<Usage>,
    /// The model that answered, and the answer's id.
    model: Option<String>,
    id: Option<String>,
    first_token: Option<Duration>,
    stop: Option<StopReason>,
    /// US dollars, where they are known.
    cost: Option<f64>,
    /// What it tells of the provider.
    pass: Pass,
    /// Absent where nothing is traced, and small there.
    span: Option<Box<ClientSpan>>,
    over: bool,
}

// === impl Call ===

impl Call {
    /// Begins the operation `name` of the conventions, and returns the caller on whose behalf it is from now on.
    pub(super) fn begin(
        telemetry: &Arc<Telemetry>,
        chosen: &Chosen,
        pass: Pass,
        name: &'static str,
        streaming: bool,
        caller: &Caller,
    ) -> (Self, Caller) {
        telemetry.stats.asked(&chosen.provider.name);
        let mut caller = caller.clone();
        let span = telemetry.otel.as_ref().map(|otel| {
            let vendor = chosen.vendor().ok();
            let operation = Operation {
                name,
                provider: &chosen.provider.name,
                system: vendor.map_or(&chosen.provider.name, |vendor| &vendor.published.manifest.id),
                model: &chosen.model,
                server: vendor.and_then(|vendor| vendor.server()),
            };
            Box::new(otel.operation(&operation, caller.trace.as_ref()))
        });
        if let Some(span) = &span {
            caller.trace = Some(span.context.clone());
        }
        let call = Self {
            telemetry: telemetry.clone(),
            chosen: chosen.clone(),
            began: Instant::now(),
            streaming,
            usage: None,
            model: None,
            id: None,
            first_token: None,
            stop: None,
            cost: None,
            pass,
            span,
            over: false,
        };
        (call, caller)
    }

    /// Takes note of what came.
    pub(super) fn heard(&mut self, outputs: &[Output]) {
        for output in outputs {
            match output {
                Output::Chat(Event::Started { id, model }) => {
                    self.id.clone_from(id);
                    self.model.clone_from(model);
                }
                Output::Chat(Event::Usage(usage)) | Output::Usage(usage) => self.usage = Some(*usage),
                Output::Chat(Event::Stopped(stop)) => self.stop = Some(stop.reason),
                Output::Chat(event) if self.first_token.is_none() && event.is_content() => {
                    self.first_token = Some(self.began.elapsed());
                    let change = self.pass.spoke();
                    self.tell(change);
                }
                _ => {}
            }
        }
    }

    /// What it cost so far, in US dollars.
    pub(super) fn cost(&mut self, cost: Option<f64>) {
        self.cost = cost;
    }

    /// The operation ended, well or with `error`.
    pub(super) fn end(&mut self, error: Option<&Error>) {
        let outcome = error.map_or(Outcome::Ok, Outcome::of);
        // What one request ran into, a vendor's limit among it, says nothing of how the provider is.
        let telling = error.is_none_or(|error| {
            let kinds = [Kind::Refused, Kind::ContextTooLong, Kind::RateLimited];
            error.fault() != Fault::Caller && !kinds.contains(&error.kind())
        });
        if telling {
            self.telemetry.stats.answered(&self.chosen.provider.name, trouble(outcome));
        }
        let change = match error {
            None => self.pass.answered(),
            Some(error) if blames(error) => self.pass.failed(Instant::now()),
            // Some of it may never have reached the vendor.
            Some(_) => None,
        };
        self.tell(change);
        self.record(outcome);
    }

    /// Tells the operators that the provider is passed over from now on, or no longer.
    fn tell(&self, change: Option<Change>) {
        let Some(change) = change else { return };
        let provider = &self.chosen.provider.name;
        self.telemetry.metrics.models.provider(provider).circuit(change == Change::Opened);
        match change {
            Change::Opened => tracing::warn!(
                provider,
                "the provider failed too often in a row; it is passed over for a while where there is another (routing.breaker)"
            ),
            Change::Closed => tracing::info!(provider, "the provider answers again"),
        }
    }

    fn record(&mut self, outcome: Outcome) {
        if std::mem::replace(&mut self.over, true) {
            return;
        }
        let time = self.began.elapsed();
        let provider = self.telemetry.metrics.models.provider(&self.chosen.provider.name);
        let asked = self.chosen.model.as_str();
        let vouched = |model: &str| self.chosen.vendor().is_ok_and(|vendor| vendor.vouches_for(model));
        // A caller may ask for any model; what it names is a label only if somebody else knows the name too.
        let (label, counts) = match provider.known(asked) {
            Some(counts) => (asked, counts),
            None if vouched(asked) => provider.admit(asked),
            None => match &self.model {
                Some(model) if outcome == Outcome::Ok && vouched(model) => provider.admit(model),
                Some(model) if outcome == Outcome::Ok => provider.admit_answered(model),
                _ => provider.other(),
            },
        };
        counts.end(outcome, time);
        let usage = self.usage.unwrap_or_default();
        counts.tokens([usage.input, usage.output, usage.cache_read, usage.cache_write, usage.reasoning]);
        if let Some(cost) = self.cost {
            counts.cost(cost);
        }
        let first_token = self.first_token.filter(|_| self.streaming);
        if let Some(first) = first_token {
            provider.first_token(first);
        }
        if let (Some(otel), Some(span)) = (&self.telemetry.otel, self.span.take()) {
            let result = OperationResult {
                label,
                model: self.model.as_deref(),
                id: self.id.as_deref(),
                usage: self.usage,
                stop: self.stop,
                error: (outcome != Outcome::Ok).then(|| outcome.as_str()),
                first_token,
                time,
            };
            otel.operated(*span, result);
        }
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        // Who has heard why the model stopped has missed nothing.
        self.record(if self.stop.is_some() { Outcome::Ok } else { Outcome::Cancelled });
    }
}

// === impl Outcome ===

impl Outcome {
    /// How an operation ended that ended with `error`.
    pub(super) fn of(error: &Error) -> Self {
        match (error.kind(), error.fault()) {
            (_, Fault::Caller) => Self::Invalid,
            (Kind::RateLimited, _) => Self::RateLimited,
            (Kind::Timeout, _) => Self::Timeout,
            (_, Fault::Upstream) => Self::Upstream,
            (_, Fault::Plugin) => Self::Plugin,
            (_, Fault::Us) => Self::Internal,
        }
    }
}

/// Whether an error speaks against the provider itself, not against one request, the operator's key or the plugin.
fn blames(error: &Error) -> bool {
    let kinds = [Kind::Overloaded, Kind::Unavailable, Kind::Timeout, Kind::Upstream];
    error.fault() == Fault::Upstream && kinds.contains(&error.kind())
}

/// What is wrong with a provider, for all callers to read.
fn trouble(outcome: Outcome) -> Option<&'static str> {
    match outcome {
        Outcome::Ok => None,
        Outcome::Timeout => Some("timeout"),
        Outcome::Upstream => Some("provider error"),
        Outcome::Plugin => Some("plugin error"),
        other => Some(other.as_str()),
    }
}
