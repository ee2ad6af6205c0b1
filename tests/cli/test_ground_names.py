# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Photos and commands are told apart, and no two answers share a file."""

from pathlib import Path

import pytest

from affordance_ros.cli.ground_names import Names
from affordance_ros.cli.ground_names import split_inputs
from affordance_ros.image.source_frame import SourceError


@pytest.mark.parametrize(
    ('photos', 'commands'),
    [
        (['a/IMG_1.jpg', 'a/IMG_1.png'], ['cut']),
        (['a/IMG_1.jpg', 'b/IMG_1.jpg', 'b/img_1.JPG'], ['cut']),
        (['a/b/x.jpg', 'c/b/x.jpg', 'b_x.jpg', 'b_x_jpg.png'], ['cut']),
        (['x.jpg', 'X.jpg'], ['hold the mug', 'hold-the-mug', 'Hold the mug']),
        (['x.jpg', 'x.cut.jpg'], ['cut', 'cut.cut']),
        (['x' * 200 + '.jpg', 'x' * 200 + 'y.jpg'], ['hold ' * 60, 'hold ' * 61]),
    ],
)
def test_no_two_answers_share_a_name(photos, commands):
    paths = [Path(photo) for photo in photos]
    names = Names(paths, commands)
    made = [names.of(path, command).casefold() for path in paths for command in commands]
    assert len(set(made)) == len(made)
    assert max(map(len, made)) < 230
    assert not any('/' in name for name in made)


def test_a_name_is_the_photos_stem_where_nothing_clashes():
    photos = [Path('in/mug.jpg'), Path('in/knife.png')]
    assert Names(photos, ['drink with']).of(photos[0], 'drink with') == 'mug.drink_with'


@pytest.mark.parametrize(
    ('inputs', 'options', 'photos', 'commands'),
    [
        (['a.jpg', 'hold the mug'], [], ['a.jpg'], ['hold the mug']),
        (['a.jpg', 'cut'], ['hold'], ['a.jpg'], ['cut', 'hold']),
        (['a.jpg', 'b.heic'], ['hold'], ['a.jpg', 'b.heic'], ['hold']),
        (['typo.jpg'], ['hold'], ['typo.jpg'], ['hold']),
        (['no/such/folder'], ['hold'], ['no/such/folder'], ['hold']),
        (['/no/such folder'], ['hold'], ['/no/such folder'], ['hold']),
        (['a.jpg', 'pick up / hold'], [], ['a.jpg'], ['pick up / hold']),
    ],
)
def test_what_is_called_like_a_path_is_one(inputs, options, photos, commands):
    assert split_inputs(inputs, options) == (photos, commands)


def test_a_call_without_command_or_photo_is_refused():
    with pytest.raises(SourceError, match=r"no command: 'b.jpg' is called like a path"):
        split_inputs(['a.jpg', 'b.jpg'], [])
    with pytest.raises(SourceError, match='no photo'):
        split_inputs(['cut'], ['hold'])
