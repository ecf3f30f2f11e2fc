//! Everything under `/api` that is not `/api/v1`: the agent surface.

mod auth;
mod repair;
mod tasks;
