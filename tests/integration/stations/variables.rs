//! What the environment sets, in a process of its own, and what a process never says.

use super::process::{Process, run};
use super::{ALICE, BOB, JWT};
use crate::client::Request;
use crate::harness::ECHO;
use crate::patience::until;

fn status(key: &str) -> Request {
    Request::new("GET", "/api/v1/status").header("X-API-Key", key)
}

#[tokio::test]
async fn keys_come_from_both_variables() {
    let list = format!(" {ALICE} ,, {BOB},");
    let variables = [("MORTISE_API_KEYS", list.as_str()), ("MORTISE_API_KEY", "carol-0123456789abcdef")];
    let process = Process::echo("", &variables).await;
    for key in [ALICE, BOB, "carol-0123456789abcdef"] {
        assert_eq!(process.client.send(&status(key)).await.status(), 200, "{key}");
    }
    for key in ["", ",", &list, "carol-0123456789abcdeF"] {
        assert_eq!(process.client.send(&status(key)).await.status(), 401, "{key}");
    }
    assert_eq!(process.client.get("/api/v1/status").await.status(), 401);
    assert_eq!(process.client.get("/health").await.status(), 200);
}

#[tokio::test]
async fn a_named_variable_is_read_and_missed() {
    let yaml = "server: {auth: {api_key_env: EDGE_KEY}}\n";
    let process = Process::echo(yaml, &[("EDGE_KEY", ALICE), ("MORTISE_API_KEY", BOB)]).await;
    assert_eq!(process.client.send(&status(ALICE)).await.status(), 200);
    assert_eq!(process.client.send(&status(BOB)).await.status(), 401);
    // Who names a variable must not get an open server because of a slip of the pen.
    let (well, said) = run(&format!("{ECHO}{yaml}"), &[], &["serve", "--port", "0"]).await;
    assert!(!well && said.contains("EDGE_KEY"), "{said}");
}

#[tokio::test]
async fn keys_that_can_t_be_had_end_the_start() {
    for (yaml, word) in [
        ("server: {auth: {api_key: env:NOWHERE}}\n", "NOWHERE"),
        ("server: {auth: {api_key: file:/nowhere/key}}\n", "/nowhere/key"),
    ] {
        let (well, said) = run(&format!("{ECHO}{yaml}"), &[], &["serve", "--port", "0"]).await;
        assert!(!well && said.contains(word), "{yaml}: {said}");
    }
}

#[tokio::test]
async fn no_key_is_ever_said() {
    let variables = [("MORTISE_API_KEYS", ALICE), ("MORTISE_API_KEY", "short-key"), ("KEY_OF_BOB", BOB)];
    let process = Process::echo("server: {auth: {api_key: '${KEY_OF_BOB}'}}\n", &variables).await;
    for key in [ALICE, BOB, "short-key", "wrong-key-of-a-caller", JWT] {
        process.client.send(&status(key)).await;
        let bearer = Request::new("POST", "/v1/chat/completions").header("Authorization", &format!("Bearer {key}"));
        process.client.send(&bearer.body("{")).await;
        process.client.send(&Request::new("GET", "/nothing").header("Authorization", &format!("Basic {key}"))).await;
    }
    let lines = "the last request to be logged";
    until(lines, async || (process.said().matches("GET /nothing 404").count() == 5).then_some(())).await;
    let said = process.said();
    assert!(said.contains("can be guessed"), "a short key is worth a word: {said}");
    let (well, shown) = run("server: {auth: {api_key: env:KEY_OF_BOB}}\n", &variables, &["config", "show"]).await;
    assert!(well && shown.contains("env:KEY_OF_BOB"), "{shown}");
    let (well, literal) = run(&format!("server: {{auth: {{api_key: {ALICE}}}}}\n"), &[], &["config", "show"]).await;
    assert!(!well && literal.contains("api_key"), "{literal}");
    for text in [said, shown, literal] {
        for key in [ALICE, BOB, "short-key", "wrong-key-of-a-caller", JWT] {
            assert!(!text.contains(key), "{key} is said: {text}");
        }
    }
}

#[tokio::test]
async fn an_open_door_is_warned_of_and_no_other() {
    const WORDS: &str = "nobody is asked who they are";
    let open = Process::echo("server: {host: 0.0.0.0}\n", &[]).await;
    assert!(open.said().contains(WORDS), "{}", open.said());
    let closed = Process::echo("server: {host: 0.0.0.0}\n", &[("MORTISE_API_KEY", ALICE)]).await;
    assert!(!closed.said().contains(WORDS), "{}", closed.said());
    let home = Process::echo("", &[]).await;
    assert!(!home.said().contains(WORDS), "{}", home.said());
}

#[tokio::test]
async fn a_certificate_that_nobody_sees_is_worth_a_word() {
    let plain = Process::echo("server: {ssl: {cert: cert.pem, key: key.pem}}\n", &[]).await;
    assert!(plain.said().contains("set server.ssl.enabled"), "{}", plain.said());
}

#[tokio::test]
async fn origins_come_from_their_variable() {
    let yaml = "server: {cors: {origins: [https://file.example]}}\n";
    let process = Process::echo(yaml, &[("CORS_ORIGINS", "https://a.example, https://*.b.example")]).await;
    for (origin, allowed) in
        [("https://a.example", true), ("https://x.b.example", true), ("https://file.example", false)]
    {
        let reply = process.client.send(&Request::new("GET", "/health").header("Origin", origin)).await;
        assert_eq!(reply.head.header("access-control-allow-origin").is_some(), allowed, "{origin}: {:?}", reply.head);
    }
    for (yaml, origins) in
        [("", "nonsense"), ("server: {cors: {allow_credentials: true}}\n", "*"), ("", "https://*.*.example")]
    {
        let (well, said) = run(&format!("{ECHO}{yaml}"), &[("CORS_ORIGINS", origins)], &["serve", "--port", "0"]).await;
        assert!(!well && said.contains("server.cors"), "{origins}: {said}");
    }
}
