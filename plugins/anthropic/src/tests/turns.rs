//! From messages to turns.

use mortise_sdk::chat::{CachePoint, Field, Message, Part, ResultPart, Role, Thinking, ToolResult};
use mortise_sdk::provider::ErrorKind;
use serde_json::json;

use super::{asks, assistant, call, refused, said, text, tool_result, tool_use};

fn cache(ttl: Option<&str>) -> Part {
    Part::CachePoint(CachePoint { ttl: ttl.map(Into::into) })
}

#[test]
fn all_of_the_system_s_words_stand_at_the_top() {
    let developer = Message::new(Role::Developer, vec![text("Be kind.")]);
    let messages = vec![Message::system("Be brief."), Message::user("hi"), developer];
    assert_eq!(
        said(messages),
        json!({
            "system": [{"type": "text", "text": "Be brief."}, {"type": "text", "text": "Be kind."}],
            "messages": [{"role": "user", "content": "hi"}],
        })
    );
    assert_eq!(said(vec![Message::system("Be brief."), Message::user("hi")])["system"], json!("Be brief."));
}

#[test]
fn cache_points_become_marks_on_what_is_before_them() {
    let system = Message::new(Role::System, vec![text("Long."), cache(Some("1h")), text("Short.")]);
    let user = Message::new(Role::User, vec![text("Look."), text("  "), cache(None), text("Well?")]);
    assert_eq!(
        said(vec![system, user]),
        json!({
            "system": [
                {"type": "text", "text": "Long.", "cache_control": {"type": "ephemeral", "ttl": "1h"}},
                {"type": "text", "text": "Short."},
            ],
            "messages": [{"role": "user", "content": [
                {"type": "text", "text": "Look.", "cache_control": {"type": "ephemeral"}},
                {"type": "text", "text": "Well?"},
            ]}],
        })
    );
}

#[test]
fn a_mark_never_stands_on_a_thought_and_is_not_lost_at_a_boundary() {
    let thought = Part::Thinking(Thinking { text: "Hm.".into(), signature: Some("sig".into()), redacted: false });
    let answer = assistant(vec![thought, cache(None), text("Yes.")]);
    let next = Message::new(Role::User, vec![cache(Some("5m")), text("And?")]);
    let body = said(vec![Message::user("Well?"), answer, next]);
    assert_eq!(
        body["messages"][0]["content"],
        json!([{"type": "text", "text": "Well?", "cache_control": {"type": "ephemeral"}}])
    );
    assert_eq!(
        body["messages"][1]["content"],
        json!([
            {"type": "thinking", "thinking": "Hm.", "signature": "sig"},
            {"type": "text", "text": "Yes.", "cache_control": {"type": "ephemeral", "ttl": "5m"}},
        ])
    );
}

