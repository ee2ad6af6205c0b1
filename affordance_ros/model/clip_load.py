# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Build a CLIP of open_clip and fill in its weights, or random ones."""

from collections.abc import Collection
from typing import Any

import open_clip
import torch
import torch.nn.functional as F
from torch import nn

from affordance_ros.image.preprocess import CLIP_NORMALIZATION
from affordance_ros.image.preprocess import Normalization
from affordance_ros.model.clip_trunk import ClipTrunk
from affordance_ros.model.compact import COMPACT_CONFIG
from affordance_ros.model.compact import COMPACT_VIT_CONFIG
from affordance_ros.model.config import looks_like_path
from affordance_ros.model.errors import WeightsError
from affordance_ros.model.known import COMPACT_NAME
from affordance_ros.model.known import COMPACT_VIT_NAME
from affordance_ros.model.known import PES
from affordance_ros.model.known import unknown_model
from affordance_ros.model.pe_clip import PeClip
from affordance_ros.model.resnet_clip import ResNetClip
from affordance_ros.model.trunk import RANDOM_WEIGHTS
from affordance_ros.model.vit_clip import VitClip
from affordance_ros.model.weights import find_weights
from affordance_ros.model.weights import fitted
from affordance_ros.model.weights import is_torchscript
from affordance_ros.model.weights import read_state_dict

DEFAULT_TAG = 'openai'  # whose weights are taken if nobody says otherwise
PE_TAG = 'meta'  # the same for a PE-Core
_SMALL = {COMPACT_NAME: COMPACT_CONFIG, COMPACT_VIT_NAME: COMPACT_VIT_CONFIG}
# What open_clip's configurations may say; anything else builds another network or tokenizer.
_CONFIG_KEYS = {'embed_dim', 'vision_cfg', 'text_cfg', 'quick_gelu'}
_TEXT_KEYS = {'context_length', 'vocab_size', 'width', 'heads', 'layers'}
_VIT_KEYS = {
    'image_size', 'layers', 'width', 'patch_size', 'head_width', 'mlp_ratio', 'ls_init_value',
}  # fmt: skip


def load_clip(
    name: str, weights: str, *, trusted_sha256: Collection[str] | None = None, seed: int = 0
) -> ClipTrunk:
    """Build a trunk and fill in its weights.

    Args:
        name: `compact`, `compact-vit`, or an open_clip name such as `RN101-quickgelu` or
            `ViT-B-16-quickgelu`, or one of PES.
        weights: A path, an open_clip tag such as `openai`, or `random` for an untrained trunk; ''
            for OpenAI's, or Meta's of a PE-Core.
        trusted_sha256: See `read_state_dict`.
        seed: Seed of random weights.

    Returns:
        The trunk, on the CPU, in float32.

    Raises:
        ValueError: If the name is unknown, or no ResNet, plain ViT or PE-Core.
        WeightsError: If the weights can't be found or don't fit.
    """
    weights = weights or (PE_TAG if name in PES else DEFAULT_TAG)
    config = _config(name)
    family: type[ClipTrunk] = ResNetClip if _is_resnet(config) else VitClip
    if name in PES:
        family = PeClip
    normalization = _normalization(name, weights)
    if weights == RANDOM_WEIGHTS:
        clip = _build_random(config, seed)
        return family(
            clip,
            name=name,
            weights=f'random (seed {seed})',
            untrained=True,
            normalization=normalization,
        )
    if name in _SMALL and not looks_like_path(weights):
        raise WeightsError(f'{name} has no published weights: give a file, or "{RANDOM_WEIGHTS}"')
    path = find_weights(name, weights)
    if name not in _SMALL and not config.get('quick_gelu') and is_torchscript(path):
        raise WeightsError(
            f"{path} is one of OpenAI's archives, which were trained with QuickGELU, and {name} "
            f'has GELU: the text features would be wrong; name the model {name}-quickgelu'
        )
    state = read_state_dict(path, trusted_sha256=trusted_sha256)
    clip = _build(config)
    clip.load_state_dict(fitted(state, clip.state_dict(), name=name, path=path))
    return family(clip, name=name, weights=str(path), normalization=normalization)


