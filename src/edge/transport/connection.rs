//! One connection, from its first byte to its last.
//!
//! In order: the PROXY protocol, where the listener says so; a place among those of its address; TLS; which HTTP it is; requests; the
//! WebSocket that it became with the last one, perhaps.
//! Each step has its time, and a server that ends waits for none of them longer than for a request that may be on its way.

use std::convert::Infallible;
use std::future::{Future, poll_fn};
use std::io;
use std::net::{IpAddr, TcpStream as StdStream};
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::header::{CONNECTION, HeaderValue};
use http::{Request, Response, StatusCode, Version};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until, timeout};

use super::activity::{Activity, InFlight, LAST_CALL, Verdict};
use super::fair::{self, Flow};
use super::guard::Seat;
use super::patience::Patient;
use super::protocol::{Http, PREFACE};
use super::proxy_protocol;
use super::rewind::Rewound;
use super::stream::Outgoing;
use super::tls::Tls;
use crate::edge::pipeline::{Peer, Pipeline};
use crate::http::websocket::Upgrade;
use crate::service::Readiness;

/// Bytes of HTTP/2 that are read at once: as many as are read with TLS. They may hold the heads of many requests, all of which then
/// begin in one turn.
const FRAMES: u64 = 4 << 10;

/// What a listener says of its connections.
#[derive(Clone)]
pub(super) struct Entrance {
    pub(super) tls: Option<Arc<Tls>>,
    pub(super) proxy_protocol: bool,
}

/// A connection that was accepted.
pub(super) struct Arrival {
    pub(super) stream: StdStream,
    pub(super) address: IpAddr,
    pub(super) flow: Flow,
    pub(super) entrance: Entrance,
    pub(super) seat: Seat,
}

/// What connections of a worker share.
pub(super) struct Shared<S> {
    pub(super) pipeline: Arc<Pipeline<S>>,
    pub(super) http: Http,
    pub(super) readiness: Arc<Readiness>,
}

/// Becomes true when connections are to end as soon as they can.
pub(super) type Closing = watch::Receiver<bool>;

/// What an HTTP/1.1 connection becomes after its last request.
type Next = Mutex<Option<Upgrade>>;

/// Serves a connection to its end.
pub(super) async fn serve<S: Send + Sync + 'static>(arrival: Arrival, shared: Arc<Shared<S>>, closing: Closing) {
    // Callers hang up and send nonsense: nothing that an operator has to know.
    match begin(arrival, shared, closing).await {
        Ok(()) => {}
        Err(error) => tracing::debug!(error = error.to_string(), "a connection ended early"),
    }
}

async fn begin<S: Send + Sync + 'static>(
    arrival: Arrival,
    shared: Arc<Shared<S>>,
    mut closing: Closing,
) -> io::Result<()> {
    let Arrival { stream, address, entrance, mut seat, .. } = arrival;
    let stream = TcpStream::from_std(stream)?;
    // Without this, small pieces of a stream wait for the caller's acknowledgements.
    stream.set_nodelay(true)?;
    let settings = *shared.http.settings();
    let local = stream.local_addr()?.ip().to_canonical();
    let activity = Activity::new(settings.patience);
    let mut stream = Patient::new(stream, settings.write_within, activity.clone());
    let (mut address, mut first) = (address, Bytes::new());
    if entrance.proxy_protocol {
        let told = within(settings.handshake_within, &mut closing, proxy_protocol::read(&mut stream)).await?;
        (address, first) = (told.address.unwrap_or(address), told.rest);
    }
    if !seat.claim(address) {
        return Ok(());
    }
    if seat.is_of_proxy(address) {
        activity.share();
    }
    let stream = Rewound::new(first, stream, u64::MAX);
    let peer = Peer { address, local, secure: entrance.tls.is_some() };
    let Some(tls) = entrance.tls else {
        return talk(stream, None, peer, activity, &shared, closing).await;
    };
    let handshake = Box::pin(tls.acceptor().accept(stream));
    let stream = within(settings.handshake_within, &mut closing, handshake).await?;
    let agreed = stream.get_ref().1.alpn_protocol().map(|protocol| protocol == b"h2");
    Box::pin(talk(stream, agreed, peer, activity, &shared, closing)).await
}

