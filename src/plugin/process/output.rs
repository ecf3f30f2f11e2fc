//! What a program prints: its beginning is kept, the rest is read and let go, up to a point.

use tokio::io::{AsyncRead, AsyncReadExt};

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Kept {
    pub(super) bytes: Vec<u8>,
    /// Whether there was more.
    pub(super) truncated: bool,
    /// Whether there was so much more that nobody waited for its end.
    pub(super) endless: bool,
}

/// Reads `stream` to its end and keeps `most` bytes; beyond `endless` of them, calls `stop` and reads on no more.
pub(super) async fn keep(stream: Option<impl AsyncRead + Unpin>, most: usize, endless: usize, stop: impl Fn()) -> Kept {
    let mut kept = Kept::default();
    let Some(mut stream) = stream else { return kept };
    let mut buffer = vec![0; 16 << 10];
    let mut total = 0_usize;
    while let Ok(length @ 1..) = stream.read(&mut buffer).await {
        total = total.saturating_add(length);
        let room = most.saturating_sub(kept.bytes.len());
        kept.bytes.extend(buffer.iter().take(length.min(room)));
        kept.truncated |= length > room;
        if total > endless {
            kept.endless = true;
            stop();
            break;
        }
    }
    kept
}
