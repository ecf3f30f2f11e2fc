//! One connection of the upstream: requests are read and recorded, answers are played, a client that goes is noticed.

use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::watch;
use tokio::time::Instant;

use super::answer::Step;
use super::{Seen, State};

/// A client that sends more is closed at once.
const LARGEST_HEAD: usize = 64 << 10;
const LARGEST_BODY: usize = 64 << 20;
/// An endless answer ends some day all the same, in silence.
const LONGEST_ENDLESS: usize = 256 << 20;

pub(super) async fn serve(stream: TcpStream, connection: usize, state: watch::Sender<State>) {
    stream.set_nodelay(true).unwrap();
    let (mut read, mut write) = stream.into_split();
    let mut buffer = Vec::new();
    while let Some(seen) = receive(&mut read, &mut buffer, connection).await {
        let mut steps = Vec::new();
        state.send_modify(|state| steps = state.answer(seen).steps());
        let written = state.borrow().written.clone();
        tokio::select! {
            biased;
            () = gone(&mut read, &mut buffer) => break,
            fate = play(&mut write, steps, &written) => match fate {
                Ok(Fate::Kept) => {}
                Ok(Fate::Cut) => return,
                // Without the orderly end that dropping it would bring.
                Ok(Fate::Reset) => return write.forget(),
                Err(_) => break,
            },
        }
    }
    state.send_modify(|state| {
        state.closed.entry(connection).or_insert_with(Instant::now);
    });
}

/// The next request, or nothing when the client has gone or talks nonsense.
async fn receive(read: &mut OwnedReadHalf, buffer: &mut Vec<u8>, connection: usize) -> Option<Seen> {
    let end = loop {
        match buffer.windows(4).position(|four| four == b"\r\n\r\n") {
            Some(end) => break end,
            None if buffer.len() > LARGEST_HEAD => return None,
            None => more(read, buffer).await?,
        }
    };
    let head = String::from_utf8(buffer.drain(..end + 4).collect()).ok()?;
    let mut lines = head.trim_end().split("\r\n");
    let mut words = lines.next()?.split(' ');
    let (method, path) = (words.next()?.to_owned(), words.next()?.to_owned());
    let pair = |line: &str| line.split_once(':').map(|(name, value)| (name.to_owned(), value.trim().to_owned()));
    let headers = lines.map(pair).collect::<Option<Vec<_>>>()?;
    let mut seen = Seen { method, path, headers, body: Vec::new(), connection };
    if let Some(length) = seen.header("content-length") {
        let length: usize = length.parse().ok().filter(|length| *length <= LARGEST_BODY)?;
        seen.body = take(read, buffer, length).await?;
    } else if seen.header("transfer-encoding").is_some() {
        loop {
            let size = line(read, buffer).await?;
            let size = usize::from_str_radix(size.trim(), 16).ok().filter(|size| *size <= LARGEST_BODY)?;
            let piece = take(read, buffer, size).await?;
            line(read, buffer).await?;
            seen.body.extend(piece);
            if size == 0 {
                break;
            }
        }
    }
    Some(seen)
}

async fn line(read: &mut OwnedReadHalf, buffer: &mut Vec<u8>) -> Option<String> {
    let end = loop {
        match buffer.windows(2).position(|two| two == b"\r\n") {
            Some(end) => break end,
            None => more(read, buffer).await?,
        }
    };
    String::from_utf8(buffer.drain(..end + 2).collect()).ok()
}

async fn take(read: &mut OwnedReadHalf, buffer: &mut Vec<u8>, length: usize) -> Option<Vec<u8>> {
    while buffer.len() < length {
        more(read, buffer).await?;
    }
    Some(buffer.drain(..length).collect())
}

async fn more(read: &mut OwnedReadHalf, buffer: &mut Vec<u8>) -> Option<()> {
    (read.read_buf(buffer).await.ok()? > 0).then_some(())
}

async fn gone(read: &mut OwnedReadHalf, buffer: &mut Vec<u8>) {
    while more(read, buffer).await.is_some() {}
}

/// What becomes of a connection after an answer.
enum Fate {
    Kept,
    Cut,
    Reset,
}

async fn play(write: &mut OwnedWriteHalf, steps: Vec<Step>, written: &AtomicUsize) -> std::io::Result<Fate> {
    for step in steps {
        match step {
            Step::Write(bytes) => {
                write.write_all(&bytes).await?;
                write.flush().await?;
                written.fetch_add(bytes.len(), Ordering::Relaxed);
                // The host runs on the same machine: let it see this piece by itself.
                tokio::task::yield_now().await;
            }
            Step::Wait(gate) => gate.pass().await,
            Step::Rest(rest) => tokio::time::sleep(rest).await,
            Step::Endless(bytes, rest) => {
                for _ in 0..LONGEST_ENDLESS / bytes.len().max(1) {
                    if !rest.is_zero() {
                        tokio::time::sleep(rest).await;
                    }
                    write.write_all(&bytes).await?;
                    written.fetch_add(bytes.len(), Ordering::Relaxed);
                }
                std::future::pending::<()>().await;
            }
            Step::Stall => std::future::pending().await,
            Step::Cut => return Ok(Fate::Cut),
            Step::Reset => {
                write.as_ref().set_zero_linger()?;
                return Ok(Fate::Reset);
            }
        }
    }
    Ok(Fate::Kept)
}
