//! The agent API under `/api`.

mod auth;
mod event;
mod examples;
mod models;
mod sessions;
mod shape;
mod tasks;
mod watch;
mod wire;

use http::{Method, StatusCode};
use serde_json::json;

use super::State;
use super::v1::shape::is_validation;
use crate::http::endpoint::{Type, answer};
use crate::http::{Endpoint, Surface};

/// Errors here are `{detail, code, timestamp}`; a field that is missing or wrong is 422.
pub const SURFACE: Surface = Surface {
    name: "agent",
    about: "Agents: sessions, tasks that can be watched, stopped and answered, and what they leave.",
    prefixes: &["/api/", "/ws/"],
    shape: shape::write,
    status: |fault| if is_validation(fault) { StatusCode::UNPROCESSABLE_ENTITY } else { fault.status },
    error: Type::of::<shape::AgentError<'_>>(),
    vendor_id: None,
};

pub(super) fn endpoints() -> Vec<Endpoint<State>> {
    [auth::endpoints(), choices(), session_endpoints(), task_endpoints(), artifact_endpoints()]
        .into_iter()
        .flatten()
        .collect()
}

const TASK: (&str, &str, &str) = ("task_id", "Names the task.", "0198c0a1-b2c3-7d4e-8f90-a1b2c3d4e5f6");
const SESSION: (&str, &str, &str) = ("session_id", "Names the session.", "0198c0a1-b2c3-7d4e-8f90-a1b2c3d4e5f6");
const AFTER: &str = "The number of the last event that was seen; what comes behind it is sent.";

fn choices() -> Vec<Endpoint<State>> {
    let surface = &SURFACE;
    vec![
        Endpoint::get(surface, "/api/models", |request| answer(models::models(request)))
            .named("listAgentModels", "Models that tasks can be given to.")
            .query("provider", "Only those of this provider.", || json!({"type": "string"}))
            .gives::<models::AgentModels>("The models.", examples::models)
            .fails(&[404]),
        Endpoint::get(surface, "/api/providers", |request| answer(models::providers(request)))
            .named("listAgentProviders", "Providers, and whether they can be asked.")
            .gives::<models::AgentProviders>("The providers.", examples::providers),
    ]
}

fn session_endpoints() -> Vec<Endpoint<State>> {
    let (surface, (id, meaning, example)) = (&SURFACE, SESSION);
    vec![
        Endpoint::get(surface, "/api/sessions", |request| answer(sessions::list(request)))
            .named("listAgentSessions", "The caller's sessions, the newest first.")
            .gives::<Vec<sessions::SessionSummary>>("The sessions.", examples::sessions),
        Endpoint::post(surface, "/api/sessions", |request| answer(sessions::create(request)))
            .named("createAgentSession", "Makes a session with a directory of its own.")
            .takes::<sessions::SessionRequest>("What it is called.", examples::session_request)
            .if_any()
            .gives::<sessions::SessionMade>("The session.", examples::session_made),
        Endpoint::get(surface, "/api/sessions/{session_id}", |request| answer(sessions::get(request)))
            .named("getAgentSession", "A session and its tasks.")
            .parameter(id, meaning, example)
            .gives::<sessions::SessionView>("The session.", examples::session)
            .fails(&[404, 409]),
        Endpoint::new(Method::DELETE, surface, "/api/sessions/{session_id}", |request| {
            answer(sessions::delete(request))
        })
        .named("deleteAgentSession", "Stops what is done in a session, and forgets all of it.")
        .parameter(id, meaning, example)
        .gives_nothing()
        .fails(&[404, 409]),
        Endpoint::get(surface, "/api/sessions/{session_id}/tasks", |request| answer(tasks::list(request)))
            .named("listTasks", "The tasks of a session, the newest first.")
            .parameter(id, meaning, example)
            .gives::<Vec<wire::TaskSummary>>("The tasks.", examples::tasks)
            .fails(&[404, 409]),
        Endpoint::post(surface, "/api/sessions/{session_id}/tasks", |request| answer(tasks::create(request)))
            .named("createTask", "Gives an agent something to do.")
            .described(
                "It is stored when this answers, and goes on whether anybody watches or not. When the server ends in the \
                 middle of it, it is picked up where its last whole step was stored.",
            )
            .parameter(id, meaning, example)
            .takes::<wire::TaskRequest>("What is to be done, and within which bounds.", examples::task_request)
            .gives::<wire::TaskStarted>("The task.", examples::task_started)
            .fails(&[404, 409]),
    ]
}

