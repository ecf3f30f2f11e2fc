//! A caller for tests: HTTP/1.1 over a plain socket, as strict as the standard allows.
//!
//! It shares no code with the host. Every response is checked for what should never leave a server, whatever a test
//! itself looks at, and against the API document.

mod document;
mod leaks;
pub mod sse;
mod wire;

use std::collections::VecDeque;
use std::net::{IpAddr, SocketAddr};

use serde_json::Value;
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpSocket, TcpStream};

use crate::grammar;
use crate::patience::soon;
pub use sse::Event;
use wire::Reader;

#[derive(Clone, Copy, Debug)]
pub struct Client {
    address: SocketAddr,
    from: Option<IpAddr>,
}

#[derive(Clone, Debug)]
pub struct Request {
    pub method: String,
    pub path: String,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Request {
    pub fn new(method: &str, path: &str) -> Request {
        Request { method: method.into(), path: path.into(), headers: Vec::new(), body: Vec::new() }
    }

    /// A body, and no word about its type.
    pub fn body(self, body: impl Into<Vec<u8>>) -> Request {
        Request { body: body.into(), ..self }
    }

    pub fn json(self, value: &Value) -> Request {
        self.header("Content-Type", "application/json").body(value.to_string())
    }

    pub fn header(mut self, name: &str, value: &str) -> Request {
        self.headers.push((name.into(), value.into()));
        self
    }

    fn bytes(&self, host: SocketAddr) -> Vec<u8> {
        let mut head = format!("{} {} HTTP/1.1\r\n", self.method, self.path);
        if !self.headers.iter().any(|(name, _)| name == "Host") {
            head += &format!("Host: {host}\r\n");
        }
        self.headers.iter().for_each(|(name, value)| head += &format!("{name}: {value}\r\n"));
        let framed = self.headers.iter().any(|(name, _)| name == "Content-Length" || name == "Transfer-Encoding");
        if !framed && (!self.body.is_empty() || self.method == "POST") {
            head += &format!("Content-Length: {}\r\n", self.body.len());
        }
        [head.as_bytes(), b"\r\n", &self.body].concat()
    }
}

#[derive(Clone, Debug)]
pub struct Head {
    pub status: u16,
    pub headers: Vec<(String, String)>,
}

impl Head {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// The media type, without parameters.
    pub fn kind(&self) -> &str {
        self.header("content-type").unwrap_or_default().split(';').next().unwrap_or_default()
    }
}

#[derive(Clone, Debug)]
pub struct Reply {
    pub head: Head,
    pub body: Vec<u8>,
}

impl Reply {
    pub fn status(&self) -> u16 {
        self.head.status
    }

    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).expect("a body in UTF-8")
    }

    #[track_caller]
    pub fn json(&self) -> Value {
        assert_eq!(self.head.kind(), "application/json", "{}: {}", self.status(), self.text());
        serde_json::from_str(self.text()).unwrap_or_else(|error| panic!("no JSON ({error}): {}", self.text()))
    }

    /// The body of a response that has this status.
    #[track_caller]
    pub fn expect(&self, status: u16) -> Value {
        assert_eq!(self.status(), status, "{}", self.text());
        self.json()
    }

    /// The events of a whole stream.
    #[track_caller]
    pub fn events(&self) -> Vec<Event> {
        assert_eq!((self.status(), self.head.kind()), (200, "text/event-stream"), "{}", self.text());
        sse::parse(self.text()).unwrap_or_else(|fault| panic!("{fault}\n{}", self.text()))
    }
}

impl Client {
    pub fn new(address: SocketAddr) -> Client {
        Client { address, from: None }
    }

    /// The same from another address of this machine: every one below 127 is its own.
    pub fn from(self, address: &str) -> Client {
        Client { from: Some(address.parse().unwrap()), ..self }
    }

    pub fn address(self) -> SocketAddr {
        self.address
    }

    pub async fn get(self, path: &str) -> Reply {
        self.send(&Request::new("GET", path)).await
    }

    pub async fn post(self, path: &str, body: &Value) -> Reply {
        self.send(&Request::new("POST", path).json(body)).await
    }

    pub async fn send(self, request: &Request) -> Reply {
        self.connect().await.exchange(request).await
    }

    /// A response that is read as it comes. Dropping it closes the connection.
    pub async fn stream(self, request: &Request) -> Streamed {
        let mut connection = self.connect().await;
        connection.write(&request.bytes(self.address)).await.unwrap();
        let head = soon("the response's head", connection.reader.head(&request.method)).await.expect("a response");
        leaks::check(&head, b"");
        document::check(request, &head, None);
        Streamed { request: request.clone(), head, connection, unread: Vec::new(), seen: Vec::new() }
    }

    /// What comes back for these bytes; nothing where the server just hangs up.
    pub async fn raw(self, bytes: &[u8]) -> Option<Reply> {
        let mut connection = self.connect().await;
        // A server that has refused already need not read on.
        drop(connection.write(bytes).await);
        connection.reply("GET").await
    }

