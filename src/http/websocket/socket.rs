//! A socket: messages in both directions, pings when it is silent, and a farewell however it ends.

use std::borrow::Cow;
use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use futures_util::{Sink, SinkExt, StreamExt};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::sync::oneshot;
use tokio::time::{Instant, Sleep, sleep, timeout};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::error::ProtocolError;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Role, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Error, Message as Frame};

use super::{Closing, Limits};
use crate::telemetry::metrics::OpenSocket;

/// How long both may take to say farewell.
const FAREWELL_WITHIN: Duration = Duration::from_secs(5);
/// What a caller may still send when it was told that it is over: unread, it would reset the connection, and the word with it.
const STILL_READ: u64 = 4 << 20;
/// Bytes that are read and written at once. A socket is mostly silent, and there may be many.
const BUFFER: usize = 4 << 10;
/// The longest reason that fits into a frame that closes.
const LONGEST_REASON: usize = 123;

/// One end of a WebSocket.
pub struct Socket {
    /// Given back when this is dropped.
    line: Option<Line>,
    back: Option<oneshot::Sender<Line>>,
    limits: Limits,
    closing: Closing,
    /// Runs out when the caller has been silent for too long.
    silence: Pin<Box<Sleep>>,
    pinged: bool,
}

/// What either side says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Message {
    /// Text.
    Text(String),
    /// Bytes.
    Binary(Bytes),
}

/// Nobody hears any more what is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gone;

/// Why a socket is closed, as RFC 6455 numbers it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Code(pub u16);

trait Wire: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Wire for T {}

/// What is left of a socket without its user.
pub(super) struct Line {
    stream: WebSocketStream<Box<dyn Wire>>,
    /// Why it ends, once it does.
    end: Option<End>,
    counts: OpenSocket,
}

#[derive(Debug)]
enum End {
    /// We say so.
    Said(Code, Cow<'static, str>),
    /// The caller said so, with its code.
    Heard(Option<u16>),
    /// The caller is gone, or hears nothing.
    Lost(Cow<'static, str>),
}

/// How it was.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Told {
    pub(super) code: u16,
    pub(super) by: &'static str,
    pub(super) why: String,
    pub(super) received: u64,
    pub(super) sent: u64,
}

// === impl Code ===

impl Code {
    /// All is said.
    pub const NORMAL: Self = Self(1000);
    /// The server ends.
    pub const GOING_AWAY: Self = Self(1001);
    /// What came is no WebSocket.
    pub const PROTOCOL: Self = Self(1002);
    /// A message of a kind that isn't understood here.
    pub const UNSUPPORTED: Self = Self(1003);
    /// Text that is no UTF-8.
    pub const NOT_UTF8: Self = Self(1007);
    /// Something that isn't allowed.
    pub const POLICY: Self = Self(1008);
    /// A message that is too long.
    pub const TOO_BIG: Self = Self(1009);
    /// The server failed.
    pub const INTERNAL: Self = Self(1011);
    /// Come back later.
    pub const TRY_AGAIN: Self = Self(1013);
    /// What isn't said, but seen: the connection broke.
    const LOST: Self = Self(1006);
    /// What isn't said, but seen: the caller closed without a code.
    const NONE: Self = Self(1005);
}

// === impl Message ===

impl Message {
    /// `value` as JSON.
    ///
    /// # Errors
    /// If `value` can't be written, which no value of ours is.
    pub fn json(value: &impl serde::Serialize) -> crate::model::Result<Self> {
        serde_json::to_string(value).map(Self::Text).map_err(crate::model::Error::internal)
    }
}

impl From<Message> for Frame {
    fn from(message: Message) -> Self {
        match message {
            Message::Text(text) => Self::text(text),
            Message::Binary(bytes) => Self::binary(bytes),
        }
    }
}

// === impl Socket ===

impl Socket {
    /// A socket, and what is left of it when it is dropped.
    pub(super) async fn new(
        io: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
        limits: Limits,
        closing: Closing,
        counts: OpenSocket,
    ) -> (Self, oneshot::Receiver<Line>) {
        let config = WebSocketConfig::default()
            .read_buffer_size(BUFFER)
            .write_buffer_size(BUFFER)
            .max_message_size(Some(limits.message))
            .max_frame_size(Some(limits.message));
        let io: Box<dyn Wire> = Box::new(io);
        let stream = WebSocketStream::from_raw_socket(io, Role::Server, Some(config)).await;
        let (back, returned) = oneshot::channel();
        let line = Some(Line { stream, end: None, counts });
        let silence = Box::pin(sleep(limits.ping_after));
        (Self { line, back: Some(back), limits, closing, silence, pinged: false }, returned)
    }

    /// The caller's next message; nothing when it is over, whoever ended it. Nothing is lost if this is dropped.
    pub async fn next(&mut self) -> Option<Message> {
        let Self { line: Some(line), limits, closing, silence, pinged, .. } = self else { return None };
        while line.end.is_none() {
            let heard = tokio::select! {
                biased;
                () = ended(closing) => {
                    line.end = Some(End::Said(Code::GOING_AWAY, "the server is stopping".into()));
                    continue;
                }
                heard = line.stream.next() => heard,
                () = silence.as_mut() => {
                    if *pinged {
                        line.end = Some(End::Said(Code::POLICY, "no answer to a ping".into()));
                        continue;
                    }
                    *pinged = true;
                    silence.as_mut().reset(Instant::now() + limits.pong_within);
                    poll_fn(|context| line.ping(context)).await;
                    continue;
                }
            };
            *pinged = false;
            silence.as_mut().reset(Instant::now() + limits.ping_after);
            match heard {
                Some(Ok(Frame::Text(text))) => {
                    line.counts.received();
                    return Some(Message::Text(text.as_str().to_owned()));
                }
                Some(Ok(Frame::Binary(bytes))) => {
                    line.counts.received();
                    return Some(Message::Binary(bytes));
                }
                Some(Ok(Frame::Close(frame))) => line.end = Some(End::Heard(frame.map(|frame| frame.code.into()))),
                // Pings are answered below.
                Some(Ok(_)) => {}
                Some(Err(error)) => line.end = Some(End::of(&error, limits)),
                None => line.end = Some(End::Lost("the caller hung up".into())),
            }
        }
        None
    }

