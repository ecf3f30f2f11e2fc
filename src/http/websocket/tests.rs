//! A socket and its caller over a pipe, in a time that stands still while somebody has something to do.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use tokio::io::{AsyncWriteExt, DuplexStream, duplex};
use tokio::sync::{oneshot, watch};
use tokio::time::Instant;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message as Frame;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Role};

use super::socket::{Line, Told};
use super::{Code, Gone, Limits, Message, Socket};
use crate::telemetry::metrics::{Format, Metrics, OpenSocket};

const LIMITS: Limits = Limits {
    message: 1000,
    ping_after: Duration::from_secs(20),
    pong_within: Duration::from_secs(10),
    send_within: Duration::from_secs(60),
};

struct Pair {
    socket: Socket,
    returned: oneshot::Receiver<Line>,
    caller: WebSocketStream<DuplexStream>,
    close: watch::Sender<bool>,
    metrics: Arc<Metrics>,
}

async fn pair() -> Pair {
    let (ours, theirs) = duplex(4096);
    let (close, closing) = watch::channel(false);
    let metrics = Arc::new(Metrics::new([]));
    let (socket, returned) = Socket::new(ours, LIMITS, closing, OpenSocket::new(metrics.clone())).await;
    let caller = WebSocketStream::from_raw_socket(theirs, Role::Client, None).await;
    Pair { socket, returned, caller, close, metrics }
}

/// What the caller hears until it is over, and how the server tells it.
async fn part(returned: oneshot::Receiver<Line>, mut caller: WebSocketStream<DuplexStream>) -> (Option<u16>, Told) {
    let hears = async {
        let mut code = None;
        while let Some(Ok(frame)) = caller.next().await {
            if let Frame::Close(frame) = frame {
                code = frame.map(|frame: CloseFrame| frame.code.into());
            }
        }
        code
    };
    let (code, told) = tokio::join!(hears, async { returned.await.unwrap().farewell(false).await });
    (code, told)
}

fn text(text: &str) -> Message {
    Message::Text(text.into())
}

#[tokio::test(start_paused = true)]
async fn messages_go_both_ways_and_are_counted() {
    let Pair { mut socket, returned, mut caller, metrics, close: _open } = pair().await;
    caller.send(Frame::text("one")).await.unwrap();
    caller.send(Frame::binary(Bytes::from_static(b"\0"))).await.unwrap();
    assert_eq!(socket.next().await, Some(text("one")));
    assert_eq!(socket.next().await, Some(Message::Binary(Bytes::from_static(b"\0"))));
    socket.send_all([text("a"), text("b")]).await.unwrap();
    assert_eq!(caller.next().await.unwrap().unwrap(), Frame::text("a"));
    assert_eq!(caller.next().await.unwrap().unwrap(), Frame::text("b"));
    assert!(metrics.render(Format::Prometheus).contains("mortise_websockets_open 1"));
    drop(socket);
    let (code, told) = part(returned, caller).await;
    assert_eq!(code, Some(1000));
    assert_eq!((told.code, told.by, told.received, told.sent), (1000, "server", 2, 2));
    let text = metrics.render(Format::Prometheus);
    for line in [
        "mortise_websockets_open 0",
        "mortise_websockets_closed_total{code=\"1000\",by=\"server\"} 1",
        "mortise_websocket_messages_total{direction=\"in\"} 2",
    ] {
        assert!(text.contains(line), "{line}: {text}");
    }
}

#[tokio::test(start_paused = true)]
async fn who_answers_no_ping_is_closed_and_who_does_is_not() {
    let Pair { mut socket, returned, mut caller, close: _open, .. } = pair().await;
    let began = Instant::now();
    let quiet = tokio::spawn(async move {
        let over = socket.next().await;
        (over, began.elapsed().as_secs(), socket)
    });
    // Reading answers pings.
    for _ in 0..3 {
        assert!(matches!(caller.next().await.unwrap().unwrap(), Frame::Ping(_)));
        caller.flush().await.unwrap();
    }
    // The last pong went out at 60 s.
    let (over, seconds, socket) = quiet.await.unwrap();
    assert_eq!((over, seconds), (None, 60 + 20 + 10));
    drop(socket);
    let (code, told) = part(returned, caller).await;
    assert_eq!((code, told.code, told.why.as_str()), (Some(1008), 1008, "no answer to a ping"));
}

