//! In what vendors of the dialect differ, in requests written anew and in bodies passed on alike.

use mortise_sdk::chat::{
    Event, Field, JsonSchema, Message, Part, Reasoning, Request, ResponseFormat, Role, Thinking, Tool, ToolCall,
    ToolChoice, Usage,
};
use mortise_sdk::provider::{ErrorKind, Operation};
use mortise_sdk::testing::{self, Run};
use serde_json::{Value, json};

use crate::vendor::{Vendor, begin, body, body_with, events, request, stream};

fn plain() -> Request {
    request(vec![Message::user("hi")])
}

/// A body passed on, and the body of the same wishes written anew: both have these members, and none of the others.
fn both(settings: &str, wishes: Request, raw: Value, expected: Value, gone: &[&str]) {
    let mut text = raw;
    text["model"] = json!("m");
    let raw = Request { dialect: Some("openai".into()), raw: Some(text.to_string()), ..wishes.clone() };
    for body in [body_with(raw, settings), body_with(wishes, settings)] {
        for (name, value) in expected.as_object().unwrap() {
            assert_eq!(&body[name], value, "`{name}` under {settings}");
        }
        for name in gone {
            assert_eq!(body.get(name), None, "`{name}` under {settings}");
        }
    }
}

#[test]
fn seeds_tools_and_limits_have_the_vendor_s_names() {
    let wishes = || Request {
        seed: Some(7),
        tool_choice: Some(ToolChoice::Required),
        parallel_tool_calls: Some(true),
        max_tokens: Some(9),
        ..plain()
    };
    let raw = || json!({"seed": 7, "tool_choice": "required", "parallel_tool_calls": true, "max_completion_tokens": 9});
    both("{}", wishes(), raw(), raw(), &[]);
    let settings = r#"{"seed_field": "random_seed", "required_tool": "any", "parallel_tool_calls": false,
        "max_tokens_field": "max_tokens"}"#;
    let expected = json!({"random_seed": 7, "tool_choice": "any", "max_tokens": 9});
    both(settings, wishes(), raw(), expected, &["seed", "parallel_tool_calls", "max_completion_tokens"]);
}

