//! Drives an exchange: does what its actions say, and hands back what came of it, until it is over.
//!
//! Whoever reads the outputs drives; dropping a [`Drive`] drops the guest's exchange and closes the upstream connection.

use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::task::{spawn_blocking, yield_now};
use tokio::time::{Instant, sleep, timeout_at};

use super::{Exchange, Provider, Tenancy};
use crate::egress::{Egress, Piece, Response, Target};
use crate::model::chat::Event;
use crate::model::provider::{Action, HttpRequest, Input, Operation, Output};
use crate::model::trace::TraceContext;
use crate::model::{Error, Fault, Kind, Result};

/// A guest may wait so often in one exchange, and never shorter than this: it must not spin under another name.
const WAITS: u32 = 10_000;
/// See [`WAITS`].
const SHORTEST_WAIT: Duration = Duration::from_millis(1);
/// After a guest's step that took this long, others have their turn.
const LONG_STEP: Duration = Duration::from_micros(100);

/// What bounds a drive.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// HTTP requests.
    pub requests: u32,
    /// Bytes of output.
    pub output: usize,
    /// From beginning to end.
    pub total: Duration,
    /// From the head of a stream to the model's first word; absent for answers that come whole.
    pub first_token: Option<Duration>,
}

/// What a guest is to do, and for whom.
pub struct Work {
    /// The operation.
    pub operation: Operation,
    /// The provider's settings, as JSON.
    pub settings: Arc<str>,
    /// For whom.
    pub tenancy: Tenancy,
    /// The trace that it belongs to, for the vendor; the guest learns nothing of it.
    pub trace: Option<TraceContext>,
    /// When it began: another provider may have had a part of the time.
    pub since: Instant,
}

/// The way from a provider to its vendor.
#[derive(Clone)]
pub struct Way {
    /// The name that callers use, for errors.
    pub provider: Arc<str>,
    /// The way out.
    pub egress: Egress,
    /// Absent for a provider that asks nobody.
    pub target: Option<Arc<Target>>,
}

/// An exchange in progress.
pub struct Drive {
    exchange: Option<Box<dyn Exchange>>,
    way: Way,
    trace: Option<TraceContext>,
    bounds: Bounds,
    deadline: Instant,
    first_token: Option<Instant>,
    response: Option<Response>,
    next: Next,
    sent: u32,
    waits: u32,
    output: usize,
    stopped: bool,
    /// Why no more is waited for; told unless the guest has all that it needs.
    overdue: Option<Error>,
}

/// What is to be done next.
enum Next {
    Advance(Input),
    Send(HttpRequest),
    Read,
    Wait(Duration),
    Fail(Error),
    Over,
}

// === impl Drive ===

impl Drive {
    /// Takes a guest for `work`; the first outputs are asked for by [`Drive::outputs`].
    ///
    /// # Errors
    /// If no guest can be had, or it fails at once.
    pub async fn begin(plugin: &Arc<dyn Provider>, work: Work, way: Way, bounds: Bounds) -> Result<Self> {
        let (guest, trace, deadline) = (plugin.clone(), work.trace, work.since + bounds.total);
        let exchange =
            apart(plugin.is_slow(), move || guest.open(work.operation, &work.settings, &work.tenancy)).await??;
        Ok(Self {
            exchange: Some(exchange),
            way,
            trace,
            bounds,
            deadline,
            first_token: None,
            response: None,
            next: Next::Advance(Input::Begin),
            sent: 0,
            waits: 0,
            output: 0,
            stopped: false,
            overdue: None,
        })
    }

