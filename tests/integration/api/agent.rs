//! Everything under `/api` that is not `/api/v1`: the agent surface.

mod auth;
mod progress;
mod repair;
mod tasks;
