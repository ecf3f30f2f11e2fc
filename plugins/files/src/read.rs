//! The tool `read_file`.

use mortise_sdk::tool::{Call, Error, NoSettings, Reply};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::file;
use crate::text::{Encoding, Newline};

/// How many lines are shown unless the call says otherwise.
const LINES: usize = 2000;
/// The most that is shown, in bytes.
const SHOWN: usize = 256 << 10;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Arguments {
    /// Path to the file, relative to the workspace.
    #[serde(alias = "path")]
    #[schemars(extend("x-aliases" = ["path"]))]
    file_path: String,
    /// The first line to show, counted from 1.
    #[schemars(range(min = 1))]
    offset: Option<usize>,
    /// How many lines to show, 2000 by default.
    #[schemars(range(min = 1))]
    limit: Option<usize>,
    /// Whether each line begins with its number and a tab.
    line_numbers: Option<bool>,
}

#[derive(Serialize, JsonSchema)]
pub(crate) struct Found {
    file_path: String,
    /// The lines that are shown, without numbers.
    content: String,
    start_line: usize,
    end_line: usize,
    total_lines: usize,
    /// Of the whole file, in bytes.
    size: usize,
    encoding: Encoding,
    newline: Newline,
    /// Whether the file has lines, or a part of a line, that are not shown.
    truncated: bool,
}

pub(crate) fn run(arguments: Arguments, _: &Call<NoSettings>) -> Result<Reply, Error> {
    let place = file::place(&arguments.file_path)?;
    let bytes = file::bytes(&place)?;
    let text = crate::text::Text::decode(place.name(), &bytes)?;
    let first = arguments.offset.unwrap_or(1).max(1);
    let limit = arguments.limit.unwrap_or(LINES).max(1);
    let lines: Vec<&str> = text.content.split_inclusive('\n').collect();
    let total = lines.len();
    if first > total.max(1) {
        return Err(Error::invalid(format!("`{place}` has {total} lines; offset {first} is behind them")));
    }
    let mut content = String::new();
    let mut shown = String::new();
    let mut last = first - 1;
    let mut cut = None;
    for (index, line) in lines.iter().enumerate().skip(first - 1).take(limit) {
        let room = SHOWN - content.len();
        if line.len() > room {
            if content.is_empty() {
                content.push_str(line.get(..line.floor_char_boundary(room)).unwrap_or_default());
                shown.push_str(&content);
                last = index + 1;
                cut = Some(line.len() - content.len());
            }
            break;
        }
        if arguments.line_numbers == Some(true) {
            shown.push_str(&format!("{:>6}\t", index + 1));
        }
        shown.push_str(line);
        content.push_str(line);
        last = index + 1;
    }
    let note = match cut {
        Some(rest) => Some(format!("[line {last} is longer; {rest} bytes of it are not shown]")),
        None if total == 0 => Some("[the file is empty]".to_owned()),
        None if last < total => Some(format!("[lines {first} to {last} of {total}; go on with offset {}]", last + 1)),
        None if first > 1 => Some(format!("[lines {first} to {last} of {total}]")),
        None => None,
    };
    let truncated = last < total || cut.is_some();
    let found = Found {
        file_path: place.name().to_owned(),
        content,
        start_line: first,
        end_line: last,
        total_lines: total,
        size: bytes.len(),
        encoding: text.encoding,
        newline: text.newline,
        truncated,
    };
    let reply = match note {
        // Without a line of its own, so that the file's text is the first part, whole.
        Some(note) if shown.is_empty() => Reply::text(note),
        Some(note) => Reply::text(shown).and_text(note),
        None => Reply::text(shown),
    };
    Ok(reply.with(&found))
}
