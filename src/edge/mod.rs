//! Sockets and stations: from a connection to an endpoint and back.

mod authenticate;
mod capacity;
mod compress;
mod dress;
mod forwarded;
mod listener;
mod origin;
mod patience;
mod pipeline;
mod rescue;
mod trace;
mod worker;

pub use listener::{Listener, Settings};
pub use pipeline::{Peer, Pipeline};
