# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Evaluation of affordance heatmaps. Its `metrics` needs numpy and OpenCV alone."""
