//! Sockets and stations: from a connection to an endpoint and back.
//!
//! A [`listener`] lets connections in, as many as its [`guard`] allows, and hands each to a [`worker`]. There it becomes a
//! [`connection`], perhaps with [`tls`], whose requests pass the stations of the [`pipeline`].

mod activity;
mod authenticate;
mod capacity;
mod compress;
mod connection;
mod descriptors;
mod dress;
mod forwarded;
mod guard;
mod listener;
mod origin;
mod patience;
mod pipeline;
mod protocol;
mod proxy_protocol;
mod rescue;
mod rewind;
mod socket;
mod stream;
mod tls;
mod trace;
mod worker;

pub use listener::{Address, Doors, Listeners};
pub use pipeline::{Peer, Pipeline};
