//! Accepts connections, serves each in a task of its own, and lets them finish at the end.

use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use super::pipeline::Pipeline;

/// How long nothing is accepted after accepting failed, as it does when file descriptors run out.
const BACK_OFF: Duration = Duration::from_millis(50);
/// The largest head of a request.
const HEAD_BYTES: usize = 64 << 10;

/// A bound socket.
pub struct Listener {
    socket: TcpListener,
}

/// What bounds connections.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// How long a caller may take to send a request's head.
    pub head_within: Duration,
    /// How long requests in flight may go on after the end was asked for.
    pub drain_within: Duration,
}

// === impl Listener ===

impl Listener {
    /// Binds `address`.
    ///
    /// # Errors
    /// If somebody else listens there, or it isn't ours.
    pub async fn bind(address: SocketAddr) -> io::Result<Self> {
        Ok(Self { socket: TcpListener::bind(address).await? })
    }

    /// Where it listens.
    ///
    /// # Errors
    /// If the system doesn't say.
    pub fn address(&self) -> io::Result<SocketAddr> {
        self.socket.local_addr()
    }

    /// Serves until `end`, then lets requests in flight finish.
    pub async fn serve<S: Send + Sync + 'static>(
        self,
        pipeline: Arc<Pipeline<S>>,
        settings: Settings,
        end: impl Future<Output = ()>,
    ) {
        let mut builder = auto::Builder::new(TokioExecutor::new());
        builder
            .http1()
            .timer(TokioTimer::new())
            .header_read_timeout(settings.head_within)
            .max_buf_size(HEAD_BYTES)
            .http2()
            .timer(TokioTimer::new())
            .max_header_list_size(u32::try_from(HEAD_BYTES).unwrap_or(u32::MAX));
        let builder = Arc::new(builder);
        let graceful = GracefulShutdown::new();
        let mut connections = JoinSet::new();
        let mut end = std::pin::pin!(end);
        loop {
            tokio::select! {
                accepted = self.socket.accept() => match accepted {
                    Ok((stream, _)) => {
                        if let Some(connection) = serve_connection(stream, &builder, &graceful, pipeline.clone()) {
                            connections.spawn(connection);
                        }
                    }
                    Err(error) => {
                        tracing::warn!(%error, "a connection could not be accepted");
                        tokio::time::sleep(BACK_OFF).await;
                    }
                },
                // Those that are over are forgotten.
                Some(_) = connections.join_next() => {}
                () = &mut end => break,
            }
        }
        // Nobody new from here on: the socket is closed.
        drop(self.socket);
        tracing::info!("stopping; requests in flight may finish within {} s", settings.drain_within.as_secs());
        if tokio::time::timeout(settings.drain_within, graceful.shutdown()).await.is_err() {
            tracing::warn!("requests in flight did not finish in time and are cut");
            connections.shutdown().await;
        }
    }
}

fn serve_connection<S: Send + Sync + 'static>(
    stream: TcpStream,
    builder: &Arc<auto::Builder<TokioExecutor>>,
    graceful: &GracefulShutdown,
    pipeline: Arc<Pipeline<S>>,
) -> Option<impl Future<Output = ()> + Send + 'static> {
    // Without this, small pieces of a stream wait for the caller's acknowledgements.
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "a connection was gone before it began");
        return None;
    }
    let service = service_fn(move |request| {
        let pipeline = pipeline.clone();
        async move { Ok::<_, Infallible>(pipeline.serve(request).await) }
    });
    let connection = builder.serve_connection(TokioIo::new(stream), service).into_owned();
    let connection = graceful.watch(connection);
    Some(async move {
        if let Err(error) = connection.await {
            // Callers hang up and send nonsense: nothing that an operator has to know.
            tracing::debug!(%error, "a connection ended early");
        }
    })
}
