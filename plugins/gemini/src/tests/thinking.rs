//! Thoughts and signatures, there and back.

use mortise_sdk::chat::{Event, Message, Part, Reasoning, Request, Thinking};
use mortise_sdk::provider::ErrorKind;
use mortise_sdk::testing::Run;
use serde_json::{Value, json};

use super::{NEW, OLD, assistant, body, call, error, events, plain, request, signed, stream_of, text};

fn config(model: &str, reasoning: Reasoning) -> Value {
    let request = Request { model: model.into(), reasoning: Some(reasoning), ..plain() };
    body(request)["generationConfig"]["thinkingConfig"].clone()
}

#[test]
fn efforts_and_budgets_are_budgets_before_gemini_3() {
    let efforts = [("low", 1024), ("minimal", 1024), ("medium", 8192), ("high", 24_576), ("xhigh", 24_576)];
    for (effort, budget) in efforts {
        let expected = json!({"thinkingBudget": budget, "includeThoughts": true});
        assert_eq!(config(OLD, Reasoning::Effort(effort.into())), expected);
    }
    assert_eq!(config(OLD, Reasoning::Budget(77)), json!({"thinkingBudget": 77, "includeThoughts": true}));
    assert_eq!(config(OLD, Reasoning::Budget(0)), json!({"thinkingBudget": 0}));
    assert_eq!(config(OLD, Reasoning::Effort("none".into())), json!({"thinkingBudget": 0}));
}

#[test]
fn efforts_and_budgets_are_levels_since() {
    let level = |level: &str| json!({"thinkingLevel": level, "includeThoughts": true});
    for model in [NEW, "gemini-flash-latest", "models/gemini-4-argon", "gemini-3.1-flash"] {
        assert_eq!(config(model, Reasoning::Effort("medium".into())), level("medium"), "{model}");
    }
    let budgets = [(1, "low"), (2048, "low"), (2049, "medium"), (8192, "medium"), (8193, "high")];
    for (budget, word) in budgets {
        assert_eq!(config(NEW, Reasoning::Budget(budget)), level(word));
    }
    assert_eq!(config(NEW, Reasoning::Effort("none".into())), json!({"thinkingLevel": "minimal"}));
    assert_eq!(config(NEW, Reasoning::Budget(0)), json!({"thinkingLevel": "minimal"}));
    assert_eq!(config("gemini-3.1-pro-preview", Reasoning::Effort("minimal".into())), level("low"));
    let odd = error(Request { reasoning: Some(Reasoning::Effort("colossal".into())), ..plain() });
    assert_eq!((odd.kind, odd.message.contains("`colossal`")), (ErrorKind::Unsupported, true));
}

fn answered(model: &str, parts: &[Value]) -> Run {
    let mut run = stream_of(Request { model: model.into(), ..plain() });
    let chunks: Vec<_> =
        parts.iter().map(|part| json!({"candidates": [{"content": {"parts": [part]}}], "responseId": "r"})).collect();
    run.body(&events(&chunks));
    run.body(&events(&[json!({"candidates": [{"finishReason": "STOP"}]})])).end();
    assert!(run.finished(), "{:?}", run.error());
    run
}

/// What the model said, as a caller would send it back: each block a part.
fn parts_of(run: &Run) -> Vec<Part> {
    let mut parts: Vec<(u32, Part)> = Vec::new();
    for event in run.events() {
        match event {
            Event::Text(delta) => match parts.last_mut() {
                Some((block, Part::Text(text))) if *block == delta.block => text.push_str(&delta.text),
                _ => parts.push((delta.block, text(&delta.text))),
            },
            Event::Thinking(delta) => match parts.last_mut() {
                Some((block, Part::Thinking(thinking))) if *block == delta.block => thinking.text.push_str(&delta.text),
                _ => {
                    let thinking = Thinking { text: delta.text, signature: None, redacted: false };
                    parts.push((delta.block, Part::Thinking(thinking)));
                }
            },
            Event::Signature(delta) => match parts.last_mut() {
                Some((block, Part::Thinking(thinking))) if *block == delta.block => {
                    thinking.signature = Some(delta.text)
                }
                other => panic!("a signature of {other:?}"),
            },
            Event::Redacted(delta) => {
                let thinking = Thinking { text: delta.text, signature: None, redacted: true };
                parts.push((delta.block, Part::Thinking(thinking)));
            }
            Event::CallStarted(started) => {
                let Part::Call(call) = call(&started.id, &started.name, "{}") else { unreachable!() };
                parts.push((started.block, Part::Call(mortise_sdk::chat::ToolCall { extra: started.extra, ..call })));
            }
            _ => {}
        }
    }
    parts.into_iter().map(|(_, part)| part).collect()
}