/// Finds out which HTTP it is, and speaks it. `agreed`: whether TLS says that it is HTTP/2, if it says anything.
async fn talk<T, S>(
    mut stream: T,
    agreed: Option<bool>,
    peer: Peer,
    activity: Arc<Activity>,
    shared: &Arc<Shared<S>>,
    mut closing: Closing,
) -> io::Result<()>
where
    T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    S: Send + Sync + 'static,
{
    // Who says nothing, or stops in the middle of the preface, is no caller.
    let settings = shared.http.settings();
    let first = within(settings.patience.head, &mut closing, preface(&mut stream)).await?;
    if first.is_empty() {
        return Ok(());
    }
    let second = agreed.unwrap_or(first == PREFACE);
    let at_once = if second { FRAMES } else { u64::MAX };
    let io = TokioIo::new(Rewound::new(first, stream, at_once));
    activity.begin(!second);
    let (known, serving, ending) = (activity.clone(), shared.clone(), closing.clone());
    let next: Arc<Next> = Arc::default();
    let becomes = next.clone();
    let service = service_fn(move |request: Request<Incoming>| {
        let (shared, mut in_flight) = (serving.clone(), known.request());
        let (known, ending, becomes) = (known.clone(), ending.clone(), becomes.clone());
        // Boxed, because hyper keeps its place for as long as the connection lives, while the answer goes out too.
        Box::pin(async move {
            // Requests that were sent together don't share one turn.
            fair::proceed().await;
            let first = request.version() < Version::HTTP_2;
            let mut response = if request.headers().len() > shared.http.settings().max_headers {
                let mut response = Response::new(None);
                *response.status_mut() = StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE;
                response
            } else {
                let (response, upgrade) = shared.pipeline.serve(request, &peer).await;
                match upgrade {
                    Some(upgrade) if first => *becomes.lock().unwrap_or_else(PoisonError::into_inner) = Some(upgrade),
                    Some(upgrade) => stay(upgrade, known.request(), ending),
                    None => {}
                }
                response.map(Some)
            };
            // The next request had better go to somebody else.
            if first && shared.readiness.is_draining() && response.status() != StatusCode::SWITCHING_PROTOCOLS {
                response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
            }
            in_flight.answered();
            Ok::<_, Infallible>(response.map(|body| Outgoing::new(body, in_flight)))
        })
    });
    // Boxed, because who has said nothing yet should take no room for either.
    if second {
        let connection = shared.http.second.serve_connection(io, service);
        let over = Box::pin(drive(connection, Some(|one| one.graceful_shutdown()), &activity, closing)).await;
        return over.map_err(io::Error::other);
    }
    let connection = shared.http.first.serve_connection(io, service).with_upgrades();
    // HTTP/1 has no word for its end but an answer's: closed at once, a request that is on its way would be lost.
    Box::pin(drive(connection, None, &activity, closing.clone())).await.map_err(io::Error::other)?;
    let upgrade = next.lock().unwrap_or_else(PoisonError::into_inner).take();
    if let Some(upgrade) = upgrade {
        Box::pin(upgrade.run(closing)).await;
    }
    Ok(())
}

/// A WebSocket on a stream of HTTP/2, for as long as which the connection has a request.
fn stay(upgrade: Upgrade, mut in_flight: InFlight, closing: Closing) {
    in_flight.answered();
    tokio::spawn(fair::join(async move {
        Box::pin(upgrade.run(closing)).await;
        drop(in_flight);
    }));
}

/// Lets a connection go on until it ends, has to end, or has been idle for too long. `tell`: says that it has to.
async fn drive<C, E>(
    connection: C,
    tell: Option<fn(Pin<&mut C>)>,
    activity: &Activity,
    mut closing: Closing,
) -> Result<(), E>
where
    C: Future<Output = Result<(), E>>,
{
    let mut connection = pin!(connection);
    let mut timer = Box::pin(tokio::time::sleep(Duration::from_secs(1)));
    let mut ending = false;
    loop {
        tokio::select! {
            biased;
            over = connection.as_mut() => return over,
            verdict = poll_fn(|context| activity.poll_over(&mut timer, context)) => {
                if ending || verdict != Verdict::Idle {
                    tracing::debug!(?verdict, "a connection was cut");
                    return Ok(());
                }
            }
            _ = closing.wait_for(|closing| *closing), if !ending => {}
        }
        ending = true;
        activity.end();
        if let Some(tell) = tell {
            tell(connection.as_mut());
        }
    }
}

/// What the first bytes are: all of the preface of HTTP/2, or as many as were there when it became clear that they aren't.
async fn preface(stream: &mut (impl AsyncRead + Unpin)) -> io::Result<Bytes> {
    let mut bytes = BytesMut::with_capacity(PREFACE.len());
    while bytes.len() < PREFACE.len() && PREFACE.starts_with(&bytes) {
        let wanted = (PREFACE.len() - bytes.len()) as u64;
        if stream.take(wanted).read_buf(&mut bytes).await? == 0 {
            break;
        }
    }
    Ok(bytes.freeze())
}

/// What comes of `step` in time; less of it is left once the server ends.
async fn within<T>(time: Duration, closing: &mut Closing, step: impl Future<Output = io::Result<T>>) -> io::Result<T> {
    let end = async {
        // Whoever could tell is gone, so it ends.
        let _ = closing.wait_for(|closing| *closing).await;
        sleep_until(Instant::now() + LAST_CALL).await;
    };
    tokio::select! {
        biased;
        outcome = timeout(time, step) => outcome.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into())),
        () = end => Err(io::ErrorKind::Interrupted.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_as_much_is_read_as_tells_the_protocol() {
        for (sent, read) in [
            (b"GET / HTTP/1.1\r\n\r\n".as_slice(), b"GET / HTTP/1.1\r\n\r\n".as_slice()),
            (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0", PREFACE),
            (b"PRI * HTTP/1.1\r\n\r\n", b"PRI * HTTP/1.1\r\n\r\n"),
            (b"PRI", b"PRI"),
            (b"", b""),
        ] {
            let mut sent = sent;
            assert_eq!(preface(&mut sent).await.unwrap(), read);
        }
    }
}
