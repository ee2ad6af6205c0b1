# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Find and read a trunk's weights: a local file, the local hub cache, then a download."""

import zipfile
from collections.abc import Collection
from collections.abc import Mapping
from pathlib import Path
from typing import cast

import open_clip
import torch

from affordance_ros.model.config import looks_like_path
from affordance_ros.model.errors import WeightsError
from affordance_ros.model.fetch import FetchError
from affordance_ros.model.fetch import fetch
from affordance_ros.model.safetensors_file import SafetensorsError
from affordance_ros.model.safetensors_file import read_safetensors
from affordance_ros.model.torch_file import TorchFileError
from affordance_ros.model.torch_file import read_torch_file
from affordance_ros.safe_io.files import check_file
from affordance_ros.safe_io.files import sha256_of_file

MAX_BYTES = 1 << 32  # RN50x64, the largest ResNet of CLIP, has 2.5 GB in float32

# Scalars that OpenAI's archives carry beside the weights.
_OPENAI_EXTRAS = ('input_resolution', 'context_length', 'vocab_size')


def find_weights(model_name: str, weights: str) -> Path:
    """Locate a weight file for an open_clip model.

    Args:
        model_name: An open_clip model name such as `RN101-quickgelu`.
        weights: A path to a file, or an open_clip tag such as `openai`.

    Returns:
        The path of a local file: the one given, else the hub cache's, else a fresh download.

    Raises:
        WeightsError: If no file could be had; the text says what was tried and what to do.
    """
    if looks_like_path(weights):
        path = Path(weights).expanduser()
        if not path.is_file():
            raise WeightsError(
                f'the weights file {str(path)!r} does not exist; give the path of a .pt or '
                f'.safetensors file, or an open_clip tag such as "openai"'
            )
        return path
    config = open_clip.get_pretrained_cfg(model_name, weights)
    if not config:
        tags = open_clip.list_pretrained_tags_by_model(model_name)
        hint = f'its tags are {tags}' if tags else 'it has none: give a file'
        raise WeightsError(f'open_clip has no weights tagged {weights!r} for {model_name}; {hint}')
    _check_activation(model_name, weights, config)
    try:
        return fetch(config)
    except FetchError as error:
        raise WeightsError(
            f'no weights for {model_name} ({weights}): {error}. Either connect this machine to '
            f'the network once, so that the hub cache is filled, or copy a weight file here (such '
            f'as {config.get("url") or config.get("hf_hub")}) and give its path as `weights`'
        ) from error


def _check_activation(model_name: str, tag: str, pretrained: Mapping[str, object]) -> None:
    model_config = open_clip.get_model_config(model_name) or {}
    trained_quick = bool(pretrained.get('quick_gelu', False))
    if trained_quick != bool(model_config.get('quick_gelu', False)):
        stem = model_name.removesuffix('-quickgelu')
        right = f'{stem}-quickgelu' if trained_quick else stem
        raise WeightsError(
            f'the weights {tag!r} were trained with {"QuickGELU" if trained_quick else "GELU"}, '
            f'which {model_name} does not use: the text features would be wrong; '
            f'name the model {right!r}'
        )


def _first_line(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]


