# Everything starts here. `make demo` and `make test` need Python 3.11 or newer, make and a
# Python package index; the first of them to run makes .venv, which takes minutes only once.

# The first interpreter that starts and is new enough (a name on PATH may be a stub that does not).
PYTHON ?= $(shell for p in python3.11 python3 python; do \
	"$$p" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo "$$p"; break; }; \
	done)

VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.DEFAULT_GOAL := help
.PHONY: help venv demo test lint docs bench book clean

help: ## show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-6s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

venv: $(STAMP) ## make .venv with the pinned versions (every target below does it if needed)
	@:

$(STAMP): pyproject.toml constraints.txt
	@test -n "$(PYTHON)" || { echo "make: no Python 3.11 or newer on PATH; install one or say 'make PYTHON=/path/to/python3.11'" >&2; exit 1; }
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "make: PYTHON=$(PYTHON) is not Python 3.11 or newer" >&2; exit 1; }
	@echo "Installing into $(VENV): a few minutes and about 6 GB the first time ..."
	@"$(PYTHON)" -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check \
		--constraint constraints.txt --editable '.[all,dev]'
	@touch $@

demo: $(STAMP) ## draw pictures from the built-in digits, with their sources
	@rm -rf runs/demo
	@$(BIN)/intarsia demo --out runs/demo

test: $(STAMP) ## run the tests
	@$(BIN)/python -m pytest -q tests/

lint: $(STAMP) ## style, format and types
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy

# No --quiet: it keeps mkdocs from seeing its own warnings, and --strict would pass.
docs: $(STAMP) ## build the site into site/
	@NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

bench: $(STAMP) ## measure the speed on this machine
	@$(BIN)/intarsia bench

book: $(STAMP) ## draw paper A's tables and figures again (quick scale, about half an hour)
	@$(BIN)/intarsia reproduce paper-a --scale quick

clean: ## remove what was built (not .venv, not other runs)
	@rm -rf build dist site runs/demo .pytest_cache .mypy_cache .ruff_cache .hypothesis
	@find src tests docs -name __pycache__ -type d -prune -exec rm -rf {} +
