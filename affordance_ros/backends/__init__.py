# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""What runs the image network: torch, OpenVINO or ONNX Runtime, behind one interface."""

import sys

# Importing OpenVINO sends a usage report from a forked process, unasked, from every robot; and
# where the fork meets OpenBLAS at work, both wait for each other for ever. Without this module it
# sends none (openvino/tools/ovc/telemetry_stub.py).
sys.modules.setdefault('openvino_telemetry', None)  # type: ignore[arg-type]
