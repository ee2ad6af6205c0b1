# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Render a split into a store: every scene from its own seed, shards on all cores, resumable."""

from __future__ import annotations

import hashlib
import importlib
import multiprocessing
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
from tqdm import tqdm

from affordance_ros_tabletop.catalogue import DEFAULT_PATH
from affordance_ros_tabletop.catalogue import load_catalogue
from affordance_ros_tabletop.frame import Frame
from affordance_ros_tabletop.splits import SPLITS
from affordance_ros_tabletop.store import Store
from affordance_ros_tabletop.store import StoreSettings

if TYPE_CHECKING:
    from affordance_ros_tabletop.renderer import Renderer
    from affordance_ros_tabletop.world import World

SHARD = 48
# The least number of objects in a scene, and the first that is too many.
_COUNTS = {'unseen': (1, 6)}
_USUAL_COUNTS = (2, 7)


@dataclass(frozen=True)
class _Job:
    root: Path
    index: int


def catalogue_digest(path: Path = DEFAULT_PATH) -> str:
    """Return a short digest of the catalogue file, which stands in a store's settings."""
    return hashlib.sha256(path.read_bytes()).hexdigest()[:16]


@contextmanager
def open_world(settings: StoreSettings, index: int) -> Iterator[tuple[World, Renderer]]:
    """Build the world of a shard and a renderer for it."""
    from affordance_ros_tabletop.renderer import Renderer
    from affordance_ros_tabletop.world import build_world

    catalogue, split = load_catalogue(), SPLITS[settings.split]
    world = build_world(
        catalogue,
        split.nouns(catalogue),
        split=split.instances,
        rng=np.random.default_rng([settings.seed, split.index, index]),
        width=settings.width,
        height=settings.height,
    )
    with Renderer(world, settings.width, settings.height) as renderer:
        yield world, renderer


def render_shard(settings: StoreSettings, index: int) -> list[Frame]:
    """Render one shard; the same settings and index give the same frames."""
    from affordance_ros_tabletop.capture import capture
    from affordance_ros_tabletop.scene import compose
    from affordance_ros_tabletop.scene import viewpoint

    catalogue, split = load_catalogue(), SPLITS[settings.split]
    frames: list[Frame] = []
    with open_world(settings, index) as (world, renderer):
        for k in range(settings.shard):
            number = index * settings.shard + k
            # A rare scene shows nothing large enough to name: it is drawn again.
            for attempt in range(20):
                rng = np.random.default_rng([settings.seed, split.index, index, k, attempt])
                low, high = _COUNTS.get(split.name, _USUAL_COUNTS)
                placed = compose(
                    world,
                    catalogue,
                    rng,
                    focus=split.focus(catalogue),
                    count=int(rng.integers(low, high)),
                )
                view = viewpoint(placed, rng, settings.width / settings.height)
                frame = capture(
                    renderer,
                    catalogue,
                    placed,
                    view,
                    name=f'{split.name}_{settings.seed}_{number:06d}',
                )
                if frame.objects:
                    break
            frames.append(frame)
    return frames


def choose_backend() -> None:
    """Choose the GL backend once, here, so that workers inherit it; fail before they start."""
    importlib.import_module('affordance_ros_tabletop.gl')


def _work(job: _Job) -> int:
    cv2.setNumThreads(1)
    store = Store(job.root)
    store.write(job.index, render_shard(store.settings, job.index))
    return job.index


def render_split(
    root: Path,
    split: str,
    *,
    count: int,
    width: int,
    height: int,
    seed: int,
    workers: int,
    shard: int = SHARD,
) -> Store:
    """Render the missing shards of a store of `count` scenes.

    Args:
        root: the store's folder.
        split: name of the split.
        count: scenes wanted.
        width: pixels.
        height: pixels.
        seed: seed of the whole store.
        workers: processes, each with its own GL context; 1 renders in this one.
        shard: scenes per shard.
    """
    settings = StoreSettings(split, width, height, seed, shard, catalogue_digest())
    store = Store.create(root, settings)
    missing = store.missing(count)
    jobs = [_Job(root, k) for k in missing]
    done = (-(-count // shard) - len(missing)) * shard
    if jobs:
        choose_backend()
    with tqdm(
        total=done + len(jobs) * shard, initial=done, unit='scene', desc=split, disable=not jobs
    ) as bar:
        if workers <= 1 or len(jobs) <= 1:
            for job in jobs:
                _work(job)
                bar.update(shard)
            return store
        context = multiprocessing.get_context('spawn')
        with context.Pool(min(workers, len(jobs)), maxtasksperchild=20) as pool:
            for _ in pool.imap_unordered(_work, jobs):
                bar.update(shard)
    return store
