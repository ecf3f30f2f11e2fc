//! What the upstream answers: a status, headers and a body, and how it goes wrong on the way.

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use tokio::sync::watch;

use super::openai;

/// A place in an answer where the upstream waits until the test lets it go on.
#[derive(Clone)]
pub struct Gate(Arc<watch::Sender<(bool, bool)>>);

impl Gate {
    pub fn new() -> Gate {
        Gate(Arc::new(watch::Sender::new((false, false))))
    }

    pub fn open(&self) {
        self.0.send_modify(|(_, open)| *open = true);
    }

    /// All that stands before the gate has been written.
    pub async fn reached(&self) {
        let mut stage = self.0.subscribe();
        let reached = stage.wait_for(|(reached, _)| *reached);
        crate::patience::soon("the upstream to come to its gate", reached).await.unwrap();
    }

    pub(super) async fn pass(&self) {
        self.0.send_modify(|(reached, _)| *reached = true);
        self.0.subscribe().wait_for(|(_, open)| *open).await.unwrap();
    }
}

/// What the upstream does, in order.
#[derive(Clone)]
pub(super) enum Step {
    /// Written and flushed at once.
    Write(Vec<u8>),
    Wait(Gate),
    /// A vendor that takes its time; the only clock in here.
    Rest(Duration),
    /// Over and over, with a rest between, until the client has gone.
    Endless(Vec<u8>, Duration),
    /// Nothing more, until the client has gone.
    Stall,
    /// Closes the connection.
    Cut,
    /// Resets the connection.
    Reset,
}

#[derive(Clone)]
pub struct Answer {
    status: u16,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
    /// Chunked where the length is not told before.
    chunked: bool,
    /// Where the body is cut into chunks of the transfer encoding.
    splits: Vec<usize>,
    /// What happens before a byte of the body.
    stops: Vec<(usize, Step)>,
    head_gate: Option<Gate>,
    /// Instead of the rest of the body from there on.
    fault: Option<(usize, Step)>,
    /// Instead of everything.
    instead: Option<Vec<Step>>,
    trickle: bool,
}

impl Answer {
    fn new(status: u16, kind: &str, body: impl Into<Vec<u8>>) -> Answer {
        Answer {
            status,
            headers: vec![("Content-Type".into(), kind.into())],
            body: body.into(),
            chunked: false,
            splits: Vec::new(),
            stops: Vec::new(),
            head_gate: None,
            fault: None,
            instead: None,
            trickle: false,
        }
    }

    fn instead(steps: Vec<Step>) -> Answer {
        Answer { instead: Some(steps), ..Answer::new(200, "text/plain", "") }
    }

    pub fn json(value: &Value) -> Answer {
        Answer::new(200, "application/json", value.to_string())
    }

    /// A whole stream: the events and `[DONE]`.
    pub fn stream(events: &[Value]) -> Answer {
        Answer::text(openai::sse(events) + openai::DONE)
    }

    /// A stream of just this text.
    pub fn text(text: impl Into<Vec<u8>>) -> Answer {
        Answer { chunked: true, ..Answer::new(200, "text/event-stream", text) }
    }

    /// A stream of lines, each a JSON value.
    pub fn lines(text: impl Into<Vec<u8>>) -> Answer {
        Answer { chunked: true, ..Answer::new(200, "application/x-ndjson", text) }
    }

    /// The vendor's error body.
    pub fn error(status: u16, kind: &str, message: &str) -> Answer {
        Answer { status, ..Answer::json(&openai::error(kind, message)) }
    }

    pub fn body(status: u16, kind: &str, body: impl Into<Vec<u8>>) -> Answer {
        Answer::new(status, kind, body)
    }

    /// Takes the request and never says a word.
    pub fn silent() -> Answer {
        Answer::instead(vec![Step::Stall])
    }

    /// Closes the connection instead of answering.
    pub fn hang_up() -> Answer {
        Answer::instead(vec![Step::Cut])
    }

    /// Resets the connection instead of answering.
    pub fn reset() -> Answer {
        Answer::instead(vec![Step::Reset])
    }

    /// Just these bytes on the wire, and then the end of the connection.
    pub fn raw(bytes: impl Into<Vec<u8>>) -> Answer {
        Answer::instead(vec![Step::Write(bytes.into()), Step::Cut])
    }

