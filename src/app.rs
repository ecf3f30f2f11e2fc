//! The composition root: the only place where everything meets.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use crate::api::{self, State};
use crate::config::Config;
use crate::edge::{Address, Doors, Listeners, Pipeline};
use crate::egress::Egress;
use crate::http::Router;
use crate::model::{Error, Result};
use crate::plugin::bundled::BUNDLED;
use crate::plugin::wasm::{Loader, Sandbox};
use crate::service::chat::Chat;
use crate::service::limit::Limiter;
use crate::service::provider::Providers;
use crate::service::{Clock, Readiness};
use crate::telemetry::stats::Stats;

/// A server whose plugins are loaded and whose sockets listen.
pub struct App {
    doors: Doors,
    pipeline: Arc<Pipeline<State>>,
    readiness: Arc<Readiness>,
    loader: Loader,
}

// === impl App ===

impl App {
    /// Binds the sockets, loads the plugins, and only then lets callers in: where another process has the port too, nobody is
    /// sent to one that can't serve yet.
    ///
    /// # Errors
    /// Says what can't be done, and what to change.
    pub async fn build(config: Config) -> Result<Self> {
        let listeners = Listeners::bind(&config.server)?;
        let egress = Egress::new(&config)?;
        let sandbox = Sandbox::new(&config.plugins)?;
        let loader = Loader::load(sandbox, config.plugins.clone(), BUNDLED).await?;
        let catalog = loader.catalog();
        let stats = Arc::new(Stats::default());
        let clock = Clock::system();
        let readiness = Arc::new(Readiness::default());
        let seconds = Duration::from_secs;
        let server = config.server.clone();
        let limiter = Arc::new(Limiter::new(&server.rate_limit, clock.clone()));
        let providers = Arc::new(Providers::new(config, egress, catalog.clone()));
        let state = State {
            chat: Chat::new(providers.clone(), limiter.clone(), stats.clone()),
            providers,
            conversations: Arc::default(),
            catalog,
            stats: stats.clone(),
            clock: clock.clone(),
            readiness: readiness.clone(),
            started: Instant::now(),
            environment: server.environment.clone(),
            keep_alive: seconds(server.keep_alive_secs.max(1)),
        };
        let router = Router::new(api::endpoints(), api::FALLBACK).map_err(Error::internal)?;
        let pipeline = Arc::new(Pipeline::new(Arc::new(state), router, &server, limiter, stats, clock)?);
        let doors = listeners.open()?;
        readiness.ready();
        Ok(Self { doors, pipeline, readiness, loader })
    }

    /// Where it listens, in the order of the configuration.
    pub fn addresses(&self) -> &[Address] {
        self.doors.addresses()
    }

    /// Whether callers must show a key.
    pub fn asks_for_keys(&self) -> bool {
        self.pipeline.asks_for_keys()
    }

    /// Serves until `end`, then lets requests in flight finish.
    pub async fn serve(self, end: impl Future<Output = ()>) {
        let watching = tokio::spawn(self.loader.watch());
        if let Err(error) = self.doors.serve(self.pipeline, self.readiness, end).await {
            tracing::error!(%error, "no worker could be started");
        }
        watching.abort();
    }
}
