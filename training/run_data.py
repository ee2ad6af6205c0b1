# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""The images that a run trains on and is judged by."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from affordance_ros_training.config import DataConfig
from affordance_ros_training.config import TrainConfig
from affordance_ros_training.refer import DatasetError
from affordance_ros_training.refer import DatasetSpec
from affordance_ros_training.refer_cache import ReferImage
from affordance_ros_training.refer_cache import load_images


def load_training_images(config: DataConfig) -> list[ReferImage]:
    """Return the training split of every data set, one after the other.

    Raises:
        DatasetError: Naming everything that is missing, in all of them at once.
    """
    images: list[ReferImage] = []
    problems = []
    for text in config.datasets:
        try:
            images += _load(DatasetSpec.parse(text), 'train', config)
        except DatasetError as error:
            problems.append(str(error))
    if problems:
        raise DatasetError('\n'.join(problems))
    return images[: config.max_images or None]


def load_validation_images(config: TrainConfig) -> list[ReferImage]:
    """Return the validation split, thinned out as configured."""
    name = config.validation.dataset or config.data.datasets[0]
    images = _load(DatasetSpec.parse(name), config.validation.split, config.data)
    return spread(images, config.validation.max_images)


def spread(images: Sequence[ReferImage], most: int) -> list[ReferImage]:
    """Return at most so many images, spread evenly; all of them if `most` is 0."""
    if not most or len(images) <= most:
        return list(images)
    return [images[int(place)] for place in np.linspace(0, len(images) - 1, most)]


def _load(spec: DatasetSpec, split: str, config: DataConfig) -> list[ReferImage]:
    return load_images(
        spec,
        split,
        root=Path(config.root).expanduser(),
        cache=Path(config.converted).expanduser(),
        images=config.images,
    )
