"""Measure inference on this machine: every backend that works here, stage by stage, and peers.

All that is compared runs in turn, round after round, so that each meets the same machine; a ratio
is the median over the rounds' own ratios. Random weights take as long as trained ones.
"""

import argparse
import json
import os
import platform
import re
import sys
import time
from collections.abc import Callable
from collections.abc import Mapping
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import torch
from bench_peers import load_peers
from torch.utils.flop_counter import FlopCounterMode

from affordance_ros.backends.backend import BackendConfig
from affordance_ros.backends.backend import BackendError
from affordance_ros.model.config import ModelConfig
from affordance_ros.predictor import Predictor
from affordance_ros.predictor import PredictorConfig

_VARIANTS = (
    ('torch', 'f32'),
    ('onnxruntime', 'f32'),
    ('openvino', 'f32'),
    ('openvino', 'bf16'),
)
_SIZES = {
    '224x224': (224, 224),
    '320x320': (320, 320),
    '416x416': (416, 416),
    '640x480': (480, 640),
}
_COMMANDS = (1, 8, 64)
_MANY_COMMANDS = (1, 4, 16, 64, 256)
_BATCHES = (1, 2, 4, 8)
_STAGES = ('preprocess', 'model', 'postprocess')
_say = sys.stdout.write

Times = dict[str, list[float]]


def run_in_turn(actions: Mapping[str, Callable[[], object]], rounds: int) -> Times:
    """Run all actions once a round, beginning with another one each time; return ms of each."""
    names = list(actions)
    for name in names:
        actions[name]()  # compiles, and warms caches up
    times: Times = {name: [] for name in names}
    for number in range(rounds):
        start = number % len(names)
        for name in names[start:] + names[:start]:
            begin = time.perf_counter()
            actions[name]()
            times[name].append(1e3 * (time.perf_counter() - begin))
    return times


def ratio(times: Times, name: str, to: str) -> float:
    """Return the median of a round's time over another's in the same round."""
    return float(np.median(np.array(times[name]) / np.array(times[to])))


def median(values: list[float]) -> float:
    """Return the median."""
    return float(np.median(values))


def load(arguments: argparse.Namespace, variant: tuple[str, str], size: int) -> Predictor | None:
    """Load a predictor on one backend; None and a message where it does not work."""
    model = ModelConfig(arguments.model, arguments.weights, device='cpu')
    config = PredictorConfig(input_size=size)
    backend = BackendConfig(*variant, num_threads=arguments.num_threads)
    try:
        return Predictor.load(model, config, backend)
    except BackendError as error:
        _say(f'skipped: {error}\n')
        return None


def predict_staged(
    predictor: Predictor, image: np.ndarray, stages: list[tuple[float, ...]]
) -> None:
    """Predict, and add the stages' seconds to a list."""
    predictor.predict_all(image)
    times = predictor.timings
    stages.append((times.preprocess_s, times.model_s, times.postprocess_s))


def measure_pipeline(arguments: argparse.Namespace) -> list[dict[str, object]]:
    """Time predict_all for sizes, backends and numbers of commands; heatmaps are not asked for."""
    rows: list[dict[str, object]] = []
    predictors = {' '.join(v): load(arguments, v, 320) for v in _VARIANTS}
    working = {name: one for name, one in predictors.items() if one is not None}
    rng = np.random.default_rng(0)
    for label in arguments.sizes:
        height, width = _SIZES[label]
        noise = rng.integers(0, 256, (height, width, 3), np.uint8)
        image = cv2.GaussianBlur(noise, (31, 31), 8)
        for count in _COMMANDS:
            stages: dict[str, list[tuple[float, ...]]] = {name: [] for name in working}

            for predictor in working.values():
                predictor.configure(PredictorConfig(input_size=max(height, width)))
                predictor.set_commands([f'use number {k}' for k in range(count)])
            actions = {
                name: partial(predict_staged, one, image, stages[name])
                for name, one in working.items()
            }
            times = run_in_turn(actions, arguments.rounds)
            for name in working:
                by_stage = 1e3 * np.median(np.array(stages[name][1:]), axis=0)
                rows.append(
                    {
                        'input': label,
                        'commands': count,
                        'backend': name,
                        'ms': median(times[name]),
                        'speed_up': 1 / ratio(times, name, 'torch f32'),
                        **dict(zip(_STAGES, map(float, by_stage), strict=True)),
                    }
                )
    return rows


def measure_growth(arguments: argparse.Namespace) -> list[dict[str, object]]:
    """Time how a pass grows with the batch and with the number of commands, at 320x320."""
    rows: list[dict[str, object]] = []
    for variant in _VARIANTS:
        predictor = load(arguments, variant, 320)
        if predictor is None:
            continue
        backend, channels = predictor.backend, predictor.model.embed_dim
        rng = np.random.default_rng(0)

        def act(
            n: int, k: int, backend=backend, channels=channels, rng=rng
        ) -> Callable[[], object]:
            pixels = rng.standard_normal((n, 320, 320, 3), np.float32).transpose(0, 3, 1, 2)
            text = rng.standard_normal((k, channels), np.float32)
            return lambda: backend.run(pixels, text)

        batches = {f'{n}': act(n, 1) for n in _BATCHES}
        many = {f'{k}': act(1, k) for k in _MANY_COMMANDS}
        for kind, actions in (('batch', batches), ('commands', many)):
            times = run_in_turn(actions, arguments.rounds)
            rows += [
                {
                    'grows': kind,
                    'to': int(name),
                    'backend': ' '.join(variant),
                    'ms': median(times[name]),
                    'times_one': ratio(times, name, '1'),
                }
                for name in actions
            ]
    return rows


