//! The tool `grep`.

use std::fs::File;
use std::io::Read as _;
use std::ops::ControlFlow;

use mortise_sdk::tool::{Call, Error, NoSettings, Place, Reply, Workspace};
use regex::bytes::{Regex, RegexBuilder};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::pattern::Pattern;
use crate::walk::Walk;

const RESULTS: usize = 100;
const MOST: usize = 2000;
const CONTEXT: usize = 20;
/// The largest file that is searched, in bytes.
const LARGEST: u64 = 4 << 20;
/// The most that is shown of a line, and of everything, in bytes.
const LINE: usize = 500;
const SHOWN: usize = 256 << 10;
/// How many bytes are looked at to tell text from other things.
const HEAD: usize = 8192;
/// What a compiled expression may take, in bytes.
const EXPRESSION: usize = 1 << 20;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Arguments {
    /// The regular expression; it is matched within single lines.
    pattern: String,
    /// The file or directory to search; the workspace's root by default.
    #[serde(alias = "file_path", alias = "directory")]
    #[schemars(extend("x-aliases" = ["file_path", "directory"]))]
    path: Option<String>,
    /// Only files that match one of these globs, such as `*.rs` or `src/**`.
    include: Option<Vec<String>>,
    /// No files that match one of these globs.
    exclude: Option<Vec<String>>,
    /// Whether capitals and small letters are the same.
    ignore_case: Option<bool>,
    /// Whether the pattern is plain text rather than an expression.
    literal: Option<bool>,
    /// How many lines to show before and after each match.
    #[schemars(range(max = 20))]
    context: Option<usize>,
    /// `content`: the lines (the default); `files`: only the files' names; `count`: how many lines of each file match.
    output: Option<Show>,
    /// The most matches (or files) to show, 100 by default.
    #[schemars(range(min = 1, max = 2000))]
    limit: Option<usize>,
    /// Whether files that .gitignore names are searched too.
    include_ignored: Option<bool>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Show {
    #[default]
    Content,
    Files,
    Count,
}

#[derive(Default, Serialize, JsonSchema)]
pub(crate) struct Found {
    /// The lines that match; empty unless they were asked for.
    matches: Vec<Match>,
    /// The files with a match.
    files: Vec<Matches>,
    /// How many files were searched.
    searched: usize,
    skipped_binary: usize,
    skipped_large: usize,
    /// Whether there may be more.
    truncated: bool,
}

#[derive(Serialize, JsonSchema)]
pub(crate) struct Match {
    file_path: String,
    line: usize,
    text: String,
}

#[derive(Serialize, JsonSchema)]
pub(crate) struct Matches {
    file_path: String,
    /// How many lines match; at least so many, where the search ended in this file.
    count: usize,
}

struct Search {
    regex: Regex,
    show: Show,
    context: usize,
    limit: usize,
    text: String,
    found: Found,
}

pub(crate) fn run(arguments: Arguments, _: &Call<NoSettings>) -> Result<Reply, Error> {
    let place = Workspace.resolve(arguments.path.as_deref().unwrap_or("."))?;
    let include = Pattern::all(arguments.include)?;
    let exclude = Pattern::all(arguments.exclude)?;
    let literal = arguments.literal == Some(true);
    let mut search = Search {
        regex: compile(&arguments.pattern, literal, arguments.ignore_case == Some(true))?,
        show: arguments.output.unwrap_or_default(),
        context: arguments.context.unwrap_or_default().min(CONTEXT),
        limit: arguments.limit.unwrap_or(RESULTS).clamp(1, MOST),
        text: String::new(),
        found: Found::default(),
    };
    let mut walk = Walk::new(arguments.include_ignored == Some(true));
    let whole = walk.files(&place, &mut |file| {
        let wanted = include.is_empty() || include.iter().any(|pattern| pattern.fits(file.name()));
        if wanted && !exclude.iter().any(|pattern| pattern.fits(file.name())) {
            search.file(file)
        } else {
            ControlFlow::Continue(())
        }
    })?;
    search.found.truncated = !whole;
    Ok(search.reply())
}

fn compile(pattern: &str, literal: bool, ignore_case: bool) -> Result<Regex, Error> {
    let escaped = if literal { &regex::escape(pattern) } else { pattern };
    RegexBuilder::new(escaped)
        .case_insensitive(ignore_case)
        .size_limit(EXPRESSION)
        .dfa_size_limit(EXPRESSION)
        .nest_limit(100)
        .build()
        .map_err(|error| match error {
            regex::Error::CompiledTooBig(_) => {
                Error::invalid("the pattern is too large when compiled; use fewer or smaller repetitions")
            }
            error => Error::invalid(format!(
                "the pattern is no regular expression: {error} (set literal to search for plain text)"
            )),
        })
}

impl Search {
    fn file(&mut self, file: &Place) -> ControlFlow<()> {
        let Some(bytes) = self.read(file) else { return ControlFlow::Continue(()) };
        let lines: Vec<&[u8]> = lines(&bytes);
        let matching: Vec<usize> = (0..lines.len())
            .filter(|number| lines.get(*number).is_some_and(|line| self.regex.is_match(line)))
            .take(MOST + 1)
            .collect();
        if matching.is_empty() {
            return ControlFlow::Continue(());
        }
        let shown = match self.show {
            Show::Content => self.found.matches.len(),
            Show::Files | Show::Count => self.found.files.len(),
        };
        if shown >= self.limit || self.text.len() > SHOWN {
            return ControlFlow::Break(());
        }
        self.found.files.push(Matches { file_path: file.name().to_owned(), count: matching.len() });
        match self.show {
            Show::Files => self.text.push_str(&format!("{file}\n")),
            Show::Count => self.text.push_str(&format!("{file}: {}\n", matching.len())),
            Show::Content => return self.content(file, &lines, &matching),
        }
        ControlFlow::Continue(())
    }

    fn content(&mut self, file: &Place, lines: &[&[u8]], matching: &[usize]) -> ControlFlow<()> {
        self.text.push_str(&format!("{file}\n"));
        let mut next = 0;
        for (index, number) in matching.iter().enumerate() {
            if self.found.matches.len() == self.limit || self.text.len() > SHOWN {
                return ControlFlow::Break(());
            }
            let from = number.saturating_sub(self.context).max(next);
            if self.context > 0 && from > next && next > 0 {
                self.text.push_str("--\n");
            }
            // The lines behind it, as far as the next match, which brings its own.
            let until =
                matching.get(index + 1).copied().unwrap_or(usize::MAX).min(number + self.context + 1).min(lines.len());
            for (at, line) in lines.iter().enumerate().take(until).skip(from) {
                let mark = if at == *number { ':' } else { '-' };
                self.text.push_str(&format!("{}{mark} {}\n", at + 1, shorten(line)));
            }
            next = until;
            let text = lines.get(*number).map(|line| shorten(line)).unwrap_or_default();
            self.found.matches.push(Match { file_path: file.name().to_owned(), line: number + 1, text });
        }
        ControlFlow::Continue(())
    }

    /// What a file holds, if it is to be searched.
    fn read(&mut self, file: &Place) -> Option<Vec<u8>> {
        let open = File::open(file.path()).ok()?;
        let mut bytes = Vec::new();
        if open.metadata().ok()?.len() > LARGEST
            || open.take(LARGEST + 1).read_to_end(&mut bytes).ok()? as u64 > LARGEST
        {
            self.found.skipped_large += 1;
            return None;
        }
        let units = |bytes: &[u8], unit: fn([u8; 2]) -> u16| {
            let units: Vec<u16> = bytes.as_chunks::<2>().0.iter().map(|pair| unit(*pair)).collect();
            String::from_utf16_lossy(&units).into_bytes()
        };
        let bytes = match bytes.as_slice() {
            [0xFF, 0xFE, rest @ ..] => units(rest, u16::from_le_bytes),
            [0xFE, 0xFF, rest @ ..] => units(rest, u16::from_be_bytes),
            _ => bytes,
        };
        if bytes.get(..HEAD).unwrap_or(&bytes).contains(&0) {
            self.found.skipped_binary += 1;
            return None;
        }
        self.found.searched += 1;
        Some(bytes)
    }

    fn reply(mut self) -> Reply {
        let Found { files, searched, skipped_large, truncated, .. } = &self.found;
        if files.is_empty() {
            self.text = format!("no match in {searched} files");
        }
        if *skipped_large > 0 {
            self.text.push_str(&format!("\n[{skipped_large} files of more than {LARGEST} bytes were not searched]"));
        }
        if *truncated {
            self.text.push_str("\n[there may be more; narrow the pattern, the path or include]");
        }
        Reply::text(self.text).with(&self.found)
    }
}

/// Lines without their ends.
fn lines(bytes: &[u8]) -> Vec<&[u8]> {
    let mut lines: Vec<&[u8]> =
        bytes.split(|byte| *byte == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line)).collect();
    if lines.last().is_some_and(|line| line.is_empty()) {
        lines.pop();
    }
    lines
}

fn shorten(line: &[u8]) -> String {
    let text = String::from_utf8_lossy(line);
    if text.len() <= LINE {
        return text.into_owned();
    }
    let end = text.floor_char_boundary(LINE);
    format!("{}… [{} bytes more]", text.get(..end).unwrap_or_default(), text.len() - end)
}
