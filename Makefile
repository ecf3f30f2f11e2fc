# What a person needs: `make run`, `make test`, `make bench`, `make dist`, `make fmt`.

CONFIG ?= config/demo.yaml

# Plugins are guests, but also built natively: for their unit tests and for clippy.
TARGET := $(or $(CARGO_TARGET_DIR),target)
PLUGINS := --manifest-path plugins/Cargo.toml --target-dir $(TARGET)/plugins --workspace

.PHONY: run test bench bench-start attacks rolling durability static dist check-dist fmt check-format check-lints check-licences check-toolchain \
	check-fresh check-attacks check-durability check-openapi check-docs check-metrics python node check-agents
.NOTPARALLEL:

# Starts the server; `make run CONFIG=my.yaml` with another configuration.
run: check-toolchain
	cargo run -- serve --config $(CONFIG)

# Everything that a change must pass. The main run comes last, so that its summary is what one reads.
test: check-toolchain python node check-format check-lints check-licences check-fresh check-attacks check-durability
	cargo test $(PLUGINS)
	cargo test --workspace --doc
	@if cargo nextest --version >/dev/null 2>&1; then \
		echo cargo nextest run --workspace; cargo nextest run --workspace; \
	else \
		echo cargo test --workspace --lib --bins --tests; cargo test --workspace --lib --bins --tests; \
	fi

# What the sandbox costs, then what the server costs beside nginx, then many streams and many runs at once. A busy machine spoils
# all of it: compare ratios of one run.
bench: check-toolchain
	cargo bench --bench exchange
	cargo bench --bench tool
	cargo build --release
	python3 tests/bench/load.py $(TARGET)/release/mortise
	python3 tests/bench/streams.py $(TARGET)/release/mortise
	python3 tests/bench/streams.py $(TARGET)/release/mortise --http2
	python3 tests/bench/runs.py $(TARGET)/release/mortise
	python3 tests/bench/translation.py $(TARGET)/release/mortise
	python3 tests/bench/logins.py $(TARGET)/release/mortise --most 1.5
	cargo bench --bench sessions
	cargo bench --bench store

# How long a start takes, and what an idle server holds; fails over the limits of tests/bench/start.py.
bench-start: static
	python3 tests/bench/start.py $(STATIC)

# Attacks on loopback, bounded, while an innocent caller asks on: fails if one is felt. The short form is part of `make test`.
CERTIFICATE := $(TARGET)/attacks/cert.pem
attacks: static $(CERTIFICATE)
	python3 tests/attacks/attacks.py $(STATIC) --cert $(CERTIFICATE) --key $(TARGET)/attacks/key.pem

# The server killed at random moments, its disk full, its file damaged: fails if anything is lost that was acknowledged or shown.
# The short form is part of `make test`.
durability: static
	python3 tests/durability/durability.py $(STATIC)
	python3 tests/durability/runs.py $(STATIC)

# A certificate and whole processes replaced under load: fails if a request does.
rolling: static
	python3 tests/rolling/rolling.py $(STATIC)

# Built as the tests are, of which the program is one: alone it would be compiled with other features, and all below it too.
check-attacks: check-toolchain
	cargo build --workspace --tests
	python3 tests/attacks/attacks.py $(TARGET)/debug/mortise --short --cache $(TARGET)/tmp/plugin-cache

check-durability: check-toolchain
	cargo build --workspace --tests
	python3 tests/durability/durability.py $(TARGET)/debug/mortise --short --cache $(TARGET)/tmp/plugin-cache
	python3 tests/durability/runs.py $(TARGET)/debug/mortise --short --cache $(TARGET)/tmp/plugin-cache

$(CERTIFICATE):
	@mkdir -p $(TARGET)/attacks
	@openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 -subj /CN=localhost \
		-addext subjectAltName=DNS:localhost,IP:127.0.0.1 -keyout $(TARGET)/attacks/key.pem -out $@ 2>/dev/null

# The program as one file that needs nothing of the system it runs on. Naming the target keeps its flags off build scripts and
# procedural macros, which are loaded into the compiler and can't be static. Chance comes from the system call: a static program
# can't ask whether there is one, and would read /dev/urandom instead. No path of this machine gets into it.
STATIC_TARGET := x86_64-unknown-linux-gnu
STATIC := $(TARGET)/$(STATIC_TARGET)/static/mortise
CARGO_PATH := $(or $(CARGO_HOME),$(HOME)/.cargo)
RUSTUP_PATH := $(or $(RUSTUP_HOME),$(HOME)/.rustup)
static: check-toolchain
	CFLAGS="-ffile-prefix-map=$(CARGO_PATH)=/cargo -ffile-prefix-map=$(CURDIR)=." \
	RUSTFLAGS="-C target-feature=+crt-static --cfg getrandom_backend=\"linux_getrandom\" --remap-path-prefix=$(RUSTUP_PATH)=/rustup \
	--remap-path-prefix=$(CARGO_PATH)=/cargo --remap-path-prefix=$(CURDIR)=." \
	cargo build --locked --profile static --target $(STATIC_TARGET) --target-dir $(TARGET) --bin mortise

# What is handed to others, in target/dist: the program, an archive with all that belongs to it, its parts, its checksums.
dist: static
	tests/tools/dist.sh $(STATIC) $(TARGET)

# Whether what lies in target/dist is what it should be; as root, also whether it starts where there is nothing else.
check-dist:
	tests/tools/check-dist.sh $(TARGET)/dist

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

# Whether the server keeps to its API document: schemathesis, and Redocly's linter where there is node. Fetches both once.
check-openapi: check-toolchain
	cargo build --workspace --tests
	@tests/tools/openapi.sh

# Whether the pages of the API document work in a real browser, where there is node and chromium.
check-docs: check-toolchain
	cargo build --workspace --tests
	@tests/tools/docs.sh

# What promtool says of /metrics; needs the Debian package prometheus. The tests' own checks need nothing.
check-metrics: check-toolchain
	cargo build --workspace --tests
	@tests/tools/metrics.sh $(TARGET)/debug/mortise

# Whether the coding agents' own clients do a turn with a tool by way of every provider; fetches them once, 760 MB.
check-agents: check-toolchain node
	cargo build --workspace --tests
	@tests/tools/agents.sh $(TARGET)/debug/mortise

python:
	@tests/tools/python.sh

# After python: node comes from there.
node: python
	@tests/tools/javascript.sh
