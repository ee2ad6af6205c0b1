# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Build CLIPSeg by transformers and fill in its weights, or random ones.

transformers gives the network alone: files are found and read as all others are, so that nothing
is unpickled.
"""

import json
import math
from pathlib import Path
from typing import Any

import torch

from affordance_ros.image.letterbox import STRIDE
from affordance_ros.model.clipseg.trunk import ClipSeg
from affordance_ros.model.config import looks_like_path
from affordance_ros.model.errors import WeightsError
from affordance_ros.model.fetch import FetchError
from affordance_ros.model.fetch import fetch
from affordance_ros.model.known import check_installed
from affordance_ros.model.trunk import RANDOM_WEIGHTS
from affordance_ros.model.weights import fitted
from affordance_ros.model.weights import read_state_dict
from affordance_ros.safe_io.files import read_bounded

_HUB_OWNER = 'CIDAS'
_FILES = ('model.safetensors', 'pytorch_model.bin')
_CONFIG = 'config.json'
_MAX_CONFIG_BYTES = 1 << 20
# As in the published config.json; the rest is CLIPSegConfig's default.
_PATCH_16: dict[str, Any] = {'vision_config': {'patch_size': 16}, 'reduce_dim': 64}
_CONFIGS = {
    'clipseg-rd64': _PATCH_16,
    'clipseg-rd64-refined': {**_PATCH_16, 'use_complex_transposed_convolution': True},
}
_VOCABULARY = 49408  # tokens of CLIP's byte pair encoding
# Counters that old files hold beside the weights.
_UNREAD = 'embeddings.position_ids'


def load_clipseg(name: str, weights: str, *, seed: int = 0) -> ClipSeg:
    """Build the model and fill in its weights.

    Args:
        name: One of CLIPSEGS.
        weights: A folder that `save_pretrained` wrote, a weight file of the model's own shape,
            `random`, or '' for the published ones.
        seed: Seed of random weights.

    Returns:
        The trunk, with its decoder, on the CPU, in float32.

    Raises:
        ValueError: If transformers is not installed.
        WeightsError: If the weights can't be found or don't fit.
    """
    check_installed(name)
    from transformers import CLIPSegConfig
    from transformers import CLIPSegForImageSegmentation as Network

    if weights == RANDOM_WEIGHTS:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            network = Network(CLIPSegConfig(**_CONFIGS[name]))
            trunk = ClipSeg(network, name=name, weights=f'random (seed {seed})', untrained=True)
            _calm(trunk)
        return trunk
    path, content = _find(name, weights)
    state = {k: v for k, v in read_state_dict(path).items() if not k.endswith(_UNREAD)}
    try:
        config = _check(CLIPSegConfig.from_dict(content), layers=len(state))
        with torch.device('meta'):  # the file's own tensors take the place of all parameters
            network = Network(config)
    # transformers documents no list of what a wrong configuration may raise.
    except Exception as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise WeightsError(f'{path.parent / _CONFIG} can not be used: {reason}') from error
    network.load_state_dict(fitted(state, network.state_dict(), name=name, path=path), assign=True)
    for tower in (network.clip.text_model, network.clip.vision_model):
        del tower.embeddings.position_ids  # has no memory, and nothing here reads it
    return ClipSeg(network, name=name, weights=str(path))


@torch.no_grad()
def _calm(trunk: ClipSeg) -> None:
    """Scale random weights so that logits are of the order of one, as trained ones are."""
    text = torch.randn(1, trunk.embed_dim)
    logits = trunk.decoder(trunk(torch.randn(1, 3, 224, 224), trunk.decoder.inputs), text)
    # A power of two, so that a seed gives the same weights on every machine.
    scale = 2.0 ** -round(math.log2(float(logits.std())))
    *_, last = trunk.decoder.decoder.transposed_convolution.modules()
    for parameter in last.parameters():
        parameter.mul_(scale)


def _find(name: str, weights: str) -> tuple[Path, dict[str, Any]]:
    """Return the weight file and the configuration that belongs to it.

    Raises:
        WeightsError: If there is none.
    """
    if not weights:
        repository = f'{_HUB_OWNER}/{name}'
        try:
            return fetch({'hf_hub': repository}, _FILES), _CONFIGS[name]
        except FetchError as error:
            raise WeightsError(
                f'no weights for {name}: {error}. Either connect this machine to the network '
                f'once, so that the hub cache is filled, or copy {_CONFIG} and {_FILES[0]} or '
                f'{_FILES[1]} of https://huggingface.co/{repository} here and give their folder '
                f'as `weights`'
            ) from error
    path = Path(weights).expanduser()
    # What does not look like a path is none: the node's guard of files goes by the same.
    if not looks_like_path(weights) or not path.exists():
        what = (
            'does not exist' if looks_like_path(weights) else 'is not a path, and it has no tags'
        )
        raise WeightsError(
            f'weights {weights!r} of {name}: it {what}; give the folder of {_CONFIG} and '
            f'{_FILES[0]} as ./folder, a weight file, or nothing for the published ones'
        )
    if path.is_dir():
        found = next((path / file for file in _FILES if (path / file).is_file()), None)
        if found is None:
            raise WeightsError(f'the folder {str(path)!r} holds neither {" nor ".join(_FILES)}')
        return found, _read_config(path / _CONFIG)
    return path, _CONFIGS[name]


def _read_config(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(read_bounded(path, limit_bytes=_MAX_CONFIG_BYTES))
    except (OSError, ValueError, RecursionError) as error:
        raise WeightsError(f'{path} can not be read: {error}') from error
    if not isinstance(content, dict) or content.get('model_type') != 'clipseg':
        raise WeightsError(f'{path} is not the configuration of a CLIPSeg')
    return content


def _check(config: Any, *, layers: int) -> Any:
    """Refuse a configuration that can't be a trunk, or has more layers than tensors.

    Raises:
        ValueError: If it is one.
    """
    text, vision, read = config.text_config, config.vision_config, config.extract_layers
    if max(text.num_hidden_layers, vision.num_hidden_layers, len(read)) > layers:
        raise ValueError('it has more layers than the weight file has tensors')
    if not isinstance(vision.patch_size, int) or STRIDE % vision.patch_size:
        raise ValueError(f'its patch_size is {vision.patch_size}, which does not divide {STRIDE}')
    if not read or not all(0 <= index < vision.num_hidden_layers for index in read):
        raise ValueError(f'its extract_layers {read} are not layers of its image tower')
    if len(set(read)) < len(read) or text.vocab_size != _VOCABULARY:
        raise ValueError(
            f'its extract_layers are {read} and its vocab_size is {text.vocab_size}: they must be '
            f"different, and {_VOCABULARY}, as many as CLIP's byte pair encoding has"
        )
    return config
