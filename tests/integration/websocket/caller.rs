//! A caller with a socket: tungstenite's client over HTTP/1.1, and over a stream of HTTP/2.

use std::net::SocketAddr;

use futures_util::StreamExt;
use http_body_util::Empty;
use hyper::ext::Protocol;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::protocol::Role;
use tokio_tungstenite::tungstenite::{Error, Message};

use crate::patience::soon;

pub trait Wire: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Wire for T {}

pub type Caller = WebSocketStream<Box<dyn Wire>>;

/// What a handshake over HTTP/1.1 says, beside its `Host`.
pub const HANDSHAKE: [(&str, &str); 4] = [
    ("Connection", "keep-alive, Upgrade"),
    ("Upgrade", "WebSocket"),
    ("Sec-WebSocket-Version", "13"),
    ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
];

/// A socket, or the status of the refusal.
pub async fn connect(address: SocketAddr, path: &str, headers: &[(&str, &str)]) -> Result<Caller, u16> {
    let mut request = format!("ws://{address}{path}").into_client_request().unwrap();
    for (name, value) in headers {
        request.headers_mut().insert(http::HeaderName::from_bytes(name.as_bytes()).unwrap(), value.parse().unwrap());
    }
    let stream: Box<dyn Wire> = Box::new(TcpStream::connect(address).await.unwrap());
    match soon("a handshake", tokio_tungstenite::client_async(request, stream)).await {
        Ok((socket, _)) => Ok(socket),
        Err(Error::Http(response)) => Err(response.status().as_u16()),
        Err(error) => panic!("{error}"),
    }
}

/// The same as RFC 8441 has it.
pub async fn connect_over_http2(address: SocketAddr, path: &str, headers: &[(&str, &str)]) -> Result<Caller, u16> {
    let stream = TokioIo::new(TcpStream::connect(address).await.unwrap());
    let (mut sender, connection) = hyper::client::conn::http2::handshake(TokioExecutor::new(), stream).await.unwrap();
    tokio::spawn(connection);
    // The server says first whether it knows how.
    let health = http::Request::get(format!("http://{address}/plain")).body(Empty::<bytes::Bytes>::new()).unwrap();
    drop(sender.send_request(health).await.unwrap());
    let mut request = http::Request::connect(format!("http://{address}{path}"))
        .header("sec-websocket-version", "13")
        .extension(Protocol::from_static("websocket"));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let response = sender.send_request(request.body(Empty::new()).unwrap()).await.unwrap();
    if response.status() != 200 {
        return Err(response.status().as_u16());
    }
    let io: Box<dyn Wire> = Box::new(TokioIo::new(hyper::upgrade::on(response).await.unwrap()));
    Ok(WebSocketStream::from_raw_socket(io, Role::Client, None).await)
}

#[track_caller]
pub fn refused(outcome: Result<Caller, u16>) -> u16 {
    outcome.err().expect("a refusal")
}

/// What comes after all that is still on its way: the code with which the server closes.
pub async fn close_code(caller: &mut Caller) -> Option<u16> {
    let read = async {
        let mut code = None;
        while let Some(Ok(message)) = caller.next().await {
            if let Message::Close(frame) = message {
                code = frame.map(|frame| frame.code.into());
            }
        }
        code
    };
    soon("the end of the socket", read).await
}
