#!/bin/sh
# Loads the pages of the API document in a real browser, and sends requests from them. SHOTS is where pictures go.
set -eu

root=$(cd "$(dirname "$0")/../.." && pwd)
cd "$root"
. tests/tools/node.sh
if [ -z "$modules" ]; then exit 0; fi
browser=${CHROMIUM:-$(command -v chromium || command -v chromium-browser || command -v google-chrome || true)}
if [ -z "$browser" ]; then
    echo "docs: there is no chromium, so the pages are not looked at (debian: apt-get install chromium)" >&2
    exit 0
fi
. tests/tools/serve.sh

shots=${SHOTS:-${CARGO_TARGET_DIR:-$root/target}/tools/shots}
mkdir -p "$shots"
MODULES="$modules" node tests/browser/docs.mjs "$base" "$browser" "$shots"
