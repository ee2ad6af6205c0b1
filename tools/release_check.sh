#!/usr/bin/env bash
# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0
#
# What a release must pass beside the tests: ROS's own linters, manifest and Dockerfile.
# xmllint is no Python package, so tests/tools/test_release.py holds package.xml to REP 149.
set -euo pipefail
cd "$(dirname "$0")/.."
tools=$PWD/.venv-docs/bin
python -m pytest -q tests/tools/test_release.py
unset PYTHONPATH AMENT_PREFIX_PATH  # the linters have an environment of their own
code=(affordance_ros benchmarks eval examples launch scripts tabletop tools training)

quietly() {  # the linters list every file that they have checked
    local said
    if said=$("$tools/$1" "${@:2}" 2>&1); then echo "$1: no problems"; else
        grep -vE '^(checking |\* |No problems)' <<< "$said"
        return 1
    fi
}
quietly ament_flake8 --config requirements/ament_flake8.ini "${code[@]}" tests docs
quietly ament_pep257 --convention google --add-ignore D105 D107 -- "${code[@]}"
quietly ament_lint_cmake CMakeLists.txt
quietly hadolint docker/Dockerfile
