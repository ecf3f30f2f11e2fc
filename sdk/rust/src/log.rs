//! The host's log, where the operator reads what a plugin has to say.
//!
//! Never write a caller's words or a vendor's answer there. Outside a component the lines go nowhere.

pub use crate::bindings::mortise::plugin::log::Level;

/// Writes one line.
pub fn write(level: Level, message: &str) {
    #[cfg(target_family = "wasm")]
    crate::bindings::mortise::plugin::log::write(level, message);
    #[cfg(not(target_family = "wasm"))]
    let _ = (level, message);
}

/// For whoever looks into a plugin's inner workings.
pub fn debug(message: &str) {
    write(Level::Debug, message);
}

/// What an operator may want to know.
pub fn info(message: &str) {
    write(Level::Info, message);
}

/// What an operator should look at.
pub fn warn(message: &str) {
    write(Level::Warn, message);
}

/// What an operator must mend.
pub fn error(message: &str) {
    write(Level::Error, message);
}
