# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Images in messages: compressed, raw, depth."""

from pathlib import Path
from random import Random
from types import SimpleNamespace

import cv2
import numpy as np

from affordance_ros.image.compressed import decode_compressed
from affordance_ros.image.decode import MAX_PIXELS
from affordance_ros.image.ros_image import _PIXEL_BYTES
from affordance_ros.image.ros_image import ImageError
from affordance_ros.image.ros_image import check_message
from affordance_ros.image.ros_image import read_message
from affordance_ros.spatial.compressed_depth import decode_depth
from affordance_ros.spatial.depth import DepthError
from affordance_ros.spatial.depth import DepthImage
from affordance_ros.spatial.rgbd import Rgbd
from affordance_ros.spatial.rgbd import read_rgbd
from tests.fuzz.mutate import FLOATS
from tests.fuzz.mutate import INTEGERS
from tests.fuzz.mutate import draw_text
from tests.fuzz.mutate import mutate_bytes
from tests.fuzz.target import Feed
from tests.fuzz.target import Target

FORMATS = (
    'jpeg', 'png', '', 'rgb8; jpeg compressed bgr8', 'rgb8; jpeg compressed rgb8',
    'mono16; png compressed ', 'bayer_rggb8; jpeg compressed ', 'bayer_gbrg16; png compressed ',
)  # fmt: skip
DEPTH_FORMATS = (
    '16UC1; compressedDepth png', '16UC1; compressedDepth', '32FC1; compressedDepth png',
    '16UC1; png compressed ', '16UC1; compressedDepth rvl',
)  # fmt: skip
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
        form = rng.choice(FORMATS) if rng.random() < 0.9 else draw_text(rng)
        image = decode_compressed(SimpleNamespace(format=form, data=memoryview(data)))
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
        read = read_message(image)
        assert read.pixels.shape[:2] == (image.height, image.width)
        assert read.to_bgr().shape == (image.height, image.width, 3)

    def depth(rng: Random) -> None:
        image = message(rng, _DEPTHS)
        metres = DepthImage.view(image).metres()
        assert metres.shape == (image.height, image.width)
        assert not (metres <= 0).any() and not np.isinf(metres).any()

    words = np.arange(19 * 23, dtype=np.uint16).reshape(19, 23)
    depths = [bytes(12) + cv2.imencode('.png', words)[1].tobytes()]

    def compressed_depth(rng: Random) -> None:
        data = mutate_bytes(rng, depths[0], seeds) if rng.random() < 0.9 else depths[0]
        form = rng.choice(DEPTH_FORMATS) if rng.random() < 0.9 else draw_text(rng)
        read = decode_depth(SimpleNamespace(format=form, data=memoryview(data)))
        metres = DepthImage.view(read).metres()
        assert not (metres <= 0).any() and not np.isinf(metres).any()

    def paired(rng: Random) -> None:
        image = message(rng, _DEPTHS)
        numbers = [rng.choice((0.0, 1.0, 30.5, 500.0, *FLOATS)) for _ in range(21)]
        info = SimpleNamespace(
            height=rng.choice((image.height, rng.randrange(40))), width=image.width,
            distortion_model='plumb_bob', d=[0.0] * rng.randrange(3), k=numbers[:9],
            p=numbers[9:], binning_x=rng.randrange(3), binning_y=rng.randrange(3),
            roi=SimpleNamespace(x_offset=0, y_offset=0, height=0, width=0),
        )  # fmt: skip
        size = (max(1, image.height), max(1, image.width))
        found = read_rgbd(image, info, size=size)
        assert isinstance(found, Rgbd) or found.text

    kinds = (compressed, compressed, raw, depth, compressed_depth, paired)
    return lambda rng: rng.choice(kinds)(rng)


TARGET = Target('images in messages: compressed, raw, depth', (ImageError, DepthError), _prepare)
