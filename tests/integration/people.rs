//! People for tests: accounts that are made and logged in, and servers that let them.

use std::path::Path;

use mortise::config::{self, Config};
use mortise::service::Clock;
use mortise::service::access::Accounts;
use mortise::store::Store;
use serde_json::{Value, json};

use crate::client::{Client, Reply, Request};
use crate::harness::{ECHO, Server};

/// Passwords that cost little to try.
pub const ACCOUNTS: &str = "passwords: {memory: 1MiB, passes: 1}";

/// The password of everybody here.
pub const PASSWORD: &str = "secret123";

/// Somebody who has logged in.
#[derive(Clone, Debug)]
pub struct Person {
    pub token: String,
    pub refresh: Option<String>,
}

/// A server where everybody may make an account; `settings` are more of `server.auth`.
pub async fn server(settings: &str) -> Server {
    let more = if settings.is_empty() { String::new() } else { format!(", {settings}") };
    let registration = if settings.contains("registration") { "" } else { ", registration: open" };
    Server::start(&format!("{ECHO}server: {{auth: {{{ACCOUNTS}{registration}{more}}}}}\n")).await
}

/// The same, with an administrator who was made before it started, as the operator makes one.
pub async fn administered(settings: &str) -> (Server, Person) {
    administered_with(settings, "", |_| ECHO.to_owned()).await
}

/// The same with more lines of `server`, and with the rest of the configuration. `HOME` in `settings` is the server's directory.
pub async fn administered_with(settings: &str, server: &str, rest: impl FnOnce(&Path) -> String) -> (Server, Person) {
    let more = if settings.is_empty() { String::new() } else { format!(", {settings}") };
    let server = Server::configured(|home| {
        make_administrator(home);
        let rest = rest(home);
        let more = more.replace("HOME", &home.display().to_string());
        format!(
            "server:\n  auth: {{{ACCOUNTS}, registration: open{more}}}\n  {server}\nstore: {{engine: redb}}\n{rest}\n"
        )
    })
    .await;
    let admin = server.log_in("admin@example.com").await;
    (server, admin)
}

fn make_administrator(home: &Path) {
    let path = home.join("data");
    // A runtime of its own: this one is busy with the test.
    let made = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let settings = config::Store { path, ..config::Store::default() };
            let store = Store::open(&settings, Default::default()).await.unwrap();
            let config = Config::from_yaml(&format!("server: {{auth: {{{ACCOUNTS}}}}}\n")).unwrap();
            let accounts = Accounts::new(store.clone(), &config.server, Clock::system());
            let wanted = json!({"email": "admin@example.com", "password": PASSWORD, "role": "admin"});
            accounts.command("users.create", wanted).await.unwrap();
            store.close().await.unwrap();
        });
    });
    made.join().unwrap();
}

impl Server {
    /// Makes an account, and gives its id.
    pub async fn register(&self, email: &str) -> String {
        let username = email.split('@').next().unwrap();
        let body = json!({"email": email, "username": username, "password": PASSWORD});
        let made = self.client.post("/api/v1/auth/register", &body).await.expect(201);
        made["id"].as_str().unwrap().to_owned()
    }

    pub async fn log_in(&self, email: &str) -> Person {
        let body = json!({"email": email, "password": PASSWORD});
        Person::with_token(&self.client.post("/api/v1/auth/login", &body).await.expect(200))
    }
}

impl Person {
    /// Who was given these.
    pub fn with_token(tokens: &Value) -> Person {
        let text = |name: &str| tokens[name].as_str().map(str::to_owned);
        Person { token: text("access_token").unwrap(), refresh: text("refresh_token") }
    }

    pub fn signs(&self, request: Request) -> Request {
        request.header("Authorization", &format!("Bearer {}", self.token))
    }

    pub async fn send(&self, client: Client, request: Request) -> Reply {
        client.send(&self.signs(request)).await
    }

    pub async fn get(&self, client: Client, path: &str) -> Reply {
        self.send(client, Request::new("GET", path)).await
    }

    pub async fn post(&self, client: Client, path: &str, body: &Value) -> Reply {
        self.send(client, Request::new("POST", path).json(body)).await
    }
}
