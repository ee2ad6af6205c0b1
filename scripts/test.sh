#!/usr/bin/env bash
# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0
#
# Run the tests but the slow ones; arguments go to pytest, and where they name tests it is those.
# Real nodes mostly wait for each other, so what needs none runs beside them at a lower priority.
# Training has a process of its own: after all the runtimes that the other tests load into theirs
# (OpenVINO, ONNX Runtime, Mesa, rerun) it has crashed in native code.
set -uo pipefail
cd "$(dirname "$0")/.."

for argument in "$@"; do
    if [[ $argument != -* && -e ${argument%%::*} ]]; then
        exec python -m pytest -m 'not slow' "$@"
    fi
done

status=0
check() {  # pytest's 5 means that -k or -m has left nothing to run here
    "$@" || { local code=$?; [[ $code == 5 ]] || status=$code; }
}

log=$(mktemp)
nice python -m pytest -m 'not slow and not ros' --ignore=tests/training "$@" > "$log" 2>&1 &
others=$!
trap 'kill "$others" 2>/dev/null; rm -f "$log"' EXIT
check python -m pytest -m 'not slow and ros' "$@"
check python -m pytest -m 'not slow' tests/training "$@"
check wait "$others"
cat "$log"
exit "$status"
