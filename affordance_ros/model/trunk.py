# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""The frozen CLIP trunk: three stages, the global image vector, dense values and text features."""

from collections.abc import Collection
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import open_clip
import torch
import torch.nn.functional as F
from torch import nn

from affordance_ros.model.compact import COMPACT_CONFIG
from affordance_ros.model.compact import COMPACT_NAME
from affordance_ros.model.weights import WeightsError
from affordance_ros.model.weights import find_weights
from affordance_ros.model.weights import hash_state_dict
from affordance_ros.model.weights import read_state_dict

RANDOM_WEIGHTS = 'random'
STRIDE = 32
STAGES = ('layer2', 'layer3', 'layer4')
STAGE_STRIDES = {'layer2': 8, 'layer3': 16, 'layer4': 32}


class Trunk(nn.Module):
    """A ResNet CLIP of open_clip, frozen and always in eval mode.

    Args:
        clip: The CLIP whose `visual` is a ModifiedResNet.
        name: The model's name, kept in checkpoints.
        weights: Where its weights came from, for people to read.
        untrained: True if the weights are random.

    Raises:
        ValueError: If the visual tower is not a ResNet.
    """

    def __init__(
        self, clip: open_clip.CLIP, *, name: str, weights: str, untrained: bool = False
    ) -> None:
        super().__init__()
        if not hasattr(clip.visual, 'layer4') or not hasattr(clip.visual, 'attnpool'):
            raise ValueError(
                f'{name} has no ResNet trunk: AffordanceCLIP needs the stages of a ResNet CLIP, '
                f'such as RN101-quickgelu'
            )
        self.clip = clip
        self.name = name
        self.weights = weights
        self.untrained = untrained
        self.requires_grad_(False)
        self.eval()
        self._sha256 = ''
        self._position_grids: dict[tuple[int, int, torch.device, torch.dtype], torch.Tensor] = {}

    @property
    def embed_dim(self) -> int:
        """C, the length of image and text vectors."""
        return int(self.clip.visual.output_dim)

    @property
    def channels(self) -> dict[str, int]:
        """Channels of each feature map, and of the global vector."""
        visual = self.clip.visual
        counts = {stage: int(getattr(visual, stage)[-1].conv3.out_channels) for stage in STAGES}
        return {**counts, 'global': self.embed_dim, 'dense': self.embed_dim}

    @property
    def logit_scale(self) -> float:
        """The temperature that CLIP has learned, as a factor on cosines."""
        return float(self.clip.logit_scale.exp())

    @property
    def sha256(self) -> str:
        """A hash of all weights; see `hash_state_dict`."""
        if not self._sha256:
            self._sha256 = hash_state_dict(self.clip.state_dict())
        return self._sha256

    def train(self, mode: bool = True) -> 'Trunk':
        """Stay in eval mode: training would move the BatchNorm statistics."""
        return super().train(False)

    @torch.no_grad()
    def forward(self, image: torch.Tensor, outputs: Collection[str]) -> dict[str, torch.Tensor]:
        """Compute the features named in `outputs`.

        Args:
            image: (N, 3, H, W) float, CLIP-normalised RGB; H and W are multiples of 32.
            outputs: Any of 'layer2', 'layer3', 'layer4', 'global' and 'dense'.

        Returns:
            'layer2' (N, C3, H/8, W/8), 'layer3' (N, C2, H/16, W/16), 'layer4' (N, C1, H/32, W/32),
            'global' (N, C) and 'dense' (N, C, H/32, W/32), as far as they were asked for.

        Raises:
            ValueError: If the size is not a multiple of 32.
        """
        height, width = image.shape[-2:]
        if height % STRIDE or width % STRIDE:
            raise ValueError(
                f'the input is {width}x{height}: both sides must be multiples of {STRIDE}'
            )
        stages = self.clip.visual.forward_intermediates(
            image, indices=[2, 3, 4], intermediates_only=True
        )['image_intermediates']
        features = self.complete(dict(zip(STAGES, stages, strict=True)), outputs)
        return {name: features[name] for name in outputs}

    def complete(
        self,
        stages: Mapping[str, torch.Tensor],
        outputs: Collection[str],
        grid: torch.Tensor | None = None,
    ) -> dict[str, torch.Tensor]:
        """Return the stages' features together with what the attention pool makes of the last.

        Args:
            stages: By name, as `forward` returns them.
            outputs: As for `forward`.
            grid: As `position_grid` returns it, where it is at hand.
        """
        features = dict(stages)
        if 'global' in outputs:
            features['global'] = self.pool(features['layer4'], grid)
        if 'dense' in outputs:
            features['dense'] = self.project_values(features['layer4'], grid)
        return features

    def pool(self, layer4: torch.Tensor, grid: torch.Tensor | None = None) -> torch.Tensor:
        """Attention-pool layer4 into F_S, querying with the mean token alone.

        open_clip queries with every token and keeps the first; the result is the same.

        Args:
            layer4: (N, C1, h, w).
            grid: As `position_grid` returns it, where it is at hand.

        Returns:
            F_S, (N, C), not normalised.
        """
        pool = self.clip.visual.attnpool
        tokens = self._tokens(layer4, grid)  # (N, 1 + hw, C1)
        n, length, channels = tokens.shape
        heads = pool.num_heads
        # Split into heads: (N, heads, 1 or 1 + hw, d).
        query = pool.q_proj(tokens[:, :1]).view(n, 1, heads, -1).transpose(1, 2)
        key = pool.k_proj(tokens).view(n, length, heads, -1).transpose(1, 2)
        value = pool.v_proj(tokens).view(n, length, heads, -1).transpose(1, 2)
        pooled = F.scaled_dot_product_attention(query, key, value)  # (N, heads, 1, d)
        return pool.c_proj(pooled.transpose(1, 2).reshape(n, channels))  # (N, C)

    def project_values(
        self, layer4: torch.Tensor, grid: torch.Tensor | None = None
    ) -> torch.Tensor:
        """Apply the pool's value and output projections at every location (MaskCLIP, ECCV 2022).

        Args:
            layer4: (N, C1, h, w).
            grid: As `position_grid` returns it, where it is at hand.

        Returns:
            (N, C, h, w) in the space of text features, not normalised.
        """
        pool = self.clip.visual.attnpool
        n, _, h, w = layer4.shape
        values = pool.c_proj(pool.v_proj(self._tokens(layer4, grid)[:, 1:]))  # (N, hw, C)
        return values.transpose(1, 2).reshape(n, -1, h, w)

    def _tokens(self, layer4: torch.Tensor, grid: torch.Tensor | None) -> torch.Tensor:
        """Return the pool's tokens, (N, 1 + hw, C1): the mean first, positions added."""
        first = self.clip.visual.attnpool.positional_embedding[0].to(layer4.dtype)
        mean = layer4.flatten(2).transpose(1, 2).mean(dim=1, keepdim=True) + first  # (N, 1, C1)
        placed = layer4 + (self.position_grid(layer4) if grid is None else grid)
        return torch.cat([mean, placed.flatten(2).transpose(1, 2)], dim=1)

    def position_grid(self, layer4: torch.Tensor) -> torch.Tensor:
        """Return the locations' positional embedding, (C1, h, w), made once per size.

        Args:
            layer4: (N, C1, h, w), or another tensor of that size, device and dtype.
        """
        size = layer4.shape[-2], layer4.shape[-1]
        key = (*size, layer4.device, layer4.dtype)
        if key not in self._position_grids:
            embedding = self.clip.visual.attnpool.positional_embedding.detach()
            side = round((len(embedding) - 1) ** 0.5)
            grid = embedding[1:].T.reshape(1, -1, side, side)
            if size != (side, side):
                grid = F.interpolate(
                    grid, size, mode='bicubic', antialias=True, align_corners=False
                )
            self._position_grids[key] = grid[0].to(layer4.device, layer4.dtype)
        return self._position_grids[key]


