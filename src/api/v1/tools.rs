//! `GET /api/v1/tools` and `POST /api/v1/tools/{name}/call`.

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value};
use tokio::time::Instant;

use super::inventory::RightsView;
use crate::api::State;
use crate::http::{Fields, Reply, Request};
use crate::model::chat::{MediaSource, ResultPart};
use crate::model::tool::{Annotations, Failure, FailureKind, Output};
use crate::model::{Error, Kind, Result};
use crate::service::clock::fresh;
use crate::service::session::Scope;
use crate::service::tool::{Call, Entry};

/// What models can be given.
#[derive(Serialize, JsonSchema)]
pub(super) struct ToolList {
    /// In the order of their names.
    tools: Vec<ToolView>,
    /// What sorts of tools there are.
    categories: Vec<String>,
}

/// A tool.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "ServerTool")]
struct ToolView {
    /// What it is called by.
    name: String,
    /// For people.
    #[serde(skip_serializing_if = "Option::is_none")]
    title: Option<String>,
    /// What it does, in words for models.
    description: String,
    /// What sort of tool it is.
    category: String,
    /// Its arguments by name, each with its schema and whether it is required.
    parameters: Map<String, Value>,
    /// The JSON Schema that its arguments are checked against.
    input_schema: Map<String, Value>,
    /// Hints for whoever decides whether a call needs a person's consent.
    annotations: AnnotationsView,
    /// Where it comes from.
    source: SourceView,
    /// What it may do.
    grants: RightsView,
}

/// Hints for whoever decides whether a call needs a person's consent.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "ServerToolAnnotations")]
struct AnnotationsView {
    /// It changes nothing.
    read_only: bool,
    /// What it changes may be lost.
    destructive: bool,
    /// Calling it twice is calling it once.
    idempotent: bool,
    /// It deals with the world outside.
    open_world: bool,
}

/// Where a tool comes from.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "ServerToolSource")]
struct SourceView {
    /// The plugin that brings it.
    plugin: String,
    /// That plugin's version.
    version: String,
    /// `bundled` or `directory`.
    origin: String,
}

/// A call of a tool.
#[derive(Debug, JsonSchema)]
#[schemars(rename = "ToolCallRequest", deny_unknown_fields)]
pub(super) struct CallRequest {
    /// What the tool is to work on, by its own schema; nothing where it takes nothing.
    pub(super) arguments: Option<Map<String, Value>>,
    /// The session whose files it works on; without it, on files that are gone after the call.
    pub(super) session_id: Option<String>,
}

/// What came of a call.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "ToolCallResponse")]
pub(super) struct CallResponse {
    /// Always true: a failure has another status.
    success: bool,
    /// The tool that was called.
    tool: String,
    /// What it answered, as text.
    output: String,
    /// Images and documents that it answered with.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    media: Vec<MediaView>,
    /// What it answered, for programs; null where the tool has only text.
    #[schemars(with = "Option<Value>")]
    structured: Option<Box<RawValue>>,
    /// How long it took.
    duration_ms: u64,
}

/// An image or a document.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "ServerToolMedia")]
struct MediaView {
    /// Its media type.
    mime: String,
    /// Its bytes in base64, where it has them.
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<String>,
    /// Where it can be fetched.
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<String>,
}

pub(super) async fn list(request: Request<State>) -> Result<Reply> {
    let entries = request.state.tools.specs();
    let tools = entries.iter().map(ToolView::of).collect();
    Reply::json(&ToolList { tools, categories: entries.categories() })
}

