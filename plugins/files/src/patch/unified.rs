//! Unified diffs, as `diff -u` and git write them and as models write them: with counts that may be wrong.

use super::{Action, FilePatch, Hunk, Line};

/// What git says before a file's hunks.
#[derive(Default)]
struct Header {
    git: Option<(String, String)>,
    old: Option<String>,
    new: Option<String>,
    added: bool,
    deleted: bool,
    rename_from: Option<String>,
    rename_to: Option<String>,
    hunks: Vec<Hunk>,
}

pub(super) fn parse(lines: &[&str]) -> Result<Vec<FilePatch>, String> {
    let mut files = Vec::new();
    let mut open: Option<Header> = None;
    let mut at = 0;
    while let Some(line) = lines.get(at) {
        let next = lines.get(at + 1).copied().unwrap_or_default();
        if let Some(paths) = line.strip_prefix("diff --git ") {
            finish(open.replace(Header { git: git_paths(paths), ..Header::default() }), &mut files)?;
        } else if is_header(line, next) {
            let old = path(line.strip_prefix("--- ").unwrap_or_default());
            let new = path(next.strip_prefix("+++ ").unwrap_or_default());
            match &mut open {
                Some(header) if header.old.is_none() && header.hunks.is_empty() => {
                    (header.old, header.new) = (Some(old), Some(new));
                }
                _ => {
                    let header = Header { old: Some(old), new: Some(new), ..Header::default() };
                    finish(open.replace(header), &mut files)?;
                }
            }
            at += 1;
        } else if line.starts_with("@@") {
            let Some(header) = &mut open else { return Err(format!("line {}: a hunk before any file", at + 1)) };
            let (hunk, end) = hunk(lines, at)?;
            header.hunks.push(hunk);
            at = end;
            continue;
        } else if let Some(header) = &mut open {
            header.note(line, at)?;
        }
        at += 1;
    }
    finish(open, &mut files)?;
    Ok(files)
}

fn is_header(line: &str, next: &str) -> bool {
    line.starts_with("--- ") && next.starts_with("+++ ")
}

impl Header {
    /// One of git's own lines before the hunks.
    fn note(&mut self, line: &str, at: usize) -> Result<(), String> {
        if line.starts_with("new file mode") {
            self.added = true;
        } else if line.starts_with("deleted file mode") {
            self.deleted = true;
        } else if let Some(from) = line.strip_prefix("rename from ") {
            self.rename_from = Some(plain(from));
        } else if let Some(to) = line.strip_prefix("rename to ") {
            self.rename_to = Some(plain(to));
        } else if line.starts_with("GIT binary patch")
            || (line.starts_with("Binary files ") && line.ends_with(" differ"))
        {
            return Err(format!("line {}: a binary patch can't be applied", at + 1));
        } else if line.starts_with("copy from ") {
            return Err(format!("line {}: a copy can't be applied; add the new file instead", at + 1));
        }
        Ok(())
    }
}

fn finish(header: Option<Header>, files: &mut Vec<FilePatch>) -> Result<(), String> {
    let Some(header) = header else { return Ok(()) };
    let Header { git, old, new, added, deleted, rename_from, rename_to, hunks } = header;
    let (git_old, git_new) = git.unzip();
    let nothing = |path: &Option<String>| path.as_deref() == Some("/dev/null");
    let (added, deleted) = (added || nothing(&old), deleted || nothing(&new));
    let old = rename_from.clone().or(old.filter(|path| path != "/dev/null")).or(git_old);
    let new = rename_to.or(new.filter(|path| path != "/dev/null")).or(git_new);
    let (path, action) = match (old, new) {
        (_, Some(new)) if added => (new, Action::Add(added_text(&hunks)?)),
        (Some(old), _) if deleted => (old, Action::Delete(hunks)),
        (Some(old), Some(new)) => {
            let move_to = (old != new).then_some(new);
            if hunks.is_empty() && move_to.is_none() {
                // A change of mode alone, for instance: there is nothing to do here.
                return Ok(());
            }
            // Without git's words, different names are the old file's copy (`a.orig`) rather than a move.
            match move_to {
                Some(new) if rename_from.is_none() => (new, Action::Update { hunks, move_to: None }),
                move_to => (old, Action::Update { hunks, move_to }),
            }
        }
        _ => return Err("a file of the patch has no name".to_owned()),
    };
    files.push(FilePatch { path, action });
    Ok(())
}

/// The text of a new file.
fn added_text(hunks: &[Hunk]) -> Result<String, String> {
    let mut text = String::new();
    for line in hunks.iter().flat_map(|hunk| &hunk.lines) {
        let Line::Insert(line) = line else { return Err("a new file has lines that are not added (`+`)".to_owned()) };
        text.push_str(line);
        text.push('\n');
    }
    if hunks.last().is_some_and(|hunk| hunk.new_open) {
        text.pop();
    }
    Ok(text)
}

