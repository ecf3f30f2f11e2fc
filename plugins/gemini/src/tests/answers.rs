//! Whole answers, and the ways in which there is none.

use mortise_sdk::chat::{Request, StopReason, Usage};
use mortise_sdk::http::{Head, Header};
use mortise_sdk::provider::{Error, ErrorKind};
use mortise_sdk::testing::{Answer, Call, Run};
use serde_json::{Value, json};

use super::{assistant, begin, call, plain, request};
use crate::failure;

fn respond(body: &Value) -> Run {
    let mut run = begin(plain());
    // The API prints its whole answers prettily.
    run.respond(200, serde_json::to_string_pretty(body).unwrap().as_bytes());
    run
}

fn answer(body: &Value) -> Answer {
    let run = respond(body);
    assert_eq!(run.error(), None);
    assert!(run.finished());
    run.answer()
}

fn ended(finish: &str) -> Value {
    json!({"candidates": [{"content": {"role": "model", "parts": [{"text": "so"}]}, "finishReason": finish, "index": 0}]})
}

#[test]
fn everything_in_an_answer_is_kept() {
    let answer = answer(&json!({
        "candidates": [{
            "content": {"role": "model", "parts": [{"text": "hm", "thought": true}, {"text": "héllo"}]},
            "finishReason": "STOP", "index": 0, "avgLogprobs": -0.5,
            "groundingMetadata": {"webSearchQueries": ["q"]}, "citationMetadata": {"citationSources": []},
        }],
        "usageMetadata": {
            "promptTokenCount": 10, "cachedContentTokenCount": 4, "candidatesTokenCount": 7, "thoughtsTokenCount": 3,
            "toolUsePromptTokenCount": 2, "totalTokenCount": 22,
            "promptTokensDetails": [{"modality": "TEXT", "tokenCount": 10}],
        },
        "modelVersion": "gemini-2.5-flash-001", "responseId": "resp-1",
    }));
    assert_eq!((answer.id.as_deref(), answer.model.as_deref()), (Some("resp-1"), Some("gemini-2.5-flash-001")));
    assert_eq!((answer.text.as_str(), answer.thinking.as_str()), ("héllo", "hm"));
    assert_eq!(answer.usage, Some(Usage { input: 12, output: 10, cache_read: 4, reasoning: 3, ..Usage::default() }));
    assert_eq!(answer.stop.unwrap().reason, StopReason::Complete);
    let mut names: Vec<_> = answer.extra.iter().map(|field| field.name.as_str()).collect();
    names.sort_unstable();
    assert_eq!(names, ["avgLogprobs", "citationMetadata", "groundingMetadata", "usage.promptTokensDetails"]);
}

#[test]
fn calls_without_ids_get_some_of_the_conversation_s_own() {
    let parts = json!([
        {"functionCall": {"name": "f", "args": {"x": "é"}}},
        {"functionCall": {"name": "f"}},
        {"functionCall": {"id": "own", "name": "g", "args": {}}},
        {"functionCall": {"id": "own", "name": "g", "args": {}}},
    ]);
    let whole = json!({"candidates": [{"content": {"parts": parts}, "finishReason": "STOP"}], "responseId": "R_1"});
    let calls = answer(&whole).calls;
    let ids: Vec<&str> = calls.iter().map(|call| call.id.as_str()).collect();
    assert_eq!(ids, ["call_R_1_0", "call_R_1_1", "own", "call_R_1_2"]);
    let arguments: Vec<Value> = calls.iter().map(|call| serde_json::from_str(&call.arguments).unwrap()).collect();
    assert_eq!(arguments, [json!({"x": "é"}), json!({}), json!({}), json!({})]);
    assert_eq!(answer(&whole).stop.unwrap().reason, StopReason::ToolCalls, "though Gemini says STOP");

    // An id that the conversation has already is not given again, also where the answer has none of its own.
    let history = vec![assistant(vec![call("call_1_0", "f", "{}"), call("own", "g", "{}")])];
    let mut run = begin(request(history));
    let anonymous = json!({"candidates": [{"content": {"parts": parts}, "finishReason": "STOP"}]});
    run.respond(200, anonymous.to_string().as_bytes());
    let ids: Vec<String> = run.answer().calls.into_iter().map(|call| call.id).collect();
    assert_eq!(ids, ["call_1_1", "call_1_2", "call_1_3", "call_1_4"]);
}