    /// The next outputs, as many as have come; `None` once the exchange is over and whole.
    ///
    /// # Errors
    /// Whatever ended the exchange before that; there is nothing after it.
    pub async fn outputs(&mut self) -> Result<Option<Vec<Output>>> {
        loop {
            match std::mem::replace(&mut self.next, Next::Over) {
                Next::Advance(input) => {
                    let outputs = self.advance(input).await?;
                    if !outputs.is_empty() {
                        return Ok(Some(outputs));
                    }
                }
                // Boxed, because whoever reads a stream keeps room for all that may be waited for.
                Next::Send(request) => Box::pin(self.send(request)).await?,
                Next::Read => self.read().await?,
                Next::Wait(time) => {
                    self.waits += 1;
                    if self.waits > WAITS {
                        return Err(self.breach(format!("it waited more than {WAITS} times in one exchange")));
                    }
                    if timeout_at(self.deadline, sleep(time)).await.is_err() {
                        return Err(self.late("took longer than", self.bounds.total, "total"));
                    }
                    self.next = Next::Advance(Input::Woken);
                }
                Next::Fail(error) => return Err(error),
                Next::Over => {
                    self.end();
                    return Ok(None);
                }
            }
        }
    }

    async fn send(&mut self, request: HttpRequest) -> Result<()> {
        self.sent += 1;
        if self.sent > self.bounds.requests {
            return Err(self.breach(format!(
                "it sent more than {} requests in one exchange; raise plugins.limits.requests if it has to",
                self.bounds.requests
            )));
        }
        let Some(target) = self.way.target.clone() else {
            return Err(
                self.breach("it asked for a request, but has no base URL; set providers.<name>.base_url".into())
            );
        };
        let sending = self.way.egress.send(&target, request, self.trace.as_ref());
        let Ok(response) = timeout_at(self.deadline, sending).await else {
            return Err(self.late("took longer than", self.bounds.total, "total"));
        };
        let response = response?;
        self.first_token = self.bounds.first_token.map(|within| Instant::now() + within);
        self.next = Next::Advance(Input::Head(response.head.clone()));
        self.response = Some(response);
        Ok(())
    }

    async fn read(&mut self) -> Result<()> {
        let Some(response) = &mut self.response else {
            return Err(self.breach("it neither sent, waited, failed nor finished".into()));
        };
        let deadline = self.first_token.map_or(self.deadline, |first| first.min(self.deadline));
        let Ok(piece) = timeout_at(deadline, response.piece()).await else {
            return Err(match (self.first_token, self.bounds.first_token) {
                (Some(first), Some(within)) if first <= self.deadline => {
                    self.late("sent no word within", within, "first_token")
                }
                _ => self.late("took longer than", self.bounds.total, "total"),
            });
        };
        let piece = match piece {
            // A vendor that has said all may leave its stream open: only the guest knows.
            Err(error) if error.kind() == Kind::Timeout => {
                self.overdue = Some(error);
                Piece::Broken("nothing more came in time".into())
            }
            piece => piece?,
        };
        self.next = match piece {
            Piece::Frames(frames) if frames.is_empty() => Next::Read,
            Piece::Frames(frames) => Next::Advance(Input::Frames(frames)),
            Piece::End => {
                self.response = None;
                Next::Advance(Input::End)
            }
            Piece::Broken(how) => {
                self.response = None;
                Next::Advance(Input::Broken(how))
            }
        };
        Ok(())
    }

    /// Hands `input` to the guest, keeps what is to be done next, and returns what was said.
    async fn advance(&mut self, input: Input) -> Result<Vec<Output>> {
        let Some(mut exchange) = self.exchange.take() else { return Ok(Vec::new()) };
        let (exchange, actions) = apart(exchange.is_slow(), move || {
            let actions = exchange.advance(input);
            (exchange, actions)
        })
        .await?;
        self.exchange = Some(exchange);
        let actions = actions?;
        let mut said = Vec::new();
        let mut next = None;
        for action in actions {
            if next.is_some() {
                return Err(self.breach("it went on after it had sent, waited, failed or finished".into()));
            }
            next = match action {
                Action::Emit(mut outputs) => {
                    said.append(&mut outputs);
                    None
                }
                Action::Send(request) => {
                    (self.response, self.overdue) = (None, None);
                    Some(Next::Send(request))
                }
                Action::Wait(millis) => Some(Next::Wait(Duration::from_millis(millis.into()).max(SHORTEST_WAIT))),
                Action::Fail(mut failure) => {
                    // A vendor may repeat the key that it was sent.
                    if let Some(target) = &self.way.target {
                        target.redact(&mut failure.message);
                        failure.raw.iter_mut().for_each(|raw| target.redact(raw));
                    }
                    let error = self.overdue.take().unwrap_or_else(|| failure.into_error(&self.way.provider));
                    Some(Next::Fail(error))
                }
                Action::Finish => Some(Next::Over),
            };
        }
        self.next = next.unwrap_or(Next::Read);
        self.output = self.output.saturating_add(said.iter().map(weight).sum());
        if self.output > self.bounds.output {
            return Err(self.breach(format!(
                "it answered more than {} bytes; raise plugins.limits.output if it has to",
                self.bounds.output
            )));
        }
        for output in &said {
            match output {
                Output::Chat(Event::Usage(_) | Event::Extra(_)) | Output::Usage(_) => {}
                _ if self.stopped => return Err(self.breach("it went on after the answer had stopped".into())),
                Output::Chat(Event::Stopped(_)) => self.stopped = true,
                _ => {}
            }
        }
        if said.iter().any(|output| matches!(output, Output::Chat(event) if event.is_content())) {
            self.first_token = None;
        }
        Ok(said)
    }