    /// Sends a message, and waits until the system has taken it: as fast as the caller reads. Dropped in the middle, the
    /// message goes out whole or not at all.
    ///
    /// # Errors
    /// If nobody hears it.
    pub async fn send(&mut self, message: Message) -> Result<(), Gone> {
        self.send_all([message]).await
    }

    /// Sends messages one after the other, in as few packets as they fit into.
    ///
    /// # Errors
    /// If nobody hears them.
    pub async fn send_all(&mut self, messages: impl IntoIterator<Item = Message>) -> Result<(), Gone> {
        let Self { line: Some(line), limits, .. } = self else { return Err(Gone) };
        if line.end.is_some() {
            return Err(Gone);
        }
        for message in messages {
            let sent = timeout(limits.send_within, line.stream.feed(message.into())).await;
            line.passed(sent, limits)?;
            line.counts.sent();
        }
        let sent = timeout(limits.send_within, line.stream.flush()).await;
        line.passed(sent, limits)
    }

    /// Closes it with a code and a reason.
    pub fn close(mut self, code: Code, reason: impl Into<Cow<'static, str>>) {
        if let Some(line) = &mut self.line {
            line.end.get_or_insert_with(|| End::Said(code, reason.into()));
        }
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        if let (Some(line), Some(back)) = (self.line.take(), self.back.take()) {
            // Nobody waits for it only if the server was cut.
            let _ = back.send(line);
        }
    }
}

// === impl Line ===

impl Line {
    /// Asks whether the caller is there, if that can be done without waiting: who takes nothing has no answer either.
    fn ping(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let mut stream = Pin::new(&mut self.stream);
        if stream.as_mut().poll_ready(context).is_ready()
            && stream.as_mut().start_send(Frame::Ping(Bytes::new())).is_ok()
        {
            // What goes wrong here is heard where it is read.
            let _ = stream.poll_flush(context);
        }
        Poll::Ready(())
    }

    fn passed<E>(&mut self, sent: Result<Result<(), Error>, E>, limits: &Limits) -> Result<(), Gone> {
        self.end = Some(match sent {
            Ok(Ok(())) => return Ok(()),
            Ok(Err(error)) => End::of(&error, limits),
            Err(_) => End::Lost("the caller takes nothing".into()),
        });
        Err(Gone)
    }

    /// Tells the caller that it is over, and waits for its word, but not for long.
    pub(super) async fn farewell(mut self, failed: bool) -> Told {
        let end = self.end.take().unwrap_or_else(|| {
            if failed { End::Said(Code::INTERNAL, "internal error".into()) } else { End::Said(Code::NORMAL, "".into()) }
        });
        let said = match &end {
            End::Said(Code(code), reason) => {
                Some(CloseFrame { code: CloseCode::from(*code), reason: cut(reason).to_owned().into() })
            }
            _ => None,
        };
        if !matches!(end, End::Lost(_)) {
            // However far it got.
            let _ = timeout(FAREWELL_WITHIN, self.part(said)).await;
        }
        let (code, by, why) = match end {
            End::Said(code, why) => (code, "server", if why.is_empty() { "all is said".into() } else { why }),
            End::Heard(code) => (code.map_or(Code::NONE, Code), "caller", "the caller closed it".into()),
            End::Lost(why) => (Code::LOST, "caller", why),
        };
        let (received, sent) = self.counts.over(code.0, by);
        Told { code: code.0, by, why: why.into_owned(), received, sent }
    }

    async fn part(&mut self, said: Option<CloseFrame>) {
        if said.is_some() {
            // An error means that it can't be said.
            let _ = self.stream.close(said).await;
        }
        // What the caller says now is heard by nobody; its farewell is what is waited for, and ours goes out meanwhile.
        while let Some(Ok(_)) = self.stream.next().await {}
        let io = self.stream.get_mut();
        let _ = io.shutdown().await;
        let _ = tokio::io::copy(&mut io.take(STILL_READ), &mut tokio::io::sink()).await;
    }
}

// === impl End ===

impl End {
    /// What is to be done about `error`.
    fn of(error: &Error, limits: &Limits) -> Self {
        match error {
            Error::Capacity(_) => {
                Self::Said(Code::TOO_BIG, format!("a message may have {} bytes at most", limits.message).into())
            }
            Error::Utf8(_) => Self::Said(Code::NOT_UTF8, "text must be UTF-8".into()),
            Error::Protocol(ProtocolError::ResetWithoutClosingHandshake)
            | Error::Io(_)
            | Error::ConnectionClosed
            | Error::AlreadyClosed => Self::Lost("the caller hung up".into()),
            error => Self::Said(Code::PROTOCOL, error.to_string().into()),
        }
    }
}

async fn ended(closing: &mut Closing) {
    // Whoever could tell is gone, so it ends.
    let _ = closing.wait_for(|closing| *closing).await;
}

/// The beginning of a reason, as long as a frame may hold it.
fn cut(reason: &str) -> &str {
    reason.get(..reason.floor_char_boundary(LONGEST_REASON)).unwrap_or_default()
}
