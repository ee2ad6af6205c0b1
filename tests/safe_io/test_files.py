# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

import os

import pytest

from affordance_ros.safe_io.files import FileRefusedError
from affordance_ros.safe_io.files import join_inside
from affordance_ros.safe_io.files import read_bounded
from affordance_ros.safe_io.yaml import YamlError
from affordance_ros.safe_io.yaml import parse_yaml
from affordance_ros.text.prompts import PromptSetError
from affordance_ros.text.prompts import load_prompt_set
from affordance_ros_training.yaml_config import ConfigError
from affordance_ros_training.yaml_config import load_config

LAUGHS = 'a: &a [x, x, x, x, x, x, x, x, x]\n' + ''.join(
    f'{name}: &{name} [{", ".join(["*" + before] * 9)}]\n'
    for before, name in zip('abcdefgh', 'bcdefghi', strict=True)
)


def test_devices_pipes_and_large_files_are_refused(tmp_path):
    os.mkfifo(tmp_path / 'pipe')  # a plain open of it would wait for good
    (tmp_path / 'sparse').touch()
    os.truncate(tmp_path / 'sparse', 1 << 40)
    for name in ('/dev/zero', tmp_path / 'pipe', '/dev/null'):
        with pytest.raises(FileRefusedError, match='not a regular file'):
            read_bounded(tmp_path / name, limit_bytes=1 << 20)
    with pytest.raises(FileRefusedError, match='1,099,511,627,776 bytes or more, and at most 10'):
        read_bounded(tmp_path / 'sparse', limit_bytes=10)
    (tmp_path / 'ten').write_bytes(b'0123456789')
    assert read_bounded(tmp_path / 'ten', limit_bytes=10) == b'0123456789'


@pytest.mark.parametrize('name', ['/etc/passwd', '../x', 'a/../../x', '..', '', 'a\0b'])
def test_names_that_lead_out_of_their_folder_are_refused(tmp_path, name):
    with pytest.raises(FileRefusedError, match='leads out of'):
        join_inside(tmp_path, name)


def test_names_below_a_folder_are_joined(tmp_path):
    assert join_inside(tmp_path, 'a/b..c.jpg') == tmp_path / 'a' / 'b..c.jpg'


@pytest.mark.parametrize(
    'text',
    [
        LAUGHS,
        '&a [*a]',
        '[' * 100_000,
        'x: !!python/object/apply:os.system [echo]',
        'x: ' + '1' * 5000,
        'x: 2020-13-45',
        '{a: 1',
        'a: \x00',
        '? [1, 2]\n: 3',
    ],
)
def test_yaml_that_is_no_plain_small_data_is_refused_by_name(tmp_path, text):
    with pytest.raises(YamlError):
        parse_yaml(text)
    path = tmp_path / 'set.yaml'
    path.write_text(text)
    with pytest.raises(PromptSetError, match=r'set\.yaml is not YAML'):
        load_prompt_set(str(path))
    with pytest.raises(ConfigError, match=r'set\.yaml is not readable'):
        load_config(dict, path)


def test_a_large_prompt_set_is_refused_unread(tmp_path):
    path = tmp_path / 'set.yaml'
    path.touch()
    os.truncate(path, 1 << 40)
    with pytest.raises(PromptSetError, match=r'set\.yaml can not be read: it has 1,099'):
        load_prompt_set(str(path))
    path.write_text('name: n\nversion: 1\ntemplates: [' + '"{}", ' * 257 + ']')
    with pytest.raises(PromptSetError, match='at most 256 texts'):
        load_prompt_set(str(path))
