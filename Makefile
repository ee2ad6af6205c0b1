# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0
#
# `make demo` and `make test` are complete on a fresh machine; see the README.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

WITH_ENV := source scripts/env.sh &&
PYTEST_ARGS ?=
LIVE ?=
DEMO_ARGS ?=
WEBCAM_ARGS ?=
FUZZ_ARGS ?=
SOAK_ARGS ?=

.PHONY: help build build-demo demo webcam test lint slow chaos soak latency hostile lowest fuzz sbom weights bench gpu-check docs docs-check \
	reference release-check clean

help:  ## List the targets.
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

build:  ## Make .venv from the pinned requirements and build the messages.
	@bash scripts/setup.sh

build-demo:  ## Make .venv with what the demo needs, without torch, and build the messages.
	@bash scripts/setup.sh demo

demo: $(if $(LIVE),build,build-demo)  ## Ask photos and the tabletop over DDS; sheets of the answers in out/demo (LIVE=1 renders).
	@$(WITH_ENV) python -m scripts.demo $(if $(LIVE),--live) $(DEMO_ARGS)

webcam: build-demo  ## Run both nodes on a webcam (WEBCAM_ARGS='--source 0 --command "hold the mug"').
	@$(WITH_ENV) python -m scripts.webcam $(WEBCAM_ARGS)

lint: build  ## Check style and types.
	@$(WITH_ENV) ruff check . && ruff format --check . && mypy

test: lint  ## Run the tests, style and types first.
	@$(WITH_ENV) bash scripts/test.sh $(PYTEST_ARGS)

slow: build  ## Run the long proofs.
	@$(WITH_ENV) python -m pytest -m slow $(PYTEST_ARGS)

chaos: build  ## Mistreat the node for a few minutes: it must answer on and count every bad message.
	@$(WITH_ENV) python -m pytest -m slow tests/nodes/test_chaos*.py $(PYTEST_ARGS)

soak: build  ## Run the demo for 30 minutes: the node must not grow or slow down (LIVE=1 renders).
	@$(WITH_ENV) bash benchmarks/install.sh
	@$(WITH_ENV) python -m benchmarks.soak $(if $(LIVE),--live) $(SOAK_ARGS)

latency: build  ## Measure the demo's latency and the node's own share of it on this machine.
	@$(WITH_ENV) python -m benchmarks.latency

hostile: build  ## Feed bags, photos, annotations and maps as other tools and broken disks leave them.
	@$(WITH_ENV) python -m pytest -m "not slow" tests/bag/test_hostile.py tests/image tests/cli/test_ground*.py \
	    tests/spatial/test_plausible.py tests/training/test_hostile_refs.py tests/eval/test_hostile_scores.py $(PYTEST_ARGS)

.venv-lowest/.installed: requirements/lowest.txt | build
	@rm -rf .venv-lowest && .venv/bin/python -m venv .venv-lowest
	@.venv-lowest/bin/pip install --quiet --quiet --disable-pip-version-check --requirement $<
	@touch $@

lowest: .venv-lowest/.installed  ## Decode images on the oldest OpenCV and numpy that are allowed.
	@PYTHONPATH=. .venv-lowest/bin/python -m pytest --noconftest -p tests.support.rng $(PYTEST_ARGS) \
	    tests/image/test_decode.py tests/image/test_hostile_photos.py tests/image/test_compressed.py \
	    tests/image/test_ros_image.py

fuzz: build  ## Feed a million odd inputs to all that reads files and messages (20 minutes; resumes).
	@$(WITH_ENV) python tools/fuzz.py $(FUZZ_ARGS)

.venv-sbom/.installed: requirements/sbom.txt | build
	@rm -rf .venv-sbom && .venv/bin/python -m venv .venv-sbom
	@.venv-sbom/bin/pip install --quiet --quiet --disable-pip-version-check --require-hashes \
	    --requirement $<
	@touch $@

sbom: .venv-sbom/.installed  ## List every pinned package as CycloneDX JSON in out/sbom.cdx.json.
	@mkdir -p out
	@.venv-sbom/bin/cyclonedx-py requirements requirements/lock.txt --output-format JSON \
	    --output-reproducible --output-file out/sbom.cdx.json
	@echo "out/sbom.cdx.json"

weights: build  ## Make the embedded model: import, render, train, calibrate (2 hours; docs/howto/weights.md).
	@$(WITH_ENV) bash tools/make_weights.sh

bench: build  ## Measure training, the evaluation's metrics, inference and cameras on this machine.
	@$(WITH_ENV) bash benchmarks/bench.sh

gpu-check: build  ## Check and measure what only a GPU runs (8 minutes at most; skips without one).
	@$(WITH_ENV) python -m benchmarks.gpu_check

reference: build  ## Write docs/reference from the nodes and the message files.
	@$(WITH_ENV) python tools/make_reference.py

docs-check: build  ## Run every command of the documentation that can run here (about 15 minutes).
	@$(WITH_ENV) python -m tools.docs_check --run

.venv-docs/.installed: requirements/docs.txt | build
	@rm -rf .venv-docs && .venv/bin/python -m venv .venv-docs
	@.venv-docs/bin/pip install --quiet --quiet --disable-pip-version-check --requirement $<
	@touch $@

docs: .venv-docs/.installed  ## Build the documentation's site into out/docs; a warning is an error.
	@.venv-docs/bin/sphinx-build -W --keep-going -q -c docs . out/docs
	@echo "open out/docs/docs/index.html"

release-check: .venv-docs/.installed  ## Run ROS's linters, and hold manifest and Dockerfile.
	@$(WITH_ENV) bash tools/release_check.sh

clean:  ## Remove what was built and made, but not .venv.
	rm -rf build install log out
