//! Sockets and stations: from a connection to an endpoint and back.
//!
//! [`transport`] turns what arrives at sockets into requests, and [`pipeline`] takes each of them through its stations.

mod pipeline;
mod transport;

pub use pipeline::{Peer, Pipeline};
pub use transport::{Address, Doors, Listeners};

use crate::config::Server;
use crate::model::Result;

/// Whether the edge can be built as `server` says, without opening it.
///
/// # Errors
/// Says which setting can't be followed.
pub fn check(server: &Server) -> Result<()> {
    pipeline::check(server)?;
    transport::check(server)
}
