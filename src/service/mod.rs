//! Use cases. Ids and timestamps are made here, nowhere lower.

pub mod answer;
mod call;
pub mod chat;
pub mod clock;
pub mod conversation;
pub mod provider;
pub mod route;
pub mod vendor;

pub use chat::{Chat, Turn};
pub use clock::Clock;
pub use route::{Choice, Chosen};
