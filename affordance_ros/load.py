# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Which models run without torch, and loading those that do not."""

from pathlib import Path

from affordance_ros.backends.base import AUTO
from affordance_ros.backends.base import BackendError
from affordance_ros.backends.exported import is_exported
from affordance_ros.backends.select import Model
from affordance_ros.model.config import ModelConfig
from affordance_ros.model.embedded import EMBEDDED


def exported_folder(config: ModelConfig) -> Path | None:
    """Return the folder of a model that runs without torch: an exported or a shipped one.

    A shipped model with other weights, another checkpoint or on a GPU is loaded by torch.
    """
    if is_exported(config.model):
        return Path(config.model).expanduser()
    shipped = EMBEDDED.get(config.model)
    changed = config.weights or config.checkpoint or config.device not in ('auto', 'cpu')
    return None if shipped is None or changed else shipped.exported


def default_backend(config: ModelConfig) -> str:
    """Return `auto` for what runs without torch, else `torch`, which has nothing to compile."""
    return 'torch' if exported_folder(config) is None else AUTO


def load_by_torch(config: ModelConfig, num_threads: int) -> Model:
    """Load a model that is not exported, and say what to do where there is no torch."""
    try:
        from affordance_ros.model.grounding import load_model
        from affordance_ros.model.grounding import use_threads
    except ModuleNotFoundError as error:
        raise BackendError(
            f'{error.name} is not installed, which the model {config.model!r} needs: install it, '
            f'or export the model where it is (affordance-export) and give the folder as `model`'
        ) from error
    if num_threads:
        use_threads(num_threads)
    return load_model(config)
