# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

import cv2
import numpy as np
import pytest

from affordance_ros_training.photos.parts import read_parts
from affordance_ros_training.refer import DatasetError


def _file(tmp_path, *lines):
    path = tmp_path / 'parts.txt'
    path.write_text('# parts\n' + '\n'.join(lines) + '\n', encoding='utf-8')
    return path


def _stick(angle_deg: float) -> np.ndarray:
    """Draw a stick of 120 x 12 px through the middle of a 200 x 200 mask."""
    mask = np.zeros((200, 200), np.uint8)
    corners = cv2.boxPoints(((100, 100), (120, 12), angle_deg))
    cv2.fillPoly(mask, [corners.round().astype(np.int32)], 1)
    return mask


@pytest.mark.parametrize('angle_deg', [0, 30, 60, 90, 120, 150])
def test_stretches_of_the_axis_meet_where_they_are_drawn(tmp_path, angle_deg):
    (parts,) = read_parts(_file(tmp_path, '7 | knife | blade 0..4 | handle 4..10')).values()
    mask = _stick(angle_deg)
    blade, handle = (part.mask(mask) for part in parts)
    assert not (blade & ~mask).any()
    assert blade.sum() / mask.sum() == pytest.approx(0.4, abs=0.03)
    assert handle.sum() / mask.sum() == pytest.approx(0.6, abs=0.03)
    # 0 is the left end, or the upper one where the stick stands upright.
    direction = np.radians(angle_deg)
    axis = np.array([np.cos(direction), np.sin(direction)])
    axis *= np.sign(axis[np.argmax(np.abs(axis))])

    def middle(part):
        return np.argwhere(part)[:, ::-1].mean(axis=0) @ axis

    assert middle(blade) < middle(handle)


def test_cells_count_columns_by_letters_and_rows_by_numbers(tmp_path):
    (parts,) = read_parts(_file(tmp_path, '7 | chair | seat D7-F9,L12-L12')).values()
    mask = np.zeros((300, 300), np.uint8)
    mask[60:180, 30:270] = 1  # cells of 20 x 10 px
    expected = np.zeros_like(mask)
    expected[60 + 60 : 60 + 90, 30 + 60 : 30 + 120] = 1
    expected[170:180, 250:270] = 1
    np.testing.assert_array_equal(parts[0].mask(mask), expected)


def test_cells_keep_to_the_mask_unless_told_otherwise(tmp_path):
    (parts,) = read_parts(_file(tmp_path, '7 | sink | bowl A1-L12 | faucet! A1-L12')).values()
    mask = np.zeros((40, 40), np.uint8)
    mask[5:35, 5:35] = 1
    mask[10:20, 10:20] = 0
    bowl, faucet = (part.mask(mask) for part in parts)
    np.testing.assert_array_equal(bowl, mask)
    assert faucet.sum() == 30 * 30
    assert parts[1].name == 'faucet'


@pytest.mark.parametrize(
    'line',
    [
        'knife | 7 | blade 0..4',
        '7 | knife | blade',
        '7 | knife | blade 0-4',
        '7 | cup | rim A0-M3',
        '7',
    ],
)
def test_damaged_lines_are_named(tmp_path, line):
    with pytest.raises(DatasetError, match=r'parts\.txt, line 2: .*a line is "id \| category'):
        read_parts(_file(tmp_path, line))
