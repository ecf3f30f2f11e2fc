//! The endpoint `/responses`: what is asked there, and what its answers become.

use mortise_sdk::chat::{
    Event, Field, JsonSchema, Media, MediaSource, Message, Part, Reasoning, Request, ResponseFormat, ResultPart, Role,
    Started, StopReason, Thinking, Tool, ToolCall, ToolChoice, ToolResult, Usage,
};
use mortise_sdk::http::Framing;
use mortise_sdk::provider::{ErrorKind, Operation};
use mortise_sdk::testing::Run;
use serde_json::{Value, json};

use crate::vendor::{Vendor, begin, request};

const SETTINGS: &str = r#"{"api": "responses"}"#;

fn ask(request: Request) -> Run {
    Run::new::<Vendor>(Operation::Chat(request), SETTINGS)
}

fn body(request: Request) -> Value {
    ask(request).sent_json()
}

fn plain() -> Request {
    request(vec![Message::user("hi")])
}

fn text(text: &str) -> Part {
    Part::Text(text.into())
}

#[test]
fn a_conversation_is_a_list_of_items() {
    let call = |id: &str, arguments: &str| {
        Part::Call(ToolCall { id: id.into(), name: "look".into(), arguments: arguments.into(), extra: vec![] })
    };
    let sealed = Thinking { text: "hm".into(), signature: Some("rs_1:gAAA".into()), redacted: false };
    let hidden = Thinking { text: "rs_2:gBBB".into(), signature: None, redacted: true };
    let foreign = Thinking { text: "so".into(), signature: Some("Ep4=".into()), redacted: false };
    let parts = vec![
        Part::Thinking(sealed),
        Part::Thinking(foreign),
        text("a"),
        text("b"),
        call("c1", "{\"x\":1}"),
        Part::Thinking(hidden),
        call("c2", ""),
        Part::Refusal("no".into()),
    ];
    let image = ResultPart::Media(Media {
        mime: "image/png".into(),
        source: MediaSource::Base64("AAAA".into()),
        name: None,
        detail: None,
    });
    let failed = ToolResult { call_id: "c2".into(), parts: vec![ResultPart::Text("gone".into())], failed: true };
    let shown = ToolResult { call_id: "c1".into(), parts: vec![ResultPart::Text("see".into()), image], failed: false };
    let messages = vec![
        Message::system("be brief"),
        Message::system("and kind"),
        Message::new(Role::Developer, vec![text("x")]),
        Message::user("hi"),
        Message::new(Role::Assistant, parts),
        Message::new(Role::User, vec![Part::Outcome(shown), Part::Outcome(failed), text("well?")]),
    ];
    let said = |role: &str, text: &str| json!({"type": "message", "role": role, "content": [{"type": "input_text", "text": text}]});
    let sent = body(request(messages));
    assert_eq!(sent["instructions"], "be brief");
    assert_eq!(
        sent["input"],
        json!([
            said("system", "and kind"),
            said("developer", "x"),
            said("user", "hi"),
            {"type": "reasoning", "id": "rs_1", "summary": [{"type": "summary_text", "text": "hm"}], "encrypted_content": "gAAA"},
            {"type": "message", "role": "assistant", "content": [
                {"type": "output_text", "text": "a"}, {"type": "output_text", "text": "b"},
            ]},
            {"type": "function_call", "call_id": "c1", "name": "look", "arguments": "{\"x\":1}"},
            {"type": "reasoning", "id": "rs_2", "summary": [], "encrypted_content": "gBBB"},
            {"type": "function_call", "call_id": "c2", "name": "look", "arguments": "{}"},
            {"type": "message", "role": "assistant", "content": [{"type": "refusal", "refusal": "no"}]},
            {"type": "function_call_output", "call_id": "c1", "output": [
                {"type": "input_text", "text": "see"}, {"type": "input_image", "image_url": "data:image/png;base64,AAAA"},
            ]},
            {"type": "function_call_output", "call_id": "c2", "output": "[the tool call failed] gone"},
            said("user", "well?"),
        ])
    );
    assert_eq!((&sent["store"], &sent["include"]), (&json!(false), &json!(["reasoning.encrypted_content"])));
}

