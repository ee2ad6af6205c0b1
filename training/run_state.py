# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""What a run needs to go on exactly where it was: weights, optimiser, place; without pickle."""

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors import safe_open
from safetensors.torch import save
from torch import nn

from affordance_ros.safe_io.atomic import write_atomically

_FORMAT = 'affordance_ros.run'
_FORMAT_VERSION = '1'


class ResumeError(RuntimeError):
    """A run can't be resumed, or would be overwritten."""


@dataclass(frozen=True)
class Place:
    """Where a run is.

    Attributes:
        step: Steps taken in all.
        epoch: Epochs finished.
        step_in_epoch: Steps taken in the epoch that is under way.
        epochs_validated: Epochs up to which the model was validated.
        best: The best overall IoU of a validation so far; -1 for none.
        best_loss: The loss of that validation.
        epoch_loss: The sum of the losses of this epoch's steps.
        elapsed_s: Seconds spent in training.
        scaler: The state of fp16's loss scaling; empty without.
    """

    step: int = 0
    epoch: int = 0
    step_in_epoch: int = 0
    epochs_validated: int = 0
    best: float = -1.0
    best_loss: float = float('inf')
    epoch_loss: float = 0.0
    elapsed_s: float = 0.0
    scaler: Mapping[str, float] = field(default_factory=dict)


def save_run(
    path: Path,
    place: Place,
    *,
    modules: Mapping[str, nn.Module],
    optimizer: torch.optim.Optimizer,
    about: Mapping[str, Any],
) -> None:
    """Write the state, atomically.

    Args:
        path: The file.
        place: Where the run is.
        modules: The modules by a name of your choice.
        optimizer: Whose moments are kept; its rates are not, the schedule gives them.
        about: JSON-able facts that a resumed run must share, such as the configuration.

    Raises:
        DiskFullError: If there is no room; the state before is untouched.
    """
    tensors = {
        f'{name}.{key}': value
        for name, module in modules.items()
        for key, value in module.state_dict().items()
    }
    for index, state in optimizer.state_dict()['state'].items():
        tensors.update({f'optimizer.{index}.{key}': value for key, value in state.items()})
    # Cloned, since safetensors refuses tensors that share memory.
    tensors = {k: v.detach().cpu().contiguous().clone() for k, v in tensors.items()}
    metadata = {
        'format': _FORMAT,
        'format_version': _FORMAT_VERSION,
        'place': json.dumps(dataclasses.asdict(place)),
        'about': json.dumps(dict(about), sort_keys=True),
    }
    write_atomically(path, save(tensors, metadata))


def load_run(
    path: Path,
    *,
    modules: Mapping[str, nn.Module],
    optimizer: torch.optim.Optimizer,
    about: Mapping[str, Any],
) -> Place:
    """Read a state into modules and optimiser.

    Args:
        path: The file.
        modules: As for `save_run`.
        optimizer: Fresh, over the same parameters.
        about: What this run is; a run that is not the same is refused.

    Returns:
        Where the run is.

    Raises:
        ResumeError: If there is no whole state, or it is another run's.
    """
    tensors, metadata = _read(path)
    saved = json.loads(metadata['about'])
    own = json.loads(json.dumps(dict(about)))
    differences = [
        f'{key} was {saved.get(key)!r} and is {own.get(key)!r}'
        for key in sorted(saved.keys() | own.keys())
        if saved.get(key) != own.get(key)
    ]
    if differences:
        raise ResumeError(
            f'{path} is of another run: {"; ".join(differences)}. Resume with the configuration '
            f'that it was started with, or start a new run in another folder (--out)'
        )
    try:
        for name, module in modules.items():
            module.load_state_dict(_under(tensors, name))
        restored = optimizer.state_dict()
        restored['state'] = {
            index: _under(tensors, f'optimizer.{index}')
            for index in range(sum(len(group['params']) for group in optimizer.param_groups))
            if any(key.startswith(f'optimizer.{index}.') for key in tensors)
        }
        optimizer.load_state_dict(restored)
        _match_layouts(optimizer)
        return Place(**json.loads(metadata['place']))
    except (RuntimeError, KeyError, TypeError, ValueError) as error:
        raise ResumeError(f'{path} does not fit this version of the package: {error}') from error


def _match_layouts(optimizer: torch.optim.Optimizer) -> None:
    """Lay moments in memory as their parameters lie.

    The fused kernels pair values by their place in memory: beside a parameter with channels last,
    a moment with channels first would be read in the wrong order.
    """
    for parameter, state in optimizer.state.items():
        for name, value in state.items():
            if isinstance(value, torch.Tensor) and value.shape == parameter.shape:
                state[name] = torch.empty_like(parameter).copy_(value)


def _under(tensors: Mapping[str, torch.Tensor], name: str) -> dict[str, torch.Tensor]:
    prefix = f'{name}.'
    return {k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)}


def _read(path: Path) -> tuple[dict[str, torch.Tensor], dict[str, str]]:
    if not path.is_file():
        raise ResumeError(f'there is nothing to resume: {path} does not exist; leave --resume out')
    try:
        with safe_open(path, framework='pt') as file:
            metadata = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError) as error:
        raise ResumeError(f'{path} is not a whole safetensors file: {error}') from error
    if (metadata.get('format'), metadata.get('format_version')) != (_FORMAT, _FORMAT_VERSION):
        raise ResumeError(f'{path} is not the state of a run that this version can resume')
    return tensors, metadata
