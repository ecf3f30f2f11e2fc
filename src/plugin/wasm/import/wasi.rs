//! An inert WASI 0.2: a language's runtime finds what it looks for at its start, and nothing in it.
//!
//! No arguments, no environment, no files, no input; output goes to the log; clocks are coarse; whatever would wait, open
//! or connect traps. It is defined from what the component imports, function by function, so that any minor version fits.

use std::sync::LazyLock;
use std::time::{SystemTime, UNIX_EPOCH};

use tokio::time::Instant;
use wasmtime::StoreContextMut;
use wasmtime::component::types::{ComponentInstance, ComponentItem};
use wasmtime::component::{Linker, Resource, ResourceAny, ResourceType, Val};

use super::log::{self, Words};
use crate::plugin::wasm::state::State;

/// Every handle that a guest holds is one of these; its number says which.
struct Handle;

const STDIN: u32 = 0;
const STDOUT: u32 = 1;
const STDERR: u32 = 2;
/// What `subscribe` of a stream answers: it is always ready.
const READY: u32 = 3;

/// The most bytes that one call gets from a source of random numbers.
const RANDOM_BYTES: u64 = 64 << 10;
/// What an output stream takes at once.
const WRITE_BYTES: u64 = 64 << 10;

type Answer = wasmtime::Result<()>;

/// Whether `name` is an interface that is offered, inert.
pub(super) fn offers(name: &str) -> bool {
    ["cli", "io", "clocks", "random", "filesystem", "sockets"].iter().any(|package| {
        name.strip_prefix("wasi:").and_then(|rest| rest.strip_prefix(package)).is_some_and(|rest| rest.starts_with('/'))
    }) && name.rsplit_once("@0.2.").is_some()
}

/// Defines what `instance` asks for of the interface `name`.
pub(super) fn define(linker: &mut Linker<State>, name: &str, instance: &ComponentInstance) -> wasmtime::Result<()> {
    let engine = linker.engine().clone();
    let mut defined = linker.instance(name)?;
    let interface = name.split_once('@').map_or(name, |(interface, _)| interface).to_owned();
    for (item_name, item) in instance.exports(&engine) {
        match item.ty {
            ComponentItem::Resource(_) => {
                defined.resource(item_name, ResourceType::host::<Handle>(), |mut store, _| {
                    store.data_mut().handles = store.data().handles.saturating_add(1);
                    Ok(())
                })?;
            }
            ComponentItem::ComponentFunc(_) => {
                let function = format!("{interface}.{item_name}");
                defined.func_new(item_name, move |mut store, _, parameters, results| {
                    let handles = take_handles(&mut store, parameters)?;
                    match results.first_mut() {
                        Some(result) => {
                            *result = answer(&mut store, &function, &handles, parameters)?;
                            Ok(())
                        }
                        None => silent(&function),
                    }
                })?;
            }
            _ => {}
        }
    }
    Ok(())
}

/// What a function answers that answers nothing.
fn silent(function: &str) -> Answer {
    match function {
        "wasi:io/poll.[method]pollable.block" => Ok(()),
        "wasi:cli/exit.exit" => wasmtime::bail!("it called exit; a plugin returns an error instead"),
        _ => Err(refused(function)),
    }
}

/// Takes the handles among a call's parameters, also within lists: what is lent must be given back before the call is over.
fn take_handles(store: &mut StoreContextMut<'_, State>, parameters: &[Val]) -> wasmtime::Result<Vec<u32>> {
    let mut handles = Vec::new();
    for parameter in parameters {
        match parameter {
            Val::Resource(handle) => handles.push(handle.try_into_resource::<Handle>(&mut *store)?.rep()),
            Val::List(list) => handles.append(&mut take_handles(store, list)?),
            _ => {}
        }
    }
    Ok(handles)
}

