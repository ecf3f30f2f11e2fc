//! Tests of the Responses API's dialect: what is read, what is written.

use bytes::Bytes;
use serde_json::{Value, json};

use super::answer::Frame;
use super::request::{Asked, Shown, read};
use super::stream::Writer;
use super::tools::Names;
use crate::api::tests::agree;
use crate::http::Fields;
use crate::model::Result;
use crate::model::chat::*;

fn asked(body: &Value) -> Result<Asked> {
    read(Fields::parse(&Bytes::from(body.to_string()))?, false)
}

fn messages(input: Value) -> Vec<Message> {
    asked(&json!({"model": "m", "input": input})).unwrap().request.messages
}

#[test]
fn one_turn_of_the_model_is_one_message() {
    let call = |id: &str| json!({"type": "function_call", "call_id": id, "name": "f", "arguments": "{}"});
    let output = |id: &str| json!({"type": "function_call_output", "call_id": id, "output": "x"});
    let thought = json!({"type": "reasoning", "summary": [{"type": "summary_text", "text": "a"}, {"type": "summary_text", "text": "b"}],
        "encrypted_content": "sig"});
    let words = |text: &str| json!({"role": "assistant", "content": [{"type": "output_text", "text": text}]});
    let roles =
        |input: Value| messages(input).iter().map(|message| (message.role, message.parts.len())).collect::<Vec<_>>();

    let turn = json!([{"role": "user", "content": "x"}, thought, words("y"), call("1"), call("2"), output("1"), output("2"), words("z")]);
    assert_eq!(
        roles(turn.clone()),
        [(Role::User, 1), (Role::Assistant, 4), (Role::Tool, 1), (Role::Tool, 1), (Role::Assistant, 1)]
    );
    let Part::Thinking(thinking) = &messages(turn)[1].parts[0] else { panic!("no thought") };
    assert_eq!((thinking.text.as_str(), thinking.signature.as_deref()), ("a\n\nb", Some("sig")));
    // What comes after a call, but before its result, belongs to the turn all the same.
    assert_eq!(roles(json!([call("1"), words("y"), output("1")])), [(Role::Assistant, 2), (Role::Tool, 1)]);
    // Words after words are another message.
    assert_eq!(roles(json!([words("y"), words("z")])), [(Role::Assistant, 1), (Role::Assistant, 1)]);
}

