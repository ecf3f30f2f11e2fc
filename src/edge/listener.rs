//! Accepts connections, hands each to the worker with the fewest, and lets them finish at the end.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;

use super::pipeline::Pipeline;
use super::worker::Worker;

/// How long nothing is accepted after accepting failed, as it does when file descriptors run out.
const BACK_OFF: Duration = Duration::from_millis(50);

/// A bound socket.
pub struct Listener {
    socket: TcpListener,
}

/// What bounds connections.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// Threads that serve.
    pub workers: usize,
    /// How long a caller may take to send a request's head.
    pub head_within: Duration,
    /// How long a caller may take nothing of what is sent.
    pub write_within: Duration,
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
    ///
    /// # Errors
    /// If no worker can be started.
    pub async fn serve<S: Send + Sync + 'static>(
        self,
        pipeline: Arc<Pipeline<S>>,
        settings: Settings,
        end: impl Future<Output = ()>,
    ) -> io::Result<()> {
        let workers: Vec<Worker> = (0..settings.workers.max(1))
            .map(|number| Worker::start(number, pipeline.clone(), settings))
            .collect::<io::Result<_>>()?;
        let mut end = std::pin::pin!(end);
        loop {
            tokio::select! {
                accepted = self.socket.accept() => match accepted {
                    Ok((stream, _)) => {
                        // Without this, small pieces of a stream wait for the caller's acknowledgements.
                        let undelayed = stream.set_nodelay(true);
                        if let (Ok(()), Some(worker)) = (undelayed, workers.iter().min_by_key(|worker| worker.load())) {
                            worker.take(stream);
                        }
                    }
                    Err(error) => {
                        tracing::warn!(%error, "a connection could not be accepted");
                        tokio::time::sleep(BACK_OFF).await;
                    }
                },
                () = &mut end => break,
            }
        }
        // Nobody new from here on: the socket is closed.
        drop(self.socket);
        tracing::info!("stopping; requests in flight may finish within {} s", settings.drain_within.as_secs());
        futures_util::future::join_all(workers.into_iter().map(Worker::end)).await;
        Ok(())
    }
}
