//! What `wit/` says, as Rust; made by the compiler.

wasmtime::component::bindgen!({
    path: "wit",
    world: "provider-plugin",
    imports: { default: trappable },
});

pub(super) use self::exports::mortise::plugin::provider;
pub(super) use self::mortise::plugin::{chat, http, log};

/// The other world: what a tool imports may wait.
pub(super) mod tools {
    wasmtime::component::bindgen!({
        path: "wit",
        world: "tool-plugin",
        imports: { default: async | trappable },
        exports: { default: async },
        with: { "mortise:plugin/chat": super::mortise::plugin::chat },
    });

    pub(in crate::plugin::wasm) use self::exports::mortise::plugin::tool;
    pub(in crate::plugin::wasm) use self::mortise::plugin::{kv, log, process, progress};
}
