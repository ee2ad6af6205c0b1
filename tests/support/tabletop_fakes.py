# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Frames drawn with rectangles: everything about them is known, and no GL is needed."""

import importlib.util

import numpy as np
import pytest

from affordance_ros_tabletop.assets import assets_root
from affordance_ros_tabletop.catalogue import load_catalogue
from affordance_ros_tabletop.errors import TabletopError
from affordance_ros_tabletop.frame import AffordancePoints
from affordance_ros_tabletop.frame import Frame
from affordance_ros_tabletop.frame import SceneObject

SIZE = 96


def fake_frame(seed: int, *, unseen: bool = True, name: str | None = None) -> Frame:
    """Draw a frame of up to nine objects in a grid, each with its parts as stripes."""
    catalogue, rng = load_catalogue(), np.random.default_rng(seed)
    nouns = catalogue.nouns(unseen=unseen)
    count = int(rng.integers(1, 8))
    chosen = [str(n) for n in rng.choice(nouns, count)]
    if count > 2:
        chosen[1] = chosen[0]
    instance, part = np.zeros((SIZE, SIZE), np.uint8), np.zeros((SIZE, SIZE), np.uint8)
    depth = np.full((SIZE, SIZE), 2.0, np.float32)
    objects, owner, action, pixel, visible = [], [], [], [], []
    cells = rng.permutation(9)[:count]
    for k, (noun, cell) in enumerate(zip(chosen, cells, strict=True)):
        kind = catalogue.types[noun]
        y, x = 32 * (cell // 3) + rng.integers(0, 8), 32 * (cell % 3) + rng.integers(0, 8)
        h, w = rng.integers(12, 24, 2)
        instance[y : y + h, x : x + w] = k + 1
        depth[y : y + h, x : x + w] = rng.uniform(0.4, 0.9)
        for j, p in enumerate(kind.parts):
            part[y : y + h, x + 4 * j : min(x + 4 * j + 3, x + w)] = catalogue.part_value(p)
        part[instance == 0] = 0
        colour = str(rng.choice([*kind.colours, 'mixed']))
        objects.append(
            SceneObject(
                noun, f'fake:{k}', colour, kind.unseen, np.eye(4).tolist(), 2 if k == 3 else None
            )
        )
        for index, name_of_action in enumerate(catalogue.actions):
            if name_of_action in kind.actions:
                for _ in range(6):
                    owner.append(k)
                    action.append(index)
                    pixel.append([x + rng.uniform(0, w), y + rng.uniform(0, h)])
                    visible.append(bool(rng.random() < 0.8))
    points = AffordancePoints(
        np.array(owner, np.int16),
        np.array(action, np.int16),
        np.zeros((len(owner), 3), np.float32),
        np.array(pixel, np.float32).reshape(-1, 2),
        np.array(visible, bool),
    )
    rgb = rng.integers(0, 255, (SIZE, SIZE, 3), np.uint8)
    return Frame(
        name or f'fake_{seed:06d}',
        rgb,
        depth,
        instance,
        part,
        np.eye(3),
        np.eye(4),
        tuple(objects),
        points,
    )


def why_no_rendering() -> str | None:
    """Return why this machine can't render, or None if it can."""
    if importlib.util.find_spec('mujoco') is None:
        return 'mujoco is not installed: pip install "affordance_ros[tabletop]"'
    try:
        assets_root()
        importlib.import_module('affordance_ros_tabletop.gl').open_context(16, 16).free()
    except TabletopError as error:
        return str(error)
    return None


NO_RENDERING = why_no_rendering()
needs_rendering = pytest.mark.skipif(NO_RENDERING is not None, reason=str(NO_RENDERING))