    pub fn header(mut self, name: &str, value: &str) -> Answer {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// Cuts the body at these bytes; each piece is a chunk of its own and is flushed.
    pub fn split(self, at: &[usize]) -> Answer {
        Answer { splits: at.to_vec(), chunked: true, ..self }
    }

    /// Every byte of the body is a chunk of its own.
    pub fn every_byte(self) -> Answer {
        let at: Vec<usize> = (1..self.body.len()).collect();
        self.split(&at)
    }

    /// Every byte of the whole answer, head and framing too, is written by itself.
    pub fn trickle(self) -> Answer {
        Answer { trickle: true, ..self }
    }

    /// Waits before the byte of the body.
    pub fn pause(mut self, at: usize, gate: &Gate) -> Answer {
        self.stops.push((at, Step::Wait(gate.clone())));
        self.chunked = true;
        self
    }

    /// Rests before each of these bytes of the body.
    pub fn slow(mut self, at: &[usize], rest: Duration) -> Answer {
        self.stops.extend(at.iter().map(|at| (*at, Step::Rest(rest))));
        self.chunked = true;
        self
    }

    pub fn pause_head(self, gate: &Gate) -> Answer {
        Answer { head_gate: Some(gate.clone()), ..self }
    }

    /// Closes the connection before the byte of the body.
    pub fn cut(self, at: usize) -> Answer {
        Answer { fault: Some((at, Step::Cut)), ..self }
    }

    /// Falls silent before the byte of the body.
    pub fn stall(self, at: usize) -> Answer {
        Answer { fault: Some((at, Step::Stall)), ..self }
    }

    /// Falls silent when the body is over, without ending it.
    pub fn unended(self) -> Answer {
        let end = self.body.len();
        self.stall(end)
    }

    /// Goes on with these bytes for ever when the body is over.
    pub fn endless(self, filler: &str) -> Answer {
        self.drip(filler, Duration::ZERO)
    }

    /// The same, with a rest before each time.
    pub fn drip(self, filler: &str, rest: Duration) -> Answer {
        let fault = Some((self.body.len(), Step::Endless(chunk(filler.as_bytes()), rest)));
        Answer { fault, chunked: true, ..self }
    }

    pub fn len(&self) -> usize {
        self.body.len()
    }

    /// Where the event of that number, counted from 0, begins.
    pub fn event(&self, number: usize) -> usize {
        let ends = self.body.windows(2).enumerate().filter(|(_, pair)| pair == b"\n\n").map(|(at, _)| at + 2);
        std::iter::once(0).chain(ends).nth(number).expect("no such event in the answer")
    }

    fn head(&self) -> Vec<u8> {
        let mut head = format!("HTTP/1.1 {} Scripted\r\n", self.status);
        self.headers.iter().for_each(|(name, value)| head += &format!("{name}: {value}\r\n"));
        head += &match self.chunked {
            true => "Transfer-Encoding: chunked\r\n\r\n".into(),
            false => format!("Content-Length: {}\r\n\r\n", self.body.len()),
        };
        head.into_bytes()
    }

    pub(super) fn steps(&self) -> Vec<Step> {
        let mut steps = self.instead.clone().unwrap_or_else(|| self.regular());
        if self.trickle {
            let singly = |step| match step {
                Step::Write(bytes) => bytes.iter().map(|byte| Step::Write(vec![*byte])).collect(),
                other => vec![other],
            };
            steps = steps.into_iter().flat_map(singly).collect();
        }
        steps
    }

    fn regular(&self) -> Vec<Step> {
        let mut steps: Vec<Step> = self.head_gate.iter().cloned().map(Step::Wait).collect();
        steps.push(Step::Write(self.head()));
        let end = self.fault.as_ref().map_or(self.body.len(), |(at, _)| (*at).min(self.body.len()));
        let mut marks: Vec<usize> = self.splits.iter().chain(self.stops.iter().map(|(at, _)| at)).copied().collect();
        marks.retain(|at| *at < end);
        marks.extend([0, end]);
        marks.sort_unstable();
        marks.dedup();
        for (index, begin) in marks.iter().enumerate() {
            steps.extend(self.stops.iter().filter(|(at, _)| at == begin).map(|(_, stop)| stop.clone()));
            let piece = &self.body[*begin..*marks.get(index + 1).unwrap_or(begin)];
            if !piece.is_empty() {
                steps.push(Step::Write(if self.chunked { chunk(piece) } else { piece.to_vec() }));
            }
        }
        match &self.fault {
            Some((_, fault)) => steps.push(fault.clone()),
            None if self.chunked => steps.push(Step::Write(b"0\r\n\r\n".to_vec())),
            None => {}
        }
        steps
    }
}

fn chunk(piece: &[u8]) -> Vec<u8> {
    [format!("{:x}\r\n", piece.len()).as_bytes(), piece, b"\r\n"].concat()
}
