//! Pages as text, without a browser.

mod page;
mod render;
mod tokens;
mod writer;

pub(crate) use page::{Link, Read, read};
#[cfg(test)]
pub(crate) use tokens::{Token, tokens};
