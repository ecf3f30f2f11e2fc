//! Reasoning, in the way that each model understands.

use mortise_sdk::chat::{Message, Part, Reasoning, Request, Thinking, Tool, ToolChoice};
use mortise_sdk::provider::ErrorKind;
use serde_json::{Value, json};

use super::{asks, assistant, call, hello, refused, sent, text};

fn thinks(model: &str, reasoning: Reasoning) -> Request {
    Request { model: model.into(), reasoning: Some(reasoning), ..hello() }
}

fn effort(word: &str) -> Reasoning {
    Reasoning::Effort(word.into())
}

/// What is said of thinking, and of effort.
fn asked(request: Request) -> (Value, Value) {
    let body = sent(request);
    (body["thinking"].clone(), body["output_config"]["effort"].clone())
}

fn budget(tokens: u32) -> (Value, Value) {
    (json!({"type": "enabled", "budget_tokens": tokens}), Value::Null)
}

#[test]
fn older_models_get_a_budget() {
    for model in ["claude-3-7-sonnet-20250219", "claude-sonnet-4-5", "claude-opus-4-5", "kimi-k2-thinking"] {
        for (word, tokens) in [("minimal", 1_024), ("low", 2_048), ("medium", 8_192), ("high", 16_384), ("max", 32_000)]
        {
            let request = Request { max_tokens: Some(64_000), ..thinks(model, effort(word)) };
            assert_eq!(asked(request), budget(tokens), "{model}, {word}");
        }
        assert_eq!(asked(thinks(model, Reasoning::Budget(5_000))), budget(5_000));
        assert_eq!(asked(thinks(model, Reasoning::Budget(1))), budget(1_024), "the vendor's least");
    }
    assert_eq!(asked(thinks("claude-opus-4-6", Reasoning::Budget(5_000))), budget(5_000));
    assert_eq!(refused(thinks("claude-opus-4-5", effort("enormous"))).kind, ErrorKind::Unsupported);
}

#[test]
fn newer_models_get_an_effort() {
    let adaptive = json!({"type": "adaptive"});
    let shown = json!({"type": "adaptive", "display": "summarized"});
    assert_eq!(asked(thinks("claude-sonnet-4-6", effort("medium"))), (adaptive, json!("medium")));
    for model in ["claude-opus-4-7", "claude-sonnet-5", "claude-fable-5-1", "claude-mythos-preview"] {
        for (word, written) in [("minimal", "low"), ("low", "low"), ("xhigh", "xhigh"), ("max", "max")] {
            assert_eq!(asked(thinks(model, effort(word))), (shown.clone(), json!(written)), "{model}");
        }
        for (tokens, written) in [(1, "low"), (2_048, "low"), (2_049, "medium"), (8_193, "high")] {
            assert_eq!(asked(thinks(model, Reasoning::Budget(tokens))), (shown.clone(), json!(written)), "{model}");
        }
    }
}

#[test]
fn thinking_can_be_turned_off_where_a_model_lets_one() {
    for none in [effort("none"), Reasoning::Budget(0)] {
        let off = |kind: &str| (json!({"type": kind}), Value::Null);
        assert_eq!(asked(thinks("claude-opus-4-5", none.clone())), off("disabled"));
        assert_eq!(asked(thinks("claude-haiku-5-5", none.clone())), off("disabled"));
        assert_eq!(asked(thinks("claude-sonnet-5-5", none.clone())), off("between_tools"));
        assert_eq!(asked(thinks("claude-3-5-haiku-20241022", none.clone())), (Value::Null, Value::Null));
        for model in ["claude-opus-5-5", "claude-fable-5", "claude-mythos-5"] {
            assert_eq!(refused(thinks(model, none.clone())).kind, ErrorKind::Unsupported, "{model}");
        }
    }
    assert_eq!(refused(thinks("claude-3-5-haiku-20241022", effort("low"))).kind, ErrorKind::Unsupported);
}

#[test]
fn a_budget_leaves_room_for_the_answer() {
    let limited = |limit, reasoning| Request { max_tokens: Some(limit), ..thinks("claude-sonnet-4-5", reasoning) };
    assert_eq!(asked(limited(10_000, effort("high"))), budget(5_000));
    assert_eq!(asked(limited(1_500, effort("high"))), budget(1_499));
    assert_eq!(asked(limited(6_000, Reasoning::Budget(5_000))), budget(5_000));
    for request in [limited(1_024, effort("low")), limited(5_000, Reasoning::Budget(5_000))] {
        let error = refused(request);
        assert_eq!(error.kind, ErrorKind::InvalidRequest);
        assert!(error.message.contains("leaves no room"), "{}", error.message);
    }
    // Where nobody limits the answer, the thoughts don't.
    let body = super::run(thinks("kimi-k2-thinking", Reasoning::Budget(10_000))).sent_json();
    assert_eq!((&body["max_tokens"], &body["thinking"]["budget_tokens"]), (&json!(14_096), &json!(10_000)));
}

#[test]
fn what_cannot_be_had_with_a_budget_is_named() {
    let with = |request: Request, name: &str| {
        let error = refused(request);
        assert_eq!(error.kind, ErrorKind::Unsupported);
        assert!(error.message.contains(name), "{}", error.message);
    };
    let thinking = || thinks("claude-sonnet-4-5", effort("low"));
    with(Request { temperature: Some(0.5), ..thinking() }, "`temperature`");
    with(Request { top_p: Some(0.5), ..thinking() }, "`top_p`");
    with(Request { top_k: Some(5), ..thinking() }, "`top_k`");
    let tools = vec![Tool::new("f", "{}")];
    with(Request { tools, tool_choice: Some(ToolChoice::Required), ..thinking() }, "`tool_choice`");
    let body = sent(Request { temperature: Some(1.0), top_p: Some(0.95), ..thinking() });
    assert_eq!((&body["temperature"], &body["top_p"]), (&json!(1.0), &json!(0.95)));
}

/// A caller of another dialect can't bring signed thoughts back; the vendor would refuse to go on from such a turn.
#[test]
fn a_turn_that_lost_its_thoughts_is_continued_without() {
    let conversation = |parts: Vec<Part>| {
        let messages = vec![Message::user("?"), assistant(parts), Message::tool("a", "x")];
        Request { reasoning: Some(effort("low")), ..asks(messages) }
    };
    let thought = Part::Thinking(Thinking { text: "Hm.".into(), signature: Some("sig".into()), redacted: false });
    assert_eq!(asked(conversation(vec![text("So:"), call("a", "f", "")])), (Value::Null, Value::Null));
    assert_eq!(asked(conversation(vec![thought, call("a", "f", "")])), budget(2_048));
    // A new model thinks all the same, and so does an old one that is asked anew.
    let new = Request { model: "claude-sonnet-5".into(), ..conversation(vec![call("a", "f", "")]) };
    assert_eq!(asked(new).1, "low");
    let mut anew = conversation(vec![call("a", "f", "")]);
    anew.messages.extend([Message::assistant("Done."), Message::user("And?")]);
    assert_eq!(asked(anew), budget(2_048));
}