#[test]
fn reasons_of_the_end() {
    let stop = |finish: &str| answer(&ended(finish)).stop.unwrap().reason;
    assert_eq!(stop("STOP"), StopReason::Complete);
    assert_eq!(stop("MAX_TOKENS"), StopReason::Length);
    for word in ["SAFETY", "RECITATION", "LANGUAGE", "PROHIBITED_CONTENT", "BLOCKLIST", "SPII", "IMAGE_SAFETY"] {
        let answer = answer(&ended(word));
        assert_eq!((answer.text.as_str(), answer.refusal.as_str()), ("so", word));
        assert_eq!(answer.stop.unwrap().reason, StopReason::Refusal);
    }
    let mut told = ended("SAFETY");
    told["candidates"][0]["finishMessage"] = json!("too hot");
    told["candidates"][0].as_object_mut().unwrap().remove("content");
    assert_eq!(answer(&told).refusal, "SAFETY: too hot");
    let mut cut = ended("MAX_TOKENS");
    cut["candidates"][0]["content"]["parts"] = json!([{"functionCall": {"name": "f", "args": {}}}]);
    assert_eq!(answer(&cut).stop.unwrap().reason, StopReason::Length, "a cut call must not be run");
}

#[test]
fn a_stand_in_s_word_for_a_call_is_a_good_end() {
    let mut body = ended("FUNCTION_CALL");
    body["candidates"][0]["content"]["parts"] = json!([{"functionCall": {"name": "f", "args": {}}}]);
    assert_eq!(answer(&body).stop.unwrap().reason, StopReason::ToolCalls);
}

#[test]
fn an_answer_that_went_wrong_is_no_answer() {
    for word in ["MALFORMED_FUNCTION_CALL", "UNEXPECTED_TOOL_CALL", "OTHER", "A_WORD_OF_TOMORROW"] {
        let mut body = ended(word);
        body["candidates"][0]["finishMessage"] = json!("print(f(");
        let run = respond(&body);
        let error = run.error().unwrap();
        assert_eq!(error.kind, ErrorKind::Upstream);
        assert_eq!(error.message, format!("Gemini broke its answer off: {word}: print(f("));
        assert!(!run.finished() && run.answer().stop.is_none());
    }
}

#[test]
fn a_blocked_prompt_is_refused_with_the_vendor_s_words() {
    let run = respond(&json!({
        "promptFeedback": {"blockReason": "PROHIBITED_CONTENT", "blockReasonMessage": "not that"},
        "usageMetadata": {"promptTokenCount": 9, "totalTokenCount": 9},
    }));
    let error = run.error().unwrap();
    assert_eq!(error.kind, ErrorKind::Refused);
    assert_eq!(error.message, "Gemini doesn't answer this prompt: PROHIBITED_CONTENT: not that");
    assert!(error.raw.as_deref().unwrap().contains("blockReason"));
    assert_eq!(run.answer().usage.unwrap().input, 9, "what was read is counted");
}

#[test]
fn what_is_no_answer_is_an_error_that_leaks_nothing() {
    let bodies = [
        "",
        "secret",
        "{\"secret\":1}",
        "{\"candidates\":[]}",
        "{\"candidates\":{\"secret\":1}}",
        "[\"secret\"]",
        "[]",
        r#"{"candidates":[{"content":{"parts":[{"text":"secret"}]}}]}"#,
        r#"{"candidates":[{"content":{"parts":[{"text":"secret"}]},"finishReason":7}]}"#,
        r#"{"candidates":[{"content":{"parts":["secret"]},"finishReason":"STOP"}]}"#,
        r#"{"candidates":[{"content":{"parts":[{"functionCall":{"args":{"secret":1}}}]},"finishReason":"STOP"}]}"#,
    ];
    for body in bodies {
        let mut run = begin(plain());
        run.respond(200, body.as_bytes());
        let error = run.error().expect(body);
        assert_eq!((error.kind, error.raw.as_deref()), (ErrorKind::Upstream, None), "{body}");
        assert!(!error.message.contains("secret") && !run.finished(), "{}", error.message);
    }
    let mut several = ended("STOP");
    let one = several["candidates"][0].clone();
    several["candidates"].as_array_mut().unwrap().push(one);
    assert!(respond(&several).error().unwrap().message.contains("several answers"));
}

