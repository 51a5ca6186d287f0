# `make` lists what there is. Every target sets up what it needs, with locked versions.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

export CARGO_TARGET_DIR ?= $(CURDIR)/target
export HANDFAST_VECTORS ?= $(abspath $(CURDIR)/../shared/vectors)
PYTHON := $(CURDIR)/.venv/bin/python
PROVISIONER := examples/provisioner/Cargo.toml
EMISSARY := examples/emissary/Cargo.toml
API_FUZZER := $(CARGO_TARGET_DIR)/api-fuzzer

.PHONY: help
help: ## this list
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

# --- set-up ---------------------------------------------------------------------------------------------------------

.PHONY: need-rust need-rust-of-the-host need-python need-node
need-rust:
	@scripts/need.sh cargo Rust 1.89
	@scripts/need.sh cc 'a C compiler'
need-rust-of-the-host: need-rust
	@scripts/need.sh cargo 'Rust, for the host' 1.94
need-python: need-rust
	@scripts/need.sh python3 Python 3.11
need-node: need-rust
	@scripts/need.sh node Node.js 20.9
	@scripts/need.sh npm 'the package manager of Node.js'

.venv/installed: bindings-python/requirements-dev.txt core/vectors/requirements.txt | need-python
	python3 -m venv .venv
	$(PYTHON) -m pip install --quiet --disable-pip-version-check -r bindings-python/requirements-dev.txt -r core/vectors/requirements.txt
	touch $@

bindings-node/node_modules/.package-lock.json: bindings-node/package-lock.json | need-node
	cd bindings-node && npm ci --no-audit --no-fund --loglevel=error

examples/fastify/node_modules/.package-lock.json: examples/fastify/package-lock.json | need-node
	cd examples/fastify && npm ci --no-audit --no-fund --loglevel=error

.PHONY: python node
python: .venv/installed ## build the Python binding into .venv
	cd bindings-python && ../.venv/bin/maturin develop --locked --quiet
node: bindings-node/node_modules/.package-lock.json ## build the Node binding
	cd bindings-node && npm run --silent build

# --- run ------------------------------------------------------------------------------------------------------------

.PHONY: demo serve
demo: need-rust-of-the-host ## an EC2 instance starts, gets its kubeconfig, and is cleaned up
	cargo build --locked --quiet --manifest-path $(PROVISIONER) --bin provisioner --example demo
	cargo run --locked --quiet --manifest-path $(PROVISIONER) --example demo
serve: need-rust-of-the-host ## the provisioner with a development configuration
	cargo run --locked --quiet --manifest-path $(PROVISIONER) --bin provisioner -- serve --config examples/provisioner/development/provisioner.toml

# --- test -----------------------------------------------------------------------------------------------------------

.PHONY: test test-rust test-python test-node test-provisioner test-emissary test-readme
test: test-rust test-python test-node test-provisioner test-emissary test-readme ## everything that can be tested on this machine

test-rust: need-rust ## the core on both backends, verify-sns, the fuzz corpora
	cargo test --locked --quiet --workspace --exclude handfast-python --exclude handfast-node --features handfast/rust-crypto,handfast/schema,handfast/testing
	HANDFAST_WORLDS=12 cargo test --locked --quiet -p handfast --no-default-features --features rust-crypto,testing

test-python: python ## the Python binding and its examples
	cargo build --locked --quiet -p verify-sns
	cd bindings-python && VERIFY_SNS=$(CARGO_TARGET_DIR)/debug/verify-sns $(PYTHON) -m pytest -q

test-node: node python examples/fastify/node_modules/.package-lock.json ## the Node binding and its examples
	cd bindings-node && npm test --silent
	cd examples/verify-sns/node && node --test
	cd examples/fastify && npm test --silent

test-provisioner: need-rust-of-the-host ## the host, over HTTP, and killed
	cargo test --locked --quiet --manifest-path $(PROVISIONER)

test-emissary: need-rust-of-the-host ## the emissary, on files and the environment
	cargo test --locked --quiet --manifest-path $(EMISSARY)

.PHONY: peers
peers: need-python need-node ## install what some tests want: PostgreSQL, an API fuzzer, the programs of others
	scripts/peers.sh install
	python3 -m venv $(API_FUZZER)
	$(API_FUZZER)/bin/pip install --quiet --disable-pip-version-check -r examples/provisioner/tests/api-requirements.txt

.PHONY: peers-test peers-heavy
peers-test: need-rust-of-the-host ## the programs of others read what handfast writes, and the other way round
	scripts/peers.sh test
peers-heavy: need-rust-of-the-host ## the same for those that take minutes to build: choria, SPIRE, Kubernetes
	scripts/peers.sh heavy

.PHONY: proof
proof: need-rust-of-the-host python node ## the big proofs, at full size: at most 20 minutes on two cores
	scripts/proof.sh

.PHONY: test-emissary-aws test-kubernetes test-spire test-ec2 test-rego
test-rego: need-rust need-python ## rules in Rego, against another engine too; builds the engine, which takes minutes
	cargo test --locked --quiet -p handfast --features rego --test rules_rego
	cargo test --locked --quiet -p handfast --features rego --doc rules
	python3 -m venv $(CARGO_TARGET_DIR)/rego
	$(CARGO_TARGET_DIR)/rego/bin/pip install --quiet --disable-pip-version-check regopy==1.5.2
	$(CARGO_TARGET_DIR)/rego/bin/python core/vectors/check_rules.py