#[test]
fn a_vendor_without_stream_options_is_sent_none() {
    let wishes = Request { streaming: true, ..plain() };
    let raw = json!({"stream": true, "stream_options": {"include_usage": true}});
    both(r#"{"stream_options": false}"#, wishes, raw, json!({"stream": true}), &["stream_options"]);
}

#[test]
fn how_much_to_think_is_told_in_the_vendor_s_way() {
    let told = |way: &str, effort: &str, expected: Value, gone: &[&str]| {
        let wishes = Request { reasoning: Some(Reasoning::Effort(effort.into())), ..plain() };
        let settings = json!({"reasoning": way}).to_string();
        both(&settings, wishes, json!({"reasoning_effort": effort}), expected, gone);
    };
    let on = json!({"type": "enabled"});
    let off = json!({"type": "disabled"});
    told("effort", "high", json!({"reasoning_effort": "high"}), &["reasoning", "thinking"]);
    told("object", "high", json!({"reasoning": {"effort": "high"}}), &["reasoning_effort"]);
    told("switch", "high", json!({"thinking": on}), &["reasoning_effort"]);
    told("switch", "none", json!({"thinking": off}), &["reasoning_effort"]);
    told("switch_and_effort", "high", json!({"thinking": on, "reasoning_effort": "high"}), &[]);
    told("switch_and_effort", "none", json!({"thinking": off}), &["reasoning_effort"]);
    let budget = Request { reasoning: Some(Reasoning::Budget(3000)), ..plain() };
    assert_eq!(body_with(budget, r#"{"reasoning": "object"}"#)["reasoning"], json!({"max_tokens": 3000}));
    // The caller knows better.
    let raw = r#"{"model":"m","reasoning_effort":"low","reasoning":{"max_tokens":5}}"#;
    let knows = Request { dialect: Some("openai".into()), raw: Some(raw.into()), ..plain() };
    let sent = body_with(knows, r#"{"reasoning": "object"}"#);
    assert_eq!(sent, serde_json::from_str::<Value>(raw).unwrap());
}

#[test]
fn what_the_vendor_has_not_is_named() {
    let schema = JsonSchema { name: None, description: None, schema: "{}".into(), strict: None };
    let table = [
        (
            Request { parallel_tool_calls: Some(false), ..plain() },
            r#"{"parallel_tool_calls": false}"#,
            "parallel_tool_calls",
        ),
        (
            Request { response_format: Some(ResponseFormat::JsonSchema(schema)), ..plain() },
            r#"{"json_schema": false}"#,
            "schema",
        ),
        (Request { native_tools: vec![r#"{"type":"web_search"}"#.into()], ..plain() }, "{}", "`web_search`"),
    ];
    for (wishes, settings, name) in table {
        let passed_on = Request { dialect: Some("openai".into()), raw: Some(r#"{"n":1}"#.into()), ..wishes.clone() };
        let wishes = if wishes.native_tools.is_empty() { vec![wishes, passed_on] } else { vec![wishes] };
        for request in wishes {
            let run = Run::new::<Vendor>(Operation::Chat(request), settings);
            let error = run.error().expect(name);
            assert_eq!(error.kind, ErrorKind::Unsupported);
            assert!(error.message.contains(name), "{}", error.message);
        }
    }
    let several = Request { dialect: Some("openai".into()), raw: Some(r#"{"model":"m","n":2}"#.into()), ..plain() };
    assert!(begin(several).error().unwrap().message.contains("`n`"));
}

#[test]
fn tools_that_are_no_functions_pass_on_in_their_own_dialect() {
    let native = r#"{"type":"custom","custom":{"name":"sql"}}"#;
    let tools = vec![Tool::new("f", "{}")];
    let sent = body(Request { native_tools: vec![native.into()], tools, dialect: Some("openai".into()), ..plain() });
    assert_eq!(sent["tools"][1], serde_json::from_str::<Value>(native).unwrap());
}

#[test]
fn ids_of_calls_may_have_to_be_of_nine_characters() {
    let call =
        |id: &str| Part::Call(ToolCall { id: id.into(), name: "f".into(), arguments: "{}".into(), extra: vec![] });
    let ids = ["call_0fypS1hVX", "toolu_01", "abcDEF123", "call_0fypS1hVY"];
    let mut messages = vec![Message::new(Role::Assistant, ids.iter().map(|id| call(id)).collect())];
    messages.extend(ids.iter().map(|id| Message::tool(*id, "ok")));
    let settings = r#"{"call_ids": "nine_alphanumerics"}"#;
    let sent = body_with(request(messages), settings);
    let id = |number: usize| sent["messages"][0]["tool_calls"][number]["id"].as_str().unwrap();
    for number in 0..ids.len() {
        assert!(id(number).len() == 9 && id(number).bytes().all(|byte| byte.is_ascii_alphanumeric()), "{}", id(number));
        assert_eq!(sent["messages"][number + 1]["tool_call_id"], id(number));
        assert!((0..number).all(|other| id(other) != id(number)));
    }
    assert_eq!(id(2), "abcDEF123", "what suits stays");
    assert_eq!(testing::describe::<Vendor>(settings).unwrap().dialects, ["openai-responses"]);
}

#[test]
fn thinking_may_stand_in_the_content() {
    let thinking = |text: &str| Part::Thinking(Thinking { text: text.into(), signature: None, redacted: false });
    let turn = Message::new(Role::Assistant, vec![thinking("hm, "), thinking("so"), Part::Text("yes".into())]);
    let sent = body_with(request(vec![turn]), r#"{"replay_thinking": "content"}"#);
    assert_eq!(
        sent["messages"][0],
        json!({"role": "assistant", "content": [
            {"type": "thinking", "thinking": [{"type": "text", "text": "hm, so"}]}, {"type": "text", "text": "yes"},
        ]})
    );
    let mut run = stream();
    run.body(&events(&[
        r#"{"id":"x","choices":[{"index":0,"delta":{"content":[{"type":"thinking","thinking":[{"type":"text","text":"hm"}]}]}}]}"#,
        r#"{"id":"x","choices":[{"index":0,"delta":{"content":[{"type":"text","text":"y"},{"type":"reference","reference_ids":[1]}]}}]}"#,
        r#"{"id":"x","choices":[{"index":0,"delta":{"content":"es"},"finish_reason":"stop"}]}"#,
        "[DONE]",
    ]));
    let answer = run.answer();
    assert_eq!((answer.thinking.as_str(), answer.text.as_str()), ("hm", "yes"));
    assert_eq!(answer.other, [r#"{"type":"reference","reference_ids":[1]}"#]);
}

#[test]
fn a_vendor_s_fields_of_a_call_come_and_go_with_it() {
    let mut run = stream();
    run.body(&events(&[
        r#"{"id":"x","choices":[{"delta":{"tool_calls":[{"index":0,"id":"a","function":{"name":"f","arguments":"{}"},"extra_content":{"s":1}}]}}]}"#,
        r#"{"id":"x","choices":[{"delta":{},"finish_reason":"tool_calls"}]}"#,
        "[DONE]",
    ]));
    let extra = vec![Field::new("extra_content", r#"{"s":1}"#)];
    assert_eq!((&run.answer().calls[0].extra, run.answer().extra), (&extra, Vec::new()));
    let call = Part::Call(ToolCall { id: "a".into(), name: "f".into(), arguments: "{}".into(), extra });
    let turn = request(vec![Message::new(Role::Assistant, vec![call])]);
    let sent = |dialect: &str| body(Request { dialect: Some(dialect.into()), ..turn.clone() });
    assert_eq!(sent("openai")["messages"][0]["tool_calls"][0]["extra_content"], json!({"s": 1}));
    assert_eq!(sent("anthropic")["messages"][0]["tool_calls"][0].get("extra_content"), None);
}

#[test]
fn usage_in_places_and_sums_of_the_vendors_own() {
    let usage = |chunk: &str| {
        let mut run = stream();
        let last = r#"{"id":"x","choices":[{"delta":{"content":"a"},"finish_reason":"stop"}]}"#;
        run.body(&events(&[last, chunk, "[DONE]"]));
        assert!(run.finished(), "{:?}", run.error());
        run.answer().usage.unwrap()
    };
    let groq = r#"{"id":"x","choices":[],"x_groq":{"id":"req_1","usage":{"prompt_tokens":3,"completion_tokens":2,"total_tokens":5,"queue_time":0.1}}}"#;
    assert_eq!(usage(groq), Usage { input: 3, output: 2, ..Usage::default() });
    let openrouter =
        r#"{"id":"x","choices":[],"usage":{"prompt_tokens":3,"completion_tokens":2,"total_tokens":5,"cost":0.25}}"#;
    assert_eq!(usage(openrouter), Usage { input: 3, output: 2, cost: Some(0.25), ..Usage::default() });
    let perplexity = r#"{"id":"x","choices":[],"usage":{"prompt_tokens":3,"completion_tokens":2,"cost":{"input_tokens_cost":0.0,"total_cost":0.006}}}"#;
    assert_eq!(usage(perplexity).cost, Some(0.006));
    // A vendor that doesn't count reasoning among what was written, as its total tells.
    let apart = r#"{"id":"x","choices":[],"usage":{"prompt_tokens":32,"completion_tokens":9,"total_tokens":135,"completion_tokens_details":{"reasoning_tokens":94}}}"#;
    assert_eq!(usage(apart), Usage { input: 32, output: 103, reasoning: 94, ..Usage::default() });
    let within = apart.replace("135", "41").replace("94", "4");
    assert_eq!(usage(&within), Usage { input: 32, output: 9, reasoning: 4, ..Usage::default() });
}

#[test]
fn a_stream_that_groq_breaks_off_is_an_error() {
    let mut run = stream();
    run.body(&events(&[r#"{"id":"x","choices":[],"x_groq":{"id":"req_1","error":"over capacity"}}"#]));
    assert_eq!(run.error().unwrap().message, "over capacity");
}

#[test]
fn remarks_belong_to_the_text() {
    let mut run = stream();
    run.body(&events(&[
        r#"{"id":"x","choices":[{"delta":{"content":"a","annotations":[]}}]}"#,
        r#"{"id":"x","choices":[{"delta":{"annotations":[{"type":"url_citation","url_citation":{"url":"u"}}]},"finish_reason":"stop"}]}"#,
        "[DONE]",
    ]));
    assert_eq!(run.answer().annotations, [r#"{"type":"url_citation","url_citation":{"url":"u"}}"#]);
    let blocks: Vec<u32> = run
        .events()
        .iter()
        .filter_map(
            |event| if let Event::Text(delta) | Event::Annotation(delta) = event { Some(delta.block) } else { None },
        )
        .collect();
    assert_eq!(blocks, [0, 0]);
}
