//! Asking in a session: the one place where a turn of the platform surface is made.
//!
//! Where the session's options allow tools, the model works with them in the session's directory until it has nothing more to do.
//! Each answer, call and result is a message of the session, written before anybody is told of it.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::options::Options;
use super::{Called, Sessions, Turn};
use crate::model::caller::Caller;
use crate::model::chat::{self, Part, ResultPart, Role, StopReason, ToolCall, ToolResult, Usage};
use crate::model::session::{CallStatus, Message, Session};
use crate::model::{Error, Result};
use crate::service::run::assisted::{Piece, Used};
use crate::service::run::{Agent, Ask, Done, Place, Runs, Step};
use crate::service::{Served, Wish};

/// A question that is being answered.
pub struct Asking {
    turn: Turn,
    agent: Agent,
    /// What came before the caller was told that there is an answer.
    early: Option<Step>,
    /// The newest message that is written.
    last: Option<Message>,
    used: Vec<Used>,
    stop: Option<StopReason>,
}

/// A question that was answered.
pub struct Asked {
    /// The model's last message, if it said anything.
    pub message: Option<Message>,
    /// Tools that were used.
    pub used: Vec<Used>,
    /// What all answers took together; nothing where no vendor told.
    pub usage: Option<Usage>,
    /// Why it ended.
    pub stop: Option<StopReason>,
    /// Who answered.
    pub served: Served,
}

// === impl Sessions ===

impl Sessions {
    /// Asks `message` in session `id` of `owner`: whoever its options name answers, who is told all that was said before.
    ///
    /// # Errors
    /// If there is none, it takes no questions, its turn doesn't come, or nobody answers.
    pub async fn ask(
        self: &Arc<Self>,
        runs: &Runs,
        (owner, id): (&str, &str),
        message: String,
        streaming: bool,
        caller: &Caller,
    ) -> Result<Asking> {
        let mut turn = self.begin(owner, id).await?;
        let said = chat::Message::text(Role::User, message);
        turn.ask([said.clone()]);
        match self.first_word(&turn, runs, said, streaming, caller).await {
            Ok((agent, step)) => {
                Ok(Asking { turn, agent, early: Some(step), last: None, used: Vec::new(), stop: None })
            }
            Err(error) => {
                turn.fail(&error).await;
                Err(error)
            }
        }
    }

    async fn first_word(
        &self,
        turn: &Turn,
        runs: &Runs,
        said: chat::Message,
        streaming: bool,
        caller: &Caller,
    ) -> Result<(Agent, Step)> {
        let session = turn.session();
        let options = Options::read(&session.options)?;
        let told = session.system_prompt.as_ref().map(|words| chat::Message::text(Role::System, words));
        let mut messages: Vec<_> = told.into_iter().collect();
        messages.extend(known(turn.history().await?, options.rules.is_some()));
        messages.push(said);
        let request = chat::Request {
            messages,
            temperature: options.temperature,
            max_tokens: options.max_tokens,
            streaming,
            ..chat::Request::default()
        };
        let workspace = if options.rules.is_some() { self.directory(runs, session).await } else { None };
        let place =
            Place { caller: caller.clone(), session: Some(session.id.clone()), run: None, workspace, progress: None };
        let Options { provider, model, rules, max_turns: iterations, .. } = options;
        let mut agent = runs.agent(Ask { provider, model, wish: Wish::default(), rules, iterations, place }, request);
        let step = agent.step().await?;
        Ok((agent, step))
    }

    /// Where tools find the files of a session: the directory that it names, if the operator allows that, or its own.
    pub async fn directory(&self, runs: &Runs, session: &Session) -> Option<PathBuf> {
        if let Some(named) = &session.directory
            && let Some(allowed) = runs.directory(named).await
        {
            return Some(allowed.into());
        }
        session.workspace.then(|| self.workspaces.path(&session.id))
    }
}

// === impl Asking ===

impl Asking {
    /// The session, as it was when the question was asked.
    pub fn session(&self) -> &Session {
        self.turn.session()
    }

    /// Who serves it.
    pub fn served(&self) -> Served {
        self.agent.served.clone()
    }

    /// What happens next; `None` once the answer is whole.
    ///
    /// # Errors
    /// Whatever kept the answer from being whole, or from being written down; there is nothing after it.
    pub async fn next(&mut self) -> Result<Option<Piece>> {
        loop {
            let step = match self.early.take() {
                Some(step) => step,
                None => self.agent.step().await?,
            };
            match step {
                Step::Said(events) => {
                    let Served { provider, model, .. } = &self.agent.served;
                    self.turn.heard(provider, model, events.iter().cloned());
                    return Ok(Some(Piece::Said(events)));
                }
                // The last one is written together with the end.
                Step::Answered(_) if self.agent.is_over() => {}
                Step::Answered(_) => self.last = self.turn.said().await?.pop(),
                Step::Calls(some) => return Ok(Some(Piece::Calls(some))),
                Step::Called(done) => {
                    let message = self.last.as_ref().map(|message| message.sequence);
                    self.turn.called(record(&done, message), done.message()).await?;
                    self.used.push(Used::from(&*done));
                    return Ok(Some(Piece::Called(done)));
                }
                // Nobody is there to be asked, and who has heard a part of an answer can't be told another.
                Step::Asks(..) | Step::Again(_) => {}
                Step::Over(ending) => {
                    self.stop = Some(ending.reason());
                    return Ok(None);
                }
            }
        }
    }

