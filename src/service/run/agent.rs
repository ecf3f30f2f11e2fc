//! The loop: model, tool calls, results, model again, until the model has nothing more to do or somebody ends it.
//!
//! Whoever reads it drives it, step by step, as with a [`Turn`]: nothing is done before it was asked for, so that whoever keeps
//! a record can write down what is about to happen before it does. Dropping it ends the work.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use tokio::time::sleep;

use super::calls::{self, Done, Making, Next, Planned};
use super::context;
use super::hands::Hands;
use super::step::{Bounds, Ending, Limit, Setting, Step};
use crate::model::chat::{Message, Request, Role, StopReason, Tool, ToolChoice, Usage};
use crate::model::run::{self, Reply};
use crate::model::tool::Spec;
use crate::model::{Error, Fault, Kind, Result};
use crate::service::answer::Assembly;
use crate::service::{Chat, Choice, Chosen, Served, Turn};

/// See the module.
pub struct Agent {
    chat: Arc<Chat>,
    hands: Arc<dyn Hands>,
    pub(super) setting: Setting,
    specs: Vec<Arc<Spec>>,
    /// What the model is told in the end; its messages are the conversation so far.
    request: Request,
    state: State,
    /// Tokens that the model can read at once.
    window: u64,
    /// Attempts in a row that failed.
    failures: u32,
    /// Answers that are whole.
    pub(super) answers: u32,
    /// What all of them took.
    pub usage: Usage,
    /// Who answered last, and what all answers cost.
    pub served: Served,
    /// Who answered last, once somebody did.
    pub(super) chosen: Option<Chosen>,
}

enum State {
    Ready,
    /// After a failure, for so long.
    Resting(Duration),
    Speaking(Box<(Turn, Assembly)>),
    Deciding(VecDeque<Planned>),
    /// A person is asked about the first one.
    Asking(VecDeque<Planned>),
    Calling(Vec<Planned>, VecDeque<Planned>),
    /// What is made, what of it has not come to its end, and what comes after it.
    Making(Making, Vec<Planned>, VecDeque<Planned>),
    Over(Ending),
}

/// The longest rest between two attempts.
const LONGEST_REST: Duration = Duration::from_secs(30);

// === impl Agent ===

impl Agent {
    /// An agent with the tools of `hands` that `wanted` names, beside those that the request brings along.
    pub fn new(
        chat: Arc<Chat>,
        hands: Arc<dyn Hands>,
        setting: Setting,
        mut request: Request,
        wanted: impl Fn(&Spec) -> bool,
    ) -> Self {
        let taken = |spec: &Spec| request.tools.iter().any(|tool| tool.name == spec.name);
        let mut specs: Vec<Arc<Spec>> = hands.specs();
        specs.retain(|spec| setting.rules.offers(spec) && wanted(spec) && !taken(spec));
        request.tools.extend(specs.iter().map(|spec| Tool {
            name: spec.name.clone(),
            description: Some(spec.description.clone()),
            parameters: spec.input_schema.clone(),
            extra: Vec::new(),
        }));
        // It says something else from here on than what came.
        if !specs.is_empty() {
            request.raw = None;
        }
        let window = setting.bounds.window;
        Self {
            chat,
            hands,
            setting,
            specs,
            request,
            state: State::Ready,
            window,
            failures: 0,
            answers: 0,
            usage: Usage::default(),
            served: Served::default(),
            chosen: None,
        }
    }

    /// With a tool that is none: the calls of it are questions to a person.
    pub(super) fn asking(&mut self, spec: Spec) {
        self.request.tools.push(Tool {
            name: spec.name.clone(),
            description: Some(spec.description.clone()),
            parameters: spec.input_schema.clone(),
            extra: Vec::new(),
        });
        self.specs.push(Arc::new(spec));
    }

    /// Goes on where a conversation stands: calls of the newest answer without a result are made, those of `begun` only if
    /// they may be made twice. `told` is what a person said of one of them.
    pub(super) fn resume(&mut self, begun: &[u32], told: Option<(u32, Reply)>) {
        let messages = &self.request.messages;
        let Some(place) = messages.iter().rposition(|message| message.role == Role::Assistant) else { return };
        let Some(answer) = messages.get(place) else { return };
        let results = messages.iter().skip(place + 1).filter(|message| message.role == Role::Tool).count();
        let behind = messages.len() - place - 1;
        let mut open = Planned::of(answer, &self.specs);
        if open.is_empty() || behind > results {
            // Somebody has said something since: it is the model's turn.
            return;
        }
        // Results are stored in the order of the calls.
        open.drain(..results.min(open.len()));
        for planned in &mut open {
            if begun.contains(&planned.index) {
                planned.was_begun();
            }
            if let Some((_, reply)) = told.as_ref().filter(|(index, _)| *index == planned.index) {
                planned.answer(reply.clone());
            }
        }
        self.state = State::Deciding(open);
    }

