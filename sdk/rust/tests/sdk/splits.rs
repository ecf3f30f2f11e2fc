//! Wherever the network cuts a stream: the same events, or an error, but never a clean end too early.

use mortise_sdk::chat::Event;
use proptest::prelude::*;
use serde_json::json;

use crate::vendor::stream;

/// A stream with everything in it that could be cut: long characters, escapes, comments, ids, data in several lines, each
/// way to end a line, interleaved calls.
fn recorded(line_end: &str) -> Vec<u8> {
    let chunk = |delta, finish: Option<&str>| {
        json!({"id": "é", "model": "m", "choices": [{"index": 0, "delta": delta, "finish_reason": finish}]}).to_string()
    };
    let call = |index: u32, id: &str, arguments: &str| json!({"tool_calls": [{"index": index, "id": id, "function": {"name": "f", "arguments": arguments}}]});
    let chunks = [
        chunk(json!({"role": "assistant", "content": ""}), None),
        chunk(json!({"reasoning_content": "思考 🧠"}), None),
        chunk(json!({"content": "Grüße, "}), None),
        chunk(json!({"content": "\"日本\"\n\u{1f600}"}), None),
        chunk(call(0, "a", "{\"ü\":"), None),
        chunk(call(1, "b", "{"), None),
        chunk(call(0, "a", "1}"), None),
        chunk(call(1, "b", "}"), Some("tool_calls")),
        json!({"id": "é", "choices": [], "usage": {"prompt_tokens": 3, "completion_tokens": 4}}).to_string(),
    ];
    let mut lines = vec![": hello".to_owned(), String::new()];
    for (number, chunk) in chunks.iter().enumerate() {
        // JSON may be broken into lines where it may hold blanks.
        let data = if number % 2 == 1 { chunk.replacen(",\"", ",\n\"", 1) } else { chunk.clone() };
        lines.extend(data.split('\n').map(|line| format!("data: {line}")));
        lines.extend([format!("id: {number}"), String::new(), ":".to_owned()]);
    }
    lines.extend(["data:[DONE]".to_owned(), String::new()]);
    lines.iter().flat_map(|line| format!("{line}{line_end}").into_bytes()).collect()
}

fn whole(bytes: &[u8]) -> Vec<Event> {
    let mut run = stream();
    run.body(bytes);
    assert_eq!(run.error(), None);
    assert!(run.finished());
    run.events()
}

#[test]
fn each_way_to_end_a_line_gives_the_same_events() {
    let events = whole(&recorded("\n"));
    assert_eq!(events.len(), 12, "{events:#?}");
    assert_eq!(whole(&recorded("\r\n")), events);
    assert_eq!(whole(&recorded("\r")), events);
}

#[test]
fn byte_by_byte_gives_the_same_events() {
    for line_end in ["\n", "\r\n", "\r"] {
        let bytes = recorded(line_end);
        let mut run = stream();
        run.pieces(&bytes, &(0..bytes.len()).collect::<Vec<_>>());
        assert_eq!(run.events(), whole(&bytes));
        assert!(run.finished());
    }
}

/// Where the frame with the finish reason is over.
fn finish_frame_end(bytes: &[u8]) -> usize {
    let position = |from: usize, needle: &[u8]| {
        bytes[from..].windows(needle.len()).position(|window| window == needle).map(|at| from + at).unwrap()
    };
    let reason = position(0, b"\"finish_reason\":\"tool_calls\"");
    position(reason, b"\n\n") + 2
}

#[test]
fn every_cut_before_the_finish_reason_is_an_error() {
    let bytes = recorded("\n");
    let complete = finish_frame_end(&bytes);
    for cut in 0..bytes.len() {
        for broken in [false, true] {
            let mut run = stream();
            run.body(&bytes[..cut]);
            if broken {
                run.broken("cut")
            } else {
                run.end()
            };
            assert_eq!(run.finished(), cut >= complete, "cut at {cut}");
            assert_eq!(run.error().is_some(), cut < complete, "cut at {cut}");
            let stopped = run.events().iter().any(|event| matches!(event, Event::Stopped(_)));
            assert_eq!(stopped, cut >= complete);
        }
    }
}

proptest! {
    #[test]
    fn any_split_gives_the_same_events(
        cuts in prop::collection::vec(0_usize..4000, 0..40), line_end in prop::sample::select(vec!["\n", "\r\n", "\r"]),
    ) {
        let bytes = recorded(line_end);
        let mut run = stream();
        run.pieces(&bytes, &cuts);
        prop_assert_eq!(run.events(), whole(&bytes));
        prop_assert!(run.finished());
    }

    #[test]
    fn noise_never_ends_an_answer(noise in prop::collection::vec(any::<u8>(), 0..200)) {
        let mut run = stream();
        run.body(b"data: {\"id\":\"x\",\"choices\":[{\"delta\":{\"content\":\"a\"}}]}\n\n");
        run.body(&noise).body(b"\n\n").end();
        prop_assert!(!run.finished());
        prop_assert!(run.error().is_some());
    }
}