#[tokio::test(start_paused = true)]
async fn a_server_that_stops_says_so() {
    let Pair { mut socket, returned, caller, close, .. } = pair().await;
    let waiting = tokio::spawn(async move { (socket.next().await, socket.send(text("x")).await) });
    close.send(true).unwrap();
    assert_eq!(waiting.await.unwrap(), (None, Err(Gone)));
    let (code, told) = part(returned, caller).await;
    assert_eq!((code, told.by), (Some(1001), "server"));
}

#[tokio::test(start_paused = true)]
async fn a_caller_who_never_says_farewell_is_not_waited_for() {
    let Pair { socket, returned, caller, close: _open, .. } = pair().await;
    let began = Instant::now();
    drop(socket);
    let told = returned.await.unwrap().farewell(true).await;
    assert_eq!((told.code, began.elapsed().as_secs()), (1011, 5));
    drop(caller);
}

#[tokio::test(start_paused = true)]
async fn what_breaks_the_rules_is_told_why() {
    for (bytes, code) in [
        // Too long: a text of 1001 bytes.
        ([vec![0x81, 0xfe, 3, 0xe9, 0, 0, 0, 0], vec![b'x'; 1001]].concat(), 1009),
        // Too long in pieces.
        (
            [
                vec![0x01, 0xfe, 2, 0x58, 0, 0, 0, 0],
                vec![b'x'; 600],
                vec![0x80, 0xfe, 2, 0x58, 0, 0, 0, 0],
                vec![b'x'; 600],
            ]
            .concat(),
            1009,
        ),
        (vec![0x81, 0x82, 0, 0, 0, 0, 0xc3, 0x28], 1007),
        // Not masked, a reserved bit, a reserved opcode, a continuation of nothing, a ping in pieces.
        (vec![0x81, 0x01, b'x'], 1002),
        (vec![0xc1, 0x81, 0, 0, 0, 0, b'x'], 1002),
        (vec![0x83, 0x81, 0, 0, 0, 0, b'x'], 1002),
        (vec![0x80, 0x81, 0, 0, 0, 0, b'x'], 1002),
        (vec![0x09, 0x80, 0, 0, 0, 0], 1002),
    ] {
        let Pair { mut socket, returned, mut caller, close: _open, .. } = pair().await;
        caller.get_mut().write_all(&bytes).await.unwrap();
        assert_eq!(socket.next().await, None, "{bytes:x?}");
        drop(socket);
        let (heard, told) = part(returned, caller).await;
        assert_eq!((heard, told.code, told.by), (Some(code), code, "server"), "{}", told.why);
    }
}

#[tokio::test(start_paused = true)]
async fn who_takes_nothing_is_given_up() {
    let Pair { mut socket, returned, caller, close: _open, .. } = pair().await;
    let (began, long) = (Instant::now(), "x".repeat(3000));
    let mut sent = 0;
    while socket.send(text(&long)).await.is_ok() {
        sent += 1;
    }
    assert_eq!((sent, began.elapsed().as_secs()), (1, 60), "the pipe holds 4096 bytes");
    assert_eq!(socket.next().await, None);
    drop(socket);
    let told = returned.await.unwrap().farewell(false).await;
    assert_eq!((told.code, told.by, began.elapsed().as_secs()), (1006, "caller", 60));
    drop(caller);
}

#[tokio::test(start_paused = true)]
async fn the_caller_ends_it_with_a_word_or_without() {
    let Pair { mut socket, returned, mut caller, close: _open, .. } = pair().await;
    caller.close(Some(CloseFrame { code: 4000.into(), reason: "enough".into() })).await.unwrap();
    assert_eq!(socket.next().await, None);
    socket.close(Code::INTERNAL, "too late");
    let (code, told) = part(returned, caller).await;
    assert_eq!((code, told.code, told.by), (Some(4000), 4000, "caller"), "the word is echoed");

    let Pair { mut socket, returned, caller, close: _open, .. } = pair().await;
    drop(caller);
    assert_eq!(socket.next().await, None);
    drop(socket);
    assert_eq!(returned.await.unwrap().farewell(false).await.code, 1006);
}

#[tokio::test(start_paused = true)]
async fn a_reason_of_any_length_fits() {
    let Pair { socket, returned, caller, close: _open, .. } = pair().await;
    socket.close(Code(4001), "ü".repeat(100));
    let (code, told) = part(returned, caller).await;
    assert_eq!((code, told.code), (Some(4001), 4001));
}
