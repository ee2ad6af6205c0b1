# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Evaluation on photos whose parts, or objects, are masked."""
