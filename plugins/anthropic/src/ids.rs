//! Ids of calls: each is unique in a request and of characters that the vendor takes, and each result finds its call.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use mortise_sdk::provider::Error;

use crate::names::fit;

/// Far more than any vendor's ids have.
const LONGEST: usize = 256;

/// The ids of one request.
#[derive(Debug, Default)]
pub(crate) struct Ids<'a> {
    used: BTreeSet<String>,
    /// Calls without a result yet, under the caller's ids, in their order.
    open: BTreeMap<&'a str, VecDeque<String>>,
}

impl<'a> Ids<'a> {
    /// The id of a call. Vendors that count from 0 in each answer give the same id to several calls.
    pub(crate) fn call(&mut self, id: &'a str) -> String {
        let fitting = fit(id, LONGEST);
        let mut unique = fitting.clone().into_owned();
        let mut number = 1_u32;
        while !self.used.insert(unique.clone()) {
            number += 1;
            unique = format!("{fitting}_{number}");
        }
        self.open.entry(id).or_default().push_back(unique.clone());
        unique
    }

    /// The id of the call that a result answers: the first one of that name that has none.
    pub(crate) fn result(&mut self, id: &str) -> Result<String, Error> {
        let call = self.open.get_mut(id).and_then(VecDeque::pop_front);
        call.ok_or_else(|| {
            Error::invalid(format!(
                "the tool result for `{id}` answers no call before it: send the call, and one result"
            ))
        })
    }

    /// Every call has its result by now.
    pub(crate) fn check(&mut self) -> Result<(), Error> {
        let missing = self.open.iter().find(|(_, calls)| !calls.is_empty()).map(|(id, _)| *id);
        self.open.clear();
        match missing {
            None => Ok(()),
            Some(id) => Err(Error::invalid(format!(
                "the tool call `{id}` has no result in the message after it: send one, even if it only says that it failed"
            ))),
        }
    }
}