#[test]
fn a_mark_on_a_message_is_one_on_its_last_block() {
    let mut user = Message::user("Look.");
    user.extra.push(Field::new("cache_control", r#"{"type":"ephemeral"}"#));
    let expected = json!([{"type": "text", "text": "Look.", "cache_control": {"type": "ephemeral"}}]);
    assert_eq!(said(vec![user])["messages"][0]["content"], expected);
}

#[test]
fn neighbours_of_one_role_are_one_turn() {
    let messages = vec![Message::user("a"), Message::user("b"), Message::assistant("c"), Message::assistant("d")];
    let block = |text: &str| json!({"type": "text", "text": text});
    assert_eq!(
        said([messages, vec![Message::user("e")]].concat())["messages"],
        json!([
            {"role": "user", "content": [block("a"), block("b")]},
            {"role": "assistant", "content": [block("c"), block("d")]},
            {"role": "user", "content": "e"},
        ])
    );
}

#[test]
fn an_empty_message_is_none_and_what_stood_around_it_meets() {
    for nothing in ["", " ", "\n\t "] {
        let messages =
            vec![Message::user("a"), Message::assistant(nothing), Message::user("b"), Message::user(nothing)];
        let block = |text: &str| json!({"type": "text", "text": text});
        assert_eq!(said(messages)["messages"], json!([{"role": "user", "content": [block("a"), block("b")]}]));
    }
}

#[test]
fn somebody_must_speak_first() {
    let filler = json!({"role": "user", "content": "."});
    let answer = json!({"role": "assistant", "content": "Hello!"});
    assert_eq!(
        said(vec![Message::assistant("Hello!"), Message::user("hi")])["messages"],
        json!([filler, answer, {"role": "user", "content": "hi"}])
    );
    assert_eq!(said(vec![Message::system("Speak.")])["messages"], json!([filler]));
    assert_eq!(said(vec![Message::user("")])["messages"], json!([filler]));
}

#[test]
fn what_the_assistant_is_to_continue_ends_without_blanks() {
    let messages = vec![Message::user("Count."), assistant(vec![text("One, "), text("two, \n"), text("\n")])];
    assert_eq!(
        said(messages)["messages"][1]["content"],
        json!([{"type": "text", "text": "One, "}, {"type": "text", "text": "two,"}])
    );
    // What is over keeps its blanks.
    let messages = vec![Message::user("Count."), Message::assistant("One, "), Message::user("Go on.")];
    assert_eq!(said(messages)["messages"][1]["content"], "One, ");
}

#[test]
fn results_of_one_turn_come_together_and_first() {
    let calls = assistant(vec![text("Let me see."), call("a", "f", "{}"), call("b", "g", r#"{"x":1}"#)]);
    let messages = vec![
        Message::user("Well?"),
        calls,
        Message::tool("b", "two"),
        Message::user("Hurry."),
        Message::tool("a", "one"),
    ];
    assert_eq!(
        said(messages)["messages"].as_array().unwrap()[1..],
        [
            json!({"role": "assistant", "content": [
                {"type": "text", "text": "Let me see."},
                tool_use("a", "f", json!({})),
                tool_use("b", "g", json!({"x": 1})),
            ]}),
            json!({"role": "user", "content": [
                tool_result("b", "two"),
                tool_result("a", "one"),
                {"type": "text", "text": "Hurry."},
            ]}),
        ]
    );
}

#[test]
fn results_that_failed_say_so_and_empty_ones_hold_nothing() {
    let result = |id: &str, parts, failed| Part::Outcome(ToolResult { call_id: id.into(), parts, failed });
    let results = vec![
        result("a", vec![ResultPart::Text("no such city".into())], true),
        result("b", vec![ResultPart::Text(" ".into())], false),
        result("c", vec![ResultPart::Text("x".into()), ResultPart::Text("y".into())], false),
    ];
    let calls = assistant(vec![call("a", "f", ""), call("b", "f", ""), call("c", "f", "")]);
    let messages = vec![Message::user("?"), calls, Message::new(Role::Tool, results)];
    assert_eq!(
        said(messages)["messages"][2]["content"],
        json!([
            {"type": "tool_result", "tool_use_id": "a", "content": "no such city", "is_error": true},
            {"type": "tool_result", "tool_use_id": "b"},
            {"type": "tool_result", "tool_use_id": "c", "content": [
                {"type": "text", "text": "x"}, {"type": "text", "text": "y"},
            ]},
        ])
    );
}

#[test]
fn ids_fit_the_vendor_are_unique_and_still_match() {
    let turn = || vec![assistant(vec![call("call:0|x", "f", ""), call("call:0|x", "g", "")])];
    let results = || vec![Message::tool("call:0|x", "first"), Message::tool("call:0|x", "second")];
    let body = said([vec![Message::user("?")], turn(), results(), turn(), results()].concat());
    let id = |turn: usize, block: usize, key: &str| body["messages"][turn]["content"][block][key].as_str().unwrap();
    let calls = [id(1, 0, "id"), id(1, 1, "id"), id(3, 0, "id"), id(3, 1, "id")];
    let results = [(2, 0), (2, 1), (4, 0), (4, 1)].map(|(turn, block)| id(turn, block, "tool_use_id"));
    assert_eq!(calls, results);
    assert!(calls.iter().all(|id| id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte))));
    assert_eq!(std::collections::BTreeSet::from(calls).len(), 4);
    // The same conversation is written the same: caches depend on it.
    assert_eq!(said([vec![Message::user("?")], turn()].concat()[..1].to_vec()), said(vec![Message::user("?")]));
}

#[test]
fn a_result_without_a_call_and_a_call_without_a_result_are_named() {
    let error = refused(asks(vec![Message::user("?"), Message::tool("lost", "x")]));
    assert_eq!(error.kind, ErrorKind::InvalidRequest);
    assert!(error.message.contains("`lost` answers no call"), "{}", error.message);
    let calls = || assistant(vec![call("a", "f", ""), call("b", "f", "")]);
    for rest in [
        vec![],
        vec![Message::tool("a", "x")],
        vec![Message::tool("a", "x"), Message::assistant("Well."), Message::tool("b", "y")],
    ] {
        let error = refused(asks([vec![Message::user("?"), calls()], rest].concat()));
        assert_eq!(error.kind, ErrorKind::InvalidRequest);
        assert!(error.message.contains("has no result"), "{}", error.message);
    }
}

#[test]
fn names_are_written_where_they_tell_speakers_apart() {
    let named = |name: &str, words: &str| Message { name: Some(name.into()), ..Message::user(words) };
    let block = |text: &str| json!({"type": "text", "text": text});
    assert_eq!(
        said(vec![named("ann", "Tea?"), named("bob", "Coffee!")])["messages"][0]["content"],
        json!([block("ann: Tea?"), block("bob: Coffee!")])
    );
    assert_eq!(said(vec![named("ann", "Tea?")])["messages"][0]["content"], "Tea?");
}

#[test]
fn thoughts_go_back_only_with_their_signature() {
    let thinking = |text: &str, signature: Option<&str>, redacted| {
        Part::Thinking(Thinking { text: text.into(), signature: signature.map(Into::into), redacted })
    };
    let parts = vec![
        thinking("Hm.", Some("sig=="), false),
        thinking("", Some("unshown"), false),
        thinking("opaque", None, true),
        thinking("of another vendor", None, false),
        thinking("of Gemini", Some("gemini:gemini-3-pro:c2ln"), false),
        thinking("gemini:gemini-3-pro:c2ln", None, true),
        thinking("of OpenAI", Some("rs_1:c2ln"), false),
        text("Yes."),
    ];
    let body = said(vec![Message::user("?"), assistant(parts), Message::user("Sure?")]);
    assert_eq!(
        body["messages"][1]["content"],
        json!([
            {"type": "thinking", "thinking": "Hm.", "signature": "sig=="},
            {"type": "thinking", "thinking": "", "signature": "unshown"},
            {"type": "redacted_thinking", "data": "opaque"},
            {"type": "text", "text": "Yes."},
        ])
    );
}

#[test]
fn what_a_message_cannot_hold_here_is_named() {
    let mut odd = Message::user("hi");
    odd.extra.push(Field::new("weather", "\"fine\""));
    let error = refused(asks(vec![odd]));
    assert_eq!(error.kind, ErrorKind::Unsupported);
    assert!(error.message.contains("`weather` of the message"), "{}", error.message);

    let mut answer = Message::assistant("hi");
    answer.extra =
        vec![Field::new("annotations", "[]"), Field::new("audio", "null"), Field::new("function_call", "null")];
    assert_eq!(said(vec![Message::user("?"), answer, Message::user("?")])["messages"][1]["content"], "hi");

    let other = Message::new(Role::User, vec![Part::Other(r#"{"type":"hologram"}"#.into())]);
    assert_eq!(refused(asks(vec![other])).kind, ErrorKind::Unsupported);
    let misplaced = Message::new(Role::User, vec![call("a", "f", "")]);
    assert!(refused(asks(vec![misplaced])).message.contains("no tool calls in user messages"));
}
