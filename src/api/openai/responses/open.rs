//! The item that is being written: how it begins, grows and ends.

use super::answer::{Frame, named};
use super::event::Said;
use super::stream::put;
use super::tools::{Kind, Known};
use super::wire::{Content, Extras, Item, Summary};
use crate::api::openai::citation::Citation;
use crate::model::chat::{Event, Thinking, ToolCall};
use crate::service::clock;

/// An item that isn't whole.
pub(super) enum Open {
    Message {
        id: String,
        /// The block of the last part.
        block: u32,
        content: Vec<Content>,
    },
    Thought {
        id: String,
        block: u32,
        thinking: Thinking,
    },
    Call {
        id: String,
        block: u32,
        known: Known,
        call: ToolCall,
        /// Whether its text is the tool's input as it is.
        verbatim: bool,
    },
}

// === impl Open ===

impl Open {
    /// The item that begins with `event`, if one does.
    pub(super) fn of(event: &Event, frame: &Frame) -> Option<Self> {
        match event {
            Event::Text { block, text } | Event::Refusal { block, text } if !text.is_empty() => {
                Some(Self::Message { id: clock::fresh("msg_"), block: *block, content: Vec::new() })
            }
            Event::Thinking { block, text } | Event::Signature { block, text } if !text.is_empty() => {
                let thinking = Thinking { text: String::new(), signature: None, redacted: false };
                let own = match event {
                    Event::Signature { text, .. } if frame.spoken => named(text),
                    _ => None,
                };
                let id = own.map_or_else(|| clock::fresh("rs_"), |(id, _)| id.to_owned());
                Some(Self::Thought { id, block: *block, thinking })
            }
            Event::CallStarted { block, id, name, extra } => {
                let known = frame.known(name);
                let call =
                    ToolCall { id: id.clone(), name: name.clone(), arguments: String::new(), extra: extra.clone() };
                let id = clock::fresh(known.kind.prefix());
                Some(Self::Call { id, block: *block, known, call, verbatim: frame.spoken })
            }
            _ => None,
        }
    }

    pub(super) fn block(&self) -> u32 {
        match self {
            Self::Message { block, .. } | Self::Thought { block, .. } | Self::Call { block, .. } => *block,
        }
    }

    /// Whether it may end here: words can go on in another item, a call can't.
    pub(super) fn is_whole(&self) -> bool {
        match self {
            Self::Message { .. } | Self::Thought { .. } => true,
            // In the dialect itself, items don't interleave.
            Self::Call { verbatim: true, .. } => true,
            Self::Call { call, .. } => {
                call.arguments.trim_end().ends_with('}')
                    && serde_json::from_str::<serde::de::IgnoredAny>(&call.arguments).is_ok()
            }
        }
    }

    /// Whether `event` belongs into it.
    pub(super) fn takes(&self, event: &Event) -> bool {
        match (self, event) {
            (Self::Message { .. }, Event::Text { .. } | Event::Refusal { .. }) => true,
            (Self::Message { block, .. }, Event::Annotation { block: of, .. })
            | (Self::Thought { block, .. }, Event::Thinking { block: of, .. } | Event::Signature { block: of, .. })
            | (Self::Call { block, .. }, Event::CallArguments { block: of, .. }) => block == of,
            _ => false,
        }
    }

    /// Writes its beginning; gives the number of the next event.
    pub(super) fn begin(&self, out: &mut Vec<u8>, sequence_number: u64, output_index: usize) -> u64 {
        let status = "in_progress";
        let item = match self {
            Self::Message { id, .. } => Item::message(id.clone(), status, Vec::new()),
            Self::Thought { id, .. } => {
                Item::Reasoning { id: id.clone(), summary: Vec::new(), encrypted_content: None }
            }
            Self::Call { id, known, call, .. } => {
                let Known { kind, name, namespace } = known.clone();
                let (id, call_id, extra) = (id.clone(), call.id.clone(), Extras(call.extra.clone()));
                let nothing = String::new();
                match kind {
                    Kind::Function => {
                        Item::FunctionCall { id, status, call_id, name, namespace, arguments: nothing, extra }
                    }
                    Kind::Custom => {
                        Item::CustomToolCall { id, status, call_id, name, namespace, input: nothing, extra }
                    }
                    Kind::Search => Item::ToolSearchCall {
                        id,
                        status,
                        call_id,
                        execution: "client",
                        arguments: serde_json::json!({}),
                    },
                }
            }
        };
        put(out, &Said::ItemAdded { sequence_number, output_index, item: &item });
        sequence_number + 1
    }

