//! Looks around: arguments, environment, files, standard input, sockets. It answers with a line for each thing found.
//!
//! The only right answer is `nothing`. Reading the standard input must end at once, not wait for somebody to type.

use std::io::{Read, stdin};
use std::net::{TcpListener, TcpStream, ToSocketAddrs, UdpSocket};
use std::{env, fs};

use mortise_sdk::chat::Request;
use mortise_sdk::provider::{Error, Exchange, Info, NoSettings, Provider, answer};

struct Guest;

impl Provider for Guest {
    type Settings = NoSettings;

    fn describe(_: NoSettings) -> Result<Info, Error> {
        Ok(kit::info("Nosy"))
    }

    fn chat(_: Request, _: NoSettings) -> Result<Box<dyn Exchange>, Error> {
        Ok(answer(|out| {
            let found = look();
            kit::say(out, if found.is_empty() { "nothing" } else { &found });
            Ok(())
        }))
    }
}

fn look() -> String {
    let mut found = Vec::new();
    found.extend(env::args().map(|argument| format!("argument {argument}")));
    found.extend(env::vars().map(|(name, value)| format!("variable {name}={value}")));
    for path in ["/", ".", "..", "/etc/passwd", "/proc/self/environ", "/tmp"] {
        found.extend(fs::read(path).map(|content| format!("file {path}: {} bytes", content.len())));
        found.extend(fs::read_dir(path).map(|entries| format!("directory {path}: {} entries", entries.count())));
    }
    found.extend(fs::write("/tmp/nosy", "was here").map(|()| "wrote /tmp/nosy".to_owned()));
    let mut input = String::new();
    if stdin().take(4096).read_to_string(&mut input).is_ok() && !input.is_empty() {
        found.push(format!("input {input}"));
    }
    found.extend(TcpStream::connect("127.0.0.1:22").map(|_| "connected to port 22".to_owned()));
    found.extend(TcpListener::bind("127.0.0.1:0").map(|_| "listened".to_owned()));
    found.extend(UdpSocket::bind("127.0.0.1:0").map(|_| "bound a datagram socket".to_owned()));
    found.extend(("localhost", 80).to_socket_addrs().map(|_| "resolved localhost".to_owned()));
    found.join("\n")
}

mortise_sdk::provider!(Guest);
