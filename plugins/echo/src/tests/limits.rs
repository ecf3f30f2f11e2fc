//! The request's own limits.

use mortise_sdk::chat::{Request, Stop, StopReason};

use super::{answer, request, with_tools};

#[test]
fn the_limit_of_tokens_is_respected() {
    let limited = |tokens, text: &str| {
        let answer = answer(Request { max_tokens: Some(tokens), ..with_tools(text) });
        (answer.text, answer.calls.len(), answer.stop.unwrap().reason, answer.usage.unwrap().output)
    };
    assert_eq!(limited(2, "a b c"), ("a b ".into(), 0, StopReason::Length, 2));
    assert_eq!(limited(3, "a b c"), ("a b c".into(), 0, StopReason::Complete, 3));
    assert_eq!(limited(0, "a"), (String::new(), 0, StopReason::Length, 0));
    assert_eq!(limited(2, "[[think a b]] c"), (String::new(), 0, StopReason::Length, 2));
    assert_eq!(limited(2, "a [[tool clock]]"), ("a".into(), 0, StopReason::Length, 1));
    assert_eq!(limited(3, "a [[tool clock]]"), ("a".into(), 1, StopReason::ToolCalls, 3));
}

#[test]
fn a_stop_sequence_ends_the_text() {
    let stopped = |sequences: &[&str], text: &str| {
        let stop = sequences.iter().map(|sequence| (*sequence).to_owned()).collect();
        let answer = answer(Request { stop, ..request(text) });
        (answer.text, answer.stop.unwrap())
    };
    let at = |sequence: &str| Stop { reason: StopReason::StopSequence, sequence: Some(sequence.into()) };
    assert_eq!(stopped(&["ee", "o t"], "one two three"), ("one tw".into(), at("o t")));
    assert_eq!(stopped(&["two"], "one two three"), ("one ".into(), at("two")));
    assert_eq!(stopped(&["one"], "one two"), (String::new(), at("one")));
    assert_eq!(stopped(&["", "x"], "one").1.reason, StopReason::Complete);
    assert_eq!(stopped(&["é"], "oné [[fail upstream]]"), ("on".into(), at("é")));
    assert_eq!(stopped(&["b a"], "a b [[repeat 2]]"), ("a ".into(), at("b a")));
}