    /// Adds what `event` says; gives the number of the next event.
    pub(super) fn add(&mut self, out: &mut Vec<u8>, sequence: u64, output_index: usize, event: Event) -> u64 {
        let mut pen = Pen { out, sequence, output_index };
        match (self, event) {
            (Self::Message { id, block, content }, Event::Text { block: of, text }) if !text.is_empty() => {
                if of != *block || !matches!(content.last(), Some(Content::OutputText { .. })) {
                    pen.part_ends(id, content);
                    content.push(Content::OutputText { text: String::new(), annotations: Vec::new(), logprobs: [] });
                    pen.part_begins(id, content);
                    *block = of;
                }
                if let Some(Content::OutputText { text: whole, .. }) = content.last_mut() {
                    whole.push_str(&text);
                    let index = content.len() - 1;
                    pen.put(|sequence_number| Said::Text {
                        sequence_number,
                        item_id: id,
                        output_index,
                        content_index: index,
                        delta: &text,
                        logprobs: [],
                    });
                }
            }
            (Self::Message { id, block, content }, Event::Refusal { block: of, text }) if !text.is_empty() => {
                if of != *block || !matches!(content.last(), Some(Content::Refusal { .. })) {
                    pen.part_ends(id, content);
                    content.push(Content::Refusal { refusal: String::new() });
                    pen.part_begins(id, content);
                    *block = of;
                }
                if let Some(Content::Refusal { refusal }) = content.last_mut() {
                    refusal.push_str(&text);
                    let index = content.len() - 1;
                    pen.put(|sequence_number| Said::Refusal {
                        sequence_number,
                        item_id: id,
                        output_index,
                        content_index: index,
                        delta: &text,
                    });
                }
            }
            (Self::Message { id, content, .. }, Event::Annotation { text: remark, .. }) => {
                let content_index = content.len().saturating_sub(1);
                if let Some(Content::OutputText { text, annotations, .. }) = content.last_mut()
                    && let Some(citation) = Citation::read(&remark, 0, text.chars().count())
                {
                    let annotation_index = annotations.len();
                    let annotation = citation.into_flat();
                    pen.put(|sequence_number| Said::Annotation {
                        sequence_number,
                        item_id: id,
                        output_index,
                        content_index,
                        annotation_index,
                        annotation: &annotation,
                    });
                    annotations.push(annotation);
                }
            }
            (Self::Thought { id, thinking, .. }, Event::Thinking { text, .. }) if !text.is_empty() => {
                if thinking.text.is_empty() {
                    let part = &Summary::SummaryText { text: String::new() };
                    pen.put(|sequence_number| Said::SummaryAdded {
                        sequence_number,
                        item_id: id,
                        output_index,
                        summary_index: 0,
                        part,
                    });
                }
                thinking.text.push_str(&text);
                pen.put(|sequence_number| Said::Thought {
                    sequence_number,
                    item_id: id,
                    output_index,
                    summary_index: 0,
                    delta: &text,
                });
            }
            (Self::Thought { thinking, .. }, Event::Signature { text, .. }) => thinking.signature = Some(text),
            (Self::Call { id, known, call, verbatim, .. }, Event::CallArguments { text, .. }) if !text.is_empty() => {
                call.arguments.push_str(&text);
                match known.kind {
                    Kind::Function => pen.put(|sequence_number| Said::Arguments {
                        sequence_number,
                        item_id: id,
                        output_index,
                        delta: &text,
                    }),
                    Kind::Custom if *verbatim => {
                        pen.put(|sequence_number| Said::Input {
                            sequence_number,
                            item_id: id,
                            output_index,
                            delta: &text,
                        });
                    }
                    // What is within the JSON is known once it is whole.
                    Kind::Custom | Kind::Search => {}
                }
            }
            _ => {}
        }
        pen.sequence
    }

