//! The plugins that are part of the binary.

/// File name and component, as `build.rs` built them.
pub const BUNDLED: &[(&str, &[u8])] = include!(concat!(env!("OUT_DIR"), "/bundled.rs"));
