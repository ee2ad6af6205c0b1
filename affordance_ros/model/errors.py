# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""What can be wrong with a model's files; needs no torch, so that a node without it can say so."""


class WeightsError(RuntimeError):
    """The trunk's weights could not be found, read or matched to the model."""


class CheckpointError(RuntimeError):
    """A checkpoint is not one, is damaged, or belongs to another trunk."""
