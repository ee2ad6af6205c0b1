# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Which models there are; needs no torch."""

from affordance_ros.model.embedded import EMBEDDED

COMPACT_NAME = 'compact'
HOUSEHOLD_SMALL_NAME = 'household-small'  # random weights alone, for tests
# Importing open_clip to ask it takes seconds.
RESNETS = tuple(
    f'{size}{activation}'
    for size in ('RN50', 'RN101', 'RN50x4', 'RN50x16', 'RN50x64')
    for activation in ('', '-quickgelu')
)
KNOWN = (*EMBEDDED, COMPACT_NAME, *RESNETS)


def unknown_model(name: str) -> ValueError:
    """Return the error that names all models there are."""
    return ValueError(
        f'model {name!r} is unknown; known are {", ".join(KNOWN)}, and the folder of an exported '
        f'model'
    )
