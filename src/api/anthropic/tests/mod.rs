//! Tests of Anthropic's dialect: what is read, what is written, and that one is the other's mirror.

mod mirror;
mod reading;
mod streams;
mod writing;

use bytes::Bytes;
use serde_json::Value;

use super::request::{Purpose, read};
use crate::http::Fields;
use crate::model::Result;
use crate::model::chat::Request;

fn fields(body: &Value) -> Fields {
    Fields::parse(&Bytes::from(body.to_string())).unwrap()
}

fn asked(body: &Value) -> Result<Request> {
    read(fields(body), Purpose::Answer)
}
