//! Tells operators whether the server is well.

mod health;

use super::State;
use crate::http::{Endpoint, Surface};

/// Errors here are native ones.
pub const SURFACE: Surface = Surface { name: "ops", prefixes: &["/health"], shape: super::v1::shape::write };

pub(super) fn endpoints() -> Vec<Endpoint<State>> {
    health::endpoints()
}
