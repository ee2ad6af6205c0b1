# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Fuzz everything that reads untrusted input; resumes where it was stopped.

tools/fuzz.py [--inputs 1000000] [--seed 0] [--target images] [--out out/fuzz.json] [--fresh]
tools/fuzz.py --target images --number 123   # one input again, in this process

Exits with 1 if an input crashed or hung its reader, made it take more than 2 GiB, or let another
error out than the declared ones.
"""

import argparse
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.fuzz.campaign import SHARES
from tests.fuzz.campaign import Campaign
from tests.fuzz.worker import generator
from tests.fuzz.worker import target


def main() -> int:
    """Run the campaign and print its table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--inputs', type=int, default=1_000_000, help='over all targets')
    parser.add_argument('--seed', type=int, default=0)
    parser.add_argument('--target', choices=SHARES, help='this one alone')
    parser.add_argument('--number', type=int, help='feed this input alone, without limits')
    parser.add_argument('--out', type=Path, default=Path('out/fuzz.json'))
    parser.add_argument('--fresh', action='store_true', help='begin anew')
    arguments = parser.parse_args()
    if arguments.number is not None:
        if not arguments.target:
            parser.error('--number needs --target')
        rng = generator(arguments.target, arguments.seed, arguments.number)
        with tempfile.TemporaryDirectory() as folder:
            target(arguments.target).prepare(Path(folder))(rng)
        return 0
    if arguments.fresh:
        arguments.out.unlink(missing_ok=True)
    campaign = Campaign.open(arguments.out, arguments.seed)
    for name, share in SHARES.items():
        if arguments.target in (None, name):
            campaign.run(name, round(arguments.inputs * share))
            sys.stderr.write(f'{name}: {campaign.targets[name].outcomes.total():,} inputs\n')
    sys.stdout.write(campaign.table() + '\n')
    for name, progress in campaign.targets.items():
        for failure in progress.failures:
            sys.stdout.write(f'\n{name} {failure["number"]}: {failure["why"]}\n{failure["trace"]}')
    return 0 if campaign.ok else 1


if __name__ == '__main__':
    sys.exit(main())
