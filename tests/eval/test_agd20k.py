# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""The reader of AGD20K's layout: what it finds, what it tolerates, and what it says."""

import logging

import cv2
import numpy as np
import pytest

from affordance_ros_eval.agd20k import facts
from affordance_ros_eval.agd20k import list_split
from affordance_ros_eval.agd20k import read_image
from affordance_ros_eval.agd20k import read_truth
from affordance_ros_eval.errors import EvaluationError
from affordance_ros_eval.errors import ImageProblemError
from affordance_ros_eval.pointing import points_at
from affordance_ros_eval.scoring import ImageScore
from affordance_ros_eval.scoring import score_items
from tests.support.agd20k_fixture import write_split

SEEN = [('beat', 'drum'), ('hold', 'cup'), ('hold', 'bottle')]


def test_items_come_in_order_with_their_truth(tmp_path):
    write_split(tmp_path, 'Seen', SEEN)
    listing = list_split(tmp_path, 'Seen')
    assert [item.key for item in listing.items] == [
        'beat/drum/drum_000000', 'beat/drum/drum_000001',
        'hold/bottle/bottle_000000', 'hold/bottle/bottle_000001',
        'hold/cup/cup_000000', 'hold/cup/cup_000001',
    ]  # fmt: skip
    assert listing.real
    assert all(item.truth.is_file() and item.image.is_file() for item in listing.items)


def test_what_differs_from_the_published_set_is_said(tmp_path):
    write_split(tmp_path, 'Seen', SEEN)
    warnings = list_split(tmp_path, 'Seen').warnings
    assert any('6 images with a ground truth, and 1,675 were published' in w for w in warnings)
    assert any('affordances without an image: boxing, brush_with' in w for w in warnings)


@pytest.mark.parametrize('suffix', ['jpeg', 'png', 'JPG'])
def test_suffixes_are_tolerated(tmp_path, suffix):
    write_split(tmp_path, 'Unseen', [('cut', 'apple')], suffix=suffix)
    assert len(list_split(tmp_path, 'Unseen').items) == 2


def test_testsetv2_is_read_where_asked(tmp_path):
    write_split(tmp_path, 'Seen', SEEN, test_folder='testsetv2')
    assert len(list_split(tmp_path, 'Seen', test_folder='testsetv2').items) == 6
    with pytest.raises(EvaluationError, match='holds testsetv2'):
        list_split(tmp_path, 'Seen')


def test_missing_truths_and_images_are_counted(tmp_path):
    folder = write_split(tmp_path, 'Seen', SEEN)
    (folder / 'GT/hold/cup/cup_000000.png').unlink()
    (folder / 'egocentric/beat/drum/drum_000001.jpg').unlink()
    listing = list_split(tmp_path, 'Seen')
    assert [p.key for p in listing.missing_truth] == ['hold/cup/cup_000000']
    assert 'has no ground truth in' in listing.missing_truth[0].text
    assert listing.missing_image == ('beat/drum/drum_000001',)
    assert len(listing.items) == 4


def test_another_vocabulary_is_not_taken_for_the_real_set(tmp_path):
    write_split(tmp_path, 'KeptOut', [('hold', 'pan')])
    listing = list_split(tmp_path, 'KeptOut')
    assert not listing.real
    assert listing.warnings == ()


def test_seen_given_as_unseen_is_refused(tmp_path):
    write_split(tmp_path, 'Unseen', SEEN)
    with pytest.raises(EvaluationError, match=r"beat, which only Seen has: this is Seen's folder"):
        list_split(tmp_path, 'Unseen')


def test_unseen_given_as_seen_is_refused(tmp_path):
    pairs = [(a, facts()['pairs'][a][0]) for a in facts()['unseen_affordances']]
    write_split(tmp_path, 'Seen', pairs, count=21)
    write_split(tmp_path, 'Seen', pairs[:15], count=22)
    with pytest.raises(EvaluationError, match=r"just the 540 images .* this is Unseen's folder"):
        list_split(tmp_path, 'Seen')