def measure_floor(arguments: argparse.Namespace) -> dict[str, object]:
    """Return the machine's matrix rate and each size's least time by it."""
    predictor = load(arguments, ('torch', 'f32'), 320)
    assert predictor is not None
    a = torch.randn(2048, 2048)
    b = a.bfloat16()
    products = {
        'f32': lambda: torch.mm(a, a),
        'bf16': lambda: torch.mm(b, b),
    }
    times = run_in_turn(products, max(arguments.rounds, 5))
    rates = {name: 2 * 2048**3 / 1e6 / min(values) for name, values in times.items()}
    sizes = {}
    text = torch.zeros(1, predictor.model.embed_dim)
    for label in arguments.sizes:
        with FlopCounterMode(display=False) as counter, torch.inference_mode():
            predictor.model(torch.zeros(1, 3, *_SIZES[label]), text)
        gflop = counter.get_total_flops() / 1e9
        sizes[label] = {
            'gflop': gflop,
            **{f'{name}_ms': 1e3 * gflop / rate for name, rate in rates.items()},
        }
    return {'gflop_per_s': rates, 'sizes': sizes}


def measure_peers(arguments: argparse.Namespace) -> list[dict[str, object]]:
    """Time other models beside ours, all in torch float32 on one picture."""
    ours = load(arguments, ('torch', 'f32'), 320)
    assert ours is not None
    ours.set_command('cut')
    image = np.zeros((320, 320, 3), np.uint8)
    actions = {'ours, 320': lambda: ours.predict(image), **load_peers(_say)}
    times = run_in_turn(actions, arguments.rounds)
    return [
        {'model': name, 'ms': median(times[name]), 'times_ours': ratio(times, name, 'ours, 320')}
        for name in actions
    ]


def processor() -> str:
    """Return the processor's name as Linux tells it."""
    found = re.search(r'model name\s*: (.*)', Path('/proc/cpuinfo').read_text(encoding='utf-8'))
    return found[1] if found else platform.machine()


def report(results: dict[str, object]) -> None:
    """Print the tables as Markdown."""
    _say(f'\n{results["machine"]}. Model: {results["model"]}.\n')
    for title, rows in results.items():
        if isinstance(rows, list) and rows:
            keys = list(rows[0])
            _say(f'\n**{title}**\n\n| {" | ".join(keys)} |\n|{"---|" * len(keys)}\n')
            for row in rows:
                cells = (f'{v:.2f}' if isinstance(v, float) else str(v) for v in row.values())
                _say(f'| {" | ".join(cells)} |\n')
    floor = results['floor']
    rates = ', '.join(f'{name} {rate:.0f}' for name, rate in floor['gflop_per_s'].items())
    _say(f'\n**floor** at {rates} GFLOP/s (2048 x 2048 products, best of the rounds)\n\n')
    _say('| input | GFLOP | f32 ms | bf16 ms |\n|---|---|---|---|\n')
    for label, one in floor['sizes'].items():
        _say(f'| {label} | {one["gflop"]:.1f} | {one["f32_ms"]:.1f} | {one["bf16_ms"]:.1f} |\n')


def main() -> int:
    """Parse the arguments and run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--model', default='RN101-quickgelu')
    parser.add_argument('--weights', default='random', help='"" takes the model\'s own')
    parser.add_argument('--sizes', nargs='+', default=list(_SIZES), choices=list(_SIZES))
    parser.add_argument('--rounds', type=int, default=10)
    parser.add_argument('--num-threads', type=int, default=0)
    parser.add_argument('--skip', nargs='*', default=[], choices=['growth', 'peers'])
    parser.add_argument('--json', type=Path)
    arguments = parser.parse_args()
    load_before = os.getloadavg()[0]
    results: dict[str, object] = {
        'machine': f'{processor()}, {os.cpu_count()} cores, load {load_before:.1f} at the start, '
        f'Python {platform.python_version()}, torch {torch.__version__}',
        'model': f'{arguments.model}, {arguments.weights or "its own"} weights, '
        f'{arguments.num_threads or "default"} threads, {arguments.rounds} rounds',
        'floor': measure_floor(arguments),
        'pipeline': measure_pipeline(arguments),
    }
    if 'growth' not in arguments.skip:
        results['growth'] = measure_growth(arguments)
    if 'peers' not in arguments.skip:
        results['peers'] = measure_peers(arguments)
    report(results)
    if arguments.json:
        arguments.json.parent.mkdir(parents=True, exist_ok=True)
        arguments.json.write_text(json.dumps(results, indent=1) + '\n', encoding='utf-8')
    return 0


if __name__ == '__main__':
    sys.exit(main())
