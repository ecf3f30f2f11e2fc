//! Sockets and stations: from a connection to an endpoint and back.
//!
//! [`transport`] turns what arrives at sockets into requests, and [`pipeline`] takes each of them through its stations.

mod pipeline;
mod transport;

pub use pipeline::{Peer, Pipeline};
pub use transport::{Address, Doors, Listeners};
