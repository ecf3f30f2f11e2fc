//! The web, as far as the operator allows it: pages as text that a model can read, and any other request.
//!
//! A page is read without a browser: no script runs, nothing else is loaded. Of its parts, the main one is taken (`main`, else a
//! single `article`, else all but navigation, headers and footers), and written as Markdown.
//!
//! What comes from there is another's word, not the caller's: a page may try to tell a model what to do. The tools say
//! where it is from, and are marked as reaching the open world.

mod charset;
mod fetch;
mod html;
mod request;
#[cfg(test)]
mod tests;
mod toolbox;

mortise_sdk::tools!(toolbox::Web);
