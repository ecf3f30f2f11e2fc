//! Markdown, written line by line: blanks collapse, blocks are apart by one empty line.

/// Writes text with as few blanks as it needs.
#[derive(Debug, Default)]
pub(crate) struct Writer {
    out: String,
    /// What each line begins with: of quotes and items of lists.
    prefixes: Vec<Prefix>,
    /// Whether the current line has text.
    open: bool,
    /// Whether an empty line is due before the next text, and a blank.
    gap: bool,
    blank: bool,
    /// Where the last mark ended that stands close to what follows.
    marked: usize,
    /// Depth of what stays on one line: links and cells of tables.
    inline: usize,
}

#[derive(Debug)]
struct Prefix {
    /// On its first line only.
    first: Option<String>,
    then: String,
}

impl Writer {
    pub(crate) fn len(&self) -> usize {
        self.out.len()
    }

    /// What has been written from there on.
    pub(crate) fn since(&self, from: usize) -> String {
        self.out.get(from..).unwrap_or_default().to_owned()
    }

    pub(crate) fn finish(self) -> String {
        self.out.trim_end().to_owned()
    }

    /// Text whose blanks mean nothing.
    pub(crate) fn text(&mut self, text: &str) {
        for character in text.chars() {
            if character.is_whitespace() || character == '\u{200b}' {
                self.blank = true;
            } else if !character.is_control() {
                self.begin();
                self.out.push(character);
            }
        }
    }

    /// Marks that stand close to what follows.
    pub(crate) fn mark(&mut self, mark: &str) {
        self.begin();
        self.out.push_str(mark);
        self.marked = self.out.len();
    }

    /// Marks that stand close to what came before.
    pub(crate) fn close(&mut self, mark: &str) {
        let blank = std::mem::take(&mut self.blank);
        self.begin();
        self.out.push_str(mark);
        self.blank = blank;
    }

    /// Takes back what has been written since, if it was only this mark.
    pub(crate) fn retract(&mut self, mark: &str, from: usize) -> bool {
        let empty = self.out.get(from..).is_some_and(|since| since.trim() == mark.trim());
        if empty {
            self.out.truncate(from);
        }
        empty
    }

    /// Text whose blanks mean something.
    pub(crate) fn verbatim(&mut self, text: &str) {
        for line in text.trim_matches('\n').split('\n') {
            self.line();
            self.begin();
            self.out.push_str(line.trim_end_matches('\r'));
            self.open = true;
        }
    }

    /// Ends the line, if there is something on it.
    pub(crate) fn line(&mut self) {
        if self.inline > 0 {
            self.blank |= self.marked != self.out.len();
        } else if self.open {
            self.out.push('\n');
            self.open = false;
            self.blank = false;
        }
    }

    /// Ends the paragraph.
    pub(crate) fn block(&mut self) {
        self.line();
        // What has just begun needs no empty line before its own text.
        let begun = self.prefixes.last().is_some_and(|prefix| prefix.first.is_some());
        self.gap |= self.inline == 0 && !self.out.is_empty() && !begun;
    }

    /// From here on everything stays on one line.
    pub(crate) fn hold(&mut self) {
        self.inline += 1;
    }

    pub(crate) fn release(&mut self) {
        self.inline = self.inline.saturating_sub(1);
    }

    /// From here on lines begin so; what is tight stands close to what came before.
    pub(crate) fn indent(&mut self, first: String, then: &str, tight: bool) {
        self.gap &= !tight;
        self.prefixes.push(Prefix { first: Some(first), then: then.to_owned() });
    }

    pub(crate) fn dedent(&mut self) {
        self.prefixes.pop();
    }

    pub(crate) fn depth(&self) -> usize {
        self.prefixes.len()
    }

    /// Before something is written.
    fn begin(&mut self) {
        if self.open {
            if self.blank && !self.out.ends_with([' ', '\t']) {
                self.out.push(' ');
            }
        } else {
            if self.gap {
                let start = self.out.len();
                for prefix in self.prefixes.iter().filter(|prefix| prefix.first.is_none()) {
                    self.out.push_str(&prefix.then);
                }
                let end = self.out.get(start..).map_or(0, |line| line.trim_end().len());
                self.out.truncate(start + end);
                self.out.push('\n');
            }
            for prefix in &mut self.prefixes {
                self.out.push_str(&prefix.first.take().unwrap_or_else(|| prefix.then.clone()));
            }
            self.open = true;
            self.gap = false;
        }
        self.blank = false;
    }
}
