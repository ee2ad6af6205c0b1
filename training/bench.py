# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Measure training: images/s and peak memory without the feature cache, filling it, and with it.

Each way runs in a process of its own, so that its memory is its own.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from affordance_ros_training.journal import read_journal


def main(argv: Sequence[str] | None = None) -> int:
    """Measure, print a table, write JSON if asked; return the exit status."""
    parser = argparse.ArgumentParser(prog='affordance-bench-training', description=__doc__)
    parser.add_argument('--config', type=Path, required=True, help='as for affordance-train')
    parser.add_argument('--images', type=int, default=128, help='images in an epoch')
    parser.add_argument('--json', type=Path, help='write the figures here too')
    parser.add_argument('--set', action='append', default=[], metavar='KEY=VALUE')
    arguments = parser.parse_args(argv)
    with tempfile.TemporaryDirectory() as folder:
        figures = measure(
            arguments.config, Path(folder), images=arguments.images, overrides=arguments.set
        )
    for name, values in figures.items():
        sys.stdout.write(
            f'{name:<16} {values["images_per_s"]:8.1f} images/s '
            f'{values["peak_memory_mb"]:8.0f} MB\n'
        )
    if arguments.json:
        arguments.json.write_text(json.dumps(figures, indent=2) + '\n', encoding='utf-8')
    return 0


def measure(
    config: Path, folder: Path, *, images: int, overrides: Sequence[str] = ()
) -> dict[str, dict[str, float]]:
    """Train two epochs without a cache and three with one.

    The first epoch of each also warms up, and the last is reported. With one variant of each
    image, the first epoch with a cache fills it.

    Args:
        config: The configuration.
        folder: For runs and cache.
        images: Images in an epoch.
        overrides: As for `--set`.

    Returns:
        For 'uncached', 'filling cache' and 'cached': images_per_s and peak_memory_mb.
    """
    cache = [f'feature_cache.folder={folder / "features"}', 'feature_cache.variants=1']
    plain = ['optim.epochs=2', 'feature_cache.folder=""']
    uncached = _train(config, folder / 'uncached', plain, images, overrides)
    cached = _train(config, folder / 'cached', ['optim.epochs=3', *cache], images, overrides)
    return {'uncached': uncached[-1], 'filling cache': cached[0], 'cached': cached[-1]}


def _train(
    config: Path, out: Path, settings: Sequence[str], images: int, overrides: Sequence[str]
) -> list[dict[str, float]]:
    own = [
        f'data.max_images={images}',
        'validation.max_images=1',
        'validation.sheet_rows=0',
        'validation.every_epochs=1000',
    ]
    command = [
        sys.executable,
        '-m',
        'affordance_ros_training.train',
        '--config',
        str(config),
        '--out',
        str(out),
    ]
    for setting in [*overrides, *own, *settings]:
        command += ['--set', setting]
    subprocess.run(command, check=True)
    return [r for r in read_journal(out / 'metrics.jsonl') if r['kind'] == 'epoch']


if __name__ == '__main__':
    sys.exit(main())
