//! HTTP/1.1 and HTTP/2 as they are spoken here: what bounds heads, streams and memory.

use std::time::Duration;

use hyper::server::conn::{http1, http2};
use hyper_util::rt::TokioTimer;

use super::activity::Patience;
use super::stream::Streams;
use crate::config::Server;

/// How HTTP/2 begins.
pub(super) const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// Probes that tell whether an HTTP/2 caller is still there.
const PROBE: Duration = Duration::from_secs(20);

/// The smallest buffer that HTTP/1.1 can be read with.
const SMALLEST_BUFFER: usize = 8 << 10;

/// Headers for which there is room on the stack.
const USUAL_HEADERS: usize = 100;

/// What a caller may send ahead on one HTTP/2 stream, and on all of a connection.
const STREAM_WINDOW: u32 = 128 << 10;
const CONNECTION_WINDOW: u32 = 512 << 10;
/// What waits of one stream's answer for its caller.
const SEND_BUFFER: usize = 64 << 10;

/// Streams that a caller may reset before they were looked at, and streams that we may reset for its mistakes.
const RESETS_UNSEEN: usize = 20;
const RESETS_OF_OURS: usize = 100;

/// What bounds a connection.
#[derive(Clone, Copy, Debug)]
pub(super) struct Settings {
    /// How long TLS may take to agree, and the PROXY protocol.
    pub(super) handshake_within: Duration,
    /// How long it may be idle, and a head may take.
    pub(super) patience: Patience,
    /// How long a caller may take nothing of what is sent.
    pub(super) write_within: Duration,
    /// Headers of a request.
    pub(super) max_headers: usize,
}

/// Both versions.
pub(super) struct Http {
    pub(super) first: http1::Builder,
    pub(super) second: http2::Builder<Streams>,
    settings: Settings,
}

// === impl Settings ===

impl Settings {
    fn new(server: &Server) -> Self {
        let seconds = Duration::from_secs;
        Self {
            handshake_within: seconds(server.handshake_timeout_secs),
            patience: Patience { head: seconds(server.read_timeout_secs), idle: seconds(server.idle_timeout_secs) },
            write_within: seconds(server.write_timeout_secs),
            max_headers: server.max_headers,
        }
    }
}

// === impl Http ===

impl Http {
    pub(super) fn new(server: &Server) -> Self {
        let settings = Settings::new(server);
        let mut first = http1::Builder::new();
        // Time is kept by `Activity`: for hyper a connection without a request is one whose head is late.
        first
            .header_read_timeout(None)
            .max_buf_size(server.max_header_bytes.max(SMALLEST_BUFFER))
            .max_header_size(server.max_header_bytes);
        if server.max_headers != USUAL_HEADERS {
            first.max_headers(server.max_headers);
        }
        let mut second = http2::Builder::new(Streams { within: settings.write_within });
        second
            .timer(TokioTimer::new())
            .keep_alive_interval(PROBE)
            .keep_alive_timeout(settings.write_within.max(PROBE))
            // WebSockets on a stream, as RFC 8441 has it.
            .enable_connect_protocol()
            .max_concurrent_streams(server.max_concurrent_streams)
            .max_header_list_size(u32::try_from(server.max_header_bytes).unwrap_or(u32::MAX))
            .initial_stream_window_size(STREAM_WINDOW)
            .initial_connection_window_size(CONNECTION_WINDOW)
            .max_send_buf_size(SEND_BUFFER)
            .max_pending_accept_reset_streams(RESETS_UNSEEN)
            .max_local_error_reset_streams(RESETS_OF_OURS);
        Self { first, second, settings }
    }

    pub(super) fn settings(&self) -> &Settings {
        &self.settings
    }
}
