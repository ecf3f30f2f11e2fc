//! A channel between a server and the commands of whoever runs it: a socket in the data directory.
//!
//! The server has the database to itself, so a command asks it to do what has to be done there. One line of JSON each way:
//! `{"do": name, "with": value}`, then `{"ok": value}` or `{"error": text}`; where a stream was asked for, its bytes follow,
//! until the connection ends. Only the server's own user is heard, and root.

use std::collections::BTreeMap;
use std::fs::{self, File, Permissions};
use std::io::{self, BufRead, BufReader, BufWriter, ErrorKind, Write};
use std::os::fd::AsRawFd;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::net::UnixStream as Blocking;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;

use crate::model::Result;

const NAME: &str = "control.sock";

/// How many are served at once.
const AT_ONCE: usize = 4;

/// The longest line that is read.
const LONGEST: u64 = 16 << 20;

/// How long a line may take to come, and a piece of a stream to be taken.
const PATIENCE: Duration = Duration::from_secs(30);

/// A socket's address is no longer than this.
const SHORT: usize = 100;

type Answer = Pin<Box<dyn Future<Output = Result<Value>> + Send>>;
type Handler = Arc<dyn Fn(Value) -> Answer + Send + Sync>;
type Source = Arc<dyn Fn(&mut dyn Write) -> Result<()> + Send + Sync>;

/// What can be asked of a server.
#[derive(Default)]
pub struct Control {
    handlers: BTreeMap<&'static str, Handler>,
    sources: BTreeMap<&'static str, Source>,
}

/// Listens until it is dropped.
pub struct Listening {
    path: PathBuf,
    /// Another server may have put its own in this one's place.
    inode: u64,
    task: JoinHandle<()>,
}

// === impl Control ===

