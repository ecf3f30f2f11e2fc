//! Questions in sessions whose options allow tools.

use serde_json::{Value, json};

use crate::client::Request;
use crate::harness::Server;
use crate::upstream::openai::{self, call, call_begins, call_goes_on, calling, calls, words};
use crate::upstream::{Answer, Gate, Upstream};

async fn session(server: &Server, options: Value) -> String {
    let made = server.client.post("/api/v1/sessions", &json!({"sdk_options": options})).await.expect(201);
    format!("/api/v1/sessions/{}", made["id"].as_str().unwrap())
}

fn asked(words: &str) -> Value {
    json!({ "message": words })
}

fn completion(text: &str) -> Answer {
    Answer::json(&openai::completion(text))
}

#[tokio::test]
async fn the_model_works_with_the_tools_that_are_allowed() {
    let both = [
        call("c1", "write_file", r#"{"path": "notes/a.txt", "content": "one"}"#),
        call("c2", "calculate", r#"{"expression": "6*7"}"#),
        call("c3", "delete", r#"{"path": "notes"}"#),
    ];
    let upstream = Upstream::script([
        Answer::json(&calling(&both)),
        Answer::json(&calling(&[call("c4", "read_file", r#"{"path": "notes/a.txt"}"#)])),
        completion("It says one."),
        completion("42, as I said."),
    ])
    .await;
    let server = Server::vendor(&upstream, "").await;
    let options = json!({"model": "gpt-4o", "allowed_tools": ["Write", "Read", "calculate"]});
    let path = session(&server, options).await;
    let answer = server.client.post(&format!("{path}/query"), &asked("Note one, and count.")).await.expect(200);
    assert_eq!(answer["content"]["text"], "It says one.");
    let used: Vec<(&str, &str)> = answer["tool_calls"]
        .as_array()
        .unwrap()
        .iter()
        .map(|call| (call["tool_name"].as_str().unwrap(), call["status"].as_str().unwrap()))
        .collect();
    let expected = [("write_file", "success"), ("calculate", "success"), ("delete", "error"), ("read_file", "success")];
    assert_eq!(used, expected);
    // Three answers, each of which cost what it says.
    assert_eq!((&answer["metrics"]["input_tokens"], &answer["metrics"]["output_tokens"]), (&json!(27), &json!(36)));

    let offered = upstream.request(0).await.json();
    let offered: Vec<&str> =
        offered["tools"].as_array().unwrap().iter().map(|tool| tool["function"]["name"].as_str().unwrap()).collect();
    assert_eq!(offered, ["calculate", "read_file", "write_file"], "no other tool is offered");
    let told = upstream.request(2).await.json();
    let results: Vec<String> = told["messages"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|message| message["role"] == "tool")
        .map(|message| message["content"].to_string())
        .collect();
    assert!(results[1].contains("42") && results[2].contains("there is no tool") && results[3].contains("one"));

    // All of it is kept: messages, calls, counts, and what the model is told next time.
    let kinds: Vec<String> = server.client.get(&format!("{path}/messages")).await.expect(200)["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|message| message["message_type"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(kinds.len(), 8, "{kinds:?}");
    assert_eq!((kinds.first().unwrap().as_str(), kinds.last().unwrap().as_str()), ("user", "assistant"));
    let called = server.client.get(&format!("{path}/tool-calls")).await.expect(200);
    assert_eq!((&called["total"], &called["items"][2]["status"]), (&json!(4), &json!("denied")));
    assert_eq!(called["items"][1]["tool_output"], "42");
    let shown = server.client.get(&path).await.expect(200);
    assert_eq!((&shown["total_messages"], &shown["total_tool_calls"]), (&json!(8), &json!(4)));
    assert_eq!((&shown["api_input_tokens"], &shown["turn_count"]), (&json!(27), &json!(1)));
    let again = server.client.post(&format!("{path}/query"), &asked("How much was it?")).await.expect(200);
    assert_eq!(again["content"]["text"], "42, as I said.");
    let told = upstream.request(3).await.json();
    let roles: Vec<&str> =
        told["messages"].as_array().unwrap().iter().map(|message| message["role"].as_str().unwrap()).collect();
    let expected = ["user", "assistant", "tool", "tool", "tool", "assistant", "tool", "assistant", "user"];
    assert_eq!(roles, expected);
}

#[tokio::test]
async fn a_stream_tells_of_tools_as_they_are_used() {
    let first = calls(vec![call_begins(0, "c1", "calculate"), call_goes_on(0, r#"{"expression": "2+3"}"#)]);
    let upstream = Upstream::script([Answer::stream(&first), Answer::stream(&words(&["It is ", "5."]))]).await;
    let server = Server::vendor(&upstream, "").await;
    let path = session(&server, json!({"model": "gpt-4o", "allowed_tools": ["calculate"]})).await;
    let request = Request::new("POST", &format!("{path}/query")).json(&asked("2+3?"));
    let reply = server.client.send(&request.header("accept", "text/event-stream")).await;
    let events = reply.events();
    let names: Vec<&str> = events.iter().map(|event| event.name.as_deref().unwrap()).collect();
    assert_eq!(names, ["start", "tool_call", "tool_result", "token", "token", "end"]);
    let result = events[2].json();
    assert_eq!((&result["result"], &result["success"]), (&json!("5"), &json!(true)));
    let end = events[5].json();
    assert_eq!(end["response"]["content"]["text"], "It is 5.");
    assert_eq!(end["response"]["tool_calls"][0]["tool_input"], json!({"expression": "2+3"}));
}

#[tokio::test]
async fn turns_are_bounded_and_the_session_goes_on() {
    let again = || Answer::json(&calling(&[call("c", "calculate", r#"{"expression": "1"}"#)]));
    let upstream = Upstream::script([again(), again(), completion("Enough.")]).await;
    let server = Server::vendor(&upstream, "").await;
    let options = json!({"model": "gpt-4o", "allowed_tools": ["*"], "max_turns": 2});
    let path = session(&server, options).await;
    let answer = server.client.post(&format!("{path}/query"), &asked("Go on and on.")).await.expect(200);
    assert_eq!(answer["stop_reason"], "length");
    assert_eq!(answer["tool_calls"].as_array().unwrap().len(), 2);
    let answer = server.client.post(&format!("{path}/query"), &asked("And now?")).await.expect(200);
    assert_eq!(answer["content"]["text"], "Enough.");
}

#[tokio::test]
async fn what_breaks_off_between_tools_is_kept_and_can_be_gone_on_from() {
    let gate = Gate::new();
    let first = calls(vec![call_begins(0, "c1", "calculate"), call_goes_on(0, r#"{"expression": "2+3"}"#)]);
    let upstream = Upstream::script([
        Answer::stream(&first),
        Answer::stream(&words(&["It is "])).pause_head(&gate),
        completion("5, I was saying."),
    ])
    .await;
    let server = Server::vendor(&upstream, "").await;
    let path = session(&server, json!({"model": "gpt-4o", "allowed_tools": ["calculate"]})).await;
    let request = Request::new("POST", &format!("{path}/query")).json(&asked("2+3?"));
    let mut stream = server.client.stream(&request.header("accept", "text/event-stream")).await;
    while stream.next().await.unwrap().name.as_deref() != Some("tool_result") {}
    gate.reached().await;
    drop(stream);
    let answer = server.client.post(&format!("{path}/query"), &asked("Well?")).await.expect(200);
    assert_eq!(answer["content"]["text"], "5, I was saying.");
    let told = upstream.requests().last().unwrap().json();
    let messages = told["messages"].as_array().unwrap();
    let roles: Vec<&str> = messages.iter().map(|message| message["role"].as_str().unwrap()).collect();
    assert_eq!(roles, ["user", "assistant", "tool", "user"]);
    assert_eq!(messages[2]["content"], "5", "what the tool said isn't lost");
    gate.open();
}

#[tokio::test]
async fn options_that_cannot_be_kept_to_are_refused_by_name() {
    let server = Server::echo().await;
    for (options, param) in [
        (json!({"allowed_tools": ["Bash("]}), "sdk_options.allowed_tools"),
        (json!({"permission_mode": "yolo"}), "sdk_options.permission_mode"),
        (json!({"max_turns": 0}), "sdk_options.max_turns"),
    ] {
        let reply = server.client.post("/api/v1/sessions", &json!({"sdk_options": options})).await;
        let told = reply.expect(422).to_string();
        assert!(told.contains(param), "{told}");
    }
}
