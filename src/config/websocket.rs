//! `server.websocket`: what bounds WebSockets.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::units::{byte_size, duration};

/// `server.websocket`.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct WebSocket {
    /// How many there may be at once; they take none of the room for requests.
    pub max_connections: usize,
    /// The longest message of a caller.
    #[serde(with = "byte_size")]
    pub max_message_bytes: usize,
    /// Silence after which a caller is asked whether it is still there.
    #[serde(with = "duration")]
    pub ping_interval: Duration,
    /// How long it may take to answer.
    #[serde(with = "duration")]
    pub ping_timeout: Duration,
}

impl Default for WebSocket {
    fn default() -> Self {
        Self {
            max_connections: 1000,
            max_message_bytes: 256 << 10,
            ping_interval: Duration::from_secs(20),
            ping_timeout: Duration::from_secs(20),
        }
    }
}
