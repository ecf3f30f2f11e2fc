#!/bin/sh
# Asks the server what its API document allows, and much that it doesn't, and has the document linted.
# EXAMPLES bounds how many requests are tried for each operation; SEED chooses them.
set -eu

root=$(cd "$(dirname "$0")/../.." && pwd)
cd "$root"
pins=tests/openapi/requirements.txt
venv="${CARGO_TARGET_DIR:-$root/target}/tools/openapi"

if [ ! -e "$venv/.complete" ] || [ "$pins" -nt "$venv/.complete" ]; then
    rm -rf "$venv"
    mkdir -p "$(dirname "$venv")"
    python3 -m venv "$venv"
    "$venv/bin/python" -m pip install -q --disable-pip-version-check -r "$pins" >&2
    touch "$venv/.complete"
fi

. tests/tools/serve.sh
. tests/tools/node.sh

# It leaves folders where it runs. A socket is no matter of requests and answers.
cd "$venv"
check() {
    SCHEMATHESIS_HOOKS="$root/tests/openapi/hooks.py" "$venv/bin/schemathesis" run "$base/openapi.json" \
        --exclude-operation-id openTaskSocket --max-examples "${EXAMPLES:-25}" --seed "${SEED:-1}" --no-color \
        --checks all --exclude-checks "$@"
}
# Everything, by an administrator who doesn't delete their own account; then what is open to whoever shows nothing true.
check positive_data_acceptance,ignored_auth --header "Authorization: Bearer $key" --exclude-operation-id deleteMe
check positive_data_acceptance
cd "$root"

if grep -E ' (WARN|ERROR) .*(panicked|internal error)' "$log"; then
    echo "openapi: the server failed on the way; see above" >&2
    exit 1
fi

if [ -n "$modules" ]; then
    document=$(mktemp --suffix=.json)
    "$binary" openapi >"$document"
    lint=0
    "$modules/.bin/redocly" lint --config tests/openapi/redocly.yaml --max-problems 20 "$document" || lint=$?
    rm -f "$document"
    exit "$lint"
fi
