# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Predictions on disk: made once, scored by any protocol, and never mixed with another model's."""

import io
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from affordance_ros.safe_io.atomic import write_atomically
from affordance_ros_eval.agd20k import Item
from affordance_ros_eval.errors import EvaluationError
from affordance_ros_eval.errors import ImageProblemError
from affordance_ros_eval.maps import read_map


class PredictionFolder:
    """A folder with one npy file for each item, and what made them.

    Args:
        path: The folder; made if it is not there.
        settings: All that the maps depend on, JSON-able.

    Raises:
        EvaluationError: If the folder holds maps that were made with other settings.
    """

    def __init__(self, path: Path, settings: Mapping[str, Any]) -> None:
        self.path = path
        self.settings = dict(settings)
        record = path / 'settings.json'
        if record.is_file():
            _check_settings(record, self.settings)
        else:
            path.mkdir(parents=True, exist_ok=True)
            text = json.dumps(self.settings, indent=2, sort_keys=True)
            write_atomically(record, text.encode())

    def has(self, item: Item) -> bool:
        """Tell whether an item's map is there; a map is whole or not there."""
        return self._file(item).is_file()

    def write(self, item: Item, heatmap: NDArray[np.float32]) -> None:
        """Keep an item's map, (H, W) float32."""
        path = self._file(item)
        path.parent.mkdir(parents=True, exist_ok=True)
        buffer = io.BytesIO()
        np.save(buffer, heatmap)
        write_atomically(path, buffer.getvalue())

    def read(self, item: Item) -> NDArray[np.float32]:
        """Return an item's map as it was written.

        Raises:
            ImageProblemError: If it is not there or is damaged.
        """
        path = self._file(item)
        if not path.is_file():
            raise ImageProblemError(
                'not predicted', f'{path} is not there: run the same command again to go on'
            )
        return read_map(path)

    def _file(self, item: Item) -> Path:
        return self.path / f'{item.key}.npy'


def _check_settings(record: Path, settings: Mapping[str, Any]) -> None:
    try:
        before = json.loads(record.read_text(encoding='utf-8'))
    except ValueError as error:
        raise EvaluationError(f'{record} is damaged ({error}): remove {record.parent}') from error
    wanted = json.loads(json.dumps(settings))
    differing = sorted(
        key for key in before.keys() | wanted.keys() if before.get(key) != wanted.get(key)
    )
    if differing:
        lines = [f'  {k}: {before.get(k)!r}, and now {wanted.get(k)!r}' for k in differing]
        raise EvaluationError(
            f'{record.parent} holds predictions that were made otherwise:\n'
            + '\n'.join(lines)
            + '\nname another folder by --out, or remove that one'
        )