/// Reads the hunk whose header stands at `at`; answers with the place after it.
fn hunk(lines: &[&str], at: usize) -> Result<(Hunk, usize), String> {
    let header = lines.get(at).copied().unwrap_or_default();
    let (start, mut old_left, mut new_left) = ranges(header)
        .ok_or_else(|| format!("line {}: a hunk must begin like `@@ -1,3 +1,4 @@`, not with `{header}`", at + 1))?;
    let mut hunk = Hunk { at: start, ..Hunk::default() };
    let mut next = at + 1;
    let mut blanks = 0;
    while let Some(line) = lines.get(next) {
        let following = lines.get(next + 1).copied().unwrap_or_default();
        let counted = old_left > 0 || new_left > 0;
        let after = lines.get(next + 2).copied().unwrap_or_default();
        // Within its counts a removed `-- x` looks like a header; a header is followed by a hunk.
        if is_header(line, following) && (!counted || after.starts_with("@@")) {
            break;
        }
        let (kind, text) = match line.chars().next() {
            Some('\\') => {
                hunk.open_end();
                next += 1;
                continue;
            }
            Some(kind @ (' ' | '-' | '+')) => (kind, line.get(1..).unwrap_or_default()),
            // An empty line whose blank has been lost on the way.
            None if counted => (' ', ""),
            Some('\t') if counted => (' ', *line),
            _ => break,
        };
        let text = text.to_owned();
        blanks = if line.is_empty() { blanks + 1 } else { 0 };
        match kind {
            '-' => old_left = old_left.saturating_sub(1),
            '+' => new_left = new_left.saturating_sub(1),
            _ => (old_left, new_left) = (old_left.saturating_sub(1), new_left.saturating_sub(1)),
        }
        hunk.lines.push(match kind {
            '-' => Line::Remove(text),
            '+' => Line::Insert(text),
            _ => Line::Keep(text),
        });
        next += 1;
    }
    if old_left > 0 || new_left > 0 {
        // Its counts are wrong, so empty lines at its end belong to nobody.
        hunk.lines.truncate(hunk.lines.len() - blanks);
    }
    if hunk.lines.is_empty() {
        return Err(format!("line {}: the hunk is empty", at + 1));
    }
    Ok((hunk, next))
}

impl Hunk {
    /// `\ No newline at end of file`, about the line before.
    fn open_end(&mut self) {
        match self.lines.last() {
            Some(Line::Remove(_)) => self.old_open = true,
            Some(Line::Insert(_)) => self.new_open = true,
            Some(Line::Keep(_)) => (self.old_open, self.new_open) = (true, true),
            None => {}
        }
    }
}

/// The first old line and both counts. A header without numbers, as models write it, tells nothing.
fn ranges(header: &str) -> Option<(Option<usize>, usize, usize)> {
    let inner = header.strip_prefix("@@")?;
    let Some((inner, _)) = inner.split_once("@@") else {
        return inner.trim().is_empty().then_some((None, usize::MAX, usize::MAX));
    };
    if inner.trim().is_empty() || inner.contains("...") {
        return Some((None, usize::MAX, usize::MAX));
    }
    let mut parts = inner.split_whitespace();
    let range = |part: &str, sign: char| -> Option<(usize, usize)> {
        let (start, count) = part.strip_prefix(sign)?.split_once(',').unwrap_or((part.strip_prefix(sign)?, "1"));
        Some((start.parse().ok()?, count.parse().ok()?))
    };
    let (start, old) = range(parts.next()?, '-')?;
    let (_, new) = range(parts.next()?, '+')?;
    // `-5,0` stands for the gap after line 5.
    Some((Some(if old == 0 { start.saturating_add(1) } else { start }), old, new))
}

/// The path of a `---` or `+++` line: without a time after a tab, without `a/` and `b/`.
fn path(text: &str) -> String {
    let text = plain(text.split('\t').next().unwrap_or_default().trim_end());
    match text.strip_prefix("a/").or_else(|| text.strip_prefix("b/")) {
        Some(rest) => rest.to_owned(),
        None => text,
    }
}

/// Git writes `"a\303\244"` for names that it takes for unusual.
fn plain(text: &str) -> String {
    let Some(inner) = text.strip_prefix('"').and_then(|text| text.strip_suffix('"')) else { return text.to_owned() };
    let mut bytes = Vec::new();
    let mut rest = inner.bytes().peekable();
    while let Some(byte) = rest.next() {
        if byte != b'\\' {
            bytes.push(byte);
            continue;
        }
        match rest.next() {
            Some(digit @ b'0'..=b'3') => {
                let mut value = digit - b'0';
                for _ in 0..2 {
                    let Some(digit) = rest.next_if(|digit| (b'0'..=b'7').contains(digit)) else { break };
                    value = value.wrapping_mul(8).wrapping_add(digit - b'0');
                }
                bytes.push(value);
            }
            Some(b'n') => bytes.push(b'\n'),
            Some(b't') => bytes.push(b'\t'),
            Some(other) => bytes.push(other),
            None => {}
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Both paths of `diff --git a/x b/x`. With blanks in them only equal ones can be told apart.
fn git_paths(text: &str) -> Option<(String, String)> {
    if let Some((old, new)) = text.split_once(' ')
        && !new.contains(' ')
    {
        return Some((path(old), path(new)));
    }
    let middle = text.len() / 2;
    let (old, new) = (text.get(..middle)?, text.get(middle + 1..)?);
    let (old, new) = (path(old), path(new));
    (old == new).then_some((old, new))
}
