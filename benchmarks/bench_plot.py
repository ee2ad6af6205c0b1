# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Draw how cost grows, from what bench_inference.py and bench_cameras.py have written."""

import argparse
import json
import sys
from pathlib import Path

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from benchmarks.bench_report import Rows


def main() -> int:
    """Parse the arguments and draw."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('inference', type=Path, help='JSON of bench_inference.py')
    parser.add_argument('cameras', type=Path, help='JSON of bench_cameras.py')
    parser.add_argument('--out', type=Path, required=True, help='a PNG')
    arguments = parser.parse_args()
    inference, cameras = (
        json.loads(path.read_text(encoding='utf-8'))
        for path in (arguments.inference, arguments.cameras)
    )
    mpl.rcParams['font.size'] = 9
    figure = Figure(figsize=(10.0, 6.5), layout='constrained')
    axes = figure.subplots(2, 2)
    figure.suptitle(f'{inference["machine"]}\n{inference["model"]}')
    growth: Rows = inference['growth']
    for panel, kind, label in (
        (axes[0, 0], 'batch', 'images at once (320x320)'),
        (axes[0, 1], 'commands', 'commands at once (320x320)'),
    ):
        panel.set(xlabel=label, ylabel='ms, model alone', xscale='log')
        draw_lines(panel, [r for r in growth if r['grows'] == kind], x='to', y='ms')
    one = [r for r in inference['pipeline'] if r['commands'] == 1]
    draw_lines(axes[1, 0], one, x='long side', y='ms')
    axes[1, 0].set(xlabel='long side of the input, pixels', ylabel='ms, predict()')
    for panel in axes.flat[:3]:
        panel.set_ylim(bottom=0)
        panel.legend()
    draw_cameras(axes[1, 1], cameras['cameras'])
    axes[1, 1].set_title(f'model: {cameras["model"]}', fontsize=9)
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(arguments.out, dpi=100)
    return 0


def draw_lines(axes: Axes, rows: Rows, *, x: str, y: str) -> None:
    """Draw a line for each backend."""
    for backend in dict.fromkeys(row['backend'] for row in rows):
        own = [row for row in rows if row['backend'] == backend]
        axes.plot([row[x] for row in own], [row[y] for row in own], marker='o', label=backend)
    places = sorted({row[x] for row in rows})
    axes.set_xticks(places, [str(place) for place in places])
    axes.minorticks_off()
    axes.grid(alpha=0.3)


def draw_cameras(axes: Axes, rows: Rows) -> None:
    """Draw answers a second and their age over the number of cameras."""
    counts = [row['cameras'] for row in rows]
    axes.plot(counts, [row['answers/s, all'] for row in rows], marker='o', label='all cameras')
    axes.plot(
        counts, [row['answers/s, least camera'] for row in rows], marker='o', label='the least one'
    )
    axes.set(xlabel='cameras of one process, 10 Hz each', ylabel='answers/s')
    axes.set_xticks(counts)
    axes.set_ylim(bottom=0)
    axes.grid(alpha=0.3)
    ages = axes.twinx()
    p50 = [row['stamp to targets p50, ms'] for row in rows]
    ages.plot(counts, p50, color='grey', linestyle='--', label='stamp to targets')
    ages.set(ylabel='ms, p50', ylim=(0, 1.2 * max(p50)))
    lines = [*axes.get_lines(), *ages.get_lines()]
    axes.legend(lines, [str(line.get_label()) for line in lines])


if __name__ == '__main__':
    sys.exit(main())
