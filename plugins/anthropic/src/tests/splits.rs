//! Wherever the network cuts a stream: the same events, or an error, but never a clean end too early.

use mortise_sdk::chat::Event;
use mortise_sdk::provider::ErrorKind;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::streams::{begins, ends, input, piece, sse, start, stop, stream, why, words};

/// A stream with everything in it that could be cut.
fn recorded() -> Vec<Value> {
    vec![
        start(),
        begins(0, json!({"type": "thinking", "thinking": "", "signature": ""})),
        piece(0, json!({"type": "thinking_delta", "thinking": "思考 🧠"})),
        piece(0, json!({"type": "signature_delta", "signature": "EqQB"})),
        ends(0),
        json!({"type": "ping"}),
        begins(1, json!({"type": "text", "text": ""})),
        piece(1, words("Grüße, ")),
        piece(1, words("\"日本\"\n\u{1f600}")),
        ends(1),
        begins(2, json!({"type": "server_tool_use", "id": "s", "name": "web_search", "input": {}})),
        piece(2, input("{\"q\":\"ü\"}")),
        ends(2),
        begins(3, json!({"type": "tool_use", "id": "t", "name": "f", "input": {}})),
        piece(3, input("{\"ü\":")),
        piece(3, input("1}")),
        ends(3),
        why("tool_use"),
        stop(),
    ]
}

fn bytes(line_end: &str) -> Vec<u8> {
    format!(": hello\n\n{}", sse(&recorded())).replace('\n', line_end).into_bytes()
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
    let events = whole(&bytes("\n"));
    assert_eq!(events.len(), 12, "{events:#?}");
    assert_eq!(whole(&bytes("\r\n")), events);
    assert_eq!(whole(&bytes("\r")), events);
}

#[test]
fn every_place_to_split_gives_the_same_events() {
    for line_end in ["\n", "\r\n"] {
        let bytes = bytes(line_end);
        let expected = whole(&bytes);
        for at in 0..=bytes.len() {
            let mut run = stream();
            run.pieces(&bytes, &[at]);
            assert_eq!(run.events(), expected, "split at {at}");
        }
        let mut run = stream();
        run.pieces(&bytes, &(0..bytes.len()).collect::<Vec<_>>());
        assert_eq!(run.events(), expected, "byte by byte");
    }
}

/// Before the vendor has said why it ended, an end is an error; after that, nothing is missing.
#[test]
fn every_place_to_cut_is_an_error_until_the_reason_is_known() {
    let bytes = bytes("\n");
    let reason = sse(&[why("tool_use")]);
    let known = bytes.windows(reason.len()).position(|part| part == reason.as_bytes()).unwrap() + reason.len();
    let expected = whole(&bytes);
    for at in 0..bytes.len() {
        for cut in [true, false] {
            let mut run = stream();
            run.body(&bytes[..at]);
            if !run.finished() {
                if cut {
                    run.broken("reset")
                } else {
                    run.end()
                };
            }
            let events = run.events();
            if at < known {
                assert_eq!(run.error().map(|error| error.kind), Some(ErrorKind::Upstream), "cut at {at}");
                assert!(!events.iter().any(|event| matches!(event, Event::Stopped(_))), "cut at {at}");
                assert!(expected.starts_with(&events), "cut at {at}");
            } else {
                assert!(run.finished(), "cut at {at}");
                assert_eq!(events, expected, "cut at {at}");
            }
        }
    }
}

proptest! {
    #[test]
    fn any_splits_give_the_same_events(cuts in prop::collection::vec(0_usize..4_000, 0..12)) {
        let bytes = bytes("\r\n");
        let mut run = stream();
        run.pieces(&bytes, &cuts);
        prop_assert_eq!(run.events(), whole(&bytes));
    }

    /// Whatever the vendor sends, the provider neither panics nor breaks the contract (the harness checks that).
    #[test]
    fn any_order_is_borne(order in prop::collection::vec(0_usize..19, 0..40)) {
        let events = recorded();
        let mut run = stream();
        run.body(sse(&order.iter().map(|at| events[*at].clone()).collect::<Vec<_>>()).as_bytes());
        if !run.finished() && run.error().is_none() {
            run.end();
        }
        prop_assert!(run.finished() || run.error().is_some());
    }
}
