#!/bin/sh
# Puts together what is handed to others: `dist.sh BINARY TARGET` fills TARGET/dist. The same commit gives the same bytes.
set -eu

binary=$1
target=$2
tool=cargo-cyclonedx
tool_version=0.5.9

root=$(cd "$(dirname "$0")/../.." && pwd)
version=$("$binary" --version | cut -d ' ' -f 2)
name="mortise-$version-x86_64-linux"
out="$target/dist"
# What is made bears the time of the commit.
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git -C "$root" log -1 --format=%ct 2>/dev/null || echo 0)}
export SOURCE_DATE_EPOCH

rm -rf "$out"
mkdir -p "$out"
cp "$binary" "$out/$name"

# The bill of materials of the program and of the plugins inside.
if ! "$target/tools/bin/$tool" cyclonedx --version 2>/dev/null | grep -q "$tool_version"; then
    cargo install --locked --root "$target/tools" "$tool" --version "$tool_version"
fi
folder=$(mktemp -d)
trap 'rm -rf "$folder"; find "$root" -name "mortise-bill.json" -not -path "*/target/*" -delete' EXIT
bill() {
    "$target/tools/bin/$tool" cyclonedx --manifest-path "$root/$1" --target "$2" --format json --spec-version 1.5 \
        --no-build-deps --override-filename mortise-bill --quiet
}
bill Cargo.toml x86_64-unknown-linux-gnu
bill plugins/Cargo.toml wasm32-wasip2
python3 "$root/tests/tools/parts.py" "$root" "$out/$name.cdx.json" "$out/THIRD-PARTY-LICENSES"

# The archive: all that belongs to it, in a folder of its own.
mkdir -p "$folder/$name"
cp -R "$root/config" "$root/LICENSE" "$root/README.md" "$root/CHANGELOG.md" "$out/THIRD-PARTY-LICENSES" "$folder/$name"
cp "$out/$name.cdx.json" "$folder/$name/mortise.cdx.json"
install -m 755 "$binary" "$folder/$name/mortise"
chmod -R u=rwX,go=rX "$folder/$name"
tar -C "$folder" --sort=name --owner=0 --group=0 --numeric-owner --mtime="@$SOURCE_DATE_EPOCH" --format=gnu \
    -cf "$folder/$name.tar" "$name"
gzip -9 -n <"$folder/$name.tar" >"$out/$name.tar.gz"

(cd "$out" && sha256sum -- * >"$folder/SHA256SUMS" && mv "$folder/SHA256SUMS" .)
chmod 644 "$out"/*
chmod 755 "$out/$name"
ls -l "$out"
