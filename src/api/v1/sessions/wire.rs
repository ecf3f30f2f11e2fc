//! The JSON of sessions.

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::api::speaker::PATTERN;
use crate::api::v1::page::Links;
use crate::api::v1::wire::unknown;
use crate::http::Fields;
use crate::model::Result;
use crate::model::session::{Mode, Session};
use crate::service::session::{New, Options};

/// What a new session is to be.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(super) struct SessionRequest {
    /// For people.
    #[schemars(length(max = 255))]
    pub(super) name: Option<String>,
    /// For people.
    #[schemars(length(max = 10_000))]
    pub(super) description: Option<String>,
    /// How it is used: `interactive`, `background` or `forked`.
    #[schemars(regex(pattern = "^(interactive|background|non_interactive|forked)$"))]
    pub(super) mode: Option<String>,
    /// How questions are answered; what has no meaning here is kept.
    #[schemars(with = "Option<SessionOptions>")]
    pub(super) sdk_options: Option<Map<String, Value>>,
    /// A template whose options hold where `sdk_options` say nothing.
    pub(super) template_id: Option<String>,
    /// What models are told before anything else.
    pub(super) system_prompt: Option<String>,
    /// A directory of the server's machine, used where the operator allows it (`runs.directories`); elsewhere only shown.
    pub(super) working_directory: Option<String>,
    /// Remarks of the caller's own.
    pub(super) metadata: Option<Map<String, Value>>,
}

const KNOWN: [&str; 8] =
    ["name", "description", "mode", "sdk_options", "template_id", "system_prompt", "working_directory", "metadata"];

/// How a session's questions are answered.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "the service reads it; this is what the API document says of it")]
pub(in crate::api::v1) struct SessionOptions {
    /// Who is asked.
    provider: Option<String>,
    /// Which model is asked.
    model: Option<String>,
    /// How freely it answers.
    temperature: Option<f64>,
    /// Tokens of an answer.
    #[schemars(range(min = 0, max = 4_294_967_295_u32))]
    max_tokens: Option<u32>,
    /// Answers for one question, where tools are called in between; at most as many as the operator allows.
    #[schemars(range(min = 1, max = 4_294_967_295_u32))]
    max_turns: Option<u32>,
    /// Tools that the model may use, such as `Read`, `Bash(git:*)` or `*`; none where it is left out.
    #[schemars(inner(regex(pattern = PATTERN)))]
    allowed_tools: Option<Vec<String>>,
    /// Calls that may not be made, whatever `allowed_tools` say.
    #[schemars(inner(regex(pattern = PATTERN)))]
    disallowed_tools: Option<Vec<String>>,
    /// How strict to be. A call that needs a person's consent is refused: nobody is there to be asked.
    #[schemars(extend("enum" = ["default", "acceptEdits", "bypassPermissions", "requirePermissions", "plan", null]))]
    permission_mode: Option<String>,
}

/// What is to change of a session.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(super) struct SessionChange {
    /// Its new name.
    #[schemars(length(max = 255))]
    pub(super) name: Option<String>,
    /// Its new description.
    #[schemars(length(max = 10_000))]
    pub(super) description: Option<String>,
    /// `completed` or `terminated`: it is over.
    #[schemars(regex(pattern = "^(completed|terminated)$"))]
    pub(super) status: Option<String>,
}

/// A session.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Session")]
pub(super) struct SessionView {
    /// True where it is the whole answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    success: Option<bool>,
    /// Names it; its first 8 characters do too, as long as no other begins so.
    pub(super) id: String,
    /// Whose it is.
    user_id: String,
    /// For people.
    name: Option<String>,
    /// For people.
    description: Option<String>,
    /// `interactive`, `background` or `forked`.
    mode: &'static str,
    /// `created`, `active`, `waiting`, `processing`, `paused`, `completed`, `failed`, `terminated` or `archived`.
    status: &'static str,
    /// How questions are answered.
    sdk_options: Map<String, Value>,
    /// What models are told before anything else.
    system_prompt: Option<String>,
    /// Where its files are, on the server.
    working_directory_path: Option<String>,
    /// The provider that is asked, or answered last.
    backend: Option<String>,
    /// The model that is asked, or answered last.
    model: Option<String>,
    /// The template that it was made from.
    template_id: Option<String>,
    /// The session that it was forked from.
    parent_session_id: Option<String>,
    /// Whether it was forked.
    is_fork: bool,
    /// Messages in it.
    total_messages: u64,
    /// Calls of tools in it.
    total_tool_calls: u64,
    /// Questions that were answered.
    turn_count: u64,
    /// What answers cost, as far as prices are known.
    total_cost_usd: f64,
    /// Tokens that models read.
    api_input_tokens: u64,
    /// Tokens that they wrote.
    api_output_tokens: u64,
    /// Why the last turn failed, if it did.
    error_message: Option<String>,
    /// Remarks of the caller's own.
    metadata: Map<String, Value>,
    /// When it was made.
    created_at: String,
    /// When anything changed last.
    updated_at: String,
    /// When the first question was asked.
    started_at: Option<String>,
    /// When it was ended.
    completed_at: Option<String>,
}

