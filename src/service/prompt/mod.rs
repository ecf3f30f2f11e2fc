//! Prompts: one to a backend, many side by side, or one after the other.
//!
//! A backend is a provider, one of its models, or a route. One that fails is an [`Outcome`] like another: who asks several wants
//! to know of each. Nothing is started that isn't driven by whoever asks: dropping a request drops every turn of it, and with that
//! closes its connection upstream.

mod chain;
mod parallel;
mod session;
mod workdir;

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

pub use chain::{PREVIOUS, SESSION};
pub use parallel::Order;
pub use session::Keep;

use self::workdir::Workdirs;
use super::answer::{Answer, spoken};
use super::conversation::Talk;
use super::route::Choice;
use super::session::Sessions;
use super::{Chat, Served, Turn};
use crate::config;
use crate::model::caller::Caller;
use crate::model::chat::{Message, Request, Role, StopReason, Usage};
use crate::model::{Error, Kind, Result};

/// What bounds prompts.
pub struct Prompts {
    /// Tasks of one request that run at once, where it doesn't say how many.
    pub at_once: usize,
    /// Tasks, steps or backends of one request.
    pub most: usize,
    sessions: Arc<Sessions>,
    /// Whether a session that begins is written before its first answer goes out.
    wait_for_disk: bool,
    workdirs: Workdirs,
    /// Bytes of a prompt, once what went before it is put in.
    longest: usize,
}

/// What a backend is asked.
#[derive(Clone, Debug, Default)]
pub struct Prompt {
    /// A provider, `provider/model`, or a route.
    pub backend: String,
    /// In place of the backend's own model.
    pub model: Option<String>,
    /// The prompt.
    pub text: String,
    /// What the model is told beside it.
    pub system: Option<String>,
    /// The longest answer, in tokens.
    pub max_tokens: Option<u32>,
    /// Where tools would work.
    pub workdir: Option<String>,
    /// Flags for the backend.
    pub flags: Vec<String>,
    /// Whether nobody is asked, only told who would be.
    pub dry_run: bool,
    /// What was said before.
    pub before: Vec<Message>,
}

/// What came of a prompt.
#[derive(Debug)]
pub struct Outcome {
    /// As it was asked for.
    pub backend: String,
    /// The model that answered, or was to.
    pub model: Option<String>,
    /// How it ended.
    pub end: End,
    /// What was said; of one that failed, what was said until then.
    pub output: Option<String>,
    /// Tokens, if the vendor told.
    pub usage: Option<Usage>,
    /// Why the model stopped.
    pub stop: Option<StopReason>,
    /// Who served it, and what that took.
    pub served: Option<Served>,
    /// From the question to the end of the answer.
    pub duration: Duration,
}

/// How a prompt ended.
#[derive(Debug)]
pub enum End {
    /// With an answer.
    Done,
    /// Without one, or without all of it.
    Failed(Error),
    /// Because another failed, before it ended by itself.
    Canceled,
}

// === impl Prompts ===

impl Prompts {
    /// Within what `settings` allow; no prompt is longer than `longest` bytes.
    pub fn new(settings: &config::Prompt, longest: usize, sessions: Arc<Sessions>, wait_for_disk: bool) -> Self {
        Self {
            at_once: settings.max_parallel,
            most: settings.max_tasks,
            sessions,
            wait_for_disk,
            workdirs: Workdirs::new(settings),
            longest,
        }
    }

    /// Begins to ask, and waits for the model's first word.
    ///
    /// # Errors
    /// If the prompt may not be asked, or nobody answers it.
    pub async fn begin(&self, chat: &Chat, prompt: &Prompt, caller: &Caller, streaming: bool) -> Result<Turn> {
        self.check(prompt)?;
        let turn = chat.begin(prompt.choice(chat), prompt.request(streaming), caller).await;
        turn.map_err(told)
    }

    /// Asks, and waits for the whole answer. What is said is written to `talk`, if there is one.
    pub async fn ask(&self, chat: &Chat, prompt: &Prompt, talk: Option<&mut Talk>, caller: &Caller) -> Outcome {
        let began = Instant::now();
        let mut outcome = if prompt.dry_run {
            self.rehearse(chat, prompt)
        } else {
            match self.begin(chat, prompt, caller, false).await {
                Err(error) => Outcome::failed(prompt, error),
                Ok(turn) => {
                    let (answer, error) = gather(turn, talk).await;
                    Outcome {
                        model: Some(answer.model.clone().unwrap_or_else(|| answer.served.model.clone())),
                        end: error.map_or(End::Done, End::Failed),
                        output: Some(spoken(&answer.parts)),
                        usage: answer.usage,
                        stop: answer.stop.as_ref().map(|stop| stop.reason),
                        served: Some(answer.served),
                        ..Outcome::of(prompt)
                    }
                }
            }
        };
        outcome.duration = began.elapsed();
        outcome
    }

