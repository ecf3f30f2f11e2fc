//! Mortise is an edge server for AI.
//!
//! One binary takes chats over HTTP, puts model providers and tools behind them, each a sandboxed WebAssembly component, and runs
//! agents with them; users, sessions and runs are kept in a store of its own.
//!
//! # Ranks
//!
//! A module imports only from strictly lower ranks; modules of one rank don't know each other. `tests/tidy.rs` enforces it.
//!
//! ```text
//! 7  main, cli
//! 6  app                      the only place where everything meets
//! 5  api      edge            dialects · sockets and stations
//! 4  service                  use cases; ids and timestamps are made here, nowhere lower
//! 3  plugin                   the sandbox host
//! 2  egress   http    store   the only way out · HTTP kit without endpoints · typed records on an ordered key space
//! 1  config   telemetry
//! 0  model                    the vocabulary: pure, no I/O, no clock, no async
//! ```
//!
//! In each folder `mod.rs` holds the contract, and what fulfils it stands beside.
//!
//! # The life of a request
//!
//! A connection is accepted and handed to one of the workers, threads with runtimes of their own, which serves it in a task
//! ([`edge`]), in turns with those of other addresses; all that follows stays on that thread, unless a plugin is slow.
//! [`edge::Pipeline`] gives each request an id and finds its endpoint; whose page asks, who asks, how often ([`service::limit`]) and whether there is room decide whether it is called.
//! The endpoint ([`api`]) reads its dialect into the chat model ([`model::chat`]) and asks a service.
//! [`service::chat`] finds who may serve ([`service::route`]), looks among the answers that are kept where that is wanted
//! ([`service::cache`]), and begins a turn: a guest is taken from the pool of the plugin's published version
//! ([`plugin::wasm`]) and handed the operation. What fails before the model's first word is tried again or elsewhere, unseen;
//! after it, nobody else is asked. From then on whoever reads the turn drives it
//! ([`plugin::drive`]): the guest says what to send, [`egress`] sends it with the operator's credential, the response comes
//! back as frames, the guest turns frames into events, and the endpoint writes events in its dialect. What it took is counted
//! as it is said, and written down when the turn is over, however it ends ([`service::meter`]). What goes wrong on the way is a
//! [`model::Error`], which becomes an answer in the surface's shape at the end of the pipeline.
//!
//! What is to outlive the request goes into the [`store`]: a session's turn ([`service::session`]) writes what was said while it is
//! said, and a run ([`service::run`]) stores each step before anybody sees it. Tools are called by [`service::tool`], which checks
//! their arguments; what they reach is what was granted ([`plugin::grant`]).
//!
//! Nothing polls for a caller who hung up: dropping the answer's body drops the turn, which drops the guest's exchange and
//! closes the upstream connection.
//!
//! # Three walkthroughs
//!
//! *To add an endpoint*, write a handler beside its surface under `api/`, and a line in that surface's `endpoints()`.
//!
//! *To add a provider or a tool*, write a plugin under `plugins/` with `mortise-sdk`; the host is not touched.
//!
//! *To change the contract with plugins*, change `wit/`, the words of [`model`] that mirror it, `plugin/wasm/convert.rs` and
//! the SDK. Released versions are never changed.

pub mod api;
pub mod app;
pub mod cli;
pub mod config;
pub mod edge;
pub mod egress;
pub mod http;
pub mod model;
pub mod plugin;
pub mod service;
pub mod store;
pub mod telemetry;
