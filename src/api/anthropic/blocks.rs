//! The blocks of a stream: strictly one after another, however the pieces of an answer interleave.
//!
//! One block is open. A text ends where anything else begins, and goes on as a new block later. A call ends when its arguments
//! are whole: what comes for other blocks before that waits, and is written as soon as it can be.

use std::collections::VecDeque;

use super::arguments::{self, Progress};
use super::ending::Told;
use super::event::{Delta, Step};
use super::stream::put;
use super::wire::{BlockView, Input, KnownBlock, OtherBlock};
use super::{ids, wire};
use crate::api::openai::Members;
use crate::model::chat::{Field, Json};
use crate::model::{Error, Fault, Kind, Result};

/// Writes blocks.
#[derive(Debug, Default)]
pub(super) struct Blocks {
    index: u32,
    open: Option<Open>,
    waiting: VecDeque<Waiting>,
    /// Citations of texts that haven't begun: the block number and the citation.
    early: Vec<(u32, Json)>,
    /// What was written so far.
    pub(super) told: Told,
}

/// The block that is open.
#[derive(Debug)]
struct Open {
    block: u32,
    state: State,
}

#[derive(Debug)]
enum State {
    Text,
    Thinking,
    Call {
        progress: Progress,
        /// What was written that is no object, or not yet.
        held: String,
    },
}

/// A block that can't be written yet.
#[derive(Debug)]
struct Waiting {
    block: u32,
    kind: Beginning,
    pieces: Vec<Piece>,
}

/// How a block begins.
#[derive(Debug)]
pub(super) enum Beginning {
    Text,
    Thinking,
    Call { id: String, name: String, extra: Vec<Field> },
    Redacted(String),
    Other(Json),
}

/// A piece of a block.
#[derive(Debug)]
pub(super) enum Piece {
    Text(String),
    Thinking(String),
    Signature(String),
    Arguments(String),
    Citation(Json),
}

// === impl Blocks ===

impl Blocks {
    /// A block begins that comes with a beginning of its own.
    pub(super) fn begin(&mut self, out: &mut Vec<u8>, block: u32, kind: Beginning) {
        if self.must_wait() {
            self.waiting.push_back(Waiting { block, kind, pieces: Vec::new() });
        } else {
            self.write_beginning(out, block, kind);
        }
    }

    /// A block goes on, or begins without a beginning of its own.
    ///
    /// # Errors
    /// If it goes on with a call that was over or never began: what it says would be lost.
    pub(super) fn piece(&mut self, out: &mut Vec<u8>, block: u32, piece: Piece) -> Result<()> {
        if self.open.as_ref().is_some_and(|open| open.block == block && open.state.takes(&piece)) {
            self.write_piece(out, &piece);
            self.write_waiting(out);
            return Ok(());
        }
        let waiting = self.waiting.iter_mut().rfind(|waiting| waiting.block == block && waiting.kind.takes(&piece));
        if let Some(waiting) = waiting {
            waiting.pieces.push(piece);
            return Ok(());
        }
        let kind = match piece {
            Piece::Text(_) => Beginning::Text,
            Piece::Thinking(_) | Piece::Signature(_) => Beginning::Thinking,
            // A block of nothing but citations would be an empty one.
            Piece::Citation(citation) => {
                self.early.push((block, citation));
                return Ok(());
            }
            Piece::Arguments(text) if text.trim().is_empty() => return Ok(()),
            Piece::Arguments(_) => {
                return Err(Error::new(
                    Kind::Upstream,
                    Fault::Upstream,
                    "the provider went on with a tool call that was over or never began",
                ));
            }
        };
        if self.must_wait() {
            self.waiting.push_back(Waiting { block, kind, pieces: vec![piece] });
        } else {
            self.write_beginning(out, block, kind);
            self.write_piece(out, &piece);
        }
        Ok(())
    }

    /// Nothing more will come: writes what waits.
    pub(super) fn finish(&mut self, out: &mut Vec<u8>) {
        self.close(out);
        while let Some(waiting) = self.waiting.pop_front() {
            self.write(out, waiting);
            self.close(out);
        }
    }

    /// Ends the block that is open.
    pub(super) fn close(&mut self, out: &mut Vec<u8>) {
        let Some(open) = self.open.take() else { return };
        if let State::Call { progress, held } = open.state
            && !progress.is_object()
        {
            self.delta(out, Delta::InputJson { partial_json: &arguments::outward(&held) });
        }
        self.end(out);
    }

    /// Whether what is open isn't over, or others wait already.
    fn must_wait(&self) -> bool {
        !self.waiting.is_empty() || self.open.as_ref().is_some_and(|open| !open.state.is_over())
    }

    /// Writes what waits as far as it can be.
    fn write_waiting(&mut self, out: &mut Vec<u8>) {
        while self.open.as_ref().is_none_or(|open| open.state.is_over()) {
            let Some(waiting) = self.waiting.pop_front() else { return };
            self.write(out, waiting);
        }
    }

