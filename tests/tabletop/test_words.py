# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

import numpy as np

from affordance_ros_tabletop.catalogue import load_catalogue
from affordance_ros_tabletop.expressions import DEPTH_MARGIN_M
from affordance_ros_tabletop.expressions import SIDE_MARGIN
from affordance_ros_tabletop.expressions import ExpressionWriter
from affordance_ros_tabletop.words import action_words
from affordance_ros_tabletop.words import article
from affordance_ros_tabletop.words import says
from affordance_ros_tabletop.words import tokens
from tests.support.tabletop_fakes import SIZE
from tests.support.tabletop_fakes import fake_frame

FRAMES = [fake_frame(seed) for seed in range(150)]
# Written out here, and not taken from the code: what no expression may say.
FORBIDDEN = {
    'hold',
    'grasp',
    'drink',
    'sip',
    'pour',
    'open',
    'cut',
    'slice',
    'eat',
    'bite',
    'peel',
    'wash',
    'rinse',
    'stir',
    'carry',
    'stick',
    'hit',
    'swing',
    'throw',
    'toss',
    'write',
    'brush',
    'type',
    'photo',
    'holding',
    'drinking',
    'pouring',
    'opening',
    'cutting',
    'eating',
}


def _expressions():
    writer = ExpressionWriter(load_catalogue())
    for seed, frame in enumerate(FRAMES):
        rng = np.random.default_rng(seed)
        for expression in writer.write(frame, rng):
            yield frame, expression
        yield frame, writer.absent(frame, rng, unseen=False)


def _brute_force(frame, expression):
    """The mask by loops over pixels' objects, from what the expression says it means."""
    catalogue = load_catalogue()
    objects = frame.objects
    columns, distance = [], []
    for k in range(len(objects)):
        ys, xs = np.where(frame.instance == k + 1)
        columns.append(sum(xs.tolist()) / len(xs))
        distance.append(float(np.median(frame.depth[ys, xs])))
    named = []
    for k, item in enumerate(objects):
        if expression.noun is not None and item.noun != expression.noun:
            continue
        if expression.colour is not None and item.colour != expression.colour:
            continue
        if expression.noun is None and expression.part not in catalogue.types[item.noun].parts:
            continue
        rivals = [j for j, o in enumerate(objects) if o.noun == expression.noun and j != k]
        a = expression.anchor
        stacked = a is not None and (item.support == a or objects[a].support == k)
        fits = {
            None: lambda: True,
            'on': lambda item=item, a=a: item.support == a,
            'left': lambda k=k, a=a: columns[a] - columns[k] > SIDE_MARGIN * SIZE,
            'right': lambda k=k, a=a: columns[k] - columns[a] > SIDE_MARGIN * SIZE,
            'behind': lambda k=k, a=a: distance[k] - distance[a] > DEPTH_MARGIN_M,
            'front': lambda k=k, a=a: distance[a] - distance[k] > DEPTH_MARGIN_M,
            'leftmost': lambda k=k, r=rivals: all(columns[k] < columns[j] for j in r),
            'rightmost': lambda k=k, r=rivals: all(columns[k] > columns[j] for j in r),
            'nearest': lambda k=k, r=rivals: all(distance[k] < distance[j] for j in r),
            'farthest': lambda k=k, r=rivals: all(distance[k] > distance[j] for j in r),
        }[expression.relation]()
        if fits and not (stacked and expression.relation != 'on'):
            named.append(k)
    mask = np.zeros((SIZE, SIZE), bool)
    for y in range(SIZE):
        for x in range(SIZE):
            k = int(frame.instance[y, x]) - 1
            if k in named:
                value = catalogue.part_value(expression.part) if expression.part else None
                mask[y, x] = value is None or frame.part[y, x] == value
    return mask


def test_expressions_hold_no_word_of_an_action():
    kinds = set()
    for _, expression in _expressions():
        words = set(tokens(expression.text))
        assert not words & (FORBIDDEN | action_words()), expression.text
        kinds.add(expression.kind)
    assert kinds == {'object', 'attribute', 'relation', 'part', 'absent'}


def test_expression_masks_equal_brute_force():
    catalogue, checked = load_catalogue(), {}
    for frame, expression in _expressions():
        key = expression.kind, expression.relation
        if checked.get(key, 0) >= 12:
            continue
        checked[key] = checked.get(key, 0) + 1
        mask = expression.mask(frame, catalogue)
        assert np.array_equal(mask, _brute_force(frame, expression)), expression
        assert mask.any() == (expression.kind != 'absent')
    assert {r for _, r in checked} == {
        None,
        'left',
        'right',
        'behind',
        'front',
        'on',
        'leftmost',
        'rightmost',
        'nearest',
        'farthest',
    }


def test_expressions_say_the_noun_colour_and_part_that_they_mean():
    catalogue = load_catalogue()
    for _, e in _expressions():
        if e.noun:
            assert any(says(e.text, n) for n in catalogue.types[e.noun].names), e
        if e.part:
            assert says(e.text, e.part), e
        if e.colour:
            assert says(e.text, e.colour), e
        assert not says(e.text, 'mixed'), e


def test_no_referring_expression_speaks_of_unseen_types_when_they_are_not_there():
    catalogue, writer = load_catalogue(), ExpressionWriter(load_catalogue())
    hidden = [n for noun in catalogue.nouns(seen=False) for n in catalogue.types[noun].names]
    for seed in range(80):
        frame, rng = fake_frame(seed, unseen=False), np.random.default_rng(seed)
        texts = [e.text for e in writer.write(frame, rng)]
        texts += [writer.absent(frame, rng, unseen=False).text for _ in range(5)]
        for text in texts:
            assert not any(says(text, n) for n in hidden), text


def test_articles():
    assert article('apple') == 'an apple'
    assert article('red apple') == 'a red apple'
    assert article('scissors') == 'scissors'
    assert article('pair of scissors') == 'a pair of scissors'
