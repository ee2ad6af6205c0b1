# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""The `household` trunk: NanoDet-g's image tower and MiniLM's sentence encoder, both frozen."""
