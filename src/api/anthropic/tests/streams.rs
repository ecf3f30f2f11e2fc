//! Answers whose pieces come in any order, written as streams: blocks stand in sequence, and nothing is lost.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;
use serde_json::Value;

use super::super::stream::Writer;
use crate::model::chat::*;

/// One block of an answer: how it begins, and its pieces.
type Block = Vec<Event>;

fn pieces(text: &str, at: &[Index]) -> Vec<String> {
    let characters: Vec<char> = text.chars().collect();
    let mut marks: Vec<usize> = at.iter().map(|index| index.index(characters.len() + 1)).collect();
    marks.extend([0, characters.len()]);
    marks.sort_unstable();
    marks.windows(2).map(|pair| characters[pair[0]..pair[1]].iter().collect()).collect()
}

fn block(number: u32) -> impl Strategy<Value = Block> {
    let object = prop_oneof![
        Just(String::new()),
        Just("{}".to_owned()),
        Just("{\"a\":\"}{\\\"\",\"b\":[{}]} ".to_owned()),
        Just("[1]".to_owned()),
        "[a-z]{1,5}".prop_map(|text| format!("{{\"x\":\"{text}\"}}")),
    ];
    let at = || vec(any::<Index>(), 0..5);
    let say = move |text: String| Event::Text { block: number, text };
    let think = move |text: String| Event::Thinking { block: number, text };
    prop_oneof![
        ("\\PC{0,12}", at()).prop_map(move |(text, at)| pieces(&text, &at).into_iter().map(say).collect()),
        ("[a-z ]{1,12}", at(), any::<bool>()).prop_map(move |(text, at, signed)| {
            let mut events: Block = pieces(&text, &at).into_iter().map(think).collect();
            events.extend(signed.then(|| Event::Signature { block: number, text: format!("sig{number}") }));
            events
        }),
        (object, at()).prop_map(move |(text, at)| {
            let id = format!("call {number}");
            let mut events = vec![Event::CallStarted { block: number, id, name: "f".into(), extra: Vec::new() }];
            events.extend(pieces(&text, &at).into_iter().map(|text| Event::CallArguments { block: number, text }));
            events
        }),
        Just(vec![Event::Redacted { block: number, text: "xyz".into() }]),
        Just(vec![Event::Other { block: number, text: "{\"type\":\"x\"}".into() }]),
    ]
}

/// Blocks, and an order of their pieces: whose piece is next.
fn answer() -> impl Strategy<Value = (Vec<Block>, Vec<Index>)> {
    let blocks = (1u32..6).prop_flat_map(|count| (0..count).map(|number| block(number).boxed()).collect::<Vec<_>>());
    (blocks, vec(any::<Index>(), 64))
}

fn interleaved(mut blocks: Vec<Block>, order: &[Index]) -> Vec<Event> {
    blocks.iter_mut().for_each(|block| block.reverse());
    let mut events = Vec::new();
    for index in order.iter().cycle() {
        blocks.retain(|block| !block.is_empty());
        if blocks.is_empty() {
            break;
        }
        let at = index.index(blocks.len());
        events.extend(blocks[at].pop());
    }
    events
}

/// What was said, by kind: in sequence, as it stands in the blocks.
#[derive(Debug, Default, PartialEq)]
struct Said {
    texts: Vec<char>,
    thoughts: Vec<char>,
    signatures: Vec<String>,
    calls: Vec<(String, Value)>,
    whole: usize,
}

impl Said {
    fn of(events: &[Event]) -> Self {
        let mut said = Self::default();
        let mut arguments: Vec<(u32, String, String)> = Vec::new();
        for event in events {
            match event {
                Event::Text { text, .. } => said.texts.extend(text.chars()),
                Event::Thinking { text, .. } => said.thoughts.extend(text.chars()),
                Event::Signature { text, .. } => said.signatures.push(text.clone()),
                Event::CallStarted { block, id, .. } => arguments.push((*block, id.clone(), String::new())),
                Event::CallArguments { block, text } => {
                    arguments.iter_mut().find(|(known, ..)| known == block).unwrap().2.push_str(text);
                }
                _ => said.whole += 1,
            }
        }
        let object = |text: String| serde_json::from_str(&super::super::arguments::outward(&text)).unwrap();
        said.calls = arguments.into_iter().map(|(_, id, text)| (id, object(text))).collect();
        said
    }

