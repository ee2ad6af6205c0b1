# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""What a run tells: JSON lines, CSV, TensorBoard, W&B, and a progress bar."""

import csv
import dataclasses
import json
import logging
import secrets
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tqdm import tqdm

from affordance_ros.safe_io.atomic import raise_if_full
from affordance_ros_training.config import TrainConfig
from affordance_ros_training.yaml_config import ConfigError

_log = logging.getLogger(__name__)


class Journal:
    """Writes a run's numbers. Nothing is written twice when a run goes on after a break.

    Args:
        folder: The run's folder.
        config: The run's configuration, whose `run.wandb` may name a project.
        step: The step that the run goes on from; later lines, of steps that were lost with the
            process, are cut. W&B cuts nothing: there the first numbers of a step stay.

    Raises:
        ConfigError: If W&B refuses the run.
    """

    def __init__(self, folder: Path, config: TrainConfig, *, step: int) -> None:
        self._path = folder / 'metrics.jsonl'
        _cut_after(self._path, step)
        self._file = self._path.open('a', encoding='utf-8')
        self._board = _tensorboard(folder / 'tensorboard', step)
        self._wandb = _wandb(folder, step, config) if config.run.wandb else None
        self._table = folder / 'validation.csv'

    def write(self, step: int, values: Mapping[str, float], *, kind: str) -> None:
        """Write numbers.

        Args:
            step: Steps taken.
            values: By name.
            kind: 'step' or 'validation', say.

        Raises:
            DiskFullError: If there is no room.
        """
        record: dict[str, Any] = {'kind': kind, 'step': step, **values}
        line = json.dumps(record) + '\n'
        try:
            self._file.write(line)
            self._file.flush()
        except OSError as error:
            raise_if_full(error, self._path, len(line))
            raise
        if kind == 'validation':
            _write_table(self._table, read_journal(self._path))
        if self._board is not None:
            for name, value in values.items():
                self._board.add_scalar(f'{kind}/{name}', value, step)
        if self._wandb is not None:
            self._wandb.log({f'{kind}/{name}': v for name, v in values.items()}, step=step)

    def close(self) -> None:
        """Close the files."""
        self._file.close()
        if self._board is not None:
            self._board.close()
        if self._wandb is not None:
            self._wandb.finish()


def read_journal(path: Path) -> list[dict[str, Any]]:
    """Return the records of a metrics.jsonl; a last line that was cut off is left out."""
    records = []
    for line in path.read_text(encoding='utf-8').splitlines() if path.is_file() else []:
        try:
            records.append(json.loads(line))
        except ValueError:
            break
    return records


def _cut_after(path: Path, step: int) -> None:
    kept = [record for record in read_journal(path) if record['step'] <= step]
    path.write_text(''.join(json.dumps(r) + '\n' for r in kept), encoding='utf-8')


def _write_table(path: Path, records: list[dict[str, Any]]) -> None:
    """Write the validations as CSV, one a row, for spreadsheets."""
    rows = [record for record in records if record.pop('kind') == 'validation']
    names = list(dict.fromkeys(name for row in rows for name in row))
    with path.open('w', encoding='utf-8', newline='') as file:
        writer = csv.DictWriter(file, names)
        writer.writeheader()
        writer.writerows(rows)


def _tensorboard(folder: Path, step: int) -> Any:
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError:
        _log.info('tensorboard is not installed: only metrics.jsonl is written')
        return None
    return SummaryWriter(str(folder), purge_step=step + 1)


def _wandb(folder: Path, step: int, config: TrainConfig) -> Any:
    """Begin a run at W&B, or go on with it; its files lie in the folder's `wandb`."""
    import wandb  # which few have

    name = folder / 'wandb_id.txt'
    if not step or not name.is_file():
        name.write_text(secrets.token_hex(4), encoding='utf-8')
    try:
        return wandb.init(
            project=config.run.wandb,
            name=folder.name,
            dir=str(folder),
            id=name.read_text(encoding='utf-8'),
            resume='allow',
            config=dataclasses.asdict(config),
        )
    except wandb.Error as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise ConfigError(f'run.wandb: {reason} (WANDB_MODE=offline needs no login)') from error


class ProgressBar:
    """A bar with loss, images/s and time left.

    Args:
        total: Steps in the epoch.
        done: Steps taken in it already.
        title: What stands before the bar.
        shown: False for no bar.
    """

    def __init__(self, total: int, *, done: int, title: str, shown: bool) -> None:
        self._bar = tqdm(
            total=total, initial=done, desc=title, disable=not shown, unit='step', leave=False
        )
        self._start = time.monotonic()
        self._images = 0

    @property
    def images_per_s(self) -> float:
        """The mean rate since the bar was made."""
        return self._images / max(1e-9, time.monotonic() - self._start)

    def advance(self, *, loss: float, images: int) -> None:
        """Move on by one step of so many images."""
        self._images += images
        self._bar.set_postfix_str(f'loss {loss:.4f}, {self.images_per_s:.1f} images/s')
        self._bar.update()

    def close(self) -> None:
        """Take the bar away."""
        self._bar.close()
