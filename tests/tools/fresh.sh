#!/bin/sh
# Proves that an edit in src/ does not run the host's build script, which would build every guest again.
# Run it after `cargo clippy --workspace --all-targets`: it asks for the same once more, with one file touched.
set -u

cd "$(dirname "$0")/../.." || exit 1
before=$(mktemp)
touch -r src/lib.rs "$before"
touch src/lib.rs
answer=$(cargo clippy --workspace --all-targets --verbose 2>&1)
status=$?
# The old time again: the next build has nothing to do for this.
touch -r "$before" src/lib.rs
rm -f "$before"

if [ "$status" != 0 ]; then
    echo "$answer" >&2
    exit "$status"
fi
if echo "$answer" | grep -q 'Running .*/mortise-[0-9a-f]*/build-script-build'; then
    echo "fresh: an edit of src/lib.rs runs build.rs again; look at its rerun-if-changed lines" >&2
    exit 1
fi
if ! echo "$answer" | grep -q 'Dirty mortise v'; then
    echo "fresh: cargo did not notice the edit of src/lib.rs, so this proves nothing" >&2
    exit 1
fi
