# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Write frames as a RefCOCO-format folder, which a reader of the real data reads.

<root>/images/<name>.jpg
<root>/tabletop/instances.json        COCO: images, annotations (RLE), categories
<root>/tabletop/refs(tabletop).p      a pickle of plain lists, dicts, strings and numbers
<root>/tabletop/expressions.jsonl     what each sentence is: kind, noun, part, relation
"""

from __future__ import annotations

import json
import pickle
from collections.abc import Iterable
from dataclasses import dataclass
from dataclasses import field
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from pycocotools import mask as coco_mask

from affordance_ros.safe_io.atomic import write_atomically
from affordance_ros_tabletop.catalogue import Catalogue
from affordance_ros_tabletop.errors import TabletopError
from affordance_ros_tabletop.expressions import Expression
from affordance_ros_tabletop.expressions import ExpressionWriter
from affordance_ros_tabletop.frame import Frame
from affordance_ros_tabletop.regions import box
from affordance_ros_tabletop.words import tokens

DATASET = 'tabletop'
MIN_REGION_PX = 15


@dataclass
class _Folder:
    """What the files will hold."""

    images: list[dict[str, Any]] = field(default_factory=list)
    annotations: list[dict[str, Any]] = field(default_factory=list)
    refs: list[dict[str, Any]] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    sentences: int = 0


def export_referring(
    frames: Iterable[tuple[str, Frame]],
    root: Path,
    catalogue: Catalogue,
    *,
    seed: int,
    refs_per_image: int = 14,
    sentences_per_ref: int = 4,
    absent: float = 0.15,
) -> dict[str, int]:
    """Write a RefCOCO-format folder.

    A ref's region may be several objects (all mugs, where the words are 'the mug' and there are
    two): its annotation is then the union, marked by "group". Refs of the train split that speak
    of absent things have an annotation of no pixels, marked by "absent".

    Args:
        frames: (split, frame) pairs.
        root: the folder to write.
        catalogue: nouns, parts and colours.
        seed: of the choice of expressions.
        refs_per_image: most refs an image gets.
        sentences_per_ref: most sentences a ref gets.
        absent: absent refs per present ref in the train split.

    Returns:
        Counts of images, refs and sentences, by split.
    """
    folder, writer = _Folder(), ExpressionWriter(catalogue)
    (root / DATASET).mkdir(parents=True, exist_ok=True)
    (root / 'images').mkdir(exist_ok=True)
    counts: dict[str, int] = {}
    for split, frame in frames:
        rng = np.random.default_rng([seed, len(folder.images)])
        refs = _choose(frame, writer, catalogue, rng, refs_per_image, sentences_per_ref)
        if split == 'train':
            for _ in range(rng.binomial(len(refs), absent)):
                refs.append([writer.absent(frame, rng, unseen=False)])
        _add(folder, split, frame, refs, catalogue, root)
        for key, number in (
            ('images', 1),
            ('refs', len(refs)),
            ('sentences', sum(map(len, refs))),
        ):
            counts[f'{split}/{key}'] = counts.get(f'{split}/{key}', 0) + number
    _save(folder, root, catalogue)
    return counts


def _choose(
    frame: Frame,
    writer: ExpressionWriter,
    catalogue: Catalogue,
    rng: np.random.Generator,
    most_refs: int,
    most_sentences: int,
) -> list[list[Expression]]:
    """Group expressions by what they name, and keep some of each kind."""
    groups: dict[tuple[tuple[int, ...], str | None], list[Expression]] = {}
    for _ in range(2):  # twice, so that most regions get different ways to say the same
        for expression in writer.write(frame, rng):
            group = groups.setdefault((expression.owners, expression.part), [])
            if expression.text not in {e.text for e in group}:
                group.append(expression)
    kept = [g for g in groups.values() if int(g[0].mask(frame, catalogue).sum()) >= MIN_REGION_PX]
    order = [kept[k] for k in rng.permutation(len(kept))]
    # Objects and parts first in turn: relations are many, and would crowd them out.
    whole = [g for g in order if g[0].part is None]
    parts = [g for g in order if g[0].part is not None]
    mixed = [g for pair in zip(whole, parts, strict=False) for g in pair]
    mixed += whole[len(parts) :] + parts[len(whole) :]
    chosen = []
    for group in mixed[:most_refs]:
        picks = rng.permutation(len(group))[:most_sentences]
        chosen.append([group[int(k)] for k in picks])
    return chosen


def _annotation(mask: NDArray[np.bool_]) -> dict[str, Any]:
    rle = coco_mask.encode(np.asfortranarray(mask.astype(np.uint8)))
    return {
        'segmentation': {
            'size': [int(n) for n in rle['size']],
            'counts': rle['counts'].decode('ascii'),
        },
        'area': int(mask.sum()),
        'bbox': list(box(mask)),
        'iscrowd': 0,
    }


def _add(
    folder: _Folder,
    split: str,
    frame: Frame,
    refs: list[list[Expression]],
    catalogue: Catalogue,
    root: Path,
) -> None:
    nouns = list(catalogue.types)
    image_id = len(folder.images) + 1
    file_name = f'{frame.name}.jpg'
    height, width = frame.depth.shape
    folder.images.append(
        {'id': image_id, 'file_name': file_name, 'height': height, 'width': width}
    )
    save_image(root / 'images' / file_name, frame.rgb)
    for group in refs:
        first = group[0]
        noun = first.noun or (frame.objects[first.owners[0]].noun if first.owners else nouns[0])
        ann_id, ref_id = len(folder.annotations) + 1, len(folder.refs) + 1
        category = nouns.index(noun) + 1
        folder.annotations.append(
            {
                'id': ann_id,
                'image_id': image_id,
                'category_id': category,
                **_annotation(first.mask(frame, catalogue)),
                'group': len(first.owners) > 1,
                'absent': not first.owners,
            }
        )
        sentences = []
        for expression in group:
            folder.sentences += 1
            words = tokens(expression.text)
            sentences.append(
                {
                    'tokens': words,
                    'raw': expression.text,
                    'sent_id': folder.sentences,
                    'sent': ' '.join(words),
                }
            )
            folder.lines.append(
                json.dumps(
                    {
                        'sent_id': folder.sentences,
                        'ref_id': ref_id,
                        'split': split,
                        'kind': expression.kind,
                        'noun': expression.noun,
                        'part': expression.part,
                        'relation': expression.relation,
                        'colour': expression.colour,
                        'objects': len(expression.owners),
                    }
                )
            )
        folder.refs.append(
            {
                'ref_id': ref_id,
                'ann_id': ann_id,
                'category_id': category,
                'image_id': image_id,
                'file_name': file_name,
                'split': split,
                'sent_ids': [s['sent_id'] for s in sentences],
                'sentences': sentences,
            }
        )


def _save(folder: _Folder, root: Path, catalogue: Catalogue) -> None:
    categories = [
        {'id': k + 1, 'name': noun, 'supercategory': 'tabletop'}
        for k, noun in enumerate(catalogue.types)
    ]
    instances = {
        'info': {'description': 'rendered tabletop scenes', 'version': '1'},
        'licenses': [],
        'images': folder.images,
        'annotations': folder.annotations,
        'categories': categories,
    }
    base = root / DATASET
    write_atomically(base / 'instances.json', json.dumps(instances).encode())
    write_atomically(base / f'refs({DATASET}).p', pickle.dumps(folder.refs, protocol=2))
    write_atomically(base / 'expressions.jsonl', ('\n'.join(folder.lines) + '\n').encode())


def save_image(path: Path, rgb: NDArray[np.uint8]) -> None:
    """Write an RGB image as a JPEG, unless it is there; atomically, as runs may be cut."""
    if path.is_file():
        return
    done, data = cv2.imencode('.jpg', rgb[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 94])
    if not done:
        raise TabletopError(f'OpenCV could not encode {path}')
    write_atomically(path, data.tobytes())
