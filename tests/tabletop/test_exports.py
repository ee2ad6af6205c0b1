# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

import io
import json
import pickle

import cv2
import numpy as np
import pytest
from pycocotools.coco import COCO

from affordance_ros_tabletop import cli
from affordance_ros_tabletop.affordances import affordances
from affordance_ros_tabletop.affordances import splat
from affordance_ros_tabletop.catalogue import load_catalogue
from affordance_ros_tabletop.export_agd20k import export_agd20k
from affordance_ros_tabletop.export_referring import export_referring
from affordance_ros_tabletop.words import action_words
from tests.support.tabletop_fakes import SIZE
from tests.support.tabletop_fakes import fake_frame
from tests.support.tabletop_fakes import needs_rendering


class _Strict(pickle.Unpickler):
    def find_class(self, module, name):
        raise pickle.UnpicklingError(f'refused {module}.{name}')


def _named(split, seeds, unseen):
    return [(split, fake_frame(s, unseen=unseen, name=f'{split}_{s}')) for s in seeds]


@pytest.fixture(scope='module')
def referring(tmp_path_factory):
    root = tmp_path_factory.mktemp('referring')
    frames = _named('train', range(30), False) + _named('test', range(30, 50), False)
    counts = export_referring(frames, root, load_catalogue(), seed=0)
    refs = _Strict(io.BytesIO((root / 'tabletop/refs(tabletop).p').read_bytes())).load()
    return root, refs, counts, {f.name: f for _, f in frames}


def _types(value):
    if isinstance(value, dict):
        return {str}.union(*(_types(v) for v in value.values()), *(_types(k) for k in value))
    if isinstance(value, list):
        return set().union(*(_types(v) for v in value))
    return {type(value)}


def test_refs_hold_plain_values_with_the_fields_of_refcoco(referring):
    _, refs, counts, _ = referring
    assert _types(refs) == {int, str}
    for ref in refs:
        assert set(ref) == {
            'ref_id',
            'ann_id',
            'category_id',
            'image_id',
            'file_name',
            'split',
            'sent_ids',
            'sentences',
        }
        assert ref['sent_ids'] == [s['sent_id'] for s in ref['sentences']]
        for sentence in ref['sentences']:
            assert set(sentence) == {'tokens', 'raw', 'sent_id', 'sent'}
            assert not set(sentence['tokens']) & action_words()
    assert counts['train/refs'] == sum(r['split'] == 'train' for r in refs)
    assert len({s for r in refs for s in r['sent_ids']}) == sum(len(r['sent_ids']) for r in refs)


def test_coco_reads_the_instances_and_masks_fit_the_sentences(referring):
    root, refs, _, frames = referring
    coco = COCO(str(root / 'tabletop/instances.json'))
    lines = (root / 'tabletop/expressions.jsonl').read_text().splitlines()
    meaning = {m['sent_id']: m for m in map(json.loads, lines)}
    catalogue = load_catalogue()
    checked = 0
    for ref in refs:
        annotation, image = coco.anns[ref['ann_id']], coco.imgs[ref['image_id']]
        assert annotation['image_id'] == ref['image_id']
        assert image['file_name'] == ref['file_name']
        assert (root / 'images' / image['file_name']).is_file()
        mask = coco.annToMask(annotation).astype(bool)
        assert mask.shape == (image['height'], image['width'])
        assert mask.sum() == annotation['area']
        frame = frames[image['file_name'].removesuffix('.jpg')]
        for sent in ref['sent_ids']:
            m = meaning[sent]
            if m['relation'] or m['kind'] == 'absent' or not m['noun']:
                continue
            expected = np.zeros((SIZE, SIZE), bool)
            for k, item in enumerate(frame.objects):
                if item.noun == m['noun'] and m['colour'] in (None, item.colour):
                    part = catalogue.part_value(m['part']) if m['part'] else frame.part
                    expected |= (frame.instance == k + 1) & (frame.part == part)
            assert np.array_equal(mask, expected), m
            checked += 1
    assert checked > 100


