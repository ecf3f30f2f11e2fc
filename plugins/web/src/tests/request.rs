//! Tests of `http_request`.

use std::cell::RefCell;
use std::rc::Rc;

use mortise_sdk::testing::tool::Host;
use mortise_sdk::tool::ErrorKind;
use mortise_sdk::tool::fetch::{Failure, Request, Response};
use serde_json::{Value, json};

use super::{call, web};

/// What is sent.
fn sent(arguments: Value) -> Request {
    let seen = Rc::new(RefCell::new(None));
    let inner = seen.clone();
    let host = Host::new().web(move |request| {
        inner.replace(Some(request.clone()));
        Ok(Response { url: request.url.clone(), status: 204, headers: Vec::new(), body: Vec::new(), truncated: false })
    });
    call(&host, "http_request", arguments).unwrap();
    seen.take().unwrap()
}

#[test]
fn a_request_is_sent_as_asked() {
    let request = sent(json!({"url": "https://a.example/x", "json": {"a": [1]}, "headers": {"Accept": "x"}}));
    assert_eq!((request.method.as_str(), request.body.as_slice()), ("POST", b"{\"a\":[1]}".as_slice()));
    let header = |name: &str| request.headers.iter().find(|(own, _)| own == name).map(|(_, value)| value.as_str());
    assert_eq!((header("accept"), header("content-type")), (Some("x"), Some("application/json")));
    assert!(header("user-agent").unwrap().starts_with("mortise-web/"));
    let request = sent(json!({
        "url": "a.example", "method": "put", "body": "text", "follow_redirects": false,
        "headers": {"content-type": "text/csv", "User-Agent": "own"},
    }));
    assert_eq!((request.method.as_str(), request.redirects, request.headers.len()), ("PUT", 0, 2));
    assert_eq!(sent(json!({"url": "a.example"})).method, "GET");
}

#[test]
fn the_answer_is_shown_whole() {
    let answer =
        call(&web(500, "application/json", "{\"error\":1}"), "http_request", json!({"url": "https://a.example"}))
            .unwrap();
    assert_eq!(answer.text, "500 https://a.example/\ncontent-type: application/json\n\n{\"error\":1}");
    assert_eq!(
        answer.json,
        json!({
            "url": "https://a.example/", "status": 500, "headers": {"content-type": "application/json"},
            "body": "{\"error\":1}", "size": 11, "truncated": false,
        })
    );
    let binary =
        call(&web(200, "image/png", b"\x89PNG\0".to_vec()), "http_request", json!({"url": "https://a.example"}))
            .unwrap();
    assert!(
        binary.text.ends_with("\n\n[5 bytes that are no text]")
            && binary.json["body"] == ""
            && binary.json["size"] == 5
    );
    let long =
        call(&web(200, "text/plain", "ü".repeat(90_000)), "http_request", json!({"url": "https://a.example"})).unwrap();
    assert!(long.text.ends_with("\n[there is more]") && long.json["body"].as_str().unwrap().len() == 100_000);
}

#[test]
fn what_could_smuggle_is_refused() {
    let host = web(200, "text/plain", "");
    for (arguments, says) in [
        (json!({"url": "https://a.example", "headers": {"Host": "b"}}), "the header `host` belongs to the connection"),
        (
            json!({"url": "https://a.example", "headers": {"Content-Length": "0"}}),
            "the header `content-length` belongs",
        ),
        (
            json!({"url": "https://a.example", "headers": {"Transfer-Encoding": "chunked"}}),
            "the header `transfer-encoding`",
        ),
        (json!({"url": "https://a.example", "headers": {"x\r\ny": "z"}}), "`x\\r\\ny` is no name of a header"),
        (json!({"url": "https://a.example", "headers": {"": "z"}}), "`` is no name of a header"),
        (
            json!({"url": "https://a.example", "headers": {"x": "a\r\nHost: b"}}),
            "the header `x` is too long, or holds control",
        ),
        (json!({"url": "https://a.example", "headers": {"x": "a".repeat(9000)}}), "the header `x` is too long"),
        (json!({"url": "https://a.example", "method": "CONNECT"}), "`CONNECT` is none of GET, HEAD"),
        (json!({"url": "https://a.example", "method": "GET / HTTP/1.1\r\n"}), "`GET / HTTP/1.1` is none of"),
        (json!({"url": "https://a.example", "method": "GET", "body": "x"}), "a GET request has no body"),
        (json!({"url": "https://a.example", "body": "x", "json": 1}), "give either body or json"),
        (json!({"url": "https://a.example", "body": "x".repeat(2 << 20)}), "the body has 2097152 bytes"),
        (json!({"url": "https://a.example/ HTTP/1.1", "json": "x", "metho": "y"}), "arguments: `metho`: unknown field"),
        (
            json!({"url": "unix:///var/run/docker.sock"}),
            "`unix:///var/run/docker.sock` is no address that can be fetched",
        ),
    ] {
        let error = call(&host, "http_request", arguments).unwrap_err();
        assert_eq!(error.kind, ErrorKind::InvalidArguments);
        assert!(error.message.starts_with(says), "{}", error.message);
    }
}

#[test]
fn a_refusal_says_what_the_host_says() {
    let host = Host::new().web(|_| Err(Failure::denied("its address is private, local or otherwise closed")));
    for name in ["http_request", "fetch_url"] {
        let error = call(&host, name, json!({"url": "http://169.254.169.254/latest/meta-data"})).unwrap_err();
        assert_eq!(error.kind, ErrorKind::Denied);
        assert_eq!(
            error.message,
            "can't reach http://169.254.169.254: its address is private, local or otherwise closed"
        );
    }
}
