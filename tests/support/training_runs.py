# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Configurations of tiny runs, and how to start them."""

from pathlib import Path
from typing import Any

import torch

from affordance_ros_training.config import TrainConfig
from affordance_ros_training.distributed import Processes
from affordance_ros_training.journal import read_journal
from affordance_ros_training.run import TrainingRun
from affordance_ros_training.yaml_config import from_mapping

PLAIN = {
    'zoom_out': 1, 'zoom_in': 1, 'brightness': 0, 'contrast': 0, 'saturation': 0, 'tint': 0,
    'flip': 0,
}  # fmt: skip
ALONE = Processes(0, 1, torch.device('cpu'))


def mapping(root: Path, **changes: Any) -> dict[str, Any]:
    """Return the configuration of a run of a few seconds, as it would stand in YAML."""
    content: dict[str, Any] = {
        'model': 'compact',
        'weights': 'random',
        'neck': {'channels': 32},
        'data': {
            'root': str(root),
            'datasets': ['toy:made'],
            'converted': str(root / 'converted'),
            'input_size': 96,
            'workers': 0,
        },
        'optim': {'epochs': 2, 'batch_size': 2, 'learning_rate': 1e-3, 'warmup_steps': 2},
        'validation': {'sheet_rows': 0},
        'run': {'out': str(root / 'run'), 'device': 'cpu', 'precision': 'fp32', 'threads': 1},
    }
    for key, value in changes.items():
        if isinstance(value, dict):
            content[key] = {**content.get(key, {}), **value}
        else:
            content[key] = value
    return content


def config(root: Path, **changes: Any) -> TrainConfig:
    """Return the configuration of a run of a few seconds."""
    return from_mapping(TrainConfig, mapping(root, **changes))


def run(root: Path, *, resume: bool = False, **changes: Any) -> TrainingRun:
    """Train to the end; return the run."""
    training = TrainingRun(config(root, **changes), ALONE, resume=resume)
    training.train()
    return training


def losses(out: Path) -> list[float]:
    """Return the loss of every step, in order."""
    records = [r for r in read_journal(out / 'metrics.jsonl') if r['kind'] == 'step']
    assert [r['step'] for r in records] == list(range(1, len(records) + 1))
    return [r['loss'] for r in records]