def test_a_wrong_root_is_named_with_the_right_one(tmp_path):
    write_split(tmp_path / 'AGD20K', 'Seen', SEEN)
    with pytest.raises(EvaluationError, match='is not a folder; give the one that holds Seen'):
        list_split(tmp_path / 'nowhere', 'Seen')
    with pytest.raises(EvaluationError, match=r'has no Seen; .*AGD20K has: give that one'):
        list_split(tmp_path, 'Seen')
    with pytest.raises(EvaluationError, match='give the folder above'):
        list_split(tmp_path / 'AGD20K' / 'Seen', 'Seen')
    with pytest.raises(EvaluationError, match=r'Unseen is not there; .* holds Seen'):
        list_split(tmp_path / 'AGD20K', 'Unseen')


def test_two_files_of_one_name_are_refused(tmp_path):
    folder = write_split(tmp_path, 'Seen', SEEN)
    cv2.imwrite(str(folder / 'egocentric/hold/cup/cup_000000.png'), np.zeros((9, 9, 3), np.uint8))
    with pytest.raises(EvaluationError, match='have one name'):
        list_split(tmp_path, 'Seen')


def test_empty_folders_are_refused(tmp_path):
    folder = write_split(tmp_path, 'Seen', SEEN)
    for path in (folder / 'GT').rglob('*.png'):
        path.unlink()
    with pytest.raises(EvaluationError, match='none of the 6 images'):
        list_split(tmp_path, 'Seen')
    for path in (folder / 'egocentric').rglob('*.jpg'):
        path.unlink()
    with pytest.raises(EvaluationError, match='holds no images'):
        list_split(tmp_path, 'Seen')


def test_corrupt_files_say_so(tmp_path):
    folder = write_split(tmp_path, 'Seen', SEEN)
    pixels = folder / 'egocentric/hold/cup/cup_000000.jpg'
    pixels.write_bytes(pixels.read_bytes()[:40])
    with pytest.raises(ImageProblemError, match='40 bytes that are not a whole JPEG'):
        read_image(pixels)
    truth = folder / 'GT/hold/cup/cup_000000.png'
    truth.write_bytes(b'')
    with pytest.raises(ImageProblemError, match='not a whole JPEG'):
        read_truth(truth)


def test_a_truth_is_what_imread_gives(tmp_path):
    path = tmp_path / 'grey.jpg'
    cv2.imwrite(str(path), np.random.default_rng(0).integers(0, 255, (9, 7)).astype(np.uint8))
    np.testing.assert_array_equal(read_truth(path), cv2.imread(str(path), cv2.IMREAD_GRAYSCALE))


def test_one_bad_image_leaves_the_others_scored(tmp_path, caplog):
    folder = write_split(tmp_path, 'Seen', SEEN)
    (folder / 'GT/hold/cup/cup_000000.png').write_bytes(b'no')
    cv2.imwrite(str(folder / 'GT/hold/cup/cup_000001.png'), np.full((5, 5), 90, np.uint8))
    cv2.imwrite(str(folder / 'GT/beat/drum/drum_000000.png'), np.zeros((60, 80), np.uint8))
    listing = list_split(tmp_path, 'Seen')
    heat = np.eye(60, 80, dtype=np.float32)
    with caplog.at_level(logging.WARNING):
        found = list(score_items(listing.items, lambda _: heat, protocol='locate', same_size=True))
    scores = [entry for entry in found if isinstance(entry, ImageScore)]
    assert len(found) == 6
    assert len(scores) == 4
    assert [s.zero_truth for s in scores] == [True, False, False, False]
    assert scores[0].pointing is None
    assert {p.kind for p in found if not isinstance(p, ImageScore)} == {
        'unreadable ground truth', 'size',
    }  # fmt: skip
    assert 'is 5x5 and its image 80x60' in caplog.text


def test_pointing_takes_the_best_target_to_the_truths_pixels():
    heat = np.zeros((10, 20), np.float32)
    heat[4, 15] = 0.01  # a low peak is a peak
    truth = np.zeros((100, 200), np.uint8)
    truth[40:50, 150:160] = 200
    assert points_at(heat, truth) is True
    truth[:, 150:160] = 100  # half the maximum is not enough
    truth[0, 0] = 200
    assert points_at(heat, truth) is False
    assert points_at(np.ones((4, 4), np.float32), truth) is False
    assert points_at(heat, np.zeros((9, 9), np.uint8)) is None
