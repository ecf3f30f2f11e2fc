//! The blocks of a whole answer.

use std::borrow::Cow;

use serde_json::value::RawValue;

use super::ending::Told;
use super::wire::{self, BlockView, Input, KnownBlock, OtherBlock};
use super::{arguments, ids};
use crate::api::openai::Members;
use crate::model::chat::{Field, Json, Part, Thinking};

/// A block, as far as it had to be made anew.
pub(super) enum Block<'a> {
    Text { text: &'a str, citations: Vec<&'a RawValue> },
    Thinking(&'a Thinking),
    Call { id: Cow<'a, str>, name: &'a str, input: Cow<'a, str>, extra: &'a [Field] },
    Other(Vec<Field>),
}

/// The blocks that `parts` come to, and what they tell. `annotations` are those of texts, by their place among `parts`; `same`:
/// who answers speaks this dialect.
pub(super) fn blocks<'a>(parts: &'a [Part], annotations: &'a [(u32, Json)], same: bool) -> (Vec<Block<'a>>, Told) {
    let mut told = Told::default();
    let mut blocks = Vec::with_capacity(parts.len());
    for (place, part) in (0u32..).zip(parts) {
        let cited = annotations.iter().filter(|(at, _)| same && *at == place);
        blocks.extend(match part {
            Part::Text(text) | Part::Refusal(text) if text.is_empty() => None,
            Part::Text(text) => {
                Some(Block::Text { text, citations: cited.filter_map(|(_, json)| wire::raw(json)).collect() })
            }
            Part::Refusal(text) => {
                told.refused = true;
                Some(Block::Text { text, citations: Vec::new() })
            }
            Part::Thinking(thinking) if thinking.text.is_empty() && thinking.signature.is_none() => None,
            Part::Thinking(thinking) => Some(Block::Thinking(thinking)),
            Part::Call(call) => {
                told.called = true;
                let (id, input) = (ids::outward(&call.id), arguments::outward(&call.arguments));
                Some(Block::Call { id, name: &call.name, input, extra: &call.extra })
            }
            Part::Other(json) if same => wire::members(json).map(Block::Other),
            // What no model says, and what means nothing in this dialect.
            Part::Media(_) | Part::Outcome(_) | Part::CachePoint(_) | Part::Other(_) => None,
        });
    }
    told.other = blocks.iter().any(|block| matches!(block, Block::Other(_)));
    (blocks, told)
}

// === impl Block ===

impl Block<'_> {
    /// As it is written.
    pub(super) fn view(&self) -> BlockView<'_> {
        BlockView::Known(match self {
            Self::Text { text, citations } => KnownBlock::Text { text, citations: citations.clone() },
            Self::Thinking(thinking) if thinking.redacted => KnownBlock::RedactedThinking { data: &thinking.text },
            Self::Thinking(thinking) => KnownBlock::Thinking {
                thinking: &thinking.text,
                signature: thinking.signature.as_deref().unwrap_or_default(),
            },
            Self::Call { id, name, input, extra } => {
                KnownBlock::ToolUse { id, name, input: Input::new(input), extra: Members(extra) }
            }
            Self::Other(members) => return BlockView::Other(OtherBlock(members)),
        })
    }
}
