//! A page's title, text and links.

use mortise_sdk::tool::fetch::Url;
use schemars::JsonSchema;
use serde::Serialize;

use super::render::{Part, Renderer};
use super::tokens::{Token, tokens};

/// Below this a main part is none, in bytes, unless it is a third of all.
const LEAST: usize = 200;
const SHARE: usize = 3;

/// What a page says.
#[derive(Debug, Default)]
pub(crate) struct Read {
    pub(crate) title: Option<String>,
    pub(crate) description: Option<String>,
    pub(crate) text: String,
    pub(crate) links: Vec<Link>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub(crate) struct Link {
    pub(crate) text: String,
    pub(crate) url: String,
}

/// Reads a page. `marks`: as Markdown, else as bare text.
pub(crate) fn read(html: &str, base: &Url, marks: bool) -> Read {
    let tokens = tokens(html);
    let mut head = Head::of(&tokens);
    let base = head.base.take().and_then(|reference| base.join(&reference).ok()).unwrap_or_else(|| base.clone());
    let mains = count(&tokens, "main");
    let articles = count(&tokens, "article");
    let parts = [
        (mains > 0).then_some(Part::Within("main")),
        (articles == 1).then_some(Part::Within("article")),
        Some(Part::Body),
    ];
    let render = |part| Renderer::of(&tokens, part, &base, marks);
    let mut everything = None;
    // A few words are no main part, unless they are much of what there is.
    let best = parts.into_iter().flatten().map(render).find(|rendered| {
        let mut all = || everything.get_or_insert_with(|| render(Part::Everything)).writer.len();
        rendered.writer.len() >= LEAST || rendered.writer.len() * SHARE >= all()
    });
    let best = best.unwrap_or_else(|| render(Part::Everything));
    Read { title: head.title, description: head.description, text: best.writer.finish(), links: best.links }
}

fn count(tokens: &[Token<'_>], name: &str) -> usize {
    tokens.iter().filter(|token| matches!(token, Token::Open(tag) if tag.name == name)).count()
}

#[derive(Default)]
struct Head {
    title: Option<String>,
    description: Option<String>,
    base: Option<String>,
}

impl Head {
    fn of(tokens: &[Token<'_>]) -> Self {
        let mut head = Self::default();
        for (index, token) in tokens.iter().enumerate() {
            let Token::Open(tag) = token else { continue };
            match tag.name.as_str() {
                "title" if head.title.is_none() => {
                    if let Some(Token::Text(text)) = tokens.get(index + 1) {
                        head.title = Some(joined(text)).filter(|title| !title.is_empty());
                    }
                }
                "base" if head.base.is_none() => head.base = tag.get("href"),
                "meta" if head.description.is_none() => {
                    let name = tag.get("name").or_else(|| tag.get("property")).unwrap_or_default();
                    if ["description", "og:description"].contains(&name.to_ascii_lowercase().as_str()) {
                        head.description = tag.get("content").map(|text| joined(&text)).filter(|text| !text.is_empty());
                    }
                }
                _ => {}
            }
        }
        head
    }
}

/// With one blank between words.
pub(super) fn joined(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
