"""Contrastive learning of images and captions: the image vector at any size, and the loss."""

from collections.abc import Sequence

import open_clip
import torch
import torch.nn.functional as F
from torch import nn
from torch.func import functional_call

from affordance_ros.model.compact import COMPACT_CONFIG


def build_compact(seed: int) -> open_clip.CLIP:
    """Return a compact CLIP with open_clip's own initial weights, for training from scratch."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return open_clip.CLIP(
            embed_dim=COMPACT_CONFIG['embed_dim'],
            vision_cfg=COMPACT_CONFIG['vision_cfg'],
            text_cfg=COMPACT_CONFIG['text_cfg'],
            quick_gelu=COMPACT_CONFIG['quick_gelu'],
        )


def encode_pictures(clip: open_clip.CLIP, pixels: torch.Tensor) -> torch.Tensor:
    """Encode pictures of any size, with gradient.

    The attention pool's positional embedding is interpolated as `Trunk` does it.

    Args:
        clip: A CLIP with a ResNet.
        pixels: (N, 3, S, S) CLIP-normalised; S is a multiple of 32.

    Returns:
        (N, C), not normalised.
    """
    visual = clip.visual
    x = visual.stem(pixels)
    for stage in (visual.layer1, visual.layer2, visual.layer3, visual.layer4):
        x = stage(x)
    embedding = visual.attnpool.positional_embedding
    side = round((len(embedding) - 1) ** 0.5)
    height, width = x.shape[-2:]
    if (height, width) != (side, side):
        square = embedding[1:].T.reshape(1, -1, side, side)
        grid = F.interpolate(
            square, (height, width), mode='bicubic', antialias=True, align_corners=False
        )
        embedding = torch.cat([embedding[:1], grid.flatten(2)[0].T])
    pooled: torch.Tensor = functional_call(
        visual.attnpool, {'positional_embedding': embedding}, (x,)
    )
    return pooled


def contrastive_loss(logits: torch.Tensor, groups: torch.Tensor) -> torch.Tensor:
    """Compute CLIP's loss where pictures that share a caption are all each other's positives.

    Args:
        logits: (N, N) scaled cosines, pictures by captions.
        groups: (N,) equal where the captions are equal.

    Returns:
        The mean of both directions' cross-entropy, less its least possible value, so that 0 is
        perfect however many captions are equal.
    """
    same = (groups[:, None] == groups[None]).float()
    target = same / same.sum(dim=1, keepdim=True)
    entropy = same.sum(dim=1).log().mean()
    loss = F.cross_entropy(logits, target) + F.cross_entropy(logits.T, target)
    return loss / 2 - entropy


def group_equal(captions: Sequence[str]) -> tuple[list[str], torch.Tensor]:
    """Return the distinct captions, and for each caption which of them it is."""
    numbers: dict[str, int] = {}
    groups = [numbers.setdefault(caption, len(numbers)) for caption in captions]
    return list(numbers), torch.tensor(groups)


def parameter_groups(clip: nn.Module, weight_decay: float) -> list[dict[str, object]]:
    """Return AdamW's groups: matrices and kernels decay; gains, biases and embeddings don't."""
    decayed: list[nn.Parameter] = []
    kept: list[nn.Parameter] = []
    for name, parameter in clip.named_parameters():
        plain = parameter.ndim < 2 or 'embedding' in name
        (kept if plain else decayed).append(parameter)
    return [
        {'params': decayed, 'weight_decay': weight_decay},
        {'params': kept, 'weight_decay': 0.0},
    ]
