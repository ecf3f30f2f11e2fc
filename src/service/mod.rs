//! Use cases. Ids and timestamps are made here, nowhere lower.

pub mod answer;
mod bill;
mod call;
pub mod catalog;
pub mod chat;
pub mod clock;
pub mod conversation;
pub mod count;
pub mod limit;
pub mod provider;
pub mod readiness;
pub mod route;
pub mod vendor;

pub use chat::{Chat, Turn};
pub use clock::Clock;
pub use readiness::Readiness;
pub use route::{Choice, Chosen};
