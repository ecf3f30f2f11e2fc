//! What no response may ever hold: details of the server, paths of its machine, traces of its code.

use super::Head;

/// Headers that tell an attacker more than a caller needs.
const HEADERS: [&str; 6] = ["x-powered-by", "x-aspnet-version", "via", "x-runtime", "x-served-by", "x-backend-server"];

/// Headers of the hop to the vendor, which end at the host.
const VENDOR: [&str; 4] = ["openai-organization", "openai-processing-ms", "set-cookie", "cf-ray"];

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
        if HEADERS.contains(&name.as_str()) || VENDOR.contains(&name.as_str()) {
            faults.push(format!("the header {name}"));
        }
        if name == "server" && value.contains(|c: char| c.is_ascii_digit()) {
            faults.push(format!("the server's version: {value}"));
        }
    }
    for name in ["content-type", "content-length", "date", "x-request-id"] {
        if head.headers.iter().filter(|(known, _)| known == name).count() > 1 {
            faults.push(format!("the header {name} twice"));
        }
    }
    faults.extend(WORDS.iter().filter(|words| body.contains(**words)).map(|words| format!("the words {words:?}")));
    faults
}

#[test]
fn leaks_are_found() {
    let head = |name: &str, value: &str| Head { status: 200, headers: vec![(name.into(), value.into())] };
    assert!(find(&head("server", "mortise"), "{}").is_empty());
    assert_eq!(find(&head("server", "mortise/0.1.0"), "{}").len(), 1);
    assert_eq!(find(&head("x-powered-by", "x"), "thread panicked at src/lib.rs:1:1").len(), 3);
    let twice = Head { status: 200, headers: vec![("date".into(), "a".into()), ("date".into(), "b".into())] };
    assert_eq!(find(&twice, "").len(), 1);
}
