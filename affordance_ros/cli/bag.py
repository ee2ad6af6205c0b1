# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""affordance-bag: heatmaps, overlays and targets for a recording, without ROS."""

import argparse
import importlib.util
import logging
import sys
from collections.abc import Sequence
from pathlib import Path

from affordance_ros.bag.schedule import Schedule
from affordance_ros.cli.options import CALL_ERRORS
from affordance_ros.cli.options import add_predictor_options
from affordance_ros.cli.options import introduce
from affordance_ros.cli.options import load_predictor
from affordance_ros.spatial.located import DepthGate
from affordance_ros.spatial.plausible import RgbdChecks
from affordance_ros.targets.smoothing import USUAL_S

_LOG = logging.getLogger('affordance-bag')


def build_parser() -> argparse.ArgumentParser:
    """Describe the command line."""
    parser = argparse.ArgumentParser(
        prog='affordance-bag',
        description='Ground commands in the images of a rosbag2 and write the answers as another.',
        epilog='Every answer carries the header and the log time of its image.',
    )
    parser.add_argument('source', type=Path, help='a rosbag2 folder, or a single .mcap or .db3')
    parser.add_argument('out', type=Path, help='a new .mcap, or the name of a new rosbag2 folder')
    parser.add_argument(
        '-c', '--command', action='append', default=[], help='may be repeated, each with its --at'
    )
    parser.add_argument(
        '--at', action='append', type=float, default=[], help='seconds since the start of the bag'
    )
    parser.add_argument('--topic', default='', help='images; default: the only such topic')
    parser.add_argument(
        '--depth-topic', default='', help="default: the only depth of the images' frame"
    )
    parser.add_argument(
        '--camera-info-topic', default='', help='default: the one beside the images, or the only'
    )
    checks = RgbdChecks()
    parser.add_argument(
        '--max-depth-m', type=float, default=checks.max_depth_m,
        help='depth beyond it is unknown; 0: no limit (default: %(default)s)',
    )  # fmt: skip
    parser.add_argument(
        '--allow-other-frames', action='store_true',
        help="use depth and camera_info of other frame_ids than the images'",
    )  # fmt: skip
    gate = DepthGate()
    for name, meaning in (
        ('min_area_m2', "least area of a target's region as seen, in square metres"),
        ('max_area_m2', 'greatest area; 0: any'),
        ('nearest_m', 'least distance of a target'),
        ('farthest_m', 'greatest distance; 0: any'),
    ):
        default = getattr(gate, name)
        parser.add_argument(
            f'--{name.replace("_", "-")}', type=float, default=default,
            help=f'{meaning} (default: {default})',
        )  # fmt: skip
    parser.add_argument(
        '--heat-smoothing-s', type=float, default=USUAL_S, metavar='SECONDS',
        help=f'average heat over this many seconds of images; 0: off (default: {USUAL_S})',
    )  # fmt: skip
    parser.add_argument('--namespace', default='/grounding', help='of the topics that are written')
    parser.add_argument('--copy', action='store_true', help='copy all topics of the bag too')
    parser.add_argument('--rerun', type=Path, metavar='FILE.rrd', help='also record for rerun')
    add_predictor_options(parser)
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return 0, 1 if some images got no answer, 2 if nothing was written."""
    logging.basicConfig(format='%(name)s: %(message)s', stream=sys.stderr, level=logging.INFO)
    options = build_parser().parse_args(arguments)
    if importlib.util.find_spec('rosbags') is None:
        _LOG.error('reading and writing bags needs rosbags: pip install rosbags')
        return 2
    try:
        return _run(options)
    except (OSError, *CALL_ERRORS) as error:
        _LOG.error('%s', error)
        return 2


def _run(options: argparse.Namespace) -> int:
    from affordance_ros.bag.run import BagJob  # needs rosbags, whose lack main() names
    from affordance_ros.bag.run import run_bag
    from affordance_ros.bag.topics import DepthTopics

    gate = DepthGate(
        options.min_area_m2, options.max_area_m2, options.nearest_m, options.farthest_m
    )
    predictor = load_predictor(options)
    commands = [predictor.check_command(text) for text in options.command]
    job = BagJob(
        options.source.expanduser(),
        options.out.expanduser(),
        Schedule(commands, options.at),
        topic=options.topic,
        depth=DepthTopics(options.depth_topic, options.camera_info_topic),
        checks=RgbdChecks(options.max_depth_m, options.allow_other_frames),
        gate=gate,
        heat_smoothing_s=options.heat_smoothing_s,
        namespace=options.namespace,
        copy=options.copy,
        rerun=options.rerun,
    )
    introduce(predictor, commands, log=_LOG)
    predictor.warm_up()
    report = run_bag(job, predictor)
    _LOG.info(
        '%s: %d images of %s answered, %d before the first command, %d unusable%s',
        job.out,
        report.answered,
        report.topic,
        report.early,
        sum(report.unusable.values()),
        ''.join(f' ({cause}: {count})' for cause, count in report.unusable.items()),
    )
    for cause, count in report.without_points.items():
        _LOG.info('%d images without 3D points (%s)', count, cause)
    for cause, count in report.refused.items():
        _LOG.info('%d targets refused by gates (%s)', count, cause)
    return 1 if report.unusable or not report.answered else 0


if __name__ == '__main__':
    sys.exit(main())
