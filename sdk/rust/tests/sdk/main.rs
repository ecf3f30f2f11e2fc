//! All integration tests of the SDK in one binary: linking costs more than running them.
#![cfg(test)]

mod driver;
mod embeddings;
mod failures;
mod fields;
mod json;
mod messages;
mod models;
mod quirks;
mod raw;
mod requests;
mod responses;
mod splice;
mod splits;
mod streams;
mod tools;
mod vendor;
mod whole;
