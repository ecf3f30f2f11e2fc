//! Accepts connections, hands each to the worker with the fewest, and lets them finish at the end.

use std::fmt;
use std::future::Future;
use std::io;
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use tokio::sync::watch;
use tokio::time::{Instant, sleep};

use super::connection::{Arrival, Entrance, Shared};
use super::descriptors;
use super::fair::Flow;
use super::guard::Guard;
use super::protocol::Http;
use super::socket::{self, Bound, Open};
use super::tls::Tls;
use super::worker::Worker;
use crate::config::Server;
use crate::edge::pipeline::Pipeline;
use crate::model::caller::network;
use crate::model::{Error, Result};
use crate::service::Readiness;

/// How long nothing is accepted after accepting failed, as it does when file descriptors run out.
const BACK_OFF: Duration = Duration::from_millis(50);

/// How often such failures are logged.
const QUIET: Duration = Duration::from_secs(1);

/// How long handshakes that began before another process took over may take to reach the queue; callers whose first packet was
/// dropped try again after a second.
const LINGER: Duration = Duration::from_millis(900);

/// Connections that a queue may still hold when it is emptied for the last time.
const LAST: usize = 8192;

/// Where callers can come in; nobody is let in yet.
pub struct Listeners {
    all: Vec<(Bound, Entrance)>,
    tls: Option<Arc<Tls>>,
    server: Server,
}

/// Where callers come in.
pub struct Doors {
    all: Vec<(Open, Entrance)>,
    addresses: Vec<Address>,
    tls: Option<Arc<Tls>>,
    server: Server,
}

/// Where a listener listens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Address {
    /// Address and port.
    pub socket: SocketAddr,
    /// Whether it speaks TLS.
    pub secure: bool,
}

// === impl Listeners ===

impl Listeners {
    /// Reads certificates and binds sockets, or takes those that the service manager has opened: the first stands in place of the
    /// first listener, and so on.
    ///
    /// # Errors
    /// Says which address or file is at fault, and what to change.
    pub fn bind(server: &Server) -> Result<Self> {
        descriptors::raise(server);
        let listeners = server.listeners();
        let tls = super::certificates(server)?.map(Arc::new);
        let passed =
            socket::inherited().map_err(|error| Error::internal(format!("LISTEN_FDS can't be used: {error}")))?;
        if passed.len() > listeners.len() {
            let (passed, known) = (passed.len(), listeners.len());
            return Err(Error::internal(format!(
                "the service manager passes {passed} sockets, but there are {known} listeners; list them under server.listen"
            )));
        }
        let mut passed = passed.into_iter();
        let mut all = Vec::new();
        for listen in listeners {
            let bound = match passed.next() {
                Some(listener) => Bound::Inherited(listener),
                None => {
                    Bound::bind(listen.address, server.reuse_port).map_err(|error| taken(listen.address, &error))?
                }
            };
            let tls = tls.as_ref().filter(|_| server.speaks_tls(&listen)).cloned();
            all.push((bound, Entrance { tls, proxy_protocol: listen.proxy_protocol }));
        }
        Ok(Self { all, tls, server: server.clone() })
    }

    /// Lets callers in: whoever comes now is served, or waits for no more than a moment.
    ///
    /// # Errors
    /// If somebody else listens there since.
    pub fn open(self) -> Result<Doors> {
        let (mut all, mut addresses) = (Vec::new(), Vec::new());
        for (bound, entrance) in self.all {
            let socket = bound.address().map_err(Error::internal)?;
            all.push((bound.listen().map_err(|error| taken(socket, &error))?, entrance.clone()));
            addresses.push(Address { socket, secure: entrance.tls.is_some() });
        }
        Ok(Doors { all, addresses, tls: self.tls, server: self.server })
    }
}

fn taken(address: SocketAddr, error: &io::Error) -> Error {
    Error::internal(format!(
        "can't listen on {address}: {error}; set server.port, server.listen or --port to another one"
    ))
}

// === impl Doors ===

impl Doors {
    /// Where they are, in the order of the configuration.
    pub fn addresses(&self) -> &[Address] {
        &self.addresses
    }

