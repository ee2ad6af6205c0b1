# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""What the published towers of `household` answer, for where their files are not at hand.

    python -m tests.support.household_reference --nanodet DIR --minilm DIR

writes household_reference.npz: class scores of `PHOTO` from NanoDet-g's own graph, run by
`tests.support.graph_model`, and the sentence vectors of `PHRASES` from all-MiniLM-L6-v2 in
float32, by sentence-transformers. Nothing of `affordance_ros` takes part in either. DIR are the
folders that `python -m tools.import_household` takes, with MiniLM's configuration files too.
"""

import argparse
import hashlib
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from tests.support.graph_model import GraphModel

REFERENCE = Path(__file__).with_suffix('.npz')
PHOTO = Path(__file__).parents[2] / 'samples' / 'photos' / '000000516008.jpg'
PHRASES = (
    'cut',
    'hold the mug',
    'the handle of the red pan on the left',
    'something to sit on',
    'pick up the knife',
    'open the refrigerator',
    'blade',
    'couch',
    'a wine glass behind the plate',
    'pour water from the kettle!',
    'café au lait',
    'Twist the cap of the bottle, then drink.',
)
# The graph's outputs, and which cells the reference keeps: all of the coarsest level, and every
# 7th and 27th of the finer ones, which no row or column of theirs repeats, with the strongest.
OUTPUTS = {'stride8': 'Identity', 'stride16': 'Identity_1', 'stride32': 'Identity_2'}
KEPT = {'stride8': slice(18, None, 27), 'stride16': slice(4, None, 7), 'stride32': slice(None)}
_SIDE = 416
_MEAN, _STD = (103.53, 116.28, 123.675), (57.375, 57.12, 58.395)  # BGR, NanoDet's


def photo_crop() -> NDArray[np.uint8]:
    """Return the photo's centre, (416, 416, 3) uint8 BGR; cropped, as resizing would round."""
    photo = cv2.imread(str(PHOTO))
    top, left = ((side - _SIDE) // 2 for side in photo.shape[:2])
    return np.ascontiguousarray(photo[top : top + _SIDE, left : left + _SIDE], np.uint8)


def crop_sha256() -> str:
    """Return the crop's hash, by which another JPEG decoder is told from another network."""
    return hashlib.sha256(photo_crop().tobytes()).hexdigest()


def graph_pixels() -> NDArray[np.float64]:
    """Return the crop as the graph reads it: (1, 3, 416, 416) BGR, normalised."""
    return ((photo_crop() - np.float64(_MEAN)) / _STD).transpose(2, 0, 1)[None]


def graph_scores(nanodet: Path) -> dict[str, NDArray[np.float64]]:
    """Run the published graph; return probabilities (cells, 80) by level, row by row.

    Args:
        nanodet: Folder of nanodet.json and nanodet.bin.
    """
    graph = GraphModel(nanodet / 'nanodet.json')
    found = graph.run({'input_1': graph_pixels()}, tuple(OUTPUTS.values()))
    return {name: scores[0] for name, scores in zip(OUTPUTS, found, strict=True)}


def sentence_vectors(minilm: str) -> NDArray[np.float32]:
    """Return the unit vectors of PHRASES, (12, 384) float32, by sentence-transformers.

    Args:
        minilm: Folder or hub name of all-MiniLM-L6-v2.
    """
    from sentence_transformers import SentenceTransformer

    model = SentenceTransformer(minilm, device='cpu')
    # One by one: padding changes the last digits.
    return np.float32(model.encode(list(PHRASES), batch_size=1, normalize_embeddings=True))


def main() -> None:
    """Write the reference."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--nanodet', type=Path, required=True)
    parser.add_argument('--minilm', required=True)
    arguments = parser.parse_args()
    scores = {
        name: np.float32(level[KEPT[name]])
        for name, level in graph_scores(arguments.nanodet).items()
    }
    vectors = sentence_vectors(arguments.minilm)
    np.savez_compressed(
        REFERENCE, crop_sha256=crop_sha256(), phrases=PHRASES, vectors=vectors, **scores
    )


if __name__ == '__main__':
    main()
