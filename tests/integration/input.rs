//! What a caller should not have sent: each mistake has its status, in the surface's own shape, and costs nothing else.

mod bodies;
mod framing;
mod paths;

use crate::client::Reply;
use crate::harness::Server;

/// The three places that take a body, each with a body that it would answer.
const TAKERS: [(&str, &str); 4] = [
    ("/api/v1/chat", r#"{"message": "x"}"#),
    ("/api/v1/chat/stream", r#"{"message": "x"}"#),
    ("/openai/v1/chat/completions", r#"{"model": "echo", "messages": [{"role": "user", "content": "x"}]}"#),
    ("/openai/v1/embeddings", r#"{"model": "echo", "input": "x"}"#),
];

/// Checks the refusal of a surface.
#[track_caller]
fn refused(reply: &Reply, path: &str, status: u16) {
    assert_eq!(reply.status(), status, "{path}: {}", reply.text());
    if path.starts_with("/openai") || path.starts_with("/v1") {
        crate::shape::openai(reply, status, "invalid_request_error");
    } else {
        let code = reply.json()["error_code"].as_str().unwrap_or_default().to_owned();
        crate::shape::native(reply, status, &code);
    }
}

/// A caller's mistake is no failure of the server's: its log has neither a backtrace nor an error.
#[track_caller]
pub fn logs_are_calm(server: &Server) {
    let log = server.log();
    assert!(!log.is_empty(), "nothing was logged at all");
    for word in ["backtrace", "panicked", " ERROR ", " WARN "] {
        let line = log.lines().find(|line| line.contains(word));
        assert_eq!(line, None, "a caller's mistake makes the log say {word:?}");
    }
}
