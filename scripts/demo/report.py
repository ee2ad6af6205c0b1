# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""What the demo leaves: sheets of its answers and a table."""

import statistics
import sys
from collections.abc import Mapping
from collections.abc import Sequence
from pathlib import Path

import cv2

from affordance_ros.msg import GroundingStatus
from affordance_ros.viz.contact_sheet import Panel
from affordance_ros.viz.contact_sheet import draw_panels
from affordance_ros.viz.contact_sheet import draw_sheet
from scripts.demo.listener import Answer

# Answers by command, and within it by the frame's name.
Answers = Mapping[str, Mapping[str, Answer]]


def write_panels(answers: Answers, path: Path, *, banner: str) -> None:
    """Write one panel for each command and frame: heat, best target and score."""
    panels = [
        Panel(answer.overlay, command, _score(answer))
        for command, frames in answers.items()
        for answer in frames.values()
    ]
    _write(path, draw_panels(panels, banner=banner))


def write_grid(answers: Answers, path: Path, *, banner: str) -> None:
    """Write a row for each frame and a column for each command."""
    columns = list(answers.values())
    rows = [
        [columns[0][name].image, *(frames[name].overlay for frames in columns)]
        for name in columns[0]
    ]
    _write(path, draw_sheet(rows, column_titles=['frame', *answers], banner=banner))


def banner(status: GroundingStatus) -> str:
    """Return the line over a sheet."""
    warning = '' if status.trained else 'UNTRAINED MODEL: the heatmaps mean nothing.  '
    return f'{warning}{status.model}, {status.decoder}'


def print_table(all_answers: Sequence[Answers], status: GroundingStatus) -> None:
    """Print every answer and the latency from stamp to targets."""
    say = sys.stdout.write
    say(f'\n{"command":<28}{"frame":<20}{"best target":<26}{"targets":>8}{"latency":>11}\n')
    latencies = []
    for answers in all_answers:
        for command, frames in answers.items():
            for name, answer in frames.items():
                best = answer.targets.targets[0] if answer.targets.targets else None
                place = f'({best.x:6.1f}, {best.y:6.1f})  {best.score:.2f}' if best else 'none'
                count = len(answer.targets.targets)
                say(f'{command:<28}{name:<20}{place:<26}{count:>8}{answer.latency_ms:>8.0f} ms\n')
                latencies.append(answer.latency_ms)
    say(
        f'\nimage stamp to targets: median {statistics.median(latencies):.0f} ms, '
        f'longest {max(latencies):.0f} ms over {len(latencies)} frames; '
        f'{status.model}, {status.decoder}, {status.device}\n'
    )
    if not status.trained:
        say(f'{banner(status)}\n')


def _score(answer: Answer) -> str:
    targets = answer.targets.targets
    return f'{targets[0].score:.2f}' if targets else 'no target'


def _write(path: Path, sheet: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), sheet)
    sys.stdout.write(f'sheet: {path}\n')
