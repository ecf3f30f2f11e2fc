//! The API document, held against every request and every response of the suite.
//!
//! A response that the document doesn't know is a failure of whichever test asked for it: an unknown status, another
//! content type, a field that no schema has. So is a body that was served though the document forbids it.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex};

use jsonschema::Validator;
use serde_json::{Value, json};

use super::{Event, Head, Request};

/// As the server tells it.
static OPEN: LazyLock<Value> = LazyLock::new(mortise::api::document);

/// The same, where a response may have no field that isn't told: callers must expect more, the server's tests must not.
static CLOSED: LazyLock<Value> = LazyLock::new(|| {
    let mut document = OPEN.clone();
    close(&mut document);
    document
});

static VALIDATORS: LazyLock<Mutex<HashMap<String, Arc<Validator>>>> = LazyLock::new(Mutex::default);

fn close(value: &mut Value) {
    match value {
        Value::Object(members) => {
            members.values_mut().for_each(close);
            if members.contains_key("properties") {
                // What stands beside the object's own fields is a part of it, and closed with it.
                for name in ["oneOf", "anyOf"] {
                    let parts = members.get_mut(name).and_then(Value::as_array_mut).into_iter().flatten();
                    parts.filter_map(Value::as_object_mut).for_each(|part| drop(part.remove("unevaluatedProperties")));
                }
            }
            if members.contains_key("properties") && !members.contains_key("additionalProperties") {
                members.insert("unevaluatedProperties".into(), json!(false));
            }
        }
        Value::Array(elements) => elements.iter_mut().for_each(close),
        _ => {}
    }
}

/// The path of the document's template for `path`, if it has one.
fn template(path: &str) -> Option<&'static str> {
    let path = path.split(['?', '#']).next().unwrap_or_default();
    let same =
        |(template, segment): (&str, &str)| template == segment || template.starts_with('{') && !segment.is_empty();
    let whole = |template: &&String| {
        template.split('/').count() == path.split('/').count() && template.split('/').zip(path.split('/')).all(same)
    };
    // A parameter at the end may span segments.
    let spans = |template: &&String| match template.split_once('{') {
        Some((before, after)) if after.ends_with('}') && !after.contains('/') => {
            path.strip_prefix(before).is_some_and(|rest| !rest.is_empty())
        }
        _ => *template == path,
    };
    let mut templates = OPEN["paths"].as_object().unwrap().keys();
    templates.clone().find(whole).or_else(|| templates.find(spans)).map(String::as_str)
}

/// Follows one reference, if there is one.
fn resolve<'d>(document: &'d Value, value: &'d Value) -> &'d Value {
    let target = value.get("$ref").and_then(Value::as_str);
    target
        .map_or(value, |target| document.pointer(target.trim_start_matches('#')).expect("a reference that leads there"))
}

/// What is wrong with `value` by `schema`, one of the schemas of `document`.
fn faults(document: &Value, schema: &Value, value: &Value) -> Vec<String> {
    let key = format!("{} {schema}", std::ptr::eq(document, &*CLOSED));
    let known = VALIDATORS.lock().unwrap().get(&key).cloned();
    let validator = known.unwrap_or_else(|| {
        let mut schema = schema.clone();
        schema["components"] = document["components"].clone();
        let validator = Arc::new(jsonschema::draft202012::new(&schema).expect("a schema"));
        VALIDATORS.lock().unwrap().insert(key, validator.clone());
        validator
    });
    validator.iter_errors(value).map(|error| format!("{}: {error}", error.instance_path())).collect()
}

/// Headers whose description says when they are absent.
const OPTIONAL: [&str; 4] = ["Retry-After", "X-Mortise-Cost", "X-Mortise-Estimated", "X-Mortise-Cache"];

/// What has no such id comes from a test's own upstream, or from below the API.
pub(super) fn is_ours(head: &Head) -> bool {
    head.header("x-request-id").is_some_and(|id| id.starts_with("req-"))
}

/// What only the server of the tests of WebSockets has.
const OF_A_TEST: &str = "/plain";

