//! A plugin's manifest: read from the component's custom section, without running the guest.

use crate::model::{Error, Fault, Kind, Result};

pub use mortise_build::{Kind as PluginKind, Manifest};

/// The version of the contract that this host speaks, `major.minor`; a plugin of the same is accepted.
pub const API: &str = "0.1";

/// Reads the manifest of the component in `bytes` and checks that this host speaks its version of the contract.
///
/// # Errors
/// Says what is wrong with the file and what to do.
pub fn read(bytes: &[u8]) -> Result<Manifest> {
    let manifest = Manifest::from_component(bytes).map_err(|error| refused(error.to_string()))?;
    if manifest.api != API && !manifest.api.starts_with(&format!("{API}.")) {
        return Err(refused(format!(
            "plugin `{}` was built for mortise:plugin@{}, this server speaks {API}; rebuild it with the server's SDK",
            manifest.id, manifest.api
        )));
    }
    Ok(manifest)
}

/// A plugin that can't be loaded.
pub(crate) fn refused(message: impl Into<String>) -> Error {
    Error::new(Kind::Plugin, Fault::Plugin, message)
}
