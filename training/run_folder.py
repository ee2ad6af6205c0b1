# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""A run's folder: its state, its last and best model, its sheets; and whether it may be used."""

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from affordance_ros.model.checkpoint import save_checkpoint
from affordance_ros.model.heads import FPNDecoder
from affordance_ros.model.trunk import Trunk
from affordance_ros_training.config import TrainConfig
from affordance_ros_training.run_state import ResumeError

# Where a run may be resumed with other values: they change where it runs, not what it computes.
_FREE_KEYS = {
    'run': ('out', 'device', 'threads', 'save_every_s', 'wandb'),
    'data': ('root', 'images', 'converted', 'workers'),
    'feature_cache': ('folder', 'max_gb'),
    'validation': ('sheet_rows',),
}


class RunFolder:
    """The files of one run.

    Args:
        path: The folder; made if it is not there.
        resume: Whether a state is expected.

    Raises:
        ResumeError: If there is a state and none is expected.
    """

    def __init__(self, path: Path, *, resume: bool) -> None:
        self.path = path
        if self.state.is_file() and not resume:
            raise ResumeError(
                f'{path} holds a run already: go on with --resume, or name another folder (--out)'
            )
        path.mkdir(parents=True, exist_ok=True)
        for leftover in path.glob('.*.tmp'):  # of a process that was killed while it wrote
            leftover.unlink(missing_ok=True)

    @property
    def state(self) -> Path:
        """What `--resume` reads."""
        return self.path / 'state.safetensors'

    @property
    def last(self) -> Path:
        """The newest model, for use."""
        return self.path / 'last.safetensors'

    @property
    def best(self) -> Path:
        """The model that validated best, for use."""
        return self.path / 'best.safetensors'

    def sheet(self, epoch: int) -> Path:
        """Return the sheet of heatmaps after an epoch."""
        return self.path / f'sheet_{epoch:03d}.jpg'

    def save_model(
        self,
        path: Path,
        decoder: FPNDecoder,
        *,
        trunk: Trunk,
        config: TrainConfig,
        prompt_set: str,
        facts: Mapping[str, Any],
    ) -> None:
        """Write a model for use, atomically.

        Args:
            path: `last` or `best`.
            decoder: Neck and head.
            trunk: The trunk that they were trained on.
            config: The resolved configuration, which is kept in the file.
            prompt_set: Name and version of the prompts.
            facts: Steps, epochs and scores, as far as known.

        Raises:
            DiskFullError: If there is no room; the file before is untouched.
        """
        training = {**facts, 'config': dataclasses.asdict(config)}
        save_checkpoint(
            path,
            decoder,
            trunk=trunk,
            prompt_set=prompt_set,
            input_size=config.data.input_size,
            training=training,
        )


def what_is_computed(config: TrainConfig, trunk: Trunk) -> dict[str, Any]:
    """Return what a resumed run must share with the one before, flat."""
    facts: dict[str, Any] = {'trunk': trunk.sha256}
    for key, value in dataclasses.asdict(config).items():
        if isinstance(value, dict):
            free = _FREE_KEYS.get(key, ())
            facts.update({f'{key}.{k}': v for k, v in value.items() if k not in free})
        elif key != 'weights':  # a path may move; the hash tells
            facts[key] = value
    facts['feature_cache.used'] = bool(config.feature_cache.folder)
    return facts
