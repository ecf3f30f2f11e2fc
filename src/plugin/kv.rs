//! What a plugin remembers: keys of its own in the store, within a quota that holds whoever else writes.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

use crate::model::Error;
use crate::store::spaces::{PLUGIN_MEMORY, PLUGIN_MEMORY_USED};
use crate::store::{Change, Committed, Key, Record, Store};

/// The memory of one plugin. Cheap to clone.
#[derive(Clone)]
pub struct Memory {
    store: Store,
    plugin: std::sync::Arc<str>,
    /// Bytes of keys and values together.
    quota: u64,
}

/// Why something isn't remembered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// There is no room.
    Quota,
    /// The key or the value is too long by itself.
    TooLarge,
    /// The store can't be reached.
    Unavailable,
}

/// What is remembered under one key.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Value {
    key: String,
    /// In base64.
    value: String,
}

/// How much a plugin remembers.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
struct Used {
    bytes: u64,
}

impl Record for Value {}
impl Record for Used {}

/// The longest key.
const LONGEST_KEY: usize = 512;
/// The longest value.
const LONGEST_VALUE: usize = 256 << 10;
/// What a key costs beside its bytes.
const OVERHEAD: u64 = 64;
/// Keys that one question is answered with.
const MOST_KEYS: u32 = 1000;
/// How often a change is tried that others get in the way of.
const ATTEMPTS: u32 = 16;

// === impl Memory ===

impl Memory {
    /// The memory of `plugin` in `store`.
    pub fn new(store: Store, plugin: &str, quota: usize) -> Self {
        Self { store, plugin: plugin.into(), quota: quota as u64 }
    }

    fn all(&self) -> Key {
        PLUGIN_MEMORY.key().text(&self.plugin)
    }

    fn key(&self, key: &str) -> Result<Key, Refusal> {
        if key.is_empty() || key.len() > LONGEST_KEY { Err(Refusal::TooLarge) } else { Ok(self.all().text(key)) }
    }

    /// What is remembered under `key`.
    ///
    /// # Errors
    /// If the key is too long, or the store can't be read.
    pub async fn get(&self, key: &str) -> Result<Option<Vec<u8>>, Refusal> {
        let value: Option<Value> = self.store.get(self.key(key)?).await.map_err(unavailable)?;
        value.map(|value| STANDARD.decode(value.value).map_err(|_| Refusal::Unavailable)).transpose()
    }

    /// Remembers `value` under `key`, or forgets it.
    ///
    /// # Errors
    /// If there is no room for it.
    pub async fn set(&self, key: &str, value: Option<&[u8]>) -> Result<(), Refusal> {
        if value.is_some_and(|value| value.len() > LONGEST_VALUE) {
            return Err(Refusal::TooLarge);
        }
        let place = self.key(key)?;
        let used_place = PLUGIN_MEMORY_USED.key().text(&self.plugin);
        for _ in 0..ATTEMPTS {
            let old = self.store.read::<Value>(place.clone()).await.map_err(unavailable)?;
            let used = self.store.read::<Used>(used_place.clone()).await.map_err(unavailable)?;
            let weight = |length: usize| length as u64 + key.len() as u64 + OVERHEAD;
            let before = old.as_ref().map_or(0, |old| weight(old.record.value.len() / 4 * 3));
            let after = value.map_or(0, |value| weight(value.len().div_ceil(3) * 3));
            let bytes = used.as_ref().map_or(0, |used| used.record.bytes).saturating_sub(before) + after;
            if after > before && bytes > self.quota {
                return Err(Refusal::Quota);
            }
            let mut change = if value.is_none() { Change::removal() } else { Change::default() };
            let written = match (&old, value) {
                (None, None) => return Ok(()),
                (Some(old), None) => {
                    change.remove(old);
                    Ok(())
                }
                (old, Some(value)) => {
                    let record = Value { key: key.to_owned(), value: STANDARD.encode(value) };
                    match old {
                        Some(old) => change.replace(old, &record),
                        None => change.insert(place.clone(), &record),
                    }
                }
            };
            let counted = match &used {
                Some(used) => change.replace(used, &Used { bytes }),
                None => change.insert(used_place.clone(), &Used { bytes }),
            };
            written.and(counted).map_err(unavailable)?;
            match self.store.commit(change).await.map_err(unavailable)? {
                Committed::Done => return Ok(()),
                Committed::Conflict => {}
            }
        }
        Err(Refusal::Unavailable)
    }

