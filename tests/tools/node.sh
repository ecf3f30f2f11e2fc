# Installs what tests/openapi/package.json pins below target/tools, for whoever reads this file, which then has $modules.
# $modules is empty where there is no node, or none that these tools run on. Expects $root.

tools="${CARGO_TARGET_DIR:-$root/target}/tools/node"
modules=
if ! command -v node >/dev/null || ! command -v npm >/dev/null; then
    echo "node: there is no node with npm, so what needs it is left out (debian: apt-get install nodejs npm)" >&2
elif ! node -e 'const [major, minor] = process.versions.node.split("."); process.exit(major > 20 || (major == 20 && minor >= 19) ? 0 : 1)'; then
    echo "node: $(node --version) is too old for these tools, so what needs it is left out; 20.19 would do" >&2
else
    mkdir -p "$tools"
    if ! cmp -s "$root/tests/openapi/package.json" "$tools/.complete"; then
        cp "$root/tests/openapi/package.json" "$tools/package.json"
        (cd "$tools" && npm install --silent --no-audit --no-fund --no-package-lock --ignore-scripts) || exit 1
        cp "$root/tests/openapi/package.json" "$tools/.complete"
    fi
    modules="$tools/node_modules"
fi
