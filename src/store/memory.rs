//! The engine for tests and `--ephemeral`: all of it is gone with the process.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::future::ready;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::effects::{Effect, Verdict, judge};
use super::engine::{Batch, Committed, Engine, Health, Pair, Pending, Scan, StoreError, Visit};

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
        let Ok(verdict) = judge(batch, |key| Ok::<_, Infallible>(pairs.get(key).cloned()));
        let effects = match verdict {
            Verdict::Do(effects) => effects,
            Verdict::Conflict => return Ok(Committed::Conflict),
            Verdict::Damaged(error) => return Err(error),
        };
        for effect in effects {
            match effect {
                Effect::Put(key, value) => drop(pairs.insert(key, value)),
                Effect::Delete(key) => drop(pairs.remove(&key)),
                Effect::DeleteRange(range) => {
                    let mut behind = pairs.split_off(&range.start);
                    pairs.append(&mut behind.split_off(&range.end));
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

    fn walk(&self, visit: Visit<'_>) -> Result<(), StoreError> {
        // Others go on meanwhile.
        let pairs = self.pairs().clone();
        pairs.iter().try_for_each(|(key, value)| visit(key, value))
    }

    fn health(&self) -> Health {
        Health::Volatile
    }
}