    /// At most `limit` keys that begin with `prefix`, in order, behind `after`.
    ///
    /// # Errors
    /// If the store can't be read.
    pub async fn keys(&self, prefix: &str, after: Option<&str>, limit: u32) -> Result<Vec<String>, Refusal> {
        let limit = usize::try_from(limit.min(MOST_KEYS)).unwrap_or_default();
        let mut from = after.map(str::to_owned);
        let mut found = Vec::new();
        loop {
            let range = match &from {
                Some(from) => self.all().within_after(&self.all().text(from)),
                None => self.all().within(),
            };
            let page = self.store.list::<Value>(range, limit.max(1)).await.map_err(unavailable)?;
            let (whole, Some(last)) = (page.len() >= limit.max(1), page.last()) else { return Ok(found) };
            from = Some(last.record.key.clone());
            for value in page {
                let key = value.record.key;
                if found.len() < limit && key.starts_with(prefix) {
                    found.push(key);
                }
            }
            if !whole || found.len() >= limit {
                return Ok(found);
            }
        }
    }
}

fn unavailable(error: Error) -> Refusal {
    tracing::warn!(error = error.to_string(), "a plugin's memory can't be reached");
    Refusal::Unavailable
}

#[cfg(test)]
mod tests {
    use super::*;

    fn memory(quota: usize) -> Memory {
        Memory::new(Store::in_memory(), "p", quota)
    }

    #[tokio::test]
    async fn what_is_set_is_there_until_it_is_deleted() {
        let memory = memory(1 << 20);
        assert_eq!(memory.get("a").await, Ok(None));
        memory.set("a", Some(b"\0one")).await.unwrap();
        memory.set("a", Some(b"two")).await.unwrap();
        assert_eq!(memory.get("a").await, Ok(Some(b"two".to_vec())));
        memory.set("a", None).await.unwrap();
        assert_eq!(memory.get("a").await, Ok(None));
        let other = Memory { plugin: "q".into(), ..memory.clone() };
        memory.set("a", Some(b"mine")).await.unwrap();
        assert_eq!(other.get("a").await, Ok(None), "plugins don't see each other's");
    }

    #[tokio::test]
    async fn the_quota_is_of_all_keys_and_room_comes_back() {
        let memory = memory(1000);
        memory.set("a", Some(&[0; 600])).await.unwrap();
        assert_eq!(memory.set("b", Some(&[0; 600])).await, Err(Refusal::Quota));
        memory.set("a", Some(&[0; 30])).await.unwrap();
        memory.set("b", Some(&[0; 600])).await.unwrap();
        memory.set("b", None).await.unwrap();
        memory.set("c", Some(&[0; 600])).await.unwrap();
        assert_eq!(memory.set("d", Some(&vec![0; LONGEST_VALUE + 1])).await, Err(Refusal::TooLarge));
        assert_eq!(memory.set(&"k".repeat(600), Some(b"x")).await, Err(Refusal::TooLarge));
        // Keys that hold nothing cost something too.
        let many = (0..100).map(|n| format!("empty-{n}"));
        let mut refused = false;
        for key in many {
            refused |= memory.set(&key, Some(b"")).await.is_err();
        }
        assert!(refused);
    }

    #[tokio::test]
    async fn keys_come_in_pages() {
        let memory = memory(1 << 20);
        for key in ["a/1", "b/1", "b/2", "b/3", "c/1"] {
            memory.set(key, Some(b"x")).await.unwrap();
        }
        assert_eq!(memory.keys("b/", None, 2).await.unwrap(), ["b/1", "b/2"]);
        assert_eq!(memory.keys("b/", Some("b/2"), 2).await.unwrap(), ["b/3"]);
        assert_eq!(memory.keys("", None, 100).await.unwrap().len(), 5);
        assert!(memory.keys("zz", None, 100).await.unwrap().is_empty());
    }
}