    /// Whether it has a tool of that name.
    pub(super) fn has(&self, tool: &str) -> bool {
        self.specs.iter().any(|spec| spec.name == tool)
    }

    /// Whether the model is to be asked next: what a person says now can be added.
    pub(super) fn listens(&self) -> bool {
        matches!(self.state, State::Ready | State::Over(Ending::Done(_)))
    }

    /// Somebody says something.
    pub(super) fn say(&mut self, message: Message) {
        self.request.messages.push(message);
        self.state = State::Ready;
    }

    /// Whether there is nothing more to do.
    pub fn is_over(&self) -> bool {
        matches!(self.state, State::Over(_))
    }

    /// What a person said of the call that [`Step::Asks`] is about.
    pub(super) fn answer(&mut self, reply: Reply) {
        if let State::Asking(mut queue) = std::mem::replace(&mut self.state, State::Ready) {
            if let Some(first) = queue.front_mut() {
                first.answer(reply);
            }
            self.state = State::Deciding(queue);
        }
    }

    /// Calls of the newest answer that have not come to their end, for who ends it all now.
    pub(super) fn unfinished(&mut self) -> Vec<Planned> {
        match &mut self.state {
            State::Calling(some, rest) | State::Making(_, some, rest) => some.drain(..).chain(rest.drain(..)).collect(),
            State::Deciding(rest) | State::Asking(rest) => rest.drain(..).collect(),
            _ => Vec::new(),
        }
    }

    /// The next step.
    ///
    /// # Errors
    /// If the model can't be asked, or not to the end, as often as it was tried.
    pub async fn step(&mut self) -> Result<Step> {
        loop {
            match std::mem::replace(&mut self.state, State::Ready) {
                State::Ready => {
                    if let Some(limit) = self.limit() {
                        self.state = State::Over(Ending::Limit(limit));
                        continue;
                    }
                    match self.begin().await {
                        Ok(turn) => {
                            self.learn(&turn);
                            let Served { cost, estimated, .. } = self.served;
                            self.served = Served { cost, estimated, ..turn.served() };
                            self.chosen = Some(turn.chosen.clone());
                            self.state = State::Speaking(Box::new((turn, Assembly::default())));
                        }
                        Err(error) => return self.again(error),
                    }
                }
                State::Resting(pause) => sleep(pause).await,
                State::Speaking(mut speaking) => {
                    let (turn, assembly) = &mut *speaking;
                    match turn.events().await {
                        Ok(Some(events)) => {
                            events.iter().for_each(|event| assembly.add(event.clone()));
                            self.state = State::Speaking(speaking);
                            return Ok(Step::Said(events));
                        }
                        Ok(None) => {
                            let (turn, assembly) = *speaking;
                            let Served { cost, estimated, .. } = turn.settled();
                            drop(turn);
                            self.served.cost = sum(self.served.cost, cost);
                            self.served.estimated |= estimated;
                            return Ok(self.answered(assembly));
                        }
                        Err(error) => return self.again(error),
                    }
                }
                State::Deciding(mut queue) => match calls::next(&mut queue, &self.setting.rules, &self.specs) {
                    Next::Nothing => {}
                    Next::Make(some) => {
                        self.state = State::Calling(some.clone(), queue);
                        return Ok(Step::Calls(some));
                    }
                    Next::Skip(done) => {
                        self.state = State::Deciding(queue);
                        return Ok(self.called(*done));
                    }
                    Next::Ask(planned, why) => {
                        queue.push_front((*planned).clone());
                        self.state = State::Asking(queue);
                        return Ok(Step::Asks(planned, why));
                    }
                },
                State::Asking(mut queue) => {
                    // Nobody answered: who goes on all the same has nobody to ask.
                    let Some(planned) = queue.pop_front() else { continue };
                    self.state = State::Deciding(queue);
                    let words = "this call needs a person's approval, and nobody can be asked here: allow it beforehand in allowed_tools, or use a task of the agent API";
                    return Ok(self.called(Done { made: false, ..planned.cut(words) }));
                }
                State::Calling(some, rest) => {
                    let making =
                        calls::make(some.clone(), &self.hands, &self.setting.place, self.setting.bounds.output);
                    self.state = State::Making(making, some, rest);
                }
                State::Making(making, some, rest) => {
                    // Put back first: whoever drops this step still learns what was being made.
                    self.state = State::Making(making, some, rest);
                    let State::Making(making, some, _) = &mut self.state else { continue };
                    let done = making.next().await;
                    if let Some(done) = done {
                        some.retain(|planned| planned.index != done.planned.index);
                        return Ok(self.called(done));
                    }
                    if let State::Making(_, _, rest) = std::mem::replace(&mut self.state, State::Ready) {
                        self.state = State::Deciding(rest);
                    }
                }
                State::Over(ending) => {
                    self.state = State::Over(ending.clone());
                    return Ok(Step::Over(ending));
                }
            }
        }
    }