#[test]
fn only_the_answers_own_business_is_left_to_the_provider() {
    let body = json!({
        "model": "m", "input": "x", "store": true, "stream_options": {"include_obfuscation": false}, "truncation": "auto",
        "include": ["reasoning.encrypted_content"], "prompt_cache_key": "k", "metadata": {}, "service_tier": "auto",
        "client_metadata": {}, "tools": [{"type": "function", "name": "f", "strict": true}, {"type": "web_search"}],
    });
    let request = asked(&body).unwrap().request;
    assert_eq!((request.extra, request.tools[0].extra.len()), (vec![], 0));
    assert_eq!(request.native_tools, [r#"{"type":"web_search"}"#]);

    let body = json!({
        "model": "m", "input": "x", "include": ["message.output_text.logprobs"], "top_logprobs": 2, "prompt": {"id": "p"},
        "text": {"verbosity": "low"}, "tool_choice": {"type": "web_search"}, "a_field_of_tomorrow": 1,
    });
    let names: Vec<String> = asked(&body).unwrap().request.extra.into_iter().map(|field| field.name).collect();
    let told = ["prompt", "a_field_of_tomorrow", "tool_choice", "include", "text.verbosity", "top_logprobs"];
    assert_eq!(names, told);
}

#[test]
fn what_a_vendor_wants_to_see_again_comes_back() {
    let sealed = super::sealed::Sealed::Call {
        id: "c1".into(),
        extra: vec![Field { name: "extra_content".into(), value: r#"{"google":{"thought_signature":"s"}}"#.into() }],
    };
    let input = json!([
        {"type": "reasoning", "summary": [], "encrypted_content": sealed.write()},
        {"type": "reasoning", "summary": [], "encrypted_content": "mortise.redacted.abc"},
        {"type": "function_call", "call_id": "c1", "name": "f", "arguments": "{}"},
        {"type": "function_call", "call_id": "c2", "name": "f", "arguments": "{}", "extra_content": {"a": 1}},
    ]);
    let message = messages(input).remove(0);
    let Part::Thinking(thinking) = &message.parts[0] else { panic!("no thought") };
    assert_eq!((thinking.text.as_str(), thinking.redacted), ("abc", true));
    for (part, value) in [(1, r#"{"google":{"thought_signature":"s"}}"#), (2, r#"{"a":1}"#)] {
        let Part::Call(call) = &message.parts[part] else { panic!("no call") };
        assert_eq!(call.extra, [Field { name: "extra_content".into(), value: value.into() }]);
    }
}

fn written(events: Vec<Event>) -> Vec<Value> {
    written_by(Frame::new("m".into(), 7, Shown::default(), Names::default(), false), events)
}

fn written_by(frame: Frame, events: Vec<Event>) -> Vec<Value> {
    let mut writer = Writer::new(frame);
    let mut out = Vec::new();
    events.into_iter().for_each(|event| writer.event(&mut out, event));
    writer.done(&mut out);
    let text = String::from_utf8(out).unwrap();
    let data = text.split("\n\n").filter_map(|event| event.split_once("data: "));
    data.map(|(_, data)| serde_json::from_str(data).unwrap()).collect()
}

fn items(events: Vec<Event>) -> Value {
    written(events).pop().unwrap()["response"]["output"].clone()
}

fn begins(block: u32, id: &str) -> Event {
    Event::CallStarted { block, id: id.into(), name: "f".into(), extra: Vec::new() }
}

fn given(block: u32, text: &str) -> Event {
    Event::CallArguments { block, text: text.into() }
}

fn stop(reason: StopReason) -> Event {
    Event::Stopped(Stop { reason, sequence: None })
}

#[test]
fn interleaved_calls_are_put_in_order() {
    let events = vec![
        begins(0, "a"),
        begins(1, "b"),
        begins(2, "c"),
        given(1, "{\"b\":"),
        given(0, "{\"a\""),
        given(2, "{}"),
        given(0, ":1}"),
        given(1, "2}"),
        Event::Text { block: 3, text: "x".into() },
        stop(StopReason::ToolCalls),
    ];
    let items = items(events);
    let told: Vec<_> =
        items.as_array().unwrap().iter().map(|item| item["arguments"].as_str().unwrap_or("text")).collect();
    assert_eq!(told, [r#"{"a":1}"#, r#"{"b":2}"#, "{}", "text"]);
}

#[test]
fn a_call_that_never_ends_keeps_the_others_waiting_to_the_end() {
    let items = items(vec![begins(0, "a"), begins(1, "b"), given(0, "{bad"), given(1, "{}"), stop(StopReason::Length)]);
    let told: Vec<_> = items
        .as_array()
        .unwrap()
        .iter()
        .map(|item| (item["arguments"].as_str().unwrap(), item["status"].as_str().unwrap()))
        .collect();
    assert_eq!(told, [("{bad", "completed"), ("{}", "incomplete")]);
}

#[test]
fn signed_and_hidden_thoughts_are_kept() {
    let thinking = |block: u32, text: &str| Event::Thinking { block, text: text.into() };
    let items = items(vec![
        thinking(0, "deep "),
        thinking(0, "thought"),
        Event::Signature { block: 0, text: "sig".into() },
        Event::Redacted { block: 1, text: "secret".into() },
        Event::Signature { block: 2, text: "alone".into() },
        Event::CallStarted {
            block: 3,
            id: "c".into(),
            name: "f".into(),
            extra: vec![Field { name: "x".into(), value: "1".into() }],
        },
        stop(StopReason::ToolCalls),
    ]);
    assert_eq!(items[0]["summary"][0]["text"], "deep thought");
    assert_eq!(items[0]["encrypted_content"], "sig");
    assert_eq!((&items[1]["encrypted_content"], &items[1]["summary"]), (&json!("mortise.redacted.secret"), &json!([])));
    assert_eq!(items[2]["encrypted_content"], "alone");
    assert!(items[3]["encrypted_content"].as_str().unwrap().starts_with("mortise.call."), "{items}");
    assert_eq!((&items[4]["arguments"], &items[4]["x"]), (&json!("{}"), &json!(1)));
}

#[test]
fn the_dialects_own_words_stay_as_they_are() {
    let body = json!({"model": "m", "input": "x", "tools": [
        {"type": "namespace", "name": "n", "tools": [{"type": "custom", "name": "patch"}]},
    ]});
    let Asked { names, shown, .. } = asked(&body).unwrap();
    let frame = Frame::new("m".into(), 7, shown, names, true);
    let sealed = |block: u32, text: &str| Event::Signature { block, text: text.into() };
    let namespace = vec![Field { name: "namespace".into(), value: "\"n\"".into() }];
    let events = vec![
        Event::Started { id: Some("resp_vendor".into()), model: None },
        sealed(0, "rs_1:"),
        Event::Thinking { block: 0, text: "deep".into() },
        sealed(0, "rs_1:gAAA"),
        Event::Redacted { block: 1, text: "rs_2:gBBB".into() },
        Event::CallStarted { block: 2, id: "c".into(), name: "patch".into(), extra: namespace },
        given(2, "{\"input\":"),
        given(2, "\"x\"}"),
        Event::Text { block: 3, text: "done".into() },
        stop(StopReason::ToolCalls),
    ];
    let written = written_by(frame, events);
    assert!(written.iter().all(|event| event["item_id"] != json!(null)
        || event["item"] != json!(null)
        || event["response"]["id"] == "resp_vendor"));
    let items = &written.last().unwrap()["response"]["output"];
    assert_eq!(
        items[0],
        json!({"type": "reasoning", "id": "rs_1", "summary": [{"type": "summary_text", "text": "deep"}], "encrypted_content": "gAAA"})
    );
    assert_eq!(items[1], json!({"type": "reasoning", "id": "rs_2", "summary": [], "encrypted_content": "gBBB"}));
    assert_eq!((&items[2]["type"], &items[2]["namespace"]), (&json!("custom_tool_call"), &json!("n")));
    assert_eq!((&items[2]["input"], &items[3]["type"]), (&json!("{\"input\":\"x\"}"), &json!("message")));
}

#[test]
fn sources_and_a_vendors_own_items_are_told() {
    let citation = r#"{"type":"web_search_result_location","url":"https://a","title":"A","cited_text":"x"}"#;
    let search = r#"{"id":"ws_1","type":"web_search_call","status":"completed"}"#;
    let events = vec![
        Event::Other { block: 0, text: search.into() },
        Event::Text { block: 1, text: "hi".into() },
        Event::Annotation { block: 1, text: citation.into() },
        Event::Text { block: 2, text: "there".into() },
        Event::Extra(Field { name: "service_tier".into(), value: "\"flex\"".into() }),
        stop(StopReason::Complete),
    ];
    let written = written(events);
    let response = &written.last().unwrap()["response"];
    assert_eq!(response["output"][0], serde_json::from_str::<Value>(search).unwrap());
    let content = &response["output"][1]["content"];
    assert_eq!(
        content[0]["annotations"][0],
        json!({"type": "url_citation", "start_index": 0, "end_index": 2, "url": "https://a", "title": "A"})
    );
    assert_eq!((&content[1]["text"], &response["service_tier"]), (&json!("there"), &json!("flex")));
}

#[test]
fn the_document_tells_what_is_read() {
    let minimal = json!({"model": "m", "input": "x"});
    // What other fields say too, for providers of other dialects.
    let own = ["include", "tool_choice", "top_logprobs", "text.verbosity"];
    agree("CreateResponse", &minimal, |body| {
        let extra = read(body, false)?.request.extra.into_iter();
        Ok(extra.map(|field| field.name).filter(|name| !own.contains(&name.as_str())).collect())
    });
}
