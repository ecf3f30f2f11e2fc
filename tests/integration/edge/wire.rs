//! Bytes over any stream: a request by hand, HTTP/2 by a client, frames one by one.

use std::net::SocketAddr;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::client::conn::http2::{self, SendRequest};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};

use crate::client::sse;
use crate::grammar;
use crate::patience::soon;

pub const GET: &[u8] = b"GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
pub const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

pub const HEADERS: u8 = 1;
pub const RST_STREAM: u8 = 3;
pub const SETTINGS: u8 = 4;
pub const GOAWAY: u8 = 7;
pub const CONTINUATION: u8 = 9;

pub type Http2 = SendRequest<Full<Bytes>>;

/// What comes back until the server hangs up, orderly or not.
pub async fn exchange(stream: &mut (impl AsyncRead + AsyncWrite + Unpin), bytes: &[u8]) -> String {
    // A server that has refused already need not read on.
    drop(soon("the server to take it", stream.write_all(bytes)).await);
    let mut answer = Vec::new();
    drop(soon("the server to hang up", stream.read_to_end(&mut answer)).await);
    String::from_utf8_lossy(&answer).into_owned()
}

/// Waits until the server has hung up; whatever it says before is of no interest.
pub async fn closed(stream: &mut (impl AsyncRead + Unpin)) {
    drop(soon("the server to hang up", stream.read_to_end(&mut Vec::new())).await);
}

/// From one of this machine's many addresses.
pub async fn connect_from(source: &str, address: SocketAddr) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind(SocketAddr::new(source.parse().unwrap(), 0)).unwrap();
    socket.connect(address).await.unwrap()
}

pub async fn http2(stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static) -> Http2 {
    let (sender, connection) = http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
    tokio::spawn(async move { drop(connection.await) });
    sender
}

pub fn get(path: &str) -> Request<Full<Bytes>> {
    Request::get(format!("http://localhost{path}")).body(Full::default()).unwrap()
}

pub fn post(path: &str, body: &serde_json::Value) -> Request<Full<Bytes>> {
    let request = Request::post(format!("http://localhost{path}")).header("content-type", "application/json");
    request.body(Full::new(Bytes::from(body.to_string()))).unwrap()
}

pub async fn text(response: Response<Incoming>) -> String {
    let streams = response.headers().get("content-type").is_some_and(|kind| kind == "text/event-stream");
    let body = soon("the end of the body", response.into_body().collect()).await.unwrap();
    let text = String::from_utf8(body.to_bytes().to_vec()).unwrap();
    if streams {
        // The only stream that is asked for this way.
        grammar::check("/v1/chat/completions", b"{}", &sse::parse(&text).unwrap());
    }
    text
}

/// A frame of HTTP/2.
pub fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

/// The head of `GET path` at `x`, as HPACK.
pub fn head(path: &str) -> Vec<u8> {
    let length = u8::try_from(path.len()).unwrap();
    [b"\x82\x86\x41\x01x\x04".as_slice(), &[length], path.as_bytes()].concat()
}

/// The next frame: kind, stream and payload; nothing where the server has hung up.
pub async fn next_frame(stream: &mut (impl AsyncRead + Unpin)) -> Option<(u8, u32, Vec<u8>)> {
    let read = async {
        let mut head = [0; 9];
        stream.read_exact(&mut head).await.ok()?;
        let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
        let mut payload = vec![0; length as usize];
        stream.read_exact(&mut payload).await.ok()?;
        Some((head[3], u32::from_be_bytes([head[5], head[6], head[7], head[8]]), payload))
    };
    soon("a frame", read).await
}
