# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""A hash of weights that does not depend on how they are stored."""

import hashlib
from collections.abc import Mapping

import torch


def hash_state_dict(state: Mapping[str, torch.Tensor]) -> str:
    """Return a hex sha256 over names, shapes and float32 values.

    The same weights give the same hash whether they were stored as fp16 or fp32, in whichever
    container, and on whichever device they lie.
    """
    digest = hashlib.sha256()
    for name in sorted(state):
        value = state[name].detach().cpu()
        value = value.float() if value.is_floating_point() else value.long()
        digest.update(f'{name}{tuple(value.shape)}'.encode())
        digest.update(value.contiguous().numpy().tobytes())
    return digest.hexdigest()
