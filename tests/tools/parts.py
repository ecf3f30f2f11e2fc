#!/usr/bin/env python3
"""Writes down what the program is made of: one bill of materials, and the licences of all that others wrote, scripts included.

cargo-cyclonedx has written a bill for each crate of the server's workspace and of the plugins'; here the server's and those of
the bundled plugins become one, without the paths, the moment and the random number of this build.

Usage: parts.py ROOT BILL LICENCES
"""

import collections
import datetime
import glob
import json
import os
import re
import subprocess
import sys

BILL = "mortise-bill.json"
WORKSPACES = {"Cargo.toml": "x86_64-unknown-linux-gnu", "plugins/Cargo.toml": "wasm32-wasip2"}
ASSETS = "src/api/ops/assets"
# What the pages of the API document load: packages of npm, their licences, and the files that say so.
SCRIPTS = {
    "swagger-ui-dist": ("Apache-2.0", ["swagger-ui.LICENSE", "swagger-ui.NOTICE", "swagger-ui-bundle.js.LICENSE.txt"]),
    "redoc": ("MIT", ["redoc.LICENSE"]),
}
TEXTS = ("licen", "copying", "notice", "unlicense", "copyright")


def scripts(root):
    """Name, version, licence and licences' files of each bundled script, as vendor.sh fetches them."""
    with open(f"{root}/{ASSETS}/vendor.sh") as file:
        text = file.read()
    versions = dict(re.findall(r"^(swagger_ui|redoc)=(\S+)$", text, re.MULTILINE))
    versions["swagger-ui-dist"] = versions.pop("swagger_ui")
    return [(name, versions[name], licence, files) for name, (licence, files) in SCRIPTS.items()]


def bill(root):
    """The server's bill, with the plugins as parts of it."""
    def read(path):
        # What a path says of this machine stands in many values.
        with open(path) as file:
            return json.loads(file.read().replace(f"file://{root}/", "file://./").replace(f"file://{root}#", "file://.#"))

    whole = read(f"{root}/{BILL}")
    server = whole["metadata"]["component"]["bom-ref"]
    parts = {part["bom-ref"]: part for part in whole["components"]}
    needs = {entry["ref"]: set(entry.get("dependsOn", [])) for entry in whole["dependencies"]}
    for path in sorted(glob.glob(f"{root}/plugins/*/{BILL}")):
        plugin = read(path)
        itself = plugin["metadata"]["component"]
        # Targets of a crate are no parts.
        itself.pop("components", None)
        for part in [itself, *plugin["components"]]:
            parts.setdefault(part["bom-ref"], part)
        for entry in plugin["dependencies"]:
            needs.setdefault(entry["ref"], set()).update(entry.get("dependsOn", []))
        needs[server].add(itself["bom-ref"])
    for name, version, licence, _ in scripts(root):
        ref = f"pkg:npm/{name}@{version}"
        parts[ref] = {"type": "library", "bom-ref": ref, "name": name, "version": version, "scope": "required",
                      "licenses": [{"expression": licence}], "purl": ref}
        needs[ref] = set()
        needs[server].add(ref)
    whole.pop("serialNumber", None)
    whole["metadata"]["component"].pop("components", None)
    moment = datetime.datetime.fromtimestamp(int(os.environ["SOURCE_DATE_EPOCH"]), datetime.timezone.utc)
    whole["metadata"]["timestamp"] = moment.strftime("%Y-%m-%dT%H:%M:%SZ")
    whole["components"] = [parts[ref] for ref in sorted(parts)]
    whole["dependencies"] = [{"ref": ref, "dependsOn": sorted(needs[ref])} for ref in sorted(needs)]
    dangling = {ref for refs in needs.values() for ref in refs} - parts.keys() - {server}
    if dangling:
        sys.exit(f"parts: the bill names what it doesn't list: {sorted(dangling)}")
    return whole


def packages(root):
    """All crates of others that are in the program or in a bundled plugin."""
    found = {}
    for manifest, target in WORKSPACES.items():
        command = ["cargo", "metadata", "--locked", "--format-version", "1", "--filter-platform", target,
                   "--manifest-path", f"{root}/{manifest}"]
        metadata = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
        known = {package["id"]: package for package in metadata["packages"]}
        nodes = {node["id"]: node for node in metadata["resolve"]["nodes"]}
        ours = [package for package in metadata["packages"] if package["source"] is None]
        wanted = [package["id"] for package in ours if package["name"] == "mortise" or manifest != "Cargo.toml"]
        seen = set()
        while wanted:
            crate = wanted.pop()
            if crate not in seen:
                seen.add(crate)
                wanted += [other["pkg"] for other in nodes[crate]["deps"]
                           if any(kind["kind"] is None for kind in other["dep_kinds"])]
        found.update({crate: known[crate] for crate in seen if known[crate]["source"] is not None})
    return sorted(found.values(), key=lambda package: (package["name"], package["version"]))


def licences(root):
    """One text: who wrote what under which licence, then every licence's text once, with what it came with."""
    lines = ["Mortise contains these crates and scripts of others.", ""]
    texts = collections.defaultdict(list)
    for package in packages(root):
        name = f"{package['name']} {package['version']}"
        lines.append(f"{name}: {package['license'] or package['license_file']}")
        folder = os.path.dirname(package["manifest_path"])
        for file in sorted(os.listdir(folder)):
            path = os.path.join(folder, file)
            if file.lower().startswith(TEXTS) and os.path.isfile(path):
                with open(path, errors="replace") as text:
                    texts[text.read().strip()].append(name)
    for script, version, licence, files in scripts(root):
        name = f"{script} {version}"
        lines.append(f"{name}: {licence}")
        for file in files:
            with open(f"{root}/{ASSETS}/{file}") as text:
                texts[text.read().strip()].append(name)
    for text, names in sorted(texts.items(), key=lambda entry: entry[1]):
        lines += ["", "=" * 100, ", ".join(names), "=" * 100, "", text]
    return "\n".join(lines) + "\n"


def main():
    root, to_bill, to_licences = sys.argv[1:]
    with open(to_bill, "w") as file:
        json.dump(bill(root), file, indent=1)
        file.write("\n")
    with open(to_licences, "w") as file:
        file.write(licences(root))


if __name__ == "__main__":
    main()
