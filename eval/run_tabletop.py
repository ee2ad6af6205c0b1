# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Targets and tracks on rendered scenes, whose things are known pixel by pixel.

`targets`: test scenes, each asked for every action that it visibly affords. `tracks`: sequences of
a camera that moves around a table, with depth, each asked for one command after another.
"""

import argparse
import json
import logging
import sys
from pathlib import Path
from typing import TYPE_CHECKING
from typing import Any

from tqdm import tqdm

from affordance_ros.cli.options import model_config
from affordance_ros.predictor import Predictor
from affordance_ros.predictor import PredictorConfig
from affordance_ros.spatial.follow import Follower
from affordance_ros.spatial.located import select
from affordance_ros.spatial.rgbd import NO_DEPTH
from affordance_ros.targets.smoothing import HeatSmoother
from affordance_ros.targets.tracks import TrackConfig
from affordance_ros_eval.errors import EvaluationError
from affordance_ros_eval.results import current_versions
from affordance_ros_eval.tables import markdown_table
from affordance_ros_eval.things import SwitchCount
from affordance_ros_eval.things import ThingCount

if TYPE_CHECKING:
    from affordance_ros_eval.sequences import Sequence

_LOG = logging.getLogger('affordance-eval')
# What the things of a sequence are asked for: an action, and those that afford it.
_TRACK_COMMANDS = ('hold', 'drink with', 'cut with')
# By what targets are matched from image to image.
_WAYS = ('depth', 'image')


def run_targets(options: argparse.Namespace) -> int:
    """Score the targets of test scenes; return the exit status."""
    from affordance_ros_tabletop.affordances import affordances
    from affordance_ros_tabletop.catalogue import load_catalogue
    from affordance_ros_tabletop.rendering import render_shard
    from affordance_ros_tabletop.store import StoreSettings

    predictor, catalogue = _predictor(options), load_catalogue()
    counts: dict[str, ThingCount] = {}
    per_shard = min(options.scenes, 20)
    width, height = options.size
    settings = StoreSettings('test', width, height, options.seed, per_shard, catalogue='')
    with tqdm(total=options.scenes, unit='scene', disable=not sys.stderr.isatty()) as bar:
        for index in range(-(-options.scenes // per_shard)):
            for frame in render_shard(settings, index)[: options.scenes - bar.n]:
                wanted = affordances(frame, catalogue)
                if wanted:
                    predictor.set_commands([a.action for a in wanted])
                    groundings = predictor.predict_all(frame.rgb)
                    for affordance, grounding in zip(wanted, groundings, strict=True):
                        count = counts.setdefault(affordance.action, ThingCount())
                        places = [(t.x, t.y) for t in grounding.targets]
                        count.add(places, frame.instance, [k + 1 for k in affordance.owners])
                bar.update()
    total = ThingCount()
    for count in counts.values():
        for name in vars(total):
            setattr(total, name, getattr(total, name) + getattr(count, name))
    rows = {'all': total, **dict(sorted(counts.items()))}
    head = ('command', 'things', 'exactly one', 'none', 'several', 'targets', 'astray')
    lines = [
        (
            name,
            f'{count.things:,}',
            *(f'{count.shares()[key]:.3f}' for key in ('exactly_one', 'none', 'several')),
            f'{count.targets:,}',
            f'{count.shares()["targets_on_nothing_asked_for"]:.3f}',
        )
        for name, count in rows.items()
    ]
    results = {name: {**vars(count), **count.shares()} for name, count in rows.items()}
    _write(options, predictor, markdown_table(head, lines), results)
    return 0


def run_tracks(options: argparse.Namespace) -> int:
    """Score the tracks of sequences; return the exit status."""
    predictor = _predictor(options)
    from affordance_ros_eval.sequences import recorded
    from affordance_ros_eval.sequences import rendered

    frames = max(2, round(options.seconds * options.rate_hz))
    if options.bag is not None:
        sequences, total = iter([recorded(options.bag)]), None
    else:
        total = options.sequences * frames
        sequences = (
            rendered(options.seed + k, frames=frames, rate_hz=options.rate_hz, size=options.size)
            for k in range(options.sequences)
        )
    switches = {
        (command, way): SwitchCount(TrackConfig().gap_s)
        for command in _TRACK_COMMANDS
        for way in _WAYS
    }
    with tqdm(total=total, unit='frame', disable=not sys.stderr.isatty()) as bar:
        for opened in sequences:
            with opened as sequence:
                _count_switches(switches, sequence, predictor, options.heat_smoothing_s, bar)
    head = (
        'command',
        'matched by',
        'frames',
        'things seen per frame',
        'targets astray',
        'switches',
        'of these after a gap',
        'per 100 frames',
    )
    lines = [
        (
            *key,
            f'{count.frames:,}',
            f'{count.seen / max(count.frames, 1):.2f}',
            f'{count.stray_share:.2f}',
            f'{count.switches:,}',
            f'{count.after_gap:,}',
            f'{count.per_100_frames:.2f}',
        )
        for key, count in switches.items()
    ]
    results = {
        '/'.join(key): {
            'frames': count.frames,
            'seen': count.seen,
            'targets': count.targets,
            'astray': count.astray,
            'switches': count.switches,
            'after_gap': count.after_gap,
            'per_100_frames': count.per_100_frames,
        }
        for key, count in switches.items()
    }
    _write(options, predictor, markdown_table(head, lines), results)
    return 0


def _count_switches(
    switches: dict[tuple[str, str], SwitchCount],
    sequence: 'Sequence',
    predictor: Predictor,
    heat_smoothing_s: float,
    bar: tqdm,
) -> None:
    """Count the switches of one sequence, by command and by what targets are matched by."""
    wanted = {name: sequence.orbit.affording(name.replace(' ', '_')) for name in _TRACK_COMMANDS}
    followers = {key: Follower() for key in switches}
    smoothers = {name: HeatSmoother(heat_smoothing_s) for name in _TRACK_COMMANDS}
    for count in switches.values():
        count.begin()
    predictor.set_commands(_TRACK_COMMANDS)
    for view in sequence.views:
        for command, activation in zip(
            _TRACK_COMMANDS, predictor.activations(view.rgb), strict=True
        ):
            grounding = predictor.config.ground_smoothed(
                command, activation, smoothers[command], image=view.rgb, stamp_s=view.stamp_s
            )
            for way in _WAYS:
                rgbd = view.rgbd if way == 'depth' else NO_DEPTH
                located = followers[command, way].update(
                    select(grounding, rgbd),
                    command=command,
                    image=view.rgb,
                    stamp_s=view.stamp_s,
                    rgbd=rgbd,
                )
                switches[command, way].add(
                    [(one.target.x, one.target.y) for one in located],
                    [one.target.track_id for one in located],
                    view.things,
                    wanted[command],
                    stamp_s=view.stamp_s,
                )
        bar.update()


def _predictor(options: argparse.Namespace) -> Predictor:
    try:
        import mujoco  # noqa: F401  (rendering needs it; here its lack is named)
    except ImportError as error:
        raise EvaluationError(
            f'rendering scenes needs mujoco ({error}): pip install affordance_ros[tabletop]'
        ) from error
    model = model_config(options)
    predictor = Predictor.load(
        model, PredictorConfig(input_size=options.input_size, prompt_set=options.prompt_set)
    )
    if predictor.model.untrained:
        _LOG.warning('the model is UNTRAINED: its scores mean nothing')
    return predictor


def _write(
    options: argparse.Namespace, predictor: Predictor, table: str, results: dict[str, Any]
) -> None:
    folder: Path = options.out
    folder.mkdir(parents=True, exist_ok=True)
    asked = {k: v for k, v in vars(options).items() if isinstance(v, int | float | str | tuple)}
    content = {
        'options': asked,
        'model': predictor.describe(),
        'predictor': vars(predictor.config),
        'versions': current_versions(),
        'results': results,
    }
    (folder / 'results.json').write_text(json.dumps(content, indent=1) + '\n', encoding='utf-8')
    (folder / 'table.md').write_text(table + '\n', encoding='utf-8')
    sys.stdout.write(table + '\n')
    sys.stdout.write(f'written: {folder}/results.json, table.md\n')
