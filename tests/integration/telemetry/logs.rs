//! The log's files, and `mortise logs`, with the program itself.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, ChildStderr, ChildStdout, Command, Output, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, SystemTime};

use serde_json::json;
use tempfile::TempDir;

use crate::client::{Client, Request};
use crate::patience::DEADLINE;

/// The program, with a home of its own.
fn program(home: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mortise"));
    command.args(arguments).env_clear().env("HOME", home).stdin(Stdio::null());
    command
}

fn logs(home: &Path, arguments: &[&str]) -> Output {
    program(home, &[&["logs"], arguments].concat()).output().unwrap()
}

fn printed(output: &Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout.clone()).unwrap()
}

/// A file of the log that was last written so many hours ago.
fn write(home: &Path, name: &str, text: &str, hours: u64) {
    let directory = home.join(".mortise/logs");
    fs::create_dir_all(&directory).unwrap();
    let mut file = fs::File::create(directory.join(name)).unwrap();
    file.write_all(text.as_bytes()).unwrap();
    file.set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs((450_000 - hours) * 3600)).unwrap();
}

fn rotated() -> TempDir {
    let home = TempDir::new().unwrap();
    let lines = |from: u32, to: u32| (from..=to).map(|number| format!("line {number}\n")).collect::<String>();
    write(home.path(), "mortise.2026-01-30.log", &lines(1, 200), 30);
    write(home.path(), "mortise.2026-01-31.log", &lines(201, 205), 6);
    write(home.path(), "mortise.2026-02-01.log", &lines(206, 207), 1);
    write(home.path(), "other.log", "not ours\n", 0);
    home
}

/// Lines of a program's output, as they come.
fn lines(output: impl Read + Send + 'static) -> Receiver<String> {
    let (sender, receiver) = channel();
    std::thread::spawn(move || {
        for line in BufReader::new(output).lines().map_while(Result::ok) {
            if sender.send(line).is_err() {
                break;
            }
        }
    });
    receiver
}

/// A program that is ended with the test.
struct Running(Child);

impl Running {
    fn interrupt(&self) {
        let pid = rustix::process::Pid::from_child(&self.0);
        rustix::process::kill_process(pid, rustix::process::Signal::INT).unwrap();
    }

    fn stdout(&mut self) -> ChildStdout {
        self.0.stdout.take().unwrap()
    }

