//! The program itself, as images and service managers run it: plugins compiled ahead, and its health asked for.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::sync::mpsc;

use mortise::plugin::bundled::BUNDLED;

use crate::patience::DEADLINE;

/// In the log of a start, for each plugin that it has to compile.
const COMPILED: &str = "a plugin was compiled";

/// With an environment of its own, in which `home` is the home directory.
fn program(home: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mortise"));
    command.env_clear().env("HOME", home).stdin(Stdio::null());
    command
}

/// What `plugin warm` says where nothing was compiled before.
fn all_compiled() -> String {
    BUNDLED.iter().map(|bundled| format!("{}: compiled\n", bundled.id)).collect()
}

#[track_caller]
fn said(command: &mut Command) -> (bool, String) {
    let Output { status, stdout, stderr } = command.output().unwrap();
    (status.success(), String::from_utf8_lossy(&[stdout, stderr].concat()).into_owned())
}

/// What the server logs until it listens.
fn log_of_start(command: &mut Command) -> String {
    let mut server = command.args(["serve", "--port", "0"]).stderr(Stdio::piped()).spawn().unwrap();
    let stderr = BufReader::new(server.stderr.take().unwrap());
    let (log, lines) = mpsc::channel();
    let reader = std::thread::spawn(move || {
        for line in stderr.lines() {
            let line = line.unwrap();
            let last = line.contains("listening on");
            log.send(line).unwrap();
            if last {
                break;
            }
        }
    });
    let mut seen = String::new();
    while !seen.contains("listening on") {
        let line = lines.recv_timeout(DEADLINE).unwrap_or_else(|_| {
            let _ = server.kill();
            panic!("the server does not start:\n{seen}")
        });
        seen.push_str(&line);
        seen.push('\n');
    }
    server.kill().unwrap();
    server.wait().unwrap();
    reader.join().unwrap();
    seen
}

fn files(directory: &Path) -> Vec<String> {
    let mut names: Vec<String> =
        std::fs::read_dir(directory).unwrap().map(|file| file.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn what_is_compiled_ahead_is_not_compiled_by_the_server() {
    let home = tempfile::tempdir().unwrap();
    // The first start has them compiled, by a process that takes the compiler's memory with it.
    let log = log_of_start(&mut program(home.path()));
    assert!(log.contains("plugins were compiled for the first start") && !log.contains(COMPILED), "{log}");
    assert_eq!(files(&home.path().join(".mortise/cache")).len(), BUNDLED.len());
    assert!(!log_of_start(&mut program(home.path())).contains("first start"), "the second start finds them");

    let home = tempfile::tempdir().unwrap();
    let plugins = home.path().join(".mortise/plugins");
    std::fs::create_dir_all(&plugins).unwrap();
    std::fs::write(plugins.join("mine.wasm"), test_guests::get("well")).unwrap();
    let (well, text) = said(program(home.path()).args(["plugin", "warm"]));
    assert!(well && text.contains(&(all_compiled() + "well: compiled\n")), "{text}");
    let cache = home.path().join(".mortise/cache");
    let kept = files(&cache);
    assert_eq!(kept.len(), BUNDLED.len() + 1);
    assert!(!log_of_start(&mut program(home.path())).contains(COMPILED));
    let (well, text) = said(program(home.path()).args(["plugin", "warm"]));
    assert!(well && text.matches("was compiled earlier").count() == BUNDLED.len() + 1, "{text}");
    assert_eq!(files(&cache), kept);

    // A file that is none is named, and leaves the others alone.
    std::fs::write(plugins.join("broken.wasm"), "garbage").unwrap();
    let (well, text) = said(program(home.path()).args(["plugin", "warm"]));
    assert!(
        !well && text.contains("broken.wasm: ") && text.matches("was compiled earlier").count() == BUNDLED.len() + 1,
        "{text}"
    );
}

#[test]
fn what_is_compiled_for_all_processors_serves_this_one() {
    let home = tempfile::tempdir().unwrap();
    let (well, text) = said(program(home.path()).args(["plugin", "warm", "--portable"]));
    assert!(well && text.contains(&all_compiled()), "{text}");
    assert!(!log_of_start(&mut program(home.path())).contains(COMPILED));
    assert_eq!(files(&home.path().join(".mortise/cache")).len(), BUNDLED.len());
}

#[test]
fn without_a_place_for_compiled_code_the_server_starts_and_says_so_once() {
    let nowhere = tempfile::NamedTempFile::new().unwrap();
    let place = nowhere.path().join("cache");
    let home = tempfile::tempdir().unwrap();
    let log = log_of_start(program(home.path()).env("MORTISE_PLUGINS__CACHE", &place));
    assert_eq!(log.matches(COMPILED).count(), BUNDLED.len(), "{log}");
    assert_eq!(log.matches("compiled plugins can't be kept").count(), 1, "{log}");
    let (well, text) = said(program(home.path()).env("MORTISE_PLUGINS__CACHE", &place).args(["plugin", "warm"]));
    assert!(!well && text.contains("can't be kept") && text.contains(&*place.to_string_lossy()), "{text}");
}

#[test]
fn no_home_is_no_folder_called_tilde() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = program(folder.path());
    command.env_remove("HOME").env("MORTISE_LOGGING__FILE", "false").current_dir(folder.path());
    // What can't be kept isn't taken.
    let (well, text) = said(command.arg("--port").arg("0"));
    assert!(!well && text.contains("HOME is not set") && text.contains("--ephemeral"), "{text}");
    let log = log_of_start(command.arg("--ephemeral"));
    assert!(log.contains("HOME is not set"), "{log}");
    assert_eq!(files(folder.path()), [""; 0]);
}

/// Answers one request with `status`, and tells what it read.
fn answering(status: u16) -> (SocketAddr, std::thread::JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let answering = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let (mut read, mut byte) = (Vec::new(), [0]);
        while !read.ends_with(b"\r\n\r\n") {
            stream.read_exact(&mut byte).unwrap();
            read.push(byte[0]);
        }
        write!(stream, "HTTP/1.1 {status} Whatever\r\nContent-Length: 0\r\n\r\n").unwrap();
        String::from_utf8(read).unwrap()
    });
    (address, answering)
}

/// `mortise health` with these listeners configured.
fn health(listen: &serde_json::Value) -> (bool, String) {
    let home = tempfile::tempdir().unwrap();
    said(program(home.path()).env("MORTISE_SERVER__LISTEN", listen.to_string()).arg("health"))
}

#[test]
fn health_is_what_the_server_says() {
    let (address, server) = answering(200);
    // One without TLS is taken where there is one.
    let listen = serde_json::json!([{"address": "127.0.0.1:1", "ssl": true}, {"address": address}]);
    assert_eq!(health(&listen), (true, "ready\n".to_owned()));
    assert!(server.join().unwrap().starts_with("GET /health/ready HTTP/1.1\r\nHost: localhost\r\n"));

    let (address, server) = answering(503);
    let (well, text) = health(&serde_json::json!([{"address": address, "proxy_protocol": true}]));
    assert!(!well && text.contains("503"), "{text}");
    assert!(server.join().unwrap().starts_with("PROXY UNKNOWN\r\nGET /health/ready HTTP/1.1\r\n"));

    // Where nobody listens any more.
    let (well, text) = health(&serde_json::json!([{"address": address}]));
    assert!(!well && text.contains(&format!("can't reach {address}")), "{text}");
}
