# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Contrastive learning of images and captions: the image vector at any size, and the loss."""

from collections.abc import Collection
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


def encode_captions(clip: open_clip.CLIP, tokens: torch.Tensor) -> torch.Tensor:
    """Encode captions, with gradient, reading no further than the longest of them.

    The text transformer is causal, so what lies behind a caption's end changes nothing, and short
    captions cost a fraction of the full context.

    Args:
        clip: A CLIP whose text transformer is causal and takes the last token's vector.
        tokens: (M, L) int64, as the tokenizer makes them.

    Returns:
        (M, C), not normalised; equal to `clip.encode_text(tokens)` but for rounding.
    """
    length = int((tokens != 0).sum(dim=1).max())
    tokens = tokens[:, :length]
    x = clip.token_embedding(tokens) + clip.positional_embedding[:length]
    x = clip.transformer(x, attn_mask=clip.attn_mask[:length, :length])
    x = clip.ln_final(x)
    ends = tokens.argmax(dim=1)  # the end of text has the highest number of all tokens
    vectors: torch.Tensor = x[torch.arange(len(x)), ends] @ clip.text_projection
    return vectors


def contrastive_loss(logits: torch.Tensor, positives: torch.Tensor) -> torch.Tensor:
    """Compute CLIP's loss where a picture may have several captions, and a caption pictures.

    Args:
        logits: (N, M) scaled cosines, pictures by distinct captions.
        positives: (N, M) bool, True where the caption is true of the picture; each row and each
            column has one at least.

    Returns:
        The mean of both directions' cross-entropy against the evenly spread positives, less its
        least possible value, so that 0 is perfect however many positives there are.
    """
    same = positives.float()
    per_picture, per_caption = same.sum(dim=1, keepdim=True), same.sum(dim=0, keepdim=True)
    loss = F.cross_entropy(logits, same / per_picture)
    loss = loss + F.cross_entropy(logits.T, (same / per_caption).T)
    entropy = per_picture.log().mean() + per_caption.log().mean()
    return (loss - entropy) / 2


def match_captions(
    captions: Sequence[str], known: Sequence[Collection[str]]
) -> tuple[list[str], torch.Tensor]:
    """Tell which captions are true of which pictures, as far as the list says it.

    Args:
        captions: Texts; equal ones count once.
        known: For each picture all its captions.

    Returns:
        The M distinct captions and (N, M) bool.
    """
    distinct = list(dict.fromkeys(captions))
    positives = torch.tensor([[caption in own for caption in distinct] for own in known])
    return distinct, positives


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
