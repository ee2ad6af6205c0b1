# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""affordance-ablate: train the neck's variants with several seeds and write the table."""

import argparse
import dataclasses
import json
import logging
import platform
import statistics
import sys
from collections.abc import Mapping
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from affordance_ros.model.neck import SCALES
from affordance_ros.model.neck import NeckConfig
from affordance_ros.safe_io.atomic import write_atomically
from affordance_ros_training.config import TrainConfig
from affordance_ros_training.distributed import Processes
from affordance_ros_training.distributed import join_processes
from affordance_ros_training.run import TrainingRun
from affordance_ros_training.yaml_config import load_config

# The paper's ablation of scales, and the fusion that it leaves open.
VARIANTS: dict[str, dict[str, Any]] = {
    'F_S': {'scales': SCALES[:1], 'fusion': 'sum'},
    'F_S, F_1': {'scales': SCALES[:2], 'fusion': 'sum'},
    'F_S, F_1, F_2': {'scales': SCALES[:3], 'fusion': 'sum'},
    'F_S, F_1, F_2, F_3': {'scales': SCALES, 'fusion': 'sum'},
    'F_S, F_1, F_2, F_3, concat': {'scales': SCALES, 'fusion': 'concat'},
}
_SCORES = ('overall_iou', 'mean_iou', 'precision_0.5')


def main(argv: Sequence[str] | None = None) -> int:
    """Train what is not trained yet, then write the table; return the exit status."""
    parser = argparse.ArgumentParser(prog='affordance-ablate', description=__doc__)
    parser.add_argument('--config', type=Path, required=True, help='as for affordance-train')
    parser.add_argument('--out', type=Path, default=Path('runs/ablation'))
    parser.add_argument('--seeds', type=int, nargs='+', default=[0, 1, 2])
    parser.add_argument('--document', type=Path, default=Path('out/ablation.md'))
    parser.add_argument('--set', action='append', default=[], metavar='KEY=VALUE')
    arguments = parser.parse_args(argv)
    logging.basicConfig(level=logging.INFO, format='%(levelname)s %(name)s: %(message)s')
    base = load_config(TrainConfig, arguments.config, overrides=arguments.set)
    results: dict[str, list[dict[str, float]]] = {name: [] for name in VARIANTS}
    with join_processes(base.run.device) as processes:
        for seed in arguments.seeds:
            for name in VARIANTS:
                results[name].append(
                    _train(base, name, seed=seed, out=arguments.out, processes=processes)
                )
    command = ' '.join(['affordance-ablate', *(argv if argv is not None else sys.argv[1:])])
    text = render(results, base, command=command)
    arguments.document.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(arguments.document, text.encode())
    return 0


def render(
    results: Mapping[str, Sequence[Mapping[str, float]]], base: TrainConfig, *, command: str
) -> str:
    """Return the table as Markdown: the mean and the standard deviation over the seeds.

    Args:
        results: For each variant, what each seed gave.
        base: The configuration that all share but for the neck.
        command: What was called.
    """
    count = len(next(iter(results.values())))
    name = base.validation.dataset or base.data.datasets[0]
    lines = [
        '# Ablation of the neck',
        '',
        f'Referring segmentation on {name}, {base.validation.split} split: {base.model} at '
        f'{base.data.input_size} px, {base.optim.epochs} epochs, {count} seeds (mean and standard '
        f"deviation), sigmoid > 0.5 at the images' own size, after the last epoch.",
        '',
        '| scales | trainable | overall IoU | mean IoU | P@0.5 | minutes |',
        '|---|---|---|---|---|---|',
    ]
    for variant, runs in results.items():
        cells = [_spread([run[score] for run in runs]) for score in _SCORES]
        parameters = f'{runs[0]["trainable"] / 1e6:.2f} M'
        minutes = f'{statistics.mean(run["minutes"] for run in runs):.1f}'
        lines.append(f'| {variant} | {parameters} | {" | ".join(cells)} | {minutes} |')
    fenced = ['<!-- not run: hours -->', '```bash', command, '```']
    lines += ['', f'Made on {platform.machine()} by', '', *fenced, '']
    return '\n'.join(lines)


def _train(
    base: TrainConfig, name: str, *, seed: int, out: Path, processes: Processes
) -> dict[str, float]:
    slug = name.replace('F_', '').replace(', ', '-')
    folder = out / f'{slug}-seed{seed}'
    result = folder / 'result.json'
    if result.is_file():
        return dict(json.loads(result.read_text(encoding='utf-8')))
    neck = NeckConfig(**{**dataclasses.asdict(base.neck), **VARIANTS[name]})
    config = dataclasses.replace(
        base, neck=neck, run=dataclasses.replace(base.run, seed=seed, out=str(folder))
    )
    run = TrainingRun(config, processes, resume=(folder / 'state.safetensors').is_file())
    scores = run.train()
    if run.place.epoch < config.optim.epochs or scores is None:
        raise KeyboardInterrupt  # stopped by a signal; the next call goes on
    values = {
        **scores.flat(),
        'trainable': float(sum(p.numel() for p in run.decoder.parameters())),
        'minutes': run.place.elapsed_s / 60,
    }
    if processes.first:
        write_atomically(result, json.dumps(values).encode())
    return values


def _spread(values: Sequence[float]) -> str:
    deviation = statistics.stdev(values) if len(values) > 1 else 0.0
    return f'{statistics.mean(values):.3f} ± {deviation:.3f}'


if __name__ == '__main__':
    sys.exit(main())
