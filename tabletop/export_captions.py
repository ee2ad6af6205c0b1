# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Write frames as an image-caption list for contrastive pretraining: JSON lines.

<root>/images/<name>.jpg
<root>/captions_<split>.jsonl, one line per picture or crop:
{"image": "images/<name>.jpg", "box": [x, y, width, height] or null,
"captions": [...], "kind": "scene" | "object" | "part", "noun": ..., "part": ...}
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from affordance_ros.safe_io.atomic import write_atomically
from tabletop.captions import CaptionWriter
from tabletop.catalogue import Catalogue
from tabletop.export_referring import save_picture
from tabletop.frame import Frame


def export_captions(
    frames: Iterable[tuple[str, Frame]],
    root: Path,
    catalogue: Catalogue,
    *,
    seed: int,
    captions_each: int = 6,
) -> dict[str, int]:
    """Write the caption lists of the splits that the frames come from.

    Args:
        frames: (split, frame) pairs.
        root: the folder to write.
        catalogue: nouns, actions and kept-out pairs.
        seed: of the choice of words.
        captions_each: captions of each picture or crop, at most (equal ones are merged).

    Returns:
        Lines by split and kind.
    """
    writer = CaptionWriter(catalogue)
    (root / 'images').mkdir(parents=True, exist_ok=True)
    lines: dict[str, list[str]] = {}
    counts: dict[str, int] = {}
    for number, (split, frame) in enumerate(frames):
        rng = np.random.default_rng([seed, number])
        name = f'images/{frame.name}.jpg'
        save_picture(root / name, frame.rgb)
        for item in writer.write(frame, rng, each=captions_each):
            noun = None if item.owner is None else frame.objects[item.owner].noun
            lines.setdefault(split, []).append(
                json.dumps(
                    {
                        'image': name,
                        'box': item.box,
                        'captions': item.captions,
                        'kind': item.kind,
                        'noun': noun,
                        'part': item.part,
                    }
                )
            )
            key = f'{split}/{item.kind}'
            counts[key] = counts.get(key, 0) + 1
    for split, rows in lines.items():
        write_atomically(root / f'captions_{split}.jsonl', ('\n'.join(rows) + '\n').encode())
    return counts
