//! Everything under `/api`: the native surface, and the agents'.

mod agent;
mod v1;