test-kubernetes: need-rust-of-the-host ## the host against a real API server (KUBERNETES_BINARIES: the folder of etcd and kube-apiserver)
	cargo test --locked --quiet --manifest-path $(PROVISIONER) --features kubernetes --bin provisioner kubernetes
	cargo test --locked --quiet --manifest-path $(PROVISIONER) --features kubernetes --test kubernetes
test-spire: need-rust-of-the-host ## the host against a real SPIRE server and agents (SPIRE_BINARIES: their folder)
	cargo test --locked --quiet --manifest-path $(PROVISIONER) --features spire --bin provisioner spire
	cargo test --locked --quiet --manifest-path $(PROVISIONER) --features spire --test spire
test-ec2: need-rust-of-the-host need-python ## the host against moto; builds the AWS SDK, which takes minutes
	python3 -m venv $(CARGO_TARGET_DIR)/moto
	$(CARGO_TARGET_DIR)/moto/bin/pip install --quiet --disable-pip-version-check -r examples/provisioner/tests/ec2-requirements.txt
	MOTO_BIN=$(CARGO_TARGET_DIR)/moto/bin cargo test --locked --quiet --manifest-path $(PROVISIONER) --features ec2 --test ec2

test-emissary-aws: need-rust-of-the-host need-python ## the emissary against moto; builds the AWS SDK, which takes minutes
	python3 -m venv $(CARGO_TARGET_DIR)/moto-secretsmanager
	$(CARGO_TARGET_DIR)/moto-secretsmanager/bin/pip install --quiet --disable-pip-version-check -r examples/emissary/tests/aws-requirements.txt
	MOTO_BIN=$(CARGO_TARGET_DIR)/moto-secretsmanager/bin cargo test --locked --quiet --manifest-path $(EMISSARY) --features aws --test awssm

test-readme: python node ## the README's examples
	$(PYTHON) scripts/readme.py

# --- check ----------------------------------------------------------------------------------------------------------

.PHONY: check
check: need-rust python node ## format, lints, docs, licences, purity, generated files
	cargo fmt --all --check
	cargo clippy --locked --quiet --workspace --all-targets --features handfast/rust-crypto,handfast/schema,handfast/testing -- -D warnings
	cargo clippy --locked --quiet -p handfast --no-default-features --features rust-crypto,testing --all-targets -- -D warnings
	cargo fmt --check --manifest-path $(PROVISIONER)
	cargo clippy --locked --quiet --manifest-path $(PROVISIONER) --all-targets -- -D warnings
	cargo fmt --check --manifest-path $(EMISSARY)
	cargo clippy --locked --quiet --manifest-path $(EMISSARY) --all-targets -- -D warnings
	cargo clippy --locked --quiet --manifest-path $(PROVISIONER) --all-targets --features kubernetes,spire -- -D warnings
	RUSTDOCFLAGS='-D warnings' cargo doc --locked --quiet --no-deps -p handfast --features rust-crypto,schema
	if command -v cargo-deny > /dev/null; then cargo deny --locked check bans licenses sources; else echo 'SKIPPED: cargo deny (cargo install --locked cargo-deny)'; fi
	if rustup target list --installed 2> /dev/null | grep -qx wasm32-unknown-unknown; then cargo check --locked --quiet -p handfast --no-default-features --features rust-crypto --target wasm32-unknown-unknown; else echo 'SKIPPED: the wasm build (rustup target add wasm32-unknown-unknown)'; fi
	$(PYTHON) core/vectors/generate.py check
	$(PYTHON) core/vectors/generate_jose.py check
	$(PYTHON) core/vectors/generate_choria.py check
	$(PYTHON) core/vectors/generate_serviceradar.py check
	$(PYTHON) core/vectors/generate_spire.py check
	$(PYTHON) core/vectors/generate_inspect.py check
	$(PYTHON) core/vectors/generate_identity.py check
	cd bindings-python && $(PYTHON) generate.py --check && $(PYTHON) -m mypy && $(PYTHON) -m mypy.stubtest handfast._native --ignore-disjoint-bases
	cd bindings-node && npm run --silent check

# --- measure --------------------------------------------------------------------------------------------------------

.PHONY: bench
bench: .venv/installed node ## what it costs, as ratios in one run
	cargo bench --locked -p handfast-benches
	cargo build --locked --quiet --release -p handfast-benches --example sns_turns
	cd bindings-python && ../.venv/bin/maturin develop --release --locked --quiet
	$(PYTHON) -m pip install --quiet --disable-pip-version-check --no-deps -r benches/python/requirements.txt || echo 'SKIPPED: the Python peers'
	$(PYTHON) benches/python/sns.py --rust $(CARGO_TARGET_DIR)/release/examples/sns_turns
	cd benches/node && { npm ci --no-audit --no-fund --loglevel=error || echo 'SKIPPED: the Node peers'; } && node sns.mjs --rust $(CARGO_TARGET_DIR)/release/examples/sns_turns
