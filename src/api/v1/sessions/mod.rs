//! `/api/v1/sessions`: sessions of the platform surface.

mod archive;
mod examples;
mod query;
mod said;
mod wire;

use http::{Method, StatusCode};
use serde_json::json;

use self::said::{MessageList, MessageView, ToolCallList, ToolCallView};
use self::wire::{SessionChange, SessionList, SessionRequest, SessionView};
pub(super) use self::wire::{SessionOptions, short};
use super::page::{Next, Wanted, paged, wrong};
use super::wire::unknown;
use super::{PLATFORM, templates};
use crate::api::{State, served};
use crate::http::endpoint::{Answer, answer};
use crate::http::{Endpoint, Reply, Request};
use crate::model::caller::Caller;
use crate::model::session::{Mode, Origin, Session, Status};
use crate::model::{Error, Result};
use crate::service::session::Scope;
use crate::service::session::fork::Fork;
use crate::store::session::Filter;

/// A copy of a session.
#[derive(schemars::JsonSchema)]
#[schemars(deny_unknown_fields)]
#[expect(dead_code, reason = "it is read field by field")]
struct ForkRequest {
    /// Its name; the old one's with a remark where it is left out.
    #[schemars(length(max = 255))]
    name: Option<String>,
    /// The number of the last message that is taken along; all are where it is left out.
    #[schemars(range(min = 0, max = 9_007_199_254_740_991_u64))]
    fork_at_message: Option<u64>,
    /// Whether files are taken along; they are where it is left out.
    include_working_directory: Option<bool>,
}

const PATH: &str = "/api/v1/sessions";

pub(super) fn endpoints() -> Vec<Endpoint<State>> {
    let mut endpoints = vec![
        Endpoint::post(&PLATFORM, PATH, |request| answer(create(request)))
            .named("createSession", "Makes a session.")
            .takes::<SessionRequest>("What it is to be; `{}` will do.", examples::request)
            .creates::<SessionView>("The session.", examples::made)
            .fails(&[404]),
        paged(Endpoint::get(&PLATFORM, PATH, |request| answer(list(request))))
            .named("listSessions", "The caller's sessions, the newest first.")
            .described("Follow `links.next` to see each session exactly once, whatever is added meanwhile.")
            .query("status", "Only those with this status.", || json!({"enum": Status::ALL.map(Status::as_str)}))
            .query(
                "mode",
                "Only those with this mode.",
                || json!({"enum": ["interactive", "background", "non_interactive", "forked"]}),
            )
            .query("backend", "Only those whose questions this provider answers.", || json!({"type": "string"}))
            .query("after", "A place in the list, from `links.next`.", || json!({"type": "string"}))
            .gives::<SessionList>("A page of them.", examples::sessions)
            .fails(&[422]),
    ];
    let show = one(Method::GET, "/api/v1/sessions/{session_id}", |request| answer(get(request)));
    let edit = one(Method::PATCH, "/api/v1/sessions/{session_id}", |request| answer(change(request)));
    let remove = one(Method::DELETE, "/api/v1/sessions/{session_id}", |request| answer(delete(request)));
    let pausing = one(Method::POST, "/api/v1/sessions/{session_id}/pause", |request| answer(pause(request)));
    let resuming = one(Method::POST, "/api/v1/sessions/{session_id}/resume", |request| answer(resume(request)));
    let forking = one(Method::POST, "/api/v1/sessions/{session_id}/fork", |request| answer(fork(request)));
    let asking = one(Method::POST, "/api/v1/sessions/{session_id}/query", |request| answer(query::query(request)));
    let messages = |request| answer(messages(request));
    let calls = |request| answer(tool_calls(request));
    endpoints.extend([
        show.named("getSession", "A session, and what it took.")
            .gives::<SessionView>("The session.", examples::made)
            .fails(&[404, 409]),
        edit.named("changeSession", "Names a session anew, or ends it.")
            .takes::<SessionChange>("What is to change.", examples::change)
            .gives::<SessionView>("The session.", examples::made)
            .fails(&[404, 409]),
        remove
            .named("deleteSession", "Takes a session out, with all that was said and done in it, and its files.")
            .gives_nothing()
            .fails(&[404, 409]),
        pausing
            .named("pauseSession", "Takes no more questions, for a while.")
            .gives::<SessionView>("The session.", examples::made)
            .fails(&[404, 409]),
        resuming
            .named("resumeSession", "Takes questions again.")
            .gives::<SessionView>("The session.", examples::made)
            .fails(&[404, 409]),
        forking
            .named("forkSession", "Makes a copy of a session, up to one of its messages, with its files.")
            .takes::<ForkRequest>("What is taken along; `{}` will do.", examples::fork)
            .creates::<SessionView>("The copy.", examples::made)
            .fails(&[404, 409]),
        served::documented(asking)
            .named("querySession", "Asks in a session.")
            .described(
                "Answers once all is said; with `Accept: text/event-stream` as it is said: `start`, then `token`, `thinking` and \
                 `tool_call`, then `end` with the whole answer. Questions in one session are answered one after the other; \
                 one that would wait for too long is refused with 409.",
            )
            .takes::<query::QueryRequest>("The question.", examples::question)
            .gives::<query::QueryResponse>("The whole answer,", examples::answer)
            .streams::<query::QueryEvent>("or piece by piece.", examples::event)
            .fails(&[403, 404, 409, 502, 504]),
        paged(of_session(Endpoint::get(&PLATFORM, "/api/v1/sessions/{session_id}/messages", messages)))
            .named("listSessionMessages", "What was said in a session, the oldest first.")
            .gives::<MessageList>("A page of it.", examples::messages)
            .fails(&[404, 409, 422]),
        paged(of_session(Endpoint::get(&PLATFORM, "/api/v1/sessions/{session_id}/tool-calls", calls)))
            .named("listSessionToolCalls", "What tools did in a session, the oldest first.")
            .gives::<ToolCallList>("A page of it.", examples::tool_calls)
            .fails(&[404, 409, 422]),
    ]);
    endpoints.extend(archive::endpoints());
    endpoints
}

