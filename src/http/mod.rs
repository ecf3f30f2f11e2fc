//! The HTTP kit; no endpoint stands here.
//!
//! Requests, replies, the table of endpoints and its document, errors as bodies, event streams, WebSockets.

pub mod body;
pub mod endpoint;
pub mod fault;
pub mod fields;
pub mod fixed;
pub mod openapi;
pub mod reply;
pub mod request;
pub mod router;
pub mod sse;
pub mod websocket;

pub use endpoint::{Access, Endpoint, ErrorShape, Surface};
pub use fields::Fields;
pub use fixed::Fixed;
pub use reply::Reply;
pub use request::Request;
pub use router::Router;
