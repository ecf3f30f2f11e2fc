//! The agent API under `/api`.

mod auth;
mod shape;

use http::StatusCode;

use super::State;
use super::v1::shape::is_validation;
use crate::http::endpoint::Type;
use crate::http::{Endpoint, Surface};

/// Errors here are `{detail, code, timestamp}`; a field that is missing or wrong is 422.
pub const SURFACE: Surface = Surface {
    name: "agent",
    about: "Agents: sessions, tasks that can be watched, stopped and answered, and what they leave.",
    prefixes: &["/api/", "/ws/"],
    shape: shape::write,
    status: |fault| if is_validation(fault) { StatusCode::UNPROCESSABLE_ENTITY } else { fault.status },
    error: Type::of::<shape::AgentError<'_>>(),
    vendor_id: None,
};

pub(super) fn endpoints() -> Vec<Endpoint<State>> {
    auth::endpoints()
}
