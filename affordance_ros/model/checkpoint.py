"""Checkpoints of the trained part: safetensors, with everything needed to refuse a mismatch."""

import dataclasses
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors import safe_open
from safetensors.torch import save

from affordance_ros.model.errors import CheckpointError
from affordance_ros.model.heads import FPNDecoder
from affordance_ros.model.neck import NeckConfig
from affordance_ros.model.trunk import Trunk

FORMAT = 'affordance_ros.fpn'
FORMAT_VERSION = 1


@dataclass(frozen=True)
class CheckpointSummary:
    """What a checkpoint says of itself.

    Attributes:
        path: The file.
        trunk: The trunk's name and the hash of its weights.
        neck: The neck's configuration.
        prompt_set: Name and version of the prompts that it was validated with, as 'name@version'.
        input_size: The long side that it was trained at, in pixels.
        training: Data, steps, losses: whatever the training run reports.
    """

    path: str
    trunk: Mapping[str, str]
    neck: NeckConfig
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
    """
    about = {
        'trunk': {'name': trunk.name, 'sha256': trunk.sha256},
        'neck': dataclasses.asdict(decoder.neck.config),
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
    temporary = path.with_name(f'.{path.name}.{os.getpid()}.tmp')
    try:
        with temporary.open('wb') as file:
            file.write(save(tensors, metadata))
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


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
    tensors, metadata = _read(path)
    summary = _summarise(path, metadata)
    if summary.trunk['name'] != trunk.name:
        raise CheckpointError(
            f'{path} was trained on the trunk {summary.trunk["name"]}, and {trunk.name} is in '
            f'use: set model to {summary.trunk["name"]}'
        )
    decoder = FPNDecoder(summary.neck, channels=trunk.channels, embed_dim=trunk.embed_dim)
    _check_shapes(path, tensors, decoder)
    if summary.trunk['sha256'] != trunk.sha256:
        raise CheckpointError(
            f'{path} was trained on {trunk.name} with weights {summary.trunk["sha256"][:12]}..., '
            f'and those in use ({trunk.weights}) are {trunk.sha256[:12]}...: its maps would be '
            f'meaningless; give the weights that it was trained on'
        )
    decoder.load_state_dict(tensors)
    return decoder, summary


def _read(path: Path) -> tuple[dict[str, torch.Tensor], dict[str, str]]:
    if not path.is_file():
        raise CheckpointError(f'the checkpoint {str(path)!r} does not exist')
    try:
        with safe_open(path, framework='pt') as file:
            metadata = file.metadata() or {}
            return {name: file.get_tensor(name) for name in file.keys()}, metadata  # noqa: SIM118
    except (SafetensorError, OSError) as error:
        raise CheckpointError(
            f'{path} is not a whole safetensors file ({error}): it may be cut off; copy it again'
        ) from error


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
            prompt_set=str(about['prompt_set']),
            input_size=int(about['input_size']),
            training=dict(about['training']),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise CheckpointError(f'{path} has damaged metadata: {error!r}') from error


def _check_shapes(path: Path, tensors: Mapping[str, torch.Tensor], decoder: FPNDecoder) -> None:
    own = decoder.state_dict()
    for name in sorted(own.keys() | tensors.keys()):
        found = tuple(tensors[name].shape) if name in tensors else None
        wanted = tuple(own[name].shape) if name in own else None
        if found != wanted:
            raise CheckpointError(
                f'{path} does not fit this trunk: {name} is {found or "missing"} in the file and '
                f'{wanted or "unknown"} in the model'
            )
