//! Tasks of agents: begun, watched, stopped, answered, and what they leave.

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;

use crate::client::Request;
use crate::grammar::is_timestamp;
use crate::harness::Server;
use crate::patience::{soon, until};
use crate::upstream::openai::{call_begins, call_goes_on, calls, words};
use crate::upstream::{Answer, Gate, Upstream};
use crate::websocket::caller::{Caller, connect};

/// `value` with a word in place of what differs from run to run.
fn masked(value: Value) -> Value {
    match value {
        Value::String(text) if is_timestamp(&text) => "TIME".into(),
        Value::String(text) if text.len() == 36 && text.matches('-').count() == 4 => "UUID".into(),
        Value::Array(values) => values.into_iter().map(masked).collect(),
        Value::Object(members) => members.into_iter().map(|(name, value)| (name, masked(value))).collect(),
        value => value,
    }
}

/// An answer that calls `tool`.
pub(super) fn calling(tool: &str, arguments: &Value) -> Answer {
    Answer::stream(&calls(vec![call_begins(0, "call_1", tool), call_goes_on(0, &arguments.to_string())]))
}

async fn session(server: &Server) -> String {
    let made = server.client.post("/api/sessions", &json!({"name": "Bugs", "working_directory": "/path"})).await;
    made.expect(200)["id"].as_str().unwrap().to_owned()
}

/// Begins a task with these fields, and tells its id.
pub(super) async fn begin(server: &Server, task: Value) -> String {
    let path = format!("/api/sessions/{}/tasks", session(server).await);
    let made = server.client.post(&path, &task).await.expect(200);
    assert_eq!(made["status"], "running");
    made["id"].as_str().unwrap().to_owned()
}

/// The task once it is over.
async fn over(server: &Server, id: &str) -> Value {
    until("the task to be over", async || {
        let task = server.client.get(&format!("/api/tasks/{id}")).await.expect(200);
        let going_on = ["pending", "running", "waiting"].iter().any(|status| task["status"] == *status);
        (!going_on).then_some(task)
    })
    .await
}

pub(super) async fn watch(server: &Server, id: &str, after: u64) -> Caller {
    connect(server.addresses[0], &format!("/ws/tasks/{id}?after={after}"), &[]).await.unwrap()
}

async fn say(socket: &mut Caller, message: Value) {
    soon("the message to be sent", socket.send(Message::text(message.to_string()))).await.unwrap();
}

/// The next message; nothing once the server has closed.
async fn hear(socket: &mut Caller) -> Option<Value> {
    loop {
        match soon("a message", socket.next()).await?.ok()? {
            Message::Text(text) => return Some(serde_json::from_str(&text).unwrap()),
            Message::Close(_) => return None,
            _ => {}
        }
    }
}

pub(super) async fn hear_all(socket: &mut Caller) -> Vec<Value> {
    let mut all = Vec::new();
    while let Some(message) = hear(socket).await {
        all.push(message);
    }
    all
}

async fn hear_until(socket: &mut Caller, kind: &str) -> Vec<Value> {
    let mut all = Vec::new();
    while all.last().is_none_or(|last: &Value| last["type"] != kind) {
        all.push(hear(socket).await.unwrap_or_else(|| panic!("no `{kind}` among {all:?}")));
    }
    all
}

pub(super) fn kinds(events: &[Value]) -> Vec<&str> {
    events.iter().map(|event| event["type"].as_str().unwrap()).collect()
}

