# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""The demo: a camera, the grounding node, and a sheet of its answers."""
