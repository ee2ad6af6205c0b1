# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""The tabletop world: rendered scenes with exact masks, expressions, depth and affordances."""
