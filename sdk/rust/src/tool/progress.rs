//! How far a long call has come; shown to whoever watches the run.

/// Reports, with the part that is done (0 to 1) where it is known.
pub fn report(fraction: Option<f32>, message: &str) {
    #[cfg(target_family = "wasm")]
    crate::bindings::tool::mortise::plugin::progress::report(fraction, message);
    #[cfg(not(target_family = "wasm"))]
    crate::testing::tool::report(fraction, message);
}