    /// Reads the stream as strictly as its grammar is.
    fn read(text: &str) -> Self {
        let mut said = Self::default();
        let (mut index, mut open) = (0, None::<(String, String)>);
        let mut call = String::new();
        for data in text.split("\n\n").filter_map(|event| event.split_once("\ndata: ")).map(|(_, data)| data) {
            let event: Value = serde_json::from_str(data).unwrap();
            let (delta, block) = (&event["delta"], &event["content_block"]);
            match event["type"].as_str().unwrap() {
                "content_block_start" => {
                    assert!(open.is_none() && event["index"] == index, "{event}");
                    open = Some((block["type"].as_str().unwrap().into(), String::new()));
                    call = block["id"].as_str().unwrap_or_default().into();
                }
                "content_block_delta" => {
                    let (kind, content) = open.as_mut().expect("a block");
                    assert_eq!(event["index"], index);
                    let (expected, field) = match delta["type"].as_str().unwrap() {
                        "text_delta" => ("text", "text"),
                        "thinking_delta" => ("thinking", "thinking"),
                        "input_json_delta" => ("tool_use", "partial_json"),
                        "signature_delta" => ("thinking", "signature"),
                        other => panic!("{other}"),
                    };
                    assert_eq!(kind, expected);
                    let piece = delta[field].as_str().unwrap();
                    assert!(!piece.is_empty());
                    match field {
                        "signature" => {
                            said.signatures.push(piece.into());
                            content.push('!');
                        }
                        "text" => said.texts.extend(piece.chars()),
                        "thinking" => said.thoughts.extend(piece.chars()),
                        _ => {}
                    }
                    content.push_str(piece);
                }
                "content_block_stop" => {
                    let (kind, content) = open.take().expect("a block");
                    match kind.as_str() {
                        "tool_use" => {
                            let id = super::super::ids::inward(std::mem::take(&mut call));
                            said.calls.push((id, serde_json::from_str(&content).unwrap()));
                        }
                        "text" | "thinking" => assert!(!content.is_empty(), "an empty block"),
                        _ => said.whole += 1,
                    }
                    index += 1;
                }
                "message_delta" => assert!(open.is_none()),
                _ => {}
            }
        }
        said
    }

    /// Texts that had to wait may stand in another order among each other.
    fn sorted(mut self) -> Self {
        self.texts.sort_unstable();
        self.thoughts.sort_unstable();
        self.signatures.sort_unstable();
        self.calls.sort_by(|a, b| a.0.cmp(&b.0));
        self
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn nothing_is_lost_however_pieces_interleave((blocks, order) in answer()) {
        let events = interleaved(blocks, &order);
        let expected = Said::of(&events);
        let (mut writer, mut out) = (Writer::new("msg_1".into(), "m".into(), true), Vec::new());
        for event in events {
            writer.event(&mut out, event).unwrap();
        }
        writer.event(&mut out, Event::Stopped(Stop { reason: StopReason::Complete, sequence: None })).unwrap();
        writer.done(&mut out);
        let said = Said::read(std::str::from_utf8(&out).unwrap());
        prop_assert_eq!(said.sorted(), expected.sorted());
    }

    #[test]
    fn blocks_that_do_not_interleave_keep_their_order((blocks, _) in answer()) {
        let events: Vec<Event> = blocks.concat();
        let expected = Said::of(&events);
        let (mut writer, mut out) = (Writer::new("msg_1".into(), "m".into(), true), Vec::new());
        for event in events {
            writer.event(&mut out, event).unwrap();
        }
        writer.event(&mut out, Event::Stopped(Stop { reason: StopReason::Complete, sequence: None })).unwrap();
        writer.done(&mut out);
        prop_assert_eq!(Said::read(std::str::from_utf8(&out).unwrap()), expected);
    }
}
