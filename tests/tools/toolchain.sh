#!/bin/sh
# Makes sure that guests can be compiled here: with rustup's wasm32-wasip2, else with Debian's packages.
# The same two ways, in the same order, as sdk/build/src/toolchain.rs. Costs one call of rustc when all is there.
set -u

packages="rustc-web cargo-web rust-web-src wasi-libc"

native() {
    library=$(rustc --print target-libdir --target wasm32-wasip2 2>/dev/null) && [ -d "$library" ]
}

debian() {
    [ -x /usr/bin/rustc ] && [ -x /usr/bin/cargo ] && [ -e /usr/lib/wasm32-wasi/libc.a ] &&
        [ -d /usr/lib/rustlib/src/rust/library/std ]
}

say() {
    echo "toolchain: $*" >&2
}

# A download that hangs must not hang the build.
limited() {
    if command -v timeout >/dev/null; then timeout 300 "$@"; else "$@"; fi
}

install() {
    # shellcheck disable=SC2086
    DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends $packages >&2
}

if ! command -v cargo >/dev/null; then
    say "cargo is not on the PATH; install rust from https://rustup.rs"
    exit 1
fi
if native || debian; then exit 0; fi

if ! command -v rustup >/dev/null; then
    why="rustup is not installed"
elif answer=$(limited rustup target add wasm32-wasip2 2>&1) && native; then
    exit 0
else
    why="rustup could not add wasm32-wasip2: $(echo "$answer" | tail -n 1)"
fi
say "$why"

if ! command -v apt-get >/dev/null; then
    say "there is no apt-get to install debian's compiler with"
elif [ "$(id -u)" != 0 ]; then
    say "debian's compiler can't be installed without root"
else
    say "installing debian's compiler: $packages"
    # The lists may be absent or old, and a download may stop half-way.
    install || { apt-get update -q >&2 && install; } || install
    if debian; then exit 0; fi
    say "debian's compiler could not be installed"
fi

say "guests can't be compiled here; do one of:"
say "  rustup target add wasm32-wasip2"
say "  apt-get install --no-install-recommends $packages"
exit 1
