# Every target is something a person could type. `make help` lists them.
PYTHON ?= python3
DEBIAN_PYTHON := $(or $(wildcard /usr/bin/python3),$(PYTHON))
VENV   := .venv
FLOORS := .venv-floors
BIN    := $(VENV)/bin
# What setuptools says of a form that Debian 12's still needs is nobody's business unless
# something fails.
LOGGED := >build/pip.log 2>&1 || { cat build/pip.log >&2; exit 1; }
export PIP_DISABLE_PIP_VERSION_CHECK = 1
export PYTHONPATH = tests

.DEFAULT_GOAL := help
.PHONY: help setup fmt check test verify bench bench-fingerprints bench-hostile bench-list bench-policy demo run deb docs clean

help: ## this list
	@awk -F':.*## ' '/^[a-z-]+:.*## / { printf "  make %-18s %s\n", $$1, $$2 }' Makefile

setup: build/provisioned $(VENV)/ready ## what is missing on this machine, and the virtual environment

ON_FLOORS := tests/model tests/message tests/policy tests/store tests/signing \
	tests/config tests/evidence tests/log tests/metrics tests/notify tests/daemon/test_holds.py

build/provisioned: tests/lab/provision
	tests/lab/provision
	@mkdir -p build && touch $@

$(VENV)/ready: pyproject.toml | build/provisioned
	$(PYTHON) -m venv $(VENV)
	@mkdir -p build
	@echo "the virtual environment: $(VENV)"
	@{ $(BIN)/pip install --upgrade pip && $(BIN)/pip install --editable '.[dev,embedded]'; } $(LOGGED)
	@touch $@

# What Debian 12 has: its own Python where this is Debian, and its versions of libraries,
# the oldest that Outgate supports.
$(FLOORS)/ready: pyproject.toml tests/floors.txt | build/provisioned
	$(DEBIAN_PYTHON) -m venv $(FLOORS)
	@mkdir -p build
	@echo "the oldest libraries: $(FLOORS)"
	@$(FLOORS)/bin/pip install --constraint tests/floors.txt --editable '.[embedded]' pytest pytest-timeout hypothesis 'dkimpy[ed25519]' $(LOGGED)
	@touch $@

fmt: setup ## format, and mend what can be mended
	$(BIN)/ruff format milter tests
	$(BIN)/ruff check --fix --quiet milter tests || true

check: setup ## format, lint, types, rooms, generated pages (no tests)
	$(BIN)/ruff format --check --quiet milter tests
	$(BIN)/ruff check --quiet milter tests
	$(BIN)/mypy
	$(BIN)/lint-imports --cache-dir build/import-linter
	$(BIN)/python -m pages --check

test: setup $(FLOORS)/ready ## all tests, then the store's on the oldest libraries
	$(BIN)/pytest -m "not slow"
	$(FLOORS)/bin/pytest -m "not slow" $(ON_FLOORS)

verify: setup ## the long runs: before a release, by hand
	$(BIN)/pytest -m slow -s

bench: setup ## the daemon's cost per message beside a null milter
	$(BIN)/python -m bench

bench-fingerprints: setup ## which mail is taken for copies of one, and what it costs to find out
	$(BIN)/python -m bench.fingerprints

bench-hostile: setup ## what a message costs that was made to be costly
	$(BIN)/python -m bench.hostile

bench-list: setup ## a message to a thousand readers of a registered list
	$(BIN)/python -m bench.thousand

bench-evidence: setup ## a million rows of evidence: judged, and imported
	$(BIN)/python -m bench.evidence

bench-policy: setup ## simulated days: what the shipped limits stop, and should not have
	$(BIN)/python -m scenarios

demo: setup ## a story of real messages through a real Postfix; KEEP=1 leaves it running
	@$(BIN)/python -m demo

run: setup ## the daemon alone, embedded store, no configuration; state in build/run
	@echo "export OUTGATE_STATE=$(CURDIR)/build/run    # for other commands: $(BIN)/outgate …"
	OUTGATE_STATE=$(CURDIR)/build/run $(BIN)/outgate run

deb: ## the Debian 12 package of HEAD, into build/deb, approved by lintian
	packaging/deb/provision
	packaging/deb/build

docs: setup ## regenerate the pages that come from the code
	$(BIN)/python -m pages

clean: ## remove everything that was built
	rm -rf build dist $(VENV) $(FLOORS)
