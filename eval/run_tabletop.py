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
from typing import Any

from tqdm import tqdm

from affordance_ros.cli.options import model_config
from affordance_ros.predictor import Predictor
from affordance_ros.predictor import PredictorConfig
from affordance_ros.spatial.depth import DepthImage
from affordance_ros.spatial.follow import Follower
from affordance_ros.spatial.located import select
from affordance_ros.spatial.pinhole import Pinhole
from affordance_ros.spatial.rgbd import NO_DEPTH
from affordance_ros.spatial.rgbd import NoRgbd
from affordance_ros.spatial.rgbd import Rgbd
from affordance_ros.targets.smoothing import HeatSmoother
from affordance_ros_eval.errors import EvaluationError
from affordance_ros_eval.results import current_versions
from affordance_ros_eval.tables import markdown_table
from affordance_ros_eval.things import SwitchCount
from affordance_ros_eval.things import ThingCount

_LOG = logging.getLogger('affordance-eval')
# What the things of a sequence are asked for: an action, and those that afford it.
_TRACK_COMMANDS = ('hold', 'drink with', 'cut with')


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
    """Score the tracks of rendered sequences; return the exit status."""
    from affordance_ros_tabletop.orbit import Orbit

    predictor = _predictor(options)
    switches = {
        (command, way): SwitchCount() for command in _TRACK_COMMANDS for way in ('depth', 'image')
    }
    frames = max(2, round(options.seconds * options.rate_hz))
    width, height = options.size
    total = options.sequences * frames
    with tqdm(total=total, unit='frame', disable=not sys.stderr.isatty()) as bar:
        for number in range(options.sequences):
            with Orbit(options.seed + number, width, height) as orbit:
                wanted = {
                    name: orbit.affording(name.replace(' ', '_')) for name in _TRACK_COMMANDS
                }
                followers = {key: Follower() for key in switches}
                smoothers = {
                    name: HeatSmoother(options.heat_smoothing_s) for name in _TRACK_COMMANDS
                }
                for count in switches.values():
                    count.begin()
                predictor.set_commands(_TRACK_COMMANDS)
                for k in range(frames):
                    stamp_s = k / options.rate_hz
                    shot, things = orbit.shoot_things(stamp_s)
                    m = shot.matrix
                    pinhole = Pinhole(m[0, 0], m[1, 1], m[0, 2], m[1, 2], (height, width))
                    ways: dict[str, Rgbd | NoRgbd] = {
                        'depth': Rgbd(DepthImage(shot.depth, 1.0), pinhole),
                        'image': NO_DEPTH,
                    }
                    for plain in predictor.predict_all(shot.rgb):
                        grounding = predictor.config.smooth(
                            plain, smoothers[plain.command], image=shot.rgb, stamp_s=stamp_s
                        )
                        for way, rgbd in ways.items():
                            key = grounding.command, way
                            located = followers[key].update(
                                select(grounding, rgbd).targets,
                                command=grounding.command,
                                image=shot.rgb,
                                stamp_s=stamp_s,
                                rgbd=rgbd,
                            )
                            switches[key].add(
                                [(t.target.x, t.target.y) for t in located],
                                [t.target.track_id for t in located],
                                things,
                                wanted[grounding.command],
                            )
                    bar.update()
    head = ('command', 'matched by', 'frames', 'things seen', 'switches', 'per 100 frames')
    lines = [
        (
            *key,
            f'{count.frames:,}',
            f'{count.seen:,}',
            f'{count.switches:,}',
            f'{count.per_100_frames:.2f}',
        )
        for key, count in switches.items()
    ]
    results = {
        '/'.join(key): {
            'frames': count.frames,
            'seen': count.seen,
            'switches': count.switches,
            'per_100_frames': count.per_100_frames,
        }
        for key, count in switches.items()
    }
    _write(options, predictor, markdown_table(head, lines), results)
    return 0


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
