//! A provider that fails again and again: it is passed over for a while, and one request looks whether it is well again.

use serde_json::json;

use super::{asks, pair, says, served, server, text};
use crate::exposition::Exposition;
use crate::harness::Server;
use crate::patience::until;
use crate::shape;
use crate::upstream::{Answer, Upstream};

/// What the metrics say of the first one's circuit.
async fn open(server: &Server) -> Option<f64> {
    let page = Exposition::parse(server.client.get("/metrics").await.text());
    page.get("mortise_provider_circuit_open", &[("provider", "one")])
}

#[tokio::test]
async fn a_flapping_provider_is_passed_over_until_a_probe_succeeds() {
    let first = Upstream::always(Answer::error(500, "server_error", "broken")).await;
    let second = Upstream::always(Answer::json(&says("from the second", "m"))).await;
    let more = "routing: {retries: 0, breaker: {failures: 2, pause: 300ms}}";
    let server = pair(&first, &second, more).await;
    for _ in 0..6 {
        assert_eq!(text(&server.client.send(&asks("fast", false)).await), "from the second");
    }
    let asked = first.requests().len();
    assert!((2..6).contains(&asked), "asked {asked} times though it had failed twice");
    assert_eq!(open(&server).await, Some(1.0));
    assert!(server.log().contains("failed too often in a row"));
    // Well again: as soon as the pause is over one request finds out.
    first.then(Answer::json(&says("well again", "m")));
    let reply = until("a probe", async || {
        let reply = server.client.send(&asks("fast", false)).await;
        (served(&reply)[0] == "one").then_some(reply)
    });
    assert_eq!(text(&reply.await), "well again");
    assert_eq!(open(&server).await, Some(0.0));
    assert!(server.log().contains("the provider answers again"));
}

#[tokio::test]
async fn who_has_no_other_choice_is_let_through_once() {
    let first = Upstream::always(Answer::error(500, "server_error", "broken")).await;
    let more = "routing: {backoff: 1ms, retries: 1, breaker: {failures: 2, pause: 1h}}";
    let server = server(&[("one", &first)], more).await;
    for asked in [2, 3, 4] {
        let told = shape::openai(&server.client.send(&asks("one/small", false)).await, 502, "server_error");
        assert!(told["message"].as_str().unwrap().contains("broken"), "{told}");
        assert_eq!(first.requests().len(), asked, "no retry once the circuit is open");
    }
    first.then(Answer::json(&says("well again", "m")));
    assert_eq!(text(&server.client.send(&asks("one/small", false)).await), "well again");
}

#[tokio::test]
async fn a_callers_mistakes_open_nothing() {
    let first = Upstream::always(Answer::error(400, "invalid_request_error", "no")).await;
    let second = Upstream::start().await;
    let server = pair(&first, &second, "routing: {breaker: {failures: 1, pause: 1h}}").await;
    for _ in 0..4 {
        assert_eq!(server.client.send(&asks("fast", false)).await.status(), 400);
    }
    let reply = server.client.post("/api/v1/chat", &json!({"message": "x", "model": "fast"})).await;
    assert_eq!((reply.status(), first.requests().len()), (400, 5));
}
