//! The composition root: the only place where everything meets.

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use crate::api::{self, State};
use crate::config::Config;
use crate::edge::{Listener, Pipeline, Settings};
use crate::egress::Egress;
use crate::http::request::BodyLimits;
use crate::http::{Fixed, Router};
use crate::model::{Error, Result};
use crate::plugin::bundled::BUNDLED;
use crate::plugin::wasm::{Loader, Sandbox};
use crate::service::Clock;
use crate::service::chat::Chat;
use crate::service::provider::Providers;
use crate::telemetry::stats::Stats;

/// A server whose sockets are bound and whose plugins are loaded.
pub struct App {
    listener: Listener,
    pipeline: Arc<Pipeline<State>>,
    settings: Settings,
    loader: Loader,
}

// === impl App ===

impl App {
    /// Binds the sockets, then loads the plugins.
    ///
    /// # Errors
    /// Says what can't be done, and what to change.
    pub async fn build(config: Config) -> Result<Self> {
        let address = SocketAddr::new(config.server.host, config.server.port);
        let listener = Listener::bind(address).await.map_err(|error| {
            Error::internal(format!("can't listen on {address}: {error}; set server.port or --port to another port"))
        })?;
        let egress = Egress::new(&config)?;
        let sandbox = Sandbox::new(&config.plugins)?;
        let loader = Loader::load(sandbox, config.plugins.clone(), BUNDLED).await?;
        let catalog = loader.catalog();
        let stats = Arc::new(Stats::default());
        let clock = Clock::system();
        let seconds = Duration::from_secs;
        let server = config.server.clone();
        let providers = Arc::new(Providers::new(config, egress, catalog.clone()));
        let state = State {
            chat: Chat::new(providers.clone(), stats.clone()),
            providers,
            conversations: Arc::default(),
            catalog,
            stats: stats.clone(),
            clock: clock.clone(),
            started: Instant::now(),
            environment: server.environment,
            document: Fixed::new(api::document().to_string().into(), "application/json"),
            keep_alive: seconds(server.keep_alive_secs.max(1)),
        };
        let limits =
            BodyLimits { most: server.max_request_body_bytes, within: seconds(server.read_timeout_secs.max(1)) };
        let router = Router::new(api::endpoints(), api::FALLBACK).map_err(Error::internal)?;
        let pipeline = Arc::new(Pipeline::new(Arc::new(state), router, limits, stats, clock));
        let cores = || std::thread::available_parallelism().map_or(1, usize::from);
        let settings = Settings {
            workers: if server.workers == 0 { cores() } else { server.workers },
            head_within: seconds(server.read_timeout_secs.max(1)),
            write_within: seconds(server.write_timeout_secs.max(1)),
            drain_within: seconds(server.shutdown_timeout_secs),
        };
        Ok(Self { listener, pipeline, settings, loader })
    }

    /// Where it listens.
    ///
    /// # Errors
    /// If the system doesn't say.
    pub fn address(&self) -> Result<SocketAddr> {
        self.listener.address().map_err(Error::internal)
    }

    /// Serves until `end`, then lets requests in flight finish.
    pub async fn serve(self, end: impl Future<Output = ()>) {
        let watching = tokio::spawn(self.loader.watch());
        if let Err(error) = self.listener.serve(self.pipeline, self.settings, end).await {
            tracing::error!(%error, "no worker could be started");
        }
        watching.abort();
    }
}