#[test]
fn every_wish_has_its_place() {
    let schema =
        JsonSchema { name: None, description: None, schema: r#"{"type":"object"}"#.into(), strict: Some(true) };
    let extra = [("verbosity", "\"low\""), ("service_tier", "\"flex\""), ("n", "1"), ("stream_options", "{}")];
    let wishes = Request {
        tools: vec![
            Tool { extra: vec![Field::new("strict", "true")], ..Tool::new("f", r#"{"type":"object"}"#) },
            Tool { description: Some("d".into()), ..Tool::new("g", "{}") },
        ],
        tool_choice: Some(ToolChoice::Named("f".into())),
        parallel_tool_calls: Some(false),
        max_tokens: Some(9),
        temperature: Some(0.5),
        top_p: Some(0.25),
        reasoning: Some(Reasoning::Effort("high".into())),
        response_format: Some(ResponseFormat::JsonSchema(schema)),
        user: Some("u".into()),
        dialect: Some("openai".into()),
        extra: extra.iter().map(|(name, value)| Field::new(*name, *value)).collect(),
        streaming: true,
        ..plain()
    };
    let run = ask(wishes.clone());
    assert_eq!((run.sent().path.as_str(), run.sent().framing), ("/responses", Framing::Sse));
    assert_eq!(
        run.sent_json(),
        json!({
            "model": "m",
            "input": [{"type": "message", "role": "user", "content": [{"type": "input_text", "text": "hi"}]}],
            "tools": [
                {"type": "function", "name": "f", "parameters": {"type": "object"}, "strict": true},
                {"type": "function", "name": "g", "description": "d", "parameters": {}, "strict": false},
            ],
            "tool_choice": {"type": "function", "name": "f"}, "parallel_tool_calls": false,
            "max_output_tokens": 9, "temperature": 0.5, "top_p": 0.25, "reasoning": {"effort": "high"},
            "text": {
                "format": {"type": "json_schema", "name": "response", "schema": {"type": "object"}, "strict": true},
                "verbosity": "low",
            },
            "include": ["reasoning.encrypted_content"], "user": "u", "store": false, "stream": true, "service_tier": "flex",
        })
    );
    let settings = r#"{"api": "responses", "reasoning_summary": "auto"}"#;
    let sent = Run::new::<Vendor>(Operation::Chat(plain()), settings).sent_json();
    assert_eq!(
        (&sent["reasoning"], &sent["include"][0]),
        (&json!({"summary": "auto"}), &json!("reasoning.encrypted_content"))
    );
    assert_eq!(body(plain()).get("include"), None, "a model that doesn't reason has nothing to seal");
}

#[test]
fn the_dialect_s_own_fields_and_tools_pass_on() {
    let own = Request {
        native_tools: vec![r#"{"type":"web_search"}"#.into()],
        messages: vec![
            Message::user("hi"),
            Message::new(Role::Assistant, vec![Part::Other(r#"{"type":"web_search_call","id":"ws_1"}"#.into())]),
        ],
        extra: vec![Field::new("include", r#"["web_search_call.action.sources"]"#), Field::new("max_tool_calls", "3")],
        reasoning: Some(Reasoning::Effort("low".into())),
        dialect: Some("openai-responses".into()),
        ..plain()
    };
    let sent = body(own);
    assert_eq!(sent["tools"], json!([{"type": "web_search"}]));
    assert_eq!(sent["input"][1], json!({"type": "web_search_call", "id": "ws_1"}));
    assert_eq!(sent["include"], json!(["web_search_call.action.sources", "reasoning.encrypted_content"]));
    assert_eq!(sent["max_tool_calls"], 3);
}

#[test]
fn what_cannot_be_said_there_is_named() {
    let foreign =
        |field: &str| Request { dialect: Some("openai".into()), extra: vec![Field::new(field, "1")], ..plain() };
    let part = |part| Request { messages: vec![Message::user("a"), Message::new(Role::User, vec![part])], ..plain() };
    let audio = Media { mime: "audio/wav".into(), source: MediaSource::Base64("A".into()), name: None, detail: None };
    let table = [
        (Request { stop: vec!["x".into()], ..plain() }, "`stop`"),
        (Request { seed: Some(1), ..plain() }, "`seed`"),
        (Request { top_k: Some(1), ..plain() }, "`top_k`"),
        (foreign("logit_bias"), "`logit_bias`"),
        (Request { dialect: Some("openai".into()), extra: vec![Field::new("n", "2")], ..plain() }, "`n`"),
        (Request { native_tools: vec![r#"{"type":"bash_20250124"}"#.into()], ..plain() }, "`bash_20250124`"),
        (part(Part::Media(audio)), "messages[1]: audio"),
        (part(Part::Other("{}".into())), "messages[1]: a part"),
    ];
    for (request, words) in table {
        let run = ask(request);
        let error = run.error().expect(words);
        assert_eq!(error.kind, ErrorKind::Unsupported, "{words}");
        assert!(error.message.contains(words), "{}", error.message);
    }
}

#[test]
fn a_body_of_this_dialect_goes_on_as_it_is() {
    let odd = "{ \"input\":[ {\"role\":\"user\",\"content\":\"h\\u00e9\"} ],\t\"future\":1e2, \"model\": \"MODEL\",\"stream\":true }\n";
    let raw = |text: &str| Request {
        dialect: Some("openai-responses".into()),
        raw: Some(text.into()),
        streaming: true,
        ..request(Vec::new())
    };
    // Whatever endpoint other conversations go to.
    let run = begin(raw(&odd.replace("MODEL", "openai/m")));
    assert_eq!(run.sent().path, "/responses");
    assert_eq!(String::from_utf8_lossy(&run.sent().body), odd.replace("MODEL", "m"));
    let later = begin(raw(r#"{"model":"m","background":true,"stream":true}"#));
    assert!(later.error().unwrap().message.contains("`background`"));
}

#[test]
fn models_of_this_endpoint_are_known_by_the_beginnings_of_their_names() {
    let path = |model: &str| {
        let request = Request { model: model.into(), ..plain() };
        Run::new::<Vendor>(Operation::Chat(request), r#"{"responses_models": ["o3-pro"]}"#).sent().path.clone()
    };
    assert_eq!(path("o3-pro"), "/responses");
    assert_eq!(path("o3-pro-2025-06-10"), "/responses");
    assert_eq!(path("o3-professor"), "/chat/completions");
}

const USAGE: &str = r#"{"input_tokens":30,"input_tokens_details":{"cached_tokens":8},"output_tokens":20,"output_tokens_details":{"reasoning_tokens":12},"total_tokens":50}"#;

/// The items of an answer with everything in it.
fn items() -> Vec<Value> {
    vec![
        json!({"type": "reasoning", "id": "rs_1", "summary": [
            {"type": "summary_text", "text": "思 first"}, {"type": "summary_text", "text": "then"},
        ], "encrypted_content": "gAAA"}),
        json!({"type": "web_search_call", "id": "ws_1", "status": "completed"}),
        json!({"type": "message", "id": "msg_1", "role": "assistant", "status": "completed", "content": [
            {"type": "output_text", "text": "Grüße", "annotations": [{"type": "url_citation", "url": "u"}], "logprobs": []},
            {"type": "refusal", "refusal": "but no"},
        ]}),
        json!({"type": "function_call", "id": "fc_1", "call_id": "call_1", "name": "f", "arguments": "{\"é\":1}", "status": "completed"}),
        json!({"type": "custom_tool_call", "id": "ctc_1", "call_id": "call_2", "name": "sh", "input": "ls\n", "namespace": "n"}),
        json!({"type": "reasoning", "id": "rs_2", "summary": [], "encrypted_content": "gBBB"}),
    ]
}

fn response(status: &str, more: Value) -> Value {
    let mut response = json!({"id": "resp_1", "object": "response", "model": "m-1", "status": status, "output": [],
        "error": null, "incomplete_details": null, "service_tier": "default", "tools": [{"type": "function"}]});
    response.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    response
}

fn sse(events: &[Value]) -> Vec<u8> {
    events
        .iter()
        .flat_map(|event| format!("event: {}\ndata: {event}\n\n", event["type"].as_str().unwrap()).into_bytes())
        .collect()
}

/// The same answer, as a stream that says everything in pieces, interleaved.
fn streamed() -> Vec<u8> {
    let delta = |kind: &str, item: u32, part: u32, text: &str| json!({"type": format!("response.{kind}.delta"), "output_index": item, "content_index": part, "summary_index": part, "delta": text, "sequence_number": 9});
    let mut added = items();
    for item in &mut added {
        for field in ["arguments", "input"] {
            if item.get(field).is_some() {
                item[field] = json!("");
            }
        }
        for field in ["summary", "content"] {
            if item.get(field).is_some() {
                item[field] = json!([]);
            }
        }
        item.as_object_mut().unwrap().remove("encrypted_content");
    }
    let added =
        |index: usize| json!({"type": "response.output_item.added", "output_index": index, "item": added[index]});
    let done =
        |index: usize| json!({"type": "response.output_item.done", "output_index": index, "item": items()[index]});
    let usage: Value = serde_json::from_str(USAGE).unwrap();
    sse(&[
        json!({"type": "response.created", "response": response("in_progress", json!({}))}),
        json!({"type": "response.in_progress", "response": response("in_progress", json!({}))}),
        added(0),
        delta("reasoning_summary_text", 0, 0, "思 "),
        delta("reasoning_summary_text", 0, 0, "first"),
        delta("reasoning_summary_text", 0, 1, "then"),
        done(0),
        added(1),
        json!({"type": "response.web_search_call.searching", "output_index": 1, "item_id": "ws_1"}),
        done(1),
        added(2),
        json!({"type": "response.content_part.added", "output_index": 2, "content_index": 0, "part": {"type": "output_text", "text": ""}}),
        delta("output_text", 2, 0, "Grü"),
        added(3),
        delta("function_call_arguments", 3, 0, "{\"é\""),
        added(4),
        delta("output_text", 2, 0, "ße"),
        json!({"type": "response.output_text.annotation.added", "output_index": 2, "content_index": 0, "annotation": {"type": "url_citation", "url": "u"}}),
        json!({"type": "response.output_text.done", "output_index": 2, "content_index": 0, "text": "Grüße"}),
        delta("refusal", 2, 1, "but no"),
        done(2),
        delta("custom_tool_call_input", 4, 0, "ls\n"),
        delta("function_call_arguments", 3, 0, ":1}"),
        done(3),
        done(4),
        done(5),
        json!({"type": "response.completed", "response": response("completed", json!({"output": items(), "usage": usage}))}),
    ])
}

fn check(run: &Run) {
    assert_eq!(run.error(), None);
    assert!(run.finished());
    let answer = run.answer();
    assert_eq!(run.events()[0], Event::Started(Started { id: Some("resp_1".into()), model: Some("m-1".into()) }));
    assert_eq!((answer.text.as_str(), answer.refusal.as_str()), ("Grüße", "but no"));
    assert_eq!((answer.thinking.as_str(), answer.signature.as_deref()), ("思 first\n\nthen", Some("rs_1:gAAA")));
    let redacted: Vec<_> = run
        .events()
        .into_iter()
        .filter_map(|event| if let Event::Redacted(delta) = event { Some(delta.text) } else { None })
        .collect();
    assert_eq!(redacted, ["rs_2:gBBB"]);
    assert_eq!(answer.annotations, [r#"{"type":"url_citation","url":"u"}"#]);
    assert_eq!(answer.other, [items()[1].to_string()]);
    let calls: Vec<_> = answer.calls.iter().map(|call| (&*call.id, &*call.name, &*call.arguments)).collect();
    assert_eq!(calls, [("call_1", "f", "{\"é\":1}"), ("call_2", "sh", "ls\n")]);
    assert_eq!(answer.calls[1].extra, [Field::new("namespace", "\"n\"")]);
    let usage = Usage { input: 30, output: 20, cache_read: 8, reasoning: 12, ..Usage::default() };
    assert_eq!((answer.usage, answer.stop.unwrap().reason), (Some(usage), StopReason::ToolCalls));
    assert_eq!(answer.extra, [Field::new("service_tier", "\"default\"")]);
}

#[test]
fn a_whole_answer_and_each_form_of_its_stream_say_the_same() {
    let usage: Value = serde_json::from_str(USAGE).unwrap();
    let whole = response("completed", json!({"output": items(), "usage": usage}));
    let mut run = ask(plain());
    run.respond(200, whole.to_string().as_bytes());
    check(&run);
    let stream = || {
        let mut run = ask(Request { streaming: true, ..plain() });
        run.head(200, &[]);
        run
    };
    let mut run = stream();
    run.body(&streamed());
    check(&run);
    let mut run = stream();
    let bytes = streamed();
    run.pieces(&bytes, &(0..bytes.len()).collect::<Vec<_>>());
    check(&run);
    // A vendor that says everything at the end.
    let mut run = stream();
    run.body(&sse(&[json!({"type": "response.completed", "response": whole})]));
    check(&run);
}

#[test]
fn every_cut_before_the_last_event_is_an_error() {
    let bytes = streamed();
    let last = bytes.windows(25).position(|window| window == b"event: response.completed").unwrap();
    for cut in (0..last).step_by(7).chain([bytes.len() - 2]) {
        for broken in [false, true] {
            let mut run = ask(Request { streaming: true, ..plain() });
            run.head(200, &[]).body(&bytes[..cut]);
            if broken {
                run.broken("cut")
            } else {
                run.end()
            };
            assert!(run.error().is_some() && !run.finished(), "cut at {cut}");
        }
    }
}

#[test]
fn unfinished_answers_tell_why_and_what_they_took() {
    let usage: Value = serde_json::from_str(USAGE).unwrap();
    let end = |kind: &str, status: &str, more: Value| {
        let mut fields = json!({"usage": usage});
        fields.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let mut run = ask(Request { streaming: true, ..plain() });
        run.head(200, &[]).body(&sse(&[json!({"type": kind, "response": response(status, fields)})]));
        assert_eq!(run.answer().usage.unwrap().output, 20);
        run
    };
    let cut = |reason: &str| {
        let details = json!({"incomplete_details": {"reason": reason}});
        end("response.incomplete", "incomplete", details).answer().stop.unwrap().reason
    };
    assert_eq!((cut("max_output_tokens"), cut("content_filter")), (StopReason::Length, StopReason::Refusal));
    let error = json!({"error": {"code": "rate_limit_exceeded", "message": "slow down"}});
    let failed = end("response.failed", "failed", error);
    let error = failed.error().unwrap();
    assert_eq!((error.kind, error.message.as_str()), (ErrorKind::RateLimited, "slow down"));
    assert_eq!(failed.answer().stop, None);
}

#[test]
fn errors_within_a_stream_have_the_vendor_s_words() {
    let said = |event: Value| {
        let mut run = ask(Request { streaming: true, ..plain() });
        run.head(200, &[]).body(&sse(&[event]));
        run.error().unwrap().clone()
    };
    let flat =
        said(json!({"type": "error", "code": "server_error", "message": "oh", "param": null, "sequence_number": 1}));
    assert_eq!((flat.kind, flat.message.as_str()), (ErrorKind::Upstream, "oh"));
    let nested = said(json!({"type": "error", "error": {"code": "context_length_exceeded", "message": "too long"}}));
    assert_eq!((nested.kind, nested.message.as_str()), (ErrorKind::ContextTooLong, "too long"));
    let unreadable = said(json!({"type": "response.completed", "response": "secret"}));
    assert_eq!(unreadable.message, "the vendor sent an answer that can't be read");
}

#[test]
fn a_call_without_a_name_is_none() {
    let item = json!({"type": "function_call", "id": "", "call_id": "", "name": "", "arguments": "{}"});
    let mut run = ask(plain());
    run.respond(200, response("completed", json!({"output": [item]})).to_string().as_bytes());
    assert_eq!(run.error().unwrap().message, "the vendor sent a tool call without a name");
    for nothing in ["{}", "[]", "x"] {
        let mut run = ask(plain());
        run.respond(200, nothing.as_bytes());
        assert_eq!(run.error().unwrap().kind, ErrorKind::Upstream, "{nothing}");
    }
}
