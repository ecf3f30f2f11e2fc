//! What `mortise users` and `mortise tokens` share: whom they ask, and how they write it down.

use std::process::ExitCode;
use std::sync::Arc;

use clap::Args;
use serde_json::{Map, Value, json};

use super::{block_on, print};
use crate::app::keepers;
use crate::config::{Config, StoreEngine};
use crate::service::access::Accounts;
use crate::service::session::Sessions;
use crate::service::{Clock, control};
use crate::store::Store;
use crate::store::runs::Runs;

/// How much a user or a key may use.
#[derive(Clone, Debug, Default, Args)]
pub(super) struct LimitFlags {
    /// A model that may be asked, `provider/model` or a route's name; a * at the end stands for any rest. All where none is named.
    #[arg(long = "model", value_name = "MODEL")]
    models: Vec<String>,
    /// US dollars a day (UTC).
    #[arg(long, value_name = "USD")]
    usd_per_day: Option<f64>,
    /// US dollars a calendar month.
    #[arg(long, value_name = "USD")]
    usd_per_month: Option<f64>,
    /// Tokens of prompts and answers together, a day (UTC).
    #[arg(long, value_name = "TOKENS")]
    tokens_per_day: Option<u64>,
    /// The same a calendar month.
    #[arg(long, value_name = "TOKENS")]
    tokens_per_month: Option<u64>,
    /// One of server.rate_limit.classes.
    #[arg(long, value_name = "CLASS")]
    rate_class: Option<String>,
}

// === impl LimitFlags ===

impl LimitFlags {
    pub(super) fn to_json(&self) -> Value {
        let Self { models, usd_per_day, usd_per_month, tokens_per_day, tokens_per_month, rate_class } = self;
        let mut limits = json!({
            "models": models,
            "usd_per_day": usd_per_day,
            "usd_per_month": usd_per_month,
            "tokens_per_day": tokens_per_day,
            "tokens_per_month": tokens_per_month,
            "rate_class": rate_class,
        });
        if let Some(members) = limits.as_object_mut() {
            members.retain(|_, value| !value.is_null());
        }
        limits
    }
}

/// Asks the server that runs with this configuration; where none does, does it itself.
pub(super) fn ask(config: &Config, command: &str, with: Value) -> Result<Value, String> {
    if let Some(told) = control::ask(&config.store.path, command, with.clone())? {
        return Ok(told);
    }
    if config.store.engine == StoreEngine::Memory {
        return Err(
            "no server runs with this configuration, and store.engine is memory: there is nothing to ask".into()
        );
    }
    block_on(async {
        let text = |error: crate::model::Error| match error.private() {
            Some(private) => format!("{}: {private}", error.public()),
            None => error.public().to_owned(),
        };
        let store = Store::open(&config.store, Default::default()).await.map_err(text)?;
        let clock = Clock::system();
        let accounts = Accounts::new(store.clone(), &config.server, clock.clone());
        let sessions = Arc::new(Sessions::new(store.clone(), clock.clone(), config));
        let runs = Arc::new(Runs::new(store.clone()));
        sessions.depend(runs.clone());
        accounts.entrust(keepers(&store, &clock, sessions, runs));
        let done = accounts.command(command, with).await.map_err(text);
        store.close().await.map_err(text)?;
        done
    })?
}

/// Prints `rows` as a table, or as JSON.
pub(super) fn table(rows: &Value, columns: &[(&str, &str)], as_json: bool) -> Result<ExitCode, String> {
    if as_json {
        return print(&serde_json::to_string_pretty(rows).map_err(|error| error.to_string())?);
    }
    let rows: Vec<&Map<String, Value>> = rows.as_array().into_iter().flatten().filter_map(Value::as_object).collect();
    let cell = |row: &Map<String, Value>, name: &str| match row.get(name) {
        None | Some(Value::Null) => "-".to_owned(),
        Some(Value::String(text)) => text.clone(),
        Some(Value::Array(items)) => items
            .iter()
            .map(|item| item.as_str().map_or_else(|| item.to_string(), str::to_owned))
            .collect::<Vec<_>>()
            .join(","),
        Some(other) => other.to_string(),
    };
    let widths: Vec<usize> = columns
        .iter()
        .map(|(name, title)| {
            rows.iter().map(|row| cell(row, name).chars().count()).chain([title.len()]).max().unwrap_or_default()
        })
        .collect();
    let line = |cells: Vec<String>| {
        let padded = cells.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}"));
        padded.collect::<Vec<_>>().join("  ").trim_end().to_owned() + "\n"
    };
    let mut text = line(columns.iter().map(|(_, title)| (*title).to_owned()).collect());
    for row in rows {
        text.push_str(&line(columns.iter().map(|(name, _)| cell(row, name)).collect()));
    }
    print(&text)
}

/// The text of a member, where it has one.
pub(super) fn text<'v>(value: &'v Value, name: &str) -> Option<&'v str> {
    value.get(name).and_then(Value::as_str)
}
