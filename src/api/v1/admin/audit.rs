//! `GET /api/v1/admin/audit`.

use std::collections::VecDeque;
use std::sync::Arc;

use futures_util::stream;
use jiff::Timestamp;
use serde_json::json;

use crate::api::State;
use crate::api::v1::lines::line;
use crate::http::{Endpoint, Reply, Request};
use crate::model::{Error, Result};
use crate::service::access::{Event, Search};

pub(super) fn documented(endpoint: Endpoint<State>) -> Endpoint<State> {
    let text = || json!({"type": "string"});
    let time = || json!({"type": "string", "format": "date-time"});
    endpoint
        .named("listAuditEvents", "Security events as JSON lines, in the order in which they happened.")
        .query("since", "The first time that is wanted.", time)
        .query("until", "The first time that isn't wanted any more.", time)
        .query("action", "One action, such as `login`, or all that begin so: `key.*`.", text)
        .query("actor", "Who did it: a user's id, a key's fingerprint, `operator` or `anonymous`.", text)
        .query("subject", "Whom or what it concerned: an id.", text)
        .query("limit", "How many at most.", || json!({"type": "integer", "minimum": 1}))
        .gives_text(
            "application/x-ndjson",
            "One event a line: id, timestamp, action, outcome, actor, subject, address, request_id, details.",
        )
        .fails(&[422])
}

/// Reads the log page by page, as fast as it is taken.
struct Reader {
    state: Arc<State>,
    search: Search,
    waiting: VecDeque<Event>,
    next: Option<Vec<u8>>,
    begun: bool,
    left: usize,
}

pub(super) async fn audit(request: Request<State>) -> Result<Reply> {
    let time = |name: &str| -> Result<Option<Timestamp>> {
        let Some(text) = request.query(name) else { return Ok(None) };
        text.parse().map(Some).map_err(|_| {
            Error::invalid(name, format!("Invalid value for {name}: write a time such as 2026-01-01T00:00:00Z"))
        })
    };
    let search = Search {
        since: time("since")?,
        until: time("until")?,
        action: request.query("action"),
        actor: request.query("actor"),
        subject: request.query("subject"),
    };
    let left = match request.query("limit").map(|text| text.parse::<usize>()) {
        None => usize::MAX,
        Some(Ok(limit)) if limit > 0 => limit,
        Some(_) => return Err(Error::invalid("limit", "Invalid value for limit: write a number, 1 or more")),
    };
    let waiting = VecDeque::new();
    let mut reader = Reader { state: request.state, search, waiting, next: None, begun: false, left };
    // What can't be read at all is told with a status of its own.
    reader.fill().await?;
    Ok(Reply::lines(stream::unfold(reader, |mut reader| async move {
        let event = match reader.next().await {
            Ok(event) => event?,
            Err(error) => {
                tracing::warn!(error = error.to_string(), "the audit log can't be read to its end");
                return None;
            }
        };
        Some((line(&event), reader))
    })))
}

// === impl Reader ===

impl Reader {
    async fn fill(&mut self) -> Result<()> {
        while self.waiting.is_empty() && (!self.begun || self.next.is_some()) {
            let (events, next) = self.state.accounts.events(&self.search, self.next.take()).await?;
            (self.begun, self.next) = (true, next);
            self.waiting.extend(events);
        }
        Ok(())
    }

    async fn next(&mut self) -> Result<Option<Event>> {
        self.left = match self.left.checked_sub(1) {
            Some(left) => left,
            None => return Ok(None),
        };
        self.fill().await?;
        Ok(self.waiting.pop_front())
    }
}
