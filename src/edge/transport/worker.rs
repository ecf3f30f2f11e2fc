//! A thread that serves connections, with a runtime of its own.
//!
//! A request's work, its guest and its vendor's connection stay on one thread, because waking another costs more than all the
//! rest: measured beside nginx, half as many requests again.

use std::future::Future;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use tokio::runtime::{Builder, Runtime};
use tokio::sync::{mpsc, oneshot};

use super::connection::{self, Arrival, Closing, Shared};
use super::fair::{self, Fair, Flow};

/// See the module.
pub(super) struct Worker {
    /// Closed when nothing more is to come.
    arrivals: mpsc::UnboundedSender<Arrival>,
    open: Arc<AtomicUsize>,
    ended: oneshot::Receiver<()>,
}

/// Counts a connection for as long as it lives.
struct Open {
    count: Arc<AtomicUsize>,
    /// Nobody sends: whoever waits for it waits until all are gone.
    _gone: mpsc::Sender<()>,
}

// === impl Worker ===

impl Worker {
    /// `drain_within`: how long connections may take to end once they were told to.
    pub(super) fn start<S: Send + Sync + 'static>(
        number: usize,
        shared: Shared<S>,
        closing: Closing,
        drain_within: Duration,
    ) -> io::Result<Self> {
        let (arrivals, incoming) = mpsc::unbounded_channel();
        let (ending, ended) = oneshot::channel();
        let open = Arc::new(AtomicUsize::new(0));
        let fair = Fair::new();
        let parking = fair.clone();
        let runtime = Builder::new_current_thread().enable_all().on_thread_unpark(move || parking.asked()).build()?;
        let counter = open.clone();
        // Named after who started it, so that several servers in one process can be told apart.
        let name = format!("{}-worker-{number}", thread::current().name().unwrap_or("mortise"));
        thread::Builder::new().name(name).spawn(move || {
            run(runtime, serve(incoming, counter, Arc::new(shared), fair, closing, drain_within));
            // Nobody may be waiting any more.
            let _ = ending.send(());
        })?;
        Ok(Self { arrivals, open, ended })
    }

    /// Connections that it serves now.
    pub(super) fn load(&self) -> usize {
        self.open.load(Ordering::Relaxed)
    }

    pub(super) fn take(&self, arrival: Arrival) {
        self.open.fetch_add(1, Ordering::Relaxed);
        // A worker takes connections for as long as this lives.
        let _ = self.arrivals.send(arrival);
    }

    /// Nothing more is to come: waits until connections have finished, or their time is over.
    pub(super) async fn end(self) {
        drop(self.arrivals);
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
    mut incoming: mpsc::UnboundedReceiver<Arrival>,
    count: Arc<AtomicUsize>,
    shared: Arc<Shared<S>>,
    fair: Arc<Fair>,
    closing: Closing,
    drain_within: Duration,
) {
    let (gone, mut all_gone) = mpsc::channel(1);
    let attendant = fair.clone();
    tokio::spawn(async move { attendant.attend().await });
    let arrivals = async {
        while let Some(arrival) = incoming.recv().await {
            let open = Open { count: count.clone(), _gone: gone.clone() };
            let (flow, shared, closing) = (arrival.flow, shared.clone(), closing.clone());
            // Boxed, because whoever wraps a future holds it twice.
            let connection = Box::pin(async move {
                connection::serve(arrival, shared, closing).await;
                drop(open);
            });
            tokio::spawn(fair.clone().run(flow, connection));
            fair::proceed().await;
        }
    };
    fair.clone().run(Flow::Arrivals, arrivals).await;
    drop(gone);
    if tokio::time::timeout(drain_within, all_gone.recv()).await.is_err() {
        let open = count.load(Ordering::Relaxed);
        tracing::warn!("requests in flight did not finish in time; {open} connections are cut");
    }
}

// === impl Open ===

impl Drop for Open {
    fn drop(&mut self) {
        self.count.fetch_sub(1, Ordering::Relaxed);
    }
}
