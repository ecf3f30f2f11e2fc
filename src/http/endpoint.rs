//! What an endpoint is: the table of them makes the router, and whatever else has to know them.

use std::future::Future;
use std::pin::Pin;

use http::Method;

use super::fault::Fault;
use super::{Reply, Request};
use crate::model::Result;
use crate::model::id::RequestId;

/// A handler's answer in the making.
pub type Answer = Pin<Box<dyn Future<Output = Result<Reply>> + Send>>;

/// How a surface writes its errors: status and headers are the fault's, the body is the surface's.
pub type ErrorShape = fn(&Fault<'_>, &RequestId, &str) -> serde_json::Value;

/// A part of the API with one way of speaking.
#[derive(Clone, Copy)]
pub struct Surface {
    /// For the log.
    pub name: &'static str,
    /// Unknown paths below one of these are answered in this surface's shape.
    pub prefixes: &'static [&'static str],
    /// How it writes its errors.
    pub shape: ErrorShape,
}

/// Who may ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Everybody, also where keys are asked for.
    Anyone,
    /// Who shows a key, where keys are asked for.
    Caller,
}

/// One method at one path.
pub struct Endpoint<S> {
    /// The method; `HEAD` and `OPTIONS` are answered for every endpoint.
    pub method: Method,
    /// The path's template, as `matchit` reads it.
    pub path: &'static str,
    /// One sentence.
    pub summary: &'static str,
    /// The part of the API that it belongs to.
    pub surface: &'static Surface,
    /// Who may ask.
    pub access: Access,
    /// What answers.
    pub handler: fn(Request<S>) -> Answer,
}

/// Boxes a handler's future.
pub fn answer(future: impl Future<Output = Result<Reply>> + Send + 'static) -> Answer {
    Box::pin(future)
}