fn one(method: Method, path: &'static str, handler: fn(Request<State>) -> Answer) -> Endpoint<State> {
    of_session(Endpoint::new(method, &PLATFORM, path, handler))
}

/// Tells of the session in the path.
fn of_session(endpoint: Endpoint<State>) -> Endpoint<State> {
    endpoint.parameter("session_id", "The session, or the first 8 or more characters of its id.", examples::SESSION)
}

/// Whose sessions `caller` may see.
fn scope(caller: &Caller) -> Scope<'_> {
    Scope { owner: caller.owner(), all: caller.is_admin() }
}

/// The session in the path, for who may see it.
async fn found(request: &Request<State>) -> Result<Session> {
    request.state.sessions.get(scope(&request.caller), request.parameter("session_id")).await
}

/// The session in the path, for who may change it.
async fn owned(request: &Request<State>) -> Result<Session> {
    request.state.sessions.get(scope(&request.caller).own(), request.parameter("session_id")).await
}

fn view(state: &State, session: Session) -> SessionView {
    let directory = state.sessions.workspaces().path(&session.id);
    let directory = session.workspace.then(|| directory.to_string_lossy().into_owned());
    SessionView::new(session, directory)
}

fn shown(state: &State, session: Session) -> Result<Reply> {
    Reply::json(&view(state, session).alone())
}

async fn create(request: Request<State>) -> Result<Reply> {
    let caller = request.caller.clone();
    let (state, body) = request.fields()?;
    let asked = SessionRequest::read(body)?;
    let named = (asked.mode.is_some(), asked.template_id.clone());
    let mut new = asked.into_new()?;
    if let (named, Some(template)) = named {
        let template =
            state.templates.get(caller.owner(), &template).await.map_err(|error| error.with_param("template_id"))?;
        templates::apply(&mut new, template, named)?;
    }
    let session = state.sessions.create(caller.owner(), Origin::Platform, new).await?;
    Ok(shown(&state, session)?.with_status(StatusCode::CREATED))
}