impl Control {
    /// `name` is answered by `handler`.
    pub fn on<F, A>(&mut self, name: &'static str, handler: F)
    where
        F: Fn(Value) -> A + Send + Sync + 'static,
        A: Future<Output = Result<Value>> + Send + 'static,
    {
        self.handlers.insert(name, Arc::new(move |with| Box::pin(handler(with))));
    }

    /// `name` is answered by what `source` writes, on a thread that may wait.
    pub fn stream(
        &mut self,
        name: &'static str,
        source: impl Fn(&mut dyn Write) -> Result<()> + Send + Sync + 'static,
    ) {
        self.sources.insert(name, Arc::new(source));
    }

    /// Listens in `directory`, in place of whoever did before.
    ///
    /// # Errors
    /// If there can't be a socket.
    pub fn listen(self, directory: &Path) -> io::Result<Listening> {
        let path = directory.join(NAME);
        let new = format!("{NAME}.{}", std::process::id());
        let _ = fs::remove_file(directory.join(&new));
        let listener = addressed(directory, &new, |address| UnixListener::bind(address))?;
        let new = directory.join(new);
        fs::set_permissions(&new, Permissions::from_mode(0o600))?;
        let inode = fs::metadata(&new)?.ino();
        fs::rename(&new, &path)?;
        let task = tokio::spawn(Arc::new(self).accept(listener));
        Ok(Listening { path, inode, task })
    }

    async fn accept(self: Arc<Self>, listener: UnixListener) {
        let places = Arc::new(Semaphore::new(AT_ONCE));
        while let Ok(place) = places.clone().acquire_owned().await {
            match listener.accept().await {
                Ok((stream, _)) => {
                    let control = self.clone();
                    tokio::spawn(async move {
                        if let Err(error) = control.serve(stream).await {
                            tracing::debug!(%error, "a command went away");
                        }
                        drop(place);
                    });
                }
                // Where descriptors have run out, there will be some again.
                Err(_) => tokio::time::sleep(Duration::from_secs(1)).await,
            }
        }
    }

    async fn serve(&self, mut stream: UnixStream) -> io::Result<()> {
        let (peer, own) = (stream.peer_cred()?.uid(), rustix::process::geteuid().as_raw());
        if peer != own && peer != 0 {
            return reply(&mut stream, json!({"error": "only the server's own user is heard"})).await;
        }
        let mut line = Vec::new();
        let mut lines = tokio::io::BufReader::new((&mut stream).take(LONGEST));
        tokio::time::timeout(PATIENCE, lines.read_until(b'\n', &mut line)).await??;
        let asked: Value = serde_json::from_slice(&line).unwrap_or_default();
        let name = asked.get("do").and_then(Value::as_str).unwrap_or_default();
        if let Some(source) = self.sources.get(name).cloned() {
            let stream = stream.into_std()?;
            return tokio::task::spawn_blocking(move || pour(&stream, &source)).await?;
        }
        let Some(handler) = self.handlers.get(name) else {
            let error = format!("the server doesn't know `{name}`; it may be of another version than this program");
            return reply(&mut stream, json!({"error": error})).await;
        };
        let answer = match handler(asked.get("with").cloned().unwrap_or_default()).await {
            Ok(value) => json!({"ok": value}),
            Err(error) => json!({"error": error.private().unwrap_or(error.public())}),
        };
        reply(&mut stream, answer).await
    }
}

async fn reply(stream: &mut UnixStream, answer: Value) -> io::Result<()> {
    tokio::time::timeout(PATIENCE, stream.write_all(format!("{answer}\n").as_bytes())).await?
}

fn pour(stream: &Blocking, source: &Source) -> io::Result<()> {
    stream.set_nonblocking(false)?;
    stream.set_write_timeout(Some(PATIENCE))?;
    let mut out = BufWriter::with_capacity(1 << 16, stream);
    writeln!(out, "{}", json!({"ok": null}))?;
    // Whoever reads it notices that its end is missing.
    source(&mut out).map_err(io::Error::other)?;
    out.flush()
}

// === impl Listening ===

impl Drop for Listening {
    fn drop(&mut self) {
        self.task.abort();
        if fs::metadata(&self.path).is_ok_and(|found| found.ino() == self.inode) {
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// Asks the server whose data directory is `directory`; nothing if none runs.
///
/// # Errors
/// What the server says, or that it can't be asked.
pub fn ask(directory: &Path, name: &str, with: Value) -> Result<Option<Value>, String> {
    Ok(request(directory, name, with)?.map(|(value, _)| value))
}

/// The same, for a stream, which may end too early.
///
/// # Errors
/// What the server says, or that it can't be asked.
pub fn fetch(directory: &Path, name: &str) -> Result<Option<impl BufRead + use<>>, String> {
    Ok(request(directory, name, Value::Null)?.map(|(_, stream)| stream))
}

fn request(directory: &Path, name: &str, with: Value) -> Result<Option<(Value, BufReader<Blocking>)>, String> {
    let wrong =
        |error: io::Error| format!("the server can't be asked through {}: {error}", directory.join(NAME).display());
    let mut stream = match addressed(directory, NAME, |address| Blocking::connect(address)) {
        Ok(stream) => stream,
        // Nobody was ever there, or is any more.
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::ConnectionRefused) => return Ok(None),
        Err(error) => return Err(wrong(error)),
    };
    stream.write_all(format!("{}\n", json!({"do": name, "with": with})).as_bytes()).map_err(wrong)?;
    let mut lines = BufReader::new(stream);
    let mut line = String::new();
    lines.read_line(&mut line).map_err(wrong)?;
    let mut answer: Value = serde_json::from_str(&line).map_err(|error| wrong(io::Error::other(error)))?;
    match answer.get("error").and_then(Value::as_str) {
        Some(error) => Err(error.to_owned()),
        None => Ok(Some((answer.get_mut("ok").map(Value::take).unwrap_or_default(), lines))),
    }
}

/// Does `work` with an address of `name` in `directory` that is short enough for a socket.
fn addressed<T>(directory: &Path, name: &str, work: impl FnOnce(&Path) -> io::Result<T>) -> io::Result<T> {
    let path = directory.join(name);
    if path.as_os_str().len() < SHORT {
        return work(&path);
    }
    let open = File::open(directory)?;
    work(Path::new(&format!("/proc/self/fd/{}/{name}", open.as_raw_fd())))
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;
    use crate::model::Error;

    fn control() -> Control {
        let mut control = Control::default();
        control.on("double", |with| async move { Ok(json!(with.as_i64().unwrap_or_default() * 2)) });
        control.on("fail", |_| async { Err(Error::internal("why it failed")) });
        control.stream("count", |out| (0..100_000).try_for_each(|n| writeln!(out, "{n}")).map_err(Error::internal));
        control
    }

    async fn asked(directory: &Path, name: &'static str, with: Value) -> Result<Option<Value>, String> {
        let directory = directory.to_owned();
        tokio::task::spawn_blocking(move || ask(&directory, name, with)).await.unwrap()
    }

    #[tokio::test]
    async fn a_server_is_asked_if_there_is_one() {
        let home = tempfile::TempDir::new().unwrap();
        // Longer than the address of a socket may be.
        let directory = home.path().join("d".repeat(120));
        assert_eq!(asked(&directory, "double", json!(4)).await, Ok(None));
        fs::create_dir(&directory).unwrap();
        assert_eq!(asked(&directory, "double", json!(4)).await, Ok(None));
        let first = control().listen(&directory).unwrap();
        assert_eq!(asked(&directory, "double", json!(4)).await, Ok(Some(json!(8))));
        assert_eq!(asked(&directory, "fail", json!({})).await, Err("why it failed".into()));
        assert!(asked(&directory, "other", json!({})).await.unwrap_err().contains("doesn't know `other`"));
        let mode = fs::metadata(directory.join(NAME)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        // Another takes over; the first one leaves its socket alone.
        let second = control().listen(&directory).unwrap();
        drop(first);
        assert_eq!(asked(&directory, "double", json!(5)).await, Ok(Some(json!(10))));
        drop(second);
        assert_eq!(asked(&directory, "double", json!(4)).await, Ok(None));
        assert_eq!(fs::read_dir(&directory).unwrap().count(), 0);
    }

    #[tokio::test]
    async fn a_stream_comes_whole() {
        let home = tempfile::TempDir::new().unwrap();
        let _listening = control().listen(home.path()).unwrap();
        let directory = home.path().to_owned();
        let text = tokio::task::spawn_blocking(move || {
            let mut text = String::new();
            fetch(&directory, "count").unwrap().unwrap().read_to_string(&mut text).unwrap();
            text
        });
        assert_eq!(text.await.unwrap().lines().count(), 100_000);
    }
}
