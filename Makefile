# What a person needs: `make run`, `make test`, `make bench`, `make fmt`.

CONFIG ?= config/demo.yaml

# Plugins are guests, but also built natively: for their unit tests and for clippy.
TARGET := $(or $(CARGO_TARGET_DIR),target)
PLUGINS := --manifest-path plugins/Cargo.toml --target-dir $(TARGET)/plugins --workspace

.PHONY: run test bench fmt check-format check-lints check-licences check-toolchain check-fresh check-metrics python
.NOTPARALLEL:

# Starts the server; `make run CONFIG=my.yaml` with another configuration.
run: check-toolchain
	cargo run -- serve --config $(CONFIG)

# Everything that a change must pass. The main run comes last, so that its summary is what one reads.
test: check-toolchain python check-format check-lints check-licences check-fresh
	cargo test $(PLUGINS)
	cargo test --workspace --doc
	@if cargo nextest --version >/dev/null 2>&1; then \
		echo cargo nextest run --workspace; cargo nextest run --workspace; \
	else \
		echo cargo test --workspace --lib --bins --tests; cargo test --workspace --lib --bins --tests; \
	fi

# What the sandbox costs, then what the server costs beside nginx. A busy machine spoils both: compare ratios of one run.
bench: check-toolchain
	cargo bench --bench exchange
	cargo build --release
	python3 tests/bench/load.py $(TARGET)/release/mortise

fmt:
	cargo fmt --all
	cd plugins && cargo fmt
	cd tests/guests && cargo fmt

check-format:
	cargo fmt --all --check
	cd plugins && cargo fmt --check
	cd tests/guests && cargo fmt --check

check-lints:
	cargo clippy --workspace --all-targets -- -D warnings
	cargo clippy $(PLUGINS) --all-targets -- -D warnings

# Where cargo-deny is installed and its list of advisories can be had; neither is needed to build.
check-licences:
	@if cargo deny --version >/dev/null 2>&1 && cargo deny fetch db >/dev/null 2>&1; then \
		echo cargo deny check; cargo deny check; \
	fi

# Guests are compiled by the build script, so guests can't be compiled without this.
check-toolchain:
	@tests/tools/toolchain.sh

# An edit in src/ must not run the build script again: it would rebuild every guest.
check-fresh:
	@tests/tools/fresh.sh

# What promtool says of /metrics; needs the Debian package prometheus. The tests' own checks need nothing.
check-metrics:
	cargo build
	@tests/tools/metrics.sh $(TARGET)/debug/mortise

python:
	@tests/tools/python.sh
