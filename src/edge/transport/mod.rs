//! From a socket to a request.
//!
//! A [`listener`] lets connections in, as many as its [`guard`] allows, and hands each to a [`worker`]. There it becomes a
//! [`connection`], perhaps with [`tls`], whose requests pass the stations of the pipeline; it gets its [`fair`] share of the worker.

mod activity;
mod connection;
mod descriptors;
mod fair;
mod guard;
mod listener;
mod patience;
mod protocol;
mod proxy_protocol;
mod rewind;
mod socket;
mod stream;
mod tls;
mod worker;

pub use listener::{Address, Doors, Listeners};

use self::tls::Tls;
use crate::config::Server;
use crate::model::{Error, Result};

/// Whether certificates can be read, where there have to be some.
///
/// # Errors
/// Says which file is at fault.
pub(in crate::edge) fn check(server: &Server) -> Result<()> {
    certificates(server).map(drop)
}

/// What TLS needs, where a listener speaks it.
fn certificates(server: &Server) -> Result<Option<Tls>> {
    let secure = server.listeners().iter().any(|listen| server.speaks_tls(listen));
    if !secure && server.ssl.cert.is_some() {
        tracing::warn!(
            "server.ssl.cert has no effect, and nothing is encrypted: no listener speaks TLS; set server.ssl.enabled"
        );
    }
    secure.then(|| Tls::load(&server.ssl)).transpose().map_err(Error::internal)
}
