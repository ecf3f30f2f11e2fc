#!/bin/sh
# Proves that an edit in src/ does not run the host's build script, which would build every guest again.
# Run it after `make check-lints`: it asks for the same once more, with one small file touched.
set -u

cd "$(dirname "$0")/../.." || exit 1
touch src/main.rs
if ! answer=$(cargo clippy --workspace --all-targets --verbose -- -D warnings 2>&1); then
    echo "$answer" >&2
    exit 1
fi
if echo "$answer" | grep -q 'Running .*/mortise-[0-9a-f]*/build-script-build'; then
    echo "fresh: an edit of src/main.rs runs build.rs again; look at its rerun-if-changed lines" >&2
    exit 1
fi
if ! echo "$answer" | grep -q 'Dirty mortise v'; then
    echo "fresh: cargo did not notice the edit of src/main.rs, so this proves nothing" >&2
    exit 1
fi
