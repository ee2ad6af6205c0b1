# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""AGD20K's folders: layouts, images, ground truths, predicted maps."""

import io
import os
import shutil
from pathlib import Path
from random import Random

import cv2
import numpy as np

from affordance_ros_eval.agd20k import SUFFIXES
from affordance_ros_eval.agd20k import list_split
from affordance_ros_eval.agd20k import read_image
from affordance_ros_eval.agd20k import read_truth
from affordance_ros_eval.errors import EvaluationError
from affordance_ros_eval.errors import ImageProblemError
from affordance_ros_eval.maps import MAP_SUFFIXES
from affordance_ros_eval.maps import find_map
from affordance_ros_eval.maps import read_map
from tests.fuzz.mutate import draw_text
from tests.fuzz.mutate import mutate_bytes
from tests.fuzz.target import Feed
from tests.fuzz.target import Target

_NAMES = ('Seen', 'Unseen', 'testset', 'egocentric', 'GT', 'hold', 'cut', 'cup', 'knife', 'a.jpg')


def _files() -> dict[str, list[bytes]]:
    rng = np.random.default_rng(0)
    photo = rng.integers(0, 256, (12, 16, 3), np.uint8)
    heat = rng.random((12, 16))
    files = {
        suffix: [cv2.imencode(suffix, image)[1].tobytes() for image in (photo, photo[..., 0])]
        for suffix in SUFFIXES
    }
    files['.png'].append(cv2.imencode('.png', (heat * 65535).astype(np.uint16))[1].tobytes())
    for suffix, write in (('.npy', np.save), ('.npz', np.savez), ('.npz', np.savez_compressed)):
        buffer = io.BytesIO()
        write(buffer, heat)  # type: ignore[operator]
        files.setdefault(suffix, []).append(buffer.getvalue())
    return files


def _prepare(folder: Path) -> Feed:
    files = _files()
    everything = [data for kind in files.values() for data in kind]

    def put(rng: Random, path: Path) -> None:
        data = rng.choice(files.get(path.suffix, everything))
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data if rng.random() < 0.5 else mutate_bytes(rng, data, everything))
        except (OSError, ValueError):
            pass  # no file system takes this name

    def name(rng: Random, usual: str) -> str:
        if rng.random() < 0.9:
            return usual
        odd = rng.choice(_NAMES) if rng.random() < 0.5 else draw_text(rng)
        return odd.replace('/', '') or 'x'

    def feed(rng: Random) -> None:
        root = folder / 'AGD20K'
        shutil.rmtree(root, ignore_errors=True)
        split = rng.choice(('Seen', 'Unseen', 'Val'))
        base = root / name(rng, split) / name(rng, 'testset')
        for number in range(rng.randrange(4)):
            place = f'{name(rng, "hold")}/{name(rng, "cup")}/{name(rng, f"cup_{number}")}'
            put(rng, base / name(rng, 'egocentric') / (place + rng.choice(SUFFIXES)))
            if rng.random() < 0.9:
                put(rng, base / name(rng, 'GT') / (place + rng.choice(SUFFIXES)))
            put(rng, root / 'maps' / (place + rng.choice(MAP_SUFFIXES)))
        if rng.random() < 0.05 and os.path.isdir(base):
            shutil.rmtree(base / 'GT', ignore_errors=True)
            os.symlink('/dev/zero', base / 'GT')
        listing = list_split(root, split)
        listing.digest()
        for item in listing.items:
            assert item.image is not None
            for read in (read_image, read_truth):
                pixels = read(item.image if read is read_image else item.truth)
                assert pixels.dtype == np.uint8 and pixels.size
            assert np.isfinite(read_map(find_map(root / 'maps', item))).all()

    return feed


TARGET = Target(
    "AGD20K's folders: layouts, images, maps", (EvaluationError, ImageProblemError), _prepare
)
