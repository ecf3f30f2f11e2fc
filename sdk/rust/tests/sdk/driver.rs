//! What every provider gets without writing it.

use mortise_sdk::chat::{Delta, Event, Message, Request};
use mortise_sdk::http::{self, Frame, Head};
use mortise_sdk::provider::{
    EmbedRequest, Error, ErrorKind, Exchange, Info, NoSettings, Operation, Out, Provider, answer,
};
use mortise_sdk::testing::{self, Run};

/// Implements as little as can be.
struct Bare;

impl Provider for Bare {
    type Settings = NoSettings;

    fn describe(_: NoSettings) -> Result<Info, Error> {
        Ok(Info::new("Bare"))
    }
}

/// Posts once, and once more after a 429.
struct Stubborn;

impl Provider for Stubborn {
    type Settings = NoSettings;

    fn describe(_: NoSettings) -> Result<Info, Error> {
        Ok(Info::new("Stubborn"))
    }

    fn chat(_: Request, _: NoSettings) -> Result<Box<dyn Exchange>, Error> {
        Ok(Box::new(Asking { attempts: 0 }))
    }

    fn list_models(_: NoSettings) -> Result<Box<dyn Exchange>, Error> {
        Ok(answer(|_| Err(Error::unsupported("no list"))))
    }
}

struct Asking {
    attempts: u32,
}

impl Exchange for Asking {
    fn begin(&mut self, out: &mut Out) -> Result<(), Error> {
        self.attempts += 1;
        out.send(http::Request::post("/ask", b"{}".to_vec()));
        Ok(())
    }

    fn refused(&mut self, head: &Head, body: &[u8], out: &mut Out) -> Result<(), Error> {
        match head.status {
            429 if self.attempts == 1 => {
                out.wait(250);
                Ok(())
            }
            _ => Err(Error::from_response(head, body)),
        }
    }

    fn woken(&mut self, out: &mut Out) -> Result<(), Error> {
        self.begin(out)
    }

    fn frame(&mut self, frame: Frame, out: &mut Out) -> Result<(), Error> {
        out.emit(Event::Text(Delta { block: 0, text: frame.text()?.to_owned() }));
        if frame.data == b"boom" { Err(Error::upstream("boom")) } else { Ok(()) }
    }
}

fn chat() -> Operation {
    Operation::Chat(Request::new("m", vec![Message::user("hi")]))
}

#[test]
fn an_operation_that_is_not_there_is_named() {
    let embed = EmbedRequest { model: "m".into(), inputs: vec![], dimensions: None, user: None, extra: vec![] };
    let operations = [
        (chat(), "chat"),
        (Operation::CountTokens(Request::new("m", vec![])), "count-tokens"),
        (Operation::Embed(embed), "embed"),
        (Operation::ListModels, "list-models"),
    ];
    for (operation, name) in operations {
        let run = Run::new::<Bare>(operation, "{}");
        let error = run.error().unwrap();
        assert_eq!(error.kind, ErrorKind::Unsupported);
        assert_eq!(error.message, format!("this provider has no `{name}` operation"));
    }
}

#[test]
fn unknown_settings_are_an_error_in_every_operation() {
    let error = testing::describe::<Bare>(r#"{"key": 1}"#).unwrap_err();
    assert_eq!(error.kind, ErrorKind::InvalidRequest);
    assert!(error.message.starts_with("settings: `key`: unknown field"), "{}", error.message);
    let run = Run::new::<Stubborn>(chat(), "[1]");
    assert_eq!(run.error().unwrap().kind, ErrorKind::InvalidRequest);
    assert_eq!(testing::describe::<Bare>("").unwrap().name, "Bare");
}

#[test]
fn a_refusal_may_be_answered_with_a_second_attempt() {
    let mut run = Run::new::<Stubborn>(chat(), "{}");
    run.respond(429, b"{}");
    assert_eq!((run.error(), run.waiting()), (None, Some(250)));
    run.wake();
    assert_eq!(run.requests(), 2);
    run.respond(429, br#"{"error": {"message": "still no"}}"#);
    assert_eq!(run.error().unwrap().message, "still no");
}

#[test]
fn what_was_said_before_an_error_stays_said_and_nothing_follows() {
    let mut run = Run::new::<Stubborn>(chat(), "{}");
    run.head(200, &[]);
    run.body(b"boom").end();
    assert_eq!(run.answer().text, "boom");
    assert_eq!(run.error().unwrap().message, "boom");
    run.broken("late").respond(200, b"more");
    assert_eq!(run.answer().text, "boom");
}

#[test]
fn an_end_or_a_break_without_an_answer_is_an_error() {
    let mut run = Run::new::<Stubborn>(chat(), "{}");
    run.respond(200, b"");
    assert_eq!(run.error().unwrap().message, "the vendor's answer ended before it was complete");
    let mut run = Run::new::<Stubborn>(chat(), "{}");
    run.head(200, &[]).broken("connection reset");
    assert_eq!(run.error().unwrap().message, "the vendor's answer broke off: connection reset");
    let mut run = Run::new::<Stubborn>(chat(), "{}");
    run.head(503, &[]).broken("connection reset");
    assert_eq!(run.error().unwrap().kind, ErrorKind::Overloaded, "the status counts, even without its body");
}

#[test]
fn an_answer_without_a_request_can_fail_too() {
    assert_eq!(Run::new::<Stubborn>(Operation::ListModels, "{}").error().unwrap().message, "no list");
}
