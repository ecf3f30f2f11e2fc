//! What echo can be told to do.

use mortise_sdk::chat::{Event, Message, Part, Request, Role, StopReason, ToolCall, ToolChoice};
use mortise_sdk::provider::{Error, ErrorKind};
use mortise_sdk::testing::Call;
use proptest::prelude::*;

use super::{answer, begin, error, request, said, with_tools};

fn call(id: &str, name: &str, arguments: &str) -> Call {
    Call { id: id.into(), name: name.into(), arguments: arguments.into(), extra: Vec::new() }
}

#[test]
fn a_tool_is_called_in_pieces() {
    let text = r#"Look: [[tool weather {"city": "Zürich", "deep": [[1]]}]] and [[tool clock]] done"#;
    let run = begin(with_tools(text));
    let answer = run.answer();
    assert_eq!(answer.text, "Look: and done");
    assert_eq!(
        answer.calls,
        [call("call_1", "weather", r#"{"city": "Zürich", "deep": [[1]]}"#), call("call_2", "clock", "{}")]
    );
    assert_eq!(answer.stop.unwrap().reason, StopReason::ToolCalls);
    let pieces = run.events().iter().filter(|event| matches!(event, Event::CallArguments(_))).count();
    assert!(pieces > 3, "{pieces}");
}

#[test]
fn ids_of_calls_go_on_counting() {
    let earlier =
        Part::Call(ToolCall { id: "call_1".into(), name: "clock".into(), arguments: "{}".into(), extra: Vec::new() });
    let mut request = with_tools("");
    request.messages = vec![
        Message::new(Role::Assistant, vec![earlier]),
        Message::tool("call_1", "noon"),
        Message::user("[[tool clock]]"),
    ];
    assert_eq!(answer(request).calls, [call("call_2", "clock", "{}")]);
}

#[test]
fn a_call_must_be_possible() {
    let table = [
        (with_tools("[[tool nope {}]]"), "its tools are weather, clock"),
        (request("[[tool nope {}]]"), "it has no tools at all"),
        (Request { tool_choice: Some(ToolChoice::Never), ..with_tools("[[tool clock]]") }, "forbids tool calls"),
        (
            Request { parallel_tool_calls: Some(false), ..with_tools("[[tool clock]] [[tool clock]]") },
            "forbids parallel tool calls",
        ),
        (Request { tool_choice: Some(ToolChoice::Named("nope".into())), ..with_tools("x") }, "no tool `nope`"),
        (Request { tool_choice: Some(ToolChoice::Required), ..request("x") }, "there are no tools"),
    ];
    for (request, words) in table {
        let error = error(request);
        assert_eq!(error.kind, ErrorKind::InvalidRequest);
        assert!(error.message.contains(words), "{}", error.message);
    }
}

#[test]
fn a_required_call_is_made_with_the_least_arguments() {
    let required = Request { tool_choice: Some(ToolChoice::Required), ..with_tools("x") };
    assert_eq!(answer(required).calls, [call("call_1", "weather", r#"{"city":""}"#)]);
    let named = Request { tool_choice: Some(ToolChoice::Named("clock".into())), ..with_tools("x") };
    assert_eq!(answer(named).calls, [call("call_1", "clock", "null")]);
    let told = Request { tool_choice: Some(ToolChoice::Required), ..with_tools("[[tool clock {\"a\":1}]]") };
    assert_eq!(answer(told).calls, [call("call_1", "clock", "{\"a\":1}")]);
}

#[test]
fn thinking_comes_first_and_is_signed() {
    let run = begin(request("hello [[think quite hard]] world [[think really]]"));
    let answer = run.answer();
    assert_eq!((answer.thinking.as_str(), answer.text.as_str()), ("quite hard really", "hello world"));
    assert!(answer.signature.unwrap().starts_with("echo-"));
    assert_eq!(answer.usage.map(|usage| (usage.reasoning, usage.output)), Some((3, 5)));
    let text_at = run.events().iter().position(|event| matches!(event, Event::Text(_)));
    let signature_at = run.events().iter().position(|event| matches!(event, Event::Signature(_)));
    assert!(signature_at < text_at);
}

#[test]
fn waiting_is_before_each_word_that_follows() {
    let mut run = begin(request("a b [[wait 20]] c d [[wait 0]] e"));
    assert_eq!((run.answer().text.as_str(), run.waiting()), ("a b ", Some(20)));
    assert_eq!(run.wake(), 20);
    assert_eq!((run.answer().text.as_str(), run.waiting()), ("a b c ", Some(20)));
    run.wake();
    assert_eq!((run.answer().text.as_str(), run.finished()), ("a b c d e", true));
    let mut run = begin(request("[[wait 5]] [[think a b]] c"));
    assert_eq!(run.wake_all(), (3, 15));
}

#[test]
fn it_fails_where_it_is_told_to() {
    let failed = |text: &str| {
        let run = begin(request(text));
        (run.answer().text, run.answer().model, run.error().cloned().unwrap())
    };
    let (text, model, error) = failed("a [[fail rate-limited 2000 slow down]] b");
    assert_eq!((text.as_str(), model.as_deref()), ("a ", Some("echo")));
    assert_eq!(error, Error::new(ErrorKind::RateLimited, "slow down").with_retry_after(2000));
    let (_, model, error) = failed("[[fail upstream]] b");
    assert_eq!(model, None, "an answer that fails at once never began");
    assert_eq!(error, Error::upstream("echo was told to fail"));
}

#[test]
fn stopping_repeating_refusing() {
    assert_eq!(answer(request("[[stop length]] a b")).stop.unwrap().reason, StopReason::Length);
    assert_eq!(answer(request("a b [[stop pause]]")).text, "a b");
    assert_eq!(said("[[repeat 3]] ab c"), "ab c ab c ab c");
    assert_eq!(said("ab\n[[repeat 2]]"), "ab ab");
    assert_eq!(said("a [[repeat 0]]"), "");
    let repeated = answer(with_tools("a [[tool clock]] b [[repeat 2]]"));
    assert_eq!((repeated.text.as_str(), repeated.calls.len()), ("a b a b", 1));
    let refused = answer(request("well [[refuse I would rather not]]"));
    assert_eq!((refused.text.as_str(), refused.refusal.as_str()), ("well", "I would rather not"));
    assert_eq!(refused.stop.unwrap().reason, StopReason::Refusal);
}

#[test]
fn a_long_answer_comes_in_turns() {
    let mut run = begin(request("[[repeat 1000]] word"));
    let (times, waited) = run.wake_all();
    assert!(times >= 3 && waited == 0, "{times} {waited}");
    assert_eq!(run.answer().text.len(), 4999);
    assert!(error(request("[[repeat 1000000]] word")).message.contains("repeat less often"));
}

#[test]
fn what_only_looks_like_a_directive_is_text() {
    for text in ["[[", "a [[b]] c", "[[1, 2], [3, 4]]", "[[thinking]]", "[[ wait 5 ]]", "x]]"] {
        assert_eq!(said(text), text);
    }
}

#[test]
fn a_malformed_directive_shows_the_right_form() {
    let table = [
        ("[[wait soon]]", "write [[wait MILLISECONDS]]"),
        ("[[wait -1]]", "write [[wait MILLISECONDS]]"),
        ("[[wait 5", "has no end: write [[wait MILLISECONDS]]"),
        ("[[think]]", "has no words"),
        ("[[fail sometimes x]]", "knows no `sometimes`, only invalid-request, "),
        ("[[stop]]", "knows no ``, only complete, stop-sequence, length"),
        ("[[repeat]]", "write [[repeat TIMES]]"),
        ("[[tool]]", "has no name of a tool"),
        ("[[tool f", "has no end"),
        ("[[tool f {\"a\": }]]", "no JSON object"),
        ("[[tool f [1]]]", "something other than a JSON object"),
        ("[[tool f {} x]]", "write [[tool NAME {\"key\": \"value\"}]]"),
    ];
    for (text, words) in table {
        let error = error(with_tools(text));
        assert_eq!(error.kind, ErrorKind::InvalidRequest, "{text}");
        assert!(error.message.contains(words), "{text}: {}", error.message);
    }
}

proptest! {
    #[test]
    fn any_text_is_answered_or_refused_in_order(text in "(?s)(\\[\\[(think|wait|tool|stop|repeat|fail|refuse)? ?|\\]\\]|[a-z{}\" 0-9é\n]){0,30}") {
        let mut run = begin(with_tools(&text));
        run.wake_all();
        prop_assert!(run.finished() != run.error().is_some());
    }

    #[test]
    fn text_without_directives_comes_back(text in "(?s)[^\\[]{0,200}") {
        prop_assert_eq!(said(&text), text);
    }
}