    /// Whether somebody listens.
    pub async fn is_open(self) -> bool {
        TcpStream::connect(self.address).await.is_ok()
    }

    pub async fn connect(self) -> Connection {
        let socket = if self.address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }.unwrap();
        if let Some(from) = self.from {
            socket.bind(SocketAddr::new(from, 0)).unwrap();
        }
        let stream = soon("a connection", socket.connect(self.address)).await.unwrap();
        stream.set_nodelay(true).unwrap();
        Connection { host: self.address, reader: Reader::new(stream), asked: VecDeque::new() }
    }
}

/// A connection that can carry one request after another.
pub struct Connection {
    host: SocketAddr,
    reader: Reader,
    /// Sent, and not answered yet.
    asked: VecDeque<Request>,
}

impl Connection {
    pub fn host(&self) -> SocketAddr {
        self.host
    }

    /// Whether the server hangs up before the response is whole.
    pub async fn fails(&mut self, request: &Request) -> bool {
        drop(self.write(&request.bytes(self.host)).await);
        let read = async {
            let Some(_) = self.reader.head(&request.method).await else { return true };
            loop {
                match self.reader.piece().await {
                    Ok(Some(_)) => {}
                    Ok(None) => return false,
                    Err(_) => return true,
                }
            }
        };
        soon("the server to hang up", read).await
    }

    pub async fn exchange(&mut self, request: &Request) -> Reply {
        // A refusal may come before the server has read a long body.
        let written = self.write(&request.bytes(self.host)).await;
        let reply = self.reply(&request.method).await;
        let reply = reply.unwrap_or_else(|| panic!("{} {}: no response ({written:?})", request.method, request.path));
        check(request, &reply);
        reply
    }

    /// Sends without waiting for anything to come back.
    pub async fn send(&mut self, request: &Request) {
        self.asked.push_back(request.clone());
        self.write(&request.bytes(self.host)).await.unwrap();
    }

    pub async fn write(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        soon("the server to take the request", self.reader.stream.write_all(bytes)).await
    }

    /// The next response; nothing where the server has hung up.
    pub async fn reply(&mut self, method: &str) -> Option<Reply> {
        let read = async {
            let head = self.reader.head(method).await?;
            let mut body = Vec::new();
            while let Some(piece) = self.reader.piece().await.unwrap_or_else(|fault| panic!("{fault}")) {
                body.extend(piece);
            }
            Some(Reply { head, body })
        };
        let reply = soon("a response", read).await?;
        leaks::check(&reply.head, &reply.body);
        if let Some(request) = self.asked.pop_front() {
            check(&request, &reply);
        }
        Some(reply)
    }
}

/// Holds an answer against the document, and a stream against its grammar too.
#[track_caller]
fn check(request: &Request, reply: &Reply) {
    document::check(request, &reply.head, Some(&reply.body));
    if reply.status() == 200 && reply.head.kind() == "text/event-stream" {
        let events = reply.events();
        events.iter().for_each(|event| document::check_event(request, &reply.head, event));
        check_grammar(request, &reply.head, &events);
    }
}

#[track_caller]
fn check_grammar(request: &Request, head: &Head, events: &[Event]) {
    if document::is_ours(head) {
        grammar::check(&request.path, &request.body, events);
    }
}

/// A response whose body is still coming.
pub struct Streamed {
    request: Request,
    pub head: Head,
    connection: Connection,
    unread: Vec<u8>,
    /// All events that there were.
    seen: Vec<Event>,
}

impl Streamed {
    /// The next event, or nothing when the body is over.
    pub async fn next(&mut self) -> Option<Event> {
        loop {
            if let Some(end) = self.unread.windows(2).position(|two| two == b"\n\n") {
                let block = String::from_utf8(self.unread.drain(..end + 2).collect()).expect("a stream in UTF-8");
                let event = sse::parse(&block).unwrap_or_else(|fault| panic!("{fault}\n{block}")).pop();
                if let Some(event) = event {
                    document::check_event(&self.request, &self.head, &event);
                    self.seen.push(event.clone());
                    return Some(event);
                }
            } else {
                let piece = soon("the next event", self.connection.reader.piece()).await;
                let Some(piece) = piece.unwrap_or_else(|fault| panic!("{fault}")) else {
                    assert!(self.unread.is_empty(), "the stream ends within an event: {:?}", self.unread);
                    check_grammar(&self.request, &self.head, &self.seen);
                    return None;
                };
                self.unread.extend(piece);
            }
        }
    }

    /// All events that are still to come.
    pub async fn rest(mut self) -> Vec<Event> {
        let mut events = Vec::new();
        while let Some(event) = self.next().await {
            events.push(event);
        }
        leaks::check(&self.head, events.iter().map(|event| event.data.as_str()).collect::<String>().as_bytes());
        events
    }
}
