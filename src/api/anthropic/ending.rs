//! How an answer ends: the reason in this dialect's words, and what else the vendor told.

use crate::model::chat::{Field, StopReason};

/// Fields of the vendor's answer, by where this dialect has them.
#[derive(Debug, Default)]
pub(super) struct Extra {
    /// In the message.
    pub(super) message: Vec<Field>,
    /// In its usage.
    pub(super) usage: Vec<Field>,
}

/// What else of an answer tells why it ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Told {
    /// The caller was given a call.
    pub(super) called: bool,
    /// The caller was given a block of the vendor's own.
    pub(super) other: bool,
    /// The model refused in words.
    pub(super) refused: bool,
}

// === impl Extra ===

impl Extra {
    /// Takes `field` in; of one name, the last counts. What the answer says anyhow isn't said twice.
    pub(super) fn add(&mut self, mut field: Field) {
        const MESSAGE: [&str; 8] = ["id", "type", "role", "model", "content", "stop_reason", "stop_sequence", "usage"];
        const USAGE: [&str; 5] = [
            "input_tokens",
            "cache_creation_input_tokens",
            "cache_read_input_tokens",
            "output_tokens",
            "output_tokens_details",
        ];
        let (list, taken) = match field.name.strip_prefix("usage.") {
            Some(name) => {
                field.name = name.to_owned();
                (&mut self.usage, &USAGE[..])
            }
            None => (&mut self.message, &MESSAGE[..]),
        };
        if !taken.contains(&field.name.as_str()) {
            list.retain(|known| known.name != field.name);
            list.push(field);
        }
    }
}

/// The dialect's word for why an answer ended. Who was given a call must be told so, whatever the vendor said; but what is cut
/// is cut, also where a call is what was cut.
pub(super) fn stop_reason(reason: StopReason, told: Told) -> &'static str {
    match reason {
        StopReason::Length => "max_tokens",
        StopReason::Refusal => "refusal",
        StopReason::Pause => "pause_turn",
        _ if told.called => "tool_use",
        _ if told.refused => "refusal",
        StopReason::StopSequence => "stop_sequence",
        StopReason::ToolCalls if told.other => "tool_use",
        // Without a call there is nothing that the caller could do for one.
        StopReason::ToolCalls | StopReason::Complete => "end_turn",
    }
}
