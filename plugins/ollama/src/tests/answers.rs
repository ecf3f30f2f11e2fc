//! Answers as Ollama writes them, whole and line by line.

use mortise_sdk::chat::{Delta, Event, Field, Request, Started, Stop, StopReason, Usage};
use mortise_sdk::provider::ErrorKind;
use mortise_sdk::testing::Run;
use serde_json::{Value, json};

use super::{assistant, begin, call, last, line, lines, plain, request, stream, streamed};

fn said(text: &str) -> Value {
    line(json!({"role": "assistant", "content": text}))
}

fn respond(body: &Value) -> Run {
    let mut run = begin(plain());
    run.respond(200, body.to_string().as_bytes());
    run
}

#[test]
fn ollama_s_own_stream() {
    let mut run = stream();
    run.body(&lines(&[said("Hel"), said("lo é"), last("stop")]));
    let text = |text: &str| Event::Text(Delta { block: 0, text: text.into() });
    assert_eq!(
        run.events(),
        [
            Event::Started(Started { id: None, model: Some("qwen3:8b".into()) }),
            text("Hel"),
            text("lo é"),
            Event::Usage(Usage { input: 26, output: 298, ..Usage::default() }),
            Event::Extra(Field::new("total_duration", "5000000")),
            Event::Stopped(Stop { reason: StopReason::Complete, sequence: None }),
        ]
    );
    assert!(run.finished(), "although the body is not over");
}

#[test]
fn thinking_comes_before_the_text() {
    let thought = |text: &str| line(json!({"role": "assistant", "content": "", "thinking": text}));
    let both = line(json!({"role": "assistant", "content": "so", "thinking": "."}));
    let answer = streamed(&[thought("h"), thought("m"), both, said("!"), last("stop")]);
    assert_eq!((answer.thinking.as_str(), answer.text.as_str()), ("hm.", "so!"));
}

#[test]
fn calls_are_whole_and_get_ids() {
    let called = |name: &str, arguments: Value| json!({"function": {"name": name, "arguments": arguments}});
    let both = line(json!({"role": "assistant", "content": "", "tool_calls": [
        called("f", json!({"x": "é"})), called("f", json!({})),
    ]}));
    let own = json!({"id": "own", "function": {"index": 2, "name": "g", "arguments": {}}});
    let third = line(json!({"role": "assistant", "content": "", "tool_calls": [own]}));
    let answer = streamed(&[both, third, last("stop")]);
    let ids: Vec<_> = answer.calls.iter().map(|call| (call.id.as_str(), call.name.as_str())).collect();
    assert_eq!(ids, [("call_1_0", "f"), ("call_1_1", "f"), ("own", "g")]);
    assert_eq!(answer.calls[0].arguments, "{\"x\":\"é\"}");
    assert_eq!(answer.stop.unwrap().reason, StopReason::ToolCalls, "though Ollama says stop");

    let history = vec![assistant(vec![call("call_1_0", "f", "{}")])];
    let mut run = begin(request(history));
    let mut whole = last("stop");
    whole["message"]["tool_calls"] = json!([called("f", json!({}))]);
    run.respond(200, whole.to_string().as_bytes());
    assert_eq!(run.answer().calls[0].id, "call_1_1", "an id is used once in a conversation");
}

#[test]
fn reasons_of_the_end() {
    let stop = |reason: &str| streamed(&[said("a"), last(reason)]);
    assert_eq!(stop("stop").stop.unwrap().reason, StopReason::Complete);
    assert_eq!(stop("length").stop.unwrap().reason, StopReason::Length);
    let odd = stop("tomorrow");
    assert_eq!(odd.stop.unwrap().reason, StopReason::Complete);
    assert!(odd.extra.contains(&Field::new("done_reason", "\"tomorrow\"")));
    for reason in ["load", "unload"] {
        let mut run = stream();
        run.body(&lines(&[last(reason)]));
        assert_eq!(run.error().unwrap().kind, ErrorKind::Upstream);
        assert!(run.answer().stop.is_none());
    }
    let mut cut = last("length");
    cut["message"]["tool_calls"] = json!([{"function": {"name": "f", "arguments": {}}}]);
    assert_eq!(streamed(&[cut]).stop.unwrap().reason, StopReason::Length, "a cut call must not be run");
    let mut silent = last("stop");
    for name in ["done_reason", "prompt_eval_count", "eval_count"] {
        silent.as_object_mut().unwrap().remove(name);
    }
    let answer = streamed(&[silent]);
    assert_eq!((answer.stop.unwrap().reason, answer.usage), (StopReason::Complete, None));
}

