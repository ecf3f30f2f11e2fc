#!/bin/sh
# Has promtool judge what the server exposes after some traffic; Debian has it in the package `prometheus`.
set -u

cd "$(dirname "$0")/../.." || exit 1
command -v promtool >/dev/null || { echo "metrics: no promtool; install prometheus" >&2; exit 1; }
home=$(mktemp -d) || exit 1
server=
trap 'test -n "$server" && kill "$server"; rm -rf "$home"' EXIT
# Nothing that is set here for another server disturbs this one.
env -i HOME="$home" PATH="$PATH" "$1" serve --port 0 2>"$home/log" &
server=$!
url=
for _ in $(seq 300); do
    url=$(sed -n 's|.*listening on \(http://[0-9.:]*\).*|\1|p' "$home/log")
    test -n "$url" && break
    sleep 0.1
done
test -n "$url" || { cat "$home/log" >&2; exit 1; }
ask() { curl -s -o "$home/answer" "$@"; }
for stream in true false; do
    ask "$url/v1/chat/completions" -d '{"model":"echo","stream":'$stream',"messages":[{"role":"user","content":"hi"}]}'
done
ask "$url/nowhere"
ask -X BREW "$url/health"
curl -sf "$url/metrics" >"$home/metrics" || exit 1
grep -q '^mortise_first_token_seconds_count{provider="echo"} 1$' "$home/metrics" || { cat "$home/metrics" >&2; exit 1; }
promtool check metrics <"$home/metrics"
