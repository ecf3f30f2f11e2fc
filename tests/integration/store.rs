//! The store as operators meet it: what `/health` and `/metrics` say of it, and `mortise store` beside a running server.

use std::path::Path;
use std::process::Command;

use mortise::store::{Change, Record, Space, Store};

use crate::harness::{ECHO, Server};

const NOTES: Space = Space(220);

#[derive(Debug, PartialEq, serde::Serialize, serde::Deserialize)]
struct Note(String);

impl Record for Note {}

/// `mortise store WORDS…` with the store in `data`: whether it went well, and what it said.
fn command(home: &Path, data: &Path, words: &[&str]) -> (bool, String) {
    let config = home.join("store.yaml");
    std::fs::write(&config, format!("store: {{path: {}}}\n", data.display())).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_mortise"));
    let output = command.env_clear().env("HOME", home).arg("--config").arg(&config).arg("store").args(words).output();
    let output = output.unwrap();
    (output.status.success(), String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned())
}

async fn commanded(home: &Path, data: &Path, words: &[&str]) -> (bool, String) {
    let (home, data) = (home.to_owned(), data.to_owned());
    let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
    let run = move || command(&home, &data, &words.iter().map(String::as_str).collect::<Vec<_>>());
    tokio::task::spawn_blocking(run).await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_says_how_its_store_is_and_is_backed_up_while_it_serves() {
    let mut server = Server::start(&format!("{ECHO}store: {{cache: 4MiB}}\n")).await;
    let home = tempfile::TempDir::new().unwrap();
    let (data, restored) = (server.home().join("data"), home.path().join("restored"));
    assert_eq!(server.client.get("/health").await.expect(200)["checks"]["database"], "healthy");
    let (well, words) = commanded(home.path(), &data, &["check"]).await;
    assert!(well && words.contains("every record can be read") && words.contains("only while"), "{words}");
    let (well, words) = commanded(home.path(), &data, &["compact"]).await;
    assert!(!well && words.contains("another process has"), "{words}");
    let file = home.path().join("backup").display().to_string();
    let (well, words) = commanded(home.path(), &data, &["backup", &file]).await;
    assert!(well && words.contains("whole"), "{words}");
    let (well, words) = commanded(home.path(), &data, &["backup", &file]).await;
    assert!(!well && words.contains("is there already"), "{words}");
    let (well, words) = commanded(home.path(), &restored, &["restore", &file]).await;
    assert!(well && words.contains("were restored"), "{words}");
    let (well, words) = commanded(home.path(), &restored, &["restore", &file]).await;
    assert!(!well && words.contains("--overwrite"), "{words}");
    server.signal();
    server.ended().await;
    let (well, words) = commanded(home.path(), &restored, &["check"]).await;
    assert!(well && words.contains("every page is as its checksum says"), "{words}");
    let (well, words) = commanded(home.path(), &home.path().join("none"), &["check"]).await;
    assert!(!well && words.contains("there is no database"), "{words}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_stored_is_there_after_a_restart() {
    let home = tempfile::TempDir::new().unwrap();
    let config = mortise::config::Store { path: home.path().join("data"), ..mortise::config::Store::default() };
    for number in 0..3 {
        let store = Store::open(&config, std::sync::Arc::default()).await.unwrap();
        let mut change = Change::default();
        change.insert(NOTES.key().number(number), &Note(format!("{number}"))).unwrap();
        let _ = store.commit(change).await.unwrap();
        let notes = store.list::<Note>(NOTES.key().within(), 9).await.unwrap();
        let notes: Vec<String> = notes.into_iter().map(|stored| stored.record.0).collect();
        assert_eq!(notes, (0..=number).map(|n| n.to_string()).collect::<Vec<_>>());
        // Whoever drops it lets go of its file, in its own time.
        drop(store);
    }
}
