#!/bin/bash
# Checks what `make dist` made: `check-dist.sh FOLDER`. As root it also starts the program where there is nothing else.
set -eu -o pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
cd "$1"
program=$(echo ./mortise-*-x86_64-linux)
folder=$(mktemp -d)
server=
end() {
    if [ -n "$server" ]; then kill "$server" 2>/dev/null || true; fi
    rm -rf "$folder"
}
trap end EXIT

fail() {
    echo "check-dist: $*" >&2
    exit 1
}

sha256sum --quiet --check SHA256SUMS || fail "the checksums are not those of the files"
file "$program" | grep -q 'static-pie linked.*stripped' || fail "no stripped static-pie: $(file "$program")"
ldd "$program" 2>&1 | grep -q 'statically linked' || fail "it needs libraries: $(ldd "$program")"
# What is in the home: a page's script may well say "/root", and a list of directories "/root/proc".
for word in "$HOME"/* "$HOME"/.[!.]* "$root/" "$(hostname)"; do
    # Names of machines that are also words say nothing of this one.
    case $word in localhost | debian | linux) continue ;; esac
    if [ ${#word} -gt 4 ] && grep -qaF -- "$word" "$program"; then fail "it tells of this machine: $word"; fi
done
python3 - "$program.cdx.json" <<'END' || fail "the bill of materials is not whole"
import json, sys
bill = json.load(open(sys.argv[1]))
names = {part["name"] for part in bill["components"]}
missing = {"wasmtime", "rustls", "tokio", "mortise-plugin-echo", "mortise-plugin-openai", "mortise-sdk",
           "swagger-ui-dist", "redoc"} - names
sys.exit(f"missing: {missing}" if missing else 0)
END
for name in wasmtime swagger-ui-dist redoc; do
    grep -q "^$name [0-9.]*: " THIRD-PARTY-LICENSES || fail "no licence of $name"
done
tar -xzf "$program.tar.gz" -C "$folder"
cmp "$program" "$folder/${program#./}/mortise" || fail "the archive holds another program"

# The server on a port of its own, in the environment that is given, until it answers.
serve() {
    "$@" >"$folder/log" 2>&1 &
    server=$!
    for _ in $(seq 400); do
        if port=$(sed -n 's/.*listening on http:\/\/127\.0\.0\.1:\([0-9]*\).*/\1/p' "$folder/log" | tail -n 1) && [ -n "$port" ]; then break; fi
        kill -0 "$server" 2>/dev/null || break
        sleep 0.05
    done
    curl -sf "http://127.0.0.1:$port/api/v1/chat" -d '{"message": "well", "provider": "echo"}' | grep -q '"response":"well"' ||
        fail "it doesn't answer: $(cat "$folder/log")"
    kill "$server"
    wait "$server" || fail "it doesn't end as it should: $(cat "$folder/log")"
    server=
}

serve env -i HOME="$folder" "$program" serve --port 0
if [ "$(id -u)" = 0 ]; then
    # No files but the program, no user, no home, no environment, so nothing can be kept; a vendor that can't be found is the vendor's trouble alone.
    mkdir "$folder/empty"
    cp "$program" "$folder/empty/mortise"
    chmod 555 "$folder/empty"
    serve env -i OPENAI_API_KEY=none "$(command -v chroot)" --userspec=65532:65532 "$folder/empty" /mortise serve --port 0 --ephemeral
    [ "$(ls -A "$folder/empty")" = mortise ] || fail "it left something behind: $(ls -A "$folder/empty")"
fi
echo "check-dist: all is well: $program, $(stat -c %s "$program") bytes"
