//! Plugins that come, change and go while the server works: no request fails but those that name what is gone.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use mortise_build::Manifest;
use serde_json::{Value, json};
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::client::Client;
use crate::harness::{Server, logged};
use crate::patience::until;

const CHAT: &str = "/api/v1/chat";
/// 200 requests a second, to each of two providers in turn.
const PACE: Duration = Duration::from_millis(5);

async fn server() -> Server {
    let yaml = "providers: {echo: {}, well: {base_url: \"http://127.0.0.1:9\"}}\nplugins: {rescan: 100ms}\nserver: {shutdown_timeout_secs: 5}";
    Server::configured(|home| {
        fs::write(home.join("plugins/well.wasm"), test_guests::get("well")).unwrap();
        yaml.into()
    })
    .await
}

async fn ask(client: Client, provider: &str) -> crate::client::Reply {
    client.post(CHAT, &json!({"message": "hello", "provider": provider})).await
}

/// What `/api/v1/plugins` says of `well`; null where it says nothing.
async fn well(client: Client) -> Value {
    let list = client.get("/api/v1/plugins").await.expect(200);
    let found = list["plugins"].as_array().unwrap().iter().find(|plugin| plugin["id"] == "well");
    found.cloned().unwrap_or(Value::Null)
}

async fn until_well(client: Client, what: &str, holds: impl Fn(&Value) -> bool) -> Value {
    until(what, async || Some(well(client).await).filter(|told| holds(told))).await
}

/// Puts a file in its place in one step, as a careful operator does.
fn replace(plugins: &Path, content: &[u8]) {
    let whole = plugins.join("well.wasm.new");
    fs::write(&whole, content).unwrap();
    fs::rename(whole, plugins.join("well.wasm")).unwrap();
}

/// Requests at a steady pace, until it is told to end.
struct Load {
    going: Arc<AtomicBool>,
    /// Whether `well` may be missing now.
    gone: Arc<AtomicBool>,
    asked: Arc<AtomicUsize>,
    task: tokio::task::JoinHandle<()>,
}

impl Load {
    fn begin(client: Client) -> Load {
        let (going, gone, asked) =
            (Arc::new(AtomicBool::new(true)), Arc::<AtomicBool>::default(), Arc::<AtomicUsize>::default());
        let shared = (going.clone(), gone.clone(), asked.clone());
        let task = tokio::spawn(async move {
            let (going, gone, asked) = shared;
            let mut requests = JoinSet::new();
            let mut ticks = tokio::time::interval(PACE);
            while going.load(Ordering::SeqCst) {
                ticks.tick().await;
                let number = asked.fetch_add(1, Ordering::SeqCst);
                let provider = if number % 2 == 0 { "well" } else { "echo" };
                let gone = gone.clone();
                requests.spawn(async move {
                    let before = gone.load(Ordering::SeqCst);
                    let reply = ask(client, provider).await;
                    let excused = provider == "well" && (before || gone.load(Ordering::SeqCst));
                    match reply.status() {
                        200 => {}
                        503 if excused => assert!(reply.text().contains("well"), "{}", reply.text()),
                        status => panic!("{provider} answered {status}: {}", reply.text()),
                    }
                });
                while let Some(done) = requests.try_join_next() {
                    done.unwrap();
                }
            }
            while let Some(done) = requests.join_next().await {
                done.unwrap();
            }
        });
        Load { going, gone, asked, task }
    }

    /// Waits until that many more requests have been made, while nothing failed.
    async fn more(&self, count: usize) {
        let until_count = self.asked.load(Ordering::SeqCst) + count;
        until("more requests", async || {
            (self.task.is_finished() || self.asked.load(Ordering::SeqCst) >= until_count).then_some(())
        })
        .await;
        assert!(!self.task.is_finished(), "a request failed");
    }

