//! The server as its callers meet it: started in this process on a free port, asked over real sockets.
//!
//! One binary for all of it, because linking the host takes longer than running these tests. The tree mirrors the
//! URLs; what stands beside it is a caller, a vendor, and the checks that run on every answer.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, and its helpers fail with it"
)]
#![expect(unreachable_pub, reason = "nothing reaches out of a test's binary")]

// The tools.
mod client;
mod exposition;
mod grammar;
mod harness;
mod kit;
mod patience;
mod people;
mod shape;
mod simulator;
mod steady;
mod upstream;

// The URLs.
mod anthropic;
mod api;
mod dialects;
mod docs;
mod health;
mod openai;

// What no URL shows alone.
mod budgets;
mod edge;
mod first_party;
mod guests;
mod hot_loading;
mod input;
mod isolation;
mod operator;
mod program;
mod readme;
mod routing;
mod sdk_javascript;
mod sdk_python;
mod server_tools;
mod shutdown;
mod skeleton;
mod stations;
mod store;
mod telemetry;
mod tools;
mod vendor;
mod websocket;
