#!/bin/sh
# Makes .venv with what tests/sdk/requirements.txt pins: official client libraries that are run against the server.
# Does nothing while .venv is newer than that file.
set -u

root=$(cd "$(dirname "$0")/../.." && pwd)
pins="$root/tests/sdk/requirements.txt"
venv="$root/.venv"
stamp="$venv/.complete"

say() {
    echo "python: $*" >&2
}

make_venv() {
    rm -rf "$venv"
    python3 -m venv "$venv" >/dev/null 2>&1
}

fetch() {
    "$venv/bin/python" -m pip install -q --disable-pip-version-check -r "$pins" >&2
}

if [ -x "$venv/bin/python" ] && [ -e "$stamp" ] && [ ! "$pins" -nt "$stamp" ]; then exit 0; fi

# Debian splits venv from python3; without it `python3 -m venv` fails.
if ! make_venv && command -v apt-get >/dev/null && [ "$(id -u)" = 0 ]; then
    say "installing python3-venv"
    export DEBIAN_FRONTEND=noninteractive
    apt-get install -y -q python3-venv >&2 || { apt-get update -q >&2 && apt-get install -y -q python3-venv >&2; }
    make_venv
fi
if [ ! -x "$venv/bin/python" ]; then
    say "can't make a virtual environment; install python 3 with its venv module (debian: apt-get install python3-venv)"
    exit 1
fi
if ! fetch && ! fetch; then
    say "pip could not install $pins; see its messages above"
    exit 1
fi
touch "$stamp"
