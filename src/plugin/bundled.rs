//! The plugins that are part of the binary.

/// One of them, as `build.rs` built it.
#[derive(Debug)]
pub struct Bundled {
    /// The plugin's id.
    pub id: &'static str,
    /// Its component.
    pub component: &'static [u8],
    /// The component's SHA-256, in hexadecimal: a start needn't read all of it.
    pub digest: &'static str,
}

/// All of them.
pub const BUNDLED: &[Bundled] = include!(concat!(env!("OUT_DIR"), "/bundled.rs"));
