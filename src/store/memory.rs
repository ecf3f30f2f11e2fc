//! The engine for tests and `--ephemeral`: all of it is gone with the process.

use std::collections::BTreeMap;
use std::future::ready;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::engine::{Batch, Committed, Engine, Expect, Pair, Pending, Scan, StoreError, Write, counter};

/// See the module.
#[derive(Default)]
pub struct Memory {
    pairs: Mutex<BTreeMap<Vec<u8>, Vec<u8>>>,
}

// === impl Memory ===

impl Memory {
    fn pairs(&self) -> MutexGuard<'_, BTreeMap<Vec<u8>, Vec<u8>>> {
        self.pairs.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn apply(&self, batch: Batch) -> Result<Committed, StoreError> {
        let mut pairs = self.pairs();
        let kept = |expect: &Expect| match expect {
            Expect::Absent(key) => !pairs.contains_key(key),
            Expect::Is(key, value) => pairs.get(key) == Some(value),
        };
        if !batch.expects.iter().all(kept) {
            return Ok(Committed::Conflict);
        }
        // Nothing below may fail, or half of it would be done.
        for write in &batch.writes {
            if let Write::Add(key, _) = write {
                counter(pairs.get(key).map(Vec::as_slice))?;
            }
        }
        for write in batch.writes {
            match write {
                Write::Put(key, value) => drop(pairs.insert(key, value)),
                Write::Delete(key) => drop(pairs.remove(&key)),
                Write::DeleteRange(range) if range.start >= range.end => {}
                Write::DeleteRange(range) => {
                    let mut behind = pairs.split_off(&range.start);
                    pairs.append(&mut behind.split_off(&range.end));
                }
                Write::Add(key, more) => {
                    let sum = counter(pairs.get(&key).map(Vec::as_slice))?.saturating_add(more);
                    pairs.insert(key, sum.to_be_bytes().to_vec());
                }
            }
        }
        Ok(Committed::Done)
    }
}

impl Engine for Memory {
    fn get(&self, keys: Vec<Vec<u8>>) -> Pending<Vec<Option<Vec<u8>>>> {
        let pairs = self.pairs();
        let values = keys.iter().map(|key| pairs.get(key).cloned()).collect();
        Box::pin(ready(Ok(values)))
    }

    fn scan(&self, scan: Scan) -> Pending<Vec<Pair>> {
        if scan.range.start >= scan.range.end {
            return Box::pin(ready(Ok(Vec::new())));
        }
        let pairs = self.pairs();
        let found = pairs.range(scan.range).map(|(key, value)| (key.clone(), value.clone()));
        let found: Vec<Pair> =
            if scan.backwards { found.rev().take(scan.limit).collect() } else { found.take(scan.limit).collect() };
        Box::pin(ready(Ok(found)))
    }

    fn commit(&self, batch: Batch) -> Pending<Committed> {
        Box::pin(ready(self.apply(batch)))
    }
}
