# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""From annotated photos to referring expressions: names, positions and parts, with their masks."""
