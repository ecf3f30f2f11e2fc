//! The dialect of `/responses`: models that are served nowhere else, and callers who speak it.
//!
//! A conversation is a list of items here: messages, calls, their results, reasoning. Nothing is left with the vendor
//! (`store: false`), so a model's reasoning travels with the conversation, sealed by the vendor. Its seal is the signature of
//! a thinking block, behind the item's id and a colon: the vendor opens it only under that id, and a seal without such an
//! id was made by somebody else and isn't replayed.
//!
//! What a vendor's own tools did comes out as [`crate::chat::Event::Other`], an item of this dialect. Calls of custom tools are
//! calls whose arguments are the text itself.

mod event;
mod exchange;
mod input;
mod reader;
mod request;

pub(super) use exchange::chat;
