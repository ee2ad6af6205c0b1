# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Checkpoints of the trained part: safetensors, with everything needed to refuse a mismatch."""

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save

from affordance_ros.image.letterbox import check_size
from affordance_ros.model.calibration import Calibration
from affordance_ros.model.errors import CheckpointError
from affordance_ros.model.heads import FPNDecoder
from affordance_ros.model.heads import HeadConfig
from affordance_ros.model.neck import NeckConfig
from affordance_ros.model.safetensors_file import SafetensorsError
from affordance_ros.model.safetensors_file import read_safetensors
from affordance_ros.model.trunk import Trunk
from affordance_ros.model.trunk import check_scales
from affordance_ros.safe_io.atomic import write_atomically
from affordance_ros.safe_io.files import check_file

FORMAT = 'affordance_ros.fpn'
FORMAT_VERSION = 2
# How version 1 called the scales of a ResNet CLIP.
_OLD_SCALES = {'layer4': 'stride32', 'layer3': 'stride16', 'layer2': 'stride8'}
MAX_INPUT_SIZE = 2048
_MAX_BYTES = 1 << 30  # the widest neck of the ablations has 20 MB


@dataclass(frozen=True)
class CheckpointSummary:
    """What a checkpoint says of itself.

    Attributes:
        path: The file.
        trunk: The trunk's name and the hash of its weights.
        neck: The neck's configuration.
        head: The head's configuration.
        calibration: What was fitted to its scores.
        prompt_set: Name and version of the prompts that it was validated with, as 'name@version'.
        input_size: The long side that it was trained at, in pixels.
        training: Data, steps, losses: whatever the training run reports.
    """

    path: str
    trunk: Mapping[str, str]
    neck: NeckConfig
    head: HeadConfig
    calibration: Calibration
    prompt_set: str
    input_size: int
    training: Mapping[str, Any]


def save_checkpoint(
    path: Path,
    decoder: FPNDecoder,
    *,
    trunk: Trunk,
    prompt_set: str,
    input_size: int,
    training: Mapping[str, Any],
) -> None:
    """Write the trained part, atomically: a reader sees the old file or the whole new one.

    Args:
        path: Where to; the folder must exist.
        decoder: The neck and head.
        trunk: The trunk that they were trained on.
        prompt_set: See `CheckpointSummary`.
        input_size: See `CheckpointSummary`.
        training: A JSON-able summary of the training run.

    Raises:
        DiskFullError: If there is no room; the file before is untouched.
    """
    about = {
        'trunk': {'name': trunk.name, 'sha256': trunk.sha256},
        'neck': dataclasses.asdict(decoder.neck.config),
        'head': dataclasses.asdict(decoder.head),
        'calibration': dataclasses.asdict(decoder.calibration),
        'prompt_set': prompt_set,
        'input_size': input_size,
        'training': dict(training),
    }
    metadata = {
        'format': FORMAT,
        'format_version': str(FORMAT_VERSION),
        'about': json.dumps(about, sort_keys=True),
    }
    tensors = {k: v.detach().cpu().contiguous() for k, v in decoder.state_dict().items()}
    write_atomically(path, save(tensors, metadata))


def load_checkpoint(path: Path, trunk: Trunk) -> tuple[FPNDecoder, CheckpointSummary]:
    """Read a neck and head for a trunk.

    Args:
        path: A file that `save_checkpoint` wrote.
        trunk: The trunk that is in use.

    Returns:
        The decoder, on the CPU, and what the file says of itself.

    Raises:
        CheckpointError: If the file is missing, damaged, or made for another trunk.
    """
    tensors, metadata = _renamed(*_read(path))
    summary = _summarise(path, metadata)
    if summary.trunk['name'] != trunk.name:
        raise CheckpointError(
            f'{path} was trained on the trunk {summary.trunk["name"]}, and {trunk.name} is in '
            f'use: set model to {summary.trunk["name"]}'
        )
    _check_tensors(path, tensors, _shapes(path, summary, trunk))
    if summary.trunk['sha256'] != trunk.sha256:
        raise CheckpointError(
            f'{path} was trained on {trunk.name} with weights {summary.trunk["sha256"][:12]}..., '
            f'and those in use ({trunk.weights}) are {trunk.sha256[:12]}...: its maps would be '
            f'meaningless; give the weights that it was trained on'
        )
    decoder = _build(summary, trunk)
    decoder.load_state_dict(tensors)
    return decoder, summary


