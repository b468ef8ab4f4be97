# `make demo` and `make test` need Rust, Python 3.10 or later, and the package
# registries; everything else they install into .venv and .venv-locust.

PYTHON ?= python3
export PYTHON

LOCUST := locust==2.47.0
ACRIDA_VENV := .venv
LOCUST_VENV := .venv-locust
PEERS_VENV := .venv-peers

.PHONY: help demo test build bench check-format lint test-rust test-benches docs test-python test-browser venv locust peers fmt deny clean
.NOTPARALLEL:

help: ## Show this text
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /|/' | column -t -s '|'

demo: ## The guide's first scenario against the real classifier
	@scripts/demo.sh

test: check-format lint test-rust test-benches docs test-python test-browser ## Everything that has to hold

build: ## Release builds of every binary
	cargo build --release --locked --workspace --bins

bench: venv locust peers ## Measure against Locust and the usual Python stack, and write bench/RESULTS.md
	cargo build --release --locked --package bench-target --package bench-classifier --package classifier-service
	$(PYTHON) bench/run.py --acrida $(ACRIDA_VENV)/bin/acrida --locust $(LOCUST_VENV)/bin/locust --peers $(PEERS_VENV)/bin/python

check-format:
	cargo fmt --all --check

lint:
	cargo clippy --locked --workspace --all-targets -- -D warnings

test-rust: ## Rust tests, the rules of the architecture among them
	scripts/with_postgres.sh cargo test --locked --workspace

test-benches: ## Every Rust benchmark, once
	cargo test --locked --workspace --bench '*'

docs: ## The Rust documentation, without a warning
	RUSTDOCFLAGS='-D warnings' cargo doc --locked --workspace --no-deps

test-python: venv locust ## The command as users have it, beside real Locust
	cargo build --locked --workspace --all-targets
	$(ACRIDA_VENV)/bin/python -m pytest --acrida=$(ACRIDA_VENV)/bin/acrida --locust=$(LOCUST_VENV)/bin/locust \
		--binaries=$${CARGO_TARGET_DIR:-target}/debug $(PYTEST_ARGS)

test-browser: venv ## The web page: its types, and in headless Chromium
	cargo build --locked --package classifier-service
	ACRIDA=$(CURDIR)/$(ACRIDA_VENV)/bin/acrida \
		CLASSIFIER=$(abspath $(or $(CARGO_TARGET_DIR),target))/debug/classifier scripts/browser.sh

venv: ## acrida, and what its tests need, in .venv
	scripts/venv.sh $(ACRIDA_VENV) . -r tests/requirements.txt

locust: ## Real Locust, the oracle and the peer, in .venv-locust
	scripts/venv.sh $(LOCUST_VENV) $(LOCUST)

peers: ## The usual Python stack, the classifier's peer, in .venv-peers
	scripts/venv.sh $(PEERS_VENV) -r bench/peers/requirements.txt

fmt: ## Format the Rust sources
	cargo fmt --all

deny: ## Licences, sources and versions of dependencies (needs cargo-deny)
	cargo deny --workspace --all-features check bans licenses sources

clean: ## Remove what was built and installed
	cargo clean
	rm -rf $(ACRIDA_VENV) $(LOCUST_VENV) $(PEERS_VENV) .venv-s3 bench/out