def load_trunk(
    name: str, weights: str, *, trusted_sha256: Collection[str] | None = None, seed: int = 0
) -> Trunk:
    """Build a trunk and fill in its weights.

    Args:
        name: `compact`, or an open_clip ResNet name such as `RN101-quickgelu`.
        weights: A path, an open_clip tag such as `openai`, or `random` for an untrained trunk.
        trusted_sha256: See `read_state_dict`.
        seed: Seed of random weights.

    Returns:
        The trunk, on the CPU, in float32.

    Raises:
        ValueError: If the name is unknown or not a ResNet.
        WeightsError: If the weights can't be found or don't fit.
    """
    # Registered names alone: open_clip would follow local-dir:... and hf-hub:... anywhere.
    registered = open_clip.get_model_config(name) if name in open_clip.list_models() else None
    config = COMPACT_CONFIG if name == COMPACT_NAME else registered
    if config is None or not isinstance(config['vision_cfg'].get('layers'), list):
        known = [COMPACT_NAME, *(m for m in open_clip.list_models() if m.startswith('RN'))]
        raise ValueError(f'model {name!r} is not a ResNet CLIP; known are {", ".join(known)}')
    if weights == RANDOM_WEIGHTS:
        clip = _build_random(config, seed)
        return Trunk(clip, name=name, weights=f'random (seed {seed})', untrained=True)
    if name == COMPACT_NAME and not Path(weights).suffix:
        raise WeightsError(f'{name} has no published weights: give a file, or "{RANDOM_WEIGHTS}"')
    path = find_weights(name, weights)
    state = read_state_dict(path, trusted_sha256=trusted_sha256)
    clip = _build(config)
    _load_state(clip, state, name, path)
    return Trunk(clip, name=name, weights=str(path))


def _build(config: dict[str, Any]) -> open_clip.CLIP:
    arguments = {k: v for k, v in config.items() if k in ('embed_dim', 'vision_cfg', 'text_cfg')}
    return open_clip.CLIP(**arguments, quick_gelu=config.get('quick_gelu', False))


def _build_random(config: dict[str, Any], seed: int) -> open_clip.CLIP:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        clip = _build(config)
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


def _load_state(
    clip: open_clip.CLIP, state: dict[str, torch.Tensor], name: str, path: Path
) -> None:
    own = clip.state_dict()
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
    clip.load_state_dict({k: v.reshape(own[k].shape) for k, v in state.items()})