/// Events have numbers from `first` on, without a gap.
#[track_caller]
pub(super) fn without_a_gap(events: &[Value], first: u64) {
    let numbers: Vec<u64> = events.iter().map(|event| event["sequence"].as_u64().unwrap()).collect();
    assert_eq!(numbers, (first..first + numbers.len() as u64).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_task_has_the_documented_shape_from_its_beginning_to_its_end() {
    let upstream = Upstream::always(Answer::stream(&words(&["All ", "done."]))).await;
    let server = Server::vendor(&upstream, "").await;
    let session = session(&server).await;
    let path = format!("/api/sessions/{session}/tasks");
    let task = json!({"description": "Fix it", "model": "gpt-4o", "run_mode": "offline"});
    let begun = server.client.post(&path, &task);
    let begun = begun.await.expect(200);
    let id = begun["id"].as_str().unwrap();
    let task = over(&server, id).await;
    let get = async |path: &str| server.client.get(path).await.expect(200);
    let all = json!({
        "begun": begun,
        "task": task,
        "tasks": get(&path).await,
        "session": get(&format!("/api/sessions/{session}")).await,
        "sessions": get("/api/sessions").await,
        "artifacts": get(&format!("/api/tasks/{id}/artifacts")).await,
        "stopped": server.client.post(&format!("/api/tasks/{id}/stop"), &json!({})).await.expect(200),
    });
    insta::assert_json_snapshot!(masked(all));
    let summary = server.client.get(&format!("/api/tasks/{id}/artifacts/final_summary.md")).await;
    assert_eq!(
        (summary.status(), summary.head.kind(), summary.text()),
        (200, "text/markdown", "# Fix it\n\nAll done.\n")
    );
    let asked = upstream.request(0).await.json();
    assert_eq!(asked["messages"][1]["content"], "Fix it");
    // Taken out with all that was done in it.
    let gone = server.client.send(&Request::new("DELETE", &format!("/api/sessions/{session}"))).await;
    assert_eq!(gone.status(), 204);
    for path in [format!("/api/tasks/{id}"), format!("/api/sessions/{session}"), path] {
        assert_eq!(server.client.get(&path).await.expect(404)["code"], "NOT_FOUND");
    }
}

#[tokio::test]
async fn what_is_wrong_with_a_task_is_said() {
    let server = Server::echo().await;
    let path = format!("/api/sessions/{}/tasks", session(&server).await);
    for (task, field) in [
        (json!({}), "description"),
        (json!({"description": " "}), "description"),
        (json!({"description": "a", "run_mode": "wild"}), "run_mode"),
        (json!({"description": "a", "allowed_tools": ["Bash("]}), "allowed_tools"),
        (json!({"description": "a", "permission_mode": "yes"}), "permission_mode"),
        (json!({"description": "a", "max_iterations": 0}), "max_iterations"),
        (json!({"description": "a", "colour": 1}), "colour"),
    ] {
        let refused = server.client.post(&path, &task).await.expect(422);
        assert!(refused["detail"].as_str().unwrap().contains(field), "{refused}");
        assert_eq!(refused["code"], "VALIDATION_ERROR");
    }
    let unknown = "/api/tasks/0198c0a1-b2c3-7d4e-8f90-a1b2c3d4e5f6";
    for path in ["", "/artifacts", "/approvals", "/events"] {
        assert_eq!(server.client.get(&format!("{unknown}{path}")).await.expect(404)["code"], "NOT_FOUND");
    }
    let socket = connect(server.addresses[0], "/ws/tasks/0198c0a1-b2c3-7d4e-8f90-a1b2c3d4e5f6", &[]).await;
    assert_eq!(socket.err(), Some(404));
}

#[tokio::test]
async fn a_watcher_who_is_cut_off_misses_nothing() {
    let gate = Gate::new();
    let answer = Answer::stream(&words(&["One ", "two ", "three."]));
    let upstream = Upstream::always(answer.clone().pause(answer.event(2), &gate)).await;
    let server = Server::vendor(&upstream, "").await;
    let id = begin(&server, json!({"description": "Count"})).await;
    let mut first = watch(&server, &id, 0).await;
    let mut seen = hear_until(&mut first, "token").await;
    drop(first);
    gate.open();
    let last = seen.last().unwrap()["sequence"].as_u64().unwrap();
    let mut second = watch(&server, &id, last).await;
    seen.extend(hear_all(&mut second).await);
    without_a_gap(&seen, 1);
    let text: String = seen.iter().filter_map(|event| event["content"].as_str()).collect();
    assert_eq!(text, "One two three.");
    assert_eq!(kinds(&seen[..2]), ["status", "token"]);
    assert_eq!(seen.last().unwrap()["status"], "completed");
    // The same, as server-sent events, and over a socket that asks again.
    let request = Request::new("GET", &format!("/api/tasks/{id}/events")).header("Last-Event-ID", "1");
    let events: Vec<Value> = server.client.send(&request).await.events().iter().map(|event| event.json()).collect();
    assert_eq!(events, seen[1..]);
    let mut third = watch(&server, &id, 1).await;
    assert_eq!(hear_all(&mut third).await, seen[1..]);
}

#[tokio::test]
async fn a_model_that_asks_for_what_is_not_there_is_told() {
    let script = [calling("fly", &json!({})), Answer::stream(&words(&["I can't fly."]))];
    let upstream = Upstream::script(script).await;
    let server = Server::vendor(&upstream, "").await;
    let id = begin(&server, json!({"description": "Fly"})).await;
    let mut socket = watch(&server, &id, 0).await;
    let events = hear_all(&mut socket).await;
    without_a_gap(&events, 1);
    assert_eq!(kinds(&events), ["status", "tool_call", "tool_result", "token", "status"]);
    assert_eq!((&events[2]["success"], &events[2]["tool"]), (&json!(false), &json!("fly")));
    let told = upstream.request(1).await.json();
    let result = told["messages"].as_array().unwrap().last().unwrap();
    assert_eq!((&result["role"], &result["tool_call_id"]), (&json!("tool"), &json!("call_1")));
    assert!(result["content"].as_str().unwrap().contains("there is no tool `fly`"), "{result}");
    assert_eq!(over(&server, &id).await["iterations"], 2);
}

#[tokio::test]
async fn a_person_answers_what_the_agent_asks() {
    let script = [calling("ask_user", &json!({"question": "Which colour?"})), Answer::stream(&words(&["Blue it is."]))];
    let upstream = Upstream::script(script).await;
    let server = Server::vendor(&upstream, "").await;
    let id = begin(&server, json!({"description": "Paint", "run_mode": "interactive"})).await;
    let mut socket = watch(&server, &id, 0).await;
    let asked = hear_until(&mut socket, "approval_requested").await.pop().unwrap();
    assert_eq!((&asked["tool"], &asked["reason"]), (&json!("ask_user"), &json!("Which colour?")));
    let waiting = server.client.get(&format!("/api/tasks/{id}/approvals")).await.expect(200);
    assert_eq!(waiting[0]["id"], asked["approval_id"]);
    say(&mut socket, json!({"type": "input", "content": "Blue"})).await;
    let rest = hear_all(&mut socket).await;
    assert!(kinds(&rest).contains(&"input"), "{rest:?}");
    assert_eq!(rest.last().unwrap()["status"], "completed");
    let told = upstream.request(1).await.json();
    assert_eq!(told["messages"].as_array().unwrap().last().unwrap()["content"], "Blue");
    let late = server.client.post(&format!("/api/tasks/{id}/input"), &json!({"content": "Or red?"})).await;
    assert_eq!(late.expect(409)["code"], "CONFLICT");
}

#[tokio::test]
async fn a_refusal_reaches_the_model_with_its_reason() {
    let script = [calling("ask_user", &json!({"question": "May I?"})), Answer::stream(&words(&["Then not."]))];
    let upstream = Upstream::script(script).await;
    let server = Server::vendor(&upstream, "").await;
    let id = begin(&server, json!({"description": "Ask", "run_mode": "interactive"})).await;
    let approvals = format!("/api/tasks/{id}/approvals");
    let asked = until("a question", async || server.client.get(&approvals).await.expect(200).get(0).cloned()).await;
    assert_eq!(server.client.get(&format!("/api/tasks/{id}")).await.expect(200)["status"], "waiting");
    let unknown = server.client.post(&format!("{approvals}/appr-0"), &json!({"approved": true})).await;
    unknown.expect(404);
    let path = format!("{approvals}/{}", asked["id"].as_str().unwrap());
    server.client.post(&path, &json!({"approved": false, "reason": "too early"})).await.expect(200);
    assert_eq!(over(&server, &id).await["status"], "completed");
    let told = upstream.request(1).await.json();
    let result = told["messages"].as_array().unwrap().last().unwrap()["content"].as_str().unwrap().to_owned();
    assert!(result.contains("too early"), "{result}");
}

#[tokio::test]
async fn a_task_is_stopped_in_the_middle_of_an_answer() {
    let gate = Gate::new();
    let answer = Answer::stream(&words(&["One ", "two"]));
    let upstream = Upstream::always(answer.clone().pause(answer.event(2), &gate)).await;
    let server = Server::vendor(&upstream, "").await;
    let id = begin(&server, json!({"description": "Count"})).await;
    let mut socket = watch(&server, &id, 0).await;
    hear_until(&mut socket, "token").await;
    let mut other = watch(&server, &id, 0).await;
    say(&mut socket, json!({"type": "stop"})).await;
    let seen = [hear_all(&mut socket).await, hear_all(&mut other).await];
    assert!(seen.iter().all(|events| events.last().unwrap()["status"] == "stopped"), "{seen:?}");
    upstream.closed(0).await;
    let stopped = server.client.post(&format!("/api/tasks/{id}/stop"), &json!({})).await;
    assert_eq!(stopped.expect(200)["status"], "stopped");
    let task = over(&server, &id).await;
    assert_eq!((&task["status"], &task["result"]["success"]), (&json!("stopped"), &json!(false)));
}

#[tokio::test]
async fn an_answer_that_breaks_off_is_asked_for_again() {
    let answer = Answer::stream(&words(&["Half ", "an answer"]));
    let broken = answer.clone().cut(answer.event(2));
    let upstream = Upstream::script([broken, Answer::stream(&words(&["A whole one."]))]).await;
    let server = Server::vendor(&upstream, "").await;
    let id = begin(&server, json!({"description": "Speak"})).await;
    let mut socket = watch(&server, &id, 0).await;
    let events = hear_all(&mut socket).await;
    without_a_gap(&events, 1);
    let void = events.iter().find(|event| event.get("discard_after").is_some()).expect("a word about the first try");
    assert_eq!(void["discard_after"], 1, "{events:?}");
    let last = events.iter().rfind(|event| event["type"] == "token").unwrap();
    assert_eq!(last["content"], "A whole one.");
    assert_eq!(over(&server, &id).await["result"]["summary"], "A whole one.");
}

#[tokio::test]
async fn limits_end_a_task_with_their_code() {
    let upstream = Upstream::always(calling("fly", &json!({}))).await;
    let server = Server::vendor(&upstream, "").await;
    let id = begin(&server, json!({"description": "Fly", "max_iterations": 2})).await;
    let mut socket = watch(&server, &id, 0).await;
    let events = hear_all(&mut socket).await;
    let error = events.iter().find(|event| event["type"] == "error").unwrap();
    assert_eq!(
        (&error["error"], &error["code"]),
        (&json!("Maximum iterations reached"), &json!("MAX_ITERATIONS_REACHED"))
    );
    let task = over(&server, &id).await;
    assert_eq!((&task["status"], &task["iterations"]), (&json!("failed"), &json!(2)));
    let id = begin(&server, json!({"description": "Fly", "max_tokens": 40})).await;
    assert_eq!(over(&server, &id).await["result"]["code"], "TOKEN_LIMIT_REACHED");
    let id = begin(&server, json!({"description": "Fly", "model": "nobody/nothing"})).await;
    assert_eq!(over(&server, &id).await["status"], "failed");
}

#[tokio::test]
async fn what_people_say_in_between_is_told_before_the_next_answer() {
    let gate = Gate::new();
    let answer = Answer::stream(&words(&["First ", "answer."]));
    let slow = answer.clone().pause(answer.event(2), &gate);
    let upstream = Upstream::script([slow, Answer::stream(&words(&["Second answer."]))]).await;
    let server = Server::vendor(&upstream, "").await;
    let id = begin(&server, json!({"description": "Talk"})).await;
    gate.reached().await;
    let said = server.client.post(&format!("/api/tasks/{id}/input"), &json!({"content": "One more thing"})).await;
    assert_eq!(said.expect(200)["status"], "running");
    gate.open();
    assert_eq!(over(&server, &id).await["result"]["summary"], "Second answer.");
    let told = upstream.request(1).await.json();
    assert_eq!(told["messages"].as_array().unwrap().last().unwrap()["content"], "One more thing");
}

#[tokio::test]
async fn a_socket_that_says_nonsense_is_told_so() {
    let gate = Gate::new();
    let answer = Answer::stream(&words(&["One ", "two"]));
    let upstream = Upstream::always(answer.clone().pause(answer.event(2), &gate)).await;
    let server = Server::vendor(&upstream, "").await;
    let id = begin(&server, json!({"description": "Count"})).await;
    let mut socket = watch(&server, &id, 0).await;
    hear_until(&mut socket, "token").await;
    say(&mut socket, json!({"type": "dance"})).await;
    let told = hear_until(&mut socket, "error").await.pop().unwrap();
    assert_eq!((&told["code"], told.get("sequence")), (&json!("INVALID_MESSAGE"), None));
    say(&mut socket, json!({"type": "approve", "approved": true})).await;
    assert_eq!(hear_until(&mut socket, "error").await.pop().unwrap()["code"], "NOT_FOUND");
    say(&mut socket, json!({"type": "ping"})).await;
    hear_until(&mut socket, "pong").await;
    say(&mut socket, json!({"type": "resume", "after": 0})).await;
    assert_eq!(hear(&mut socket).await.unwrap()["sequence"], 1);
    gate.open();
    assert_eq!(hear_all(&mut socket).await.last().unwrap()["status"], "completed");
}

#[tokio::test]
async fn a_session_that_another_surface_deletes_takes_its_tasks_along() {
    let server = Server::echo().await;
    let id = begin(&server, json!({"description": "Say hi", "model": "echo"})).await;
    let task = over(&server, &id).await;
    let path = format!("/api/v1/sessions/{}", task["session_id"].as_str().unwrap());
    assert_eq!(server.client.send(&Request::new("DELETE", &path)).await.status(), 204);
    assert_eq!(server.client.get(&format!("/api/tasks/{id}")).await.expect(404)["code"], "NOT_FOUND");
}

#[tokio::test]
async fn tasks_are_their_owners() {
    let upstream = Upstream::always(Answer::stream(&words(&["Done."]))).await;
    let key = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(key.path(), "0123456789abcdef-alice").unwrap();
    let more = format!("server: {{auth: {{api_key: \"file:{}\"}}}}", key.path().display());
    let server = Server::vendor(&upstream, &more).await;
    let alice = |request: Request| request.header("X-API-Key", "0123456789abcdef-alice");
    let made = server.client.send(&alice(Request::new("POST", "/api/sessions").json(&json!({})))).await.expect(200);
    let path = format!("/api/sessions/{}/tasks", made["id"].as_str().unwrap());
    let task = alice(Request::new("POST", &path).json(&json!({"description": "Mine"})));
    let id = server.client.send(&task).await.expect(200)["id"].as_str().unwrap().to_owned();
    let task = format!("/ws/tasks/{id}");
    assert_eq!(connect(server.addresses[0], &task, &[]).await.err(), Some(401));
    let mut socket = connect(server.addresses[0], &format!("{task}?token=0123456789abcdef-alice"), &[]).await.unwrap();
    assert_eq!(hear_all(&mut socket).await.last().unwrap()["status"], "completed");
    tokio::time::timeout(Duration::from_secs(1), socket.close(None)).await.ok();
}
