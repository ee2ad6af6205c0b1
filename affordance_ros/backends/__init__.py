# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""What runs the image network: torch, OpenVINO or ONNX Runtime, behind one interface."""
