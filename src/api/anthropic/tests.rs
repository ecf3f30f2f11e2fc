//! Tests of Anthropic's dialect: what is read, what is written.
