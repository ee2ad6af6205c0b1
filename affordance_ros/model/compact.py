# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Compact CLIPs of the same classes as the large ones, for tests and quick trials."""

from typing import Any

_TEXT = {'context_length': 32, 'vocab_size': 49408, 'width': 96, 'heads': 4, 'layers': 3}
# open_clip's model-config format: a ModifiedResNet and a text transformer, in small.
COMPACT_CONFIG: dict[str, Any] = {
    'embed_dim': 256,
    'quick_gelu': False,
    'vision_cfg': {'image_size': 224, 'layers': [1, 2, 2, 1], 'width': 32, 'patch_size': None},
    'text_cfg': _TEXT,
}
# A VisionTransformer with the same text transformer.
COMPACT_VIT_CONFIG: dict[str, Any] = {
    'embed_dim': 256,
    'quick_gelu': False,
    'vision_cfg': {
        'image_size': 224,
        'layers': 6,
        'width': 128,
        'head_width': 32,
        'patch_size': 16,
    },
    'text_cfg': _TEXT,
}
