//! `mortise serve` and `mortise check`.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use sd_notify::NotifyState;
use tokio::signal::unix::{SignalKind, signal};

use super::{block_on, print, rest};
use crate::app::App;
use crate::config::{self, Config, LogFormat};
use crate::edge;
use crate::egress::Egress;
use crate::plugin::bundled::BUNDLED;
use crate::plugin::wasm::{Loader, Sandbox};
use crate::service::Clock;
use crate::service::catalog::ModelCatalog;
use crate::service::provider::Providers;
use crate::telemetry::log;

/// How long threads that still compute may take to notice that it is over.
const LAST_MOMENTS: Duration = Duration::from_millis(500);

/// `file`: where `config` was read from, if somebody said.
pub(super) fn serve(mut config: Config, file: Option<PathBuf>) -> Result<ExitCode, String> {
    config.plugins.compiler = compiler(file);
    let _log = log::start(&log_settings(&config.logging))?;
    // Requests are served on the workers' own threads; this one accepts, and watches plugins.
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    let runtime = builder.worker_threads(1).enable_all().build().map_err(|error| error.to_string())?;
    let served = runtime.block_on(async {
        tokio::spawn(log::report_dropped());
        let app = Box::pin(App::build(config)).await.map_err(|error| error.private().unwrap_or(error.public()).to_owned())?;
        let open = app.addresses().iter().find(|address| !address.socket.ip().is_loopback());
        if let (Some(address), false) = (open, app.asks_for_keys()) {
            tracing::warn!("{address} can be reached from other machines, and nobody is asked who they are: whoever reaches it can use your providers; set MORTISE_API_KEY");
        }
        for address in app.addresses() {
            tracing::info!(version = env!("CARGO_PKG_VERSION"), "listening on {address}");
        }
        rest::give_back();
        tokio::spawn(rest::keep(app.metrics()));
        tell(NotifyState::Ready);
        // Every signal reaches both of them; the second one counts to two.
        let (mut first, mut second) = (stop_signal()?, stop_signal()?);
        let told = async move {
            first.recv().await;
            tell(NotifyState::Stopping);
        };
        tokio::select! {
            served = app.serve(told) => served.map_err(|error| error.to_string()),
            () = async { second.recv().await; second.recv().await } => {
                tracing::warn!("told twice to stop; requests in flight are cut");
                Ok(())
            }
        }
    });
    runtime.shutdown_timeout(LAST_MOMENTS);
    served.map(|()| ExitCode::SUCCESS)
}

/// This program, as what compiles plugins with the same configuration.
fn compiler(file: Option<PathBuf>) -> Option<config::Compiler> {
    let file = file.into_iter().flat_map(|file| ["--config".into(), file.into_os_string()]);
    let arguments = file.chain(["plugin", "warm"].map(OsString::from)).collect();
    std::env::current_exe().ok().map(|program| config::Compiler { program, arguments })
}

/// Tells the service manager, if there is one that wants to know.
fn tell(state: NotifyState<'_>) {
    if let Err(error) = sd_notify::notify(&[state]) {
        tracing::warn!(%error, "the service manager can't be told what the server does");
    }
}

fn log_settings(config: &config::Logging) -> log::Settings {
    let files = config.file.then(|| log::Files {
        directory: config.directory.clone(),
        rotation: match config.rotation {
            config::Rotation::Hourly => log::Rotation::Hourly,
            config::Rotation::Daily => log::Rotation::Daily,
            config::Rotation::Never => log::Rotation::Never,
        },
        keep: config.keep,
    });
    let format = match config.format {
        LogFormat::Text => log::Format::Text,
        LogFormat::Json => log::Format::Json,
    };
    log::Settings { level: config.level.clone(), format, console: config.console, files }
}

/// Hears SIGTERM and SIGINT.
struct StopSignal {
    terminate: tokio::signal::unix::Signal,
    interrupt: tokio::signal::unix::Signal,
}

fn stop_signal() -> Result<StopSignal, String> {
    let hear = |kind| signal(kind).map_err(|error| format!("can't hear signals: {error}"));
    Ok(StopSignal { terminate: hear(SignalKind::terminate())?, interrupt: hear(SignalKind::interrupt())? })
}

impl StopSignal {
    async fn recv(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

/// Loads everything but the socket, and says what would serve.
pub(super) fn check(config: Config) -> Result<ExitCode, String> {
    block_on(async {
        let text = |error: crate::model::Error| error.private().unwrap_or(error.public()).to_owned();
        edge::check(&config.server).map_err(text)?;
        let sandbox = Sandbox::new(&config.plugins).map_err(text)?;
        let loader = Loader::load(sandbox, config.plugins.clone(), BUNDLED).await.map_err(text)?;
        let egress = Egress::new(&config, Clock::system().wall()).map_err(text)?;
        let models = ModelCatalog::load(config.model_catalog.as_deref()).map_err(text)?;
        let providers = Providers::new(config, egress, loader.catalog(), models);
        let mut report = String::from("the configuration can be read\n");
        let mut well = true;
        for provider in providers.all().values() {
            match &provider.state {
                Ok(_) => report.push_str(&format!("provider {}: ready\n", provider.name)),
                Err(error) => {
                    well &= !provider.configured;
                    report.push_str(&format!("provider {}: {}\n", provider.name, error));
                }
            }
        }
        for fault in providers.route_faults() {
            well = false;
            report.push_str(&format!("{fault}\n"));
        }
        print(&report)?;
        Ok(if well { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    })?
}