def _read(path: Path) -> tuple[dict[str, torch.Tensor], dict[str, str]]:
    if not path.is_file():
        raise CheckpointError(f'the checkpoint {str(path)!r} does not exist')
    try:
        check_file(path, limit_bytes=_MAX_BYTES)
        return read_safetensors(path)
    except (SafetensorsError, OSError) as error:
        raise CheckpointError(
            f'{path} is not a whole safetensors file ({error}): it may be cut off; copy it again'
        ) from error


def _build(summary: CheckpointSummary, trunk: Trunk) -> FPNDecoder:
    check_scales(trunk, summary.neck.scales)
    decoder = FPNDecoder(
        summary.neck, channels=trunk.channels, cosine_dim=trunk.cosine_dim, head=summary.head
    )
    decoder.calibration = summary.calibration
    return decoder


def _renamed(
    tensors: dict[str, torch.Tensor], metadata: dict[str, str]
) -> tuple[dict[str, torch.Tensor], dict[str, str]]:
    """Return what a file of version 1 holds by the names of version 2."""
    if metadata.get('format') != FORMAT or metadata.get('format_version') != '1':
        return tensors, metadata
    about = metadata.get('about', '')
    for old, new in _OLD_SCALES.items():
        about = about.replace(f'"{old}"', f'"{new}"')
        tensors = {name.replace(f'.{old}.', f'.{new}.'): v for name, v in tensors.items()}
    return tensors, {**metadata, 'format_version': str(FORMAT_VERSION), 'about': about}


def _summarise(path: Path, metadata: Mapping[str, str]) -> CheckpointSummary:
    if metadata.get('format') != FORMAT:
        raise CheckpointError(
            f'{path} is a safetensors file, but not a checkpoint of this package (its format is '
            f'{metadata.get("format")!r}, not {FORMAT!r})'
        )
    if metadata.get('format_version') != str(FORMAT_VERSION):
        raise CheckpointError(
            f'{path} has format version {metadata.get("format_version")}, and this package reads '
            f'{FORMAT_VERSION}: install the version of affordance_ros that wrote it'
        )
    try:
        about = json.loads(metadata['about'])
        return CheckpointSummary(
            path=str(path),
            trunk={key: str(about['trunk'][key]) for key in ('name', 'sha256')},
            neck=NeckConfig(**about['neck']),
            head=HeadConfig(**about.get('head', {})),
            calibration=Calibration(**about.get('calibration', {})),
            prompt_set=str(about['prompt_set']),
            input_size=_input_size(about['input_size']),
            training=dict(about['training']),
        )
    except (KeyError, TypeError, ValueError, OverflowError, RecursionError) as error:
        raise CheckpointError(f'{path} has damaged metadata: {error!r:.200}') from error


def _input_size(value: object) -> int:
    """Check the size, which decides how much memory every image takes."""
    if not isinstance(value, int):
        raise TypeError(f'input_size is {value!r:.40}, no whole number')
    check_size(value)
    if value > MAX_INPUT_SIZE:
        raise ValueError(f'input_size is {value}; at most {MAX_INPUT_SIZE} is read')
    return value


def _shapes(path: Path, summary: CheckpointSummary, trunk: Trunk) -> dict[str, tuple[int, ...]]:
    """Return the decoder's shapes, without memory for it: the file says how wide it is."""
    try:
        with torch.device('meta'):
            own = _build(summary, trunk)
    except (RuntimeError, TypeError, OverflowError, ValueError) as error:
        raise CheckpointError(f'{path} describes a neck that can not be: {error}') from error
    return {name: tuple(tensor.shape) for name, tensor in own.state_dict().items()}


def _check_tensors(
    path: Path, tensors: Mapping[str, torch.Tensor], own: Mapping[str, tuple[int, ...]]
) -> None:
    for name in sorted(own.keys() | tensors.keys()):
        found = tuple(tensors[name].shape) if name in tensors else None
        wanted = own.get(name)
        if found != wanted:
            raise CheckpointError(
                f'{path} does not fit this trunk: {name} is {found or "missing"} in the file and '
                f'{wanted or "unknown"} in the model'
            )
        if not tensors[name].is_floating_point() or not tensors[name].isfinite().all():
            raise CheckpointError(
                f'{path} is damaged: {name} holds a number that is not finite; copy it again'
            )
