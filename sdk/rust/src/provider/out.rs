//! Where an exchange writes what shall happen next.

use super::{Action, Error, Model, Output, Vector};
use crate::chat::{Event, Usage};
use crate::http::Request;

/// The actions of one step, in order. After [`Out::finish`] or [`Out::fail`] the exchange is over and nothing more is
/// taken.
#[derive(Debug, Default)]
pub struct Out {
    actions: Vec<Action>,
    over: bool,
}

impl Out {
    /// Sends a request; the next inputs are about its response.
    pub fn send(&mut self, request: Request) {
        self.push(Action::Send(request));
    }

    /// Hands an event, a vector, a list of models or a usage to the caller.
    pub fn emit(&mut self, output: impl Into<Output>) {
        if self.over {
            return;
        }
        let output = output.into();
        match self.actions.last_mut() {
            Some(Action::Emit(outputs)) => outputs.push(output),
            _ => self.actions.push(Action::Emit(vec![output])),
        }
    }

    /// Asks to be woken after so many milliseconds.
    pub fn wait(&mut self, milliseconds: u32) {
        self.push(Action::Wait(milliseconds));
    }

    /// Ends the exchange with an error.
    pub fn fail(&mut self, error: Error) {
        self.push(Action::Fail(error));
        self.over = true;
    }

    /// Ends the exchange: everything has been said.
    pub fn finish(&mut self) {
        self.push(Action::Finish);
        self.over = true;
    }

    /// Whether the exchange is over.
    pub fn is_over(&self) -> bool {
        self.over
    }

    fn push(&mut self, action: Action) {
        if !self.over {
            self.actions.push(action);
        }
    }

    pub(super) fn into_actions(self) -> Vec<Action> {
        self.actions
    }
}

// === impl Output ===

impl From<Event> for Output {
    fn from(event: Event) -> Self {
        Self::Chat(event)
    }
}

impl From<Vec<Model>> for Output {
    fn from(models: Vec<Model>) -> Self {
        Self::Models(models)
    }
}

impl From<Vector> for Output {
    fn from(vector: Vector) -> Self {
        Self::Vector(vector)
    }
}

impl From<Usage> for Output {
    fn from(usage: Usage) -> Self {
        Self::Usage(usage)
    }
}
