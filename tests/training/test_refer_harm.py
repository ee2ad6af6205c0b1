# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Referring data sets and predicted maps that somebody has made to do harm."""

import io
import json
import pickle
import zipfile

import numpy as np
import psutil
import pytest
from pycocotools import mask as coco_mask

from affordance_ros_eval.errors import ImageProblemError
from affordance_ros_eval.maps import read_map
from affordance_ros_training.refer import DatasetError
from affordance_ros_training.refer import DatasetSpec
from affordance_ros_training.refer import read_refs
from affordance_ros_training.refer_cache import load_images
from affordance_ros_training.run_lengths import union
from tests.support.refer_fixture import write_dataset


def load(root):
    return load_images(DatasetSpec.parse('toy:made'), 'train', root=root, cache=root / 'converted')


def change_instances(root, change):
    path = write_dataset(root) / 'instances.json'
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))


@pytest.mark.parametrize('name', ['../../../etc/passwd', '/etc/passwd', 'a/../../x.jpg', ''])
def test_images_outside_of_their_folder_are_refused(tmp_path, name):
    change_instances(tmp_path, lambda c: [image.update(file_name=name) for image in c['images']])
    with pytest.raises(DatasetError, match='leads out of'):
        load(tmp_path)


@pytest.mark.parametrize('name', ['x' * 5000, '\ud800.jpg'])
def test_names_that_no_file_can_have_are_missing_files(tmp_path, name):
    change_instances(tmp_path, lambda c: [image.update(file_name=name) for image in c['images']])
    with pytest.raises(DatasetError, match='images are missing'):
        load(tmp_path)


@pytest.mark.parametrize(
    ('key', 'value'),
    [
        ('height', 10**9),
        ('width', float('inf')),
        ('height', -5),
        ('height', [3]),
        ('id', [3]),
    ],
)
def test_images_of_impossible_sizes_are_refused(tmp_path, key, value):
    change_instances(tmp_path, lambda c: c['images'][0].update({key: value}))
    with pytest.raises(DatasetError):
        load(tmp_path)


@pytest.mark.parametrize(
    ('segmentation', 'message'),
    [
        ([[1e12, 0, 1e12, 9, 0, 9]], 'corners far outside'),
        ([[float('nan'), 0, 9, 9, 0, 9]], 'corners far outside'),
        ([['1', 0, 9, 9, 0, 9]], 'corners far outside'),
        ({'counts': [5, 10**9]}, 'do not add up'),
        ({'counts': [-5, 20 * 10 + 5]}, 'do not add up'),
        ({'counts': 'o' * 99}, 'not as COCO compresses'),
        ({'counts': 'PPPPPPP'}, 'run lengths'),
        ({'counts': '\u00ff'}, 'not as COCO compresses'),
        ({'counts': ''}, 'do not add up'),
    ],
)
def test_masks_that_would_make_c_write_anywhere_are_refused(segmentation, message):
    with pytest.raises(ValueError, match=message):
        union([segmentation], (20, 10))


def test_compressed_run_lengths_mean_what_pycocotools_wrote(rng):
    for _ in range(50):
        mask = np.asfortranarray(rng.random((31, 17)) < rng.random(), np.uint8)
        counts = coco_mask.encode(mask)['counts'].decode()
        assert union([{'counts': counts}], (31, 17)) == counts


def test_refs_that_nest_without_end_are_named_shortly(tmp_path):
    path = tmp_path / 'refs(made).p'
    laughs = ['ha']
    for _ in range(60):  # 2^60 texts, if anybody wrote it out
        laughs = [laughs, laughs]
    ref = {'ref_id': 1, 'ann_id': laughs, 'category_id': 1, 'image_id': 1, 'split': 'train'}
    path.write_bytes(pickle.dumps([{**ref, 'sentences': []}]))
    with pytest.raises(DatasetError, match='is not a list of ints') as error:
        read_refs(path)
    assert len(str(error.value)) < 500


def test_json_that_nests_without_end_is_refused(tmp_path):
    (write_dataset(tmp_path) / 'instances.json').write_text('[' * 1_000_000)
    with pytest.raises(DatasetError, match='is not whole JSON'):
        load(tmp_path)


def npy(shape, data=b'\0' * 64, dtype='<f4'):
    stream = io.BytesIO()
    header = {'descr': dtype, 'fortran_order': False, 'shape': shape}
    np.lib.format.write_array_header_1_0(stream, header)
    return stream.getvalue() + data


@pytest.mark.parametrize(
    'data',
    [
        npy((10**6, 10**6)),
        npy((-4, -4)),
        npy((4, 4), dtype='|O'),
        npy((4, 5)),
        b'\x93NUMPY\x01\x00\xff\xff' + b'(' * 65535,
        b'\x93NUMPY\x02\x00\xff\xff\xff\xff{}',
        b'',
    ],
)
def test_maps_that_claim_more_than_they_hold_are_refused(tmp_path, data):
    path = tmp_path / 'map.npy'
    path.write_bytes(data)
    with pytest.raises(ImageProblemError, match=r'map\.npy'):
        read_map(path)
    with zipfile.ZipFile(tmp_path / 'map.npz', 'w') as archive:
        archive.writestr('arr_0.npy', data)
    with pytest.raises(ImageProblemError, match=r'map\.npz'):
        read_map(tmp_path / 'map.npz')


def test_an_npz_bomb_is_refused_unpacked(tmp_path):
    path = tmp_path / 'map.npz'
    with (
        zipfile.ZipFile(path, 'w', zipfile.ZIP_DEFLATED) as archive,
        archive.open('arr_0.npy', 'w') as file,
    ):
        for _ in range(600):
            file.write(bytes(1 << 20))
    before = psutil.Process().memory_info().rss
    with pytest.raises(ImageProblemError, match='unpacks to more than'):
        read_map(path)
    assert psutil.Process().memory_info().rss - before < 50e6


def test_maps_are_read_as_numpy_reads_them(tmp_path, rng):
    for order in 'CF':
        for dtype in ('<f4', '>f8', '<f2'):
            values = np.asarray(rng.random((5, 7)), dtype=dtype, order=order)
            np.save(tmp_path / 'map.npy', values)
            np.savez_compressed(tmp_path / 'map.npz', values)
            for name in ('map.npy', 'map.npz'):
                assert np.array_equal(read_map(tmp_path / name), values.astype(np.float32))


def test_a_map_beyond_float32_holds_infinities(tmp_path):
    np.save(tmp_path / 'map.npy', np.full((3, 3), 1e300))
    with pytest.raises(ImageProblemError, match='9 infinite values'):
        read_map(tmp_path / 'map.npy')
