//! Tasks: begun, looked at, stopped, answered, and what they left.

use http::StatusCode;
use http::header::{CONTENT_DISPOSITION, CONTENT_TYPE, HeaderName, HeaderValue};

use super::wire::{
    ApprovalView, ArtifactView, TaskRequest, TaskStarted, TaskStatus, TaskSummary, TaskView, nothing_else,
};
use crate::api::State;
use crate::http::{Reply, Request};
use crate::model::run::Reply as Answer;
use crate::model::{Error, Result};

/// Tasks that a list shows, the newest first.
const LISTED: usize = 1000;

pub(super) async fn list(request: Request<State>) -> Result<Reply> {
    let session = super::sessions::find(&request).await?;
    let runs = request.state.runs.of_session(&session.id, LISTED).await?;
    Reply::json(&runs.into_iter().map(Into::into).collect::<Vec<TaskSummary>>())
}

pub(super) async fn create(request: Request<State>) -> Result<Reply> {
    let session = super::sessions::find(&request).await?;
    let caller = request.caller.clone();
    let (state, body) = request.fields()?;
    let mut new = TaskRequest::read(body)?;
    let directory = state.sessions.directory(&state.runs, &session).await;
    new.workspace = directory.map(|path| path.display().to_string());
    new.provider = new.provider.or(session.provider.clone());
    new.model = new.model.or(session.model.clone());
    new.session = Some(session.id);
    let run = state.runs.start(&caller, new).await?;
    Reply::json(&TaskStarted::from(run))
}

pub(super) async fn get(request: Request<State>) -> Result<Reply> {
    let run = request.state.runs.get(request.caller.owner(), request.parameter("task_id")).await?;
    Reply::json(&TaskView::from(run))
}

pub(super) async fn stop(request: Request<State>) -> Result<Reply> {
    let run = request.state.runs.stop(request.caller.owner(), request.parameter("task_id")).await?;
    Reply::json(&TaskStatus::from(run))
}

pub(super) async fn input(request: Request<State>) -> Result<Reply> {
    let (owner, id) = (request.caller.owner().to_owned(), request.parameter("task_id").to_owned());
    // Whose it isn't isn't told what is wrong with the body either.
    request.state.runs.get(&owner, &id).await?;
    let (state, mut body) = request.fields()?;
    let content: String = body.require("content")?;
    nothing_else(body, "content")?;
    Reply::json(&TaskStatus::from(state.runs.say(&owner, &id, content).await?))
}

pub(super) async fn approvals(request: Request<State>) -> Result<Reply> {
    let asked = request.state.runs.question(request.caller.owner(), request.parameter("task_id")).await?;
    Reply::json(&asked.into_iter().map(Into::into).collect::<Vec<ApprovalView>>())
}

pub(super) async fn approve(request: Request<State>) -> Result<Reply> {
    let (owner, id) = (request.caller.owner().to_owned(), request.parameter("task_id").to_owned());
    let approval = request.parameter("approval_id").to_owned();
    request.state.runs.get(&owner, &id).await?;
    let (state, mut body) = request.fields()?;
    let answer = Answer { approved: body.require("approved")?, words: body.take("reason")? };
    nothing_else(body, "approved, reason")?;
    Reply::json(&TaskStatus::from(state.runs.approve(&owner, &id, &approval, answer).await?))
}

pub(super) async fn artifacts(request: Request<State>) -> Result<Reply> {
    let left = request.state.runs.artifacts(request.caller.owner(), request.parameter("task_id")).await?;
    Reply::json(&left.into_iter().map(Into::into).collect::<Vec<ArtifactView>>())
}

pub(super) async fn artifact(request: Request<State>) -> Result<Reply> {
    let (task, artifact) = (request.parameter("task_id"), request.parameter("artifact_id"));
    let (about, content) = request.state.runs.artifact(request.caller.owner(), task, artifact).await?;
    let mut reply = Reply::whole(StatusCode::OK, "text/plain; charset=utf-8", content.into());
    let header = |value: &str| HeaderValue::from_str(value).map_err(Error::internal);
    reply.headers.insert(CONTENT_TYPE, header(&about.mime)?);
    reply.headers.insert(CONTENT_DISPOSITION, header(&format!("attachment; filename=\"{}\"", about.name))?);
    // A browser that guesses could take what a model wrote for a page.
    reply.headers.insert(HeaderName::from_static("x-content-type-options"), HeaderValue::from_static("nosniff"));
    Ok(reply)
}
