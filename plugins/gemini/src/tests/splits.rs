//! Wherever the network cuts a stream: the same events, or an error, but never a clean end too early.

use mortise_sdk::chat::Event;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::stream;

fn recorded(line_end: &str) -> Vec<u8> {
    let chunk = |part: Value| json!({"candidates": [{"content": {"parts": [part], "role": "model"}, "index": 0}], "responseId": "é"});
    let mut last =
        chunk(json!({"functionCall": {"name": "g", "args": {"ü": [1, "\"\n"]}}, "thoughtSignature": "c2ln"}));
    last["candidates"][0]["finishReason"] = json!("STOP");
    last["usageMetadata"] = json!({"promptTokenCount": 3, "candidatesTokenCount": 4});
    let chunks = [
        chunk(json!({"text": "思考 🧠", "thought": true})),
        chunk(json!({"text": "Grüße, "})),
        chunk(json!({"text": "\"日本\"\n\u{1f600}", "thoughtSignature": "dGV4dA=="})),
        chunk(json!({"functionCall": {"name": "f", "args": {}}})),
        last,
    ];
    let mut text = format!(": hello{line_end}{line_end}");
    for chunk in chunks {
        text.push_str(&format!("data: {chunk}{line_end}{line_end}"));
    }
    text.into_bytes()
}

fn whole(bytes: &[u8]) -> Vec<Event> {
    let mut run = stream();
    run.body(bytes).end();
    assert_eq!(run.error(), None);
    assert!(run.finished());
    run.events()
}

#[test]
fn byte_by_byte_gives_the_same_events() {
    for line_end in ["\n", "\r\n", "\r"] {
        let bytes = recorded(line_end);
        let mut run = stream();
        run.pieces(&bytes, &(0..bytes.len()).collect::<Vec<_>>()).end();
        assert_eq!(run.events(), whole(&bytes));
        assert_eq!(run.events(), whole(&recorded("\n")));
    }
}

#[test]
fn every_single_cut_gives_the_same_events() {
    let bytes = recorded("\r\n");
    let expected = whole(&bytes);
    for cut in 0..bytes.len() {
        let mut run = stream();
        run.pieces(&bytes, &[cut]).end();
        assert_eq!(run.events(), expected, "cut at {cut}");
    }
}

#[test]
fn every_end_before_the_finish_reason_is_an_error() {
    let bytes = recorded("\n");
    for cut in 0..=bytes.len() {
        for broken in [false, true] {
            let mut run = stream();
            run.body(&bytes[..cut]);
            if broken {
                run.broken("cut")
            } else {
                run.end()
            };
            // The reason stands in the last frame, which the last byte ends.
            let complete = cut == bytes.len();
            let stopped = run.events().iter().any(|event| matches!(event, Event::Stopped(_)));
            assert_eq!(
                (run.finished(), run.error().is_none(), stopped),
                (complete, complete, complete),
                "cut at {cut}"
            );
        }
    }
}

proptest! {
    #[test]
    fn any_split_gives_the_same_events(
        cuts in prop::collection::vec(0_usize..2000, 0..40), line_end in prop::sample::select(vec!["\n", "\r\n", "\r"]),
    ) {
        let bytes = recorded(line_end);
        let mut run = stream();
        run.pieces(&bytes, &cuts).end();
        prop_assert_eq!(run.events(), whole(&bytes));
    }

    #[test]
    fn noise_never_ends_an_answer(noise in prop::collection::vec(any::<u8>(), 0..200)) {
        let mut run = stream();
        run.body(b"data: {\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"a\"}]}}]}\n\n");
        run.body(&noise).body(b"\n\n").end();
        prop_assert!(!run.finished());
        prop_assert!(run.error().is_some());
    }
}
