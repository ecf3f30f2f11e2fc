//! Sessions, as agents know them: a name, a place for files, and tasks.

use http::StatusCode;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use super::wire::nothing_else;
use crate::api::State;
use crate::http::{Fields, Reply, Request};
use crate::model::Result;
use crate::model::run::Run;
use crate::model::session::{Origin, Session, Status};
use crate::service::session::{New, Scope};
use crate::store::session::Filter;

/// A session to be; all of it may be left out.
#[derive(Debug, JsonSchema)]
#[schemars(rename = "AgentSessionRequest", deny_unknown_fields)]
#[expect(dead_code, reason = "it is read field by field; this is what the API document says of it")]
pub(super) struct SessionRequest {
    /// What people call it.
    #[schemars(length(max = 255))]
    name: Option<String>,
    /// A directory of the server's machine, used where the operator allows it (`runs.directories`); elsewhere the session has a
    /// directory of its own, and this is only a name.
    #[schemars(length(max = 4096))]
    working_directory: Option<String>,
    /// The model of tasks that name none.
    model: Option<String>,
}

/// A session in a list.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "AgentSessionSummary")]
pub(super) struct SessionSummary {
    /// Names it.
    id: String,
    /// What people call it.
    name: String,
    /// How it is: `active`, or how it ended.
    status: &'static str,
    /// When it was made.
    created_at: String,
    /// When it changed last.
    updated_at: String,
    /// How many tasks it has.
    task_count: usize,
}

/// A session that was made.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "AgentSessionMade")]
pub(super) struct SessionMade {
    /// Names it.
    id: String,
    /// What people call it.
    name: String,
    /// How it is.
    status: &'static str,
    /// Where tasks read and write files.
    working_directory: String,
    /// When it was made.
    created_at: String,
}

/// A session, and what is done in it.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "AgentSession")]
pub(super) struct SessionView {
    /// Names it.
    id: String,
    /// What people call it.
    name: String,
    /// How it is: `active`, or how it ended.
    status: &'static str,
    /// Where tasks read and write files.
    working_directory: String,
    /// When it was made.
    created_at: String,
    /// When it changed last.
    updated_at: String,
    /// Its tasks, the newest first.
    tasks: Vec<SessionTask>,
}

/// A task of a session.
#[derive(Serialize, JsonSchema)]
struct SessionTask {
    /// Names it.
    id: String,
    /// What is to be done.
    description: String,
    /// How it is.
    status: &'static str,
}

/// Sessions that a list shows, the newest first.
const LISTED: usize = 500;
/// Tasks that a session shows.
const TASKS: usize = 1000;
/// Where tools find a session's own directory.
const WORKSPACE: &str = "/workspace";

pub(super) async fn list(request: Request<State>) -> Result<Reply> {
    let state = &request.state;
    let page = state.sessions.list(request.caller.owner(), &Filter::default(), None, 0, LISTED).await?;
    let mut views = Vec::with_capacity(page.items.len());
    for session in page.items {
        views.push(SessionSummary {
            task_count: state.runs.count_of_session(&session.id).await?,
            name: name(&session),
            status: status(&session),
            created_at: time(session.created),
            updated_at: time(session.updated),
            id: session.id,
        });
    }
    Reply::json(&views)
}

pub(super) async fn create(request: Request<State>) -> Result<Reply> {
    let owner = request.caller.owner().to_owned();
    let state = request.state.clone();
    let mut body = match request.body.iter().all(u8::is_ascii_whitespace) {
        true => Fields::default(),
        false => request.fields()?.1,
    };
    let named: Option<String> = body.take("name")?;
    let directory: Option<String> = body.take("working_directory")?;
    let model: Option<String> = body.take("model")?;
    if named.as_ref().is_some_and(|name| name.chars().count() > 255) {
        return Err(body.wrong("name", "it must have at most 255 characters"));
    }
    if directory.as_ref().is_some_and(|path| path.len() > 4096 || path.contains('\0')) {
        return Err(body.wrong("working_directory", "it must be a path of at most 4096 bytes"));
    }
    nothing_else(body, "name, working_directory, model")?;
    let new = New { name: named, directory, model, workspace: true, ..New::default() };
    let session = state.sessions.create(&owner, Origin::Agent, new).await?;
    Reply::json(&SessionMade {
        name: name(&session),
        status: status(&session),
        working_directory: directory_of(&session),
        created_at: time(session.created),
        id: session.id,
    })
}

pub(super) async fn get(request: Request<State>) -> Result<Reply> {
    let session = find(&request).await?;
    let tasks = request.state.runs.of_session(&session.id, TASKS).await?;
    let task = |run: Run| SessionTask { id: run.id, description: run.description, status: run.status.as_str() };
    Reply::json(&SessionView {
        name: name(&session),
        status: status(&session),
        working_directory: directory_of(&session),
        created_at: time(session.created),
        updated_at: time(session.updated),
        tasks: tasks.into_iter().map(task).collect(),
        id: session.id,
    })
}

pub(super) async fn delete(request: Request<State>) -> Result<Reply> {
    let session = find(&request).await?;
    request.state.sessions.delete(&session.owner, &session.id).await?;
    Ok(Reply::empty(StatusCode::NO_CONTENT))
}

/// The caller's session that the path names.
pub(super) async fn find(request: &Request<State>) -> Result<Session> {
    let scope = Scope { owner: request.caller.owner(), all: false };
    request.state.sessions.get(scope, request.parameter("session_id")).await
}

fn name(session: &Session) -> String {
    session.title().to_owned()
}

fn status(session: &Session) -> &'static str {
    match session.status {
        Status::Created | Status::Connecting | Status::Waiting | Status::Processing => Status::Active.as_str(),
        status => status.as_str(),
    }
}

fn directory_of(session: &Session) -> String {
    session.directory.clone().unwrap_or_else(|| WORKSPACE.to_owned())
}

fn time(timestamp: Timestamp) -> String {
    format!("{timestamp:.3}")
}
