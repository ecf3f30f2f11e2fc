//! `mortise users`: accounts, at the command line.

use std::io::Read;
use std::process::ExitCode;

use clap::Subcommand;
use serde_json::{Value, json};

use super::accounts::{LimitFlags, ask, table, text};
use super::print;
use crate::config::Config;

#[derive(Debug, Subcommand)]
pub(super) enum UsersCommand {
    /// Make an account. Its password is made too, and printed, unless it is given on the standard input stream.
    Create {
        /// The account's e-mail address.
        email: String,
        /// Its other name; the part before the @ where left out.
        #[arg(long)]
        username: Option<String>,
        /// What people call whoever has it.
        #[arg(long)]
        name: Option<String>,
        /// It may do everything.
        #[arg(long, conflicts_with = "role")]
        admin: bool,
        /// What it may do: admin, user or viewer.
        #[arg(long, default_value = "user", value_parser = ["admin", "user", "viewer"])]
        role: String,
        /// Read the password from the standard input stream.
        #[arg(long)]
        password_stdin: bool,
    },
    /// List all accounts.
    List {
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Take from an account what it may do; its logins end.
    Disable {
        /// Its address, name or id.
        user: String,
    },
    /// Give it back.
    Enable {
        /// Its address, name or id.
        user: String,
    },
    /// Say what an account may do.
    SetRole {
        /// Its address, name or id.
        user: String,
        /// admin, user or viewer.
        #[arg(value_parser = ["admin", "user", "viewer"])]
        role: String,
    },
    /// Say how much an account may use; what isn't named has no limit.
    Limit {
        /// Its address, name or id.
        user: String,
        #[command(flatten)]
        limits: LimitFlags,
    },
    /// Give an account another password, and end its logins. It is made and printed, unless it is given.
    ResetPassword {
        /// Its address, name or id.
        user: String,
        /// Read the password from the standard input stream.
        #[arg(long)]
        password_stdin: bool,
    },
    /// Delete an account, and all that belongs to it.
    Delete {
        /// Its address, name or id.
        user: String,
    },
}

const COLUMNS: [(&str, &str); 6] = [
    ("id", "ID"),
    ("email", "EMAIL"),
    ("username", "USERNAME"),
    ("role", "ROLE"),
    ("is_active", "ACTIVE"),
    ("last_login_at", "LAST LOGIN"),
];

pub(super) fn run(command: UsersCommand, config: &Config) -> Result<ExitCode, String> {
    match command {
        UsersCommand::Create { email, username, name, admin, role, password_stdin } => {
            let role = if admin { "admin".to_owned() } else { role };
            let with = json!({
                "email": email,
                "username": username,
                "full_name": name,
                "password": given(password_stdin)?,
                "role": role,
            });
            let made = ask(config, "users.create", with)?;
            let mut told = format!("{} {} ({role})", text(&made, "id").unwrap_or_default(), email);
            if let Some(password) = text(&made, "password") {
                told.push_str(&format!("\npassword: {password}"));
            }
            print(&told)
        }
        UsersCommand::List { json } => table(&ask(config, "users.list", json!({}))?, &COLUMNS, json),
        UsersCommand::Disable { user } => change(config, json!({"user": user, "is_active": false})),
        UsersCommand::Enable { user } => change(config, json!({"user": user, "is_active": true})),
        UsersCommand::SetRole { user, role } => change(config, json!({"user": user, "role": role})),
        UsersCommand::Limit { user, limits } => change(config, json!({"user": user, "limits": limits.to_json()})),
        UsersCommand::ResetPassword { user, password_stdin } => {
            let with = json!({"name": user, "password": given(password_stdin)?});
            let told = ask(config, "users.reset-password", with)?;
            match text(&told, "password") {
                Some(password) => print(&format!("password: {password}")),
                None => print("done"),
            }
        }
        UsersCommand::Delete { user } => {
            ask(config, "users.delete", json!({"name": user}))?;
            print("deleted")
        }
    }
}

fn change(config: &Config, with: Value) -> Result<ExitCode, String> {
    table(&json!([ask(config, "users.change", with)?]), &COLUMNS, false)
}

/// The first line of the standard input stream, if it is to be read.
fn given(wanted: bool) -> Result<Option<String>, String> {
    if !wanted {
        return Ok(None);
    }
    let mut text = String::new();
    std::io::stdin().read_to_string(&mut text).map_err(|error| format!("the password can't be read: {error}"))?;
    let line = text.lines().next().unwrap_or_default().to_owned();
    if line.is_empty() { Err("no password stands on the standard input stream".into()) } else { Ok(Some(line)) }
}
