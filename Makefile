# `make demo` and `make test` are complete on a fresh machine; see the README.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

WITH_ENV := source scripts/env.sh &&
PYTEST_ARGS ?=

.PHONY: help build demo test lint slow bench clean

help:  ## List the targets.
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

build:  ## Make .venv from the pinned requirements and build the messages.
	@bash scripts/setup.sh

demo: build  ## Play sample photos to the node over DDS and make a contact sheet of its answers.
	@$(WITH_ENV) python scripts/demo.py

lint: build  ## Check style and types.
	@$(WITH_ENV) ruff check . && ruff format --check . && mypy

test: lint  ## Run the tests, style and types first.
	@$(WITH_ENV) python -m pytest -m 'not slow' $(PYTEST_ARGS)

slow: build  ## Run the long proofs.
	@$(WITH_ENV) python -m pytest -m slow $(PYTEST_ARGS)

bench: build  ## Time the metrics on one core.
	@$(WITH_ENV) python -m eval.bench

clean:  ## Remove what was built and made, but not .venv.
	rm -rf build install log out