pub(super) async fn call(request: Request<State>) -> Result<Reply> {
    let began = Instant::now();
    let (name, caller) = (request.parameter("name").to_owned(), request.caller.clone());
    let (state, body) = request.fields()?;
    let asked = CallRequest::read(body)?;
    let (session, workspace, scratch) = match &asked.session_id {
        Some(id) => {
            // Who may look at another's session may still not work in it.
            let session = state.sessions.get(Scope { owner: caller.owner(), all: false }, id).await?;
            let path = state.sessions.directory(&state.runs, &session).await;
            (Some(session.id), path, None)
        }
        None => {
            let scratch = state.tools.scratch().await?;
            (None, Some(scratch.path().to_owned()), Some(scratch))
        }
    };
    let call = Call {
        name: name.clone(),
        arguments: asked.arguments.map_or_else(String::new, |arguments| Value::Object(arguments).to_string()),
        caller,
        workspace,
        session,
        run: None,
        call_id: fresh("call-"),
        progress: None,
    };
    let output = state.tools.call(call).await.map_err(|failure| refused(&name, failure))?;
    drop(scratch);
    let took = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
    Reply::json(&CallResponse::of(name, output, took)?)
}

/// A tool's failure as the API tells it.
fn refused(tool: &str, failure: Failure) -> Error {
    let kind = match failure.kind {
        FailureKind::InvalidArguments => Kind::InvalidValue,
        FailureKind::NotFound => Kind::NotFound,
        FailureKind::Denied => Kind::Forbidden,
        FailureKind::Unavailable => Kind::Overloaded,
        FailureKind::Failed => Kind::Tool,
    };
    let details = serde_json::json!({"tool": tool, "kind": failure.kind.name()});
    Error::caller(kind, failure.message).with_details(details)
}

// === impl CallRequest ===

impl CallRequest {
    pub(super) fn read(mut body: Fields) -> Result<Self> {
        let request = Self { arguments: body.take("arguments")?, session_id: body.take("session_id")? };
        match body.into_extra().first() {
            None => Ok(request),
            Some(field) => Err(Error::caller(
                Kind::InvalidValue,
                format!("Unknown field: {}; known are arguments, session_id", field.name),
            )
            .with_param(field.name.clone())),
        }
    }
}

// === impl CallResponse ===

impl CallResponse {
    fn of(tool: String, output: Output, duration_ms: u64) -> Result<Self> {
        let (mut texts, mut media) = (Vec::new(), Vec::new());
        for part in output.parts {
            match part {
                ResultPart::Text(text) => texts.push(text),
                ResultPart::Media(part) => {
                    let (data, url) = match part.source {
                        MediaSource::Base64(data) => (Some(data), None),
                        MediaSource::Url(url) | MediaSource::File(url) => (None, Some(url)),
                    };
                    media.push(MediaView { mime: part.mime, data, url });
                }
            }
        }
        let structured = output.structured.map(RawValue::from_string).transpose().map_err(Error::internal)?;
        Ok(Self { success: true, tool, output: texts.join("\n"), media, structured, duration_ms })
    }
}

// === impl ToolView ===

impl ToolView {
    fn of(entry: &Entry) -> Self {
        let spec = &entry.spec;
        Self {
            name: entry.name.clone(),
            title: spec.title.clone(),
            description: spec.description.clone(),
            category: spec.category.clone(),
            parameters: parameters(entry),
            input_schema: entry.schema.as_object().cloned().unwrap_or_default(),
            annotations: spec.annotations.into(),
            source: SourceView {
                plugin: entry.plugin.clone(),
                version: entry.version.clone(),
                origin: entry.origin.to_string(),
            },
            grants: entry.grants.clone().into(),
        }
    }
}

/// Arguments as the documents show them: `required` stands with each.
fn parameters(entry: &Entry) -> Map<String, Value> {
    let properties = entry.properties().into_iter().flatten();
    let parameter = |(name, schema): (&String, &Value)| {
        let mut parameter = schema.as_object().cloned().unwrap_or_default();
        parameter.insert("required".to_owned(), entry.requires(name).into());
        (name.clone(), Value::Object(parameter))
    };
    properties.map(parameter).collect()
}

impl From<Annotations> for AnnotationsView {
    fn from(annotations: Annotations) -> Self {
        let Annotations { read_only, destructive, idempotent, open_world } = annotations;
        Self { read_only, destructive, idempotent, open_world }
    }
}
