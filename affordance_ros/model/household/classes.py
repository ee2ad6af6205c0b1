# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""COCO's 80 classes, in the order of the detector's outputs, and how near a command is to each."""

import numpy as np
from numpy.typing import NDArray

CLASSES = (
    'person', 'bicycle', 'car', 'motorcycle', 'airplane', 'bus', 'train', 'truck', 'boat',
    'traffic light', 'fire hydrant', 'stop sign', 'parking meter', 'bench', 'bird', 'cat', 'dog',
    'horse', 'sheep', 'cow', 'elephant', 'bear', 'zebra', 'giraffe', 'backpack', 'umbrella',
    'handbag', 'tie', 'suitcase', 'frisbee', 'skis', 'snowboard', 'sports ball', 'kite',
    'baseball bat', 'baseball glove', 'skateboard', 'surfboard', 'tennis racket', 'bottle',
    'wine glass', 'cup', 'fork', 'knife', 'spoon', 'bowl', 'banana', 'apple', 'sandwich', 'orange',
    'broccoli', 'carrot', 'hot dog', 'pizza', 'donut', 'cake', 'chair', 'couch', 'potted plant',
    'bed', 'dining table', 'toilet', 'tv', 'laptop', 'mouse', 'remote', 'keyboard', 'cell phone',
    'microwave', 'oven', 'toaster', 'sink', 'refrigerator', 'book', 'clock', 'vase', 'scissors',
    'teddy bear', 'hair drier', 'toothbrush',
)  # fmt: skip
# A class that is less like the command than the most alike by 0.1 gets 0.3 of its weight.
SHARPNESS = 12.0


def class_phrase(name: str) -> str:
    """Return the text that stands for a class."""
    return f'a {name}'


def class_weights(
    sentence: NDArray[np.float32], class_vectors: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Return how near a sentence is to each class: relu(cos) * exp(12 (cos - max cos)).

    Args:
        sentence: (384,) unit vector.
        class_vectors: (80, 384) unit vectors of the classes' phrases.

    Returns:
        (80,) float32, not negative.
    """
    cosines = class_vectors @ sentence
    weights = np.maximum(cosines, 0) * np.exp(SHARPNESS * (cosines - cosines.max()))
    return np.asarray(weights, np.float32)