    /// Serves until `end`, then lets requests in flight finish.
    ///
    /// # Errors
    /// If no worker can be started.
    pub async fn serve<S: Send + Sync + 'static>(
        self,
        pipeline: Arc<Pipeline<S>>,
        readiness: Arc<Readiness>,
        end: impl Future<Output = ()>,
    ) -> io::Result<()> {
        let (close, closing) = watch::channel(false);
        let drain_within = Duration::from_secs(self.server.shutdown_timeout_secs);
        let cores = || std::thread::available_parallelism().map_or(1, usize::from);
        let count = if self.server.workers == 0 { cores() } else { self.server.workers };
        let start = |number| {
            let http = Http::new(&self.server);
            let shared = Shared { pipeline: pipeline.clone(), http, readiness: readiness.clone() };
            Worker::start(number, shared, closing.clone(), drain_within)
        };
        let workers: Vec<Worker> = (0..count).map(start).collect::<io::Result<_>>()?;
        let hall = Hall { guard: Guard::new(&self.server, pipeline.metrics().clone()), workers };
        let rereading = async {
            match &self.tls {
                Some(tls) => tls.watch().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            _ = join_all(self.all.iter().map(|(open, entrance)| hall.accept(open, entrance))) => {}
            _ = rereading => {}
            _ = hall.guard.report() => {}
            () = self.leave(&readiness, end) => {}
        }
        for (open, entrance) in self.all {
            hall.empty(&open, &entrance);
            // Nobody new from here on.
            drop(open);
        }
        // An error means that there is no connection.
        let _ = close.send(true);
        tracing::info!("stopping; requests in flight may finish within {} s", drain_within.as_secs());
        join_all(hall.workers.into_iter().map(Worker::end)).await;
        Ok(())
    }

    /// From the word that it is over to the moment when nobody is accepted any more.
    async fn leave(&self, readiness: &Readiness, end: impl Future<Output = ()>) {
        end.await;
        readiness.drain();
        let delay = self.server.shutdown_delay_secs;
        if delay > 0 {
            tracing::info!("not ready any more; connections are accepted for another {delay} s");
            sleep(Duration::from_secs(delay)).await;
        }
        let others = self.all.iter().filter(|(open, _)| open.step_aside()).count();
        if others > 0 {
            tracing::info!("another process takes over");
            sleep(LINGER).await;
        }
    }
}

// === impl Address ===

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", if self.secure { "https" } else { "http" }, self.socket)
    }
}

/// Where those who came in are dealt with.
struct Hall {
    guard: Arc<Guard>,
    workers: Vec<Worker>,
}

// === impl Hall ===

impl Hall {
    /// Accepts for ever.
    async fn accept(&self, open: &Open, entrance: &Entrance) {
        let mut said: Option<Instant> = None;
        loop {
            match open.listener.accept().await {
                Ok((stream, address)) => {
                    if let Ok(stream) = stream.into_std() {
                        self.take(stream, address, entrance);
                    }
                }
                // It is about that one connection, whose caller has gone already.
                Err(error) if is_about_the_caller(&error) => {}
                Err(error) => {
                    if said.is_none_or(|said| said.elapsed() >= QUIET) {
                        tracing::warn!(%error, "connections can't be accepted; trying again");
                        said = Some(Instant::now());
                    }
                    sleep(BACK_OFF).await;
                }
            }
        }
    }

    /// Takes what the queue holds already: it would be reset with the socket.
    fn empty(&self, open: &Open, entrance: &Entrance) {
        for _ in 0..LAST {
            let Ok((stream, address)) = open.queued() else { break };
            self.take(stream, address, entrance);
        }
    }

    fn take(&self, stream: TcpStream, address: SocketAddr, entrance: &Entrance) {
        // Who is refused is closed by being dropped.
        let Some(seat) = self.guard.enter() else { return };
        if let Some(worker) = self.workers.iter().min_by_key(|worker| worker.load()) {
            let caller = address.ip().to_canonical();
            let many = entrance.proxy_protocol || self.guard.trusts(caller);
            let flow = if many { Flow::Connection(address) } else { Flow::Address(network(caller)) };
            worker.take(Arrival { stream, address: caller, flow, entrance: entrance.clone(), seat });
        }
    }
}

fn is_about_the_caller(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}
