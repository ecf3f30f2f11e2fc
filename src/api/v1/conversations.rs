//! `/api/v1/conversations`: conversations begun, gone on with, read and taken out.

use http::StatusCode;
use schemars::JsonSchema;
use serde::Serialize;

use super::chat::{Asked, answered, ask};
use super::wire::unknown;
use crate::api::{State, served};
use crate::http::{Fields, Reply, Request};
use crate::model::chat::{self, Part, Role};
use crate::model::{Result, session};
use crate::service::answer::spoken;

/// One message in a conversation.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(super) struct ConversationRequest {
    /// The conversation that goes on; one begins without it.
    conversation_id: Option<String>,
    /// What the model is to answer; not blank.
    #[schemars(regex(pattern = r"\S"))]
    message: String,
    /// Who is asked; another than before, if that is wanted.
    provider: Option<String>,
    /// Which model: its name, `provider/model`, or nothing for the provider's default.
    model: Option<String>,
}

const KNOWN: [&str; 4] = ["conversation_id", "message", "provider", "model"];

/// An answer, and all that was said before it.
#[derive(Serialize, JsonSchema)]
pub(super) struct ConversationResponse {
    /// Names the conversation, to go on with it.
    conversation_id: String,
    /// What the model said.
    response: String,
    /// All that was said, the answer too.
    messages: Vec<ConversationMessage>,
}

/// A conversation, and all that was said in it.
#[derive(Serialize, JsonSchema)]
pub(super) struct Conversation {
    /// Names the conversation.
    conversation_id: String,
    /// When it began.
    created_at: String,
    /// When something was said last.
    updated_at: String,
    /// How many messages there are.
    message_count: u64,
    /// All that was said.
    messages: Vec<ConversationMessage>,
}

/// Something that was said.
#[derive(Serialize, JsonSchema)]
struct ConversationMessage {
    /// Who said it: `user` or `assistant`.
    role: &'static str,
    /// What was said.
    content: String,
    /// False where an answer broke off; left out where all of it is there.
    #[serde(skip_serializing_if = "Option::is_none")]
    complete: Option<bool>,
}

// === impl ConversationRequest ===

impl ConversationRequest {
    pub(super) fn read(mut body: Fields) -> Result<Self> {
        let message: String = body.require("message")?;
        if message.trim().is_empty() {
            return Err(body.wrong("message", "it is empty; write what the model is to answer"));
        }
        let request = Self {
            conversation_id: body.take("conversation_id")?,
            message,
            provider: body.take("provider")?,
            model: body.take("model")?,
        };
        unknown(body, &KNOWN)?;
        Ok(request)
    }
}

// === impl ConversationMessage ===

impl From<&chat::Message> for ConversationMessage {
    fn from(message: &chat::Message) -> Self {
        let text = |part: &Part| match part {
            Part::Text(text) | Part::Refusal(text) => Some(text.clone()),
            _ => None,
        };
        let role = match message.role {
            Role::System | Role::Developer => "system",
            Role::User => "user",
            Role::Assistant => "assistant",
            Role::Tool => "tool",
        };
        Self { role, content: message.parts.iter().filter_map(text).collect(), complete: None }
    }
}

impl From<&session::Message> for ConversationMessage {
    fn from(message: &session::Message) -> Self {
        let complete = (!message.complete).then_some(false);
        Self { complete, ..Self::from(&message.message) }
    }
}

pub(super) async fn say(request: Request<State>) -> Result<Reply> {
    let caller = request.caller.clone();
    let wish = served::wish(&request.headers)?;
    let (state, body) = request.fields()?;
    let ConversationRequest { conversation_id, message, provider, model } = ConversationRequest::read(body)?;
    let asked = Asked { conversation: conversation_id, message, provider, model, ..Asked::default() };
    let question = chat::Message::text(Role::User, asked.message.clone());
    let (talk, turn, before) = ask(&state, asked, wish, false, &caller).await?;
    // Whoever begins a conversation by this name wants it kept.
    let (mut talk, answer, _) = answered(talk.kept(), turn).await?;
    let response = spoken(&answer.parts);
    let said = chat::Message::text(Role::Assistant, response.clone());
    let messages = before.iter().chain([&question, &said]).map(Into::into).collect();
    let reply = Reply::json(&ConversationResponse { conversation_id: talk.id().to_owned(), response, messages })?;
    let reply = served::dress(reply, &answer.served);
    talk.answered(answer);
    talk.finish().await?;
    Ok(reply)
}

pub(super) async fn get(request: Request<State>) -> Result<Reply> {
    let (id, owner) = (request.parameter("id"), request.caller.owner());
    let (session, messages) = request.state.conversations.get(id, owner).await?;
    Reply::json(&Conversation {
        conversation_id: session.id,
        created_at: format!("{:.3}", session.created),
        updated_at: format!("{:.3}", session.updated),
        message_count: session.totals.messages,
        messages: messages.iter().map(Into::into).collect(),
    })
}

pub(super) async fn delete(request: Request<State>) -> Result<Reply> {
    request.state.conversations.delete(request.parameter("id"), request.caller.owner()).await?;
    Ok(Reply::empty(StatusCode::NO_CONTENT))
}
