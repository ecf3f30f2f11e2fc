//! What guests may call.
//!
//! A provider: a log, and an inert WASI. A tool: the rest of WASI 0.2 and the contract, each function as far as it is granted.

mod filesystem;
pub(super) mod http;
mod kv;
mod log;
mod process;
mod progress;
mod sockets;
pub(super) mod stdio;
mod wasi;

use wasmtime::component::types::ComponentItem;
use wasmtime::component::{Component, HasSelf, Linker};
use wasmtime_wasi::cli::{WasiCli, WasiCliView};
use wasmtime_wasi::filesystem::{WasiFilesystem, WasiFilesystemCtxView, WasiFilesystemView};
use wasmtime_wasi::p2::bindings::{cli, filesystem as fs, random, sockets as net};
use wasmtime_wasi::random::{WasiRandom, WasiRandomView};
use wasmtime_wasi::sockets::{WasiSockets, WasiSocketsView};

use self::filesystem::{Files, HasFiles};
use self::sockets::{HasRefuser, Refuser};
use super::bindings::{self, tools};
use super::state::State;
use super::tool;

/// A linker for the provider `component`, which imports nothing that isn't offered.
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
            if contract(name, &["chat", "http", "log"]) {
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

/// A linker for the tool `component`, which imports nothing that isn't offered.
///
/// # Errors
/// Names the first import that isn't, and what is.
pub(super) fn tool_linker(component: &Component) -> Result<Linker<tool::State>, String> {
    let engine = component.engine();
    for (name, item) in component.component_type().imports(engine) {
        let instance = matches!(item.ty, ComponentItem::ComponentInstance(_));
        if !instance || !offered_to_tools(name) {
            return Err(format!(
                "it imports `{name}`, which this server doesn't offer to tools; mortise:plugin {}'s log, progress, kv and \
                 process, and wasi 0.2's cli, io, clocks, random, filesystem, http and sockets (refused) are offered",
                crate::plugin::manifest::API
            ));
        }
    }
    let mut linker = Linker::new(engine);
    define_for_tools(&mut linker).map_err(|error| format!("{error:#}"))?;
    Ok(linker)
}

fn define_for_tools(l: &mut Linker<tool::State>) -> wasmtime::Result<()> {
    type T = tool::State;
    // Streams, polling, clocks, the first source of chance, standard streams.
    wasmtime_wasi::p2::add_to_linker_proxy_interfaces_async(l)?;
    cli::environment::add_to_linker::<T, WasiCli>(l, T::cli)?;
    cli::exit::add_to_linker::<T, WasiCli>(l, T::cli)?;
    cli::terminal_input::add_to_linker::<T, WasiCli>(l, T::cli)?;
    cli::terminal_output::add_to_linker::<T, WasiCli>(l, T::cli)?;
    cli::terminal_stdin::add_to_linker::<T, WasiCli>(l, T::cli)?;
    cli::terminal_stdout::add_to_linker::<T, WasiCli>(l, T::cli)?;
    cli::terminal_stderr::add_to_linker::<T, WasiCli>(l, T::cli)?;
    random::insecure::add_to_linker::<T, WasiRandom>(l, T::random)?;
    random::insecure_seed::add_to_linker::<T, WasiRandom>(l, T::random)?;
    fs::preopens::add_to_linker::<T, WasiFilesystem>(l, T::filesystem)?;
    fs::types::add_to_linker::<T, HasFiles>(l, files)?;
    net::instance_network::add_to_linker::<T, WasiSockets>(l, T::sockets)?;
    net::network::add_to_linker::<T, WasiSockets>(l, &net::network::LinkOptions::default(), T::sockets)?;
    net::tcp::add_to_linker::<T, WasiSockets>(l, T::sockets)?;
    net::udp::add_to_linker::<T, WasiSockets>(l, T::sockets)?;
    net::tcp_create_socket::add_to_linker::<T, HasRefuser>(l, |state| Refuser(&state.denials))?;
    net::udp_create_socket::add_to_linker::<T, HasRefuser>(l, |state| Refuser(&state.denials))?;
    net::ip_name_lookup::add_to_linker::<T, HasRefuser>(l, |state| Refuser(&state.denials))?;
    wasmtime_wasi_http::p2::add_only_http_to_linker_async(l)?;
    tools::log::add_to_linker::<T, HasSelf<T>>(l, |state| state)?;
    tools::progress::add_to_linker::<T, HasSelf<T>>(l, |state| state)?;
    tools::kv::add_to_linker::<T, HasSelf<T>>(l, |state| state)?;
    tools::process::add_to_linker::<T, HasSelf<T>>(l, |state| state)
}

fn files(state: &mut tool::State) -> Files<'_> {
    let tool::State { wasi, table, files, denials, .. } = state;
    Files { view: WasiFilesystemCtxView { ctx: wasi.filesystem(), table }, quota: files, denials }
}

fn offered_to_tools(name: &str) -> bool {
    let http = ["wasi:http/types@0.2.", "wasi:http/outgoing-handler@0.2."];
    wasi::offers(name)
        || http.iter().any(|known| name.starts_with(known))
        || contract(name, &["chat", "log", "progress", "kv", "process"])
}

/// Whether `name` is one of these interfaces of the contract, in a version that this host speaks.
fn contract(name: &str, interfaces: &[&str]) -> bool {
    let Some((interface, version)) = name.strip_prefix("mortise:plugin/").and_then(|rest| rest.split_once('@')) else {
        return false;
    };
    let api = crate::plugin::manifest::API;
    interfaces.contains(&interface) && version.strip_prefix(api).is_some_and(|rest| rest.starts_with('.'))
}