fn answer(
    store: &mut StoreContextMut<'_, State>,
    function: &str,
    handles: &[u32],
    parameters: &[Val],
) -> wasmtime::Result<Val> {
    let (interface, name) = function.split_once('.').unwrap_or((function, ""));
    Ok(match (interface, name) {
        ("wasi:cli/environment", "initial-cwd")
        | ("wasi:cli/terminal-stdin" | "wasi:cli/terminal-stdout" | "wasi:cli/terminal-stderr", _) => Val::Option(None),
        ("wasi:cli/environment", _) | ("wasi:filesystem/preopens", _) => Val::List(Vec::new()),
        ("wasi:cli/stdin", _) => Val::Resource(handle(store, STDIN)?),
        ("wasi:cli/stdout", _) => Val::Resource(handle(store, STDOUT)?),
        ("wasi:cli/stderr", _) => Val::Resource(handle(store, STDERR)?),
        ("wasi:io/streams", "[method]output-stream.check-write") => ok(Some(Val::U64(WRITE_BYTES))),
        ("wasi:io/streams", "[method]output-stream.flush" | "[method]output-stream.blocking-flush") => ok(None),
        ("wasi:io/streams", "[method]output-stream.write" | "[method]output-stream.blocking-write-and-flush") => {
            if let (Some(stream), Some(Val::List(bytes))) = (handles.first(), parameters.get(1)) {
                print(store, *stream, bytes);
            }
            ok(None)
        }
        ("wasi:io/streams", "[method]output-stream.subscribe" | "[method]input-stream.subscribe") => {
            Val::Resource(handle(store, READY)?)
        }
        ("wasi:io/poll", "[method]pollable.ready") => Val::Bool(true),
        // Nothing but streams can be subscribed to, and those are always ready.
        ("wasi:io/poll", "poll") => Val::List((0u32..).take(handles.len()).map(Val::U32).collect()),
        (
            "wasi:io/streams",
            "[method]input-stream.read"
            | "[method]input-stream.blocking-read"
            | "[method]input-stream.skip"
            | "[method]input-stream.blocking-skip",
        ) => Val::Result(Err(Some(Box::new(Val::Variant("closed".into(), None))))),
        ("wasi:clocks/wall-clock", "now") => datetime(now_millis()),
        ("wasi:clocks/wall-clock", "resolution") => datetime(1),
        ("wasi:clocks/monotonic-clock", "now") => Val::U64(passed_millis().saturating_mul(1_000_000)),
        ("wasi:clocks/monotonic-clock", "resolution") => Val::U64(1_000_000),
        ("wasi:random/random", "get-random-bytes") | ("wasi:random/insecure", "get-insecure-random-bytes") => {
            let length = match parameters.first() {
                Some(Val::U64(length)) => *length,
                _ => 0,
            };
            if length > RANDOM_BYTES {
                wasmtime::bail!("it asked for {length} random bytes at once; ask for {RANDOM_BYTES} at most");
            }
            let mut bytes = vec![0; usize::try_from(length)?];
            getrandom::fill(&mut bytes).map_err(|error| wasmtime::format_err!("{error}"))?;
            Val::List(bytes.into_iter().map(Val::U8).collect())
        }
        ("wasi:random/random" | "wasi:random/insecure", _) => Val::U64(random()?),
        ("wasi:random/insecure-seed", _) => Val::Tuple(vec![Val::U64(random()?), Val::U64(random()?)]),
        _ => return Err(refused(function)),
    })
}

fn refused(function: &str) -> wasmtime::Error {
    let cure = if function.starts_with("wasi:io/poll") || function.contains("subscribe") {
        "a provider doesn't wait by itself: answer with the action `wait`"
    } else {
        "a provider has no files, no sockets and no environment"
    };
    wasmtime::format_err!("it called {function}, which does nothing here: {cure}")
}

fn handle(store: &mut StoreContextMut<'_, State>, number: u32) -> wasmtime::Result<ResourceAny> {
    let left = &mut store.data_mut().handles;
    *left = left
        .checked_sub(1)
        .ok_or_else(|| wasmtime::format_err!("it holds too many handles; raise plugins.limits.handles"))?;
    ResourceAny::try_from_resource(Resource::<Handle>::new_own(number), store)
}

/// Writes what the guest prints into its log.
fn print(store: &mut StoreContextMut<'_, State>, stream: u32, bytes: &[Val]) {
    let level = if stream == STDERR { Words::Warn } else { Words::Info };
    let bytes: Vec<u8> =
        bytes.iter().filter_map(|byte| if let Val::U8(byte) = byte { Some(*byte) } else { None }).collect();
    let text = String::from_utf8_lossy(&bytes);
    if !text.trim().is_empty() {
        let state = store.data_mut();
        log::write(&state.plugin, &mut state.log, level, &text);
    }
}

fn ok(value: Option<Val>) -> Val {
    Val::Result(Ok(value.map(Box::new)))
}

fn random() -> wasmtime::Result<u64> {
    getrandom::u64().map_err(|error| wasmtime::format_err!("{error}"))
}

fn datetime(millis: u64) -> Val {
    let nanoseconds = u32::try_from(millis % 1000).unwrap_or_default() * 1_000_000;
    Val::Record(vec![("seconds".into(), Val::U64(millis / 1000)), ("nanoseconds".into(), Val::U32(nanoseconds))])
}

/// Milliseconds since 1970: coarse, so that a guest learns little from it.
fn now_millis() -> u64 {
    #[expect(clippy::disallowed_methods, reason = "a guest's clock is no part of what is served, so nobody injects it")]
    let now = SystemTime::now();
    now.duration_since(UNIX_EPOCH).ok().and_then(|since| u64::try_from(since.as_millis()).ok()).unwrap_or_default()
}

/// Milliseconds that have passed since a moment of no meaning: unlike the wall's clock, this one is never set back.
fn passed_millis() -> u64 {
    static BASE: LazyLock<Instant> = LazyLock::new(Instant::now);
    let passed = Instant::now().saturating_duration_since(*BASE).as_millis();
    // Go's runtime takes zero for a broken clock.
    u64::try_from(passed).unwrap_or(u64::MAX).saturating_add(1)
}
