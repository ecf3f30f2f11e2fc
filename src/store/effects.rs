//! What a batch comes to: its preconditions looked at and its counters counted, before anything of it is written.
//!
//! Every engine asks here first, so a batch means the same everywhere, and one that can't be done is not begun.

use std::collections::BTreeMap;
use std::ops::Range;

use super::engine::{Batch, Expect, StoreError, Write, counter};

/// What there is to do.
#[derive(Debug)]
pub(super) enum Effect {
    /// The value stands under the key.
    Put(Vec<u8>, Vec<u8>),
    /// Nothing stands under the key.
    Delete(Vec<u8>),
    /// Nothing stands under any key of the range, which holds some.
    DeleteRange(Range<Vec<u8>>),
}

/// What becomes of a batch.
#[derive(Debug)]
pub(super) enum Verdict {
    /// To be done in this order.
    Do(Vec<Effect>),
    /// Something isn't as it expects.
    Conflict,
    /// It counts where there is no counter.
    Damaged(StoreError),
}

/// Looks at what `get` finds.
///
/// # Errors
/// Those of `get`.
pub(super) fn judge<E>(batch: Batch, get: impl Fn(&[u8]) -> Result<Option<Vec<u8>>, E>) -> Result<Verdict, E> {
    for expect in &batch.expects {
        let kept = match expect {
            Expect::Absent(key) => get(key)?.is_none(),
            Expect::Is(key, value) => get(key)?.as_ref() == Some(value),
        };
        if !kept {
            return Ok(Verdict::Conflict);
        }
    }
    // What stands under the counters' keys, as the writes go on.
    let mut counted: BTreeMap<Vec<u8>, Option<Vec<u8>>> = BTreeMap::new();
    for write in &batch.writes {
        if let Write::Add(key, _) = write
            && !counted.contains_key(key)
        {
            counted.insert(key.clone(), get(key)?);
        }
    }
    let mut effects = Vec::with_capacity(batch.writes.len());
    for write in batch.writes {
        match write {
            Write::Put(key, value) => {
                if let Some(known) = counted.get_mut(&key) {
                    *known = Some(value.clone());
                }
                effects.push(Effect::Put(key, value));
            }
            Write::Delete(key) => {
                if let Some(known) = counted.get_mut(&key) {
                    *known = None;
                }
                effects.push(Effect::Delete(key));
            }
            Write::DeleteRange(range) if range.start >= range.end => {}
            Write::DeleteRange(range) => {
                for (_, known) in counted.range_mut(range.clone()) {
                    *known = None;
                }
                effects.push(Effect::DeleteRange(range));
            }
            Write::Add(key, more) => {
                let known = counted.entry(key.clone()).or_default();
                let sum = match counter(known.as_deref()) {
                    Ok(count) => count.saturating_add(more).to_be_bytes().to_vec(),
                    Err(error) => return Ok(Verdict::Damaged(error)),
                };
                *known = Some(sum.clone());
                effects.push(Effect::Put(key, sum));
            }
        }
    }
    Ok(Verdict::Do(effects))
}
