//! Asking in a session: the one place where a turn of the platform surface is made.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::{Sessions, Turn};
use crate::model::caller::Caller;
use crate::model::chat::{self, Role};
use crate::model::session::Session;
use crate::model::{Error, Kind, Result};
use crate::service::conversation::spoken;
use crate::service::{self, Chat, Choice};

/// A question that is being answered.
pub struct Asking {
    /// The session's turn.
    pub turn: Turn,
    /// The model's.
    pub answer: service::Turn,
}

// === impl Sessions ===

impl Sessions {
    /// Asks `message` in session `id` of `owner`: whoever its options name answers, who is told all that was said before.
    ///
    /// # Errors
    /// If there is none, it takes no questions, its turn doesn't come, or nobody answers.
    pub async fn ask(
        self: &Arc<Self>,
        chat: &Chat,
        (owner, id): (&str, &str),
        message: String,
        streaming: bool,
        caller: &Caller,
    ) -> Result<Asking> {
        let mut turn = self.begin(owner, id).await?;
        let said = chat::Message::text(Role::User, message);
        turn.ask([said.clone()]);
        match first_word(&turn, chat, said, streaming, caller).await {
            Ok(answer) => Ok(Asking { turn, answer }),
            Err(error) => {
                turn.fail(&error).await;
                Err(error)
            }
        }
    }
}

async fn first_word(
    turn: &Turn,
    chat: &Chat,
    said: chat::Message,
    streaming: bool,
    caller: &Caller,
) -> Result<service::Turn> {
    let session = turn.session();
    let told = session.system_prompt.as_ref().map(|words| chat::Message::text(Role::System, words));
    let mut messages: Vec<_> = told.into_iter().collect();
    messages.extend(spoken(turn.history().await?));
    messages.push(said);
    let options = &session.options;
    let request = chat::Request {
        messages,
        temperature: options.get("temperature").and_then(Value::as_f64),
        max_tokens: options.get("max_tokens").and_then(Value::as_u64).and_then(|most| u32::try_from(most).ok()),
        streaming,
        ..chat::Request::default()
    };
    let choice = Choice { provider: text(options, "provider"), model: text(options, "model") };
    chat.begin(choice, request, caller).await
}

/// Who is asked by these options, before anybody was.
///
/// # Errors
/// If they name somebody with what is no name.
pub fn named(options: &Map<String, Value>) -> Result<(Option<String>, Option<String>)> {
    let name = |field: &str| match options.get(field) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(name)) => Ok(Some(name.clone())),
        Some(_) => {
            let param = format!("sdk_options.{field}");
            Err(Error::caller(Kind::InvalidValue, format!("Invalid value for {param}: expected a string"))
                .with_param(param))
        }
    };
    Ok((name("provider")?, name("model")?))
}

/// The session's words for who is asked.
fn text<'o>(options: &'o Map<String, Value>, name: &str) -> Option<&'o str> {
    options.get(name).and_then(Value::as_str)
}

// === impl Session ===

impl Session {
    /// What it may be called where it has no name.
    pub fn title(&self) -> &str {
        self.name.as_deref().unwrap_or("Untitled session")
    }
}
