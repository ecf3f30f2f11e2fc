//! The operator's commands: accounts and keys, whether a server runs or not.

use std::path::Path;
use std::process::{Command, Stdio};

use mortise::config::Store as StoreConfig;
use mortise::store::Store;
use mortise::store::session::Sessions;
use serde_json::{Value, json};

use crate::client::Request;
use crate::harness::{ECHO, Server};
use crate::people::{ACCOUNTS, Person};

/// Runs the program on the data of the server whose directory is `home`, and gives what it prints.
fn run(home: &Path, arguments: &[&str]) -> Result<String, String> {
    let config = home.join("operator.yaml");
    std::fs::write(&config, format!("server: {{auth: {{{ACCOUNTS}}}}}\nstore: {{path: {}/data}}\n", home.display()))
        .unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_mortise"));
    command.env_clear().env("HOME", home).stdin(Stdio::null()).arg("--config").arg(&config).args(arguments);
    let output = command.output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
    if output.status.success() { Ok(text(&output.stdout)) } else { Err(text(&output.stderr)) }
}

/// The same, while the server answers.
async fn ask(server: &Server, arguments: &[&str]) -> Result<String, String> {
    let (home, arguments) =
        (server.home().to_owned(), arguments.iter().map(|one| (*one).to_owned()).collect::<Vec<_>>());
    let run = move || run(&home, &arguments.iter().map(String::as_str).collect::<Vec<_>>());
    tokio::task::spawn_blocking(run).await.unwrap()
}

fn password(told: &str) -> &str {
    told.lines().find_map(|line| line.strip_prefix("password: ")).unwrap_or_else(|| panic!("no password: {told}"))
}