def _config(name: str) -> dict[str, Any]:
    """Return open_clip's configuration of a model that can be a trunk.

    Raises:
        ValueError: If there is none.
    """
    if name in _SMALL:
        return _SMALL[name]
    # Registered names alone: open_clip would follow local-dir:... and hf-hub:... anywhere.
    if name not in open_clip.list_models():
        raise unknown_model(name)
    if reason := why_not(name):
        raise ValueError(
            f'model {name!r} can not be a trunk: {reason}; ResNets, plain ViTs and PE-Cores '
            f'can, such as RN101-quickgelu or ViT-B-16-quickgelu'
        )
    config: dict[str, Any] = open_clip.get_model_config(name)
    return config


def why_not(name: str) -> str | None:
    """Return what keeps a registered model from being a trunk, or None."""
    config = open_clip.get_model_config(name)
    vision, text = config['vision_cfg'], config['text_cfg']
    if name in PES:
        return None
    if 'timm_model_name' in vision:
        return f"its image tower is timm's {vision['timm_model_name']}"
    if others := sorted(text.keys() - _TEXT_KEYS):
        return f'its text tower has {", ".join(others)}'
    if others := sorted(config.keys() - _CONFIG_KEYS):
        return f'it has {", ".join(others)}'
    if not _is_resnet(config) and (others := sorted(vision.keys() - _VIT_KEYS)):
        return f'its image tower has {", ".join(others)}'
    return None


def _is_resnet(config: dict[str, Any]) -> bool:
    return isinstance(config['vision_cfg'].get('layers'), list)


def _normalization(name: str, weights: str) -> Normalization:
    """Return what published weights were trained with; for files of a PE-Core too, else CLIP's."""
    published = open_clip.get_pretrained_cfg(name, PE_TAG if name in PES else weights)
    return Normalization(
        mean=tuple(published.get('mean') or CLIP_NORMALIZATION.mean),
        std=tuple(published.get('std') or CLIP_NORMALIZATION.std),
    )


def _build(config: dict[str, Any]) -> open_clip.CLIP | open_clip.CustomTextCLIP:
    arguments = {k: v for k, v in config.items() if k in ('embed_dim', 'vision_cfg', 'text_cfg')}
    kind = open_clip.CustomTextCLIP if config.get('custom_text') else open_clip.CLIP
    return kind(**arguments, quick_gelu=config.get('quick_gelu', False))


def _build_random(config: dict[str, Any], seed: int) -> open_clip.CLIP | open_clip.CustomTextCLIP:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        clip = _build(config)
        if _is_resnet(config):
            _enliven(clip.visual)
    return clip


def _enliven(visual: Any) -> None:
    """Give a random ResNet BatchNorms as if it had seen images.

    open_clip starts each block's last BatchNorm at zero, which leaves the residual branches dead,
    and untouched statistics let the signal fade from stage to stage: such a net would answer every
    image alike.
    """
    for name, norm in visual.named_modules():
        if not isinstance(norm, nn.BatchNorm2d):
            continue
        # A block's last one is small, so that the sum over 23 blocks stays of the order of one.
        low, high = (0.1, 0.3) if name.endswith('bn3') else (0.5, 1.0)
        nn.init.uniform_(norm.weight, low, high)
        nn.init.normal_(norm.bias, std=0.1)
        norm.momentum = None  # average the statistics over all that is seen, which is one batch
    blobs = F.interpolate(torch.randn(8, 3, 8, 8), size=(64, 64), mode='bicubic')
    visual.double().train()
    with torch.no_grad():
        visual.forward_intermediates(blobs.double(), intermediates_only=True)
    visual.float().eval()
    # The last digits depend on how many threads added them up; a seed must give the same weights
    # on every machine.
    for module in visual.modules():
        if isinstance(module, nn.BatchNorm2d):
            for name in ('running_mean', 'running_var'):
                statistic = module.get_buffer(name)
                statistic.copy_((statistic * 1024).round() / 1024)