async fn list(request: Request<State>) -> Result<Reply> {
    let wanted = Wanted::read(&request)?;
    let (status, mode, backend) = (request.query("status"), request.query("mode"), request.query("backend"));
    let filter = Filter {
        status: status
            .as_deref()
            .map(|text| Status::read(text).ok_or_else(|| wrong("status", &told(Status::ALL.map(Status::as_str)))))
            .transpose()?,
        mode: mode
            .as_deref()
            .map(|text| Mode::read(text).ok_or_else(|| wrong("mode", &told(["interactive", "background", "forked"]))))
            .transpose()?,
        provider: backend.clone(),
    };
    let (state, owner) = (&request.state, request.caller.owner());
    let page = state.sessions.list(owner, &filter, wanted.after.as_ref(), wanted.rest(), wanted.limit).await?;
    let kept = [("status", status.as_deref()), ("mode", mode.as_deref()), ("backend", backend.as_deref())];
    Reply::json(&SessionList {
        success: true,
        total: page.total,
        skip: wanted.skip,
        limit: wanted.limit,
        links: wanted.links(PATH, &kept, page.next.map(Next::Behind)),
        items: page.items.into_iter().map(|session| view(state, session)).collect(),
    })
}

fn told<const N: usize>(values: [&str; N]) -> String {
    format!("it can be {}", values.join(", "))
}

async fn get(request: Request<State>) -> Result<Reply> {
    shown(&request.state, found(&request).await?)
}

async fn change(request: Request<State>) -> Result<Reply> {
    let session = owned(&request).await?;
    let (state, body) = request.fields()?;
    let SessionChange { name, description, status } = SessionChange::read(body)?;
    let (owner, id) = (&session.owner, &session.id);
    if let Some(status) = status.as_deref().and_then(Status::read) {
        state.sessions.become_status(owner, id, status).await?;
    }
    let named = state.sessions.update(owner, id, |session| {
        session.name = name.clone().or(session.name.take());
        session.description = description.clone().or(session.description.take());
        Ok(())
    });
    shown(&state, named.await?)
}

async fn delete(request: Request<State>) -> Result<Reply> {
    let session = owned(&request).await?;
    request.state.sessions.delete(&session.owner, &session.id).await?;
    Ok(Reply::empty(StatusCode::NO_CONTENT))
}

async fn pause(request: Request<State>) -> Result<Reply> {
    let session = owned(&request).await?;
    shown(&request.state, request.state.sessions.become_status(&session.owner, &session.id, Status::Paused).await?)
}

async fn resume(request: Request<State>) -> Result<Reply> {
    let session = owned(&request).await?;
    if session.status == Status::Active {
        return Err(Error::caller(crate::model::Kind::Conflict, "Session is already active"));
    }
    shown(&request.state, request.state.sessions.become_status(&session.owner, &session.id, Status::Active).await?)
}

async fn fork(request: Request<State>) -> Result<Reply> {
    let parent = owned(&request).await?;
    let owner = request.caller.owner().to_owned();
    let (state, mut body) = request.fields()?;
    let fork = Fork {
        name: short(&mut body, "name", 255)?,
        at: body.take_integer("fork_at_message")?,
        workspace: body.take("include_working_directory")?.unwrap_or(true),
    };
    unknown(body, &["name", "fork_at_message", "include_working_directory"])?;
    let session = state.sessions.fork(&owner, &parent, fork).await?;
    Ok(shown(&state, session)?.with_status(StatusCode::CREATED))
}

async fn messages(request: Request<State>) -> Result<Reply> {
    let wanted = Wanted::read(&request)?;
    let session = found(&request).await?;
    let items = request.state.sessions.messages(&session, wanted.skip, wanted.limit).await?;
    let total = session.totals.messages.max(items.last().map_or(0, |last| last.sequence));
    let path = format!("{PATH}/{}/messages", session.id);
    Reply::json(&MessageList {
        success: true,
        total,
        skip: wanted.skip,
        limit: wanted.limit,
        links: wanted.links(&path, &[], (wanted.skip + (items.len() as u64) < total).then_some(Next::There)),
        items: items.into_iter().map(MessageView::from).collect(),
    })
}

async fn tool_calls(request: Request<State>) -> Result<Reply> {
    let wanted = Wanted::read(&request)?;
    let session = found(&request).await?;
    let items = request.state.sessions.tool_calls(&session, wanted.skip, wanted.limit).await?;
    let total = session.totals.tool_calls.max(items.last().map_or(0, |last| last.number));
    let path = format!("{PATH}/{}/tool-calls", session.id);
    Reply::json(&ToolCallList {
        success: true,
        total,
        skip: wanted.skip,
        limit: wanted.limit,
        links: wanted.links(&path, &[], (wanted.skip + (items.len() as u64) < total).then_some(Next::There)),
        items: items.into_iter().map(ToolCallView::from).collect(),
    })
}
