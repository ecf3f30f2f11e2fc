//! Answers of the Responses API that are kept, so that a caller can go on from them without sending them again.

use futures_util::future::BoxFuture;
use futures_util::stream::{self, BoxStream, StreamExt};
use serde_json::{Value, json};

use super::Clock;
use super::access::Belongings;
use crate::model::chat::Message;
use crate::model::session::Response;
use crate::model::{Error, Kind, Result};
use crate::store::{Change, Committed, Store, response};

/// See the module.
#[derive(Clone)]
pub struct Responses {
    store: Store,
    clock: Clock,
}

/// An answer that is to be kept.
pub struct Keep {
    responses: Responses,
    owner: String,
    previous: Option<String>,
    input: Vec<Message>,
}

/// Answers that one may go on from, one after the other.
const LONGEST: usize = 1000;
/// How many are read at once.
const PIECE: usize = 100;

// === impl Responses ===

impl Responses {
    /// Those in `store`.
    pub fn new(store: Store, clock: Clock) -> Self {
        Self { store, clock }
    }

    /// The answer to `input`, which goes on from `previous`, is to be kept for `owner`.
    pub fn keep(&self, owner: &str, previous: Option<String>, input: Vec<Message>) -> Keep {
        Keep { responses: self.clone(), owner: owner.to_owned(), previous, input }
    }

    /// All that was said up to and with answer `id` of `owner`.
    ///
    /// # Errors
    /// If that, or one that it goes on from, isn't there.
    pub async fn before(&self, owner: &str, id: &str) -> Result<Vec<Message>> {
        let (mut newest_first, mut next) = (Vec::new(), Some(id.to_owned()));
        while let Some(id) = next {
            let found = response::get(&self.store, owner, &id).await?;
            let what = || {
                let cure = "send the conversation's items in `input` instead";
                format!("Invalid value for previous_response_id: no response with the id '{id}' is kept; {cure}")
            };
            let found = found.ok_or_else(|| Error::invalid("previous_response_id", what()))?.record;
            if newest_first.len() == LONGEST {
                let what = "too many responses go on from each other; send the conversation's items in `input` instead";
                return Err(Error::invalid("previous_response_id", what));
            }
            newest_first.push((found.input, found.output));
            next = found.previous;
        }
        let turns = newest_first.into_iter().rev();
        Ok(turns.flat_map(|(input, output)| input.into_iter().chain([output])).collect())
    }

    /// Answer `id` of `owner`, as it was given.
    ///
    /// # Errors
    /// If there is none.
    pub async fn get(&self, owner: &str, id: &str) -> Result<Value> {
        let found = response::get(&self.store, owner, id).await?.ok_or_else(|| missing(id))?;
        Ok(found.record.body)
    }

    /// Takes answer `id` of `owner` out.
    ///
    /// # Errors
    /// If there is none.
    pub async fn delete(&self, owner: &str, id: &str) -> Result<()> {
        let found = response::get(&self.store, owner, id).await?.ok_or_else(|| missing(id))?;
        let mut change = Change::default();
        change.remove(&found);
        match self.store.commit(change).await? {
            Committed::Done => Ok(()),
            Committed::Conflict => Err(missing(id)),
        }
    }
}

// === impl Keep ===

impl Keep {
    /// Keeps the answer `id`: its `body`, as it is given, and what the model said in it.
    ///
    /// # Errors
    /// If the store can't be written.
    pub async fn keep(self, id: &str, body: Value, output: Message) -> Result<()> {
        let Self { responses, owner, previous, input } = self;
        let created = responses.clock.now();
        let response = Response { id: id.to_owned(), owner, previous, input, output, body, created };
        let mut change = Change::default();
        response::put(&mut change, &response)?;
        responses.store.commit(change).await.map(drop)
    }
}

impl Belongings for Responses {
    fn name(&self) -> &'static str {
        "responses"
    }

    fn erase<'a>(&'a self, owner: &'a str) -> BoxFuture<'a, Result<u64>> {
        Box::pin(async move {
            let mut erased = 0;
            let mut after: Option<String> = None;
            loop {
                let some = response::all(&self.store, owner, after.as_deref(), PIECE).await?;
                let Some(last) = some.last() else { break };
                after = Some(last.id.clone());
                erased += some.len() as u64;
            }
            let mut change = Change::default();
            response::delete_all(&mut change, owner);
            self.store.commit(change).await.map(|_| erased)
        })
    }

    fn export(&self, owner: &str) -> BoxStream<'static, Result<Value>> {
        let begin = (self.store.clone(), owner.to_owned(), Some(String::new()));
        let pieces = stream::unfold(begin, |(store, owner, after)| async move {
            let after = after?;
            let after = Some(after.as_str()).filter(|after| !after.is_empty());
            match response::all(&store, &owner, after, PIECE).await {
                Ok(some) => {
                    let last = some.last()?.id.clone();
                    let lines = some.iter().map(|one| Ok(json!({"kind": "response", "response": one}))).collect();
                    Some((lines, (store, owner, Some(last))))
                }
                Err(error) => Some((vec![Err(error)], (store, owner, None))),
            }
        });
        pieces.flat_map(|lines: Vec<Result<Value>>| stream::iter(lines)).boxed()
    }
}

fn missing(id: &str) -> Error {
    Error::caller(Kind::NotFound, format!("Response with id '{id}' not found.")).with_param("response_id")
}
