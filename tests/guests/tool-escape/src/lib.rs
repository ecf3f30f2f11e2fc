//! Looks for a way out of its workspace: by paths, by links, by links that change while it looks, by what the system shows.
//!
//! `look` answers with a line for each thing that it reached, `race` with how often it read what is outside, `open` with what
//! became of one path. The only right answers are `nothing`, `0`, and a refusal.

use std::fs;
use std::path::Path;

use serde_json::Value;
use tool_kit::{Context, Tools, argument};

struct Escape;

impl Tools for Escape {
    const NAMES: &'static [&'static str] = &["look", "race", "open", "write", "nosy"];

    fn call(name: &str, arguments: &Value, _: &Context) -> Result<String, String> {
        match name {
            "look" => Ok(look(argument(arguments, "outside"))),
            "race" => Ok(race(argument(arguments, "outside")).to_string()),
            "open" => fs::read_to_string(argument(arguments, "path")).map_err(|error| error.to_string()),
            "write" => {
                fs::write(argument(arguments, "path"), "x").map(|()| "written".to_owned()).map_err(|e| e.to_string())
            }
            _ => Ok(nosy()),
        }
    }
}

/// Tries to read `outside` (a path of the host's) in all ways that are known.
fn look(outside: &str) -> String {
    let depth = "../".repeat(20);
    let mut found = Vec::new();
    let mut paths: Vec<String> = [
        "/",
        "/etc/passwd",
        "/proc/self/environ",
        "/proc/1/environ",
        "/proc/self/root/etc/passwd",
        "/dev/mem",
        "/sys",
        "/tmp",
        "..",
        "../..",
        "/workspace/..",
        "/workspace/../..",
        "/workspace/../../etc/passwd",
        "/workspace/./../x",
        "/workspace/sub/../../../etc/passwd",
        "/workspace//etc/passwd/../../../../etc/passwd",
    ]
    .map(str::to_owned)
    .to_vec();
    paths.push(outside.to_owned());
    paths.push(format!("/workspace/{depth}{outside}"));
    paths.push(format!("/workspace/{outside}"));
    let _ = fs::create_dir("/workspace/sub");
    for (link, target) in
        [("absolute", outside), ("climbing", &*format!("{depth}{outside}")), ("up", ".."), ("proc", "/proc/self")]
    {
        let link = format!("/workspace/{link}");
        #[expect(deprecated, reason = "the one way that std has on every system")]
        let _ = fs::soft_link(target, &link);
        paths.push(link.clone());
        paths.push(format!("{link}/x"));
        paths.push(format!("{link}/etc/passwd"));
        paths.push(format!("{link}/environ"));
    }
    let _ = fs::hard_link(outside, "/workspace/hard");
    let _ = fs::hard_link("/workspace/absolute", "/workspace/hard-of-link");
    paths.extend(["/workspace/hard", "/workspace/hard-of-link"].map(str::to_owned));
    let _ = fs::rename("/workspace/sub", "/workspace/../moved");
    for path in paths {
        found.extend(fs::read(&path).map(|content| format!("read {path}: {} bytes", content.len())));
        if !path.starts_with("/workspace/sub") && Path::new(&path) != Path::new("/workspace") {
            found.extend(fs::read_dir(&path).map(|_| format!("listed {path}")));
        }
        if path != "/workspace/hard" {
            found.extend(fs::OpenOptions::new().append(true).open(&path).map(|_| format!("opened {path} to write")));
        }
    }
    if found.is_empty() { "nothing".to_owned() } else { found.join("\n") }
}

/// Swaps a directory for a link to the outside and back, and reads through it.
fn race(outside: &str) -> u32 {
    let _ = fs::create_dir("/workspace/real");
    let _ = fs::write("/workspace/real/secret", "inside");
    let mut read = 0;
    for turn in 0..400 {
        let _ = fs::remove_file("/workspace/door");
        let _ = fs::remove_dir_all("/workspace/door");
        if turn % 2 == 0 {
            #[expect(deprecated, reason = "the one way that std has on every system")]
            let _ = fs::soft_link(outside, "/workspace/door");
        } else {
            let _ = fs::rename("/workspace/real", "/workspace/door");
            let _ = fs::create_dir("/workspace/real");
        }
        if fs::read_to_string("/workspace/door/secret").is_ok_and(|content| content != "inside") {
            read += 1;
        }
    }
    read
}

/// What a program of an operating system would find.
fn nosy() -> String {
    let mut found: Vec<String> = std::env::vars().map(|(name, value)| format!("variable {name}={value}")).collect();
    found.extend(std::env::args().skip(1).map(|argument| format!("argument {argument}")));
    found.extend(std::net::TcpStream::connect("127.0.0.1:22").map(|_| "connected".to_owned()));
    found.extend(std::net::UdpSocket::bind("127.0.0.1:0").map(|_| "bound".to_owned()));
    found.extend(std::net::ToSocketAddrs::to_socket_addrs(&("localhost", 80)).map(|_| "looked up".to_owned()));
    let mut input = String::new();
    if std::io::Read::read_to_string(&mut std::io::stdin(), &mut input).is_ok() && !input.is_empty() {
        found.push(format!("input {input}"));
    }
    if found.is_empty() { "nothing".to_owned() } else { found.join("\n") }
}

tool_kit::tools!(Escape);
