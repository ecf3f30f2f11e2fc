//! The composition root: the only place where everything meets.

use std::future::Future;
use std::path::Path;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout};

use crate::api::{self, State};
use crate::config::{self, Config};
use crate::edge::{Address, Doors, Listeners, Pipeline};
use crate::egress::Egress;
use crate::http::{Fixed, Router};
use crate::model::{Error, Result};
use crate::plugin::bundled::BUNDLED;
use crate::plugin::process::Runner;
use crate::plugin::space::Space;
use crate::plugin::wasm::{Loader, Sandbox};
use crate::service::access::{Accounts, Belongings, COMMANDS};
use crate::service::budget::Budgets;
use crate::service::catalog::ModelCatalog;
use crate::service::chance::Chance;
use crate::service::chat::Chat;
use crate::service::control::{Control, Listening};
use crate::service::conversation::Conversations;
use crate::service::limit::Limiter;
use crate::service::prompt::Prompts;
use crate::service::provider::Providers;
use crate::service::responses::Responses;
use crate::service::run::Runs;
use crate::service::session::Sessions;
use crate::service::template::Templates;
use crate::service::{Clock, Readiness, Toolbox, upkeep};
use crate::store::{Health, Store};
use crate::telemetry::Telemetry;
use crate::telemetry::metrics::Metrics;
use crate::telemetry::otel::{self, Otel};
use crate::telemetry::stats::Stats;

/// How long what was said last may take to be written, once nobody is answered any more.
const LAST_WORDS: Duration = Duration::from_secs(10);

