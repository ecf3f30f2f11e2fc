//! The vendor's list of models, which comes in pages.

use mortise_sdk::http::{Frame, Head, Request};
use mortise_sdk::provider::{Error, Exchange, Model, Out};
use serde::Deserialize;

use crate::config::Settings;
use crate::generation::Generation;

/// Pages that are asked for at most; each holds up to a thousand models.
const PAGES: u32 = 16;

/// Models that can be named without asking: those that the vendor sells as its current ones, and those before them.
const KNOWN: [&str; 12] = [
    "claude-fable-5-1",
    "claude-opus-5-5",
    "claude-sonnet-5-5",
    "claude-haiku-5-5",
    "claude-fable-5",
    "claude-opus-5",
    "claude-sonnet-5",
    "claude-opus-4-8",
    "claude-opus-4-6",
    "claude-sonnet-4-6",
    "claude-opus-4-5",
    "claude-haiku-4-5",
];

/// Asking for all pages, one after another.
pub(crate) struct List {
    settings: Settings,
    found: Vec<Model>,
    pages: u32,
    /// The last page's last model, when the next page is asked for and has not begun.
    next: Option<String>,
}

#[derive(Deserialize)]
struct Page {
    data: Vec<Entry>,
    #[serde(default)]
    has_more: bool,
    last_id: Option<String>,
}

/// Numbers and capabilities are read leniently: none of them is worth losing the list for.
#[derive(Deserialize)]
struct Entry {
    id: String,
    display_name: Option<String>,
    created_at: Option<String>,
    max_input_tokens: Option<serde_json::Number>,
    max_tokens: Option<serde_json::Number>,
    #[serde(default)]
    capabilities: serde_json::Value,
}

/// What is known without asking.
pub(crate) fn known(settings: &Settings) -> Vec<Model> {
    if !settings.models.is_empty() {
        return settings.models.iter().map(Model::new).collect();
    }
    let known = KNOWN.iter().map(|id| Model {
        owner: Some("anthropic".into()),
        max_output: Generation::of(id).max_output(),
        vision: Some(true),
        tools: Some(true),
        reasoning: Some(true),
        ..Model::new(*id)
    });
    known.collect()
}

// === impl List ===

impl List {
    pub(crate) fn new(settings: Settings) -> Self {
        Self { settings, found: Vec::new(), pages: 0, next: None }
    }

    fn ask(&mut self, out: &mut Out) -> Result<(), Error> {
        let path = match &self.next {
            None => "/models?limit=1000".to_owned(),
            Some(last) => format!("/models?limit=1000&after_id={}", encoded(last)),
        };
        self.pages += 1;
        out.send(self.settings.headers(Request::get(path), &[])?);
        Ok(())
    }
}

impl Exchange for List {
    fn begin(&mut self, out: &mut Out) -> Result<(), Error> {
        self.ask(out)
    }

    fn head(&mut self, _: &Head, _: &mut Out) -> Result<(), Error> {
        self.next = None;
        Ok(())
    }

    fn frame(&mut self, frame: Frame, out: &mut Out) -> Result<(), Error> {
        let page: Page = frame.json()?;
        let empty = page.data.is_empty();
        self.found.extend(page.data.into_iter().map(Model::from));
        match page.last_id {
            Some(last) if page.has_more && !empty && self.pages < PAGES => {
                self.next = Some(last);
                self.ask(out)
            }
            _ => {
                out.emit(std::mem::take(&mut self.found));
                out.finish();
                Ok(())
            }
        }
    }

    fn end(&mut self, _: &mut Out) -> Result<(), Error> {
        match self.next {
            // It is the end of the page before.
            Some(_) => Ok(()),
            None => Err(Error::upstream("the vendor's list of models is empty")),
        }
    }
}

// === impl Model ===

impl From<Entry> for Model {
    fn from(entry: Entry) -> Self {
        let number = |value: Option<serde_json::Number>| {
            value
                .and_then(|value| value.as_u64())
                .and_then(|value| u32::try_from(value).ok())
                .filter(|value| *value != 0)
        };
        let can = |name: &str| entry.capabilities.get(name).and_then(|can| can.get("supported")?.as_bool());
        Self {
            name: entry.display_name.clone(),
            created: entry.created_at.as_deref().and_then(seconds).filter(|seconds| *seconds != 0),
            owner: Some("anthropic".into()),
            context_window: number(entry.max_input_tokens.clone()),
            max_output: number(entry.max_tokens.clone()),
            vision: can("image_input"),
            reasoning: can("thinking"),
            ..Self::new(entry.id.clone())
        }
    }
}

/// Seconds since 1970 of a time in the form of RFC 3339; nothing before that.
fn seconds(time: &str) -> Option<u64> {
    let number = |from: usize, to: usize| time.get(from..to)?.parse::<i64>().ok();
    let (year, month, day) = (number(0, 4)?, number(5, 7)?, number(8, 10)?);
    let clock = number(11, 13)? * 3_600 + number(14, 16)? * 60 + number(17, 19)?;
    let zone = time.get(19..)?.trim_start_matches(|character: char| character == '.' || character.is_ascii_digit());
    let offset = match zone.as_bytes().first()? {
        b'Z' | b'z' => 0,
        sign @ (b'+' | b'-') => {
            let minutes = zone.get(1..3)?.parse::<i64>().ok()? * 60 + zone.get(4..6)?.parse::<i64>().ok()?;
            if *sign == b'+' { minutes * 60 } else { minutes * -60 }
        }
        _ => return None,
    };
    // Days by years that begin in March, so that the leap day is the last one.
    let year = if month <= 2 { year - 1 } else { year };
    let month = (month + 9) % 12;
    let days = year * 365 + year / 4 - year / 100 + year / 400 + (month * 153 + 2) / 5 + day - 1 - 719_468;
    u64::try_from(days * 86_400 + clock - offset).ok()
}

/// For a query.
fn encoded(text: &str) -> String {
    let mut encoded = String::new();
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => encoded.push(char::from(byte)),
            other => encoded.push_str(&format!("%{other:02X}")),
        }
    }
    encoded
}
