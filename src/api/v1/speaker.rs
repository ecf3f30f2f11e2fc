//! Who answers on the chat surface: a model alone, or one that has tools.

use crate::api::State;
use crate::model::caller::Caller;
use crate::model::chat;
use crate::model::run::Pattern;
use crate::model::{Error, Kind, Result};
use crate::service::answer::Answer;
use crate::service::run::assisted::{Assisted, Piece, Used};
use crate::service::run::{Ask, Place};
use crate::service::tool::Scratch;
use crate::service::{Choice, Served, Turn, Wish};

/// See the module.
pub(super) enum Speaker {
    /// A model alone.
    Alone(Turn),
    /// A model with tools, whose files are gone with it.
    Equipped(Box<Assisted>, Scratch),
}

// === impl Speaker ===

impl Speaker {
    /// Begins an answer; the model may use the tools that `tools` names, if it names any.
    ///
    /// # Errors
    /// If there is no such tool, or nobody answers.
    pub(super) async fn begin(
        state: &State,
        wish: Wish,
        choice: Choice<'_>,
        tools: &[String],
        request: chat::Request,
        caller: &Caller,
    ) -> Result<Self> {
        if tools.is_empty() {
            return Ok(Self::Alone(state.chat.begin_with(wish, choice, request, caller).await?));
        }
        let allowed = tools.iter().map(|name| named(state, name)).collect::<Result<Vec<Pattern>>>()?;
        let scratch = state.tools.scratch().await?;
        let workspace = Some(scratch.path().to_owned());
        let place = Place { caller: caller.clone(), session: None, run: None, workspace };
        let (provider, model) = (choice.provider.map(str::to_owned), choice.model.map(str::to_owned));
        let ask = Ask { provider, model, wish, allowed, place };
        Ok(Self::Equipped(Box::new(state.runs.assist(ask, request).await?), scratch))
    }

    /// Who serves it.
    pub(super) fn served(&self) -> Served {
        match self {
            Self::Alone(turn) => turn.served(),
            Self::Equipped(assisted, _) => assisted.served(),
        }
    }

    /// What happens next; nothing once the answer is whole.
    ///
    /// # Errors
    /// Whatever kept the answer from being whole.
    pub(super) async fn next(&mut self) -> Result<Option<Piece>> {
        match self {
            Self::Alone(turn) => Ok(turn.events().await?.map(Piece::Said)),
            Self::Equipped(assisted, _) => assisted.next().await,
        }
    }

    /// The whole answer, and the tools that were used.
    ///
    /// # Errors
    /// If it doesn't come to its end.
    pub(super) async fn collect(self) -> Result<(Answer, Vec<Used>)> {
        match self {
            Self::Alone(turn) => Ok((turn.collect().await?, Vec::new())),
            Self::Equipped(assisted, _scratch) => assisted.collect().await,
        }
    }
}

/// The pattern for tool `name`, of which there must be one.
fn named(state: &State, name: &str) -> Result<Pattern> {
    let wrong = |why: String| {
        let what = format!("Invalid value for tools: {why}");
        Error::caller(Kind::InvalidValue, what).with_param("tools").with_details(serde_json::json!({"field": "tools"}))
    };
    let pattern: Pattern = name.parse().map_err(wrong)?;
    if !state.tools.specs().iter().any(|entry| pattern.names(&entry.name)) {
        return Err(wrong(format!("there is no tool `{name}`; GET /api/v1/tools lists them")));
    }
    Ok(pattern)
}
