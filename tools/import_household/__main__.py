# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Write the trunk of `household` from the files that NanoDet-g and MiniLM are published in.

    python -m tools.import_household --nanodet DIR --minilm DIR --out DIR

DIR of --nanodet holds nanodet.json and nanodet.bin, that of --minilm model.safetensors and
tokenizer.json. Each is checked by its sha256 and read as data. --out then holds trunk.safetensors
and tokenizer.json, which the model's argument `weights` takes.
"""

import argparse
import logging
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from affordance_ros.model.household.classes import CLASSES
from affordance_ros.model.household.classes import class_phrase
from affordance_ros.model.household.numpy_sentences import NumpySentenceEncoder
from affordance_ros.model.household.shape import FULL
from affordance_ros.model.household.tower_file import TRUNK_FILE
from affordance_ros.model.household.tower_file import TowerWeights
from affordance_ros.model.household.word_pieces import WordPieces
from tools.import_household import minilm
from tools.import_household import nanodet
from tools.import_household.published import ImportRefusedError

_LOG = logging.getLogger('import_household')


def import_household(*, nanodet_folder: Path, minilm_folder: Path, out: Path) -> TowerWeights:
    """Write trunk.safetensors and tokenizer.json into a folder.

    Raises:
        ImportRefusedError: If a published file is missing or is not the one that is known.
    """
    out.mkdir(parents=True, exist_ok=True)
    tokenizer = out / minilm.TOKENIZER_FILE
    tokenizer.write_bytes(minilm.read_tokenizer(minilm_folder))
    text = minilm.quantize(minilm.import_minilm(minilm_folder))
    encoder = NumpySentenceEncoder(text, FULL)
    pieces = WordPieces(tokenizer, max_tokens=FULL.max_tokens)
    weights = TowerWeights(
        shape=FULL,
        image=nanodet.import_nanodet(nanodet_folder),
        text=text,
        class_vectors=np.stack([encoder.encode(pieces.encode(class_phrase(c))) for c in CLASSES]),
        sources=nanodet.SHA256 | minilm.SHA256,
    )
    weights.write(out / TRUNK_FILE)
    return weights


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return 0, or 2 if a file was refused."""
    logging.basicConfig(format='%(name)s: %(message)s', stream=sys.stderr, level=logging.INFO)
    parser = argparse.ArgumentParser(
        prog='python -m tools.import_household',
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    for name in ('nanodet', 'minilm', 'out'):
        parser.add_argument(f'--{name}', type=Path, required=True, metavar='DIR')
    options = parser.parse_args(arguments)
    try:
        import_household(
            nanodet_folder=options.nanodet.expanduser(),
            minilm_folder=options.minilm.expanduser(),
            out=options.out.expanduser(),
        )
    except ImportRefusedError as error:
        _LOG.error('%s', error)
        return 2
    path = options.out / TRUNK_FILE
    _LOG.info('%s: %.1f MB', path, path.stat().st_size / 1e6)
    return 0


if __name__ == '__main__':
    sys.exit(main())
