//! Requests, read into the chat model.

use http::HeaderMap;
use serde_json::{Value, json};

use super::super::request::{Purpose, betas, read};
use super::{asked, fields};
use crate::api::tests::agree;
use crate::model::chat::*;

/// What coding agents send, and a block of every type.
fn everything() -> Value {
    json!({
        "model": "m", "max_tokens": 64, "stream": true, "temperature": 0.5, "top_p": 0.9, "top_k": 40,
        "stop_sequences": ["END"], "metadata": {"user_id": "u-1"}, "service_tier": "auto",
        "thinking": {"type": "enabled", "budget_tokens": 2048},
        "output_config": {"format": {"type": "json_schema", "schema": {"type": "object"}}},
        "system": [
            {"type": "text", "text": "Be brief."},
            {"type": "text", "text": "Be kind.", "cache_control": {"type": "ephemeral", "ttl": "1h"}},
        ],
        "tools": [
            {"name": "f", "description": "d", "input_schema": {"type": "object"}, "cache_control": {"type": "ephemeral"}},
            {"type": "custom", "name": "g", "input_schema": {}},
            {"type": "web_search_20250305", "name": "web_search", "max_uses": 3},
        ],
        "tool_choice": {"type": "any", "disable_parallel_tool_use": true},
        "messages": [
            {"role": "user", "content": "hello"},
            {"role": "user", "content": [
                {"type": "text", "text": "look", "cache_control": {"type": "ephemeral"}},
                {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "AAAA"}},
                {"type": "image", "source": {"type": "url", "url": "https://example.com/a.png"}},
                {"type": "image", "source": {"type": "file", "file_id": "file_1"}},
                {"type": "document", "source": {"type": "base64", "media_type": "application/pdf", "data": "AAAA"}, "title": "t"},
                {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "plain"}},
                {"type": "document", "source": {"type": "content", "content": "within"}},
                {"type": "document", "source": {"type": "url", "url": "https://example.com/a.pdf"}, "citations": {"enabled": true}},
                {"type": "search_result", "source": "s", "title": "t", "content": []},
            ]},
            {"role": "assistant", "content": [
                {"type": "thinking", "thinking": "hm", "signature": "sig"},
                {"type": "redacted_thinking", "data": "xyz"},
                {"type": "text", "text": "so", "citations": [{"type": "char_location"}]},
                {"type": "tool_use", "id": "toolu_1", "name": "f", "input": {"x" : 1.50}, "caller": {"type": "direct"},
                    "cache_control": {"type": "ephemeral"}},
                {"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {}},
            ]},
            {"role": "user", "content": [
                {"type": "tool_result", "tool_use_id": "toolu_1", "is_error": true, "content": [
                    {"type": "text", "text": "18"},
                    {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "AAAA"}},
                ]},
                {"type": "tool_result", "tool_use_id": "toolu_2", "content": [{"type": "tool_reference", "tool_name": "g"}]},
            ]},
            {"role": "system", "content": "from now on"},
        ],
    })
}

#[test]
fn everything_a_client_says_is_read() {
    insta::assert_debug_snapshot!(asked(&everything()).unwrap());
}

#[test]
fn a_budget_an_effort_or_none_says_how_much_to_think() {
    let reasoning = |more: Value| {
        let mut body = json!({"model": "m", "max_tokens": 1, "messages": [{"role": "user", "content": "x"}]});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let request = asked(&body).unwrap();
        (request.reasoning, request.extra.into_iter().map(|field| field.name).collect::<Vec<_>>())
    };
    let effort = || Some(Reasoning::Effort("high".into()));
    assert_eq!(reasoning(json!({})), (None, vec![]));
    assert_eq!(reasoning(json!({"thinking": {"type": "disabled"}})), (Some(Reasoning::Budget(0)), vec![]));
    assert_eq!(reasoning(json!({"thinking": {"type": "adaptive"}})), (None, vec!["thinking".into()]));
    assert_eq!(reasoning(json!({"output_config": {"effort": "high"}})), (effort(), vec![]));
    let both = json!({"thinking": {"type": "adaptive"}, "output_config": {"effort": "high", "more": 1}});
    assert_eq!(reasoning(both), (effort(), vec!["output_config".into(), "thinking".into()]));
    let both = json!({"thinking": {"type": "enabled", "budget_tokens": 7}, "output_config": {"effort": "high"}});
    assert_eq!(reasoning(both), (Some(Reasoning::Budget(7)), vec![]));
}

#[test]
fn betas_are_whatever_the_headers_say() {
    let mut headers = HeaderMap::new();
    assert_eq!(betas(&headers), None);
    headers.append("anthropic-beta", "a-2025, ,b".parse().unwrap());
    headers.append("anthropic-beta", "no \"such\"".parse().unwrap());
    assert_eq!(betas(&headers).unwrap().value, r#"["a-2025","b","no \"such\""]"#);
}

#[test]
fn each_provider_gets_what_it_can_follow() {
    let mut request = asked(&everything()).unwrap();
    request.extra.push(Field { name: "mcp_servers".into(), value: "[]".into() });
    request.extra.push(Field { name: ANTHROPIC_BETA.into(), value: "[]".into() });
    let names = |request: &Request| request.extra.iter().map(|field| field.name.clone()).collect::<Vec<_>>();

    let stranger = request.clone().for_dialects(&["openai".into()]);
    assert_eq!(names(&stranger), ["mcp_servers"]);
    assert!(stranger.tools.iter().all(|tool| tool.extra.is_empty()) && stranger.messages == request.messages);

    let kin = request.clone().for_dialects(&["anthropic".into()]);
    assert_eq!((names(&kin), &kin.messages), (names(&request), &request.messages));

    request.raw = Some("{}".into());
    let kin = request.for_dialects(&["anthropic".into()]);
    assert_eq!(names(&kin), [ANTHROPIC_BETA]);
    assert!(kin.messages.is_empty() && kin.raw.is_some());
}

#[test]
fn nesting_ends_at_the_second_level() {
    let mut block = json!({"type": "text", "text": "x"});
    for _ in 0..100 {
        block = json!({"type": "document", "source": {"type": "content", "content": [block]}});
    }
    let body = json!({"model": "m", "max_tokens": 1, "messages": [{"role": "user", "content": [block]}]});
    let request = asked(&body).unwrap();
    assert!(matches!(request.messages[0].parts.as_slice(), [Part::Other(_)]), "{request:?}");
}

#[test]
fn the_document_tells_what_is_read() {
    // These may be kept beside what was understood of them.
    let kept = ["thinking", "output_config", "output_format", "metadata"];
    let names = |request: Request| {
        let names = request.extra.into_iter().map(|field| field.name);
        names.filter(|name| !kept.contains(&name.as_str())).collect()
    };
    let mut minimal = json!({"model": "m", "messages": [{"role": "user", "content": "x"}]});
    agree("CountTokensRequest", &minimal, |body| Ok(names(read(body, Purpose::Count)?)));
    minimal["max_tokens"] = json!(1);
    agree("MessageRequest", &minimal, |body| Ok(names(read(body, Purpose::Answer)?)));
    assert!(fields(&minimal).has("max_tokens"));
}