def test_absent_refs_are_in_train_only_and_have_no_pixels(referring):
    root, refs, _, _ = referring
    coco = COCO(str(root / 'tabletop/instances.json'))
    absent = [r for r in refs if coco.anns[r['ann_id']]['absent']]
    assert absent
    assert {r['split'] for r in absent} == {'train'}
    for ref in refs:
        annotation = coco.anns[ref['ann_id']]
        assert (annotation['area'] == 0) == annotation['absent']


def test_a_heatmap_is_the_sum_of_gaussians_at_its_points():
    points = np.array([[10.0, 20.0], [11.5, 21.0], [40.0, 8.0]], np.float32)
    got = splat(points, (48, 64), 5.0)
    expected = np.zeros((48, 64))
    for y in range(48):
        for x in range(64):
            for px, py in points:
                expected[y, x] += np.exp(-((x - px) ** 2 + (y - py) ** 2) / 50.0)
    assert np.allclose(got, expected / expected.max(), atol=1e-5)


def test_agd20k_folders_hold_a_grey_truth_for_every_image(tmp_path):
    catalogue = load_catalogue()
    frames = (
        _named('test', range(40), False)
        + _named('unseen', range(40, 90), True)
        + _named('val', range(90, 100), False)
    )
    counts = export_agd20k(frames, tmp_path, catalogue)
    base = tmp_path / 'AGD20K-style'
    images = {
        p.relative_to(base).with_suffix('').as_posix().replace('/egocentric/', '/GT/')
        for p in base.rglob('*.jpg')
    }
    truths = {p.relative_to(base).with_suffix('').as_posix() for p in base.rglob('*.png')}
    assert images == truths
    assert len(truths) == sum(v for k, v in counts.items() if k.endswith('/pairs'))
    by_name = {f.name: f for _, f in frames}
    for line in map(json.loads, (base / 'index.jsonl').read_text().splitlines()):
        grey = cv2.imread(str(base / line['gt']), cv2.IMREAD_UNCHANGED)
        assert grey.dtype == np.uint8 and grey.ndim == 2 and grey.max() == 255
        frame, action = by_name[line['scene']], line['affordance']
        index = list(catalogue.actions).index(action)
        points = frame.points
        mine = points.visible & (points.action == index)
        y, x = np.unravel_index(int(grey.argmax()), grey.shape)
        assert np.hypot(*(points.pixel[mine] - [x, y]).T).min() < 12
        pairs = {(n, action) for n in line['objects']}
        hidden = {n for n in line['objects'] if catalogue.types[n].unseen}
        kept_out = pairs & catalogue.kept_out
        assert kept_out == (pairs if line['subset'] == 'KeptOut' else set())
        assert hidden == (set(line['objects']) if line['subset'] == 'Unseen' else set())


def test_every_object_that_affords_an_action_peaks_alike():
    for seed in range(20):
        frame = fake_frame(seed)
        for item in affordances(frame, load_catalogue()):
            for k in item.owners:
                assert item.heatmap[frame.instance == k + 1].max() > 0.5


@needs_rendering
def test_the_command_line_renders_exports_and_continues(tmp_path, capsys):
    command = [
        'render',
        '--out',
        str(tmp_path),
        '--what',
        'referring',
        'agd20k',
        '--split',
        'test',
        '--n',
        '3',
        '--size',
        '64',
        '--workers',
        '1',
    ]
    assert cli.main(command) == 0
    first = (tmp_path / 'tabletop/instances.json').read_bytes()
    assert (tmp_path / 'AGD20K-style/Seen/testset/egocentric').is_dir()
    assert len(list((tmp_path / 'images').iterdir())) == 3
    assert cli.main(command) == 0
    assert (tmp_path / 'tabletop/instances.json').read_bytes() == first


def test_the_command_line_explains_a_wrong_split(tmp_path, caplog):
    assert cli.main(['render', '--out', str(tmp_path), '--n', 'tset=3']) == 1
    assert 'no split tset' in caplog.text
