# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Measure which precisions keep the answers, on images in AGD20K's layout.

Every backend and precision is held against torch in float32: how far KLD, SIM and NSS change, and
how many best targets move. Prints Markdown; with --write, `auto` chooses by what was found.
"""

import argparse
import dataclasses
import json
import logging
import math
import sys
from pathlib import Path

import numpy as np
from tqdm import tqdm

from affordance_ros.backends.base import BackendConfig
from affordance_ros.backends.base import BackendError
from affordance_ros.backends.precision_record import MAX_METRIC_CHANGE
from affordance_ros.backends.precision_record import MAX_MOVED
from affordance_ros.backends.precision_record import MOVED_PX
from affordance_ros.backends.precision_record import RECORD
from affordance_ros.backends.precision_record import PrecisionRecord
from affordance_ros.backends.precision_record import read_record
from affordance_ros.backends.select import Choice
from affordance_ros.backends.torch_backend import TorchBackend
from affordance_ros.model.config import ModelConfig
from affordance_ros.model.grounding import load_model
from affordance_ros.predictor import Predictor
from affordance_ros.predictor import PredictorConfig
from affordance_ros_eval.agd20k import Item
from affordance_ros_eval.agd20k import list_split
from affordance_ros_eval.agd20k import read_image
from affordance_ros_eval.agd20k import read_truth
from affordance_ros_eval.inference import DEFAULT_TEMPLATE
from affordance_ros_eval.inference import command_for
from affordance_ros_eval.metrics import evaluate_pair

_CANDIDATES = {
    'cpu': (('openvino', 'f32'), ('openvino', 'bf16'), ('onnxruntime', 'f32')),
    'cuda': (
        ('torch', 'f32'),
        ('torch', 'f16'),
        ('torch', 'bf16'),
        ('tensorrt', 'f32'),
        ('tensorrt', 'f16'),
    ),
}
_METRICS = ('kld', 'sim', 'nss')
_say = sys.stdout.write

Place = tuple[float, float]


def measure(
    predictor: Predictor, items: list[Item], label: str
) -> tuple[list[Place], dict[str, float]]:
    """Return the best target's place in each image, and the metrics' means."""
    places = []
    scores = []
    for item in tqdm(items, desc=label, disable=not sys.stderr.isatty()):
        predictor.set_command(command_for(item, DEFAULT_TEMPLATE))
        grounding = predictor.predict(read_image(item.image), channels='bgr')
        best = grounding.targets[0]
        places.append((best.x, best.y))
        scores.append(evaluate_pair(grounding.heatmap, read_truth(item.truth)))
    return places, {name: float(np.nanmean([s[name] for s in scores])) for name in _METRICS}


def find_items(root: Path, limit: int) -> list[Item]:
    """Return the items of all splits below a folder, spread evenly where there are too many."""
    splits = sorted(p.parent.name for p in root.glob('*/testset'))
    items = [item for split in splits for item in list_split(root, split).items]
    if limit and limit < len(items):
        items = [items[int(i)] for i in np.linspace(0, len(items) - 1, limit)]
    return items


def check(arguments: argparse.Namespace) -> list[PrecisionRecord]:
    """Measure all candidates that work on this machine."""
    items = find_items(arguments.root, arguments.limit)
    model = ModelConfig(arguments.model, arguments.weights, arguments.checkpoint, arguments.device)
    # Without a least score every image has a best target.
    answers = PredictorConfig(min_score=0.0, max_targets=1)
    loaded = load_model(model)
    reference = Predictor(loaded, answers, Choice(TorchBackend(loaded), 'the reference'))
    places, means = measure(reference, items, 'torch f32')
    found = []
    for backend, precision in _CANDIDATES[arguments.device]:
        try:
            other = Predictor.load(model, answers, BackendConfig(backend, precision))
        except BackendError as error:
            _say(f'skipped: {error}\n')
            continue
        moved_places, moved_means = measure(other, items, f'{backend} {precision}')
        moved = [math.dist(a, b) >= MOVED_PX for a, b in zip(places, moved_places, strict=True)]
        changes = {name: round(moved_means[name] / means[name] - 1, 6) for name in _METRICS}
        found.append(
            PrecisionRecord(
                backend,
                precision,
                family=loaded.family,
                decoder=loaded.decoder_kind,
                model=arguments.name or arguments.model,
                frames=len(items),
                moved=round(float(np.mean(moved)), 6),
                **changes,
            )
        )
    return found


def report(found: list[PrecisionRecord]) -> None:
    """Print what was found as Markdown."""
    _say(
        f'Bars: best targets moved by {MOVED_PX:g} px or more in fewer than {MAX_MOVED:.0%} of '
        f'frames, KLD, SIM and NSS changed by less than {MAX_METRIC_CHANGE:.0%}.\n\n'
        '| backend | model, decoder | frames | moved | KLD | SIM | NSS | answers stay |\n'
        '|---|---|---|---|---|---|---|---|\n'
    )
    for kept in found:
        _say(
            f'| {kept.backend} {kept.precision} | {kept.model}, {kept.decoder} | '
            f'{kept.frames:,} | {kept.moved:.2%} | {kept.kld:+.3%} | {kept.sim:+.3%} | '
            f'{kept.nss:+.3%} | {"yes" if kept.passes else "no"} |\n'
        )


def write(found: list[PrecisionRecord]) -> None:
    """Put what was found in the record, in place of what it says of the same."""
    record = {kept.key: kept for kept in (*read_record(), *found)}
    entries = [dataclasses.asdict(record[key]) for key in sorted(record)]
    RECORD.write_text(json.dumps(entries, indent=1) + '\n', encoding='utf-8')


def main() -> int:
    """Parse the arguments and run; return 1 if an answer does not stay."""
    logging.basicConfig(format='%(name)s: %(message)s', stream=sys.stderr)
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--root', type=Path, required=True, help='the folder that holds Seen, ...')
    parser.add_argument('--model', default='household')
    parser.add_argument('--weights', default='')
    parser.add_argument('--checkpoint', default='')
    parser.add_argument('--name', default='', help="the record's word for it; default: model")
    parser.add_argument('--device', choices=list(_CANDIDATES), default='cpu')
    parser.add_argument('--limit', type=int, default=0, help='at most so many images')
    parser.add_argument('--write', action='store_true', help='put it in the record of `auto`')
    arguments = parser.parse_args()
    found = check(arguments)
    report(found)
    if arguments.write:
        write(found)
    return 0 if all(kept.passes for kept in found) else 1


if __name__ == '__main__':
    sys.exit(main())