#[test]
fn a_part_of_another_kind_is_handed_on_whole() {
    let mut body = ended("STOP");
    let code = json!({"executableCode": {"language": "PYTHON", "code": "1"}});
    body["candidates"][0]["content"]["parts"] = json!([{"text": "a"}, code, {"text": "b"}]);
    let answer = answer(&body);
    assert_eq!((answer.text.as_str(), answer.other.len()), ("ab", 1));
    assert_eq!(serde_json::from_str::<Value>(&answer.other[0]).unwrap(), code);
}

fn refused(status: u16, headers: &[(&str, &str)], body: &str) -> Error {
    let headers = headers.iter().map(|(name, value)| Header::new(*name, *value)).collect();
    failure::from_response(&Head { status, headers }, body.as_bytes())
}

#[test]
fn errors_say_what_google_says() {
    let quota = r#"{"error":{"code":429,"message":"You exceeded your quota","status":"RESOURCE_EXHAUSTED","details":[
        {"@type":"type.googleapis.com/google.rpc.QuotaFailure","violations":[]},
        {"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"17.5s"}]}}"#;
    let error = refused(429, &[], quota);
    assert_eq!(
        (error.kind, error.message.as_str(), error.retry_after_ms),
        (ErrorKind::RateLimited, "You exceeded your quota", Some(17_500))
    );
    let listed = format!("[{quota}\n]");
    assert_eq!(refused(429, &[], &listed).retry_after_ms, Some(17_500), "also in a list of one");
    assert_eq!(refused(429, &[("retry-after", "3")], quota).retry_after_ms, Some(3000), "the header is nearer");
    let table = [
        (
            400,
            r#"{"error":{"code":400,"message":"API key not valid","status":"INVALID_ARGUMENT","details":[{"reason":"API_KEY_INVALID"}]}}"#,
            ErrorKind::Unauthenticated,
        ),
        (
            400,
            r#"{"error":{"code":400,"message":"The input token count (2000000) exceeds the maximum number of tokens allowed (1048576).","status":"INVALID_ARGUMENT"}}"#,
            ErrorKind::ContextTooLong,
        ),
        (400, r#"{"error":{"code":400,"message":"bad","status":"INVALID_ARGUMENT"}}"#, ErrorKind::InvalidRequest),
        (403, r#"{"error":{"code":403,"message":"no","status":"PERMISSION_DENIED"}}"#, ErrorKind::Forbidden),
        (
            404,
            r#"{"error":{"code":404,"message":"models/x is not found","status":"NOT_FOUND"}}"#,
            ErrorKind::UnknownModel,
        ),
        (500, r#"{"error":{"code":500,"message":"oops","status":"INTERNAL"}}"#, ErrorKind::Upstream),
        (503, r#"{"error":{"code":503,"message":"overloaded","status":"UNAVAILABLE"}}"#, ErrorKind::Overloaded),
        (504, r#"{"error":{"code":504,"message":"late","status":"DEADLINE_EXCEEDED"}}"#, ErrorKind::Upstream),
    ];
    for (status, body, kind) in table {
        assert_eq!(refused(status, &[], body).kind, kind, "{body}");
    }
    let mut run = begin(Request { streaming: true, ..plain() });
    run.head(429, &[]).body(quota.as_bytes()).end();
    assert_eq!(run.error().unwrap().retry_after_ms, Some(17_500));
}

#[test]
fn a_call_is_the_same_whole_or_streamed() {
    let whole = json!({"candidates": [{"content": {"parts": [{"functionCall": {"name": "f", "args": {"a": 1}}}]}, "finishReason": "STOP"}], "responseId": "r"});
    let expected = Call { id: "call_r_0".into(), name: "f".into(), arguments: "{\"a\":1}".into(), extra: Vec::new() };
    assert_eq!(super::streamed(&[whole]).calls, [expected]);
}
