//! What one call of a tool may send and receive.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use super::Refusal;

/// See the module. The requests of one call share it.
#[derive(Debug)]
pub struct Budget {
    requests: AtomicU32,
    download: AtomicU64,
    upload: usize,
}

// === impl Budget ===

impl Budget {
    /// So many requests, so many bytes of responses together, so many bytes of one request.
    pub fn new(requests: u32, download: u64, upload: usize) -> Self {
        Self { requests: AtomicU32::new(requests), download: AtomicU64::new(download), upload }
    }

    /// Another request.
    pub(super) fn request(&self) -> Result<(), Refusal> {
        let taken = self.requests.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1));
        let refused =
            || Refusal::Limit("it sent more requests than one call may; raise plugins.limits.requests".into());
        taken.map(drop).map_err(|_| refused())
    }

    /// So much more of a response.
    pub(super) fn download(&self, bytes: u64) -> Result<(), Refusal> {
        let taken = self.download.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(bytes));
        let refused = || Refusal::Limit("it received more than one call may; raise plugins.limits.download".into());
        taken.map(drop).map_err(|_| refused())
    }

    /// Bytes of one request.
    pub(super) fn upload(&self) -> usize {
        self.upload
    }
}
