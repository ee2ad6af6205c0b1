# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Import the published files of the `household` towers; see __main__.py."""
