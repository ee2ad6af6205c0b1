# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Wait until a node names a cause on /diagnostics."""


def wait_for_cause(probe, cause, *, level, meanwhile=None):
    """Wait until the diagnostics name a cause at a level; return their message."""

    def named():
        if meanwhile is not None:
            meanwhile()
        # DDS tells of a publisher before it tells whose it is.
        return (
            probe.diagnosed('input', 'cause of silence') == cause
            and '_NODE_NAME_UNKNOWN_' not in probe.diagnostics['input'].message
        )

    probe.spin_until(named, f'the diagnostics to say {cause}')
    assert probe.diagnostics['input'].level == level
    return probe.diagnostics['input'].message
