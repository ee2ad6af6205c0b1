# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Referring data sets: the pickle of refs, and instances.json."""

import json
import pickle
from pathlib import Path
from random import Random

from affordance_ros_training.refer import DatasetError
from affordance_ros_training.refer import DatasetSpec
from affordance_ros_training.refer import read_refs
from affordance_ros_training.refer_cache import load_images
from tests.fuzz.mutate import mutate_bytes
from tests.fuzz.mutate import mutate_tree
from tests.fuzz.target import Feed
from tests.fuzz.target import Target
from tests.support.refer_fixture import write_dataset


def _prepare(folder: Path) -> Feed:
    data_set = write_dataset(folder, splits={'train': 2}, size=(24, 32))
    instances, refs = data_set / 'instances.json', data_set / 'refs(made).p'
    content = json.loads(instances.read_text())
    # Written by this process a line above; only read_refs ever sees what is not.
    entries = pickle.loads(refs.read_bytes())
    pickles = [pickle.dumps(entries, protocol) for protocol in range(6)]
    spec = DatasetSpec.parse('toy:made')
    names = {image['file_name'] for image in content['images']}

    def load() -> None:
        for image in load_images(spec, 'train', root=folder, cache=folder / 'converted'):
            assert image.path.parent == data_set / 'images' and image.path.name in names
            for referral in image.referrals:
                assert image.mask(referral).shape == (image.height, image.width)

    def feed(rng: Random) -> None:
        kind = rng.randrange(4)
        if kind < 2:
            refs.write_bytes(mutate_bytes(rng, rng.choice(pickles), pickles))
            read_refs(refs)
            return
        refs.write_bytes(pickles[2])
        instances.write_text(json.dumps(content))
        if kind == 2:
            data = json.dumps(mutate_tree(rng, content)).encode('utf-8', 'surrogatepass')
            instances.write_bytes(data if rng.random() < 0.7 else mutate_bytes(rng, data))
        else:
            refs.write_bytes(pickle.dumps(mutate_tree(rng, entries), rng.randrange(6)))
        load()

    return feed


TARGET = Target('referring data sets: refs.p, instances.json', (DatasetError,), _prepare)