fn task_endpoints() -> Vec<Endpoint<State>> {
    let (surface, (id, meaning, example)) = (&SURFACE, TASK);
    vec![
        Endpoint::get(surface, "/api/tasks/{task_id}", |request| answer(tasks::get(request)))
            .named("getTask", "How a task is.")
            .parameter(id, meaning, example)
            .gives::<wire::TaskView>("The task.", examples::task)
            .fails(&[404]),
        Endpoint::post(surface, "/api/tasks/{task_id}/stop", |request| answer(tasks::stop(request)))
            .named("stopTask", "Stops a task; one that is over stays as it is.")
            .parameter(id, meaning, example)
            .gives::<wire::TaskStatus>("How it is now.", examples::task_status)
            .fails(&[404, 409]),
        Endpoint::post(surface, "/api/tasks/{task_id}/input", |request| answer(tasks::input(request)))
            .named("tellTask", "Says something to a task: it answers what the agent asks, or is told it before its next step.")
            .parameter(id, meaning, example)
            .takes::<wire::InputRequest>("The words.", examples::input_request)
            .gives::<wire::TaskStatus>("How it is now.", examples::task_goes_on)
            .fails(&[404, 409]),
        Endpoint::get(surface, "/api/tasks/{task_id}/approvals", |request| answer(tasks::approvals(request)))
            .named("listApprovals", "What a task waits for a person to allow.")
            .parameter(id, meaning, example)
            .gives::<Vec<wire::ApprovalView>>("What waits; empty where nothing does.", examples::approvals)
            .fails(&[404]),
        Endpoint::post(surface, "/api/tasks/{task_id}/approvals/{approval_id}", |request| {
            answer(tasks::approve(request))
        })
        .named("approveCall", "Lets a call be made that waits for it, or not.")
        .parameter(id, meaning, example)
        .parameter("approval_id", "Names what waits.", "appr-0198c0a1b2c37d4e8f90a1b2c3d4e5f6")
        .takes::<wire::ApprovalRequest>("Whether it may be made.", examples::approval_request)
        .gives::<wire::TaskStatus>("How the task is now.", examples::task_goes_on)
        .fails(&[404, 409]),
        Endpoint::get(surface, "/api/tasks/{task_id}/events", |request| answer(watch::events(request)))
            .named("watchTask", "Streams what happens in a task, from its beginning or from behind an event on.")
            .described(
                "Server-sent events whose ids are the events' numbers, so that a client that comes back sends \
                 `Last-Event-ID` and misses nothing. The stream ends with the `status` that the task ends in.",
            )
            .parameter(id, meaning, example)
            .query("after", AFTER, || json!({"type": "integer", "minimum": 0}))
            .streams::<event::TaskEvent>("What happens.", examples::event)
            .fails(&[404, 422]),
        Endpoint::get(surface, "/ws/tasks/{task_id}", |request| answer(watch::socket(request)))
            .socket()
            .token_in_query()
            .named("openTaskSocket", "Watches a task over a WebSocket, and lets the watcher stop, answer and approve.")
            .described(
                "The credential may stand in the query as `token`. A client that comes back says which event it saw last, \
                 as `?after=` or with a `resume` message.",
            )
            .parameter(id, meaning, example)
            .query("after", AFTER, || json!({"type": "integer", "minimum": 0}))
            .says::<event::TaskEvent>("What happens.", examples::spoken)
            .hears::<event::Said>("What the watcher wants.", examples::said)
            .fails(&[404]),
    ]
}

fn artifact_endpoints() -> Vec<Endpoint<State>> {
    let (surface, (id, meaning, example)) = (&SURFACE, TASK);
    vec![
        Endpoint::get(surface, "/api/tasks/{task_id}/artifacts", |request| answer(tasks::artifacts(request)))
            .named("listArtifacts", "What a task has left so far.")
            .parameter(id, meaning, example)
            .gives::<Vec<wire::ArtifactView>>("What it left.", examples::artifacts)
            .fails(&[404]),
        Endpoint::get(surface, "/api/tasks/{task_id}/artifacts/{artifact_id}", |request| {
            answer(tasks::artifact(request))
        })
        .named("getArtifact", "A file that a task left.")
        .parameter(id, meaning, example)
        .parameter("artifact_id", "Names the file, by its id or its name.", "diff.patch")
        .gives_text("text/markdown", "The file: its summary,")
        .gives_text("text/x-diff", "a patch of the session's files,")
        .gives_text("application/json", "its plan or what was said,")
        .gives_text("text/plain", "or whatever else it is.")
        .fails(&[404]),
    ]
}
