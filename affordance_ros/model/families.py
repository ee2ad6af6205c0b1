# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Which family a trunk's name belongs to."""

from collections.abc import Collection

from affordance_ros.model.household.trunk import SHAPES as HOUSEHOLD_NAMES
from affordance_ros.model.household.trunk import load_household
from affordance_ros.model.known import CLIPSEGS
from affordance_ros.model.trunk import Trunk


def load_trunk(
    name: str, weights: str, *, trusted_sha256: Collection[str] | None = None, seed: int = 0
) -> Trunk:
    """Build a trunk and fill in its weights.

    Args:
        name: `household`, `compact`, `compact-vit`, an open_clip name such as `RN101-quickgelu`
            or `ViT-B-16-quickgelu`, or one of CLIPSEGS.
        weights: A path, a tag such as `openai`, or `random` for an untrained trunk; '' for the
            family's own.
        trusted_sha256: See `read_state_dict`.
        seed: Seed of random weights.

    Returns:
        The trunk, on the CPU, in float32.

    Raises:
        ValueError: If the name is unknown, or needs a package that is not installed.
        WeightsError: If the weights can't be found or don't fit.
    """
    if name in HOUSEHOLD_NAMES:
        return load_household(name, weights, seed=seed)
    if name in CLIPSEGS:
        from affordance_ros.model.clipseg.load import load_clipseg

        return load_clipseg(name, weights, seed=seed)
    # open_clip takes seconds to import, and its models alone need it.
    from affordance_ros.model.clip_load import load_clip

    return load_clip(name, weights, trusted_sha256=trusted_sha256, seed=seed)
