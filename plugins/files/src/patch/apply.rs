//! Fitting hunks to a text.

use super::{Hunk, Line};

/// The most lines that are shown where a hunk doesn't fit.
const SHOWN: usize = 8;

/// The lines of a text; the last one may lack its line feed.
struct Lines<'a> {
    lines: Vec<&'a str>,
    open: bool,
}

/// How closely lines must agree.
#[derive(Clone, Copy)]
enum Fit {
    Exact,
    /// But for blanks at the end.
    Trailing,
    /// But for blanks at both ends.
    Around,
}

/// The text with all hunks applied, in order.
pub(crate) fn apply(text: &str, hunks: &[Hunk]) -> Result<String, String> {
    let old = Lines::of(text);
    let mut out: Vec<String> = Vec::with_capacity(old.lines.len());
    let mut open = old.open;
    // How far the old text is done, and by how much the patch's line numbers were off.
    let mut done = 0;
    let mut drift: isize = 0;
    for (number, hunk) in hunks.iter().enumerate() {
        let from = old.after_anchors(hunk, done)?;
        let wanted: Vec<&str> = hunk.lines.iter().filter_map(Line::old).collect();
        let expected = hunk.at.map(|at| at.saturating_sub(1).saturating_add_signed(drift));
        let at = old.find(&wanted, from, expected, hunk).ok_or_else(|| old.misfit(number + 1, &wanted, expected))?;
        if let Some(expected) = expected {
            drift = drift.saturating_add_unsigned(at).saturating_sub_unsigned(expected);
        }
        out.extend(old.lines.iter().take(at).skip(done).map(|line| (*line).to_owned()));
        done = at;
        for line in &hunk.lines {
            match line {
                // As it stands in the file, should blanks differ.
                Line::Keep(_) => {
                    out.extend(old.lines.get(done).map(|line| (*line).to_owned()));
                    done += 1;
                }
                Line::Remove(_) => done += 1,
                Line::Insert(text) => out.push(text.clone()),
            }
        }
        if done >= old.lines.len() {
            open = match hunk.lines.last() {
                _ if hunk.new_open => true,
                _ if hunk.old_open => false,
                // Lines behind a last line that lacked its line feed: it has one now, and they too.
                Some(Line::Insert(_)) => false,
                _ => old.open,
            };
        }
    }
    out.extend(old.lines.iter().skip(done).map(|line| (*line).to_owned()));
    let mut text = out.join("\n");
    if !out.is_empty() && !open {
        text.push('\n');
    }
    Ok(text)
}

impl Line {
    /// What stands in the old text.
    fn old(&self) -> Option<&str> {
        match self {
            Self::Keep(text) | Self::Remove(text) => Some(text),
            Self::Insert(_) => None,
        }
    }
}

impl<'a> Lines<'a> {
    fn of(text: &'a str) -> Self {
        if text.is_empty() {
            return Self { lines: Vec::new(), open: false };
        }
        let (body, open) = text.strip_suffix('\n').map_or((text, true), |body| (body, false));
        Self { lines: body.split('\n').collect(), open }
    }

    /// Behind the lines that a hunk says stand before it.
    fn after_anchors(&self, hunk: &Hunk, from: usize) -> Result<usize, String> {
        let mut at = from;
        for anchor in &hunk.anchors {
            let behind = |line: &&str| line.trim() == anchor.trim();
            let found = self.lines.iter().skip(at).position(behind).map(|offset| at + offset + 1);
            at = found.ok_or_else(|| format!("the line `@@ {anchor}` is not in the file behind line {at}"))?;
        }
        Ok(at)
    }

    /// Where a hunk's old lines stand at or behind `from`: nearest to where they are expected, exactly or else nearly.
    fn find(&self, wanted: &[&str], from: usize, expected: Option<usize>, hunk: &Hunk) -> Option<usize> {
        let total = self.lines.len();
        if wanted.is_empty() {
            // Nothing to hold on to: where the patch says, behind its anchor, or at the end.
            let anchored = (!hunk.anchors.is_empty() && !hunk.at_end).then_some(from);
            return Some(expected.or(anchored).unwrap_or(total).clamp(from, total.max(from)));
        }
        let last = total.checked_sub(wanted.len())?;
        let exact = |at: &usize| self.lines.iter().skip(*at).zip(wanted).all(|(line, wanted)| line == wanted);
        if let Some(at) = expected.filter(|at| !hunk.at_end && (from..=last).contains(at) && exact(at)) {
            return Some(at);
        }
        let candidates = || {
            let near = |at: &usize| expected.map_or(*at, |expected| at.abs_diff(expected));
            let mut candidates: Vec<usize> = if hunk.at_end { vec![last] } else { (from..=last).collect() };
            candidates.retain(|at| *at >= from);
            candidates.sort_by_key(near);
            candidates
        };
        let candidates = candidates();
        [Fit::Exact, Fit::Trailing, Fit::Around].into_iter().find_map(|fit| {
            candidates.iter().copied().find(|at| {
                let lines = self.lines.iter().skip(*at);
                lines.zip(wanted).all(|(line, wanted)| fit.same(line, wanted))
            })
        })
    }

    fn misfit(&self, number: usize, wanted: &[&str], expected: Option<usize>) -> String {
        let quote = |lines: &mut dyn Iterator<Item = &&str>| {
            lines.take(SHOWN).map(|line| format!("  {line}\n")).collect::<String>()
        };
        let mut message = format!("hunk {number} does not fit; it wants these lines:\n{}", quote(&mut wanted.iter()));
        // The line that agrees with the most of them, or the one that the patch names.
        let agreeing =
            |at: usize| self.lines.iter().skip(at).zip(wanted).filter(|(line, wanted)| line == wanted).count();
        let best =
            (0..self.lines.len()).max_by_key(|at| (agreeing(*at), usize::MAX - at)).filter(|at| agreeing(*at) > 0);
        match best.or(expected.filter(|at| *at < self.lines.len())) {
            Some(at) => {
                let stands = quote(&mut self.lines.iter().skip(at).take(wanted.len()));
                message.push_str(&format!("the file has, from line {}:\n{stands}", at + 1));
            }
            None => message.push_str("none of them is in the file; read it again"),
        }
        message
    }
}

impl Fit {
    fn same(self, line: &str, wanted: &str) -> bool {
        match self {
            Self::Exact => line == wanted,
            Self::Trailing => line.trim_end() == wanted.trim_end(),
            Self::Around => line.trim() == wanted.trim(),
        }
    }
}