    fn write(&mut self, out: &mut Vec<u8>, waiting: Waiting) {
        self.write_beginning(out, waiting.block, waiting.kind);
        waiting.pieces.iter().for_each(|piece| self.write_piece(out, piece));
    }

    fn write_beginning(&mut self, out: &mut Vec<u8>, block: u32, kind: Beginning) {
        self.close(out);
        match kind {
            Beginning::Text => {
                self.start(out, KnownBlock::Text { text: "", citations: Vec::new() });
                self.open = Some(Open { block, state: State::Text });
                let (now, later) = self.early.drain(..).partition(|(known, _)| *known == block);
                self.early = later;
                let now: Vec<(u32, Json)> = now;
                now.into_iter().for_each(|(_, citation)| self.write_piece(out, &Piece::Citation(citation)));
            }
            Beginning::Thinking => {
                self.start(out, KnownBlock::Thinking { thinking: "", signature: "" });
                self.open = Some(Open { block, state: State::Thinking });
            }
            Beginning::Call { id, name, extra } => {
                self.told.called = true;
                let extra = Members(&extra);
                self.start(out, KnownBlock::ToolUse { id: &ids::outward(&id), name: &name, input: Input::NONE, extra });
                let state = State::Call { progress: Progress::default(), held: String::new() };
                self.open = Some(Open { block, state });
            }
            Beginning::Redacted(data) => {
                self.start(out, KnownBlock::RedactedThinking { data: &data });
                self.end(out);
            }
            Beginning::Other(json) => self.write_other(out, &json),
        }
    }

    /// Writes a whole block of the vendor's own; a call's input comes as that of other calls does.
    fn write_other(&mut self, out: &mut Vec<u8>, json: &str) {
        let Some(mut members) = wire::members(json) else { return };
        self.told.other = true;
        let calls = members.iter().any(|field| field.name == "type" && field.value.ends_with("tool_use\""));
        let input = members.iter_mut().find(|field| calls && field.name == "input" && field.value.starts_with('{'));
        let input = input.map(|field| std::mem::replace(&mut field.value, "{}".into()));
        let content_block = BlockView::Other(OtherBlock(&members));
        put(out, Step::ContentBlockStart { index: self.index, content_block });
        if let Some(input) = input {
            self.delta(out, Delta::InputJson { partial_json: &input });
        }
        self.end(out);
    }

    fn write_piece(&mut self, out: &mut Vec<u8>, piece: &Piece) {
        match piece {
            Piece::Text(text) => self.delta(out, Delta::Text { text }),
            Piece::Thinking(thinking) => self.delta(out, Delta::Thinking { thinking }),
            Piece::Signature(signature) => self.delta(out, Delta::Signature { signature }),
            Piece::Citation(json) => {
                if let Some(citation) = wire::raw(json) {
                    self.delta(out, Delta::Citations { citation });
                }
            }
            Piece::Arguments(text) => {
                let Some(Open { state: State::Call { progress, held }, .. }) = &mut self.open else { return };
                progress.add(text);
                held.push_str(text);
                if progress.is_object() {
                    let text = std::mem::take(held);
                    self.delta(out, Delta::InputJson { partial_json: &text });
                }
            }
        }
    }

    fn start(&self, out: &mut Vec<u8>, block: KnownBlock<'_>) {
        put(out, Step::ContentBlockStart { index: self.index, content_block: BlockView::Known(block) });
    }

    fn delta(&self, out: &mut Vec<u8>, delta: Delta<'_>) {
        put(out, Step::ContentBlockDelta { index: self.index, delta });
    }

    fn end(&mut self, out: &mut Vec<u8>) {
        put(out, Step::ContentBlockStop { index: self.index });
        self.index += 1;
    }
}

// === impl State ===

impl State {
    fn takes(&self, piece: &Piece) -> bool {
        match self {
            Self::Text => matches!(piece, Piece::Text(_) | Piece::Citation(_)),
            Self::Thinking => matches!(piece, Piece::Thinking(_) | Piece::Signature(_)),
            Self::Call { .. } => matches!(piece, Piece::Arguments(_)),
        }
    }

    /// Whether the block may end here.
    fn is_over(&self) -> bool {
        if let Self::Call { progress, .. } = self { progress.is_whole() } else { true }
    }
}

// === impl Beginning ===

impl Beginning {
    fn takes(&self, piece: &Piece) -> bool {
        match self {
            Self::Text => matches!(piece, Piece::Text(_) | Piece::Citation(_)),
            Self::Thinking => matches!(piece, Piece::Thinking(_) | Piece::Signature(_)),
            Self::Call { .. } => matches!(piece, Piece::Arguments(_)),
            Self::Redacted(_) | Self::Other(_) => false,
        }
    }
}