fn find(request: &Request, head: &Head, body: Option<&[u8]>) -> Vec<String> {
    let elsewhere = request.path.starts_with("/docs/assets/") || request.path == OF_A_TEST;
    if !is_ours(head) || request.method == "OPTIONS" || elsewhere {
        return Vec::new();
    }
    // A look at the headers of a path that has other methods.
    if request.method == "HEAD" && head.header("allow").is_some() {
        return Vec::new();
    }
    let method = if request.method == "HEAD" { "get".into() } else { request.method.to_lowercase() };
    let operation = template(&request.path).and_then(|template| CLOSED["paths"][template].get(&method));
    let Some(operation) = operation else {
        let refused = head.status >= 400;
        return if refused { Vec::new() } else { vec!["it is served, and the document does not know it".into()] };
    };
    let Some(response) = operation["responses"].get(head.status.to_string()) else {
        return vec![format!("the document does not know the status {}", head.status)];
    };
    let mut found = Vec::new();
    let sent = serde_json::from_slice::<Value>(&request.body).ok().filter(|_| head.status < 300);
    if let (Some(sent), Some(template)) = (sent, template(&request.path)) {
        let schema = &OPEN["paths"][template][&method]["requestBody"]["content"]["application/json"]["schema"];
        found
            .extend(faults(&OPEN, schema, &sent).into_iter().map(|fault| format!("served, though forbidden: {fault}")));
    }
    let Some(body) = body.filter(|_| request.method != "HEAD" && ![204, 304].contains(&head.status)) else {
        return found;
    };
    let content = &resolve(&CLOSED, response)["content"];
    match content.get(head.kind()) {
        None => found.push(format!("the document does not know the content type {:?}", head.kind())),
        // Those who ask for it compressed look into it themselves.
        Some(_) if head.header("content-encoding").is_some() => {}
        Some(media) if head.kind() == "application/json" => match serde_json::from_slice(body) {
            Ok(body) => found.extend(faults(&CLOSED, &media["schema"], &body)),
            Err(error) => found.push(format!("no JSON: {error}")),
        },
        Some(media) if head.kind() == "application/x-ndjson" && media["schema"]["type"] != "string" => {
            for line in body.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
                match serde_json::from_slice(line) {
                    Ok(line) => found.extend(faults(&CLOSED, &media["schema"], &line)),
                    Err(error) => found.push(format!("no JSON: {error}")),
                }
            }
        }
        Some(_) => {}
    }
    for name in resolve(&CLOSED, response)["headers"].as_object().into_iter().flatten().map(|(name, _)| name) {
        let optional = name.starts_with("X-RateLimit-") || OPTIONAL.contains(&name.as_str());
        if !optional && head.header(name).is_none() {
            found.push(format!("the header {name} is missing"));
        }
    }
    found
}

#[track_caller]
pub(super) fn check(request: &Request, head: &Head, body: Option<&[u8]>) {
    let found = find(request, head, body);
    let body = String::from_utf8_lossy(body.unwrap_or_default());
    assert!(found.is_empty(), "{} {}: {found:?}\n{head:?}\n{body}", request.method, request.path);
}

/// Checks one event of a stream.
#[track_caller]
pub(super) fn check_event(request: &Request, head: &Head, event: &Event) {
    let Some(template) = template(&request.path).filter(|_| is_ours(head)) else { return };
    let media = &CLOSED["paths"][template]["post"]["responses"]["200"]["content"]["text/event-stream"]["schema"];
    let data = &media["properties"]["data"];
    let data = data.pointer("/anyOf/0").filter(|_| data["anyOf"][1]["const"] != *event.data).unwrap_or(data);
    let Some(data) = data.get("contentSchema") else { return };
    let value: Value = serde_json::from_str(&event.data).unwrap_or_else(|error| panic!("{error}: {}", event.data));
    let found = faults(&CLOSED, data, &value);
    assert!(found.is_empty(), "{}: {found:?}\n{event:?}", request.path);
}

#[test]
fn what_the_document_does_not_know_is_found() {
    let head = |status: u16, kind: &str| Head {
        status,
        headers: vec![("x-request-id".into(), "req-1".into()), ("content-type".into(), kind.into())],
    };
    let get = |path: &str| Request::new("GET", path);
    let tools = |body: &str| find(&get("/api/v1/tools"), &head(200, "application/json"), Some(body.as_bytes()));
    assert_eq!(tools(r#"{"tools":[],"categories":[]}"#), Vec::<String>::new());
    assert_eq!(tools(r#"{"tools":[],"categories":[],"more":1}"#).len(), 1);
    assert_eq!(tools(r#"{"tools":[]}"#).len(), 1);
    assert_eq!(tools("[").len(), 1);
    assert_eq!(find(&get("/api/v1/tools"), &head(418, "application/json"), None).len(), 1);
    assert_eq!(find(&get("/api/v1/tools"), &head(200, "text/plain"), Some(b"x")).len(), 1);
    assert_eq!(find(&get("/api/v1/nothing"), &head(200, "application/json"), Some(b"{}")).len(), 1);
    assert_eq!(find(&get("/api/v1/nothing"), &head(404, "application/json"), Some(b"{}")).len(), 0);
    assert_eq!(find(&Request::new("PUT", "/health"), &head(200, "application/json"), Some(b"{}")).len(), 1);
    let sent = Request::new("POST", "/api/v1/chat").body(r#"{"message":"x","more":1}"#);
    assert_eq!(find(&sent, &head(200, "application/json"), None).len(), 1);
    let event = |data: &str| Event { name: None, data: data.into() };
    let stream = Request::new("POST", "/api/v1/chat/stream");
    let served = head(200, "text/event-stream");
    check_event(&stream, &served, &event(r#"{"type":"token","content":"x","index":0}"#));
    let wrong = std::panic::catch_unwind(|| check_event(&stream, &served, &event(r#"{"type":"token","content":"x"}"#)));
    assert!(wrong.is_err());
}