#[tokio::test]
async fn accounts_and_keys_are_made_before_there_is_a_server_and_while_there_is_one() {
    let mut before = (String::new(), String::new());
    let server = Server::configured(|home| {
        std::fs::create_dir_all(home.join("data")).unwrap();
        before.0 = run(home, &["users", "create", "admin@example.com", "--admin"]).unwrap();
        before.1 = run(home, &["tokens", "create", "early"]).unwrap();
        let again = run(home, &["users", "create", "ADMIN@example.com"]).unwrap_err();
        assert!(again.contains("taken already"), "{again}");
        format!("server: {{auth: {{enabled: true, {ACCOUNTS}}}}}\nstore: {{engine: redb}}\n{ECHO}")
    })
    .await;
    let client = server.client;
    let login = json!({"email": "admin@example.com", "password": password(&before.0)});
    let admin = Person::with_token(&client.post("/api/v1/auth/login", &login).await.expect(200));
    admin.get(client, "/api/v1/admin/stats").await.expect(200);
    let with = |key: &str| Request::new("GET", "/v1/models").header("Authorization", &format!("Bearer {key}"));
    assert!(before.1.starts_with("token-") && !before.1.contains('\n'), "{}", before.1);
    client.send(&with(&before.1)).await.expect(200);
    // The server has the store; it is asked.
    let made = ask(&server, &["users", "create", "user@example.com", "--role", "viewer"]).await.unwrap();
    let login = json!({"email": "user@example.com", "password": password(&made)});
    let user = Person::with_token(&client.post("/api/v1/auth/login", &login).await.expect(200));
    assert_eq!(user.get(client, "/api/v1/auth/me").await.expect(200)["role"], "viewer");
    let token = ask(
        &server,
        &["tokens", "create", "late", "--user", "user@example.com", "--scope", "read", "--expires-in", "30d"],
    );
    let token = token.await.unwrap();
    client.send(&with(&token)).await.expect(200);
    let listed = ask(&server, &["tokens", "list", "--json"]).await.unwrap();
    let listed: Value = serde_json::from_str(&listed).unwrap();
    let names: Vec<&str> = listed.as_array().unwrap().iter().map(|key| key["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["late", "early"]);
    assert!(!listed.to_string().contains(&token), "{listed}");
    // What is taken away is none at once.
    ask(&server, &["tokens", "revoke", "late"]).await.unwrap();
    assert_eq!(client.send(&with(&token)).await.status(), 401);
    let told = ask(&server, &["tokens", "revoke", "late"]).await.unwrap_err();
    assert!(told.contains("mortise tokens list"), "{told}");
    ask(&server, &["users", "disable", "user@example.com"]).await.unwrap();
    assert_eq!(user.get(client, "/api/v1/auth/me").await.status(), 403);
    let told = ask(&server, &["users", "enable", "user@example.com"]).await.unwrap();
    assert!(told.contains("user@example.com") && told.contains("viewer"), "{told}");
    let told = ask(&server, &["users", "disable", "admin@example.com"]).await.unwrap_err();
    assert!(told.contains("last administrator"), "{told}");
    let told = ask(&server, &["users", "reset-password", "user@example.com"]).await.unwrap();
    let login = json!({"email": "user@example.com", "password": password(&told)});
    client.post("/api/v1/auth/login", &login).await.expect(200);
    ask(&server, &["users", "limit", "user@example.com", "--tokens-per-day", "1000", "--model", "echo/*"])
        .await
        .unwrap();
    let users: Value = serde_json::from_str(&ask(&server, &["users", "list", "--json"]).await.unwrap()).unwrap();
    let limits = &users.as_array().unwrap().iter().find(|user| user["username"] == "user").unwrap()["limits"];
    assert_eq!(*limits, json!({"models": ["echo/*"], "tokens_per_day": 1000}));
    ask(&server, &["users", "delete", "user@example.com"]).await.unwrap();
    assert_eq!(client.post("/api/v1/auth/login", &login).await.status(), 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_key_or_a_user_owned_goes_with_them_where_no_server_runs() {
    let mut token = String::new();
    let mut server = Server::configured(|home| {
        std::fs::create_dir_all(home.join("data")).unwrap();
        run(home, &["users", "create", "admin@example.com", "--admin"]).unwrap();
        token = run(home, &["tokens", "create", "lone"]).unwrap();
        format!("server: {{auth: {{enabled: true, {ACCOUNTS}}}}}\nstore: {{engine: redb}}\n{ECHO}")
    })
    .await;
    let client = server.client;
    let made = ask(&server, &["users", "create", "user@example.com"]).await.unwrap();
    let login = json!({"email": "user@example.com", "password": password(&made)});
    let login = client.post("/api/v1/auth/login", &login).await.expect(200);
    let listed: Value = serde_json::from_str(&ask(&server, &["tokens", "list", "--json"]).await.unwrap()).unwrap();
    let key = listed[0]["id"].as_str().unwrap().to_owned();
    let user = Person::with_token(&login).get(client, "/api/v1/auth/me").await.expect(200);
    let user = user["id"].as_str().unwrap().to_owned();
    for bearer in [token.as_str(), login["access_token"].as_str().unwrap()] {
        let session = Request::new("POST", "/api/v1/sessions").json(&json!({"name": "mine"}));
        client.send(&session.header("Authorization", &format!("Bearer {bearer}"))).await.expect(201);
    }
    let elsewhere = tempfile::TempDir::new().unwrap();
    let (file, home) = (elsewhere.path().join("backup").display().to_string(), elsewhere.path().to_owned());
    ask(&server, &["store", "backup", &file]).await.unwrap();
    server.signal();
    server.ended().await;
    let owned = async |owner: &str| {
        let config = StoreConfig { path: home.join("data"), ..StoreConfig::default() };
        let store = Store::open(&config, Default::default()).await.unwrap();
        let owned = Sessions::new(store.clone()).all(owner, None, 10).await.unwrap().len();
        store.close().await.unwrap();
        owned
    };
    run(&home, &["store", "restore", &file]).unwrap();
    assert_eq!((owned(&key).await, owned(&user).await), (1, 1));
    run(&home, &["tokens", "revoke", "lone"]).unwrap();
    assert_eq!((owned(&key).await, owned(&user).await), (0, 1));
    run(&home, &["users", "delete", "user@example.com"]).unwrap();
    assert_eq!((owned(&key).await, owned(&user).await), (0, 0));
}
