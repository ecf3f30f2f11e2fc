//! `mortise tokens`: keys that the operator makes, at the command line.

use std::process::ExitCode;

use clap::Subcommand;
use serde_json::json;

use super::accounts::{LimitFlags, ask, table, text};
use super::print;
use crate::config::Config;

#[derive(Debug, Subcommand)]
pub(super) enum TokensCommand {
    /// Make a key, and print it; it is told only here.
    Create {
        /// What it is called.
        #[arg(default_value = "token")]
        name: String,
        /// Whom it stands for: an account's address, name or id. Itself where left out.
        #[arg(long)]
        user: Option<String>,
        /// What it may do; read and write where none is named.
        #[arg(long = "scope", value_name = "SCOPE", value_parser = ["read", "write", "account", "admin"])]
        scopes: Vec<String>,
        /// After what time it is none: 12h, 30d, 1y.
        #[arg(long, value_name = "TIME")]
        expires_in: Option<String>,
        #[command(flatten)]
        limits: LimitFlags,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// List all keys, without what they are.
    List {
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Take a key away; it is none from now on.
    Revoke {
        /// Its id, its name, or its first characters.
        key: String,
    },
    /// Make a new key that signs the tokens of logins; tokens that older ones signed stay good.
    RotateSigningKey,
}

const COLUMNS: [(&str, &str); 7] = [
    ("id", "ID"),
    ("name", "NAME"),
    ("prefix", "PREFIX"),
    ("user_id", "USER"),
    ("scopes", "SCOPES"),
    ("expires_at", "EXPIRES"),
    ("last_used_at", "LAST USED"),
];

pub(super) fn run(command: TokensCommand, config: &Config) -> Result<ExitCode, String> {
    match command {
        TokensCommand::Create { name, user, scopes, expires_in, limits, json } => {
            let with = json!({
                "name": name,
                "user": user,
                "scopes": scopes,
                "expires_in": expires_in,
                "limits": limits.to_json(),
            });
            let made = ask(config, "tokens.create", with)?;
            if json {
                return print(&serde_json::to_string_pretty(&made).map_err(|error| error.to_string())?);
            }
            print(text(&made, "key").unwrap_or_default())
        }
        TokensCommand::List { json } => table(&ask(config, "tokens.list", json!({}))?, &COLUMNS, json),
        TokensCommand::Revoke { key } => {
            table(&json!([ask(config, "tokens.revoke", json!({"name": key}))?]), &COLUMNS, false)
        }
        TokensCommand::RotateSigningKey => {
            let told = ask(config, "tokens.rotate", json!({}))?;
            print(text(&told, "kid").unwrap_or_default())
        }
    }
}
