# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""The record of which precisions keep the answers, by which `auto` chooses.

`benchmarks/check_answers.py` measures it and writes `precision_record.json`.
"""

import json
from dataclasses import dataclass
from pathlib import Path

RECORD = Path(__file__).with_name('precision_record.json')
# Against torch in float32, as shares: how much a metric's mean may change, and how many best
# targets may move by MOVED_PX or more.
MAX_METRIC_CHANGE = 0.01
MAX_MOVED = 0.01
MOVED_PX = 2.0


@dataclass(frozen=True)
class PrecisionRecord:
    """How far the answers of a backend in one precision are from those of torch in float32.

    Attributes:
        backend: The backend's name.
        precision: The precision's name.
        family: The trunk's family, 'clip', 'vit' or 'household': rounding errors of
            one say nothing of another.
        decoder: The decoder's kind, such as 'FPN' or 'training-free naclip'.
        model: What was measured.
        frames: Of how many frames.
        moved: The share of frames whose best target moved by MOVED_PX or more.
        kld: The change of the mean KLD, as a share of it; sim, nss alike.
        sim: See kld.
        nss: See kld.
    """

    backend: str
    precision: str
    family: str
    decoder: str
    model: str
    frames: int
    moved: float
    kld: float
    sim: float
    nss: float

    @property
    def key(self) -> tuple[str, str, str, str]:
        """What was measured; a later measurement of the same takes its place."""
        return self.backend, self.precision, self.family, self.decoder

    @property
    def passes(self) -> bool:
        """Whether the answers stay."""
        metrics = (self.kld, self.sim, self.nss)
        return self.moved < MAX_MOVED and all(abs(m) < MAX_METRIC_CHANGE for m in metrics)

    def __str__(self) -> str:
        """Say it in one phrase, for reasons."""
        verdict = 'keeps the answers' if self.passes else 'does not keep the answers'
        return (
            f'{self.precision} {verdict}: {self.moved:.1%} of {self.frames:,} best targets moved '
            f'by {MOVED_PX:g} px or more ({self.model})'
        )


def read_record(path: Path = RECORD) -> list[PrecisionRecord]:
    """Return all that was measured."""
    return [PrecisionRecord(**entry) for entry in json.loads(path.read_text(encoding='utf-8'))]


def find_record(backend: str, precision: str, family: str, decoder: str) -> PrecisionRecord | None:
    """Return what was measured of a backend, a precision, a trunk and a decoder, if anything."""
    for record in read_record():
        if record.key == (backend, precision, family, decoder):
            return record
    return None
