# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""The shipped towers of `household` answer as the published ones do.

Set NANODET to the folder of nanodet.json and nanodet.bin, and MINILM to that of all-MiniLM-L6-v2,
to hold the importers against the published files too; see tests/support/household_reference.py.
"""

import importlib.util
import os
from pathlib import Path

import numpy as np
import pytest
import torch

from affordance_ros.model.families import load_trunk
from affordance_ros.model.household.image_tower import ImageTower
from affordance_ros.model.household.numpy_sentences import NumpySentenceEncoder
from affordance_ros.model.household.shape import FULL
from affordance_ros.model.household.tower_file import TOKENIZER_FILE
from affordance_ros.model.household.tower_file import TRUNK_FILE
from affordance_ros.model.household.tower_file import TowerWeights
from affordance_ros.model.household.trunk import DEFAULT_FOLDER
from affordance_ros.model.household.word_pieces import WordPieces
from tests.support import household_reference as reference
from tools.import_household import minilm
from tools.import_household import nanodet

NANODET, MINILM = os.environ.get('NANODET', ''), os.environ.get('MINILM', '')
needs_nanodet = pytest.mark.skipif(not NANODET, reason='NANODET names no folder')
needs_minilm = pytest.mark.skipif(not MINILM, reason='MINILM names no folder')
needs_sentence_transformers = pytest.mark.skipif(
    not importlib.util.find_spec('sentence_transformers'),
    reason='sentence-transformers is not installed',
)


@pytest.fixture(scope='module')
def shipped():
    return load_trunk('household', str(DEFAULT_FOLDER))


@pytest.fixture(scope='module')
def stored():
    with np.load(reference.REFERENCE) as arrays:
        return dict(arrays)


@pytest.fixture(scope='module')
def graph():
    return reference.graph_scores(Path(NANODET))


@torch.inference_mode()
def class_scores(tower):
    """Return the tower's probabilities of the reference's crop, (cells, 80) by level."""
    pixels = torch.from_numpy(reference.graph_pixels()[:, ::-1].copy()).float()  # RGB
    stages = tower(pixels)
    return {
        name: scores(stages[name][:, -FULL.pyramid :])[0, :80].flatten(1).T.sigmoid().numpy()
        for name, scores in tower.scores.items()
    }


def unit_vectors(encoder):
    pieces = WordPieces(DEFAULT_FOLDER / TOKENIZER_FILE, max_tokens=FULL.max_tokens)
    return np.stack([encoder.encode(pieces.encode(phrase)) for phrase in reference.PHRASES])


# --- Image -----------------------------------------------------------------------------------


def test_class_scores_are_those_of_the_published_graph(shipped, stored):
    assert reference.crop_sha256() == stored['crop_sha256'], 'the photo is decoded otherwise'
    found = class_scores(shipped.image)
    for name, kept in reference.KEPT.items():
        assert stored[name].max() > 0.4, 'a level that sees nothing proves nothing'
        np.testing.assert_allclose(found[name][kept], stored[name], rtol=0, atol=1e-5)


@needs_nanodet
def test_class_scores_are_those_of_the_published_graph_in_every_cell(shipped, graph):
    found = class_scores(shipped.image)
    assert found.keys() == graph.keys()
    for name, expected in graph.items():
        assert expected.shape == ((416 // int(name.removeprefix('stride'))) ** 2, 80)
        np.testing.assert_allclose(found[name], expected, rtol=0, atol=1e-5)


@needs_nanodet
def test_the_importer_makes_the_shipped_image_tower(shipped):
    imported = ImageTower(FULL)
    weights = nanodet.import_nanodet(Path(NANODET))
    imported.load_state_dict({name: torch.from_numpy(value) for name, value in weights.items()})
    for name, value in shipped.image.state_dict().items():
        assert torch.equal(imported.state_dict()[name], value), name


@needs_nanodet
def test_the_stored_scores_are_the_graphs(graph, stored):
    for name, kept in reference.KEPT.items():
        np.testing.assert_allclose(stored[name], graph[name][kept], rtol=0, atol=1e-6)


# --- Text ------------------------------------------------------------------------------------


def test_sentence_vectors_are_those_of_float32_sentences(shipped, stored):
    assert tuple(stored['phrases']) == reference.PHRASES
    expected = stored['vectors']
    np.testing.assert_allclose(np.linalg.norm(expected, axis=1), 1, atol=1e-5)
    towers = TowerWeights.read(DEFAULT_FOLDER / TRUNK_FILE, image=False)
    in_numpy = unit_vectors(NumpySentenceEncoder(towers.text, towers.shape))
    in_torch = shipped.text.encode(reference.PHRASES)[:, : shipped.cosine_dim].numpy()
    for found in (in_numpy, in_torch):
        cosines = (found * expected).sum(axis=1)
        assert cosines.min() >= 0.999, dict(zip(reference.PHRASES, cosines, strict=True))


def test_float32_sentences_of_other_phrases_are_far_apart(stored):
    cosines = stored['vectors'] @ stored['vectors'].T
    np.fill_diagonal(cosines, 0)
    assert cosines.max() < 0.9, 'the bar of .999 must tell the phrases apart'


@needs_minilm
def test_the_importer_keeps_the_sentences_of_float32(stored):
    weights = minilm.import_minilm(Path(MINILM))
    found = unit_vectors(NumpySentenceEncoder(weights, FULL))
    np.testing.assert_allclose(found, stored['vectors'], rtol=0, atol=1e-5)


@needs_minilm
def test_the_importer_makes_the_shipped_text_tower():
    imported = minilm.quantize(minilm.import_minilm(Path(MINILM)))
    shipped = TowerWeights.read(DEFAULT_FOLDER / TRUNK_FILE, image=False).text
    assert imported.keys() == shipped.keys()
    for name, value in shipped.items():
        for part in ('rows', 'scales') if hasattr(value, 'rows') else ('',):
            one, other = (getattr(w, part) if part else w for w in (imported[name], value))
            np.testing.assert_array_equal(one, other, err_msg=name)
    assert (DEFAULT_FOLDER / TOKENIZER_FILE).read_bytes() == minilm.read_tokenizer(Path(MINILM))


@needs_minilm
@needs_sentence_transformers
def test_the_stored_vectors_are_those_of_sentence_transformers(stored):
    found = reference.sentence_vectors(MINILM)
    np.testing.assert_allclose(found, stored['vectors'], rtol=0, atol=1e-5)
