//! From tags to lines.

use mortise_sdk::tool::fetch::Url;

use super::page::{Link, joined};
use super::tokens::{Tag, Token};
use super::writer::Writer;

/// The most links that are kept.
const LINKS: usize = 200;
/// The most text that is made of a page, in bytes.
const MOST: usize = 2 << 20;
/// How deep lists and quotes may be nested.
const DEEPEST: usize = 16;
/// Never shown.
const DROPPED: [&str; 17] = [
    "script", "style", "noscript", "template", "iframe", "svg", "head", "object", "embed", "canvas", "select",
    "textarea", "video", "audio", "map", "dialog", "noembed",
];
/// Not the page's own matter.
const AROUND: [&str; 6] = ["nav", "header", "footer", "aside", "form", "menu"];
/// Elements that have no end.
const VOID: [&str; 12] = ["area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "wbr"];
const BLOCKS: [&str; 18] = [
    "p",
    "div",
    "section",
    "article",
    "main",
    "header",
    "footer",
    "aside",
    "nav",
    "figure",
    "figcaption",
    "address",
    "form",
    "fieldset",
    "details",
    "summary",
    "dl",
    "table",
];

/// Which part of a page is shown.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Part<'a> {
    /// What stands in the first element of this name.
    Within(&'a str),
    /// All but what stands around.
    Body,
    Everything,
}

struct List {
    /// Of the next item, where it counts.
    number: Option<u32>,
    /// Whether it has an item.
    begun: bool,
}

#[derive(Default)]
pub(super) struct Renderer {
    pub(super) writer: Writer,
    marks: bool,
    pub(super) links: Vec<Link>,
    /// The link that is open: where it leads and where it began.
    link: Option<(String, usize)>,
    /// Lists that are open.
    lists: Vec<List>,
    /// Items and quotes that are open, by the element's name.
    indented: Vec<&'static str>,
    /// Within `pre`, what has come so far.
    pre: Option<String>,
    /// The table's row that is open: its cells so far; whether the table had a row before.
    cells: usize,
    rows: usize,
}

impl Renderer {
    /// A part of a page, written.
    pub(super) fn of(tokens: &[Token<'_>], part: Part<'_>, base: &Url, marks: bool) -> Self {
        let mut renderer = Self { marks, ..Self::default() };
        renderer.render(tokens, part, base);
        renderer
    }

    fn render(&mut self, tokens: &[Token<'_>], part: Part<'_>, base: &Url) {
        let mut inside = if matches!(part, Part::Within(_)) { 0usize } else { 1 };
        // What is left out, and how deep in it.
        let mut dropped: Option<(&str, usize)> = None;
        for token in tokens {
            if self.writer.len() > MOST {
                break;
            }
            if let Part::Within(name) = part {
                match token {
                    Token::Open(tag) if tag.name == name => inside += 1,
                    Token::Close(close) if close == name && inside > 0 => {
                        inside -= 1;
                        if inside == 0 {
                            break;
                        }
                    }
                    _ => {}
                }
            }
            if inside == 0 {
                continue;
            }
            if let Some((name, depth)) = &mut dropped {
                match token {
                    Token::Open(tag) if tag.name == *name => *depth += 1,
                    Token::Close(close) if close == name => {
                        *depth -= 1;
                        if *depth == 0 {
                            dropped = None;
                        }
                    }
                    // A head that is never closed ends where the body begins.
                    Token::Open(tag) if *name == "head" && tag.name == "body" => dropped = None,
                    _ => {}
                }
                continue;
            }
            match token {
                Token::Text(text) => self.text(text),
                Token::Open(tag) if leaves_out(tag, part) => dropped = Some((&tag.name, 1)),
                Token::Open(tag) => self.open(tag, base),
                Token::Close(name) => self.close(name),
            }
        }
        self.end_link();
        self.end_pre();
        self.writer.block();
    }

    fn text(&mut self, text: &str) {
        match &mut self.pre {
            Some(pre) => pre.push_str(text),
            None => self.writer.text(text),
        }
    }

    fn open(&mut self, tag: &Tag<'_>, base: &Url) {
        match tag.name.as_str() {
            "br" => match &mut self.pre {
                Some(pre) => pre.push('\n'),
                None => self.writer.line(),
            },
            "hr" => {
                self.writer.block();
                self.mark("---");
                self.writer.block();
            }
            "h1" | "h2" | "h3" | "h4" | "h5" | "h6" => {
                self.writer.block();
                let level = tag.name.get(1..).and_then(|level| level.parse().ok()).unwrap_or(1);
                self.mark(&format!("{} ", "#".repeat(level)));
                self.writer.hold();
            }
            "pre" => {
                self.writer.block();
                self.pre.get_or_insert_default();
            }
            "code" | "kbd" | "samp" if self.pre.is_none() => self.mark("`"),
            "strong" | "b" => self.mark("**"),
            "em" | "i" => self.mark("*"),
            "ul" | "ol" => {
                if self.lists.is_empty() {
                    self.writer.block()
                } else {
                    self.writer.line()
                }
                let start = tag.get("start").and_then(|start| start.parse().ok()).unwrap_or(1);
                self.lists.push(List { number: (tag.name == "ol").then_some(start), begun: false });
            }
            "li" => self.item(),
            "dt" | "dd" => self.writer.line(),
            "blockquote" => {
                self.writer.block();
                let mark = if self.marks { "> " } else { "" };
                self.indent("blockquote", mark.to_owned(), mark, false);
            }
            "a" => self.begin_link(tag, base),
            "img" => {
                let alt = tag.get("alt").map(|alt| joined(&alt)).filter(|alt| !alt.is_empty());
                if let Some(alt) = alt {
                    self.writer.text(&format!("[image: {alt}]"));
                }
            }
            "tr" => {
                self.writer.line();
                self.cells = 0;
                self.mark("| ");
                self.writer.hold();
            }
            "td" | "th" => {
                if self.cells > 0 {
                    self.writer.close(if self.marks { " | " } else { "\t" });
                }
                self.cells += 1;
            }
            "table" => {
                self.rows = 0;
                self.writer.block();
            }
            name if BLOCKS.contains(&name) => self.writer.block(),
            _ => {}
        }
    }

    fn close(&mut self, name: &str) {
        match name {
            "h1" | "h2" | "h3" | "h4" | "h5" | "h6" => {
                self.writer.release();
                self.writer.block();
            }
            "pre" => self.end_pre(),
            "code" | "kbd" | "samp" if self.pre.is_none() => self.end_mark("`"),
            "strong" | "b" => self.end_mark("**"),
            "em" | "i" => self.end_mark("*"),
            "ul" | "ol" => {
                self.dedent("li");
                self.lists.pop();
                if self.lists.is_empty() { self.writer.block() } else { self.writer.line() }
            }
            "li" => self.dedent("li"),
            "blockquote" => {
                self.writer.block();
                self.dedent("blockquote");
            }
            "a" => self.end_link(),
            "tr" => {
                self.writer.release();
                self.end_mark(" |");
                self.writer.line();
                self.rows += 1;
                if self.rows == 1 && self.cells > 0 && self.marks {
                    self.writer.mark(&format!("|{}", " --- |".repeat(self.cells.min(100))));
                    self.writer.line();
                }
            }
            name if BLOCKS.contains(&name) => self.writer.block(),
            _ => {}
        }
    }

    fn mark(&mut self, mark: &str) {
        if self.marks && self.pre.is_none() {
            self.writer.mark(mark);
        }
    }

    fn end_mark(&mut self, mark: &str) {
        if self.marks && self.pre.is_none() {
            self.writer.close(mark);
        }
    }

    fn item(&mut self) {
        // An item ends where the next one begins.
        if self.indented.last() == Some(&"li")
            && self.indented.iter().filter(|name| **name == "li").count() >= self.lists.len()
        {
            self.dedent("li");
        }
        self.writer.line();
        let (mut first, mut tight) = ("- ".to_owned(), true);
        if let Some(list) = self.lists.last_mut() {
            tight = std::mem::replace(&mut list.begun, true);
            if let Some(number) = &mut list.number {
                first = format!("{number}. ");
                *number = number.saturating_add(1);
            }
        }
        let then = " ".repeat(first.len());
        self.indent("li", first, &then, tight);
    }

    fn indent(&mut self, name: &'static str, first: String, then: &str, tight: bool) {
        if self.writer.depth() < DEEPEST {
            self.writer.indent(first, then, tight);
            self.indented.push(name);
        }
    }

    fn dedent(&mut self, name: &str) {
        self.writer.line();
        if self.indented.last() == Some(&name) {
            self.indented.pop();
            self.writer.dedent();
        }
    }

    fn begin_link(&mut self, tag: &Tag<'_>, base: &Url) {
        self.end_link();
        let Some(href) = tag.get("href").filter(|href| !href.trim_start().starts_with('#')) else { return };
        let Ok(url) = base.join(&href) else { return };
        self.writer.hold();
        self.mark("[");
        // The mark itself is written by now, with any blank before it.
        let from = self.writer.len().saturating_sub(usize::from(self.marks && self.pre.is_none()));
        self.link = Some((url.to_string(), from));
    }

    fn end_link(&mut self) {
        let Some((url, from)) = self.link.take() else { return };
        self.writer.release();
        let marks = self.marks && self.pre.is_none();
        if marks && self.writer.retract("[", from) {
            return;
        }
        let text = self.writer.since(from + usize::from(marks));
        let text = joined(&text);
        if !text.is_empty() && self.links.len() < LINKS && !self.links.iter().any(|link| link.url == url) {
            self.links.push(Link { text, url: url.clone() });
        }
        if marks {
            self.writer.close(&format!("]({url})"));
        }
    }

    fn end_pre(&mut self) {
        let Some(pre) = self.pre.take() else { return };
        if pre.trim().is_empty() {
            return;
        }
        let fence = if pre.contains("```") { "~~~~" } else { "```" };
        self.writer.block();
        self.mark(fence);
        self.writer.verbatim(&pre);
        self.writer.line();
        self.mark(fence);
        self.writer.block();
    }
}

fn leaves_out(tag: &Tag<'_>, part: Part<'_>) -> bool {
    let name = tag.name.as_str();
    if VOID.contains(&name) {
        return false;
    }
    let hidden = tag.get("hidden").is_some() || tag.get("aria-hidden").is_some_and(|hidden| hidden == "true");
    let around = match part {
        Part::Everything => false,
        // A header within the main part is its own.
        Part::Within(_) => ["nav", "aside", "form", "menu"].contains(&name),
        Part::Body => AROUND.contains(&name),
    };
    DROPPED.contains(&name) || hidden || around
}