    fn limit(&self) -> Option<Limit> {
        let Bounds { iterations, tokens, cost, .. } = self.setting.bounds;
        if self.answers >= iterations {
            return Some(Limit::Iterations);
        }
        if self.usage.total() >= tokens {
            return Some(Limit::Tokens);
        }
        let dear = cost.zip(self.usage.cost).is_some_and(|(most, spent)| spent >= most);
        dear.then_some(Limit::Cost)
    }

    async fn begin(&mut self) -> Result<Turn> {
        if context::fit(&mut self.request.messages, self.window) {
            self.request.raw = None;
        }
        let Setting { provider, model, wish, place, .. } = &self.setting;
        let choice = Choice { provider: provider.as_deref(), model: model.as_deref() };
        self.chat.begin_with(*wish, choice, self.request.clone(), &place.caller).await
    }

    /// Takes note of how much the model can read.
    fn learn(&mut self, turn: &Turn) {
        let Ok(vendor) = turn.chosen.vendor() else { return };
        let known = vendor.known_models();
        let model = known.iter().find(|model| model.id == turn.chosen.model);
        if let Some(window) = model.and_then(|model| model.context_window) {
            // Some of it is for the answer, and bytes are a rough measure of tokens.
            self.window = self.window.min(u64::from(window) / 4 * 3);
        }
    }

    fn again(&mut self, error: Error) -> Result<Step> {
        self.failures += 1;
        let too_long = error.kind() == Kind::ContextTooLong;
        let passing = matches!(
            error.kind(),
            Kind::RateLimited | Kind::Overloaded | Kind::Unavailable | Kind::Timeout | Kind::Upstream | Kind::Plugin
        ) && error.fault() != Fault::Caller;
        if self.failures > self.setting.bounds.retries || !(passing || too_long) {
            return Err(error);
        }
        let pause = if too_long {
            self.window = context::tokens(&self.request.messages) * 2 / 3;
            Duration::ZERO
        } else {
            let doubled = Duration::from_millis(250) * 2_u32.saturating_pow(self.failures - 1);
            error.retry_after().unwrap_or(doubled).min(LONGEST_REST)
        };
        self.state = State::Resting(pause);
        Ok(Step::Again(error))
    }

    fn answered(&mut self, assembly: Assembly) -> Step {
        let mut answer = assembly.finish();
        answer.served = self.served.clone();
        self.failures = 0;
        self.answers += 1;
        if let Some(usage) = &answer.usage {
            run::add(&mut self.usage, usage);
        }
        let message = answer.clone().into_message();
        let planned = Planned::of(&message, &self.specs);
        // The caller's own tools, which only the caller can call.
        let foreign = |planned: &Planned| {
            let name = planned.call.name.as_str();
            !self.has(name) && self.request.tools.iter().any(|tool| tool.name == name)
        };
        let reason = answer.stop.as_ref().map_or(StopReason::Complete, |stop| stop.reason);
        self.state = if planned.iter().any(foreign) {
            State::Over(Ending::Foreign)
        } else if !planned.is_empty() {
            // It has called what it had to; from here on it is free to answer.
            if matches!(self.request.tool_choice, Some(ToolChoice::Required | ToolChoice::Named(_))) {
                self.request.tool_choice = Some(ToolChoice::Auto);
            }
            State::Deciding(planned)
        } else if reason == StopReason::Pause {
            State::Ready
        } else {
            State::Over(Ending::Done(reason))
        };
        self.request.messages.push(message);
        Step::Answered(Box::new(answer))
    }

    fn called(&mut self, done: Done) -> Step {
        self.request.messages.push(done.message());
        Step::Called(Box::new(done))
    }
}

/// Two amounts, as far as they are known.
fn sum(one: Option<f64>, other: Option<f64>) -> Option<f64> {
    one.zip(other).map(|(one, other)| one + other).or(one).or(other)
}