    /// The exchange is over: gives the instance back, and the connection if it can serve again.
    fn end(&mut self) {
        self.release();
        if let Some(response) = self.response.take() {
            response.finish();
        }
    }

    /// Lets go of the guest, who may run a destructor and take its time.
    fn release(&mut self) {
        let Some(exchange) = self.exchange.take() else { return };
        match Handle::try_current() {
            Ok(runtime) if exchange.is_slow() => drop(runtime.spawn_blocking(move || drop(exchange))),
            _ => drop(exchange),
        }
    }

    fn breach(&self, what: String) -> Error {
        Error::new(
            Kind::Plugin,
            Fault::Plugin,
            format!("the plugin of provider `{}` was stopped: {what}", self.way.provider),
        )
    }

    fn late(&self, what: &str, limit: Duration, setting: &str) -> Error {
        Error::new(
            Kind::Timeout,
            Fault::Upstream,
            format!("provider `{}` {what} {} ms (timeouts.{setting})", self.way.provider, limit.as_millis()),
        )
    }
}

impl Drop for Drive {
    fn drop(&mut self) {
        self.release();
    }
}

/// Does `work` here, or on a thread of its own if it is `slow`: nobody else shall wait for it.
async fn apart<T: Send + 'static>(slow: bool, work: impl FnOnce() -> T + Send + 'static) -> Result<T> {
    if slow {
        return spawn_blocking(work).await.map_err(Error::internal);
    }
    let began = Instant::now();
    let outcome = work();
    if began.elapsed() >= LONG_STEP {
        yield_now().await;
    }
    Ok(outcome)
}

/// Bytes that an output stands for, roughly.
fn weight(output: &Output) -> usize {
    let own = size_of::<Output>();
    own + match output {
        Output::Chat(
            Event::Text { text, .. }
            | Event::Thinking { text, .. }
            | Event::Signature { text, .. }
            | Event::Redacted { text, .. }
            | Event::CallArguments { text, .. }
            | Event::Refusal { text, .. }
            | Event::Annotation { text, .. }
            | Event::Other { text, .. },
        ) => text.len(),
        Output::Chat(Event::Extra(field)) => field.name.len() + field.value.len(),
        Output::Chat(Event::CallStarted { id, name, extra, .. }) => {
            id.len() + name.len() + extra.iter().map(|field| field.name.len() + field.value.len()).sum::<usize>()
        }
        Output::Models(models) => models.iter().map(|model| own + model.id.len()).sum(),
        Output::Vector { values, .. } => values.len() * 4,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    #[tokio::test]
    async fn after_a_long_step_others_have_their_turn() {
        let order = Mutex::new(Vec::new());
        let long = || {
            let began = Instant::now();
            while began.elapsed() < LONG_STEP {
                std::hint::spin_loop();
            }
        };
        let guest = async {
            apart(false, long).await.unwrap();
            order.lock().unwrap().push("guest");
        };
        let other = async { order.lock().unwrap().push("other") };
        tokio::join!(biased; guest, other);
        assert_eq!(*order.lock().unwrap(), ["other", "guest"]);
    }
}
