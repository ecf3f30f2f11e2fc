//! Tests of `POST /api/v1/prompt` and `GET /api/v1/backends`.

use serde_json::{Value, json};

use crate::client::{Reply, Request};
use crate::harness::Server;
use crate::upstream::openai::{completion, words};
use crate::upstream::{Answer, Gate, Upstream};
use crate::{shape, snapshot};

const PATH: &str = "/api/v1/prompt";

/// The lines of a streamed answer, whose numbers are in order.
fn lines(reply: &Reply) -> Vec<Value> {
    assert_eq!((reply.status(), reply.head.kind()), (200, "application/x-ndjson"), "{}", reply.text());
    let lines: Vec<Value> = reply.text().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    for (index, line) in lines.iter().enumerate() {
        assert_eq!(line["sequence"], index, "{line}");
        assert_eq!(reply.head.header("x-request-id"), line["request_id"].as_str());
    }
    lines
}

fn kinds(lines: &[Value]) -> Vec<&str> {
    lines.iter().map(|line| line["type"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn the_documented_example_is_answered_in_the_documented_envelope() {
    let server = Server::echo().await;
    let mut answer = server.client.post(PATH, &json!({"backend": "claude", "prompt": "hello"})).await.expect(200);
    let session = answer["data"]["session_id"].take();
    assert!(session.as_str().is_some_and(|id| id.len() == 36), "{session}");
    snapshot!(answer);
}

#[tokio::test]
async fn every_field_is_taken_and_what_concerns_the_model_reaches_it() {
    let upstream = Upstream::always(Answer::json(&completion("Hi"))).await;
    let server = Server::vendor(&upstream, "").await;
    let body = json!({
        "backend": "openai", "prompt": "hello", "model": "gpt-4o", "workdir": "/home/me/project", "ephemeral": true,
        "approval_mode": "auto", "sandbox_mode": "read-only", "output_format": "json", "max_tokens": 100, "max_turns": 3,
        "system_prompt": "Be brief", "verbose": true, "dry_run": false, "extra": [], "metadata": {"ticket": "7"},
    });
    let answer = server.client.post(PATH, &body).await.expect(200);
    assert_eq!((&answer["success"], &answer["data"]["output"]), (&json!(true), &json!("Hi")));
    assert_eq!(answer["data"]["served"]["provider"], "openai", "{answer}");
    let asked = upstream.request(0).await.json();
    assert_eq!(asked["model"], "gpt-4o");
    assert_eq!(asked["messages"][0], json!({"role": "system", "content": "Be brief"}));
    assert_eq!(asked["messages"][1]["content"], "hello");
    let limit = asked.get("max_completion_tokens").or(asked.get("max_tokens"));
    assert_eq!(limit, Some(&json!(100)), "{asked}");
    // None is no limit, and what is empty isn't said.
    let body = json!({"backend": "openai/gpt-4o", "prompt": "x", "max_tokens": 0, "max_turns": 0, "system_prompt": ""});
    server.client.post(PATH, &body).await.expect(200);
    let asked = upstream.request(1).await.json();
    assert_eq!(asked["messages"].as_array().unwrap().len(), 1);
    assert!(asked.get("max_completion_tokens").is_none() && asked.get("max_tokens").is_none(), "{asked}");
}

#[tokio::test]
async fn what_is_missing_or_wrong_is_named() {
    let server = Server::echo().await;
    for (body, code, said) in [
        (json!({"prompt": "x"}), "MISSING_FIELD", "backend is required"),
        (json!({"backend": "", "prompt": "x"}), "MISSING_FIELD", "backend is required"),
        (json!({"backend": "echo"}), "MISSING_FIELD", "prompt is required"),
        (json!({"backend": "echo", "prompt": " \n"}), "MISSING_FIELD", "prompt is required"),
        (json!({"backend": "echo", "prompt": "x", "max_tokens": -1}), "INVALID_VALUE", "max_tokens"),
        (json!({"backend": "echo", "prompt": "x", "output_format": "xml"}), "INVALID_VALUE", "stream-json"),
        (json!({"backend": "echo", "prompt": "x", "approval_mode": "never"}), "INVALID_VALUE", "always"),
        (json!({"backend": "echo", "prompt": "x", "metadata": {"a": 1}}), "INVALID_VALUE", "metadata"),
        (json!({"backend": "echo", "prompt": "x", "promt": "x"}), "INVALID_VALUE", "promt"),
    ] {
        let refusal = shape::native(&server.client.post(PATH, &body).await, 400, code);
        assert!(refusal["error"].as_str().unwrap().contains(said), "{refusal}");
    }
}

#[tokio::test]
async fn a_backend_that_fails_is_an_answer() {
    let upstream = Upstream::always(Answer::error(500, "server_error", "broken")).await;
    let server = Server::vendor(&upstream, "  keyless: {plugin: openai}\n").await;
    for (body, said) in [
        (json!({"backend": "nobody", "prompt": "x"}), "Backend not available"),
        (json!({"backend": "nobody", "model": "m", "prompt": "x"}), "Backend not available"),
        (json!({"backend": "openai/gpt-4o", "prompt": "x"}), "broken"),
        (json!({"backend": "echo", "prompt": "x", "extra": ["--yolo"]}), "--yolo"),
        (json!({"backend": "echo", "prompt": "x", "workdir": "/etc/ssh"}), "not allowed"),
        (json!({"backend": "echo", "prompt": "x", "workdir": "project"}), "absolute"),
        (json!({"backend": "nobody", "prompt": "x", "dry_run": true}), "Backend not available"),
    ] {
        let answer = server.client.post(PATH, &body).await.expect(200);
        assert_eq!((&answer["success"], &answer["data"]["exit_code"]), (&json!(false), &json!(1)), "{answer}");
        assert_eq!(answer["error"], answer["data"]["error"], "{answer}");
        assert!(answer["error"].as_str().unwrap().contains(said), "{said}: {answer}");
    }
}

#[tokio::test]
async fn what_was_said_before_it_broke_off_is_told() {
    let answer = Answer::stream(&words(&["one ", "two ", "three"]));
    let upstream = Upstream::always(answer.clone().cut(answer.event(3))).await;
    let server = Server::vendor(&upstream, "").await;
    let body = json!({"backend": "openai/m", "prompt": "x", "output_format": "stream-json"});
    let reply = server.client.post(PATH, &body).await;
    let lines = lines(&reply);
    assert_eq!(kinds(&lines), ["init", "message", "message", "error", "done"], "{lines:?}");
    assert_eq!(lines[4]["content"]["exit_code"], 1);
}

#[tokio::test]
async fn a_dry_run_asks_nobody() {
    let upstream = Upstream::start().await;
    let server = Server::vendor(&upstream, "models: {fast: [openai/a, echo/echo]}").await;
    let answer =
        server.client.post(PATH, &json!({"backend": "fast", "prompt": "hello", "dry_run": true})).await.expect(200);
    assert_eq!(answer["data"]["output"], "Would execute: 5 bytes of prompt on openai/a, then echo/echo");
    assert_eq!((&answer["data"]["exit_code"], upstream.requests().len()), (&json!(0), 0));
    let body = json!({"backend": "fast", "prompt": "hello", "dry_run": true, "output_format": "stream-json"});
    assert_eq!(kinds(&lines(&server.client.post(PATH, &body).await)), ["init", "message", "done"]);
    assert_eq!(upstream.requests().len(), 0);
}

#[tokio::test]
async fn a_stream_comes_line_by_line() {
    let server = Server::echo().await;
    let body = json!({"backend": "claude", "prompt": "one two three", "output_format": "stream-json"});
    let reply = server.client.post(PATH, &body).await;
    let lines = lines(&reply);
    assert_eq!(lines[0]["type"], "init");
    let said: String = lines
        .iter()
        .filter(|line| line["type"] == "message")
        .map(|line| line["content"]["text"].as_str().unwrap())
        .collect();
    assert_eq!(said, "one two three");
    let done = lines.last().unwrap();
    assert_eq!(
        (&done["type"], &done["content"]["exit_code"], &done["content"]["turn_count"]),
        (&json!("done"), &json!(0), &json!(1))
    );
    assert!(done["content"]["token_usage"]["output_tokens"].as_u64().unwrap() > 0, "{done}");
    let failed = json!({"backend": "nobody", "prompt": "x", "output_format": "stream-json"});
    let reply = server.client.post(PATH, &failed).await;
    assert_eq!(kinds(&self::lines(&reply)), ["init", "error", "done"]);
}

#[tokio::test]
async fn who_asks_too_often_is_refused_and_not_told_of_a_backend() {
    let limits = "server: {rate_limit: {surfaces: {prompt: {per: caller, requests: [1/1m]}}}}";
    let server = Server::start(&format!("{}{limits}", crate::harness::ECHO)).await;
    let body = json!({"backend": "echo", "prompt": "x"});
    server.client.post(PATH, &body).await.expect(200);
    shape::native(&server.client.post(PATH, &body).await, 429, "RATE_LIMITED");
    let tokens = "server: {rate_limit: {surfaces: {prompt: {per: caller, requests: [], tokens: [5/1m]}}}}";
    let server = Server::start(&format!("{}{tokens}", crate::harness::ECHO)).await;
    let body =
        json!({"backend": "echo", "prompt": "one two three four five six seven", "output_format": "stream-json"});
    for _ in 0..3 {
        let reply = server.client.post(PATH, &body).await;
        if reply.status() == 429 {
            return;
        }
    }
    panic!("tokens are not counted");
}

#[tokio::test]
async fn who_hangs_up_ends_the_work_upstream() {
    for format in ["json", "stream-json"] {
        let gate = Gate::new();
        let answer = Answer::stream(&words(&["one", "two"]));
        let at = answer.event(2);
        let upstream = Upstream::always(answer.pause(at, &gate)).await;
        let server = Server::vendor(&upstream, "").await;
        let body = json!({"backend": "openai/m", "prompt": "x", "output_format": format});
        let mut connection = server.client.connect().await;
        connection.send(&Request::new("POST", PATH).json(&body)).await;
        gate.reached().await;
        assert!(!upstream.is_closed(0));
        drop(connection);
        upstream.closed(0).await;
    }
}

#[tokio::test]
async fn what_is_not_ephemeral_is_kept_and_goes_on() {
    let said = |text: &str| Answer::json(&completion(text));
    let streamed = Answer::stream(&words(&["Th", "ree"]));
    let failed = Answer::error(400, "invalid_request_error", "no");
    let upstream = Upstream::script([said("One"), said("Two"), streamed, said("Four"), said("Five"), failed]).await;
    let server = Server::vendor(&upstream, "").await;
    let ask = async |more: Value| {
        let mut body = json!({"backend": "openai/m", "prompt": "on", "max_tokens": 9});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        server.client.post(PATH, &body).await
    };
    let first =
        ask(json!({"prompt": "first", "system_prompt": "Be brief", "metadata": {"ticket": "7"}})).await.expect(200);
    let id = first["data"]["session_id"].as_str().unwrap().to_owned();
    let second = ask(json!({"session_id": id})).await.expect(200);
    assert_eq!((&second["data"]["session_id"], &second["data"]["output"]), (&json!(id), &json!("Two")));
    let lines = lines(&ask(json!({"session_id": id, "output_format": "stream-json"})).await);
    assert!(lines.iter().all(|line| line["session_id"] == *id), "{lines:?}");
    ask(json!({"session_id": id})).await.expect(200);
    let asked = upstream.request(3).await.json();
    let told: Vec<&Value> = asked["messages"].as_array().unwrap().iter().map(|message| &message["content"]).collect();
    assert_eq!(told, ["Be brief", "first", "One", "on", "Two", "on", "Three", "on"], "{asked}");
    let alone = ask(json!({"ephemeral": true})).await.expect(200);
    assert_eq!((&alone["data"]["output"], alone["data"].get("session_id")), (&json!("Five"), None));
    let failed = ask(json!({})).await.expect(200);
    assert_eq!((&failed["data"]["exit_code"], failed["data"].get("session_id")), (&json!(1), None));
    shape::native(&ask(json!({"session_id": "00000000-0000-4000-8000-000000000000"})).await, 404, "NOT_FOUND");
    shape::native(&ask(json!({"session_id": id, "ephemeral": true})).await, 400, "INVALID_VALUE");
    let chat = server.client.post("/api/v1/chat", &json!({"message": "x", "provider": "echo"})).await.expect(200);
    shape::native(&ask(json!({"session_id": chat["conversation_id"]})).await, 404, "NOT_FOUND");
    assert_eq!(upstream.requests().len(), 6);
}

#[tokio::test]
async fn backends_are_providers_and_routes() {
    let yaml = format!("{}models: {{fast: [echo/echo], broken: [nobody/x]}}\n", crate::harness::ECHO);
    let server = Server::start(&yaml).await;
    snapshot!(server.client.get("/api/v1/backends").await, 200);
}
