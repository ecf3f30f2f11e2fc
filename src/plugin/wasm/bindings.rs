//! What `wit/` says, as Rust; made by the compiler.

wasmtime::component::bindgen!({
    path: "wit",
    world: "provider-plugin",
    imports: { default: trappable },
});

pub(super) use self::exports::mortise::plugin::provider;
pub(super) use self::mortise::plugin::{chat, http, log};