    async fn end(self) -> usize {
        self.going.store(false, Ordering::SeqCst);
        self.task.await.unwrap();
        self.asked.load(Ordering::SeqCst)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_fails_while_a_plugin_changes() {
    let server = server().await;
    let (client, plugins) = (server.client, server.plugins());
    let (first, second) = (test_guests::get("well"), test_guests::get("well-next"));
    assert_eq!(ask(client, "well").await.expect(200)["response"], "well 1.0.0");
    let load = Load::begin(client);
    load.more(100).await;

    replace(&plugins, second);
    let told = until_well(client, "the new version", |told| told["version"] == "2.0.0").await;
    assert_eq!((&told["state"], &told["last_error"]), (&json!("ready"), &json!(null)), "{told}");
    assert_eq!(ask(client, "well").await.expect(200)["response"], "well 2.0.0");
    let good = told["digest"].clone();
    load.more(100).await;

    let cut = &first[..first.len() / 2];
    for (what, content) in [("garbage", &b"\0asm garbage, garbage, garbage"[..]), ("a cut copy", cut), ("nothing", b"")]
    {
        replace(&plugins, content);
        let told = until_well(client, what, |told| !told["last_error"].is_null()).await;
        assert_eq!(
            (&told["state"], &told["version"], &told["digest"]),
            (&json!("ready"), &json!("2.0.0"), &good),
            "{what}: {told}"
        );
        assert_eq!(ask(client, "well").await.expect(200)["response"], "well 2.0.0", "after {what}");
        load.more(50).await;
        replace(&plugins, second);
        until_well(client, "the good file again", |told| told["last_error"].is_null()).await;
    }

    load.gone.store(true, Ordering::SeqCst);
    fs::remove_file(plugins.join("well.wasm")).unwrap();
    until("the plugin to be gone", async || (ask(client, "well").await.status() == 503).then_some(())).await;
    let refusal = ask(client, "well").await;
    assert!(crate::shape::message(&refusal).contains("well"), "{}", refusal.text());
    let told = well(client).await;
    assert!(told.is_null() || told["state"] == "failed", "{told}");
    load.more(100).await;

    replace(&plugins, second);
    until_well(client, "its return", |told| told["version"] == "2.0.0").await;
    until("it to answer", async || (ask(client, "well").await.status() == 200).then_some(())).await;
    load.gone.store(false, Ordering::SeqCst);
    load.more(200).await;
    assert!(load.end().await >= 600);
}

/// A copy that comes in pieces, as a slow network makes it: half of it is never taken for the whole.
#[tokio::test(flavor = "multi_thread")]
async fn a_slow_copy_is_waited_for() {
    /// Well below what the server takes for the end of a copy.
    const STEADY: Duration = Duration::from_millis(60);
    let server = server().await;
    let (client, file) = (server.client, server.plugins().join("well.wasm"));
    let versions = [("2.0.0", test_guests::get("well-next")), ("1.0.0", test_guests::get("well"))];
    for (version, content) in versions.into_iter().cycle().take(20) {
        let before = logged().len();
        let mut copy = fs::File::create(&file).unwrap();
        let (mut last, mut longest) = (Instant::now(), Duration::ZERO);
        let mut ticks = tokio::time::interval(Duration::from_millis(10));
        for piece in content.chunks(content.len() / 30 + 1) {
            ticks.tick().await;
            copy.write_all(piece).unwrap();
            longest = longest.max(last.elapsed());
            last = Instant::now();
        }
        until_well(client, "the whole of a slow copy", |told| told["version"] == version).await;
        assert_eq!(ask(client, "well").await.expect(200)["response"], format!("well {version}"));
        // On a machine that stalled in between, the server may have thought it over: then once more.
        if longest < STEADY {
            let own = file.display().to_string();
            let log = logged()[before..].to_owned();
            let hasty = log.lines().find(|line| line.contains(&own) && line.contains("not loaded"));
            assert_eq!(hasty, None, "it was read before it was whole");
            return;
        }
    }
    panic!("this machine can't even copy a file at a steady pace");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_in_flight_keeps_its_version() {
    let server = server().await;
    let (client, plugins) = (server.client, server.plugins());
    let waiting = test_guests::get("wait-forever");
    let mut manifest = Manifest::from_component(waiting).unwrap();
    (manifest.id, manifest.version) = ("well".into(), "3.0.0".into());
    replace(&plugins, &manifest.embed(waiting).unwrap());
    until_well(client, "the waiting version", |told| told["version"] == "3.0.0").await;
    let mut waiting = client.connect().await;
    let body = json!({"message": "x", "provider": "well", "model": "any"});
    waiting.send(&crate::client::Request::new("POST", CHAT).json(&body)).await;
    until_well(client, "a live instance", |told| told["instances"] == 1).await;
    replace(&plugins, test_guests::get("well-next"));
    until_well(client, "the next version", |told| told["version"] == "2.0.0").await;
    assert_eq!(ask(client, "well").await.expect(200)["response"], "well 2.0.0");
    let answered = tokio::time::timeout(Duration::from_millis(100), waiting.reply("POST")).await;
    assert!(answered.is_err(), "the exchange of the old version goes on: {answered:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dropped_file_stands_in_for_a_bundled_plugin_and_gives_way_again() {
    let server = server().await;
    let client = server.client;
    assert_eq!(ask(client, "echo").await.expect(200)["response"], "hello");
    let mut manifest = Manifest::from_component(test_guests::get("well")).unwrap();
    manifest.id = "echo".into();
    let file = server.plugins().join("mine.wasm");
    fs::write(&file, manifest.embed(test_guests::get("well")).unwrap()).unwrap();
    let says = async |words: &str| {
        until(words, async || (ask(client, "echo").await.expect(200)["response"] == words).then_some(())).await;
    };
    says("well 1.0.0").await;
    let list = client.get("/api/v1/plugins").await.expect(200);
    let echo = list["plugins"].as_array().unwrap().iter().find(|plugin| plugin["id"] == "echo").unwrap();
    assert_eq!(echo["origin"], "directory", "{echo}");
    fs::remove_file(file).unwrap();
    says("hello").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_files_with_one_id_are_no_riddle() {
    let server = server().await;
    let client = server.client;
    fs::write(server.plugins().join("another.wasm"), test_guests::get("well-next")).unwrap();
    // The one that came first stays; the other is told why it has to wait.
    let told = until("a word about the second file", async || {
        let list = client.get("/api/v1/plugins").await;
        list.text().contains("another").then_some(list)
    });
    let told = told.await;
    assert!(told.text().contains("remove one of the two files"), "{}", told.text());
    let home = server.plugins().display().to_string();
    assert!(!told.text().contains(&home), "callers need not know where the server keeps its files: {}", told.text());
    assert_eq!(ask(client, "well").await.expect(200)["response"], "well 1.0.0");
    fs::remove_file(server.plugins().join("well.wasm")).unwrap();
    until_well(client, "the second file to take its place", |told| told["version"] == "2.0.0").await;
    assert_eq!(ask(client, "well").await.expect(200)["response"], "well 2.0.0");
}