/// A page of sessions, the newest first.
#[derive(Serialize, JsonSchema)]
pub(super) struct SessionList {
    /// Always true.
    pub(super) success: bool,
    /// The sessions.
    pub(super) items: Vec<SessionView>,
    /// How many the whole list has.
    pub(super) total: u64,
    /// How many come before.
    pub(super) skip: u64,
    /// How many were wanted.
    pub(super) limit: usize,
    /// The neighbours.
    pub(super) links: Links,
}

// === impl SessionRequest ===

impl SessionRequest {
    pub(super) fn read(mut body: Fields) -> Result<Self> {
        let request = Self {
            name: short(&mut body, "name", 255)?,
            description: short(&mut body, "description", 10_000)?,
            mode: body.take("mode")?,
            sdk_options: body.take("sdk_options")?,
            template_id: body.take("template_id")?,
            system_prompt: body.take("system_prompt")?,
            working_directory: body.take("working_directory")?,
            metadata: body.take("metadata")?,
        };
        if request.mode.as_deref().is_some_and(|mode| Mode::read(mode).is_none()) {
            return Err(body.wrong("mode", "it can be interactive, background or forked"));
        }
        unknown(body, &KNOWN)?;
        Ok(request)
    }

    /// As the service wants it.
    pub(super) fn into_new(self) -> Result<New> {
        let options = self.sdk_options.unwrap_or_default();
        let Options { provider, model, .. } = Options::read(&options)?;
        let prompt = options.get("system_prompt").and_then(Value::as_str).map(str::to_owned);
        Ok(New {
            name: self.name,
            description: self.description,
            mode: self.mode.as_deref().and_then(Mode::read).unwrap_or_default(),
            system_prompt: self.system_prompt.or(prompt),
            provider,
            model,
            options,
            workspace: true,
            directory: self.working_directory,
            template: self.template_id,
            parent: None,
            metadata: self.metadata.unwrap_or_default(),
        })
    }
}

/// Takes the text `name`, which may not be longer than that.
pub(in crate::api::v1) fn short(body: &mut Fields, name: &str, most: usize) -> Result<Option<String>> {
    let text: Option<String> = body.take(name)?;
    if text.as_ref().is_some_and(|text| text.chars().count() > most) {
        return Err(body.wrong(name, &format!("it is longer than {most} characters")));
    }
    Ok(text)
}

// === impl SessionChange ===

impl SessionChange {
    pub(super) fn read(mut body: Fields) -> Result<Self> {
        let change = Self {
            name: short(&mut body, "name", 255)?,
            description: short(&mut body, "description", 10_000)?,
            status: body.take("status")?,
        };
        if change.status.as_deref().is_some_and(|status| !matches!(status, "completed" | "terminated")) {
            return Err(
                body.wrong("status", "it can be completed or terminated; POST …/pause and …/resume do the rest")
            );
        }
        unknown(body, &["name", "description", "status"])?;
        Ok(change)
    }
}

// === impl SessionView ===

impl SessionView {
    pub(super) fn new(session: Session, directory: Option<String>) -> Self {
        let time = |time: jiff::Timestamp| format!("{time:.3}");
        let is_fork = session.parent.is_some();
        Self {
            success: None,
            id: session.id,
            user_id: session.owner,
            name: session.name,
            description: session.description,
            mode: session.mode.as_str(),
            status: session.status.as_str(),
            sdk_options: session.options,
            system_prompt: session.system_prompt,
            working_directory_path: directory.or(session.directory),
            backend: session.provider,
            model: session.model,
            template_id: session.template,
            parent_session_id: session.parent.map(|parent| parent.session),
            is_fork,
            total_messages: session.totals.messages,
            total_tool_calls: session.totals.tool_calls,
            turn_count: session.totals.turns,
            total_cost_usd: session.totals.cost.dollars(),
            api_input_tokens: session.totals.input_tokens,
            api_output_tokens: session.totals.output_tokens,
            error_message: session.error,
            metadata: session.metadata,
            created_at: time(session.created),
            updated_at: time(session.updated),
            started_at: session.started.map(time),
            completed_at: session.completed.map(time),
        }
    }

    /// Where it is the whole answer.
    pub(super) fn alone(self) -> Self {
        Self { success: Some(true), ..self }
    }
}
