# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Measure inference on this machine: every backend that works here, stage by stage, and peers.

All that is compared runs in turn, round after round, so that each meets the same machine; a ratio
is the median over the rounds' own ratios. In turn, each finds the caches full of the others' data:
what is compared with the arithmetic floor runs alone, as on a robot. Random weights take as long
as trained ones.
"""

import argparse
import json
import os
import platform
import sys
from collections.abc import Callable
from pathlib import Path

import torch

from affordance_ros.backends.base import BackendError
from affordance_ros.model.config import ModelConfig
from affordance_ros.predictor import Predictor
from affordance_ros.predictor import PredictorConfig
from benchmarks.bench_floor import count_gflop
from benchmarks.bench_floor import count_stages_gflop
from benchmarks.bench_floor import measure_rates
from benchmarks.bench_peers import load_peers
from benchmarks.bench_pipeline import FRAME
from benchmarks.bench_pipeline import frame
from benchmarks.bench_pipeline import measure_alone
from benchmarks.bench_pipeline import measure_growth
from benchmarks.bench_pipeline import measure_new_command
from benchmarks.bench_pipeline import measure_pipeline
from benchmarks.bench_report import Rows
from benchmarks.bench_report import table
from benchmarks.bench_report import write
from benchmarks.bench_start import EAGER
from benchmarks.bench_start import load_predictor
from benchmarks.bench_start import measure_start
from benchmarks.bench_tail import measure_load
from benchmarks.bench_tail import measure_tail
from benchmarks.bench_timing import Action
from benchmarks.bench_timing import median
from benchmarks.bench_timing import ratio
from benchmarks.bench_timing import run_in_turn
from benchmarks.bench_timing import timed
from benchmarks.machine import cpu_name

# The first is torch as its users run it, which the others are compared with.
_VARIANTS = {
    'cpu': (('torch', 'f32'), ('onnxruntime', 'f32'), ('openvino', 'f32'), ('openvino', 'bf16')),
    'cuda': (
        (EAGER, 'f32'),
        ('torch', 'f32'),
        ('torch', 'f16'),
        ('torch', 'bf16'),
        ('tensorrt', 'f32'),
        ('tensorrt', 'f16'),
    ),
}
_SIZES = (224, 320, 416, 640)
_PEER_SIZES = (224, 320)
_SKIPPABLE = ('growth', 'peers', 'load', 'start', 'tail')
_say = sys.stdout.write


def load(arguments: argparse.Namespace, variant: tuple[str, str]) -> Predictor | None:
    """Load a predictor on one backend; None and a message where it does not work."""
    model = ModelConfig(arguments.model, arguments.weights, device=arguments.device)
    try:
        return load_predictor(model, *variant, num_threads=arguments.num_threads)
    except BackendError as error:
        _say(f'skipped: {error}\n')
        return None


def load_all(arguments: argparse.Namespace) -> dict[str, Predictor]:
    """Load a predictor on every backend that works here, by name."""
    predictors = {
        ' '.join(variant): load(arguments, variant) for variant in _VARIANTS[arguments.device]
    }
    return {name: one for name, one in predictors.items() if one is not None}


def device_name(device: str) -> str:
    """Return what card runs the model; '' for the processor itself."""
    return f'{torch.cuda.get_device_name()}, ' if device == 'cuda' else ''


def measure_floor(arguments: argparse.Namespace, predictors: dict[str, Predictor]) -> Rows:
    """Return each size's least time by this machine's matrix rate, and who comes how close."""
    reference = next(iter(predictors.values()))
    rates = measure_rates(max(arguments.rounds, 5), arguments.device)
    text = torch.zeros(1, reference.model.embed_dim, device=arguments.device)
    rows: Rows = []
    for size in arguments.sizes:
        reference.configure(PredictorConfig(input_size=size))
        canvas = reference.letterbox(*FRAME).canvas
        pixels = torch.zeros(1, 3, *canvas, device=arguments.device)
        gflop = count_gflop(reference.model, pixels, text)
        stages = count_stages_gflop(reference.model, pixels)
        for name, predictor in predictors.items():
            precision = name.split()[1]
            # What is not a stage runs in float32 always.
            floor_ms = 1e3 * ((gflop - stages) / rates['f32'] + stages / rates[precision])
            alone = measure_alone(predictor, size, arguments.rounds)
            rows.append(
                {
                    'canvas': f'{canvas[1]}x{canvas[0]}',
                    'GFLOP': gflop,
                    'of the stages': stages,
                    'backend': name,
                    'GFLOP/s': rates[precision],
                    'floor, ms': floor_ms,
                    **alone,
                    'share of the floor': floor_ms / alone['model alone'],
                }
            )
    return rows


def measure_peers(arguments: argparse.Namespace, predictors: dict[str, Predictor]) -> Rows:
    """Time other models beside ours, which answers one command in a 640x480 frame."""
    image = frame()
    actions: dict[str, Action] = {}
    fastest = []
    for size in _PEER_SIZES:
        for name, predictor in predictors.items():

            def act(size: int = size, predictor: Predictor = predictor) -> float:
                predictor.configure(PredictorConfig(input_size=size))
                predictor.set_command('cut')
                return timed(lambda: predictor.predict(image))()

            actions[f'ours, {size}, {name}'] = act
        fastest.append(list(actions)[-1])
    actions |= {name: timed(one) for name, one in load_peers(_say, arguments.device).items()}
    times = run_in_turn(actions, arguments.rounds)
    return [
        {
            'model': name,
            'ms': median(times[name]),
            **{f'times {one}': ratio(times, name, one) for one in fastest},
        }
        for name in actions
    ]


def measure_starts(arguments: argparse.Namespace) -> Rows:
    """Measure first frame and memory of each backend in a process of its own, at 320."""
    rows: Rows = []
    for backend, precision in _VARIANTS[arguments.device]:
        figures = measure_start(
            arguments.model,
            arguments.weights,
            arguments.device,
            backend,
            precision,
            size=320,
            num_threads=arguments.num_threads,
        )
        if figures is not None:
            rows.append({'backend': f'{backend} {precision}', **figures})
    return rows


def report(results: dict[str, object]) -> str:
    """Return the tables as Markdown."""
    lines = [f'{results["machine"]}. Model: {results["model"]}.']
    for title, rows in results.items():
        if isinstance(rows, list) and rows:
            lines += ['', f'**{title}**', '', table(rows).rstrip('\n')]
    return '\n'.join(lines) + '\n'


def main() -> int:
    """Parse the arguments and run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--model', default='RN101-quickgelu')
    parser.add_argument('--weights', default='random', help='"" takes the model\'s own')
    parser.add_argument('--sizes', nargs='+', type=int, default=list(_SIZES))
    parser.add_argument('--rounds', type=int, default=10)
    parser.add_argument('--num-threads', type=int, default=0)
    parser.add_argument('--device', choices=list(_VARIANTS), default='cpu')
    parser.add_argument(
        '--frames', type=int, default=200, help='of the tail latencies; default: %(default)s'
    )
    parser.add_argument('--skip', nargs='*', default=[], choices=_SKIPPABLE)
    parser.add_argument('--json', type=Path)
    parser.add_argument('--markdown', type=Path)
    arguments = parser.parse_args()
    load_before = os.getloadavg()[0]
    predictors = load_all(arguments)
    measured: dict[str, Callable[[], Rows]] = {
        'new command': lambda: measure_new_command(predictors),
        'growth': lambda: measure_growth(arguments, predictors),
        'peers': lambda: measure_peers(arguments, predictors),
        'load': lambda: measure_load(predictors, frame()),
        'start': lambda: measure_starts(arguments),
        'tail': lambda: measure_tail(predictors, frame(), arguments.frames),
    }
    pipeline = measure_pipeline(arguments, predictors)
    results: dict[str, object] = {
        'machine': f'{device_name(arguments.device)}{cpu_name()}, {os.cpu_count()} cores, '
        f'load {load_before:.1f} at the start, Python {platform.python_version()}, '
        f'torch {torch.__version__}',
        'model': f'{arguments.model}, {arguments.weights or "its own"} weights, one 640x480 '
        f'frame, {arguments.num_threads or "default"} threads, {arguments.rounds} rounds',
        'pipeline': pipeline,
        'floor': measure_floor(arguments, predictors),
        **{name: rows() for name, rows in measured.items() if name not in arguments.skip},
    }
    _say(report(results))
    write(arguments.json, json.dumps(results, indent=1) + '\n')
    write(arguments.markdown, report(results))
    return 0


if __name__ == '__main__':
    sys.exit(main())
