//! Values: a version byte and the record as JSON, so that one may grow fields without a migration, and can be read by people.

use serde::Serialize;
use serde::de::{DeserializeOwned, IgnoredAny};
use serde_json::Value;

use super::engine::StoreError;

/// What can be stored.
pub trait Record: Serialize + DeserializeOwned {
    /// The version that is written. A new field with a default needs no new one.
    const VERSION: u8 = 1;

    /// An older record in the words of the next version.
    ///
    /// # Errors
    /// If there never was such a version.
    fn upgrade(version: u8, _old: Value) -> Result<Value, StoreError> {
        Err(StoreError::Corrupt(format!("a record of version {version}, which this program doesn't know")))
    }
}

/// As it is stored.
///
/// # Errors
/// If it can't be written as JSON, which is a mistake in the program.
pub fn encode<R: Record>(record: &R) -> Result<Vec<u8>, StoreError> {
    let mut bytes = vec![R::VERSION];
    serde_json::to_writer(&mut bytes, record).map_err(|error| StoreError::Unavailable(error.to_string()))?;
    Ok(bytes)
}

/// What was stored.
///
/// # Errors
/// If it isn't what [`encode`] writes, now or in an older version.
pub fn decode<R: Record>(bytes: &[u8]) -> Result<R, StoreError> {
    let damaged = |error: serde_json::Error| StoreError::Corrupt(format!("a record can't be read: {error}"));
    let Some((&version, json)) = bytes.split_first() else {
        return Err(StoreError::Corrupt("a record is empty".into()));
    };
    if version == R::VERSION {
        return serde_json::from_slice(json).map_err(damaged);
    }
    if version > R::VERSION {
        return R::upgrade(version, Value::Null).and_then(|value| serde_json::from_value(value).map_err(damaged));
    }
    let mut value = serde_json::from_slice(json).map_err(damaged)?;
    for version in version..R::VERSION {
        value = R::upgrade(version, value)?;
    }
    serde_json::from_value(value).map_err(damaged)
}

/// Whether `value` can be a record or a counter.
pub(super) fn is_sound(value: &[u8]) -> bool {
    let record = |json| serde_json::from_slice::<IgnoredAny>(json).is_ok();
    value.len() == size_of::<i64>() || value.split_first().is_some_and(|(version, json)| *version > 0 && record(json))
}
