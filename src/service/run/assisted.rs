//! A turn with tools: like [`Turn`](crate::service::Turn), but the model's calls of the server's own tools are made on the way.

use std::collections::HashSet;

use super::Runs;
use super::agent::Agent;
use super::calls::{Done, Planned};
use super::hands::Place;
use super::step::{Bounds, Setting, Step};
use crate::model::chat::{Event, Request, Stop};
use crate::model::run::Rules;
use crate::model::{Error, Result};
use crate::service::answer::{Answer, Assembly};
use crate::service::{Chosen, Served, Wish};

/// See the module.
pub struct Assisted {
    agent: Agent,
    /// Who gave the first word.
    chosen: Chosen,
    /// What came before the caller was told that there is an answer.
    early: Option<Step>,
    /// The number that the first block of the answer that is being given has for the caller, and the next free one.
    base: u32,
    free: u32,
    /// Blocks of the answer that are calls of the server's tools.
    hidden: HashSet<u32>,
    /// Whether earlier answers said something, and this one nothing yet.
    apart: bool,
    spoke: bool,
    begun: bool,
    used: Vec<Used>,
    over: bool,
}

/// Who is asked, and with which tools.
pub struct Ask {
    /// The provider.
    pub provider: Option<String>,
    /// The model.
    pub model: Option<String>,
    /// What it wants of the cache of answers.
    pub wish: Wish,
    /// Which of the server's tools it may use; none of them where it is left out.
    pub rules: Option<Rules>,
    /// Fewer answers of the model than the operator allows.
    pub iterations: Option<u32>,
    /// Where it works, and for whom.
    pub place: Place,
}

/// What happens.
pub enum Piece {
    /// The model says something to the caller.
    Said(Vec<Event>),
    /// It has these tools called.
    Calls(Vec<Planned>),
    /// What came of it.
    Called(Box<Done>),
}

/// A tool that was used.
#[derive(Clone, Debug)]
pub struct Used {
    /// Its name.
    pub tool: String,
    /// What it was given.
    pub input: serde_json::Value,
    /// What it said.
    pub output: String,
    /// Whether it did what it should.
    pub success: bool,
    /// How long it took.
    pub took_ms: u64,
}

// === impl Assisted ===

impl Assisted {
    /// Begins, and waits for the model's first word: what fails before it has no answer yet.
    ///
    /// # Errors
    /// If the model can't be asked.
    pub async fn begin(mut agent: Agent) -> Result<Self> {
        let early = Some(agent.step().await?);
        let nobody = || Error::internal("an agent was begun that may not ask anybody");
        Ok(Self {
            chosen: agent.chosen.clone().ok_or_else(nobody)?,
            agent,
            early,
            base: 0,
            free: 0,
            hidden: HashSet::new(),
            apart: false,
            spoke: false,
            begun: false,
            used: Vec::new(),
            over: false,
        })
    }

    /// Who answers: whoever gave the first word, for the caller has been told so.
    pub fn chosen(&self) -> &Chosen {
        &self.chosen
    }

    /// Who serves it.
    pub fn served(&self) -> Served {
        self.agent.served.clone()
    }

    /// What happens next; `None` once the answer is whole.
    ///
    /// # Errors
    /// Whatever kept the answer from being whole; there is nothing after it.
    pub async fn next(&mut self) -> Result<Option<Piece>> {
        while !self.over {
            let step = match self.early.take() {
                Some(step) => step,
                None => self.agent.step().await?,
            };
            match step {
                Step::Said(events) => {
                    let events: Vec<Event> = events.into_iter().filter_map(|event| self.tell(event)).collect();
                    if !events.is_empty() {
                        return Ok(Some(Piece::Said(events)));
                    }
                }
                Step::Answered(_) => {
                    self.base = self.free;
                    self.hidden.clear();
                    (self.apart, self.spoke) = (self.apart || self.spoke, false);
                }
                Step::Calls(some) => return Ok(Some(Piece::Calls(some))),
                Step::Called(done) => {
                    self.used.push(Used::from(&*done));
                    return Ok(Some(Piece::Called(done)));
                }
                Step::Asks(..) | Step::Again(_) => {}
                Step::Over(ending) => {
                    self.over = true;
                    let stop = Event::Stopped(Stop { reason: ending.reason(), sequence: None });
                    return Ok(Some(Piece::Said(vec![Event::Usage(self.agent.usage), stop])));
                }
            }
        }
        Ok(None)
    }

    /// The whole answer, and the tools that were used.
    ///
    /// # Errors
    /// If it doesn't come to its end.
    pub async fn collect(mut self) -> Result<(Answer, Vec<Used>)> {
        let mut assembly = Assembly::default();
        while let Some(piece) = self.next().await? {
            if let Piece::Said(events) = piece {
                events.into_iter().for_each(|event| assembly.add(event));
            }
        }
        Ok((Answer { served: self.served(), ..assembly.finish() }, self.used))
    }

    /// As the caller is told: as if it were one answer.
    fn tell(&mut self, mut event: Event) -> Option<Event> {
        if let Event::CallStarted { block, name, .. } = &event
            && self.agent.has(name)
        {
            self.hidden.insert(*block);
        }
        if let Event::Text { text, .. } = &mut event {
            if self.apart && !text.is_empty() {
                text.insert_str(0, "\n\n");
                self.apart = false;
            }
            self.spoke |= !text.is_empty();
        }
        match &mut event {
            Event::Started { .. } => return (!std::mem::replace(&mut self.begun, true)).then_some(event),
            Event::Usage(_) | Event::Stopped(_) => return None,
            Event::Extra(_) => {}
            Event::Text { block, .. }
            | Event::Thinking { block, .. }
            | Event::Signature { block, .. }
            | Event::Redacted { block, .. }
            | Event::CallStarted { block, .. }
            | Event::CallArguments { block, .. }
            | Event::Refusal { block, .. }
            | Event::Annotation { block, .. }
            | Event::Other { block, .. } => {
                if self.hidden.contains(block) {
                    return None;
                }
                *block += self.base;
                self.free = self.free.max(*block + 1);
            }
        }
        Some(event)
    }
}

// === impl Runs ===

impl Runs {
    /// Begins an answer of a model that may use the server's tools.
    ///
    /// # Errors
    /// If the model can't be asked.
    pub async fn assist(&self, ask: Ask, request: Request) -> Result<Assisted> {
        Assisted::begin(self.agent(ask, request)).await
    }

    /// An agent that nobody keeps a record of, unless whoever drives it does.
    pub fn agent(&self, ask: Ask, request: Request) -> Agent {
        let Ask { provider, model, wish, rules, iterations, place } = ask;
        let equipped = rules.is_some();
        let rules = rules.unwrap_or_default();
        let rules = Rules { approval: rules.approval.max(self.settings.approval), ..rules };
        let bounds = self.bounds();
        // Who has been told a part of an answer can't be told another one.
        let bounds = Bounds { retries: 0, iterations: iterations.unwrap_or(u32::MAX).min(bounds.iterations), ..bounds };
        let setting = Setting { provider, model, wish, rules, place, bounds };
        Agent::new(self.chat.clone(), self.hands.clone(), setting, request, |_| equipped)
    }
}

// === impl Used ===

impl From<&Done> for Used {
    fn from(done: &Done) -> Self {
        Self {
            tool: done.planned.call.name.clone(),
            input: done.planned.input.clone(),
            output: done.words(),
            success: done.success,
            took_ms: done.took_ms,
        }
    }
}
