# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""The model: frozen CLIP trunk, feature pyramid, heads, text, weights. Needs no ROS."""
