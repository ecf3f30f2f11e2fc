//! What a response may hold, and nothing else.
//!
//! A list of headers, each with where it may stand, and words that only a program itself says.
//!
//! A header that isn't listed fails the test that met it. Whoever adds one to an answer adds it here, with its place.

use super::Head;

/// Where a header may stand.
enum Place {
    Anywhere,
    /// In answers with one of these statuses.
    Status(&'static [u16]),
    /// In answers with one of these media types, and where the caller has those already.
    Kind(&'static [&'static str]),
    /// In answers to pages of other origins.
    ForPages,
}

const EVENTS: &[&str] = &["text/event-stream"];
const STREAMS: &[&str] = &["text/event-stream", "application/x-ndjson"];
const JSON: &[&str] = &["application/json"];
const HTML: &[&str] = &["text/html"];

/// Every header that any answer may have.
const ALLOWED: [(&str, Place); 39] = [
    ("content-type", Place::Anywhere),
    ("content-length", Place::Anywhere),
    ("content-encoding", Place::Anywhere),
    ("transfer-encoding", Place::Anywhere),
    ("connection", Place::Anywhere),
    ("date", Place::Anywhere),
    ("vary", Place::Anywhere),
    ("etag", Place::Anywhere),
    ("cache-control", Place::Anywhere),
    ("x-request-id", Place::Anywhere),
    ("x-content-type-options", Place::Anywhere),
    ("x-ratelimit-limit", Place::Anywhere),
    ("x-ratelimit-remaining", Place::Anywhere),
    ("x-ratelimit-reset", Place::Anywhere),
    // Anthropic's surface, which names requests twice.
    ("request-id", Place::Anywhere),
    ("retry-after", Place::Status(&[202, 429, 503, 529])),
    ("upgrade", Place::Status(&[426])),
    ("sec-websocket-version", Place::Status(&[426])),
    ("www-authenticate", Place::Status(&[401])),
    // 200 and 204 are those of HEAD and OPTIONS.
    ("allow", Place::Status(&[200, 204, 405])),
    ("content-disposition", Place::Status(&[200])),
    ("x-conversation-id", Place::Kind(EVENTS)),
    ("x-mortise-provider", Place::Status(&[200])),
    ("x-mortise-model", Place::Status(&[200])),
    ("x-mortise-attempts", Place::Anywhere),
    ("x-mortise-cost", Place::Kind(JSON)),
    ("x-mortise-estimated", Place::Kind(JSON)),
    ("x-mortise-cache", Place::Status(&[200])),
    ("x-accel-buffering", Place::Kind(STREAMS)),
    ("content-security-policy", Place::Kind(HTML)),
    ("x-frame-options", Place::Kind(HTML)),
    ("referrer-policy", Place::Kind(HTML)),
    ("cross-origin-opener-policy", Place::Kind(HTML)),
    ("access-control-allow-origin", Place::ForPages),
    ("access-control-allow-methods", Place::ForPages),
    ("access-control-allow-headers", Place::ForPages),
    ("access-control-allow-credentials", Place::ForPages),
    ("access-control-expose-headers", Place::ForPages),
    ("access-control-max-age", Place::ForPages),
];

/// Those that may stand there more than once.
const REPEATED: [&str; 1] = ["vary"];

/// What only a program's own words hold.
const WORDS: [&str; 9] = [
    "stack backtrace",
    "RUST_BACKTRACE",
    "panicked at",
    "wasm backtrace",
    ".cargo/registry",
    ".rs:",
    "wasm trap",
    "hyper::Error",
    "error trace",
];

pub(super) fn check(head: &Head, body: &[u8]) {
    let faults = find(head, &String::from_utf8_lossy(body));
    assert!(faults.is_empty(), "a response tells too much: {faults:?}\n{head:?}");
}

fn find(head: &Head, body: &str) -> Vec<String> {
    let mut faults = Vec::new();
    for (name, value) in &head.headers {
        let place = ALLOWED.iter().find(|(known, _)| known == name).map(|(_, place)| place);
        let fits = match place {
            None => false,
            Some(Place::Anywhere) => true,
            Some(Place::Status(statuses)) => statuses.contains(&head.status),
            Some(Place::Kind(kinds)) => kinds.contains(&head.kind()) || head.status == 304,
            // Without an origin that may ask, no other word on it.
            Some(Place::ForPages) => head.header("access-control-allow-origin").is_some(),
        };
        if !fits {
            faults.push(format!("the header {name}: {value} in a {}", head.status));
        }
        if !REPEATED.contains(&name.as_str()) && head.headers.iter().filter(|(known, _)| known == name).count() > 1 {
            faults.push(format!("the header {name} twice"));
        }
    }
    faults.extend(WORDS.iter().filter(|words| body.contains(**words)).map(|words| format!("the words {words:?}")));
    faults
}

#[test]
fn leaks_are_found() {
    let head = |name: &str, value: &str| Head { status: 200, headers: vec![(name.into(), value.into())] };
    assert!(find(&head("x-request-id", "req-1"), "{}").is_empty());
    for (name, value) in [
        ("server", "mortise/0.1.0"),
        ("server", "mortise"),
        ("x-powered-by", "x"),
        ("openai-organization", "x"),
        ("set-cookie", "a=b"),
        ("retry-after", "1"),
        ("www-authenticate", "Bearer"),
        ("x-conversation-id", "conv-1"),
        ("access-control-allow-methods", "GET"),
    ] {
        assert_eq!(find(&head(name, value), "").len(), 1, "{name}");
    }
    assert_eq!(find(&head("date", "x"), "thread panicked at src/lib.rs:1:1").len(), 2);
    let twice = Head { status: 200, headers: vec![("date".into(), "a".into()), ("date".into(), "b".into())] };
    assert_eq!(find(&twice, "").len(), 2);
}
