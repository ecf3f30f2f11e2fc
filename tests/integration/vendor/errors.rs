//! A vendor that refuses: the caller gets the right status, and the vendor's own words.

use serde_json::json;

use super::{native, request};
use crate::harness::Server;
use crate::shape;
use crate::upstream::{Answer, Upstream};

/// What the vendor answers, and what the caller of either surface reads.
const STATUSES: [(u16, u16, &str); 11] = [
    (400, 400, "invalid_request_error"),
    (401, 401, "authentication_error"),
    (403, 403, "permission_error"),
    (404, 404, "invalid_request_error"),
    (413, 413, "invalid_request_error"),
    (422, 400, "invalid_request_error"),
    (429, 429, "rate_limit_error"),
    (500, 502, "server_error"),
    (502, 502, "server_error"),
    (503, 503, "server_error"),
    (529, 503, "server_error"),
];

#[tokio::test]
async fn each_status_has_its_own_and_the_vendors_words() {
    let upstream = Upstream::start().await;
    let server = Server::vendor(&upstream, "").await;
    for (status, expected, kind) in STATUSES {
        for stream in [false, true] {
            let message = format!("the vendor's own words about {status}");
            for request in [request(stream), native(stream)] {
                upstream.then(Answer::error(status, "some_type", &message));
                let reply = server.client.send(&request).await;
                assert_eq!(reply.status(), expected, "{status} for {}: {}", request.path, reply.text());
                assert!(shape::message(&reply).contains(&message), "{status} for {}: {}", request.path, reply.text());
                if request.path.starts_with("/openai") {
                    shape::openai(&reply, expected, kind);
                } else {
                    let code = reply.json()["error_code"].as_str().unwrap().to_owned();
                    shape::native(&reply, expected, &code);
                }
            }
        }
    }
}

#[tokio::test]
async fn retry_after_is_passed_on() {
    let upstream = Upstream::start().await;
    let server = Server::vendor(&upstream, "").await;
    for (header, value, expected) in
        [("Retry-After", "7", "7"), ("retry-after-ms", "1500", "2"), ("Retry-After", "0.2", "1")]
    {
        for request in [request(false), request(true), native(false), native(true)] {
            upstream.then(Answer::error(429, "rate_limit_exceeded", "slow down").header(header, value));
            let reply = server.client.send(&request).await;
            assert_eq!(reply.status(), 429, "{}", reply.text());
            assert_eq!(reply.head.header("retry-after"), Some(expected), "{header}: {value} for {}", request.path);
        }
    }
    let body = {
        upstream.then(Answer::error(429, "rate_limit_exceeded", "slow down").header("Retry-After", "7"));
        shape::native(&server.client.send(&native(false)).await, 429, "RATE_LIMITED")
    };
    assert_eq!(body["details"]["retry_after"], 7, "{body}");
}

#[tokio::test]
async fn a_context_that_is_too_long_is_told_as_such() {
    let error = json!({"error": {
        "message": "This model's maximum context length is 128000 tokens.", "type": "invalid_request_error",
        "param": "messages", "code": "context_length_exceeded",
    }});
    let upstream = Upstream::always(Answer::body(400, "application/json", error.to_string())).await;
    let server = Server::vendor(&upstream, "").await;
    let told = shape::openai(&server.client.send(&request(false)).await, 400, "invalid_request_error");
    assert_eq!(told["code"], "context_length_exceeded");
    assert!(told["message"].as_str().unwrap().contains("128000"));
}

#[tokio::test]
async fn an_error_that_is_no_json_is_told_without_its_page() {
    let page = "<html><body><h1>502 Bad Gateway</h1><script>alert(1)</script></body></html>";
    let upstream = Upstream::start().await;
    let server = Server::vendor(&upstream, "").await;
    let odd = [
        Answer::body(502, "text/html", page),
        Answer::body(500, "application/json", "{\"error\": "),
        Answer::body(500, "application/json", [0xff, 0xfe, 0x00]),
        Answer::body(500, "application/json", ""),
        Answer::body(500, "application/json", "null"),
        Answer::body(500, "application/json", r#"{"error": "just text"}"#),
        Answer::body(500, "text/plain", "x".repeat(1 << 20)),
    ];
    for (number, answer) in odd.into_iter().enumerate() {
        upstream.then(answer);
        let reply = server.client.send(&request(false)).await;
        let error = shape::openai(&reply, 502, "server_error");
        let message = error["message"].as_str().unwrap();
        assert!(!message.contains("<html>") && message.len() < 4096, "{number}: {message}");
    }
}

#[tokio::test]
async fn an_answer_that_cannot_be_read_is_no_success() {
    let upstream = Upstream::start().await;
    let server = Server::vendor(&upstream, "").await;
    let unreadable = [
        Answer::body(200, "application/json", "{\"choices\": ["),
        Answer::body(200, "application/json", "{}"),
        Answer::body(200, "application/json", ""),
        Answer::body(200, "text/html", "<html>welcome</html>"),
        Answer::body(200, "application/json", [0xff, 0xfe]),
        Answer::json(&json!({"error": {"message": "in disguise", "type": "x", "param": null, "code": null}})),
        Answer::raw("HTTP/1.1 200 OK\r\nContent-Length: nonsense\r\n\r\n"),
        Answer::raw("220 mail.example ESMTP\r\n"),
    ];
    for (number, answer) in unreadable.into_iter().enumerate() {
        for stream in [false, true] {
            upstream.then(answer.clone());
            let reply = server.client.send(&request(stream)).await;
            // Whoever does not even speak the protocol is as good as not there.
            let expected = if number < 6 { 502 } else { 503 };
            assert_eq!(reply.status(), expected, "answer {number}, streamed: {stream}: {}", reply.text());
            shape::openai(&reply, expected, "server_error");
        }
    }
}

#[tokio::test]
async fn a_server_that_is_not_there_is_named() {
    let upstream = Upstream::start().await;
    let server = Server::vendor(&upstream, "").await;
    drop(upstream);
    for request in [request(false), request(true), native(false), native(true)] {
        let reply = server.client.send(&request).await;
        assert!([502, 503].contains(&reply.status()), "{}: {}", reply.status(), reply.text());
        assert!(shape::message(&reply).contains("openai"), "{}", reply.text());
    }
}

#[tokio::test]
async fn a_connection_that_ends_before_the_answer_is_an_error() {
    for answer in [Answer::hang_up(), Answer::reset(), Answer::raw("HTTP/1.1 200 OK\r\nContent-")] {
        let upstream = Upstream::always(answer).await;
        let server = Server::vendor(&upstream, "").await;
        for request in [request(false), request(true), native(false), native(true)] {
            let reply = server.client.send(&request).await;
            assert_eq!(reply.status(), 503, "{}", reply.text());
            assert!(shape::message(&reply).contains("openai"), "{}", reply.text());
        }
    }
}
