//! What a provider may call: a log, and an inert WASI.

mod log;
mod wasi;

use wasmtime::component::types::ComponentItem;
use wasmtime::component::{Component, HasSelf, Linker};

use super::bindings;
use super::state::State;

/// A linker for `component`, which imports nothing that isn't offered.
///
/// # Errors
/// Names the first import that isn't, and what is.
pub(super) fn linker(component: &Component) -> Result<Linker<State>, String> {
    let engine = component.engine();
    let mut linker = Linker::new(engine);
    bindings::log::add_to_linker::<State, HasSelf<State>>(&mut linker, |state| state)
        .map_err(|error| format!("{error:#}"))?;
    for (name, item) in component.component_type().imports(engine) {
        if let ComponentItem::ComponentInstance(instance) = &item.ty {
            if wasi::offers(name) {
                wasi::define(&mut linker, name, instance).map_err(|error| format!("{error:#}"))?;
                continue;
            }
            // Interfaces of the contract; those that only hold types need no definition.
            if contract(name) {
                continue;
            }
        }
        return Err(format!(
            "it imports `{name}`, which this server doesn't offer to providers; mortise:plugin {} and wasi 0.2's cli, io, \
             clocks, random, filesystem and sockets (inert) are offered",
            crate::plugin::manifest::API
        ));
    }
    Ok(linker)
}

/// Whether `name` is an interface of the contract that providers may import, in a version that this host speaks.
fn contract(name: &str) -> bool {
    let Some((interface, version)) = name.strip_prefix("mortise:plugin/").and_then(|rest| rest.split_once('@')) else {
        return false;
    };
    let api = crate::plugin::manifest::API;
    ["chat", "http", "log"].contains(&interface) && version.strip_prefix(api).is_some_and(|rest| rest.starts_with('.'))
}
