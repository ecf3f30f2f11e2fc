//! Use cases. Ids and timestamps are made here, nowhere lower.

pub mod access;
pub mod answer;
mod attempt;
mod bill;
pub mod cache;
mod call;
pub mod catalog;
pub mod chance;
pub mod chat;
pub mod clock;
pub mod conversation;
pub mod count;
pub mod limit;
pub mod meter;
pub mod provider;
pub mod readiness;
mod recording;
pub mod route;
pub mod run;
pub mod served;
pub mod session;
pub mod template;
pub mod tool;
mod turn;
pub mod vendor;

pub use cache::Wish;
pub use chat::Chat;
pub use clock::Clock;
pub use readiness::Readiness;
pub use route::{Choice, Chosen};
pub use served::Served;
pub use tool::Toolbox;
pub use turn::Turn;