    fn stderr(&mut self) -> ChildStderr {
        self.0.stderr.take().unwrap()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

#[test]
fn the_newest_lines_are_printed_over_the_boundary_of_files() {
    let home = rotated();
    assert_eq!(printed(&logs(home.path(), &["--tail", "1"])), "line 207\n");
    assert_eq!(printed(&logs(home.path(), &["--tail", "4"])), "line 204\nline 205\nline 206\nline 207\n");
    let hundred = printed(&logs(home.path(), &[]));
    assert_eq!((hundred.lines().count(), hundred.lines().next()), (100, Some("line 108")));
    assert_eq!(printed(&logs(home.path(), &["--tail", "9999"])).lines().count(), 207);
    assert_eq!(printed(&logs(home.path(), &["--tail", "0"])), "");
}

#[test]
fn where_there_is_no_log_an_error_says_so() {
    let home = TempDir::new().unwrap();
    let output = logs(home.path(), &[]);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && output.stdout.is_empty());
    assert!(said.contains("there is no log in") && said.contains(".mortise/logs"), "{said}");
}

#[test]
fn following_goes_on_over_rotations_until_it_is_interrupted() {
    let home = rotated();
    let child = program(home.path(), &["logs", "--tail", "1", "--follow"]).stdout(Stdio::piped()).spawn().unwrap();
    let mut running = Running(child);
    let lines = lines(running.stdout());
    let next = || lines.recv_timeout(DEADLINE).expect("another line");
    assert_eq!(next(), "line 207");
    let directory = home.path().join(".mortise/logs");
    let append = |name: &str, text: &str| {
        let mut file = fs::File::options().append(true).create(true).open(directory.join(name)).unwrap();
        file.write_all(text.as_bytes()).unwrap();
    };
    append("mortise.2026-02-01.log", "line 208\n");
    assert_eq!(next(), "line 208");
    append("mortise.2026-02-01.log", "line 209\n");
    append("mortise.2026-02-02.log", "line 210\n");
    assert_eq!((next(), next()), ("line 209".into(), "line 210".into()));
    append("mortise.2026-02-02.log", "line 211\n");
    assert_eq!(next(), "line 211");
    running.interrupt();
    assert!(running.0.wait().unwrap().success(), "Ctrl-C is how one ends it");
}

/// A server with this configuration, once it listens, and its standard error stream.
fn serve(home: &Path, yaml: &str) -> (Running, Client, Receiver<String>, Vec<String>) {
    let config = home.join("config.yaml");
    fs::write(&config, yaml).unwrap();
    let cache = Path::new(env!("CARGO_TARGET_TMPDIR")).join("plugin-cache");
    let mut command = program(home, &["serve", "--port", "0", "--config", config.to_str().unwrap()]);
    command.env("MORTISE_PLUGINS__CACHE", cache).env("OPENAI_API_KEY", "sk-environment-secret");
    let mut running = Running(command.stderr(Stdio::piped()).spawn().unwrap());
    let lines = lines(running.stderr());
    let mut seen = Vec::new();
    loop {
        let line = lines.recv_timeout(DEADLINE).unwrap_or_else(|_| panic!("it doesn't listen: {seen:#?}"));
        let address = line.split_once("http://").filter(|_| line.contains("listening on")).map(|(_, rest)| {
            let end = rest.find(|c: char| !(c.is_ascii_digit() || c == '.' || c == ':')).unwrap_or(rest.len());
            rest[..end].parse::<SocketAddr>().unwrap()
        });
        seen.push(line);
        if let Some(address) = address {
            return (running, Client::new(address), lines, seen);
        }
    }
}

/// Ends the server and returns what its files and its console hold.
fn ended(home: &Path, mut running: Running, lines: &Receiver<String>, mut console: Vec<String>) -> (String, String) {
    running.interrupt();
    assert!(running.0.wait().unwrap().success());
    while let Ok(line) = lines.recv_timeout(DEADLINE) {
        console.push(line);
    }
    let files = fs::read_dir(home.join(".mortise/logs")).into_iter().flatten();
    let files = files.map(|entry| fs::read_to_string(entry.unwrap().path()).unwrap()).collect();
    (files, console.join("\n") + "\n")
}

#[tokio::test]
async fn lines_cant_be_forged_and_hold_no_secret_at_any_level() {
    let home = TempDir::new().unwrap();
    let yaml = "providers: {echo: {}, far: {plugin: openai, base_url: \"http://127.0.0.1:9/v1\", api_key: env:OPENAI_API_KEY}}\nlogging: {level: \"TRACE\"}\n";
    let (running, client, lines, seen) = serve(home.path(), yaml);
    let forged = "x\n2026-01-01T00:00:00.000000Z  INFO forged\r\u{1b}[2Jline\u{2028}";
    for provider in ["echo", "far", forged] {
        let body = json!({"message": "a-secret-prompt", "provider": provider, "model": forged});
        let request = Request::new("POST", "/api/v1/chat?token=in-the-query").json(&body);
        client.send(&request.header("Authorization", "Bearer a-callers-key").header("X-API-Key", "another-key")).await;
    }
    client.get("/nowhere/%0a2026%20INFO%20forged?api_key=in-the-query").await;
    let (files, console) = ended(home.path(), running, &lines, seen);
    assert!(files.contains("POST /api/v1/chat") && files.contains("stopping"), "{files}");
    for log in [&files, &console] {
        assert!(log.contains("INFO forged"), "the words themselves are kept: {log}");
        for line in log.lines() {
            let stamp = line.get(..27).unwrap_or_default();
            assert!(stamp.ends_with('Z') && !stamp.starts_with("2026-01-01"), "a forged line: {line}");
        }
        assert!(!log.contains(['\u{1b}', '\r', '\u{2028}']), "{log:?}");
        for secret in ["sk-environment-secret", "a-callers-key", "another-key", "in-the-query", "a-secret-prompt"] {
            assert!(!log.contains(secret), "{secret} is in the log: {log}");
        }
    }
    let last = printed(&logs(home.path(), &["--tail", "1"]));
    assert_eq!(last.lines().next(), files.lines().last());
}

#[tokio::test]
async fn programs_read_json_and_the_documents_levels_are_known() {
    let home = TempDir::new().unwrap();
    let (running, client, lines, seen) =
        serve(home.path(), "logging: {level: INFO, format: json, rotation: never}\nproviders: {echo: {}}\n");
    client.get("/nowhere").await;
    let (files, console) = ended(home.path(), running, &lines, seen);
    assert_eq!(files, console);
    let read: Vec<serde_json::Value> = files.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let line = read.iter().find(|line| line["status"] == 404).expect("the request's line");
    assert_eq!((&line["level"], &line["surface"]), (&json!("INFO"), &json!("ops")));
    assert!(home.path().join(".mortise/logs/mortise.log").is_file());

    let (running, client, lines, seen) = serve(
        home.path(),
        "logging: {level: \"CRITICAL,mortise::cli=INFO\", directory: /dev/null/logs, console: false}\nproviders: {echo: {}}\n",
    );
    client.get("/nowhere").await;
    let (_, console) = ended(home.path(), running, &lines, seen);
    assert!(console.contains("listening on") && !console.contains("/nowhere"), "{console}");
}

#[tokio::test]
async fn a_directory_that_cant_be_written_stops_nobody() {
    let home = TempDir::new().unwrap();
    let yaml = "providers: {echo: {}}\nlogging: {directory: /dev/null/logs}\n";
    let (running, client, lines, seen) = serve(home.path(), yaml);
    assert_eq!(client.get("/health").await.status(), 200);
    let (_, console) = ended(home.path(), running, &lines, seen);
    assert!(console.contains("WARN logging.directory /dev/null/logs"), "{console}");
}