def read_state_dict(
    path: Path, *, trusted_sha256: Collection[str] | None = None
) -> dict[str, torch.Tensor]:
    """Read a CLIP state dict without ever unpickling code.

    A safetensors file and a plain state dict (see `torch_file`) are safe from anybody. A
    TorchScript archive is a program, so it is opened only if its sha256 is a known one.

    Args:
        path: A `.safetensors`, `.pt`, `.pth` or `.bin` file.
        trusted_sha256: The hex digests of TorchScript archives to accept; OpenAI's by default.

    Returns:
        Float32 tensors (and integer counters) by name.

    Raises:
        WeightsError: If the file is not one of these, is cut off, too large, or is not trusted.
    """
    state: object
    try:
        check_file(path, limit_bytes=MAX_BYTES)
        if path.suffix == '.safetensors':
            state, _ = read_safetensors(path)
        elif is_torchscript(path):
            state = _read_torchscript(path, trusted_sha256)
        else:
            state = read_torch_file(path)
    except WeightsError:
        raise
    except TorchFileError as error:
        raise WeightsError(
            f'{path} was refused: {error}; convert it to safetensors where you trust it'
        ) from error
    except (SafetensorsError, RuntimeError, OSError) as error:
        raise WeightsError(
            f'{path} is not a readable weight file: {_first_line(error)}'
        ) from error
    tensors = _unwrap(state, path)
    # Many tensors may share one storage, and become so many copies.
    if sum(tensor.numel() for tensor in tensors.values()) * 4 > MAX_BYTES:
        raise WeightsError(f'{path} holds more than {MAX_BYTES:,} bytes of weights')
    return _as_float32(tensors)


def fitted(
    state: Mapping[str, torch.Tensor], own: Mapping[str, torch.Tensor], *, name: str, path: Path
) -> dict[str, torch.Tensor]:
    """Return a file's tensors in the shapes of a network's own.

    Args:
        state: What `read_state_dict` returned.
        own: The network's state dict; its values may have no memory.
        name: The model's name, for the message.
        path: The file, for the message.

    Raises:
        WeightsError: If a tensor is missing, unknown, or of another number of elements.
    """
    missing = sorted(own.keys() - state.keys())
    unknown = sorted(state.keys() - own.keys())
    shapes = [
        f'{k} is {tuple(state[k].shape)}, not {tuple(own[k].shape)}'
        for k in sorted(own.keys() & state.keys())
        if state[k].numel() != own[k].numel()
    ]
    if missing or unknown or shapes:
        absent = [f'{k} is missing' for k in missing] + [f'{k} is unknown' for k in unknown]
        raise WeightsError(
            f'{path} does not hold the weights of {name}: {len(missing)} tensors missing, '
            f'{len(unknown)} unknown, {len(shapes)} of another shape; first: '
            f'{(shapes + absent)[0]}'
        )
    return {k: v.reshape(own[k].shape) for k, v in state.items()}


def is_torchscript(path: Path) -> bool:
    """Tell whether a file is a TorchScript archive, as OpenAI's are."""
    try:
        with zipfile.ZipFile(path) as archive:
            return any(name.endswith('/constants.pkl') for name in archive.namelist())
    except (zipfile.BadZipFile, NotImplementedError, ValueError):
        return False


def _read_torchscript(path: Path, trusted: Collection[str] | None) -> dict[str, torch.Tensor]:
    known = _openai_sha256() if trusted is None else trusted
    digest = sha256_of_file(path)
    if digest not in known:
        raise WeightsError(
            f"{path} is a TorchScript archive with sha256 {digest}, which is none of OpenAI's; "
            f'such a file is a program and is not run. Download it again, or give safetensors'
        )
    return dict(torch.jit.load(path, map_location='cpu').state_dict())


def _openai_sha256() -> set[str]:
    """Return the digests of OpenAI's own archives, which their addresses contain."""
    urls = (
        str(open_clip.get_pretrained_url(name, 'openai'))
        for name, tag in open_clip.list_pretrained()
        if tag == 'openai'
    )
    return {parts[-2] for parts in (url.split('/') for url in urls) if len(parts) > 2}


def _unwrap(state: object, path: Path) -> dict[str, torch.Tensor]:
    if isinstance(state, dict) and isinstance(state.get('state_dict'), dict):
        state = state['state_dict']
    if not isinstance(state, dict) or not all(isinstance(v, torch.Tensor) for v in state.values()):
        raise WeightsError(f'{path} holds no state dict (a mapping of names to tensors)')
    tensors = cast('dict[str, torch.Tensor]', state)
    return {
        name.removeprefix('module.'): value
        for name, value in tensors.items()
        if name not in _OPENAI_EXTRAS
    }


def _as_float32(state: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    return {k: v.float() if v.is_floating_point() else v for k, v in state.items()}
