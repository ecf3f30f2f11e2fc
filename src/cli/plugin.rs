//! `mortise plugin`.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Subcommand;

use super::{block_on, print};
use crate::config::Config;
use crate::plugin::bundled::BUNDLED;
use crate::plugin::catalog::Published;
use crate::plugin::wasm::{Code, Loader, Sandbox, warm};

#[derive(Debug, Subcommand)]
pub(super) enum PluginCommand {
    /// Write the first files of a new plugin, which build as they are.
    New {
        /// The directory to make, named like the plugin.
        directory: PathBuf,
        /// What it brings.
        #[arg(long, value_enum, default_value_t = NewKind::Tool)]
        kind: NewKind,
        /// The crate mortise-sdk, `sdk/rust` in the sources; looked for in the directories above where left out.
        #[arg(long)]
        sdk: Option<PathBuf>,
    },
    /// Say which plugins the server would load.
    List,
    /// Load a file as the server would, without publishing it.
    Check {
        /// The component.
        file: PathBuf,
    },
    /// Compile all plugins into plugins.cache, so that the server doesn't when it starts.
    Warm {
        /// For every processor of this architecture, not just for this one: what an image needs.
        #[arg(long)]
        portable: bool,
    },
    /// Build a plugin's crate into one component with its manifest inside.
    Build {
        /// The crate's directory, with Cargo.toml and plugin.toml.
        #[arg(default_value = ".")]
        directory: PathBuf,
    },
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
pub(super) enum NewKind {
    /// Tools for models.
    Tool,
    /// A vendor's models.
    Provider,
}

pub(super) fn run(command: PluginCommand, config: Config) -> Result<ExitCode, String> {
    match command {
        PluginCommand::New { directory, kind, sdk } => new(&directory, kind, sdk.as_deref()),
        PluginCommand::List => block_on(list(config))?,
        PluginCommand::Check { file } => block_on(check(config, file))?,
        PluginCommand::Warm { portable } => block_on(async move { warm_up(&config, portable) })?,
        PluginCommand::Build { directory } => build(directory),
    }
}

async fn list(config: Config) -> Result<ExitCode, String> {
    let sandbox = Sandbox::new(&config.plugins).map_err(|error| error.to_string())?;
    let loader = Loader::load(sandbox, config.plugins, BUNDLED).await.map_err(|error| error.to_string())?;
    let mut text = format!("{:<16} {:<10} {:<10} {:<10} {}\n", "ID", "VERSION", "ORIGIN", "STATE", "DESCRIPTION");
    for status in loader.catalog().snapshot().statuses() {
        let version = status.version.unwrap_or_default();
        let words = status.last_error.or(status.description).unwrap_or_default();
        // Writing to a string can't fail.
        let _ = writeln!(
            text,
            "{:<16} {version:<10} {:<10} {:<10} {words}",
            status.id,
            status.origin.to_string(),
            status.state.to_string()
        );
    }
    print(&text)
}

async fn check(config: Config, file: PathBuf) -> Result<ExitCode, String> {
    let sandbox = Sandbox::new(&config.plugins).map_err(|error| error.to_string())?;
    let published = Loader::check(&sandbox, &config.plugins, &file)
        .await
        .map_err(|error| format!("{}: {error}", file.display()))?;
    let manifest = &published.manifest;
    let mut text = format!(
        "{}: ok\nid: {}\nversion: {}\nkind: {}\ndescription: {}\ndigest: sha256:{}\n",
        file.display(),
        manifest.id,
        manifest.version,
        manifest.kind,
        manifest.description,
        published.digest
    );
    for right in rights(&published) {
        let _ = writeln!(text, "asks for {right}");
    }
    print(&text)
}

/// What it asks for, in words, and whether it has it.
fn rights(published: &Published) -> Vec<String> {
    let (asked, granted) = (&published.grants.asked, &published.grants.granted);
    let grants = format!("plugins.grants.{}", published.manifest.id);
    let words = |what: String, has: bool, cure: String| {
        if has { format!("{what}: granted") } else { format!("{what}: not granted; {cure}") }
    };
    let tool = published.tool().is_some();
    let mut rights: Vec<String> = asked
        .hosts
        .iter()
        .map(|host| match granted.hosts.as_slice() {
            hosts if tool && !hosts.is_empty() => format!("host {host}: granted for {}", hosts.join(", ")),
            hosts => words(format!("host {host}"), hosts.contains(host), format!("add it to {grants}.hosts")),
        })
        .collect();
    if let Some(workspace) = asked.workspace {
        let has = granted.workspace == Some(workspace);
        rights.push(words(format!("the workspace, {workspace}"), has, format!("set {grants}.workspace: {workspace}")));
    }
    for program in &asked.programs {
        let has = granted.programs.contains(program) || program == "*" && !granted.programs.is_empty();
        rights.push(words(format!("program {program}"), has, format!("add it to {grants}.programs")));
    }
    if asked.kv {
        rights.push(words("a memory of its own".into(), granted.kv, format!("set {grants}.kv: true")));
    }
    for secret in &asked.secrets {
        let has = granted.secrets.contains(secret) || secret == "*" && !granted.secrets.is_empty();
        rights.push(words(format!("credential {secret}"), has, format!("bind it under {grants}.secrets")));
    }
    rights
}

fn warm_up(config: &Config, portable: bool) -> Result<ExitCode, String> {
    let made = if portable { Sandbox::portable(&config.plugins) } else { Sandbox::new(&config.plugins) };
    let sandbox = made.map_err(|error| error.to_string())?;
    let (mut text, mut well) = (String::new(), true);
    for plugin in warm(&sandbox, &config.plugins, BUNDLED) {
        let words = match plugin.code {
            Ok(Code::Found) => "was compiled earlier".to_owned(),
            Ok(Code::Kept) => "compiled".to_owned(),
            Ok(Code::Lost(why)) => {
                well = false;
                format!("compiled, but can't be kept: {why}")
            }
            Err(error) => {
                well = false;
                error.to_string()
            }
        };
        let _ = writeln!(text, "{}: {words}", plugin.name);
    }
    if well {
        let _ = writeln!(text, "compiled plugins are kept in {}", config.plugins.cache.display());
    }
    print(&text)?;
    Ok(if well { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn new(directory: &Path, kind: NewKind, sdk: Option<&Path>) -> Result<ExitCode, String> {
    let kind = match kind {
        NewKind::Tool => mortise_build::Kind::Tool,
        NewKind::Provider => mortise_build::Kind::Provider,
    };
    let written = mortise_build::skeleton(kind, directory, sdk).map_err(|error| error.to_string())?;
    let mut text: String = written.iter().map(|path| format!("{}\n", path.display())).collect();
    let shown = directory.display();
    let _ = write!(text, "\nnow: cd {shown} && cargo test && mortise plugin build");
    print(&text)
}

fn build(directory: PathBuf) -> Result<ExitCode, String> {
    let options = mortise_build::Options { crates: vec![directory], ..mortise_build::Options::default() };
    let built = mortise_build::build(&options).map_err(|error| error.to_string())?;
    let paths: Vec<String> = built.iter().map(|built| built.path.display().to_string()).collect();
    print(&paths.join("\n"))
}