/// What the model is told that it said.
fn replayed(model: &str, parts: Vec<Part>) -> Value {
    let messages = vec![Message::user("hi"), assistant(parts)];
    body(Request { model: model.into(), ..request(messages) })["contents"][1]["parts"].clone()
}

#[test]
fn signed_parts_come_back_where_they_were() {
    let said = [
        json!({"text": "I should look. ", "thought": true}),
        json!({"text": "Now.", "thought": true, "thoughtSignature": "c2ln+/A="}),
        json!({"text": "Let me "}),
        json!({"text": "see."}),
        json!({"text": "", "thoughtSignature": "dGV4dA=="}),
        json!({"text": "So:", "thoughtSignature": "c28="}),
        json!({"functionCall": {"name": "look", "args": {}, "id": "f1"}, "thoughtSignature": "Y2FsbA=="}),
        json!({"functionCall": {"name": "look", "args": {}, "id": "f2"}}),
    ];
    let run = answered(NEW, &said);
    assert_eq!(run.answer().thinking, "I should look. Now.");
    assert_eq!(run.answer().text, "Let me see.So:");
    assert_eq!(
        run.answer().calls[0].extra[0].value,
        r#"{"google":{"thought_signature":"Y2FsbA=="}}"#,
        "as in Google's OpenAI-compatible API"
    );
    assert_eq!(
        replayed(NEW, parts_of(&run)),
        json!([
            {"text": "I should look. Now.", "thought": true, "thoughtSignature": "c2ln+/A="},
            {"text": "Let me see.", "thoughtSignature": "dGV4dA=="},
            {"text": "So:", "thoughtSignature": "c28="},
            {"functionCall": {"id": "f1", "name": "look", "args": {}}, "thoughtSignature": "Y2FsbA=="},
            {"functionCall": {"id": "f2", "name": "look", "args": {}}},
        ])
    );
}

#[test]
fn a_signature_alone_goes_back_alone() {
    let run = answered(NEW, &[json!({"thoughtSignature": "YWxvbmU="})]);
    let parts = parts_of(&run);
    assert_eq!(parts.len(), 1);
    assert_eq!(replayed(NEW, parts), json!([{"text": "", "thoughtSignature": "YWxvbmU="}]));
}

#[test]
fn thoughts_are_replayed_only_to_the_model_that_made_them() {
    let said = [
        json!({"text": "hm", "thought": true, "thoughtSignature": "c2ln"}),
        json!({"text": "so"}),
        json!({"text": "", "thoughtSignature": "c2ln"}),
    ];
    let parts = parts_of(&answered(NEW, &said));
    assert_eq!(replayed("gemini-3.1-pro-preview", parts.clone()), json!([{"text": "so"}]));
    assert_eq!(replayed(NEW, parts).as_array().unwrap().len(), 2);
    let foreign = |signature: Option<&str>, redacted| {
        Part::Thinking(Thinking { text: "theirs".into(), signature: signature.map(Into::into), redacted })
    };
    let others = vec![foreign(Some("EqQBCgIYAhIM"), false), foreign(None, false), foreign(None, true), text("so")];
    assert_eq!(replayed(NEW, others), json!([{"text": "so"}]));
}

#[test]
fn a_call_without_a_signature_gets_the_documented_one() {
    let skip = "skip_thought_signature_validator";
    let unsigned = || vec![call("a", "f", "{}"), call("b", "f", "{}")];
    let new = replayed(NEW, unsigned());
    assert_eq!(new[0]["thoughtSignature"], skip);
    assert_eq!(new[1].get("thoughtSignature"), None, "of parallel calls only the first is signed");
    assert_eq!(replayed(OLD, unsigned())[0].get("thoughtSignature"), None, "older models ask for none");
    assert_eq!(replayed(NEW, vec![signed("a", "f", "c2ln")])[0]["thoughtSignature"], "c2ln");
    let steps = vec![
        Message::user("hi"),
        assistant(unsigned()),
        Message::tool("a", "1"),
        Message::tool("b", "2"),
        assistant(vec![call("c", "f", "{}")]),
    ];
    let steps = body(Request { model: NEW.into(), ..request(steps) })["contents"].clone();
    assert_eq!(steps[3]["parts"][0]["thoughtSignature"], skip, "each step has a first call");
}
