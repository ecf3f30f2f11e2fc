//! Attempts at serving one request: who is asked next, after what pause, and when it is enough.
//!
//! It asks nobody itself: whoever does asks [`Attempts::next`] whom, and tells [`Attempts::failed`] what went wrong. What to do
//! then is [`retry`]'s to decide. Nothing here lives longer than the model's first word, after which nobody else is asked.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::chance::Chance;
use super::route::breaker::Pass;
use super::route::retry::{self, Standing, Verdict};
use super::route::{Chosen, Plan};
use crate::config::Routing;
use crate::model::{Error, Fault, Kind, Result};

/// See the module.
pub(super) struct Attempts<'a> {
    rules: &'a Routing,
    chance: &'a Chance,
    began: Instant,
    queue: VecDeque<Candidate>,
    current: Option<Candidate>,
    /// Of the current one.
    retried: u32,
    made: u32,
    /// What the caller is told if there is nobody left.
    error: Option<Error>,
}

struct Candidate {
    chosen: Chosen,
    /// Whether it was passed over already: it is the last resort then.
    passed_over: bool,
    /// Whether one attempt is enough.
    once: bool,
}

/// One attempt.
pub(super) struct Attempt {
    /// Who is asked.
    pub(super) chosen: Chosen,
    /// What it tells of the provider.
    pub(super) pass: Pass,
}

// === impl Attempts ===

impl<'a> Attempts<'a> {
    pub(super) fn new(rules: &'a Routing, chance: &'a Chance, plan: Plan) -> Self {
        let candidate = |chosen| Candidate { chosen, passed_over: false, once: false };
        let queue = plan.targets.into_iter().map(candidate).collect();
        let began = Instant::now();
        Self { rules, chance, began, queue, current: None, retried: 0, made: 0, error: None }
    }

    /// When it all began.
    pub(super) fn began(&self) -> Instant {
        self.began
    }

    /// How many there were, the one that is under way among them.
    pub(super) fn made(&self) -> u32 {
        self.made
    }

    /// `error`, with how many there were.
    pub(super) fn told(&self, error: Error) -> Error {
        if self.made > 0 { error.after_attempts(self.made) } else { error }
    }

    /// Whether nobody is asked after the one that is under way.
    pub(super) fn is_last(&self) -> bool {
        let spent = self.made >= self.rules.attempts;
        let again = self.current.as_ref().is_some_and(|current| !current.once && self.retried < current.retries());
        spent || (self.queue.is_empty() && !again)
    }

    /// Who is asked now.
    ///
    /// # Errors
    /// What the caller is told, if there is nobody left.
    pub(super) fn next(&mut self) -> Result<Attempt> {
        let now = Instant::now();
        let (mut candidate, pass) = match self.current.take() {
            Some(candidate) => {
                let pass = candidate.chosen.provider.circuit.force(now);
                (candidate, pass)
            }
            None => self.pick(now)?,
        };
        candidate.once |= pass.is_forced();
        self.made += 1;
        let chosen = candidate.chosen.clone();
        self.current = Some(candidate);
        Ok(Attempt { chosen, pass })
    }

    /// The attempt under way failed. Returns when it is time for the next one.
    ///
    /// # Errors
    /// What the caller is told, if there is none.
    pub(super) async fn failed(&mut self, error: Error) -> Result<()> {
        let Some(candidate) = self.current.take() else { return Err(error) };
        let now = Instant::now();
        let circuit = &candidate.chosen.provider.circuit;
        if let Some(time) = retry::hold(&error) {
            circuit.hold(now, time);
        }
        let standing = Standing {
            retried: self.retried,
            retries: if candidate.once || circuit.is_open() { 0 } else { candidate.retries() },
            attempts: self.rules.attempts.saturating_sub(self.made),
            others: !self.queue.is_empty(),
            left: candidate.left(self.began, now),
        };
        let verdict = retry::decide(&error, &standing, self.rules, self.chance.draw());
        let over = standing.attempts == 0 || !standing.others;
        match verdict {
            Verdict::GiveUp => return Err(error),
            Verdict::Next if over => return Err(self.remember(error)),
            _ => {}
        }
        tracing::warn!(
            provider = candidate.chosen.provider.name,
            model = candidate.chosen.model,
            attempt = self.made,
            error = error.to_string(),
            "an attempt failed; {}",
            if verdict == Verdict::Next { "the next target is asked" } else { "the provider is asked again" },
        );
        self.error = Some(self.remember(error));
        match verdict {
            Verdict::Retry { after } => {
                self.retried += 1;
                self.current = Some(candidate);
                sleep(after).await;
            }
            _ => self.retried = 0,
        }
        Ok(())
    }

    /// The first of the queue who can be asked; who is better left alone only if there is nobody else.
    fn pick(&mut self, now: Instant) -> Result<(Candidate, Pass)> {
        loop {
            let Some(mut candidate) = self.queue.pop_front() else {
                let none = || Error::new(Kind::Unavailable, Fault::Us, "nobody is left who could be asked");
                return Err(self.error.take().unwrap_or_else(none));
            };
            if self.made > 0 && candidate.left(self.began, now).is_zero() {
                continue;
            }
            let circuit = &candidate.chosen.provider.circuit;
            if candidate.passed_over || self.queue.is_empty() {
                let pass = circuit.force(now);
                return Ok((candidate, pass));
            }
            if let Some(pass) = circuit.enter(now) {
                return Ok((candidate, pass));
            }
            candidate.passed_over = true;
            self.queue.push_back(candidate);
        }
    }

    /// What the caller is told if it ends with `error`.
    fn remember(&mut self, error: Error) -> Error {
        match self.error.take() {
            Some(first) => retry::telling(first, error),
            None => error,
        }
    }
}

// === impl Candidate ===

impl Candidate {
    fn retries(&self) -> u32 {
        self.chosen.provider.retries
    }

    /// What is left of the time that the provider may take.
    fn left(&self, began: Instant, now: Instant) -> Duration {
        let total = self.chosen.vendor().map_or(Duration::ZERO, |vendor| vendor.total());
        total.saturating_sub(now.duration_since(began))
    }
}
