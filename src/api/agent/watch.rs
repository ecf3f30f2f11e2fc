//! Watching a task: `GET /api/tasks/{id}/events` and `/ws/tasks/{id}`.

use std::sync::Arc;

use bytes::Bytes;
use futures_util::stream;

use super::event::{Said, TaskEvent, What};
use crate::api::State;
use crate::http::fault::Fault;
use crate::http::websocket::{Code, Gone, Message, Socket};
use crate::http::{Reply, Request, sse};
use crate::model::run::Reply as Answer;
use crate::model::{Error, Kind, Result};
use crate::service::run::{Seen, Watcher};

pub(super) async fn events(request: Request<State>) -> Result<Reply> {
    let after = after(&request)?;
    let state = request.state.clone();
    let watcher = state.runs.watch(request.caller.owner(), request.parameter("task_id"), after).await?;
    let keep_alive = state.keep_alive;
    let pieces = stream::unfold((watcher, state), |(mut watcher, state)| async move {
        let event = match watcher.next().await {
            Ok(Some(seen)) => told(&state, seen),
            Ok(None) => return None,
            Err(error) => {
                tracing::warn!(error = error.to_string(), "a watcher can't be told more");
                return None;
            }
        };
        let mut out = Vec::with_capacity(256);
        if let Some(sequence) = event.sequence {
            out.extend_from_slice(format!("id: {sequence}\n").as_bytes());
        }
        if let Err(error) = sse::write(&mut out, Some(event.what.name()), &event) {
            tracing::error!(error = error.to_string(), "an event could not be written");
            return None;
        }
        Some((Bytes::from(out), (watcher, state)))
    });
    Ok(Reply::events(sse::KeepAlive::new(pieces, keep_alive)))
}

pub(super) async fn socket(mut request: Request<State>) -> Result<Reply> {
    let handshake = request.upgrade()?;
    let after = after(&request)?;
    let (owner, id) = (request.caller.owner().to_owned(), request.parameter("task_id").to_owned());
    let watcher = request.state.runs.watch(&owner, &id, after).await?;
    let talk = Talk { state: request.state, owner, id, watcher };
    handshake.accept(move |socket| talk.go(socket))
}

/// The number of the last event that the caller has seen.
fn after(request: &Request<State>) -> Result<u64> {
    let header =
        request.headers.get("last-event-id").map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
    match header.or_else(|| request.query("after")) {
        None => Ok(0),
        Some(text) => text.trim().parse().map_err(|_| {
            Error::invalid("after", "Invalid value for after: it is the number of the last event that was seen")
        }),
    }
}

fn told(state: &State, seen: Seen) -> TaskEvent {
    match seen {
        Seen::Event(event) => event.into(),
        Seen::Behind { missed } => unnumbered(state, What::Behind { missed }),
    }
}

fn unnumbered(state: &State, what: What) -> TaskEvent {
    TaskEvent { sequence: None, what, timestamp: state.clock.rfc3339() }
}

/// A watcher on a socket.
struct Talk {
    state: Arc<State>,
    owner: String,
    id: String,
    watcher: Watcher,
}

// === impl Talk ===

impl Talk {
    async fn go(mut self, mut socket: Socket) {
        loop {
            let outcome = tokio::select! {
                said = socket.next() => match said {
                    Some(message) => self.hear(&mut socket, message).await,
                    None => return,
                },
                seen = self.watcher.next() => match seen {
                    Ok(Some(seen)) => {
                        let event = told(&self.state, seen);
                        let last = matches!(&event.what, What::Status { status, .. }
                            if ["completed", "failed", "stopped", "interrupted"].contains(status));
                        match (send(&mut socket, &event).await, last) {
                            (Ok(()), true) => return socket.close(Code::NORMAL, "the task is over"),
                            (outcome, _) => outcome,
                        }
                    }
                    // The record goes on elsewhere, or is over and was seen to its end.
                    Ok(None) => return socket.close(Code::NORMAL, "there is nothing more"),
                    Err(_) => return socket.close(Code::INTERNAL, "the task's record can't be read; come back later"),
                },
            };
            if outcome.is_err() {
                return;
            }
        }
    }

    /// Does what the watcher says.
    async fn hear(&mut self, socket: &mut Socket, message: Message) -> Result<(), Gone> {
        let said = match &message {
            Message::Text(text) => serde_json::from_str::<Said>(text).map_err(|error| error.to_string()),
            Message::Binary(_) => Err("messages are JSON texts".to_owned()),
        };
        let done = match said {
            Ok(said) => self.do_it(socket, said).await,
            Err(why) => {
                let what = format!(
                    "the message can't be read: {why}; send {{\"type\":\"stop\"}}, {{\"type\":\"input\",\"content\":…}}, \
                     {{\"type\":\"approve\",\"approved\":…}}, {{\"type\":\"resume\",\"after\":…}} or {{\"type\":\"ping\"}}"
                );
                let code = "INVALID_MESSAGE".to_owned();
                return send(socket, &unnumbered(&self.state, What::Error { error: what, code })).await;
            }
        };
        match done {
            Ok(()) => Ok(()),
            Err(error) => {
                let what = What::Error { error: error.public().to_owned(), code: Fault::of(&error).code.to_owned() };
                send(socket, &unnumbered(&self.state, what)).await
            }
        }
    }

    async fn do_it(&mut self, socket: &mut Socket, said: Said) -> Result<()> {
        let (runs, owner, id) = (self.state.runs.clone(), self.owner.as_str(), self.id.as_str());
        match said {
            Said::Stop {} => runs.stop(owner, id).await.map(drop),
            Said::Input { content } => runs.say(owner, id, content).await.map(drop),
            Said::Approve { approval_id, approved, reason } => {
                let approval = match approval_id {
                    Some(approval) => approval,
                    None => match runs.question(owner, id).await? {
                        Some(asked) => asked.id,
                        None => return Err(Error::caller(Kind::NotFound, "the task doesn't wait for an approval")),
                    },
                };
                runs.approve(owner, id, &approval, Answer { approved, words: reason }).await.map(drop)
            }
            Said::Resume { after } => {
                self.watcher = runs.watch(owner, id, after).await?;
                Ok(())
            }
            Said::Ping {} => {
                // Who is gone is noticed at once.
                let _ = send(socket, &unnumbered(&self.state, What::Pong {})).await;
                Ok(())
            }
        }
    }
}

async fn send(socket: &mut Socket, event: &TaskEvent) -> Result<(), Gone> {
    match Message::json(event) {
        Ok(message) => socket.send(message).await,
        Err(error) => {
            tracing::error!(error = error.to_string(), "an event could not be written");
            Ok(())
        }
    }
}
