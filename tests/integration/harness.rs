//! A server of a test's own: its configuration, its directory of plugins, its log, and its end.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock};

use mortise::app::App;
use mortise::config::{Config, StoreEngine};
use tempfile::TempDir;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::client::Client;
use crate::patience::soon;
use crate::upstream::Upstream;

/// Two names for the plugin that answers with what it was told.
pub const ECHO: &str = "providers: {echo: {}, claude: {plugin: echo}}\ndefault_provider: echo\n";

/// The operator's secret in [`Server::vendor`].
pub const KEY: &str = "sk-test-operator";

pub struct Server {
    pub client: Client,
    /// Of all listeners; the client asks the first.
    pub addresses: Vec<SocketAddr>,
    stop: Option<oneshot::Sender<()>>,
    task: JoinHandle<()>,
    /// Gone with the server.
    home: TempDir,
    /// How much had been logged before it was there.
    earlier: usize,
}

impl Server {
    pub async fn echo() -> Server {
        Server::start(ECHO).await
    }

    /// With the `openai` plugin in front of a test's upstream, which is asked once a request; `more` are further lines, those of
    /// its provider indented.
    pub async fn vendor(upstream: &Upstream, more: &str) -> Server {
        Server::configured(|home| vendors(home, upstream) + more + "\n").await
    }

    pub async fn start(yaml: &str) -> Server {
        Server::configured(|_| yaml.to_owned()).await
    }

    /// The configuration may name files that were put into the server's own directory first, plugins among them.
    pub async fn configured(yaml: impl FnOnce(&Path) -> String) -> Server {
        let earlier = logged().len();
        let home = TempDir::new().unwrap();
        let plugins = home.path().join("plugins");
        std::fs::create_dir(&plugins).unwrap();
        let yaml = yaml(home.path());
        let mut config = Config::from_yaml(&yaml).unwrap_or_else(|error| panic!("{error}\n{yaml}"));
        config.server.port = 0;
        // Tests ask more often than anybody; those of the limits say so.
        config.server.rate_limit.enabled &= yaml.contains("rate_limit");
        config.plugins.directory = plugins;
        // In memory, unless it is what the test is about.
        if !yaml.contains("store:") {
            config.store.engine = StoreEngine::Memory;
        }
        if !yaml.contains("{engine: redb, path: ") {
            config.store.path = home.path().join("data");
        }
        // Shared by all tests: compiling a plugin takes longer than most of them.
        config.plugins.cache = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("plugin-cache");
        let app =
            Box::pin(App::build(config)).await.unwrap_or_else(|error| panic!("the server does not start: {error}"));
        let addresses: Vec<_> = app.addresses().iter().map(|address| address.socket).collect();
        let (stop, stopped) = oneshot::channel::<()>();
        let task = tokio::spawn(async move {
            app.serve(async move { drop(stopped.await) }).await.expect("workers");
        });
        Server { client: Client::new(addresses[0]), addresses, stop: Some(stop), task, home, earlier }
    }

    /// The server's own directory.
    pub fn home(&self) -> &Path {
        self.home.path()
    }

    /// Where plugins can be dropped.
    pub fn plugins(&self) -> PathBuf {
        self.home.path().join("plugins")
    }

    /// What this server has logged, in a test that runs on one thread: others may log at the same time.
    pub fn log(&self) -> String {
        let thread = std::thread::current().name().unwrap_or_default().to_owned();
        let lines = logged()[self.earlier..].to_owned();
        lines.lines().filter(|line| line.contains(&thread)).map(|line| format!("{line}\n")).collect()
    }

    /// The signal to stop.
    pub fn signal(&mut self) {
        drop(self.stop.take());
    }

    /// Waits until the server has ended by itself.
    pub async fn ended(mut self) {
        soon("the server to end", &mut self.task).await.unwrap();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

type Lines = Arc<Mutex<Vec<u8>>>;

/// The configuration in which that upstream is the vendor `openai`.
pub fn vendors(home: &Path, upstream: &Upstream) -> String {
    let key = home.join("key");
    std::fs::write(&key, KEY).unwrap();
    let (url, key) = (upstream.base_url(), key.display());
    format!("providers:\n  openai:\n    base_url: {url}\n    api_key: file:{key}\n    retries: 0\n")
}

/// What all servers of this process have logged so far.
pub fn logged() -> String {
    String::from_utf8_lossy(&log().lock().unwrap()).into_owned()
}

fn log() -> &'static Lines {
    static LINES: OnceLock<Lines> = OnceLock::new();
    LINES.get_or_init(|| {
        let lines = Lines::default();
        let sink = Sink(lines.clone());
        let subscriber = tracing_subscriber::fmt()
            .with_env_filter("info,mortise=debug")
            .with_ansi(false)
            .with_thread_names(true)
            .with_writer(move || sink.clone());
        subscriber.init();
        lines
    })
}

/// Keeps what is written.
#[derive(Clone)]
struct Sink(Lines);

impl std::io::Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
