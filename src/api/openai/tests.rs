//! Tests of OpenAI's dialect: what is read, what is written.

use bytes::Bytes;
use serde_json::Value;

use super::request::{Asked, read};
use super::stream::Writer;
use super::tools::Style;
use crate::api::tests::agree;
use crate::http::Fields;
use crate::model::chat::*;
use crate::model::{Error, Kind, Result};

fn asked(body: &str) -> Result<Asked> {
    read(Fields::parse(&Bytes::copy_from_slice(body.as_bytes()))?)
}

fn refused(body: &str) -> Error {
    asked(body).unwrap_err()
}

#[test]
fn everything_a_client_says_is_read() {
    let body = r#"{
        "model": "m", "stream": true, "stream_options": {"include_usage": true}, "max_tokens": 5, "temperature": 0.5,
        "top_p": 0.9, "stop": "END", "seed": -3, "user": "u", "parallel_tool_calls": false, "reasoning_effort": "low",
        "presence_penalty": 1, "logit_bias": {"50256": -100}, "tool_choice": {"type": "function", "function": {"name": "f"}},
        "response_format": {"type": "json_schema", "json_schema": {"name": "s", "schema": {"type" : "object"}, "strict": true}},
        "tools": [{"type": "function", "function": {"name": "f", "parameters": {"a" : 1.0}, "strict": true}}],
        "messages": [
            {"role": "developer", "content": "be kind"},
            {"role": "user", "name": "ann", "content": [
                {"type": "text", "text": "look", "cache_control": {"type": "ephemeral", "ttl": "1h"}},
                {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA", "detail": "low"}},
                {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}},
                {"type": "input_audio", "input_audio": {"data": "UklG", "format": "wav"}},
                {"type": "file", "file": {"file_id": "file-1"}},
                {"type": "video_url", "video_url": {"url": "x"}}
            ]},
            {"role": "assistant", "content": null, "tool_calls": [{"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{bad"}}]},
            {"role": "tool", "tool_call_id": "c1", "content": [
                {"type": "text", "text": "42", "cache_control": {"type": "ephemeral"}},
                {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}
            ]}
        ]
    }"#;
    let Asked { request, include_usage, .. } = asked(body).unwrap();
    assert!(include_usage && request.streaming);
    assert_eq!(request.max_tokens, Some(5));
    assert_eq!(request.stop, ["END"]);
    assert_eq!(request.tool_choice, Some(ToolChoice::Named("f".into())));
    assert_eq!(request.tools[0].parameters, r#"{"a" : 1.0}"#);
    assert_eq!(request.tools[0].extra, [Field { name: "strict".into(), value: "true".into() }]);
    assert_eq!(request.extra, [Field { name: "logit_bias".into(), value: r#"{"50256": -100}"#.into() }]);
    assert_eq!(request.messages[0].role, Role::Developer);
    let parts = &request.messages[1].parts;
    assert_eq!(parts.len(), 7);
    assert_eq!(parts[1], Part::CachePoint(CachePoint { ttl: Some("1h".into()) }));
    assert!(
        matches!(&parts[2], Part::Media(media) if media.mime == "image/png" && media.detail.as_deref() == Some("low"))
    );
    assert!(matches!(&parts[3], Part::Media(Media { source: MediaSource::Url(_), .. })));
    assert!(matches!(&parts[6], Part::Other(raw) if raw.contains("video_url")));
    assert!(matches!(&request.messages[2].parts[0], Part::Call(call) if call.arguments == "{bad"));
    let [Part::Outcome(result), Part::CachePoint(_)] = &*request.messages[3].parts else { panic!("{request:?}") };
    assert!(matches!(&*result.parts, [ResultPart::Text(_), ResultPart::Media(_)]) && result.call_id == "c1");
}

#[test]
fn mistakes_are_named_by_their_path() {
    for (body, param) in [
        (r#"{"messages":[{"role":"user","content":"x"}]}"#, "model"),
        (r#"{"model":"m"}"#, "messages"),
        (r#"{"model":"m","messages":[]}"#, "messages"),
        (r#"{"model":"m","messages":[{"content":"x"}]}"#, "messages[0].role"),
        (r#"{"model":"m","messages":[{"role":"user"}]}"#, "messages[0].content"),
        (r#"{"model":"m","messages":[{"role":"user","content":7}]}"#, "messages[0].content"),
        (r#"{"model":"m","messages":[{"role":"pope","content":"x"}]}"#, "messages[0].role"),
        (
            r#"{"model":"m","messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"file:///etc/passwd"}}]}]}"#,
            "messages[0].content[0].image_url.url",
        ),
        (r#"{"model":"m","n":2,"messages":[{"role":"user","content":"x"}]}"#, "n"),
        (r#"{"model":"m","temperature":3,"messages":[{"role":"user","content":"x"}]}"#, "temperature"),
        (
            r#"{"model":"m","tools":[{"type":"function"}],"messages":[{"role":"user","content":"x"}]}"#,
            "tools[0].function",
        ),
        (r#"{"model":"m","stop":5,"messages":[{"role":"user","content":"x"}]}"#, "stop"),
    ] {
        let error = refused(body);
        assert_eq!(error.param(), Some(param), "{body}: {error}");
        assert!(matches!(error.kind(), Kind::MissingField | Kind::InvalidValue | Kind::Unsupported));
    }
}

fn written(events: Vec<Event>, include_usage: bool) -> Vec<Value> {
    written_as(Style::default(), events, include_usage)
}

fn written_as(style: Style, events: Vec<Event>, include_usage: bool) -> Vec<Value> {
    let mut writer = Writer::new("id".into(), "m".into(), 7, include_usage, style);
    let mut out = Vec::new();
    events.into_iter().for_each(|event| writer.event(&mut out, event));
    writer.done(&mut out);
    let text = String::from_utf8(out).unwrap();
    text.split("\n\n")
        .filter_map(|event| event.strip_prefix("data: "))
        .map(|data| serde_json::from_str(data).unwrap_or_else(|_| Value::String(data.into())))
        .collect()
}

fn stop(reason: StopReason) -> Event {
    Event::Stopped(Stop { reason, sequence: None })
}

#[test]
fn a_stream_begins_with_the_role_and_ends_with_done() {
    let chunks = written(vec![Event::Text { block: 0, text: "hi".into() }, stop(StopReason::Complete)], false);
    assert_eq!(chunks[0]["choices"][0]["delta"]["role"], "assistant");
    assert_eq!(chunks[1]["choices"][0]["delta"]["content"], "hi");
    assert_eq!(chunks[2]["choices"][0]["finish_reason"], "stop");
    assert_eq!(chunks[3], "[DONE]");
    assert!(chunks[0].get("usage").is_none());
}

#[test]
fn usage_is_a_last_chunk_without_choices_for_who_asked() {
    let usage =
        Usage { input: 3, output: 2, cache_read: 1, cache_write: 0, cache_write_hour: 0, reasoning: 1, cost: None };
    let chunks = written(vec![stop(StopReason::Complete), Event::Usage(usage)], true);
    assert!(chunks[0]["usage"].is_null());
    let last = &chunks[chunks.len() - 2];
    assert_eq!(last["choices"], Value::Array(Vec::new()));
    assert_eq!(last["usage"]["total_tokens"], 5);
    assert_eq!(last["usage"]["prompt_tokens_details"]["cached_tokens"], 1);
}

#[test]
fn what_a_vendor_counts_beside_stands_in_the_usage() {
    let field = |name: &str, value: &str| Event::Extra(Field { name: name.into(), value: value.into() });
    let usage = Usage { input: 3, output: 2, ..Usage::default() };
    let events = || {
        vec![
            field("usage.service_tier", "\"batch\""),
            field("usage.prompt_tokens_details.audio_tokens", "1"),
            field("usage.completion_tokens_details.audio_tokens", "2"),
            stop(StopReason::Complete),
            field("usage.service_tier", "\"standard\""),
            Event::Usage(usage),
        ]
    };
    let chunks = written(events(), true);
    assert_eq!(chunks.len(), 4, "none of them has a chunk of its own: {chunks:?}");
    let told = &chunks[2]["usage"];
    assert_eq!((&told["service_tier"], &told["total_tokens"]), (&Value::from("standard"), &Value::from(5)));
    assert_eq!(told["prompt_tokens_details"]["audio_tokens"], 1);
    assert_eq!(told["completion_tokens_details"]["audio_tokens"], 2);
    assert_eq!(written(events(), false).len(), 3, "who didn't ask isn't told");
}

#[test]
fn calls_count_from_zero_and_end_as_calls_whatever_the_vendor_said() {
    let chunks = written(
        vec![
            Event::Text { block: 0, text: "a".into() },
            Event::CallStarted { block: 4, id: "c".into(), name: "f".into(), extra: Vec::new() },
            Event::CallStarted { block: 2, id: "d".into(), name: "g".into(), extra: Vec::new() },
            Event::CallArguments { block: 4, text: "{\"x\":1}".into() },
            stop(StopReason::Complete),
        ],
        false,
    );
    let calls: Vec<&Value> = chunks
        .iter()
        .map(|chunk| &chunk["choices"][0]["delta"]["tool_calls"][0])
        .filter(|call| !call.is_null())
        .collect();
    assert_eq!(calls[0]["index"], 0);
    assert_eq!(calls[1]["index"], 1);
    assert_eq!(calls[2]["function"]["arguments"], "{\"x\":1}");
    assert_eq!((calls[3]["index"].as_u64(), &calls[3]["function"]["arguments"]), (Some(1), &Value::from("{}")));
    assert_eq!(chunks[chunks.len() - 2]["choices"][0]["finish_reason"], "tool_calls");
}

#[test]
fn a_field_of_the_vendor_stands_where_openai_has_it() {
    let field = |name: &str, value: &str| Event::Extra(Field { name: name.into(), value: value.into() });
    let chunks = written(
        vec![field("system_fingerprint", "\"fp\""), field("logprobs", "{\"content\":[]}"), stop(StopReason::Length)],
        false,
    );
    assert_eq!(chunks[1]["system_fingerprint"], "fp");
    assert!(chunks[2]["choices"][0]["logprobs"].is_object());
    assert_eq!(chunks[3]["choices"][0]["finish_reason"], "length");
}

#[test]
fn what_is_told_after_the_end_stands_in_no_choice() {
    let field = |name: &str| Event::Extra(Field { name: name.into(), value: "1".into() });
    let chunks = written(vec![stop(StopReason::Complete), field("service_tier"), field("logprobs")], false);
    assert_eq!(chunks[1]["choices"][0]["finish_reason"], "stop");
    for (chunk, name) in [(&chunks[2], "service_tier"), (&chunks[3], "logprobs")] {
        assert_eq!((&chunk["choices"], &chunk[name]), (&Value::Array(Vec::new()), &Value::from(1)));
    }
    assert_eq!(chunks[4], "[DONE]");
}

/// What is asked with `more` beside a user's word.
fn asked_with(more: &str) -> Asked {
    asked(&format!(r#"{{"model":"m","messages":[{{"role":"user","content":"x"}}],{more}}}"#)).unwrap()
}

#[test]
fn tools_of_free_text_are_offered_as_functions_and_called_as_what_they_are() {
    let Asked { request, style, .. } = asked_with(
        r#""tools":[{"type":"custom","custom":{"name":"patch"}},{"type":"web"},{"type":"function","function":{"name":"f"},"cache_control":{}}],
        "tool_choice":{"type":"custom","custom":{"name":"patch"}}"#,
    );
    assert_eq!((request.tools.len(), request.tool_choice), (2, Some(ToolChoice::Named("patch".into()))));
    assert_eq!(request.native_tools, [r#"{"type":"web"}"#]);
    assert_eq!(request.tools[1].extra[0].name, "cache_control");
    let events = vec![
        Event::CallStarted { block: 0, id: "c".into(), name: "patch".into(), extra: Vec::new() },
        Event::CallArguments { block: 0, text: r#"{"inp"#.into() },
        Event::CallArguments { block: 0, text: r#"ut":"a \"b\""}"#.into() },
        stop(StopReason::ToolCalls),
    ];
    let chunks = written_as(style, events, false);
    let call = |chunk: usize| &chunks[chunk]["choices"][0]["delta"]["tool_calls"][0];
    assert_eq!((&call(1)["type"], &call(1)["custom"]["name"]), (&Value::from("custom"), &Value::from("patch")));
    assert_eq!((&call(2)["index"], &call(2)["custom"]["input"]), (&Value::from(0), &Value::from("a \"b\"")));

    let body = r#"{"model":"m","messages":[{"role":"assistant","tool_calls":[
        {"id":"c","type":"custom","custom":{"name":"patch","input":"a \"b\""}}]}]}"#;
    let Part::Call(call) = &asked(body).unwrap().request.messages[0].parts[0] else { panic!("no call") };
    assert_eq!(call.arguments, r#"{"input":"a \"b\""}"#);
}

#[test]
fn a_limit_has_two_names() {
    let limit = |more: &str| asked_with(more).request.max_tokens;
    assert_eq!(limit(r#""max_tokens":5"#), Some(5));
    assert_eq!(limit(r#""max_completion_tokens":7"#), Some(7));
    assert_eq!(limit(r#""max_tokens":5,"max_completion_tokens":7"#), Some(7), "the newer one");
    assert_eq!(limit(r#""max_tokens":null,"max_completion_tokens":null"#), None);
}

#[test]
fn only_the_allowed_tools_are_offered() {
    let tools = r#""tools":[{"type":"function","function":{"name":"f"}},{"type":"function","function":{"name":"g"}}]"#;
    let choice = r#""tool_choice":{"type":"allowed_tools","allowed_tools":{"mode":"required","tools":[{"type":"function","function":{"name":"g"}}]}}"#;
    let request = asked_with(&format!("{tools},{choice}")).request;
    assert_eq!((request.tools.len(), request.tools[0].name.as_str()), (1, "g"));
    assert_eq!(request.tool_choice, Some(ToolChoice::Required));
}

#[test]
fn functions_from_before_there_were_tools_are_tools() {
    let Asked { request, style, .. } = asked_with(r#""functions":[{"name":"f"}],"function_call":{"name":"f"}"#);
    assert_eq!((request.tools[0].name.as_str(), request.parallel_tool_calls), ("f", Some(false)));
    assert_eq!(request.tool_choice, Some(ToolChoice::Named("f".into())));
    let events = vec![
        Event::CallStarted { block: 0, id: "c".into(), name: "f".into(), extra: Vec::new() },
        Event::CallArguments { block: 0, text: "{}".into() },
        stop(StopReason::ToolCalls),
    ];
    let chunks = written_as(style, events, false);
    assert_eq!(chunks[1]["choices"][0]["delta"]["function_call"]["name"], "f");
    assert_eq!(chunks[2]["choices"][0]["delta"]["function_call"]["arguments"], "{}");
    assert_eq!(chunks[3]["choices"][0]["finish_reason"], "function_call");

    let called = r#"{"role":"assistant","content":null,"function_call":{"name":"f","arguments":"{}"}}"#;
    let answered = r#"{"role":"function","name":"f","content":"42"}"#;
    let body = format!(r#"{{"model":"m","messages":[{called},{answered},{called},{answered}]}}"#);
    let messages = asked(&body).unwrap().request.messages;
    let ids: Vec<&str> = messages
        .iter()
        .map(|message| match &message.parts[0] {
            Part::Call(call) => call.id.as_str(),
            Part::Outcome(result) => result.call_id.as_str(),
            other => panic!("{other:?}"),
        })
        .collect();
    assert!(ids[0] == ids[1] && ids[2] == ids[3] && ids[0] != ids[2], "{ids:?}");
    let error = refused(&format!(r#"{{"model":"m","messages":[{answered}]}}"#));
    assert_eq!(error.param(), Some("messages[0].name"), "{error}");
}

#[test]
fn signed_thoughts_are_told_and_read_again() {
    let thinking = |block: u32, text: &str| Event::Thinking { block, text: text.into() };
    let chunks = written(
        vec![
            thinking(0, "deep "),
            thinking(0, "thought"),
            Event::Signature { block: 0, text: "sig".into() },
            Event::Redacted { block: 1, text: "secret".into() },
            stop(StopReason::Complete),
        ],
        false,
    );
    let details: Vec<Value> = chunks
        .iter()
        .filter_map(|chunk| chunk["choices"][0]["delta"].get("reasoning_details"))
        .map(|details| details[0].clone())
        .collect();
    assert_eq!(details[0]["text"], "deep thought");
    assert_eq!((&details[0]["index"], &details[1]["index"]), (&Value::from(0), &Value::from(1)));

    let message = serde_json::json!({"role": "assistant", "content": "x", "reasoning_content": "deep thought", "reasoning_details": details});
    let body = serde_json::json!({"model": "m", "messages": [message]});
    let parts = asked(&body.to_string()).unwrap().request.messages.remove(0).parts;
    let signed = Thinking { text: "deep thought".into(), signature: Some("sig".into()), redacted: false };
    let hidden = Thinking { text: "secret".into(), signature: None, redacted: true };
    assert_eq!(parts, [Part::Thinking(signed), Part::Thinking(hidden), Part::Text("x".into())]);
}

#[test]
fn sources_are_told_once_by_their_place_in_the_text() {
    let text = |block: u32, text: &str| Event::Text { block, text: text.into() };
    let source = r#"{"type":"web_search_result_location","url":"https://a","title":"A","cited_text":"x"}"#;
    let chunks = written(
        vec![
            text(0, "naïve "),
            text(1, "words"),
            Event::Annotation { block: 1, text: source.into() },
            stop(StopReason::Complete),
        ],
        false,
    );
    let source = &chunks[3]["choices"][0]["delta"]["annotations"][0]["url_citation"];
    assert_eq!((&source["start_index"], &source["end_index"]), (&Value::from(6), &Value::from(11)), "{chunks:?}");
}

#[test]
fn costs_are_told_where_the_vendor_tells_them() {
    let usage = Usage { input: 3, output: 2, cache_write: 1, cost: Some(0.5), ..Usage::default() };
    let chunks = written(vec![stop(StopReason::Complete), Event::Usage(usage)], true);
    let told = &chunks[chunks.len() - 2]["usage"];
    assert_eq!(
        (&told["cost"], &told["prompt_tokens_details"]["cache_write_tokens"]),
        (&Value::from(0.5), &Value::from(1))
    );
}

#[test]
fn the_document_tells_what_is_read() {
    let names = |extra: Vec<Field>| extra.into_iter().map(|field| field.name).collect();
    let minimal = serde_json::json!({"model": "m", "messages": [{"role": "user", "content": "x"}]});
    agree("ChatCompletionRequest", &minimal, |body| Ok(names(read(body)?.request.extra)));
    let minimal = serde_json::json!({"model": "m", "input": "x"});
    agree("EmbeddingRequest", &minimal, |mut body| {
        super::embeddings::read(&mut body)?;
        Ok(names(body.into_extra()))
    });
}
