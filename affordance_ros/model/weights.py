"""Find and read a trunk's weights: a local file, the local hub cache, then a download."""

import hashlib
import os
import zipfile
from collections.abc import Collection
from collections.abc import Mapping
from pathlib import Path
from typing import cast

import open_clip
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file

from affordance_ros.model.errors import WeightsError

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
    if _looks_like_path(weights):
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
    return _cached_or_downloaded(model_name, weights, config)


def _looks_like_path(weights: str) -> bool:
    return os.sep in weights or Path(weights).suffix != '' or Path(weights).is_file()


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


def _cached_or_downloaded(model_name: str, tag: str, config: Mapping[str, object]) -> Path:
    from huggingface_hub import try_to_load_from_cache  # slow to import, and rarely needed

    repo = str(config.get('hf_hub', '')).rstrip('/')
    tried = []
    if repo:
        for filename in ('open_clip_model.safetensors', 'open_clip_pytorch_model.bin'):
            cached = try_to_load_from_cache(repo, filename)
            if isinstance(cached, str):
                return Path(cached)
        tried.append(f'the local hub cache (for {repo})')
    tried.append(f'a download of {repo or config.get("url")}')
    try:
        return Path(open_clip.download_pretrained(dict(config)))
    except Exception as error:
        # The hub client raises errors of many libraries; whichever it is, the advice is one.
        raise WeightsError(
            f'no weights for {model_name} ({tag}): tried {" and ".join(tried)}, which failed with '
            f'"{_first_line(error)}". Either connect this machine to the network once, so that '
            f'the hub cache is filled, or copy a weight file here (such as '
            f'{config.get("url") or repo}) and give its path as `weights`'
        ) from error


def _first_line(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]


def read_state_dict(
    path: Path, *, trusted_sha256: Collection[str] | None = None
) -> dict[str, torch.Tensor]:
    """Read a CLIP state dict without ever unpickling code.

    A safetensors file and a plain state dict (read with `weights_only`) are safe from anybody. A
    TorchScript archive is a program, so it is opened only if its sha256 is a known one.

    Args:
        path: A `.safetensors`, `.pt`, `.pth` or `.bin` file.
        trusted_sha256: The hex digests of TorchScript archives to accept; OpenAI's by default.

    Returns:
        Float32 tensors (and integer counters) by name.

    Raises:
        WeightsError: If the file is not one of these, is cut off, or is not trusted.
    """
    try:
        if path.suffix == '.safetensors':
            state = load_file(path)
        elif _is_torchscript(path):
            state = _read_torchscript(path, trusted_sha256)
        else:
            state = torch.load(path, map_location='cpu', weights_only=True)
    except WeightsError:
        raise
    except (SafetensorError, RuntimeError, OSError, EOFError, ValueError, KeyError) as error:
        raise WeightsError(
            f'{path} is not a readable weight file: {_first_line(error)}'
        ) from error
    except Exception as error:  # torch raises pickle.UnpicklingError and friends
        raise WeightsError(
            f'{path} was refused: it holds more than tensors ({_first_line(error)}); '
            f'convert it to safetensors where you trust it'
        ) from error
    return _as_float32(_unwrap(state, path))


def _is_torchscript(path: Path) -> bool:
    if not zipfile.is_zipfile(path):
        return False
    with zipfile.ZipFile(path) as archive:
        return any(name.endswith('/constants.pkl') for name in archive.namelist())


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


def sha256_of_file(path: Path) -> str:
    """Return the hex sha256 of a file's bytes, read in pieces."""
    digest = hashlib.sha256()
    with path.open('rb') as file:
        while chunk := file.read(1 << 20):
            digest.update(chunk)
    return digest.hexdigest()


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