    /// Writes its end, but for the item itself; gives the number of the next event, and the item.
    pub(super) fn end(
        self,
        out: &mut Vec<u8>,
        sequence: u64,
        output_index: usize,
        status: &'static str,
        frame: &Frame,
    ) -> (u64, Item) {
        let mut pen = Pen { out, sequence, output_index };
        let item = match self {
            Self::Message { id, content, .. } => {
                pen.part_ends(&id, &content);
                Item::message(id, status, content)
            }
            Self::Thought { id, thinking, .. } => {
                if !thinking.text.is_empty() {
                    let part = &Summary::SummaryText { text: thinking.text.clone() };
                    let (item_id, summary_index, text) = (&*id, 0, &*thinking.text);
                    pen.put(|sequence_number| Said::ThoughtDone {
                        sequence_number,
                        item_id,
                        output_index,
                        summary_index,
                        text,
                    });
                    pen.put(|sequence_number| Said::SummaryDone {
                        sequence_number,
                        item_id,
                        output_index,
                        summary_index,
                        part,
                    });
                }
                frame.thought(id, thinking)
            }
            Self::Call { id, known, mut call, verbatim, .. } => {
                let name = known.name.clone();
                if call.arguments.is_empty() && known.kind != Kind::Custom {
                    // A call without arguments is a call with none.
                    call.arguments = "{}".into();
                    if known.kind == Kind::Function {
                        pen.put(|sequence_number| Said::Arguments {
                            sequence_number,
                            item_id: &id,
                            output_index,
                            delta: "{}",
                        });
                    }
                }
                let item_id = id.clone();
                let item = frame.call(id, status, known, call);
                match &item {
                    Item::FunctionCall { arguments, .. } => pen.put(|sequence_number| Said::ArgumentsDone {
                        sequence_number,
                        item_id: &item_id,
                        output_index,
                        name: &name,
                        arguments,
                    }),
                    Item::CustomToolCall { input, .. } => {
                        if !verbatim && !input.is_empty() {
                            pen.put(|sequence_number| Said::Input {
                                sequence_number,
                                item_id: &item_id,
                                output_index,
                                delta: input,
                            });
                        }
                        pen.put(|sequence_number| Said::InputDone {
                            sequence_number,
                            item_id: &item_id,
                            output_index,
                            input,
                        });
                    }
                    _ => {}
                }
                item
            }
        };
        (pen.sequence, item)
    }
}

/// Writes numbered events of one item.
struct Pen<'o> {
    out: &'o mut Vec<u8>,
    sequence: u64,
    output_index: usize,
}

// === impl Pen ===

impl Pen<'_> {
    fn put<'s>(&mut self, said: impl FnOnce(u64) -> Said<'s>) {
        put(self.out, &said(self.sequence));
        self.sequence += 1;
    }

    fn part_begins(&mut self, item_id: &str, content: &[Content]) {
        let output_index = self.output_index;
        if let Some((part, before)) = content.split_last() {
            let content_index = before.len();
            self.put(|sequence_number| Said::PartAdded { sequence_number, item_id, output_index, content_index, part });
        }
    }

    /// Ends the last part, if there is one.
    fn part_ends(&mut self, item_id: &str, content: &[Content]) {
        let output_index = self.output_index;
        let Some((part, before)) = content.split_last() else { return };
        let content_index = before.len();
        self.put(|sequence_number| match part {
            Content::OutputText { text, .. } => {
                Said::TextDone { sequence_number, item_id, output_index, content_index, text, logprobs: [] }
            }
            Content::Refusal { refusal } => {
                Said::RefusalDone { sequence_number, item_id, output_index, content_index, refusal }
            }
        });
        self.put(|sequence_number| Said::PartDone { sequence_number, item_id, output_index, content_index, part });
    }
}
