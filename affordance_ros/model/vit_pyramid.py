# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""A feature pyramid of a plain ViT, as ViTDet makes one (ECCV 2022), for patches of any side.

The stages of stride 32, 16 and 8 are the last block's map and those of the blocks at two thirds
and one third of the depth, each normalised over its channels and resized. Patches whose side does
not divide 32 (L/14) see the image scaled to the nearest whole number of them.
"""

import torch
import torch.nn.functional as F

from affordance_ros.image.letterbox import STRIDE
from affordance_ros.model.trunk import Stage

MIDDLE = {'stride16': 'middle', 'stride8': 'early'}  # which block's map each stage is made of
MIN_BLOCKS = 3


def pyramid_stages(width: int) -> tuple[Stage, ...]:
    """Return the stages of a ViT whose tokens have `width` channels, from coarse to fine."""
    return tuple(Stage(f'stride{stride}', width, stride) for stride in (32, 16, 8))


def middle_blocks(depth: int) -> dict[int, str]:
    """Return the names of the middle maps by the number of the block that makes them."""
    return {round(depth / 3): 'early', round(2 * depth / 3): 'middle'}


def whole_patches(image: torch.Tensor, patch: int) -> torch.Tensor:
    """Scale an image (N, 3, H, W) to a whole number of patches where it has none."""
    if STRIDE % patch == 0:
        return image
    size = [(side + patch // 2) // patch * patch for side in image.shape[-2:]]
    return F.interpolate(image, size, mode='bilinear', align_corners=False)


def to_map(tokens: torch.Tensor, height: int, width: int) -> torch.Tensor:
    """Return the patches' tokens (N, 1 + hw, C) as a map (N, C, h, w)."""
    return tokens[:, 1:].transpose(1, 2).unflatten(2, (height, width))


def last_stage(level: torch.Tensor, patch: int) -> torch.Tensor:
    """Return the stage of stride 32, pooled from stride 16, so that small patches all count.

    Args:
        level: The last block's map, (N, C, h, w).
        patch: The side of its patches, in pixels.
    """
    return F.avg_pool2d(resize_level(level, 16, patch=patch), 2)


def resize_level(level: torch.Tensor, stride: int, *, patch: int) -> torch.Tensor:
    """Normalise a map over its channels and bring it to a stride.

    Tokens have a few channels that are larger than all others together, and a 1x1 convolution
    should not have to unlearn that.

    Args:
        level: (N, C, h, w).
        stride: In pixels of the input.
        patch: The side of its patches, in pixels.
    """
    level = F.layer_norm(level.permute(0, 2, 3, 1), [level.shape[1]]).permute(0, 3, 1, 2)
    sides = (level.shape[-2], level.shape[-1])
    if STRIDE % patch == 0:
        size = [side * patch // stride for side in sides]
    else:
        # The image's side is the multiple of 32 that is nearest to that of the patches.
        cells = [(side * patch + STRIDE // 2) // STRIDE for side in sides]
        size = [cell * (STRIDE // stride) for cell in cells]
    if patch == stride:
        return level
    return F.interpolate(level, size, mode='bilinear', align_corners=False)
