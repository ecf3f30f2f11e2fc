//! The vendor's JSON, borrowed from its frame: an event of a stream, and what stands in it.

use serde_json::value::RawValue;

use super::super::chunk::Counts;
use super::super::object::objects;
use crate::json::Text;

objects! {
    /// An event, of whatever type.
    Event without ["sequence_number", "obfuscation", "logprobs", "item_id"] {
        kind: Text<'a> = "type",
        output_index: u32 = "output_index",
        content_index: u32 = "content_index",
        summary_index: u32 = "summary_index",
        delta: &'a RawValue = "delta",
        annotation: &'a RawValue = "annotation",
        item: &'a RawValue = "item",
        response: &'a RawValue = "response",
    }

    /// A whole answer, or how far it has come. What only repeats the request is left out.
    Response without [
        "object", "created_at", "completed_at", "background", "conversation", "frequency_penalty", "instructions",
        "max_output_tokens", "max_tool_calls", "metadata", "moderation", "output_text", "parallel_tool_calls",
        "presence_penalty", "previous_response_id", "prompt", "prompt_cache_key", "prompt_cache_retention", "reasoning",
        "safety_identifier", "store", "temperature", "text", "tool_choice", "tools", "top_logprobs", "top_p", "truncation",
        "user"
    ] {
        id: Text<'a> = "id",
        model: Text<'a> = "model",
        status: Text<'a> = "status",
        output: Vec<&'a RawValue> = "output",
        usage: Counts<'a> = "usage",
        error: &'a RawValue = "error",
        incomplete: Incomplete<'a> = "incomplete_details",
    }

    /// Why an answer is not whole.
    Incomplete without [] {
        reason: Text<'a> = "reason",
    }

    /// A piece of the answer: a message, a call, reasoning, or what a tool of the vendor's did.
    Item without ["status"] {
        kind: Text<'a> = "type",
        id: Text<'a> = "id",
        call_id: Text<'a> = "call_id",
        name: Text<'a> = "name",
        arguments: Text<'a> = "arguments" | "input",
        content: Vec<Part<'a>> = "content",
        summary: Vec<Part<'a>> = "summary",
        sealed: Text<'a> = "encrypted_content",
    }

    /// A part of a message or of reasoning.
    Part without ["type", "logprobs"] {
        text: Text<'a> = "text",
        refusal: Text<'a> = "refusal",
        annotations: Vec<&'a RawValue> = "annotations",
    }
}
