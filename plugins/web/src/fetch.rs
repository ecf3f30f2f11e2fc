//! The tool `fetch_url`.

use mortise_sdk::tool::fetch::{Request, Response, Url, send};
use mortise_sdk::tool::{Call, Error, NoSettings, Reply};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::toolbox::AGENT;
use crate::{charset, html};

/// The most that is read of a page, in bytes.
const READ: usize = 4 << 20;
/// How much of its text is shown unless the call says otherwise, and the most, in bytes.
const SHOWN: usize = 20_000;
const MOST: usize = 100_000;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Arguments {
    /// The page's address; https where it says nothing else.
    url: String,
    /// `markdown` (the default), `text` without any marks, or `raw`: the page as it came.
    format: Option<Format>,
    /// Where to go on in a long text, as the last answer said.
    offset: Option<usize>,
    /// The most text to show, 20000 by default.
    #[schemars(range(min = 100, max = 100_000))]
    max_length: Option<usize>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Format {
    #[default]
    Markdown,
    Text,
    Raw,
}

#[derive(Serialize, JsonSchema)]
pub(crate) struct Page {
    /// Where it came from, after redirects.
    url: String,
    status: u16,
    content_type: String,
    title: Option<String>,
    description: Option<String>,
    /// The piece that is shown.
    text: String,
    links: Vec<html::Link>,
    /// Where the next piece begins.
    next_offset: Option<usize>,
    /// Whether the page is longer than what was read of it.
    truncated: bool,
}

pub(crate) fn run(arguments: Arguments, _: &Call<NoSettings>) -> Result<Reply, Error> {
    let request = Request::new("GET", Url::parse(&arguments.url)?)
        .header("user-agent", AGENT)
        .header("accept", "text/html, text/markdown, text/plain, application/json, */*;q=0.5");
    let response = send(Request { limit: READ, ..request })?;
    check(&response)?;
    let content_type = response.header("content-type").unwrap_or_default().to_ascii_lowercase();
    let kind = content_type.split(';').next().unwrap_or_default().trim().to_owned();
    if !is_text(&kind, &response.body) {
        let kind = if kind.is_empty() { "binary data" } else { &kind };
        let size = response.body.len();
        return Err(Error::failed(format!("{} is no text but {kind} of {size} bytes", response.url)));
    }
    let (body, unknown) = charset::decode(&response);
    let format = arguments.format.unwrap_or_default();
    let is_html = kind.contains("html") || kind.is_empty() && body.trim_start().starts_with('<');
    let read = if is_html && format != Format::Raw {
        html::read(&body, &response.url, format == Format::Markdown)
    } else {
        html::Read { text: body, ..html::Read::default() }
    };
    let (text, next_offset) = piece(&read.text, arguments.offset.unwrap_or(0), arguments.max_length)?;
    let mut shown = String::new();
    if let Some(title) = &read.title {
        shown.push_str(&format!("{title}\n"));
    }
    shown.push_str(&format!("{}\n\n{text}", response.url));
    if read.text.is_empty() {
        shown.push_str("[the page has no text; it may be made by scripts, which do not run here]");
    }
    if let Some(next) = next_offset {
        shown.push_str(&format!("\n\n[the text goes on; offset {next} of {}]", read.text.len()));
    }
    if response.truncated {
        shown.push_str(&format!("\n\n[the page is longer than the {READ} bytes that are read of it]"));
    }
    if let Some(unknown) = unknown {
        shown.push_str(&format!(
            "\n\n[it is written in {unknown}, which can't be read here: letters other than ASCII are lost]"
        ));
    }
    let page = Page {
        url: response.url.to_string(),
        status: response.status,
        content_type,
        title: read.title,
        description: read.description,
        text: text.to_owned(),
        links: read.links,
        next_offset,
        truncated: response.truncated,
    };
    Ok(Reply::text(shown).with(&page))
}

/// The piece from `offset` on, and where the next one begins.
fn piece(text: &str, offset: usize, length: Option<usize>) -> Result<(&str, Option<usize>), Error> {
    if offset > 0 && offset >= text.len() {
        return Err(Error::invalid(format!("the text has {} bytes; offset {offset} is behind it", text.len())));
    }
    let from = text.floor_char_boundary(offset);
    let rest = text.get(from..).unwrap_or_default();
    let length = length.unwrap_or(SHOWN).clamp(100, MOST);
    if rest.len() <= length {
        return Ok((rest, None));
    }
    let most = rest.floor_char_boundary(length);
    let shown = rest.get(..most).unwrap_or_default();
    // At the end of a line, if there is one in the second half.
    let end = shown.rfind('\n').filter(|end| *end > length / 2).map_or(most, |end| end + 1);
    Ok((rest.get(..end).unwrap_or_default(), Some(from + end)))
}

/// Whether there is a page to read.
fn check(response: &Response) -> Result<(), Error> {
    let said = format!("{} answered with status {}", response.url, response.status);
    match response.status {
        200..300 => {}
        401 | 403 | 407 | 451 => return Err(Error::denied(said)),
        404 | 410 => return Err(Error::not_found(said)),
        408 | 429 | 500..600 => return Err(Error::unavailable(format!("{said}; it may work later"))),
        _ => return Err(Error::failed(said)),
    }
    match response.header("content-encoding") {
        None | Some("identity" | "") => Ok(()),
        Some(other) => {
            Err(Error::failed(format!("{} is compressed ({other}), although that was not asked for", response.url)))
        }
    }
}

/// Whether it is something to read, by its type and its beginning.
pub(crate) fn is_text(kind: &str, body: &[u8]) -> bool {
    let named = kind.starts_with("text/")
        || [
            "json",
            "xml",
            "javascript",
            "ecmascript",
            "yaml",
            "toml",
            "x-www-form-urlencoded",
            "graphql",
            "csv",
            "sql",
        ]
        .iter()
        .any(|word| kind.contains(word));
    let head = body.get(..1024).unwrap_or(body);
    let utf16 = head.starts_with(&[0xFF, 0xFE]) || head.starts_with(&[0xFE, 0xFF]) || kind.contains("utf-16");
    match kind {
        "" | "application/octet-stream" => std::str::from_utf8(body).is_ok() && !head.contains(&0),
        _ => named && (utf16 || !head.contains(&0)),
    }
}
