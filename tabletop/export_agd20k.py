# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Write frames as an AGD20K-format folder, which an evaluator of the real data reads.

    <root>/AGD20K-style/<subset>/testset/egocentric/<affordance>/<object>/<name>.jpg
    <root>/AGD20K-style/<subset>/testset/GT/<affordance>/<object>/<name>.png      8-bit grey
    <root>/AGD20K-style/index.jsonl                                               one line each

Subsets: Seen (test), KeptOut (test, where all that afford the action are kept-out nouns for it),
Unseen (unseen, where all that afford it are of types that FPN training never saw) and Val (val).
An image in which both sorts afford the action belongs to no subset and is left out.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

import cv2
import numpy as np

from affordance_ros.safe_io.atomic import write_atomically
from affordance_ros_tabletop.affordances import Affordance
from affordance_ros_tabletop.affordances import affordances
from affordance_ros_tabletop.catalogue import Catalogue
from affordance_ros_tabletop.export_referring import save_image
from affordance_ros_tabletop.frame import Frame

FOLDER = 'AGD20K-style'


def subset(item: Affordance, split: str, catalogue: Catalogue) -> str | None:
    """Return the subset that an affordance belongs to, or None for none."""
    kept_out = {n for n in item.nouns if (n, item.action) in catalogue.kept_out}
    unseen = {n for n in item.nouns if catalogue.types[n].unseen}
    if split == 'unseen':
        return 'Unseen' if unseen == item.nouns and not kept_out else None
    base = {'test': 'Seen', 'val': 'Val'}.get(split)
    if base is None or unseen:
        return None
    if not kept_out:
        return base
    return 'KeptOut' if kept_out == item.nouns and base == 'Seen' else None


def export_agd20k(
    frames: Iterable[tuple[str, Frame]], root: Path, catalogue: Catalogue
) -> dict[str, int]:
    """Write an AGD20K-format folder.

    Args:
        frames: (split, frame) pairs of the test, unseen and val splits; others give nothing.
        root: the folder to write.
        catalogue: actions and kept-out pairs.

    Returns:
        Numbers of image-action pairs by subset, and of images.
    """
    base, lines = root / FOLDER, []
    counts: dict[str, int] = {}
    for split, frame in frames:
        chosen = [
            (s, a)
            for a in affordances(frame, catalogue)
            if (s := subset(a, split, catalogue)) is not None
        ]
        for name, item in chosen:
            place = Path(item.action) / item.noun.replace(' ', '_')
            image = base / name / 'testset/egocentric' / place / f'{frame.name}.jpg'
            truth = base / name / 'testset/GT' / place / f'{frame.name}.png'
            image.parent.mkdir(parents=True, exist_ok=True)
            truth.parent.mkdir(parents=True, exist_ok=True)
            save_image(image, frame.rgb)
            grey = np.rint(item.heatmap * 255).astype(np.uint8)
            write_atomically(truth, cv2.imencode('.png', grey)[1].tobytes())
            lines.append(
                json.dumps(
                    {
                        'subset': name,
                        'affordance': item.action,
                        'object': item.noun,
                        'objects': sorted(item.nouns),
                        'image': str(image.relative_to(base)),
                        'gt': str(truth.relative_to(base)),
                        'scene': frame.name,
                    }
                )
            )
            counts[f'{name}/pairs'] = counts.get(f'{name}/pairs', 0) + 1
        for name in {s for s, _ in chosen}:
            counts[f'{name}/images'] = counts.get(f'{name}/images', 0) + 1
    base.mkdir(parents=True, exist_ok=True)
    write_atomically(base / 'index.jsonl', ''.join(f'{x}\n' for x in lines).encode())
    return counts
