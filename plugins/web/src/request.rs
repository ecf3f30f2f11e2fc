//! The tool `http_request`.

use std::collections::BTreeMap;

use mortise_sdk::tool::fetch::{Request, Url, send};
use mortise_sdk::tool::{Call, Error, NoSettings, Reply};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::toolbox::AGENT;
use crate::{charset, fetch};

/// The largest body that is sent, and the most that is read and shown of an answer's, in bytes.
const SENT: usize = 1 << 20;
const READ: usize = 1 << 20;
const SHOWN: usize = 100_000;
const HEADERS: usize = 50;
const LONGEST: usize = 8192;

const METHODS: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];
/// Headers that belong to the connection, or to the server that forwards.
const RESERVED: [&str; 15] = [
    "host",
    "connection",
    "content-length",
    "expect",
    "forwarded",
    "keep-alive",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "via",
    "x-forwarded-for",
    "x-real-ip",
];

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Arguments {
    /// The address; https where it says nothing else.
    url: String,
    /// `GET` by default; `POST` if there is a body.
    method: Option<String>,
    /// Headers by name. No credentials: the server puts them on.
    headers: Option<BTreeMap<String, String>>,
    /// The body, as text.
    body: Option<String>,
    /// The body, as JSON.
    json: Option<Value>,
    /// Whether redirects are followed; they are by default.
    follow_redirects: Option<bool>,
}

#[derive(Serialize, JsonSchema)]
pub(crate) struct Answer {
    /// Where it came from, after redirects.
    url: String,
    status: u16,
    headers: BTreeMap<String, String>,
    /// Empty where it is no text.
    body: String,
    /// Of the body as it came, in bytes.
    size: usize,
    /// Whether there is more than is shown.
    truncated: bool,
}

pub(crate) fn run(arguments: Arguments, _: &Call<NoSettings>) -> Result<Reply, Error> {
    let response = send(request(arguments)?)?;
    let kind = response
        .header("content-type")
        .unwrap_or_default()
        .split(';')
        .next()
        .unwrap_or_default()
        .trim()
        .to_ascii_lowercase();
    let size = response.body.len();
    let mut truncated = response.truncated;
    let (mut body, unknown) =
        if fetch::is_text(&kind, &response.body) { charset::decode(&response) } else { (String::new(), None) };
    if body.len() > SHOWN {
        body.truncate(body.floor_char_boundary(SHOWN));
        truncated = true;
    }
    let mut text = format!("{} {}\n", response.status, response.url);
    let mut headers = BTreeMap::new();
    for (name, value) in &response.headers {
        text.push_str(&format!("{name}: {value}\n"));
        headers
            .entry(name.clone())
            .and_modify(|all: &mut String| *all = format!("{all}, {value}"))
            .or_insert_with(|| value.clone());
    }
    text.push_str(&format!("\n{body}"));
    if body.is_empty() && size > 0 {
        text.push_str(&format!("[{size} bytes that are no text]"));
    }
    if truncated {
        text.push_str("\n[there is more]");
    }
    if let Some(unknown) = unknown {
        text.push_str(&format!(
            "\n[it is written in {unknown}, which can't be read here: letters other than ASCII are lost]"
        ));
    }
    let answer = Answer { url: response.url.to_string(), status: response.status, headers, body, size, truncated };
    Ok(Reply::text(text).with(&answer))
}

fn request(arguments: Arguments) -> Result<Request, Error> {
    let url = Url::parse(&arguments.url)?;
    let (body, kind) = match (arguments.body, arguments.json) {
        (Some(_), Some(_)) => return Err(Error::invalid("give either body or json")),
        (Some(text), None) => (text.into_bytes(), Some("text/plain; charset=utf-8")),
        (None, Some(json)) => (json.to_string().into_bytes(), Some("application/json")),
        (None, None) => (Vec::new(), None),
    };
    if body.len() > SENT {
        return Err(Error::invalid(format!("the body has {} bytes, more than {SENT}", body.len())));
    }
    let method = arguments.method.map(|method| method.trim().to_ascii_uppercase());
    let method = method.unwrap_or_else(|| if kind.is_some() { "POST" } else { "GET" }.to_owned());
    if !METHODS.contains(&method.as_str()) {
        return Err(Error::invalid(format!("`{}` is none of {}", method.escape_debug(), METHODS.join(", "))));
    }
    if kind.is_some() && ["GET", "HEAD"].contains(&method.as_str()) {
        return Err(Error::invalid(format!("a {method} request has no body")));
    }
    let mut request = Request { body, limit: READ, ..Request::new(method, url) };
    if arguments.follow_redirects == Some(false) {
        request.redirects = 0;
    }
    for (name, value) in arguments.headers.unwrap_or_default() {
        let name = header_name(&name)?;
        if value.len() > LONGEST || value.chars().any(|c| c.is_control() && c != '\t') {
            return Err(Error::invalid(format!("the header `{name}` is too long, or holds control characters")));
        }
        request.headers.push((name, value));
    }
    if request.headers.len() > HEADERS {
        return Err(Error::invalid(format!("{} headers are more than {HEADERS}", request.headers.len())));
    }
    let given = |request: &Request, name: &str| request.headers.iter().any(|(own, _)| own == name);
    if !given(&request, "user-agent") {
        request = request.header("user-agent", AGENT);
    }
    match kind {
        Some(kind) if !given(&request, "content-type") => Ok(request.header("content-type", kind)),
        _ => Ok(request),
    }
}

fn header_name(name: &str) -> Result<String, Error> {
    let name = name.to_ascii_lowercase();
    let token = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
    if name.is_empty() || name.len() > 100 || !name.chars().all(token) {
        return Err(Error::invalid(format!("`{}` is no name of a header", name.escape_debug())));
    }
    if RESERVED.contains(&name.as_str()) {
        return Err(Error::invalid(format!("the header `{name}` belongs to the connection; leave it out")));
    }
    Ok(name)
}
