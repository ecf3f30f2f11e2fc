//! Wherever the network cuts a stream: the same events, or an error, but never a clean end too early.

use mortise_sdk::chat::Event;
use proptest::prelude::*;
use serde_json::json;

use super::{last, line, lines, stream};

fn recorded() -> Vec<u8> {
    lines(&[
        line(json!({"role": "assistant", "content": "", "thinking": "思考 🧠"})),
        line(json!({"role": "assistant", "content": "\"日本\"\n\u{1f600}"})),
        line(
            json!({"role": "assistant", "content": "", "tool_calls": [{"function": {"name": "f", "arguments": {"ü": 1}}}]}),
        ),
        last("stop"),
    ])
}

fn whole() -> Vec<Event> {
    let mut run = stream();
    run.body(&recorded());
    assert_eq!(run.error(), None);
    assert!(run.finished());
    run.events()
}

#[test]
fn byte_by_byte_and_every_single_cut_give_the_same_events() {
    let (bytes, expected) = (recorded(), whole());
    let every: Vec<usize> = (0..bytes.len()).collect();
    let mut run = stream();
    run.pieces(&bytes, &every);
    assert_eq!(run.events(), expected);
    for cut in every {
        let mut run = stream();
        run.pieces(&bytes, &[cut]);
        assert_eq!(run.events(), expected, "cut at {cut}");
    }
}

#[test]
fn every_end_before_the_last_line_is_an_error() {
    let bytes = recorded();
    for cut in 0..bytes.len() {
        for broken in [false, true] {
            let mut run = stream();
            run.body(&bytes[..cut]);
            if broken {
                run.broken("cut")
            } else {
                run.end()
            };
            // An orderly end closes the last line as a line feed does.
            let complete = !broken && cut == bytes.len() - 1;
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
    fn any_split_gives_the_same_events(cuts in prop::collection::vec(0_usize..900, 0..40)) {
        let mut run = stream();
        run.pieces(&recorded(), &cuts);
        prop_assert_eq!(run.events(), whole());
    }

    #[test]
    fn noise_never_ends_an_answer(noise in prop::collection::vec(any::<u8>(), 0..200)) {
        let mut run = stream();
        run.body(&lines(&[line(json!({"role": "assistant", "content": "a"}))]));
        run.body(&noise).body(b"\n").end();
        prop_assert!(!run.finished());
        prop_assert!(run.error().is_some());
    }
}