    /// Says who would be asked.
    fn rehearse(&self, chat: &Chat, prompt: &Prompt) -> Outcome {
        let plan = self
            .check(prompt)
            .and_then(|()| chat.providers.plan(prompt.choice(chat), || 0, &chat.chance).map_err(told));
        let targets = match plan {
            Err(error) => return Outcome::failed(prompt, error),
            Ok(plan) => plan.targets,
        };
        let names: Vec<String> =
            targets.iter().map(|target| format!("{}/{}", target.provider.name, target.model)).collect();
        let limit = prompt.max_tokens.map(|most| format!(", {most} tokens at most")).unwrap_or_default();
        let said = format!("Would execute: {} bytes of prompt on {}{limit}", prompt.text.len(), names.join(", then "));
        let model = targets.front().map(|target| target.model.clone());
        Outcome { model, output: Some(said), ..Outcome::of(prompt) }
    }

    fn check(&self, prompt: &Prompt) -> Result<()> {
        if let Some(workdir) = &prompt.workdir {
            self.workdirs.check(workdir)?;
        }
        if let Some(flag) = prompt.flags.first() {
            let what = format!("backend `{}` takes no flags, not {flag} either; leave `extra` out", prompt.backend);
            return Err(Error::invalid("extra", what));
        }
        if prompt.text.len() > self.longest {
            return Err(Error::caller(Kind::TooLarge, format!("the prompt is longer than {} bytes", self.longest)));
        }
        Ok(())
    }
}

/// The answer as far as it comes, written down as it comes, and why it isn't whole, if it isn't.
async fn gather(turn: Turn, talk: Option<&mut Talk>) -> (Answer, Option<Error>) {
    let Some(talk) = talk else { return turn.gather(|_, _| {}).await };
    turn.gather(|chosen, events| talk.heard(&chosen.provider.name, &chosen.model, events.to_vec())).await
}

/// In the words of a surface that knows only backends.
fn told(error: Error) -> Error {
    if !matches!(error.kind(), Kind::ProviderNotFound | Kind::ModelNotFound) {
        return error;
    }
    let what = format!("Backend not available: {}", error.public());
    Error::new(error.kind(), error.fault(), what).with_param("backend")
}

// === impl Prompt ===

impl Prompt {
    fn choice(&self, chat: &Chat) -> Choice<'_> {
        let backend = self.backend.as_str();
        match &self.model {
            None => Choice { provider: None, model: Some(backend) },
            Some(model) => {
                // Of `provider/model` only the provider counts, where another model is named.
                let known = chat.providers.all().contains_key(backend);
                let provider = backend.split_once('/').filter(|_| !known).map_or(backend, |(provider, _)| provider);
                Choice { provider: Some(provider), model: Some(model) }
            }
        }
    }

    fn request(&self, streaming: bool) -> Request {
        let system = self.system.as_ref().map(|text| Message::text(Role::System, text));
        let asked = Message::text(Role::User, &*self.text);
        let messages = system.into_iter().chain(self.before.iter().cloned()).chain([asked]).collect();
        Request { messages, max_tokens: self.max_tokens, streaming, ..Request::default() }
    }
}

// === impl Outcome ===

impl Outcome {
    /// Nothing yet of `prompt`.
    fn of(prompt: &Prompt) -> Self {
        Self {
            backend: prompt.backend.clone(),
            model: prompt.model.clone(),
            end: End::Done,
            output: None,
            usage: None,
            stop: None,
            served: None,
            duration: Duration::ZERO,
        }
    }

    fn failed(prompt: &Prompt, error: Error) -> Self {
        Self { end: End::Failed(error), ..Self::of(prompt) }
    }

    /// Whether there is an answer.
    pub fn is_done(&self) -> bool {
        matches!(self.end, End::Done)
    }

    /// Why there is none, if it failed.
    pub fn error(&self) -> Option<&Error> {
        if let End::Failed(error) = &self.end { Some(error) } else { None }
    }
}
