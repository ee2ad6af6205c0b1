# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""`affordance-photos`: write annotated photos as referring expressions, for `affordance-train`."""

import argparse
import logging
import sys
from collections.abc import Sequence
from pathlib import Path

from affordance_ros_training.photos.convert import convert
from affordance_ros_training.refer import DatasetError

_log = logging.getLogger('affordance-photos')


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return the exit status."""
    parser = argparse.ArgumentParser(prog='affordance-photos', description=__doc__)
    parser.add_argument(
        '--photos', type=Path, required=True, help='holds coco_mini, doordetect and tools_seg'
    )
    parser.add_argument('--out', type=Path, required=True, help='folder to write')
    parser.add_argument(
        '--licences',
        type=int,
        nargs='+',
        help="train on COCO's photos of these licence numbers alone (4: CC BY, 5: CC BY-SA, "
        '7: no known restrictions); default: all',
    )
    args = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format='%(message)s')
    try:
        counts = convert(args.photos, args.out, licences=args.licences)
    except DatasetError as error:
        _log.error('%s', error)
        return 1
    for name, count in sorted(counts.items()):
        _log.info('%-28s %6d', name, count)
    return 0


if __name__ == '__main__':
    sys.exit(main())
