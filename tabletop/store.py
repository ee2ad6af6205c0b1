# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Scenes on disk: shards of compressed arrays, written atomically, rendered once, read often.

A shard is an .npz of plain arrays (no pickle), N scenes each:

    rgb (N, H, W, 3) uint8              depth (N, H, W) uint16, tenths of a millimetre, 0 = nothing
    instance (N, H, W) uint8            part (N, H, W) uint8
    matrix (N, 3, 3) float64            pose (N, 4, 4) float64, world from camera
    point_start (N + 1,) int64          rows of the points that belong to each scene
    point_owner, point_action (P,) int16      point_position (P, 3) float32, metres, world
    point_pixel (P, 2) float32          point_visible (P,) bool
    meta () str                         JSON: [{"name": ..., "objects": [SceneObject fields]}]
"""

from __future__ import annotations

import dataclasses
import json
import os
from collections.abc import Iterator
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from affordance_ros.safe_io.atomic import open_atomically
from affordance_ros.safe_io.atomic import write_atomically
from affordance_ros_tabletop.errors import StoreError
from affordance_ros_tabletop.frame import AffordancePoints
from affordance_ros_tabletop.frame import Frame
from affordance_ros_tabletop.frame import SceneObject

VERSION = 1
DEPTH_UNIT_M = 1e-4
SETTINGS_FILE = 'settings.json'


@dataclass(frozen=True)
class StoreSettings:
    """What a store was rendered with; a second run must ask for the same.

    Attributes:
        split: name of the split.
        width: pixels.
        height: pixels.
        seed: seed of the whole store.
        shard: scenes per shard.
        catalogue: digest of the catalogue file.
        version: of the format.
    """

    split: str
    width: int
    height: int
    seed: int
    shard: int
    catalogue: str
    version: int = VERSION


class Store:
    """The scenes of one split in a folder."""

    def __init__(self, root: Path) -> None:
        self.root = root
        path = root / SETTINGS_FILE
        if not path.is_file():
            raise StoreError(
                f'{path} is not there, so {root} is not a scene store: make it by '
                '`affordance-tabletop render --what scenes`'
            )
        raw = json.loads(path.read_text(encoding='utf-8'))
        if raw.get('version') != VERSION:
            raise StoreError(
                f'{root} is a scene store of version {raw.get("version")}, this code reads '
                f'{VERSION}: render it again into an empty folder'
            )
        self.settings = StoreSettings(**raw)

    @classmethod
    def create(cls, root: Path, settings: StoreSettings) -> Store:
        """Open a store for writing; one that exists must have the same settings."""
        path = root / SETTINGS_FILE
        if not path.is_file():
            root.mkdir(parents=True, exist_ok=True)
            text = json.dumps(dataclasses.asdict(settings), indent=2)
            write_atomically(path, text.encode())
        store = cls(root)
        if store.settings != settings:
            old, new = dataclasses.asdict(store.settings), dataclasses.asdict(settings)
            differs = ', '.join(f'{k} {old[k]} (asked: {new[k]})' for k in old if old[k] != new[k])
            raise StoreError(
                f'{root} holds scenes rendered with {differs}: '
                'use the same settings to continue it, or another folder'
            )
        store._sweep()
        return store

    def _sweep(self) -> None:
        """Remove what runs that were killed left half-written; leave what a live one writes."""
        for path in self.root.glob('.*.tmp'):
            try:
                os.kill(int(path.name.split('.')[-2]), 0)
            except ProcessLookupError:
                path.unlink(missing_ok=True)
            except (ValueError, PermissionError):
                continue

    def shard_path(self, index: int) -> Path:
        """Return where a shard is or will be."""
        return self.root / f'shard_{index:05d}.npz'

    def missing(self, count: int) -> list[int]:
        """Return the shards still to be rendered for `count` scenes."""
        shards = -(-count // self.settings.shard)
        return [k for k in range(shards) if not self.shard_path(k).is_file()]

    def write(self, index: int, frames: Sequence[Frame]) -> None:
        """Write a shard; it appears under its name only when it is complete."""
        with open_atomically(self.shard_path(index)) as file:
            np.savez_compressed(file, **_pack(frames))  # type: ignore[arg-type]

    def read(self, index: int) -> list[Frame]:
        """Read a shard."""
        with np.load(self.shard_path(index), allow_pickle=False) as arrays:
            return _unpack({key: arrays[key] for key in arrays.files})

    def frames(self, count: int) -> Iterator[Frame]:
        """Yield the first `count` scenes in order.

        Raises:
            StoreError: if they haven't all been rendered.
        """
        missing = self.missing(count)
        if missing:
            raise StoreError(
                f'{self.root} lacks {len(missing)} shard(s) of the {count} scenes asked for: '
                'run the same render command again to continue'
            )
        left = count
        for index in range(-(-count // self.settings.shard)):
            yield from self.read(index)[:left]
            left -= self.settings.shard


def _pack(frames: Sequence[Frame]) -> dict[str, np.ndarray]:
    sizes = [len(f.points.owner) for f in frames]
    depth = np.stack([np.rint(np.clip(f.depth / DEPTH_UNIT_M, 0, 65535)) for f in frames])
    meta = [
        {'name': f.name, 'objects': [dataclasses.asdict(o) for o in f.objects]} for f in frames
    ]
    return {
        'rgb': np.stack([f.rgb for f in frames]),
        'depth': depth.astype(np.uint16),
        'instance': np.stack([f.instance for f in frames]),
        'part': np.stack([f.part for f in frames]),
        'matrix': np.stack([f.matrix for f in frames]),
        'pose': np.stack([f.pose for f in frames]),
        'point_start': np.cumsum([0, *sizes]).astype(np.int64),
        'point_owner': np.concatenate([f.points.owner for f in frames]),
        'point_action': np.concatenate([f.points.action for f in frames]),
        'point_position': np.concatenate([f.points.position for f in frames]),
        'point_pixel': np.concatenate([f.points.pixel for f in frames]),
        'point_visible': np.concatenate([f.points.visible for f in frames]),
        'meta': np.array(json.dumps(meta)),
    }


def _unpack(arrays: dict[str, np.ndarray]) -> list[Frame]:
    frames = []
    for k, meta in enumerate(json.loads(str(arrays['meta']))):
        rows = slice(int(arrays['point_start'][k]), int(arrays['point_start'][k + 1]))
        frames.append(
            Frame(
                name=meta['name'],
                rgb=arrays['rgb'][k],
                depth=arrays['depth'][k].astype(np.float32) * np.float32(DEPTH_UNIT_M),
                instance=arrays['instance'][k],
                part=arrays['part'][k],
                matrix=arrays['matrix'][k],
                pose=arrays['pose'][k],
                objects=tuple(SceneObject(**o) for o in meta['objects']),
                points=AffordancePoints(
                    owner=arrays['point_owner'][rows],
                    action=arrays['point_action'][rows],
                    position=arrays['point_position'][rows],
                    pixel=arrays['point_pixel'][rows],
                    visible=arrays['point_visible'][rows],
                ),
            )
        )
    return frames
