//! The command line.

mod accounts;
mod confine;
mod health;
mod logs;
mod openapi;
mod plugin;
mod rest;
mod serve;
mod store;
mod tokens;
mod users;

use std::io::Write;
use std::net::IpAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};

use crate::config::{Config, Overrides};

/// An edge server for AI: every provider and every tool is a sandboxed WebAssembly component.
#[derive(Debug, Parser)]
#[command(name = "mortise", version)]
pub struct Cli {
    /// The configuration file; ~/.mortise/config.yaml is read where it exists.
    #[arg(long, global = true, env = "MORTISE_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    serve: ServeFlags,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve requests until told to stop; the default.
    Serve(ServeFlags),
    /// Say whether the configuration can be used, and what it gives.
    Check,
    /// Ask the server that runs with this configuration whether it is ready; the exit code says it too.
    Health,
    /// Look at the configuration.
    Config {
        #[command(subcommand)]
        command: ConfigCommand,
    },
    /// Print the newest lines of the log's files.
    Logs(logs::LogsFlags),
    /// Print the API document: OpenAPI 3.1, as the server has it at /openapi.json.
    Openapi(openapi::OpenapiFlags),
    /// Check what is stored, back it up, restore it.
    Store {
        #[command(subcommand)]
        command: store::StoreCommand,
    },
    /// Make, change and list accounts; while a server runs, it is asked to.
    Users {
        #[command(subcommand)]
        command: users::UsersCommand,
    },
    /// Make, list and revoke keys for callers; while a server runs, it is asked to.
    Tokens {
        #[command(subcommand)]
        command: tokens::TokensCommand,
    },
    /// Start a program for a tool, confined; what the server itself does with this program.
    #[command(hide = true)]
    Confine(confine::ConfineFlags),
    /// Look at plugins, check them, build them.
    Plugin {
        #[command(subcommand)]
        command: plugin::PluginCommand,
    },
}

#[derive(Debug, Subcommand)]
enum ConfigCommand {
    /// Print the whole configuration as it is in force; secrets are references and stay so.
    Show,
}

#[derive(Clone, Debug, Default, Args)]
struct ServeFlags {
    /// The address to listen on.
    #[arg(long, env = "MORTISE_HOST")]
    host: Option<IpAddr>,
    /// The port to listen on; 0 asks the system for a free one.
    #[arg(long, env = "MORTISE_PORT")]
    port: Option<u16>,
    /// Threads that serve requests; 0 is one a core.
    #[arg(long, env = "MORTISE_WORKERS")]
    workers: Option<usize>,
    /// A PEM file of the certificate and its chain; turns TLS on.
    #[arg(long, env = "MORTISE_SSL_CERT", value_name = "FILE")]
    ssl_cert: Option<PathBuf>,
    /// A PEM file of the certificate's key.
    #[arg(long, env = "MORTISE_SSL_KEY", value_name = "FILE")]
    ssl_key: Option<PathBuf>,
    /// Log what is of use to who looks for a mistake.
    #[arg(long)]
    debug: bool,
    /// Keep nothing: users, sessions and all else are gone with the process.
    #[arg(long)]
    ephemeral: bool,
}

// === impl Cli ===

impl Cli {
    /// Does what was asked for; what went wrong stands on the standard error stream.
    pub fn run(self) -> ExitCode {
        match self.try_run() {
            Ok(code) => code,
            Err(message) => {
                // Nobody is left to tell if even that fails.
                let _ = writeln!(std::io::stderr(), "mortise: {message}");
                ExitCode::FAILURE
            }
        }
    }

    fn try_run(self) -> Result<ExitCode, String> {
        // Before anything else is done: it becomes another program.
        if let Some(Command::Confine(flags)) = self.command {
            return Ok(confine::run(flags));
        }
        // A flag may stand before the command or behind it.
        let (before, behind) = match &self.command {
            Some(Command::Serve(flags)) => (self.serve, flags.clone()),
            _ => (self.serve, ServeFlags::default()),
        };
        let overrides = Overrides {
            host: behind.host.or(before.host),
            port: behind.port.or(before.port),
            workers: behind.workers.or(before.workers),
            ssl_cert: behind.ssl_cert.or(before.ssl_cert),
            ssl_key: behind.ssl_key.or(before.ssl_key),
            debug: behind.debug || before.debug,
            ephemeral: behind.ephemeral || before.ephemeral,
        };
        // The document is the same whatever the configuration says, and must be had where that can't be read.
        if let Some(Command::Openapi(flags)) = &self.command {
            return openapi::run(flags);
        }
        let config = Config::load(self.config.as_deref(), &overrides).map_err(|error| error.to_string())?;
        match self.command {
            None | Some(Command::Serve(_)) => serve::serve(config, self.config),
            Some(Command::Check) => serve::check(config),
            Some(Command::Health) => health::health(&config),
            Some(Command::Config { command: ConfigCommand::Show }) => {
                print(&config.to_yaml().map_err(|error| error.to_string())?)
            }
            Some(Command::Logs(flags)) => logs::run(&flags, &config),
            Some(Command::Openapi(flags)) => openapi::run(&flags),
            Some(Command::Store { command }) => store::run(&command, &config.store),
            Some(Command::Users { command }) => users::run(command, &config),
            Some(Command::Tokens { command }) => tokens::run(command, &config),
            Some(Command::Confine(flags)) => Ok(confine::run(flags)),
            Some(Command::Plugin { command }) => plugin::run(command, config),
        }
    }
}

/// Prints `text` on the standard output stream.
fn print(text: &str) -> Result<ExitCode, String> {
    match writeln!(std::io::stdout(), "{}", text.trim_end()) {
        Ok(()) => Ok(ExitCode::SUCCESS),
        // Whoever read it has seen enough.
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(ExitCode::SUCCESS),
        Err(error) => Err(error.to_string()),
    }
}

/// A runtime for commands that do one thing.
fn block_on<T>(work: impl Future<Output = T>) -> Result<T, String> {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(|error| error.to_string())?;
    Ok(runtime.block_on(work))
}
