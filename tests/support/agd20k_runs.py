# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""The evaluation's command line on a small folder in AGD20K's layout."""

import json

from affordance_ros_eval.cli import main

PAIRS = [('cut_with', 'knife'), ('hold', 'cup')]
MODEL = ['--model', 'compact', '--weights', 'random', '--device', 'cpu', '--input-size', '96']


def run(root, out, *more, model=True):
    arguments = ['agd20k', '--root', str(root), '--out', str(out), '--workers', '0']
    return main([*arguments, *(MODEL if model else []), *more])


def results(out, protocol='locate'):
    return json.loads((out / protocol / 'results.json').read_text())
