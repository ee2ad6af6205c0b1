# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Holds the documentation true: its commands run, its links and images exist."""
