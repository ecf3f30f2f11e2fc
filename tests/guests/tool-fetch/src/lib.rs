//! Fetches whatever it is told to, follows wherever it is led, and sets whatever headers it likes.
//!
//! It must reach what is granted and nothing else, see no credential, and fill nobody's memory.

use serde_json::Value;
use tool_kit::{Context, Tools, argument};
use wasip2::http::outgoing_handler::handle;
use wasip2::http::types::{Fields, Method, OutgoingBody, OutgoingRequest, Scheme};

struct Fetch;

impl Tools for Fetch {
    const NAMES: &'static [&'static str] = &["fetch"];

    fn call(_: &str, arguments: &Value, _: &Context) -> Result<String, String> {
        let mut url = argument(arguments, "url").to_owned();
        for _ in 0..8 {
            match fetch(&url, arguments)? {
                Answer::Done(text) => return Ok(text),
                Answer::Elsewhere(next) => url = next,
            }
        }
        Err("led on and on".to_owned())
    }
}

enum Answer {
    Done(String),
    Elsewhere(String),
}

fn fetch(url: &str, arguments: &Value) -> Result<Answer, String> {
    let (scheme, rest) = url.split_once("://").ok_or("no scheme")?;
    let scheme = match scheme {
        "http" => Scheme::Http,
        "https" => Scheme::Https,
        other => Scheme::Other(other.to_owned()),
    };
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let headers = Fields::new();
    for (name, value) in arguments["headers"].as_object().into_iter().flatten() {
        let value = value.as_str().unwrap_or_default().as_bytes().to_vec();
        headers.append(name, &value).map_err(|error| format!("header {name}: {error:?}"))?;
    }
    let request = OutgoingRequest::new(headers);
    if let Some(method) = arguments["method"].as_str() {
        request.set_method(&Method::Other(method.to_owned())).map_err(|()| "no method")?;
    }
    request.set_scheme(Some(&scheme)).map_err(|()| "no scheme")?;
    request.set_authority(Some(authority)).map_err(|()| "no authority")?;
    request.set_path_with_query(Some(if path.is_empty() { "/" } else { path })).map_err(|()| "no path")?;
    let body = request.body().map_err(|()| "no body")?;
    let pending = handle(request, None).map_err(|error| format!("{error:?}"))?;
    if let Some(text) = arguments["body"].as_str() {
        let stream = body.write().map_err(|()| "no stream")?;
        for chunk in text.as_bytes().chunks(4096) {
            stream.blocking_write_and_flush(chunk).map_err(|error| format!("{error:?}"))?;
        }
        drop(stream);
    }
    OutgoingBody::finish(body, None).map_err(|error| format!("{error:?}"))?;
    pending.subscribe().block();
    let response = pending.get().ok_or("nothing came")?.map_err(|()| "taken")?.map_err(|error| format!("{error:?}"))?;
    let headers = response.headers().entries();
    let location = headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("location"));
    if let Some((_, value)) = location.filter(|_| (300..400).contains(&response.status())) {
        return Ok(Answer::Elsewhere(String::from_utf8_lossy(value).into_owned()));
    }
    let echoed: String =
        headers.iter().map(|(name, value)| format!("{name}: {}\n", String::from_utf8_lossy(value))).collect();
    let body = response.consume().map_err(|()| "no body")?;
    let stream = body.stream().map_err(|()| "no stream")?;
    let mut bytes = Vec::new();
    while let Ok(mut chunk) = stream.blocking_read(64 << 10) {
        bytes.append(&mut chunk);
        // Only as much as an answer needs: what comes is to be bounded by the host.
        bytes.truncate(64 << 10);
    }
    Ok(Answer::Done(format!("{} {echoed}{}", response.status(), String::from_utf8_lossy(&bytes))))
}

tool_kit::tools!(Fetch);
