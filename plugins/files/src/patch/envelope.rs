//! The form from `*** Begin Patch` to `*** End Patch`: no line numbers, hunks are found by what stands around them.

use super::{Action, FilePatch, Hunk, Line};

pub(super) const BEGIN: &str = "*** Begin Patch";
const END: &str = "*** End Patch";
const END_OF_FILE: &str = "*** End of File";

/// Reads what stands after the first line.
pub(super) fn parse(lines: &[&str]) -> Result<Vec<FilePatch>, String> {
    let mut files = Vec::new();
    let mut at = 0;
    loop {
        let Some(line) = lines.get(at) else { return Err(format!("the patch breaks off: `{END}` is missing")) };
        at += 1;
        let line = line.trim_end();
        if line == END {
            return Ok(files);
        } else if let Some(path) = line.strip_prefix("*** Add File: ") {
            let mut text = String::new();
            while let Some(added) = lines.get(at).and_then(|line| line.strip_prefix('+')) {
                text.push_str(added);
                text.push('\n');
                at += 1;
            }
            files.push(FilePatch { path: path.trim().to_owned(), action: Action::Add(text) });
        } else if let Some(path) = line.strip_prefix("*** Delete File: ") {
            files.push(FilePatch { path: path.trim().to_owned(), action: Action::Delete(Vec::new()) });
        } else if let Some(path) = line.strip_prefix("*** Update File: ") {
            let moved = lines.get(at).and_then(|line| line.trim_end().strip_prefix("*** Move to: "));
            at += usize::from(moved.is_some());
            let (hunks, end) = hunks(lines, at)?;
            if hunks.is_empty() && moved.is_none() {
                return Err(format!("{}: the patch changes nothing in it", path.trim()));
            }
            at = end;
            let action = Action::Update { hunks, move_to: moved.map(|path| path.trim().to_owned()) };
            files.push(FilePatch { path: path.trim().to_owned(), action });
        } else if !line.is_empty() {
            return Err(format!(
                "`{line}` stands where `*** Add File:`, `*** Update File:`, `*** Delete File:` or `{END}` should"
            ));
        }
    }
}

fn hunks(lines: &[&str], mut at: usize) -> Result<(Vec<Hunk>, usize), String> {
    let mut hunks: Vec<Hunk> = Vec::new();
    let mut hunk = Hunk::default();
    while let Some(line) = lines.get(at) {
        let end = line.trim_end();
        if end == END_OF_FILE {
            hunk.at_end = true;
            at += 1;
            continue;
        }
        if end.starts_with("*** ") {
            break;
        }
        if let Some(anchor) = line.strip_prefix("@@") {
            if !hunk.lines.is_empty() {
                hunks.push(std::mem::take(&mut hunk));
            }
            let anchor = anchor.trim();
            // Some write the header of a unified diff here.
            let numbers = anchor.starts_with('-') && anchor.contains(" +");
            if !anchor.is_empty() && !numbers {
                hunk.anchors.push(anchor.to_owned());
            }
        } else {
            let text = line.get(1..).unwrap_or_default().to_owned();
            hunk.lines.push(match line.chars().next() {
                None => Line::Keep(String::new()),
                Some(' ') => Line::Keep(text),
                Some('-') => Line::Remove(text),
                Some('+') => Line::Insert(text),
                Some(_) => return Err(format!("`{line}`: a line of a hunk begins with a blank, `-` or `+`")),
            });
        }
        at += 1;
    }
    if !hunk.lines.is_empty() {
        hunks.push(hunk);
    }
    Ok((hunks, at))
}
