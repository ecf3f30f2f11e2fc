//! Guests that break off, break the protocol, or keep what they saw.

use serde_json::json;

use super::{PLUGIN_FAULT, asks, beside_others, server, status, stopped};
use crate::client::Request;
use crate::grammar;
use crate::upstream::{Answer, Upstream};

fn over(upstream: &Upstream, guest: &str, more: &str) -> String {
    format!("providers: {{well: {{}}, {guest}: {{base_url: \"{}\"}}}}\n{more}\n", upstream.base_url())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trap_costs_one_request() {
    let upstream = Upstream::always(Answer::body(200, "text/plain", "words")).await;
    let server = server(&["trap"], &over(&upstream, "trap", "")).await;
    for model in ["constructor", "begin", "head", "frame", "end"] {
        stopped(&server, "trap", model, &["panicked"]).await;
    }
    for model in ["exit", "ill-formed", "stale"] {
        stopped(&server, "trap", model, &[]).await;
    }
    // Without any trap it has no last word, which is a breach too.
    stopped(&server, "trap", "no trap at all", &["without saying why"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trap_while_it_is_dropped_costs_nothing() {
    let server = server(&["trap"], "").await;
    let (reply, _) = beside_others(&server, "trap", "drop").await;
    assert!([200, PLUGIN_FAULT].contains(&reply.status()), "{}", reply.text());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trap_closes_the_connection_to_the_vendor() {
    let upstream = Upstream::always(Answer::text("data: 1\n\n").stall(0)).await;
    let server = server(&["trap"], &over(&upstream, "trap", "")).await;
    stopped(&server, "trap", "head", &[]).await;
    upstream.closed(0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plugin_that_keeps_trapping_is_kept_from_requests_and_tried_again() {
    let yaml = "plugins: {quarantine: {traps: 3, pause: 300ms}}";
    let server = server(&["trap"], yaml).await;
    for _ in 0..3 {
        stopped(&server, "trap", "constructor", &[]).await;
    }
    let seen = status(&server, "trap").await;
    assert_eq!((&seen["state"], &seen["traps"]), (&json!("quarantined"), &json!(3)), "{seen}");
    let (refused, _) = beside_others(&server, "trap", "drop").await;
    let body = crate::shape::native(&refused, 503, "PROVIDER_ERROR");
    assert!(body["error"].as_str().unwrap().contains("trap"), "{body}");
    let lifted = async || {
        let reply = server.client.post(super::CHAT, &asks("trap", "stale")).await;
        (reply.status() != 503).then_some(())
    };
    crate::patience::until("a request to be let through again", lifted).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_protocol_is_kept() {
    let upstream = Upstream::start().await;
    let server = server(&["late-talker"], &over(&upstream, "late-talker", "")).await;
    for model in ["any", "stopped", "mute", "greedy", "foreign"] {
        let (reply, _) = beside_others(&server, "late-talker", model).await;
        assert!(!reply.text().contains("late\""), "what came too late reached the caller: {}", reply.text());
        super::blamed(&reply, "late-talker", model, &[]);
        let request = Request::new("POST", "/api/v1/chat/stream").json(&asks("late-talker", model));
        let streamed = server.client.send(&request).await;
        if streamed.status() == 200 {
            let told = grammar::chat(&streamed.events());
            assert!(told.error.is_some() && !told.text.contains("late"), "{model}: {told:?}");
        }
    }
    assert_eq!(upstream.requests().len(), 0, "nothing is sent for a plugin that breaks the protocol");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wait_without_end_ends_with_the_exchange() {
    let yaml = "providers: {well: {}, wait-forever: {base_url: \"http://127.0.0.1:9\", timeouts: {total: 300ms}}}\nplugins: {limits: {cpu: 20s}}";
    let server = server(&["wait-forever"], yaml).await;
    for model in ["any", "busy"] {
        let (reply, passed) = beside_others(&server, "wait-forever", model).await;
        assert_eq!(reply.status(), 504, "{}", reply.text());
        assert!(crate::shape::message(&reply).contains("wait-forever"), "{}", reply.text());
        assert!(passed.as_millis() >= 300, "{passed:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn waiting_holds_no_thread() {
    let server = server(&["wait-forever"], "").await;
    let mut waiting = Vec::new();
    for _ in 0..200 {
        let mut connection = server.client.connect().await;
        connection.send(&Request::new("POST", super::CHAT).json(&asks("wait-forever", "any"))).await;
        waiting.push(connection);
    }
    super::well(server.client).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fresh_instance_remembers_nobody() {
    for (isolation, kept) in [("fresh", false), ("warm", true)] {
        let yaml = format!(
            "providers: {{well: {{}}, stateful: {{base_url: \"http://127.0.0.1:9\", isolation: {isolation}}}}}"
        );
        let server = server(&["stateful"], &yaml).await;
        let mut counts = Vec::new();
        for _ in 0..5 {
            let answer = server.client.post(super::CHAT, &asks("stateful", "any")).await.expect(200);
            counts.push(answer["response"].as_str().unwrap().to_owned());
        }
        assert_eq!(counts.iter().all(|count| count == "1"), !kept, "{isolation}: {counts:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fresh_provider_never_gets_what_a_warm_one_left() {
    let entry =
        |isolation: &str| format!("{{plugin: stateful, base_url: \"http://127.0.0.1:9\", isolation: {isolation}}}");
    let yaml = format!("providers: {{well: {{}}, shared: {}, own: {}}}", entry("warm"), entry("fresh"));
    let server = server(&["stateful"], &yaml).await;
    for (provider, count) in [("shared", "1"), ("shared", "2"), ("own", "1"), ("own", "1"), ("shared", "3")] {
        let answer = server.client.post(super::CHAT, &asks(provider, "any")).await.expect(200);
        assert_eq!(answer["response"], count, "{provider}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_copied_into_the_directory_is_trusted_least() {
    let server = server(&["stateful"], "").await;
    for _ in 0..3 {
        let answer = server.client.post(super::CHAT, &asks("stateful", "any")).await.expect(200);
        assert_eq!(answer["response"], "1", "fresh unless the operator says otherwise");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn there_is_nothing_to_see() {
    let server = server(&["nosy"], "plugins: {limits: {cpu: 5s}}").await;
    let (reply, _) = beside_others(&server, "nosy", "any").await;
    if reply.status() == 200 {
        assert_eq!(reply.json()["response"], "nothing");
    } else {
        super::blamed(&reply, "nosy", "any", &["no files, no sockets and no environment"]);
    }
}
