# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""A tiny data set in AGD20K's layout: discs on grey, ground truths around them."""

import cv2
import numpy as np


def write_split(
    root, split, pairs, *, count=2, test_folder='testset', size=(60, 80), suffix='jpg'
):
    """Write `count` images for each (affordance, object); return the test folder."""
    folder = root / split / test_folder
    rng = np.random.default_rng(len(split))
    for affordance, thing in pairs:
        for number in range(count):
            name = f'{thing}_{number:06d}'
            rows, columns = np.mgrid[: size[0], : size[1]]
            y, x = rng.uniform(10, size[0] - 10), rng.uniform(10, size[1] - 10)
            away = (rows - y) ** 2 + (columns - x) ** 2
            image = np.full((*size, 3), 120, np.uint8)
            image[away < 80] = (30, 60, 220)
            place = f'{affordance}/{thing}'
            for kind, ending, pixels in (
                ('egocentric', suffix, image),
                ('GT', 'png', np.rint(255 * np.exp(-away / 120)).astype(np.uint8)),
            ):
                path = folder / kind / place / f'{name}.{ending}'
                path.parent.mkdir(parents=True, exist_ok=True)
                cv2.imwrite(str(path), pixels)
    return folder
