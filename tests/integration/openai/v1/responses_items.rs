//! Tests of whole turns with tools over `POST /openai/v1/responses`: what came out goes in again.

use serde_json::{Value, json};

use crate::client::Request;
use crate::grammar;
use crate::harness::Server;

const PATH: &str = "/v1/responses";

fn tools() -> Value {
    json!([
        {"type": "function", "name": "exec", "description": "Runs it.", "strict": false,
            "parameters": {"type": "object", "properties": {"cmd": {"type": "string"}}, "required": ["cmd"]}},
        {"type": "custom", "name": "apply_patch", "description": "Edits files.",
            "format": {"type": "grammar", "syntax": "lark", "definition": "start: begin_patch"}},
        {"type": "namespace", "name": "mcp__files", "description": "Files.", "tools": [
            {"type": "function", "name": "read", "parameters": {"type": "object"}},
        ]},
        {"type": "tool_search", "execution": "client", "description": "Finds tools.",
            "parameters": {"type": "object", "properties": {"query": {"type": "string"}}}},
    ])
}

/// What OpenAI's coding agent sends, but for the texts.
fn turn(input: &[Value]) -> Value {
    json!({
        "model": "claude", "instructions": "You are a coding agent.", "input": input, "tools": tools(), "tool_choice": "auto",
        "parallel_tool_calls": true, "reasoning": {"effort": "medium", "summary": "auto"}, "store": false, "stream": true,
        "include": ["reasoning.encrypted_content"], "prompt_cache_key": "0198", "client_metadata": {"a": "b"},
    })
}

fn user(text: &str) -> Value {
    json!({"type": "message", "role": "user", "content": [{"type": "input_text", "text": text}]})
}

async fn say(server: &Server, input: &[Value]) -> grammar::Answered {
    grammar::responses(&server.client.post(PATH, &turn(input)).await.events())
}

#[tokio::test]
async fn each_kind_of_tool_makes_a_turn() {
    let server = Server::echo().await;
    let output = |kind: &str, call: &Value| json!({"type": kind, "call_id": call["call_id"], "output": "it went well"});
    let search = |call: &Value| {
        json!({"type": "tool_search_output", "call_id": call["call_id"], "status": "completed", "execution": "client",
        "tools": [{"type": "function", "name": "it_went_well", "parameters": {"type": "object"}}]})
    };
    for (directive, kind, name, given) in [
        (r#"[[tool exec {"cmd":"ls"}]]"#, "function_call", "exec", r#"{"cmd":"ls"}"#),
        (r#"[[tool apply_patch {"input":"*** Begin"}]]"#, "custom_tool_call", "apply_patch", "*** Begin"),
        ("[[tool mcp__files__read {}]]", "function_call", "read", "{}"),
        (r#"[[tool tool_search {"query":"x"}]]"#, "tool_search_call", "", ""),
    ] {
        let mut input = vec![user(directive)];
        let said = say(&server, &input).await;
        let call = said.of(kind)[0].clone();
        assert_eq!(call["name"].as_str().unwrap_or_default(), name, "{call}");
        assert_eq!(call["arguments"].as_str().or(call["input"].as_str()).unwrap_or_default(), given, "{call}");
        assert_eq!(call["namespace"].as_str(), (name == "read").then_some("mcp__files"), "{call}");
        assert!(kind != "tool_search_call" || call["arguments"] == json!({"query": "x"}), "{call}");
        input.extend(said.items);
        input.push(match kind {
            "function_call" => output("function_call_output", &call),
            "custom_tool_call" => output("custom_tool_call_output", &call),
            _ => search(&call),
        });
        let said = say(&server, &input).await;
        assert!(said.text.contains("it went well") || said.text.contains("it_went_well"), "{}", said.text);
    }
}

#[tokio::test]
async fn tools_may_be_few_or_forced() {
    let server = Server::echo().await;
    for (choice, kind, name) in [
        (json!("required"), "function_call", "exec"),
        (json!({"type": "function", "name": "exec"}), "function_call", "exec"),
        (json!({"type": "custom", "name": "apply_patch"}), "custom_tool_call", "apply_patch"),
        (json!({"type": "function", "name": "read", "namespace": "mcp__files"}), "function_call", "read"),
        (
            json!({"type": "allowed_tools", "mode": "required", "tools": [{"type": "custom", "name": "apply_patch"}]}),
            "custom_tool_call",
            "apply_patch",
        ),
    ] {
        let mut body = turn(&[user("Hello!")]);
        body["tool_choice"] = choice.clone();
        let said = grammar::responses(&server.client.post(PATH, &body).await.events());
        let calls = said.of(kind);
        assert_eq!(calls.iter().map(|call| &call["name"]).collect::<Vec<_>>(), [name], "{choice}");
    }
    let mut body = turn(&[user("Hello!")]);
    body["tool_choice"] = json!("none");
    assert_eq!(grammar::responses(&server.client.post(PATH, &body).await.events()).text, "Hello!");
}

#[tokio::test]
async fn tools_may_join_among_the_items() {
    let server = Server::echo().await;
    let more = json!({"type": "additional_tools", "role": "developer", "tools": [{"type": "custom", "name": "late"}]});
    let said = say(&server, &[more, user(r#"[[tool late {"input":"x"}]]"#)]).await;
    assert_eq!(said.of("custom_tool_call")[0]["input"], "x");
}

#[tokio::test]
async fn the_coding_agent_may_offer_a_search_that_nobody_has() {
    let server = Server::echo().await;
    let mut body = turn(&[user("Hello!")]);
    body["tools"].as_array_mut().unwrap().push(json!({"type": "web_search", "external_web_access": false}));
    let request = || Request::new("POST", PATH).json(&body);
    for (name, value) in [("originator", "codex_cli_rs"), ("User-Agent", "codex_exec/0.100.0 (Linux)")] {
        let said = grammar::responses(&server.client.send(&request().header(name, value)).await.events());
        assert_eq!(said.text, "Hello!");
    }
}
