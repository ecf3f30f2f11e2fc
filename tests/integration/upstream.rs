//! A vendor's server for tests: HTTP/1.1 over a plain socket, good or faulty as its script tells.
//!
//! It shares no code with the host (neither hyper nor a kit for streams), so that it can judge it. It listens on a free
//! port of the loopback and ends when it is dropped; a request that no script foresaw fails the test then.

pub mod answer;
pub mod anthropic;
pub mod bedrock;
pub mod gemini;
pub mod ollama;
pub mod openai;
mod wire;

use std::collections::{BTreeMap, VecDeque};
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::Instant;

use crate::patience::soon;
pub use answer::{Answer, Gate};

/// A request as it came in.
#[derive(Clone, Debug)]
pub struct Seen {
    pub method: String,
    /// With its query.
    pub path: String,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
    /// Connections are counted from 0.
    pub connection: usize,
}

impl Seen {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    pub fn json(&self) -> Value {
        let body = String::from_utf8_lossy(&self.body);
        serde_json::from_str(&body).unwrap_or_else(|error| panic!("the upstream was sent no JSON ({error}): {body}"))
    }
}

#[derive(Default)]
struct State {
    /// Answers for one path, given again and again.
    routes: Vec<(String, Answer)>,
    /// Answers for whatever comes, each given once.
    script: VecDeque<Answer>,
    /// The answer after those, if there is one.
    otherwise: Option<Answer>,
    seen: Vec<Seen>,
    unforeseen: Vec<String>,
    connections: usize,
    written: Arc<AtomicUsize>,
    /// When the client closed a connection, by the connection's number.
    closed: BTreeMap<usize, Instant>,
}

impl State {
    fn closing(&self, number: usize) -> Option<Instant> {
        self.seen.get(number).and_then(|seen| self.closed.get(&seen.connection)).copied()
    }

    fn answer(&mut self, seen: Seen) -> Answer {
        let path = seen.path.split('?').next().unwrap_or_default();
        let route = self.routes.iter().find(|(known, _)| known == path).map(|(_, answer)| answer.clone());
        let answer = route.or_else(|| self.script.pop_front()).or_else(|| self.otherwise.clone());
        let answer = answer.unwrap_or_else(|| {
            self.unforeseen.push(format!("{} {}", seen.method, seen.path));
            Answer::error(501, "unforeseen", "the test has no answer for this request")
        });
        self.seen.push(seen);
        answer
    }
}

pub struct Upstream {
    address: SocketAddr,
    state: watch::Sender<State>,
    listener: AbortHandle,
}

impl Upstream {
    pub async fn start() -> Upstream {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let state = watch::Sender::new(State::default());
        let shared = state.clone();
        let task = tokio::spawn(async move {
            // Dropped with this task, and every connection with it.
            let mut connections = JoinSet::new();
            for number in 0.. {
                let (stream, _) = listener.accept().await.unwrap();
                shared.send_modify(|state| state.connections += 1);
                connections.spawn(wire::serve(stream, number, shared.clone()));
                while connections.try_join_next().is_some() {}
            }
        });
        Upstream { address, state, listener: task.abort_handle() }
    }

    /// An upstream that gives one answer, whatever is asked.
    pub async fn always(answer: Answer) -> Upstream {
        let upstream = Upstream::start().await;
        upstream.state.send_modify(|state| state.otherwise = Some(answer));
        upstream
    }

    /// An upstream that gives these answers, in order.
    pub async fn script(answers: impl IntoIterator<Item = Answer>) -> Upstream {
        let upstream = Upstream::start().await;
        upstream.state.send_modify(|state| state.script = answers.into_iter().collect());
        upstream
    }

    pub fn then(&self, answer: Answer) {
        self.state.send_modify(|state| state.script.push_back(answer));
    }

    pub fn route(&self, path: &str, answer: Answer) {
        self.state.send_modify(|state| state.routes.push((path.into(), answer)));
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    pub fn base_url(&self) -> String {
        format!("http://{}/v1", self.address)
    }

    pub fn requests(&self) -> Vec<Seen> {
        self.state.borrow().seen.clone()
    }

    pub fn connections(&self) -> usize {
        self.state.borrow().connections
    }

    /// Bytes that clients have taken so far.
    pub fn written(&self) -> usize {
        self.state.borrow().written.load(Ordering::Relaxed)
    }

    /// The request of that number, counted from 0, as soon as it is there.
    pub async fn request(&self, number: usize) -> Seen {
        self.wait(&format!("request {number} at the upstream"), |state| state.seen.get(number).cloned()).await
    }

    /// When the client closed the connection of the request of that number.
    pub async fn closed(&self, number: usize) -> Instant {
        let what = format!("the client to close the connection of request {number} to the upstream");
        self.wait(&what, |state| state.closing(number)).await
    }

    pub fn is_closed(&self, number: usize) -> bool {
        self.state.borrow().closing(number).is_some()
    }

    async fn wait<T>(&self, what: &str, look: impl Fn(&State) -> Option<T>) -> T {
        let mut changes = self.state.subscribe();
        let state = soon(what, changes.wait_for(|state| look(state).is_some())).await;
        state.ok().and_then(|state| look(&state)).unwrap()
    }
}

impl Drop for Upstream {
    fn drop(&mut self) {
        self.listener.abort();
        let state = self.state.borrow();
        if !std::thread::panicking() && !state.unforeseen.is_empty() {
            panic!("the upstream was asked what no script foresaw: {:?}", state.unforeseen);
        }
    }
}
