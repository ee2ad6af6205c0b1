# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Which models run without torch, and loading those that do not."""

from pathlib import Path

from affordance_ros.backends.base import AUTO
from affordance_ros.backends.base import BackendError
from affordance_ros.backends.exported import is_exported
from affordance_ros.backends.select import Model
from affordance_ros.model.config import ModelConfig
from affordance_ros.model.config import looks_like_path
from affordance_ros.model.embedded import EMBEDDED
from affordance_ros.model.errors import CheckpointError
from affordance_ros.model.errors import WeightsError
from affordance_ros.model.known import HOUSEHOLD_SMALL_NAME
from affordance_ros.model.known import KNOWN
from affordance_ros.model.known import check_installed
from affordance_ros.model.known import unknown_model


def exported_folder(config: ModelConfig) -> Path | None:
    """Return the folder of a model that runs without torch: an exported or a shipped one.

    A shipped model with other weights, another checkpoint or on a GPU is loaded by torch.

    Raises:
        ValueError: If a head is named, which such a model can't change.
    """
    shipped = EMBEDDED.get(config.model)
    changed = config.weights or config.checkpoint or config.device not in ('auto', 'cpu')
    folder = None if shipped is None or changed else shipped.exported
    if is_exported(config.model):
        folder = Path(config.model).expanduser()
    if folder is not None and config.head:
        raise ValueError(
            f'head {config.head!r} can not be used with {config.model}, which has its own: leave '
            f'head empty, or name a CLIP as the model'
        )
    return folder


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


def check_files(config: ModelConfig) -> None:
    """Check what needs no model: that its name is known and the files named are there.

    Raises:
        ValueError: If the model is unknown, needs a package that is not installed, or can't use
            the head that is named.
        WeightsError: If the weights are a path where nothing is.
        CheckpointError: If the checkpoint is not there.
    """
    if config.model not in (*KNOWN, HOUSEHOLD_SMALL_NAME) and not is_exported(config.model):
        raise unknown_model(config.model)
    check_installed(config.model)
    exported_folder(config)
    weights = Path(config.weights).expanduser()
    if config.weights and looks_like_path(config.weights) and not weights.exists():
        raise WeightsError(f'weights {config.weights!r} of {config.model}: there is no such file')
    if config.checkpoint and not Path(config.checkpoint).expanduser().is_file():
        raise CheckpointError(f'the checkpoint {config.checkpoint!r} does not exist')
