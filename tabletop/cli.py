# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""`affordance-tabletop`: render the tabletop world and write it in the formats of real data."""

from __future__ import annotations

import argparse
import logging
import os
import sys
from collections.abc import Iterator
from collections.abc import Sequence
from pathlib import Path

from tqdm import tqdm

from affordance_ros_tabletop.catalogue import load_catalogue
from affordance_ros_tabletop.errors import TabletopError
from affordance_ros_tabletop.frame import Frame
from affordance_ros_tabletop.splits import SPLITS

LOG = logging.getLogger('affordance-tabletop')

PRODUCTS = ('scenes', 'referring', 'agd20k', 'bag')
DEFAULT_COUNTS = {'train': 8000, 'val': 400, 'test': 500, 'unseen': 400}
# Which splits each product is made of, of those asked for.
USES = {
    'scenes': ('train', 'val', 'test', 'unseen'),
    'referring': ('train', 'val', 'test', 'unseen'),
    'agd20k': ('val', 'test', 'unseen'),
    'bag': (),
}


def _size(text: str) -> tuple[int, int]:
    width, _, height = text.partition('x')
    try:
        return int(width), int(height or width)
    except ValueError:
        raise argparse.ArgumentTypeError(f'{text!r} is not a size: 224 or 640x480') from None


def _counts(values: Sequence[str]) -> dict[str, int]:
    """Read `--n 8000` (every split) or `--n train=8000 test=500`."""
    counts = dict(DEFAULT_COUNTS)
    for value in values:
        split, _, number = value.rpartition('=')
        if split and split not in SPLITS:
            raise TabletopError(f'--n {value}: no split {split}; there are {", ".join(SPLITS)}')
        try:
            counts.update({split: int(number)} if split else dict.fromkeys(SPLITS, int(number)))
        except ValueError:
            raise TabletopError(f'--n {value}: give 500 or test=500') from None
    return counts


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog='affordance-tabletop', description=__doc__)
    commands = parser.add_subparsers(dest='command', required=True)
    render = commands.add_parser(
        'render',
        help='render scenes and write them',
        description='Render scenes once into OUT/scenes and write them in the formats asked for. '
        'Run it again to continue after a stop: what is there is kept.',
    )
    render.add_argument('--out', type=Path, required=True, help='folder to write')
    render.add_argument('--what', nargs='+', default=['all'], choices=[*PRODUCTS, 'all'])
    render.add_argument('--split', nargs='+', default=['all'], choices=[*SPLITS, 'all'])
    render.add_argument(
        '--n', nargs='+', default=[], metavar='N|SPLIT=N', help=f'scenes; default {DEFAULT_COUNTS}'
    )
    render.add_argument('--size', type=_size, default=(224, 224), help='224 or 640x480')
    render.add_argument('--seed', type=int, default=0)
    render.add_argument('--workers', type=int, default=os.cpu_count() or 1)
    render.add_argument(
        '--absent',
        type=float,
        default=0.15,
        help='referring: absent refs per present ref in train',
    )
    render.add_argument('--refs-per-image', type=int, default=14)
    render.add_argument('--bag-seconds', type=float, default=10.0)
    render.add_argument(
        '--bag-objects', nargs='+', metavar='NOUN', help='what stands on the table'
    )
    render.add_argument('--bag-rate', type=float, default=10.0, help='frames a second')
    render.add_argument(
        '--bag-compressed', action='store_true', help='JPEG images and zstd storage'
    )
    return parser


def _render(args: argparse.Namespace) -> None:
    what = PRODUCTS if 'all' in args.what else tuple(dict.fromkeys(args.what))
    asked = tuple(SPLITS) if 'all' in args.split else tuple(dict.fromkeys(args.split))
    counts = _counts(args.n)
    needed = [s for s in asked if any(s in USES[w] for w in what)]
    width, height = args.size
    catalogue = load_catalogue()
    stores = {}
    for split in needed:
        from affordance_ros_tabletop.rendering import render_split

        stores[split] = render_split(
            args.out / 'scenes' / split,
            split,
            count=counts[split],
            width=width,
            height=height,
            seed=args.seed,
            workers=args.workers,
        )

    def frames(product: str) -> Iterator[tuple[str, Frame]]:
        uses = [s for s in needed if s in USES[product]]
        total = sum(counts[s] for s in uses)
        with tqdm(total=total, unit='scene', desc=product, disable=not total) as bar:
            for split in uses:
                for frame in stores[split].frames(counts[split]):
                    yield split, frame
                    bar.update()

    if 'referring' in what:
        from affordance_ros_tabletop.export_referring import export_referring

        _report(
            'referring',
            export_referring(
                frames('referring'),
                args.out,
                catalogue,
                seed=args.seed,
                absent=args.absent,
                refs_per_image=args.refs_per_image,
            ),
        )
    if 'agd20k' in what:
        from affordance_ros_tabletop.export_agd20k import export_agd20k

        _report('agd20k', export_agd20k(frames('agd20k'), args.out, catalogue))
    if 'bag' in what:
        from affordance_ros_tabletop.bag import write_bag

        size = args.size if args.size != (224, 224) else (640, 480)
        path = args.out / 'bag'
        _report(
            'bag',
            {
                str(path): write_bag(
                    path,
                    seed=args.seed,
                    seconds=args.bag_seconds,
                    rate_hz=args.bag_rate,
                    width=size[0],
                    height=size[1],
                    compressed=args.bag_compressed,
                    **({'objects': args.bag_objects} if args.bag_objects else {}),
                )
            },
        )


def _report(product: str, counts: dict[str, int]) -> None:
    LOG.info('%s: %s', product, ', '.join(f'{k} {v}' for k, v in sorted(counts.items())))


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; return the exit status."""
    args = _parser().parse_args(argv)
    logging.basicConfig(level=logging.INFO, format='%(name)s: %(message)s', stream=sys.stderr)
    try:
        _render(args)
    except TabletopError as error:
        LOG.error('%s', error)
        return 1
    except KeyboardInterrupt:
        LOG.error('stopped: run the same command again to continue')
        return 130
    except OSError as error:
        LOG.error(
            'could not write: %s. Free some space or choose another --out, and run the '
            'same command again: it continues',
            error,
        )
        return 1
    return 0


if __name__ == '__main__':
    sys.exit(main())
