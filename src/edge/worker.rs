//! A thread that serves connections, with a runtime of its own.
//!
//! A request's work, its guest and its vendor's connection stay on one thread, because waking another costs more than all the
//! rest: measured beside nginx, half as many requests again.

use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::net::TcpStream as StdStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::TcpStream;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::{mpsc, oneshot};

use super::listener::Settings;
use super::patience::Patient;
use super::pipeline::{Peer, Pipeline};

/// The largest head of a request.
const HEAD_BYTES: usize = 64 << 10;
/// Probes that tell whether an HTTP/2 caller is still there.
const PROBE: Duration = Duration::from_secs(20);

/// See the module.
pub(super) struct Worker {
    /// Closed when nothing more is to come.
    connections: mpsc::UnboundedSender<StdStream>,
    open: Arc<AtomicUsize>,
    ended: oneshot::Receiver<()>,
}

/// Counts a connection for as long as it lives.
struct Open(Arc<AtomicUsize>);

// === impl Worker ===

impl Worker {
    pub(super) fn start<S: Send + Sync + 'static>(
        number: usize,
        pipeline: Arc<Pipeline<S>>,
        settings: Settings,
    ) -> io::Result<Self> {
        let (connections, incoming) = mpsc::unbounded_channel();
        let (ending, ended) = oneshot::channel();
        let open = Arc::new(AtomicUsize::new(0));
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let counter = open.clone();
        // Named after who started it, so that several servers in one process can be told apart.
        let name = format!("{}-worker-{number}", thread::current().name().unwrap_or("mortise"));
        thread::Builder::new().name(name).spawn(move || {
            run(runtime, serve(incoming, counter, pipeline, settings));
            // Nobody may be waiting any more.
            let _ = ending.send(());
        })?;
        Ok(Self { connections, open, ended })
    }

    /// Connections that it serves now.
    pub(super) fn load(&self) -> usize {
        self.open.load(Ordering::Relaxed)
    }

    pub(super) fn take(&self, stream: TcpStream) {
        let stream = stream.into_std().inspect_err(|error| tracing::debug!(%error, "a connection was gone early"));
        if let Ok(stream) = stream {
            // A worker takes connections for as long as this lives.
            let _ = self.connections.send(stream);
        }
    }

    /// Lets connections finish, for as long as the settings allow.
    pub(super) async fn end(self) {
        drop(self.connections);
        // An error means that it has ended already.
        let _ = self.ended.await;
    }
}

/// Runs `work`; what it leaves behind is cut.
fn run(runtime: Runtime, work: impl Future<Output = ()>) {
    runtime.block_on(work);
    runtime.shutdown_background();
}

async fn serve<S: Send + Sync + 'static>(
    mut incoming: mpsc::UnboundedReceiver<StdStream>,
    open: Arc<AtomicUsize>,
    pipeline: Arc<Pipeline<S>>,
    settings: Settings,
) {
    let builder = Arc::new(protocols(settings));
    let graceful = GracefulShutdown::new();
    while let Some(stream) = incoming.recv().await {
        open.fetch_add(1, Ordering::Relaxed);
        let counted = Open(open.clone());
        let stream = match TcpStream::from_std(stream) {
            Ok(stream) => stream,
            Err(error) => {
                tracing::warn!(%error, "a connection could not be served");
                continue;
            }
        };
        let (builder, pipeline, watcher) = (builder.clone(), pipeline.clone(), graceful.watcher());
        tokio::spawn(async move {
            let _counted = counted;
            // Who says nothing at all is no caller.
            if tokio::time::timeout(settings.head_within, stream.readable()).await.is_err() {
                return;
            }
            let (Ok(address), Ok(local)) = (stream.peer_addr(), stream.local_addr()) else { return };
            let (address, local) = (address.ip().to_canonical(), local.ip().to_canonical());
            let peer = Peer { address, local, secure: false };
            let service = service_fn(move |request| {
                let pipeline = pipeline.clone();
                async move { Ok::<_, Infallible>(pipeline.serve(request, &peer).await) }
            });
            let connection =
                builder.serve_connection(TokioIo::new(Patient::new(stream, settings.write_within)), service);
            if let Err(error) = watcher.watch(connection).await {
                // Callers hang up and send nonsense: nothing that an operator has to know.
                tracing::debug!(%error, "a connection ended early");
            }
        });
    }
    if tokio::time::timeout(settings.drain_within, graceful.shutdown()).await.is_err() {
        tracing::warn!("requests in flight did not finish in time and are cut");
    }
}

fn protocols(settings: Settings) -> auto::Builder<TokioExecutor> {
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(settings.head_within)
        .max_buf_size(HEAD_BYTES)
        .http2()
        .timer(TokioTimer::new())
        .keep_alive_interval(PROBE)
        .keep_alive_timeout(PROBE)
        .max_header_list_size(u32::try_from(HEAD_BYTES).unwrap_or(u32::MAX));
    builder
}

// === impl Open ===

impl Drop for Open {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}
