//! Anthropic's surface in front of a vendor that speaks OpenAI's wire format, well or badly.
