//! Tells operators whether the server is well.

mod health;
mod metrics;

use super::State;
use crate::http::{Endpoint, Surface};

/// Errors here are native ones.
pub const SURFACE: Surface =
    Surface { name: "ops", prefixes: &["/health", "/metrics"], shape: super::v1::shape::write };

pub(super) fn endpoints() -> Vec<Endpoint<State>> {
    let mut endpoints = health::endpoints();
    endpoints.push(metrics::endpoint());
    endpoints
}