/// A server whose plugins are loaded and whose sockets listen.
pub struct App {
    doors: Doors,
    pipeline: Arc<Pipeline<State>>,
    readiness: Arc<Readiness>,
    loader: Loader,
    telemetry: Arc<Telemetry>,
    store: Store,
    runs: Arc<Runs>,
    sessions: Arc<Sessions>,
    accounts: Arc<Accounts>,
    /// For how long security events are kept.
    audited: Option<Duration>,
    budgets: Arc<Budgets>,
    /// Absent where nothing is stored.
    control: Option<Listening>,
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
        let clock = Clock::system();
        let egress = Egress::new(&config, clock.wall())?;
        let endpoints = api::endpoints();
        let metrics = Arc::new(Metrics::new(endpoints.iter().map(|endpoint| endpoint.path)));
        let exported = otel(&config.telemetry.otlp, &egress)?;
        let telemetry = Arc::new(Telemetry { metrics: metrics.clone(), stats: Stats::default(), otel: exported });
        let store = Store::open(&config.store, metrics.store.clone()).await?;
        let mut control = Control::default();
        upkeep::offer(&mut control, &store);
        let (data, audited) = (config.store.path.clone(), config.retention.audit);
        let accounts = Arc::new(Accounts::new(store.clone(), &config.server, clock.clone()));
        accounts.prepare().await?;
        let (budgets, writer) = Budgets::new(store.clone(), clock.clone());
        tokio::spawn(writer.run());
        for name in COMMANDS {
            let accounts = accounts.clone();
            control.on(name, move |with| {
                let accounts = accounts.clone();
                async move { accounts.command(name, with).await }
            });
        }
        let sessions = Arc::new(Sessions::new(store.clone(), clock.clone(), &config));
        let runner = Arc::new(Runner::new(config.plugins.process.clone()));
        let sandbox = Sandbox::new(&config.plugins)?.counting(metrics.plugins.clone()).reaching(
            egress.clone(),
            config.egress.timeouts,
            store.clone(),
            runner.clone(),
            Arc::new(Space::new(sessions.workspaces().clone())),
        );
        if config.plugins.grants.values().any(|grant| !grant.programs.is_empty()) {
            tokio::spawn(async move { runner.probe().await });
        }
        let loader = Loader::load(sandbox, config.plugins.clone(), BUNDLED).await?;
        let catalog = loader.catalog();
        let readiness = Arc::new(Readiness::default());
        let wait_for_disk = config.sessions.wait_for_disk;
        let templates = Templates::new(store.clone(), clock.clone());
        let responses = Responses::new(store.clone(), clock.clone());
        let seconds = Duration::from_secs;
        let (server, exposed) = (config.server.clone(), config.telemetry.metrics);
        let limiter = Arc::new(Limiter::new(&server.rate_limit, clock.clone()));
        let prompts = Prompts::new(&config.prompt, server.max_request_body_bytes, sessions.clone(), wait_for_disk);
        let (scratch, shared, bounds) = (config.store.path.join("scratch"), config.store.shared, config.runs.clone());
        let models = ModelCatalog::load(config.model_catalog.as_deref())?;
        let providers = Arc::new(Providers::new(config, egress, catalog.clone(), models));
        for fault in providers.route_faults() {
            // Its plugin may still come.
            tracing::warn!(error = fault.to_string(), "a route has a target that nobody serves");
        }
        let chat = Chat::new(
            providers.clone(),
            limiter.clone(),
            budgets.clone(),
            telemetry.clone(),
            Chance::system(),
            clock.clone(),
        );
        let chat = Arc::new(chat);
        let tools = Arc::new(Toolbox::new(catalog.clone(), metrics.plugins.clone(), scratch));
        let runs = Arc::new(
            Runs::new(store.clone(), chat.clone(), tools.clone(), bounds, clock.clone()).knowing(accounts.clone()),
        );
        sessions.depend(runs.clone());
        accounts.entrust(keepers(&store, &clock, sessions.clone(), runs.clone()));
        let state = State {
            chat,
            runs: runs.clone(),
            prompts,
            providers,
            store: store.clone(),
            budgets: budgets.clone(),
            conversations: Arc::new(Conversations::new(sessions.clone(), wait_for_disk)),
            sessions: sessions.clone(),
            tools,
            templates,
            responses,
            accounts: accounts.clone(),
            catalog,
            telemetry: telemetry.clone(),
            metrics: exposed,
            rendering: tokio::sync::Mutex::default(),
            clock: clock.clone(),
            readiness: readiness.clone(),
            started: Instant::now(),
            environment: server.environment.clone(),
            document: LazyLock::new(|| Fixed::new(api::document().to_string().into(), "application/json")),
            keep_alive: seconds(server.keep_alive_secs),
        };
        let router = Router::new(endpoints, api::FALLBACK).map_err(Error::internal)?;
        let state = Arc::new(state);
        let pipeline =
            Arc::new(Pipeline::new(state, router, &server, limiter, accounts.clone(), telemetry.clone(), clock)?);
        // Before anybody can ask how they are. A store that is full still gives what it has; what can't be written is later.
        for picked_up in [sessions.pick_up(!shared).await, runs.pick_up(!shared).await] {
            if let Err(error) = picked_up {
                tracing::warn!(error = error.to_string(), "what an earlier server left half done can't be ended yet");
            }
        }
        let control = listening(control, &store, &data);
        let doors = listeners.open()?;
        readiness.ready();
        Ok(Self {
            doors,
            pipeline,
            readiness,
            loader,
            telemetry,
            store,
            runs,
            sessions,
            accounts,
            audited,
            budgets,
            control,
        })
    }

    /// Where it listens, in the order of the configuration.
    pub fn addresses(&self) -> &[Address] {
        self.doors.addresses()
    }

    /// Whether callers must show a key.
    pub fn asks_for_keys(&self) -> bool {
        self.pipeline.asks_for_keys()
    }

    /// What it counts.
    pub fn metrics(&self) -> Arc<Metrics> {
        self.telemetry.metrics.clone()
    }

    /// Serves until `end`, then lets requests in flight finish.
    ///
    /// # Errors
    /// If no worker can be started.
    pub async fn serve(self, end: impl Future<Output = ()>) -> Result<()> {
        let watching = tokio::spawn(self.loader.watch());
        let (tending, runs) = (tokio::spawn(self.runs.clone().tend()), self.runs.clone());
        let tends = tending.abort_handle();
        // Who watches a run is let go when it stops.
        let end = async move {
            end.await;
            // Nor is taken up again here what is let go.
            tends.abort();
            runs.shut_down().await;
        };
        let sweeping = [tokio::spawn(self.sessions.clone().sweep()), tokio::spawn(self.accounts.sweep(self.audited))];
        let served = self.doors.serve(self.pipeline, self.readiness, end).await;
        watching.abort();
        tending.abort();
        // Some may have been begun since.
        self.runs.shut_down().await;
        sweeping.iter().for_each(JoinHandle::abort);
        // What was answered is written, and what it took, if the store still takes it.
        if timeout(LAST_WORDS, self.budgets.flush()).await.is_err() {
            tracing::error!("the store didn't take what calls used within {} s", LAST_WORDS.as_secs());
        }
        if timeout(LAST_WORDS, self.sessions.settle()).await.is_err() {
            tracing::error!("the store didn't take all that was said within {} s", LAST_WORDS.as_secs());
        }
        drop(self.control);
        if let Err(error) = self.store.close().await {
            tracing::warn!(%error, "the store couldn't be closed properly; it is repaired when it is opened next");
        }
        let telemetry = self.telemetry;
        if telemetry.otel.is_some() {
            let finish = move || telemetry.otel.as_ref().map(Otel::finish);
            // It has a bound of its own; a panic there ends nothing that still runs.
            let _ = tokio::task::spawn_blocking(finish).await;
        }
        served.map_err(Error::internal)
    }
}

/// Who keeps what users own.
pub(crate) fn keepers(
    store: &Store,
    clock: &Clock,
    sessions: Arc<Sessions>,
    runs: Arc<dyn Belongings>,
) -> Vec<Arc<dyn Belongings>> {
    let templates = Arc::new(Templates::new(store.clone(), clock.clone()));
    let responses = Arc::new(Responses::new(store.clone(), clock.clone()));
    vec![sessions, templates, responses, runs]
}

/// Listens to commands, where there is a directory for that.
fn listening(control: Control, store: &Store, directory: &Path) -> Option<Listening> {
    if store.health() == Health::Volatile {
        return None;
    }
    let listening = control.listen(directory);
    listening
        .inspect_err(
            |error| tracing::warn!(%error, "no socket for commands: `mortise store backup` has to wait for the end"),
        )
        .ok()
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
