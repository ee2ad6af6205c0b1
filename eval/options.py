# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Command-line options of affordance-eval: which model, and rendered scenes."""

import argparse
import math
from pathlib import Path

from affordance_ros.cli.options import add_model_options
from affordance_ros.targets.smoothing import USUAL_S


def add_eval_model(parser: argparse.ArgumentParser) -> None:
    """Add the options of which model to score."""
    group = add_model_options(parser)
    group.add_argument('--input-shape', default='rectangle', help='rectangle or square')


def add_targets(parser: argparse.ArgumentParser) -> None:
    """Add the options of `targets`."""
    parser.add_argument('--scenes', type=_positive_int, default=60, help='default: %(default)s')
    _add_rendering(parser, seed=3)
    parser.add_argument('--out', type=Path, default=Path('out/eval/targets'))
    add_eval_model(parser)
    parser.set_defaults(model='household')


def add_tracks(parser: argparse.ArgumentParser) -> None:
    """Add the options of `tracks`."""
    parser.add_argument('--sequences', type=_positive_int, default=20, help='default: %(default)s')
    parser.add_argument('--seconds', type=_positive, default=4.0, help='length of each')
    parser.add_argument('--rate-hz', type=_positive, default=5.0, help='frames a second')
    parser.add_argument(
        '--heat-smoothing-s',
        type=float,
        default=USUAL_S,
        metavar='SECONDS',
        help='average heat over this long; 0: off (default: %(default)s)',
    )
    parser.add_argument(
        '--bag',
        type=Path,
        metavar='FOLDER',
        help='score this bag of the tabletop instead, samples/tabletop for example',
    )
    _add_rendering(parser, seed=100)
    parser.add_argument('--out', type=Path, default=Path('out/eval/tracks'))
    add_eval_model(parser)
    parser.set_defaults(model='household')


def _positive(text: str) -> float:
    """Read a positive number from the command line."""
    value = float(text)
    if not 0 < value < math.inf:
        raise argparse.ArgumentTypeError(f'{text} must be positive')
    return value


def _positive_int(text: str) -> int:
    """Read a positive whole number from the command line."""
    _positive(text)
    return int(text)


def _add_rendering(parser: argparse.ArgumentParser, *, seed: int) -> None:
    parser.add_argument(
        '--size', type=int, nargs=2, default=(320, 240), metavar=('WIDTH', 'HEIGHT')
    )
    parser.add_argument('--seed', type=int, default=seed, help='default: %(default)s')
