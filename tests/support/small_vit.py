# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""A ViT CLIP of three blocks with random weights, with patches of any side."""

import open_clip
import torch

from affordance_ros.model.vit_clip import VitClip

_TEXT = {'context_length': 32, 'vocab_size': 49408, 'width': 64, 'heads': 2, 'layers': 1}


def small_vit(patch, **vision):
    """Return the trunk; its attention has four heads."""
    vision = {'image_size': 224, 'layers': 3, 'width': 64, 'head_width': 16} | vision
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        clip = open_clip.CLIP(48, {**vision, 'patch_size': patch}, _TEXT)
    return VitClip(clip, name=f'small-{patch}', weights='random', untrained=True)
