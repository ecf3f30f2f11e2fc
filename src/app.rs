//! The composition root: the only place where everything meets.

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use crate::api::{self, State};
use crate::config::{self, Config};
use crate::edge::{Listener, Pipeline, Settings};
use crate::egress::Egress;
use crate::http::Router;
use crate::http::request::BodyLimits;
use crate::model::{Error, Result};
use crate::plugin::bundled::BUNDLED;
use crate::plugin::wasm::{Loader, Sandbox};
use crate::service::Clock;
use crate::service::chat::Chat;
use crate::service::provider::Providers;
use crate::telemetry::Telemetry;
use crate::telemetry::metrics::Metrics;
use crate::telemetry::otel::{self, Otel};
use crate::telemetry::stats::Stats;

/// A server whose sockets are bound and whose plugins are loaded.
pub struct App {
    listener: Listener,
    pipeline: Arc<Pipeline<State>>,
    settings: Settings,
    loader: Loader,
    telemetry: Arc<Telemetry>,
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
        let endpoints = api::endpoints();
        let metrics = Arc::new(Metrics::new(endpoints.iter().map(|endpoint| endpoint.path)));
        let exported = otel(&config.telemetry.otlp, &egress)?;
        let telemetry = Arc::new(Telemetry { metrics: metrics.clone(), stats: Stats::default(), otel: exported });
        let sandbox = Sandbox::new(&config.plugins)?.counting(metrics.plugins.clone());
        let loader = Loader::load(sandbox, config.plugins.clone(), BUNDLED).await?;
        let catalog = loader.catalog();
        let clock = Clock::system();
        let seconds = Duration::from_secs;
        let (server, exposed) = (config.server.clone(), config.telemetry.metrics);
        let providers = Arc::new(Providers::new(config, egress, catalog.clone()));
        let state = State {
            chat: Chat::new(providers.clone(), telemetry.clone()),
            providers,
            conversations: Arc::default(),
            catalog,
            telemetry: telemetry.clone(),
            metrics: exposed,
            clock: clock.clone(),
            started: Instant::now(),
            environment: server.environment,
            keep_alive: seconds(server.keep_alive_secs.max(1)),
        };
        let limits =
            BodyLimits { most: server.max_request_body_bytes, within: seconds(server.read_timeout_secs.max(1)) };
        let router = Router::new(endpoints, api::FALLBACK).map_err(Error::internal)?;
        let pipeline = Arc::new(Pipeline::new(Arc::new(state), router, limits, telemetry.clone(), clock));
        let cores = || std::thread::available_parallelism().map_or(1, usize::from);
        let settings = Settings {
            workers: if server.workers == 0 { cores() } else { server.workers },
            head_within: seconds(server.read_timeout_secs.max(1)),
            write_within: seconds(server.write_timeout_secs.max(1)),
            drain_within: seconds(server.shutdown_timeout_secs),
        };
        Ok(Self { listener, pipeline, settings, loader, telemetry })
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
        let telemetry = self.telemetry;
        if telemetry.otel.is_some() {
            let finish = move || telemetry.otel.as_ref().map(Otel::finish);
            // It has a bound of its own; a panic there ends nothing that still runs.
            let _ = tokio::task::spawn_blocking(finish).await;
        }
    }
}

/// Starts exporting, if the operator wants that.
fn otel(config: &config::Otlp, egress: &Egress) -> Result<Option<Otel>> {
    if !config.enabled {
        return Ok(None);
    }
    let wrong = |error: String| Error::internal(&error);
    let secret = |(name, secret): (&String, &config::Secret)| match secret.resolve() {
        Ok(value) => Ok((name.clone(), value)),
        Err(error) => Err(wrong(format!("telemetry.otlp.headers.{name}: {error}"))),
    };
    let settings = otel::Settings {
        endpoint: config.endpoint.clone(),
        headers: config.headers.iter().map(secret).collect::<Result<_>>()?,
        service_name: config.service_name.clone(),
        sample_ratio: config.sample_ratio,
        interval: config.interval,
    };
    Otel::start(settings, egress.exporter()?).map(Some).map_err(wrong)
}
