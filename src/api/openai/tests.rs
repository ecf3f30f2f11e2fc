//! Tests of OpenAI's dialect: what is read, what is written.

use bytes::Bytes;
use serde_json::Value;

use super::request::{Asked, read};
use super::stream::Writer;
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
            {"role": "tool", "tool_call_id": "c1", "content": "42"}
        ]
    }"#;
    let Asked { request, include_usage } = asked(body).unwrap();
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
    assert!(matches!(&request.messages[3].parts[0], Part::Outcome(result) if result.call_id == "c1"));
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
            r#"{"model":"m","tools":[{"type":"web_search"}],"messages":[{"role":"user","content":"x"}]}"#,
            "tools[0].type",
        ),
        (r#"{"model":"m","stop":5,"messages":[{"role":"user","content":"x"}]}"#, "stop"),
    ] {
        let error = refused(body);
        assert_eq!(error.param(), Some(param), "{body}: {error}");
        assert!(matches!(error.kind(), Kind::MissingField | Kind::InvalidValue | Kind::Unsupported));
    }
}

fn written(events: Vec<Event>, include_usage: bool) -> Vec<Value> {
    let mut writer = Writer::new("id".into(), "m".into(), 7, include_usage);
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
    let usage = Usage { input: 3, output: 2, cache_read: 1, cache_write: 0, reasoning: 1, cost: None };
    let chunks = written(vec![stop(StopReason::Complete), Event::Usage(usage)], true);
    assert!(chunks[0]["usage"].is_null());
    let last = &chunks[chunks.len() - 2];
    assert_eq!(last["choices"], Value::Array(Vec::new()));
    assert_eq!(last["usage"]["total_tokens"], 5);
    assert_eq!(last["usage"]["prompt_tokens_details"]["cached_tokens"], 1);
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
