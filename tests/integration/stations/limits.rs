//! How often a caller may ask.

use futures_util::future::join_all;
use serde_json::json;

use super::{ALICE, BOB, number};
use crate::client::{Client, Reply, Request};
use crate::harness::{ECHO, Server};
use crate::shape;

const DAY: i64 = 86_400;

async fn limited(limits: &str) -> Server {
    Server::start(&format!("{ECHO}server: {{rate_limit: {limits}}}\n")).await
}

fn status() -> Request {
    Request::new("GET", "/api/v1/status")
}

fn models() -> Request {
    Request::new("GET", "/v1/models")
}

fn now() -> i64 {
    mortise::service::Clock::system().unix()
}

/// Limit and what is left, after a look at when there is more.
#[track_caller]
fn standing(reply: &Reply) -> (i64, i64) {
    let (limit, left) = (number(reply, "x-ratelimit-limit"), number(reply, "x-ratelimit-remaining"));
    let wait = number(reply, "x-ratelimit-reset") - now();
    assert!((0..=limit).contains(&left), "{:?}", reply.head);
    assert!((-2..=2 * DAY).contains(&wait), "more in {wait} s: {:?}", reply.head);
    (limit, left)
}

#[tokio::test]
async fn every_answer_of_the_chat_surface_shows_the_documented_limit() {
    let server = limited("{enabled: true}").await;
    let json = |path: &str, body: &str| Request::new("POST", path).body(body);
    let mut left = 60;
    for (request, status) in [
        (json("/api/v1/chat", r#"{"message": "x"}"#), 200),
        (json("/api/v1/chat/stream", r#"{"message": "x"}"#), 200),
        (json("/api/v1/chat", "{"), 400),
        (json("/api/v1/chat", r#"{"message": "x", "provider": "nobody"}"#), 404),
        (json("/api/v1/chat", r#"{"message": "x"}"#).header("Content-Encoding", "gzip"), 415),
        (json("/api/v1/chat", r#"{"message": "[[fail overloaded]]"}"#), 503),
        (Request::new("GET", "/api/v1/providers"), 200),
        (Request::new("HEAD", "/api/v1/providers"), 200),
        (Request::new("GET", "/api/v1/nothing"), 404),
        (Request::new("DELETE", "/api/v1/chat"), 405),
    ] {
        let reply = server.client.send(&request).await;
        assert_eq!(reply.status(), status, "{} {}: {}", request.method, request.path, reply.text());
        left -= 1;
        let (limit, remaining) = standing(&reply);
        // A minute may have turned meanwhile, and let some of it slide out.
        assert!(limit == 60 && (left..=left + 2).contains(&remaining), "{}: {:?}", request.path, reply.head);
        left = remaining;
    }
    // Who only looks uses nothing up.
    for method in ["HEAD", "OPTIONS", "HEAD"] {
        let reply = server.client.send(&Request::new(method, "/api/v1/chat")).await;
        let (limit, remaining) = standing(&reply);
        assert!(limit == 60 && (left..=left + 2).contains(&remaining), "{method}: {:?}", reply.head);
    }
    // Other surfaces have no limit unless they are given one.
    for path in ["/health", "/v1/models", "/openai/v1/nothing", "/nothing"] {
        let reply = server.client.get(path).await;
        assert_eq!(reply.head.header("x-ratelimit-limit"), None, "{path}: {:?}", reply.head);
    }
}

#[tokio::test]
async fn who_asks_too_often_is_told_when_to_come_back() {
    let server = limited("{surfaces: {chat: {requests: [3/1d]}, openai: {requests: [3/1d]}}}").await;
    for left in [2, 1, 0] {
        assert_eq!(standing(&server.client.send(&status()).await), (3, left));
        assert_eq!(standing(&server.client.send(&models()).await), (3, left));
    }
    let stream = Request::new("POST", "/api/v1/chat/stream").json(&json!({"message": "x"}));
    for request in [status(), stream, Request::new("GET", "/api/v1/nothing"), Request::new("DELETE", "/api/v1/chat")] {
        let reply = server.client.send(&request).await;
        let body = shape::native(&reply, 429, "RATE_LIMITED");
        let after = number(&reply, "retry-after");
        assert!((1..=2 * DAY).contains(&after), "{after}");
        assert_eq!(body["details"], json!({"limit": 3, "window": DAY, "retry_after": after}));
        assert_eq!((&body["retry_after"], &body["error"]), (&json!(after), &json!("Rate limit exceeded")));
        assert_eq!(standing(&reply), (3, 0));
        let reset = number(&reply, "x-ratelimit-reset") - now();
        assert!((reset - after).abs() <= 2, "{reset} s and {after} s tell the same");
    }
    let reply = server.client.send(&models()).await;
    let error = shape::openai(&reply, 429, "rate_limit_error");
    let after = number(&reply, "retry-after");
    assert_eq!(error["code"], "rate_limit_exceeded");
    assert_eq!(error["message"], format!("Rate limit exceeded; try again in {after} s"));
    assert_eq!(standing(&reply), (3, 0));
    // Looking is still allowed, and others are not concerned.
    assert_eq!(standing(&server.client.send(&Request::new("HEAD", "/api/v1/chat")).await), (3, 0));
    assert_eq!(standing(&server.client.from("127.0.0.9").send(&status()).await), (3, 2));
    assert_eq!(server.client.get("/health").await.status(), 200);
}

#[tokio::test]
async fn the_tightest_of_several_windows_counts() {
    let server = limited("{surfaces: {chat: {requests: [100/1m, 3/1d, 50/1h]}}}").await;
    for left in [2, 1, 0] {
        assert_eq!(standing(&server.client.send(&status()).await), (3, left));
    }
    let body = shape::native(&server.client.send(&status()).await, 429, "RATE_LIMITED");
    assert_eq!((&body["details"]["limit"], &body["details"]["window"]), (&json!(3), &json!(DAY)));
    // The short form replaces the minute, and leaves the day.
    let server = limited("{requests_per_minute: 5000}").await;
    assert_eq!(standing(&server.client.send(&status()).await), (1000, 999));
}

#[tokio::test]
async fn limits_can_be_turned_off() {
    let server = limited("{enabled: false, surfaces: {chat: {requests: [1/1d]}}}").await;
    for _ in 0..3 {
        let reply = server.client.send(&status()).await;
        assert_eq!((reply.status(), reply.head.header("x-ratelimit-limit")), (200, None));
    }
}

/// A server that knows Alice and Bob, whether it asks for them or not.
async fn with_keys(asks: bool, surface: &str) -> Server {
    Server::configured(|home| {
        std::fs::write(home.join("alice"), ALICE).unwrap();
        let limits = format!("{{trusted_proxies: [127.0.0.1], rate_limit: {{surfaces: {{chat: {surface}}}}}");
        format!("{ECHO}server: {limits}, auth: {{enabled: {asks}, api_key: 'file:{}/alice'}}}}\n", home.display())
    })
    .await
}

fn alice(request: Request) -> Request {
    request.header("X-API-Key", ALICE)
}

#[tokio::test]
async fn a_key_is_counted_for_itself_or_with_its_address() {
    let server = with_keys(false, "{per: caller, requests: [5/1d], anonymous: [2/1d]}").await;
    assert_eq!(standing(&server.client.send(&status()).await), (2, 1));
    assert_eq!(standing(&server.client.send(&alice(status())).await), (5, 4));
    assert_eq!(standing(&server.client.from("127.0.0.9").send(&alice(status())).await), (5, 3));
    assert_eq!(standing(&server.client.send(&status().header("X-API-Key", BOB)).await), (2, 0), "unknown is none");
    // It is the key's standing that is shown, also where no endpoint is.
    assert_eq!(standing(&server.client.send(&alice(Request::new("HEAD", "/api/v1/chat"))).await), (5, 3));
    assert_eq!(standing(&server.client.send(&alice(Request::new("GET", "/api/v1/nothing"))).await), (5, 2));
    assert_eq!(server.client.send(&status()).await.status(), 429);
    assert_eq!(standing(&server.client.send(&alice(status())).await), (5, 1));

    let server = with_keys(false, "{per: address, requests: [5/1d]}").await;
    assert_eq!(standing(&server.client.send(&alice(status())).await), (5, 4));
    assert_eq!(standing(&server.client.send(&status()).await), (5, 3));
}

#[tokio::test]
async fn guessing_keys_is_counted_and_ends() {
    let server = with_keys(true, "{per: caller, requests: [5/1d], anonymous: [3/1d]}").await;
    for guess in ["a", "b", "c"] {
        let reply = server.client.send(&status().header("X-API-Key", guess)).await;
        assert_eq!(reply.status(), 401);
        assert_eq!(standing(&reply).0, 3);
    }
    assert_eq!(server.client.send(&status().header("X-API-Key", "d")).await.status(), 429);
    assert_eq!(server.client.send(&status()).await.status(), 429);
    assert_eq!(server.client.send(&alice(status())).await.status(), 200, "who has a key isn't locked out by guesses");
}

#[tokio::test]
async fn only_proxies_say_for_whom_they_ask() {
    let forwarded = |client: Client, name: &'static str, value: &'static str| async move {
        standing(&client.send(&status().header(name, value)).await).1
    };
    let name = "X-Forwarded-For";
    let server = limited("{surfaces: {chat: {requests: [9/1d]}}}").await;
    for (left, value) in [(8, "192.0.2.1"), (7, "192.0.2.2"), (6, "127.0.0.1")] {
        assert_eq!(forwarded(server.client, name, value).await, left, "nobody is trusted");
    }
    let server = with_keys(false, "{requests: [9/1d]}").await;
    for (left, value) in [
        (8, "192.0.2.1"),
        (8, "192.0.2.2"),
        (7, "192.0.2.1"),
        (6, "203.0.113.99, 192.0.2.1"),
        (5, "unknown, 192.0.2.1, 127.0.0.1"),
        (8, "2001:db8::1"),
        (7, "[2001:db8::ffff]:443"),
        // What can't be read is the proxy's own.
        (8, "192.0.2.1, nonsense"),
        (7, ""),
    ] {
        assert_eq!(forwarded(server.client, name, value).await, left, "{value}");
    }
    assert_eq!(forwarded(server.client, "Forwarded", "for=192.0.2.7").await, 6, "the other header isn't read");
    let stranger = server.client.from("127.0.0.9");
    assert_eq!(forwarded(stranger, name, "192.0.2.77").await, 8, "who isn't trusted isn't believed");
    assert_eq!(forwarded(stranger, name, "192.0.2.78").await, 7);
    let two = status().header(name, "192.0.2.50").header(name, "192.0.2.51");
    assert_eq!(standing(&server.client.send(&two).await).1, 8);
    assert_eq!(forwarded(server.client, name, "192.0.2.51").await, 7, "the last line is the nearest");
    let limits = "{trusted_proxies: [127.0.0.0/8], trusted_header: forwarded, rate_limit: {surfaces: {chat: {requests: [9/1d]}}}}";
    let server = Server::start(&format!("{ECHO}server: {limits}\n")).await;
    for (left, value) in [(8, "for=192.0.2.1"), (7, "for=\"192.0.2.1:80\";proto=https"), (8, "for=192.0.2.2")] {
        assert_eq!(forwarded(server.client, "Forwarded", value).await, left, "{value}");
    }
}

#[tokio::test]
async fn never_more_than_allowed_get_in_however_they_come() {
    const ALLOWED: usize = 40;
    let server = limited(&format!("{{surfaces: {{chat: {{requests: [{ALLOWED}/1d]}}}}}}")).await;
    let callers = (0..16).map(|_| async {
        let mut connection = server.client.connect().await;
        let mut admitted = Vec::new();
        for _ in 0..8 {
            let reply = connection.exchange(&status()).await;
            match reply.status() {
                200 => admitted.push(standing(&reply).1),
                status => assert_eq!(status, 429),
            }
        }
        admitted
    });
    let mut left: Vec<i64> = join_all(callers).await.concat();
    left.sort_unstable();
    // Each place was given once.
    assert_eq!(left, (0..ALLOWED as i64).collect::<Vec<_>>());
}

#[tokio::test]
async fn limits_that_mean_nothing_are_refused() {
    for bad in [
        "{surfaces: {chat: {requests: [0/1m]}}}",
        "{surfaces: {chat: {requests: [60]}}}",
        "{surfaces: {chat: {request: [60/1m]}}}",
        "{surfaces: {ops: {requests: [60/1m]}}}",
        "{requests_per_minute: 0}",
    ] {
        let error = mortise::config::Config::from_yaml(&format!("server: {{rate_limit: {bad}}}\n")).unwrap_err();
        assert!(error.to_string().contains("server.rate_limit"), "{bad}: {error}");
    }
    for bad in ["[10.0.0.0/99]", "[proxy.example]", "['']"] {
        let error = mortise::config::Config::from_yaml(&format!("server: {{trusted_proxies: {bad}}}\n")).unwrap_err();
        assert!(error.to_string().contains("server.trusted_proxies"), "{bad}: {error}");
    }
}
