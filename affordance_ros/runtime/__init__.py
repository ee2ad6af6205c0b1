# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""What keeps a live pipeline going: mailbox, lock, latency, health and memory."""
