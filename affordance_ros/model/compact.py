# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""A compact CLIP of the same classes as the large ones, for tests and for the embedded model."""

from typing import Any

# open_clip's model-config format: a ModifiedResNet and a text transformer, in small.
COMPACT_CONFIG: dict[str, Any] = {
    'embed_dim': 256,
    'quick_gelu': False,
    'vision_cfg': {'image_size': 224, 'layers': [1, 2, 2, 1], 'width': 32, 'patch_size': None},
    'text_cfg': {
        'context_length': 32,
        'vocab_size': 49408,
        'width': 96,
        'heads': 4,
        'layers': 3,
    },
}
