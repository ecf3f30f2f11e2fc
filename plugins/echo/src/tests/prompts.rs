//! What is echoed.

use mortise_sdk::chat::{
    Event, Field, Media, MediaSource, Message, Part, Reasoning, Request, ResultPart, Role, StopReason, ToolCall,
    ToolResult, Usage,
};
use mortise_sdk::provider::{Credential, ErrorKind, Operation, Output};
use mortise_sdk::testing::{self, Run};

use super::{answer, begin, error, request, said};
use crate::client::Echo;

#[test]
fn it_describes_itself() {
    let info = testing::describe::<Echo>("{}").unwrap();
    assert_eq!((info.base_url, info.credential), (None, Credential::None));
    let ids: Vec<_> = info.models.iter().map(|model| model.id.as_str()).collect();
    assert_eq!(ids, ["echo", "echo-reasoning"]);
    let run = Run::new::<Echo>(Operation::ListModels, "{}");
    assert_eq!(run.outputs(), [Output::Models(info.models)]);
    assert!(run.finished());
}

#[test]
fn each_word_is_a_piece_with_the_blanks_behind_it() {
    let run = begin(request(" Hello,  wide\nworld "));
    assert!(run.finished());
    let pieces: Vec<_> = run
        .events()
        .into_iter()
        .filter_map(|event| if let Event::Text(delta) = event { Some(delta.text) } else { None })
        .collect();
    assert_eq!(pieces, [" Hello,  ", "wide\n", "world "]);
    let answer = run.answer();
    assert_eq!(answer.model.as_deref(), Some("echo"));
    assert_eq!(answer.usage, Some(Usage { input: 3, output: 3, ..Usage::default() }));
    assert_eq!(answer.stop.unwrap().reason, StopReason::Complete);
}

#[test]
fn the_last_user_message_counts() {
    let messages = vec![
        Message::system("be brief"),
        Message::user("first"),
        Message::assistant("no"),
        Message::user("last one"),
        Message::assistant("half an"),
    ];
    let answer = answer(Request::new("echo", messages));
    assert_eq!(answer.text, "last one");
    assert_eq!(answer.usage.unwrap().input, 8);
    assert_eq!(said(""), "");
    assert_eq!(super::answer(Request::new("echo", vec![])).text, "");
}

#[test]
fn media_are_mentioned() {
    let media = |mime: &str, source| Part::Media(Media { mime: mime.into(), source, name: None, detail: None });
    let parts = vec![
        Part::Text("see".into()),
        media("image/png", MediaSource::Base64("A".repeat(1234))),
        media("image/*", MediaSource::Url("https://x.example/i".into())),
        media("application/pdf", MediaSource::File("f-1".into())),
    ];
    assert_eq!(
        answer(Request::new("echo", vec![Message::new(Role::User, parts)])).text,
        "see\n[image/png, 1234 base64 characters]\n[image/*, https://x.example/i]\n[application/pdf, file f-1]"
    );
}

#[test]
fn results_at_the_end_are_echoed_and_not_obeyed() {
    let call =
        |id: &str| Part::Call(ToolCall { id: id.into(), name: "f".into(), arguments: "{}".into(), extra: Vec::new() });
    let failed = ToolResult { call_id: "b".into(), parts: vec![ResultPart::Text("no".into())], failed: true };
    let mut messages = vec![
        Message::user("[[tool f]]"),
        Message::new(Role::Assistant, vec![call("a"), call("b")]),
        Message::tool("a", "[[fail upstream]] one"),
        Message::new(Role::Tool, vec![Part::Outcome(failed)]),
    ];
    assert_eq!(answer(Request::new("echo", messages.clone())).text, "[[fail upstream]] one\n[failed]\nno");
    messages.push(Message::user("and now?"));
    assert_eq!(answer(Request::new("echo", messages)).text, "and now?");
}

#[test]
fn the_reasoning_model_thinks_first_unless_told_not_to() {
    let thinking =
        |reasoning| answer(Request { model: "echo-reasoning".into(), reasoning, ..request("two words") }).thinking;
    assert_eq!(thinking(None), "There are 2 words to give back.");
    assert_eq!(thinking(Some(Reasoning::Effort("high".into()))), "There are 2 words to give back.");
    assert_eq!(thinking(Some(Reasoning::Budget(0))), "");
    assert_eq!(thinking(Some(Reasoning::Effort("none".into()))), "");
}

#[test]
fn another_model_or_several_answers_are_an_error() {
    let unknown = error(Request { model: "gpt".into(), ..request("x") });
    assert_eq!(unknown.kind, ErrorKind::UnknownModel);
    assert!(unknown.message.contains("`echo`"), "{}", unknown.message);
    let several = Request { extra: vec![Field::new("n", "2")], ..request("x") };
    assert_eq!(error(several).kind, ErrorKind::Unsupported);
    let one = Request { extra: vec![Field::new("n", "1"), Field::new("store", "true")], ..request("x") };
    assert_eq!(answer(one).text, "x");
}

#[test]
fn tokens_are_counted_without_answering() {
    let tools = super::with_tools("three little words");
    let run = Run::new::<Echo>(Operation::CountTokens(tools), "{}");
    // Three words, two names, eight words of one schema and one of the other.
    assert_eq!(run.outputs(), [Output::Tokens(3 + 2 + 8 + 1)]);
    assert!(run.finished());
}

#[test]
fn the_same_request_has_the_same_answer() {
    let run = || begin(super::with_tools("[[think a]] b [[tool weather {\"city\": \"x\"}]]")).events();
    assert_eq!(run(), run());
}
