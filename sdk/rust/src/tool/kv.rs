//! A plugin's own durable memory. Its keys are its own; its quota is the operator's.

use super::Error;
use crate::bindings::tool::mortise::plugin::kv as host;

#[cfg(target_family = "wasm")]
use host as imported;

#[cfg(not(target_family = "wasm"))]
use crate::testing::tool::kv as imported;

/// What is kept under a key.
pub fn get(key: &str) -> Result<Option<Vec<u8>>, Error> {
    imported::get(key).map_err(told)
}

/// Keeps a value under a key; when this returns it is durable.
pub fn set(key: &str, value: &[u8]) -> Result<(), Error> {
    imported::set(key, value).map_err(told)
}

/// Forgets a key. One that isn't there is no error.
pub fn delete(key: &str) -> Result<(), Error> {
    imported::delete(key).map_err(told)
}

/// Up to `limit` keys that begin with `prefix`, in order, after the key `after`.
pub fn keys(prefix: &str, after: Option<&str>, limit: u32) -> Result<Vec<String>, Error> {
    imported::keys(prefix, after, limit).map_err(told)
}

fn told(error: host::Error) -> Error {
    match error {
        host::Error::Quota => Error::unavailable("the plugin's memory is full; delete what is no longer needed"),
        host::Error::TooLarge => Error::invalid("the key or the value is too large to be kept"),
        host::Error::Unavailable => Error::unavailable("the plugin's memory can't be reached now"),
    }
}
