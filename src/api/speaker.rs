//! Who answers a caller: a model alone, or one that uses tools of this server on the way.
//!
//! Callers of the vendors' surfaces ask for such tools by name, beside their own: `{"type": "mortise", "name": "fetch_url"}`.

use serde::Deserialize;
use serde_json::json;

use super::State;
use crate::model::caller::Caller;
use crate::model::chat::{self, Event};
use crate::model::run::{Pattern, Rules};
use crate::model::{Error, Kind, Result};
use crate::service::answer::Answer;
use crate::service::run::assisted::{Assisted, Piece, Used};
use crate::service::run::{Ask, Place};
use crate::service::tool::Scratch;
use crate::service::{Choice, Chosen, Served, Turn, Wish};

/// See the module.
pub(super) enum Speaker {
    /// A model alone.
    Alone(Box<Turn>),
    /// A model with tools, whose files are gone with it.
    Equipped(Box<Assisted>, Scratch),
}

/// What patterns of calls look like, in the API document.
pub(super) const PATTERN: &str = r"^[A-Za-z0-9_.:/*?-]+(\([^()]*[^():*\s][^()]*\))?$";

/// The `type` of a tool that this server runs.
pub(super) const OWN: &str = "mortise";

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
            let turn = state.chat.begin_with(wish, choice, request, caller).await?;
            return Ok(Self::Alone(Box::new(turn)));
        }
        let allowed = tools.iter().map(|name| named(state, name)).collect::<Result<Vec<Pattern>>>()?;
        let scratch = state.tools.scratch().await?;
        let workspace = Some(scratch.path().to_owned());
        let place = Place { caller: caller.clone(), session: None, run: None, workspace, progress: None };
        let (provider, model) = (choice.provider.map(str::to_owned), choice.model.map(str::to_owned));
        let rules = Some(Rules { allowed, ..Rules::default() });
        let ask = Ask { provider, model, wish, rules, iterations: None, place };
        Ok(Self::Equipped(Box::new(state.runs.assist(ask, request).await?), scratch))
    }

    /// Begins the answer to a request in a vendor's words, which names the model and may name tools of this server.
    ///
    /// # Errors
    /// If there is no such tool, or nobody answers.
    pub(super) async fn answer(state: &State, wish: Wish, mut request: chat::Request, caller: &Caller) -> Result<Self> {
        let (model, tools) = (request.model.clone(), take_own(&mut request)?);
        let choice = Choice { provider: None, model: Some(&model) };
        Self::begin(state, wish, choice, &tools, request, caller).await
    }

    /// Who answers.
    pub(super) fn chosen(&self) -> &Chosen {
        match self {
            Self::Alone(turn) => &turn.chosen,
            Self::Equipped(assisted, _) => assisted.chosen(),
        }
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
            // Four kilobytes that a stream without tools needn't hold.
            Self::Equipped(assisted, _) => Box::pin(assisted.next()).await,
        }
    }

    /// What is said next, for who isn't told of the server's tools; nothing once the answer is whole.
    ///
    /// # Errors
    /// Whatever kept the answer from being whole.
    pub(super) async fn events(&mut self) -> Result<Option<Vec<Event>>> {
        loop {
            match self.next().await? {
                Some(Piece::Said(events)) => return Ok(Some(events)),
                Some(Piece::Calls(_) | Piece::Called(_)) => {}
                None => return Ok(None),
            }
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
    let pattern: Pattern = name.parse().map_err(wrong)?;
    if !state.tools.specs().iter().any(|entry| pattern.names(&entry.name)) {
        return Err(wrong(format!("there is no tool `{name}`; GET /api/v1/tools lists them")));
    }
    Ok(pattern)
}

fn wrong(why: String) -> Error {
    let what = format!("Invalid value for tools: {why}");
    Error::caller(Kind::InvalidValue, what).with_param("tools").with_details(json!({"field": "tools"}))
}

/// Takes the names of this server's tools out of `request`.
pub(super) fn take_own(request: &mut chat::Request) -> Result<Vec<String>> {
    #[derive(Deserialize)]
    struct Entry<'e> {
        #[serde(borrow, rename = "type")]
        kind: std::borrow::Cow<'e, str>,
        name: Option<serde_json::Value>,
    }
    let mut names = Vec::new();
    let mut nameless = false;
    request.native_tools.retain(|raw| match serde_json::from_str::<Entry<'_>>(raw) {
        Ok(entry) if entry.kind == OWN => {
            match entry.name {
                Some(serde_json::Value::String(name)) => names.push(name),
                _ => nameless = true,
            }
            false
        }
        _ => true,
    });
    if !names.is_empty() {
        // It says something else from here on than what came.
        request.raw = None;
    }
    if nameless {
        return Err(wrong(format!("an entry with type `{OWN}` has a `name`; GET /api/v1/tools lists them")));
    }
    Ok(names)
}