#[test]
fn a_whole_answer_is_one_line() {
    let mut body = last("stop");
    body["message"] = json!({"role": "assistant", "content": "héllo", "thinking": "hm"});
    let run = respond(&body);
    assert!(run.finished());
    let answer = run.answer();
    assert_eq!((answer.text.as_str(), answer.thinking.as_str()), ("héllo", "hm"));
    assert_eq!(answer.usage.unwrap().output, 298);
    assert!(respond(&said("half")).error().is_some(), "what isn't over is no answer");
}

#[test]
fn an_end_or_a_break_before_the_last_line_is_an_error() {
    let mut run = stream();
    run.body(&lines(&[said("a")])).end();
    assert_eq!(run.error().unwrap().message, "the vendor's answer ended before it was complete");
    let mut run = stream();
    run.body(&lines(&[said("a")])).broken("connection reset");
    assert_eq!(run.error().unwrap().message, "the vendor's answer broke off: connection reset");
}

#[test]
fn an_error_within_the_stream_has_the_vendor_s_words() {
    let mut run = stream();
    run.body(&lines(&[said("a"), json!({"error": "llama runner process has terminated"})]));
    let error = run.error().unwrap();
    assert_eq!((error.kind, error.message.as_str()), (ErrorKind::Upstream, "llama runner process has terminated"));
    assert_eq!(run.answer().text, "a");
    assert!(respond(&json!({"error": "no"})).error().is_some(), "and in a whole answer");
}

#[test]
fn refusals_say_what_ollama_says() {
    let refused = |status, message: &str| {
        let mut run = begin(Request { streaming: true, ..plain() });
        run.respond(status, json!({ "error": message }).to_string().as_bytes());
        run.error().unwrap().clone()
    };
    let missing = refused(404, "model 'x' not found");
    assert_eq!(missing.kind, ErrorKind::UnknownModel);
    assert_eq!(missing.message, "model 'x' not found; pull it on the machine that runs Ollama");
    let pull = refused(404, "model \"x\" not found, try pulling it first");
    assert_eq!(pull.message, "model \"x\" not found, try pulling it first");
    assert_eq!(refused(400, "\"x\" does not support tools").kind, ErrorKind::Unsupported);
    assert_eq!(refused(400, "invalid message content").kind, ErrorKind::InvalidRequest);
    assert_eq!(refused(400, "the input length exceeds the context length").kind, ErrorKind::ContextTooLong);
    assert_eq!(refused(503, "server busy, please try again.").kind, ErrorKind::Overloaded);
    assert_eq!(refused(500, "out of memory").kind, ErrorKind::Upstream);
}

#[test]
fn a_malformed_line_leaks_nothing() {
    for malformed in
        ["{\"message\":{\"content\":\"sec", "secret", "[1]", "{\"secret\":1}", "null", "{\"done\":\"secret\"}"]
    {
        let mut run = stream();
        run.body(format!("{malformed}\n").as_bytes());
        let error = run.error().expect(malformed);
        assert_eq!((error.kind, error.raw.as_deref()), (ErrorKind::Upstream, None));
        assert_eq!(error.message, "the vendor sent an answer that can't be read");
    }
    let mut run = stream();
    run.body(&lines(&[line(json!({"tool_calls": [{"function": {"arguments": {"secret": 1}}}]}))]));
    assert_eq!(run.error().unwrap().message, "the vendor sent a tool call without a name");
}
