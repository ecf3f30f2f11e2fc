//! The program itself, started with variables of its own.

use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};

use tempfile::TempDir;
use tokio::task::spawn_blocking;

use crate::client::Client;
use crate::harness::ECHO;
use crate::patience::{soon, until};

/// A running server; gone when it is dropped.
pub(super) struct Process {
    pub(super) client: Client,
    child: Child,
    said: Arc<Mutex<String>>,
    _home: TempDir,
}

/// A program that is given nothing of this one's environment but the cache of compiled plugins.
fn command(home: &Path, yaml: &str, variables: &[(&str, &str)], arguments: &[&str]) -> Command {
    let file = home.join("config.yaml");
    std::fs::write(&file, yaml).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_mortise"));
    command.env_clear().env("HOME", home).env("MORTISE_CONFIG", file).args(arguments);
    command.env("MORTISE_PLUGINS__CACHE", Path::new(env!("CARGO_TARGET_TMPDIR")).join("plugin-cache"));
    command.envs(variables.iter().copied()).stdin(Stdio::null());
    command
}

/// What the program says to `arguments` until it ends, and whether it ends well.
pub(super) async fn run(yaml: &str, variables: &[(&str, &str)], arguments: &[&str]) -> (bool, String) {
    let home = TempDir::new().unwrap();
    let mut command = command(home.path(), yaml, variables, arguments);
    let output = soon("the program to end", spawn_blocking(move || command.output())).await.unwrap().unwrap();
    let text = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8(text).unwrap())
}

impl Process {
    pub(super) async fn echo(yaml: &str, variables: &[(&str, &str)]) -> Process {
        let home = TempDir::new().unwrap();
        let mut command =
            command(home.path(), &format!("{ECHO}{yaml}"), variables, &["serve", "--port", "0", "--debug"]);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let said = Arc::default();
        keep(child.stdout.take().unwrap(), &said);
        keep(child.stderr.take().unwrap(), &said);
        let address = until("the server to listen", async || {
            let said = said.lock().unwrap();
            let (_, rest) = said.split_once("listening on http://")?;
            let (address, _) = rest.split_once(|c: char| c.is_whitespace() || c == '\u{1b}')?;
            Some(address.replace("0.0.0.0", "127.0.0.1").parse().unwrap())
        });
        let client = Client::new(address.await);
        Process { client, child, said, _home: home }
    }

    /// What it has said so far.
    pub(super) fn said(&self) -> String {
        self.said.lock().unwrap().clone()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended by itself, which its test has noticed.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// Ends with the stream.
fn keep(stream: impl Read + Send + 'static, said: &Arc<Mutex<String>>) {
    let said = said.clone();
    std::thread::spawn(move || {
        for line in BufReader::new(stream).lines().map_while(Result::ok) {
            *said.lock().unwrap() += &(line + "\n");
        }
    });
}