    /// All of it, once [`next`](Self::next) has nothing more. It is written, and the session is free, when this returns.
    ///
    /// # Errors
    /// If it can't be written; the session is free all the same.
    pub async fn finish(self) -> Result<Asked> {
        let Self { turn, agent, last, used, stop, .. } = self;
        let (_, mut messages) = turn.finish().await?;
        let usage = (agent.usage != Usage::default()).then_some(agent.usage);
        Ok(Asked { message: messages.pop().or(last), used, usage, stop, served: agent.served })
    }

    /// The answer failed. What was said is written as it is, and the session is free, when this returns.
    pub async fn fail(self, error: &Error) {
        self.turn.fail(error).await;
    }

    /// The whole answer.
    ///
    /// # Errors
    /// If it doesn't come to its end, or can't be written.
    pub async fn collect(mut self) -> Result<Asked> {
        loop {
            match self.next().await {
                Ok(Some(_)) => {}
                Ok(None) => return self.finish().await,
                Err(error) => {
                    self.fail(&error).await;
                    return Err(error);
                }
            }
        }
    }
}

fn record(done: &Done, message: Option<u64>) -> Called {
    let words = done.words();
    Called {
        call_id: Some(done.planned.call.id.clone()),
        message,
        tool_name: done.planned.call.name.clone(),
        input: done.planned.input.clone(),
        error: (!done.success).then(|| words.clone()),
        output: Some(words.into()),
        status: match (done.success, done.made) {
            (true, _) => CallStatus::Success,
            (false, true) => CallStatus::Error,
            (false, false) => CallStatus::Denied,
        },
        duration: Some(Duration::from_millis(done.took_ms)),
    }
}

/// What a model is told of what was said before. Thoughts are their model's own; without tools, so is what was done with them.
fn known(mut messages: Vec<chat::Message>, tools: bool) -> Vec<chat::Message> {
    for message in &mut messages {
        message.parts.retain(|part| match part {
            Part::Text(_) | Part::Refusal(_) | Part::Media(_) => true,
            Part::Call(_) | Part::Outcome(_) => tools,
            _ => false,
        });
    }
    messages.retain(|message| !message.parts.is_empty() || message.role == Role::User);
    if tools { answered(messages) } else { messages }
}

/// `messages` with an outcome behind each call: where a turn broke off, its calls have none, which no vendor takes.
fn answered(messages: Vec<chat::Message>) -> Vec<chat::Message> {
    let mut whole: Vec<chat::Message> = Vec::with_capacity(messages.len());
    let mut open: Vec<ToolCall> = Vec::new();
    for message in messages {
        if message.role == Role::Tool {
            let about = |call: &ToolCall| {
                message.parts.iter().any(|part| matches!(part, Part::Outcome(outcome) if outcome.call_id == call.id))
            };
            open.retain(|call| !about(call));
        } else {
            whole.extend(open.drain(..).map(unknown));
            let calls =
                message.parts.iter().filter_map(|part| if let Part::Call(call) = part { Some(call) } else { None });
            open.extend(calls.cloned());
        }
        whole.push(message);
    }
    whole.extend(open.drain(..).map(unknown));
    whole
}

fn unknown(call: ToolCall) -> chat::Message {
    let words = "the answer broke off during this call; whether it took effect is not known".to_owned();
    let outcome = ToolResult { call_id: call.id, parts: vec![ResultPart::Text(words)], failed: true };
    chat::Message { role: Role::Tool, name: None, parts: vec![Part::Outcome(outcome)], extra: Vec::new() }
}

// === impl Session ===

impl Session {
    /// What it may be called where it has no name.
    pub fn title(&self) -> &str {
        self.name.as_deref().unwrap_or("Untitled session")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn calls(ids: &[&str]) -> chat::Message {
        let call = |id: &&str| {
            Part::Call(ToolCall { id: (*id).into(), name: "t".into(), arguments: "{}".into(), extra: Vec::new() })
        };
        let parts = std::iter::once(Part::Text("let me see".into())).chain(ids.iter().map(call)).collect();
        chat::Message { role: Role::Assistant, name: None, parts, extra: Vec::new() }
    }

    fn outcome(id: &str) -> chat::Message {
        let mut message =
            unknown(ToolCall { id: id.into(), name: "t".into(), arguments: String::new(), extra: Vec::new() });
        if let Some(Part::Outcome(outcome)) = message.parts.first_mut() {
            (outcome.parts, outcome.failed) = (vec![ResultPart::Text("done".into())], false);
        }
        message
    }

    #[test]
    fn each_call_has_an_outcome_behind_it() {
        let user = |words: &str| chat::Message::text(Role::User, words);
        let broken = vec![user("a"), calls(&["1", "2"]), outcome("1"), user("b"), calls(&["3"])];
        let whole = known(broken, true);
        let about: Vec<(Role, Option<(&str, bool)>)> = whole
            .iter()
            .map(|message| {
                let outcome = message.parts.iter().find_map(|part| match part {
                    Part::Outcome(outcome) => Some((outcome.call_id.as_str(), outcome.failed)),
                    _ => None,
                });
                (message.role, outcome)
            })
            .collect();
        let expected = [
            (Role::User, None),
            (Role::Assistant, None),
            (Role::Tool, Some(("1", false))),
            (Role::Tool, Some(("2", true))),
            (Role::User, None),
            (Role::Assistant, None),
            (Role::Tool, Some(("3", true))),
        ];
        assert_eq!(about, expected);
    }

    #[test]
    fn without_tools_only_words_are_told() {
        let told = known(vec![calls(&["1"]), outcome("1")], false);
        assert_eq!(told.len(), 1);
        assert_eq!(told[0].parts, [Part::Text("let me see".into())]);
    }
}
