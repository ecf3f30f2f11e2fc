# Starts the server on a free port for whoever reads this file, which then has $base, and ends it with the reader.
# Expects $root; $log is where the server logs, $key is an administrator's.

binary="${CARGO_TARGET_DIR:-$root/target}/debug/mortise"
if [ ! -x "$binary" ]; then
    echo "serve: there is no $binary; run cargo build" >&2
    exit 1
fi
log=$(mktemp)
data=$(mktemp -d)
# Nothing that is set here for another server disturbs this one, and nothing that another keeps.
mortise() { env -i HOME="$HOME" PATH="$PATH" MORTISE_STORE__PATH="$data" "$binary" "$@" --config "$root/tests/openapi/server.yaml"; }
mortise users create admin@example.com --admin >/dev/null
key=$(mortise tokens create check --user admin@example.com --scope read --scope write --scope account --scope admin | grep -o '\(md_\|token-\)[A-Za-z0-9_-]*')
env -i HOME="$HOME" PATH="$PATH" MORTISE_STORE__PATH="$data" "$binary" serve --config "$root/tests/openapi/server.yaml" \
    --host 127.0.0.1 --port 0 >"$log" 2>&1 &
server=$!
trap 'kill "$server" 2>/dev/null; wait "$server" 2>/dev/null; rm -rf "$log" "$data"' EXIT
trap 'exit 1' INT TERM

# The first start compiles plugins, which takes its time.
waited=0
base=
while [ -z "$base" ]; do
    if ! kill -0 "$server" 2>/dev/null || [ "$waited" -ge 600 ]; then
        echo "serve: the server does not start" >&2
        cat "$log" >&2
        exit 1
    fi
    sleep 0.1
    waited=$((waited + 1))
    base=$(sed -n 's|.*listening on \(http://[0-9.]*:[0-9]*\).*|\1|p' "$log" | head -n 1)
done
