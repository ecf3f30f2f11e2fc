//! Sockets and stations: from a connection to an endpoint and back.

mod listener;
mod patience;
mod pipeline;
mod rescue;
mod trace;
mod worker;

pub use listener::{Listener, Settings};
pub use pipeline::{Peer, Pipeline};
