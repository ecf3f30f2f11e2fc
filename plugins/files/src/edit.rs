//! The tool `edit_file`.

use mortise_sdk::tool::{Call, Error, NoSettings, Reply};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::file;
use crate::text::Newline;

/// How many places are named where a text stands more than once.
const NAMED: usize = 10;
/// The most lines that are shown to help.
const SHOWN: usize = 12;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Arguments {
    /// Path to the file, relative to the workspace.
    #[serde(alias = "path")]
    #[schemars(extend("x-aliases" = ["path"]))]
    file_path: String,
    /// The text to replace, exactly as it stands in the file.
    #[serde(alias = "old_text", alias = "old_str")]
    #[schemars(extend("x-aliases" = ["old_text", "old_str"]))]
    old_string: String,
    /// The text to put in its place; empty to delete it.
    #[serde(alias = "new_text", alias = "new_str")]
    #[schemars(extend("x-aliases" = ["new_text", "new_str"]))]
    new_string: String,
    /// Whether to replace every occurrence instead of the only one.
    replace_all: Option<bool>,
}

#[derive(Serialize, JsonSchema)]
pub(crate) struct Edited {
    file_path: String,
    replacements: usize,
    /// The lines where a replacement begins, counted from 1 in the new text.
    lines: Vec<usize>,
}

pub(crate) fn run(arguments: Arguments, _: &Call<NoSettings>) -> Result<Reply, Error> {
    let place = file::place(&arguments.file_path)?;
    let mut text = file::text(&place)?;
    let plain = |text: String| if arguments_are_plain(&text) { text } else { text.replace("\r\n", "\n") };
    let (old, new) = match text.newline {
        Newline::Crlf => (plain(arguments.old_string), plain(arguments.new_string)),
        Newline::Lf | Newline::Mixed => (arguments.old_string, arguments.new_string),
    };
    let all = arguments.replace_all == Some(true);
    let (content, starts) = replace(&text.content, &old, &new, all)
        .map_err(|message| Error::failed(format!("{place} is unchanged: {message}")))?;
    text.content = content;
    file::save(&place, &text.encode())?;
    let lines: Vec<usize> = starts.iter().map(|start| line_at(&text.content, *start)).collect();
    let said = match lines.as_slice() {
        [line] => format!("edited {place} at line {line}"),
        lines => format!("edited {place} at {} places", lines.len()),
    };
    Ok(Reply::text(said).with(&Edited { file_path: place.name().to_owned(), replacements: lines.len(), lines }))
}

fn arguments_are_plain(text: &str) -> bool {
    !text.contains('\r')
}

/// The new text, and where in it the replacements begin.
pub(crate) fn replace(text: &str, old: &str, new: &str, all: bool) -> Result<(String, Vec<usize>), String> {
    if old.is_empty() {
        return Err("old_string is empty; write_file writes a whole file".to_owned());
    }
    if old == new {
        return Err("old_string and new_string are the same".to_owned());
    }
    let found: Vec<usize> = text.match_indices(old).map(|(at, _)| at).collect();
    match found.as_slice() {
        [] => return Err(missing(text, old)),
        [_] => {}
        many if !all => {
            let lines: Vec<String> = many.iter().take(NAMED).map(|at| line_at(text, *at).to_string()).collect();
            let more = if many.len() > NAMED { ", …" } else { "" };
            return Err(format!(
                "old_string stands {} times (lines {}{more}); give more lines around the one that is meant, or set replace_all",
                many.len(),
                lines.join(", ")
            ));
        }
        _ => {}
    }
    let mut out = String::with_capacity(text.len());
    let mut starts = Vec::with_capacity(found.len());
    let mut from = 0;
    for at in found {
        out.push_str(text.get(from..at).unwrap_or_default());
        starts.push(out.len());
        out.push_str(new);
        from = at + old.len();
    }
    out.push_str(text.get(from..).unwrap_or_default());
    Ok((out, starts))
}

/// Why a text isn't found: what stands there that is nearly the same.
fn missing(text: &str, old: &str) -> String {
    let lines: Vec<&str> = text.lines().collect();
    let wanted: Vec<&str> = old.lines().collect();
    let show = |from: usize, count: usize| {
        let shown = lines.iter().skip(from).take(count.min(SHOWN)).copied().collect::<Vec<_>>().join("\n");
        format!("lines {} to {} are:\n{shown}", from + 1, (from + count).min(lines.len()))
    };
    let same = |a: &str, b: &str| a.split_whitespace().eq(b.split_whitespace());
    let loose = lines.windows(wanted.len().max(1)).position(|window| {
        window.len() == wanted.len() && window.iter().zip(&wanted).all(|(line, wanted)| same(line, wanted))
    });
    if let Some(from) = loose {
        return format!("old_string differs from the file only in blanks; {}", show(from, wanted.len()));
    }
    // Where its first lines stand, the difference comes later.
    let first = wanted.iter().position(|line| !line.trim().is_empty());
    let begins = first.and_then(|first| {
        let wanted = wanted.get(first..)?;
        let fits = |from: usize| {
            let rest = lines.iter().skip(from);
            rest.zip(wanted).take_while(|(line, wanted)| same(line, wanted)).count()
        };
        let best =
            (0..lines.len()).map(|from| (fits(from), from)).max_by_key(|(fit, from)| (*fit, usize::MAX - from))?;
        (best.0 > 0).then_some((best.1, best.0, wanted.len()))
    });
    match begins {
        Some((from, fit, count)) => format!(
            "old_string is not in the file; its beginning stands at line {}, but it differs from line {} on; {}",
            from + 1,
            from + fit + 1,
            show(from, count)
        ),
        None => "old_string is not in the file; read it again and copy the text as it is".to_owned(),
    }
}

/// The line of a place, counted from 1.
fn line_at(text: &str, at: usize) -> usize {
    text.get(..at).unwrap_or_default().matches('\n').count() + 1
}
