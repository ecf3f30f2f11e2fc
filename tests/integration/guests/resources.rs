//! Guests that take more than they may: time, memory, tables, stack, handles, output, log.

use std::time::Duration;

use tokio::time::Instant;

use super::{asks, beside_others, blamed, server, status, stopped};
use crate::client::Request;
use crate::grammar;
use crate::harness::logged;

const CHAT: &str = super::CHAT;

#[tokio::test(flavor = "multi_thread")]
async fn a_loop_without_end_is_stopped() {
    let server = server(&["endless-loop"], "plugins: {limits: {cpu: 100ms}}").await;
    for model in ["constructor", "advance"] {
        let passed = stopped(&server, "endless-loop", model, &["plugins.limits.cpu"]).await;
        assert!(passed >= Duration::from_millis(90), "stopped after {passed:?}, before its budget");
        assert!(passed < Duration::from_secs(2), "stopped after {passed:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn loops_on_every_thread_stop_nobody_else_for_long() {
    let server = server(&["endless-loop"], "plugins: {limits: {cpu: 100ms}}").await;
    let mut loops = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let client = server.client;
        loops.spawn(async move { client.post(CHAT, &asks("endless-loop", "advance")).await.status() });
    }
    let before = Instant::now();
    super::well(server.client).await;
    assert!(before.elapsed() < Duration::from_secs(5), "another caller waited {:?}", before.elapsed());
    while let Some(status) = loops.join_next().await {
        assert_eq!(status.unwrap(), super::PLUGIN_FAULT);
    }
}

/// A server that ends while a guest runs takes the guest with it: else its process would never end.
#[test]
fn a_runaway_guest_ends_with_its_server() {
    let (done, ended) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(async {
            let server = server(&["endless-loop"], "plugins: {limits: {cpu: 1s}}").await;
            let mut connection = server.client.connect().await;
            connection.send(&Request::new("POST", CHAT).json(&asks("endless-loop", "advance"))).await;
            // On a busy machine it may have been stopped before anybody could ask.
            let begun = async || {
                let told = status(&server, "endless-loop").await;
                (told["instances"] == 1 || told["traps"] == 1).then_some(())
            };
            crate::patience::until("the guest to run", begun).await;
        });
        // Waits for the threads, and so for the guest.
        drop(runtime);
        done.send(()).unwrap();
    });
    ended.recv_timeout(super::SOON).expect("the guest goes on without its server");
}

#[tokio::test(flavor = "multi_thread")]
async fn hard_work_within_the_budget_is_not_stopped() {
    let server = server(&["spinner"], "").await;
    let (reply, _) = beside_others(&server, "spinner", "any").await;
    assert!(reply.expect(200)["response"].as_str().unwrap().starts_with("spun "));
}

#[tokio::test(flavor = "multi_thread")]
async fn sleep_is_refused_or_cut_short() {
    let server = server(&["sleeper"], "").await;
    stopped(&server, "sleeper", "any", &[]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn memory_is_limited() {
    let server = server(&["memory-bomb"], "plugins: {limits: {memory: 16MiB, cpu: 5s}}").await;
    stopped(&server, "memory-bomb", "use", &["plugins.limits.memory"]).await;
    let (reply, _) = beside_others(&server, "memory-bomb", "count").await;
    if reply.status() == 200 {
        let given = reply.json()["response"].as_str().unwrap().to_owned();
        let given: u32 = given.trim_end_matches(" MiB").parse().unwrap();
        assert!((1..=16).contains(&given), "{given} MiB of 16");
    } else {
        blamed(&reply, "memory-bomb", "count", &["plugins.limits.memory"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn tables_are_limited() {
    let server = server(&["table-bomb"], "plugins: {limits: {table_elements: 30000}}").await;
    let (reply, _) = beside_others(&server, "table-bomb", "any").await;
    if reply.status() == 200 {
        let given = reply.json()["response"].as_str().unwrap().to_owned();
        let given: u32 = given.trim_end_matches(" entries").parse().unwrap();
        assert!(given <= 30_000, "{given} entries of 30000");
    } else {
        blamed(&reply, "table-bomb", "any", &["plugins.limits.table_elements"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_stack_is_limited() {
    let server = server(&["deep-recursion"], "plugins: {limits: {cpu: 5s}}").await;
    stopped(&server, "deep-recursion", "any", &["stack"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn handles_are_limited() {
    let server = server(&["handle-bomb"], "plugins: {limits: {handles: 100, cpu: 5s}}").await;
    stopped(&server, "handle-bomb", "any", &[]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn output_is_limited() {
    let server = server(&["huge-output"], "plugins: {limits: {output: 4MiB, cpu: 5s}}").await;
    stopped(&server, "huge-output", "any", &["plugins.limits.output"]).await;
    for model in ["burst", "event"] {
        stopped(&server, "huge-output", model, &["plugins.limits."]).await;
    }
    // What was streamed before the limit has been read; the rest is told as an error, not as an end.
    let request = Request::new("POST", "/api/v1/chat/stream").json(&asks("huge-output", "any"));
    let told = grammar::chat(&server.client.send(&request).await.events());
    assert!(told.text.len() <= 4 << 20 && told.error.is_some(), "{} bytes", told.text.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn actions_without_words_are_limited() {
    let server = server(&["huge-actions"], "plugins: {limits: {call_bytes: 1MiB, cpu: 5s}}").await;
    for model in ["any", "headers", "events"] {
        stopped(&server, "huge-actions", model, &["plugins.limits.call_bytes"]).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_log_is_limited_and_cannot_be_forged() {
    let server = server(&["log-flood"], "plugins: {limits: {log: 64KiB, cpu: 20s}}").await;
    for model in ["any", "long", "streams"] {
        let before = logged().len();
        let (reply, _) = beside_others(&server, "log-flood", model).await;
        assert!([200, super::PLUGIN_FAULT].contains(&reply.status()), "{model}: {}", reply.text());
        let own: usize = logged()[before..].lines().filter(|line| line.contains("log-flood")).map(str::len).sum();
        // The limit counts the guest's own words; each line has a time and a name beside.
        assert!(own < 1 << 20, "{model}: {own} bytes in the log");
    }
    assert_eq!(beside_others(&server, "log-flood", "forged").await.0.status(), 200);
    let log = logged();
    let words = log.lines().find(|line| line.contains("harmless")).expect("the guest's words are in the log");
    assert!(words.contains("ERROR mortise: forged"), "one message became two lines: {words:?}");
    assert!(!log.contains("\u{1b}[2J"), "a guest speaks to the operator's terminal");
}

#[tokio::test(flavor = "multi_thread")]
async fn concurrency_is_limited() {
    let server = server(&["wait-forever"], "plugins: {limits: {concurrency: 2}}").await;
    let mut waiting = Vec::new();
    for _ in 0..2 {
        let mut connection = server.client.connect().await;
        connection.send(&Request::new("POST", CHAT).json(&asks("wait-forever", "any"))).await;
        waiting.push(connection);
    }
    crate::patience::until("two exchanges", async || {
        (status(&server, "wait-forever").await["instances"] == 2).then_some(())
    })
    .await;
    let (reply, _) = beside_others(&server, "wait-forever", "any").await;
    let refusal = crate::shape::native(&reply, 503, "OVERLOADED");
    let message = refusal["error"].as_str().unwrap();
    assert!(message.contains("wait-forever") && message.contains("concurrency"), "{message}");
    drop(waiting);
    crate::patience::until("the exchanges to be dropped with their callers", async || {
        (status(&server, "wait-forever").await["instances"] == 0).then_some(())
    })
    .await;
}
