# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Images in messages: compressed, raw, depth."""

from pathlib import Path
from random import Random
from types import SimpleNamespace

import cv2
import numpy as np

from affordance_ros.image.decode import MAX_PIXELS
from affordance_ros.image.ros_image import _PIXEL_BYTES
from affordance_ros.image.ros_image import ImageError
from affordance_ros.image.ros_image import check_message
from affordance_ros.image.ros_image import decode_compressed
from affordance_ros.image.ros_image import needs_bridge
from affordance_ros.image.ros_image import read_message
from affordance_ros.image.ros_image import tight_rows
from affordance_ros.spatial.depth import DepthError
from affordance_ros.spatial.depth import DepthImage
from tests.fuzz.mutate import INTEGERS
from tests.fuzz.mutate import draw_text
from tests.fuzz.mutate import mutate_bytes
from tests.fuzz.target import Feed
from tests.fuzz.target import Target

_DEPTHS = ('16UC1', 'mono16', '32FC1')


def _encoded() -> list[bytes]:
    rng = np.random.default_rng(0)
    noise = rng.integers(0, 256, (19, 23, 3), np.uint8)
    smooth = cv2.resize(noise[:3, :3], (23, 19))
    grey, deep = noise[..., 0], noise.astype(np.uint16) * 257
    alpha = np.dstack([smooth, grey])
    quality, progressive = cv2.IMWRITE_JPEG_QUALITY, cv2.IMWRITE_JPEG_PROGRESSIVE
    kinds = [
        ('.jpg', noise, []),
        ('.jpg', smooth, [quality, 30, progressive, 1]),
        ('.jpg', grey, [cv2.IMWRITE_JPEG_RST_INTERVAL, 1]),
        ('.png', smooth, []),
        ('.png', alpha, []),
        ('.png', deep, []),
        ('.png', (grey > 127).astype(np.uint8) * 255, [cv2.IMWRITE_PNG_BILEVEL, 1]),
        ('.bmp', smooth, []),
        ('.bmp', grey, []),
        ('.webp', smooth, [cv2.IMWRITE_WEBP_QUALITY, 60]),
        ('.webp', alpha, [cv2.IMWRITE_WEBP_QUALITY, 101]),
    ]
    return [cv2.imencode(*kind)[1].tobytes() for kind in kinds]


def _prepare(folder: Path) -> Feed:
    seeds = _encoded()

    def compressed(rng: Random) -> None:
        data = mutate_bytes(rng, rng.choice(seeds), seeds)
        image = decode_compressed(memoryview(data))
        assert image.pixels.dtype == np.uint8 and image.pixels.shape[2:] == (3,)
        assert image.pixels.shape[0] * image.pixels.shape[1] <= MAX_PIXELS

    def message(rng: Random, encodings: tuple[str, ...]) -> SimpleNamespace:
        encoding = rng.choice(encodings) if rng.random() < 0.9 else draw_text(rng)
        height, width = rng.randrange(40), rng.randrange(40)
        step = width * _PIXEL_BYTES.get(encoding, 4) + rng.choice((0, 0, 1, 7, -1))
        size = max(0, height * step + rng.choice((0, 0, 0, 3, -1, -50)))
        fields = {'height': height, 'width': width, 'step': max(0, step)}
        if rng.random() < 0.4:
            fields[rng.choice(list(fields))] = rng.choice(INTEGERS) % 2**32
        return SimpleNamespace(
            **fields, encoding=encoding, is_bigendian=rng.randrange(3), data=rng.randbytes(size)
        )

    def raw(rng: Random) -> None:
        image = message(rng, tuple(_PIXEL_BYTES))
        check_message(image)
        if needs_bridge(image):
            assert (
                len(tight_rows(image)) == image.height * image.width * _PIXEL_BYTES[image.encoding]
            )
        else:
            read = read_message(image)
            assert read.pixels.shape[:2] == (image.height, image.width)
            assert read.to_bgr().shape == (image.height, image.width, 3)

    def depth(rng: Random) -> None:
        image = message(rng, _DEPTHS)
        metres = DepthImage.view(image).metres()
        assert metres.shape == (image.height, image.width)
        assert not (metres <= 0).any() and not np.isinf(metres).any()

    return lambda rng: rng.choice((compressed, compressed, raw, depth))(rng)


TARGET = Target('images in messages: compressed, raw, depth', (ImageError, DepthError), _prepare)
