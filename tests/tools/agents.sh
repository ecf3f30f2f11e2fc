#!/bin/sh
# Lets coding agents' own clients do a turn with a tool against the server: `agents.sh PROGRAM`. Installs them once, below
# target/tools, at the versions of tests/agents/package.json; where they can't be had, says so and passes.
set -eu

root=$(cd "$(dirname "$0")/../.." && pwd)
tools="${CARGO_TARGET_DIR:-$root/target}/tools/agents"
pins="$root/tests/agents/package.json"
"$root/tests/tools/javascript.sh"

mkdir -p "$tools"
if ! cmp -s "$pins" "$tools/.complete"; then
    cp "$pins" "$tools/package.json"
    # Nothing that they bring is run before the check.
    if ! (cd "$tools" && "$root/.venv/bin/npm" install --silent --no-audit --no-fund --no-package-lock --ignore-scripts); then
        echo "agents: the clients can't be installed, so they are left out" >&2
        exit 0
    fi
    cp "$pins" "$tools/.complete"
fi
# Both bring a program for each kind of machine.
claude=$(find "$tools/node_modules/@anthropic-ai" -type f -name claude -size +1M | head -n 1)
codex=$(find "$tools/node_modules/@openai" -type f -path '*/bin/codex' -size +1M | head -n 1)
if [ -z "$claude" ] || [ -z "$codex" ]; then
    echo "agents: the clients have no program for this machine, so they are left out" >&2
    exit 0
fi
exec "$root/.venv/bin/python" "$root/tests/agents/agents.py" "$1" "$claude" "$codex"
