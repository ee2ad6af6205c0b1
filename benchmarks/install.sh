#!/usr/bin/env bash
# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0
#
# Install what the benchmarks need beside lock.txt: matplotlib, for plots.
set -euo pipefail
cd "$(dirname "$0")/.."
python -c 'import matplotlib' 2>/dev/null ||
    python -m pip install --quiet --no-deps --require-hashes -r requirements/bench.txt
