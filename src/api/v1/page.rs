//! Pages of lists: what a caller asks for, and where the next and the previous one are.

use std::fmt::Write;

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Value, json};
use url::form_urlencoded::Serializer;

use crate::api::State;
use crate::http::{Endpoint, Request};
use crate::model::{Error, Result};
use crate::store::session::Cursor;

/// Which part of a list is wanted.
pub(super) struct Wanted {
    pub(super) skip: u64,
    pub(super) limit: usize,
    /// Behind what; `skip` then only says how many came before.
    pub(super) after: Option<Cursor>,
}

/// Where the neighbours of a page are.
#[derive(Serialize, JsonSchema)]
pub(super) struct Links {
    /// The next page, which neither skips nor repeats anything, whatever was added meanwhile; null for the last one.
    next: Option<String>,
    /// The previous page; null for the first one.
    prev: Option<String>,
}

/// Entries of the longest page.
const MOST: usize = 100;

// === impl Wanted ===

impl Wanted {
    /// What the query says.
    ///
    /// # Errors
    /// If it says what can't be.
    pub(super) fn read(request: &Request<State>) -> Result<Self> {
        let number = |name: &str| match request.query(name) {
            None => Ok(None),
            Some(text) => match text.parse::<u64>() {
                Ok(number) if i64::try_from(number).is_ok() => Ok(Some(number)),
                _ => Err(wrong(name, "expected a whole number, 0 or more")),
            },
        };
        let skip = number("skip")?.or(number("offset")?).unwrap_or_default();
        let limit = number("limit")?.map_or(MOST, |limit| usize::try_from(limit).unwrap_or(usize::MAX));
        if !(1..=MOST).contains(&limit) {
            return Err(wrong("limit", &format!("it must lie between 1 and {MOST}")));
        }
        let after = request.query("after").map(|text| {
            let (created, id) = text.split_once('.')?;
            Some(Cursor { created: created.parse().ok()?, id: id.to_owned() })
        });
        let after = match after {
            Some(None) => return Err(wrong("after", "it is no place in this list; take it from `links.next`")),
            after => after.flatten(),
        };
        Ok(Self { skip, limit, after })
    }

    /// Entries to pass over behind `after`.
    pub(super) fn rest(&self) -> usize {
        if self.after.is_some() { 0 } else { usize::try_from(self.skip).unwrap_or(usize::MAX) }
    }

    /// The neighbours of this page of the list at `path`, with the filters `kept`.
    pub(super) fn links(&self, path: &str, kept: &[(&str, Option<&str>)], next: Option<Next>) -> Links {
        let link = |skip: u64, after: Option<&Cursor>| {
            let mut query = Serializer::new(String::new());
            query.append_pair("skip", &skip.to_string()).append_pair("limit", &self.limit.to_string());
            for (name, value) in kept {
                if let Some(value) = value {
                    query.append_pair(name, value);
                }
            }
            if let Some(Cursor { created, id }) = after {
                query.append_pair("after", &format!("{created}.{id}"));
            }
            let mut link = path.to_owned();
            // Writing into a text doesn't fail.
            let _ = write!(link, "?{}", query.finish());
            link
        };
        let limit = self.limit as u64;
        let next = next.map(|next| match next {
            Next::Behind(cursor) => link(self.skip.saturating_add(limit), Some(&cursor)),
            Next::There => link(self.skip.saturating_add(limit), None),
        });
        let prev = (self.skip > 0).then(|| link(self.skip.saturating_sub(limit), None));
        Links { next, prev }
    }
}

/// How the next page begins.
pub(super) enum Next {
    /// Behind this.
    Behind(Cursor),
    /// Where this one ends: nothing is ever put in between.
    There,
}

/// A query member that can't be used.
pub(super) fn wrong(name: &str, what: &str) -> Error {
    Error::invalid(name, format!("Invalid value for {name}: {what}")).with_details(json!({"field": name}))
}

/// Tells of `skip`, `offset` and `limit` in the API document.
pub(super) fn paged<S>(endpoint: Endpoint<S>) -> Endpoint<S> {
    let number = || json!({"type": "integer", "minimum": 0, "maximum": i64::MAX, "default": 0});
    let limit = || -> Value { json!({"type": "integer", "minimum": 1, "maximum": MOST, "default": MOST}) };
    endpoint.query("skip", "How many to pass over.", number).query("offset", "The same by another name.", number).query(
        "limit",
        "How many to give at most.",
        limit,
    )
}
