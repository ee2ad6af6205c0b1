# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""Models whose weights ship with the package, so that they need no download."""

from dataclasses import dataclass
from pathlib import Path

from affordance_ros.model.errors import WeightsError

# Resolved: with colcon's --symlink-install each file is a link, and OpenVINO follows none.
_FOLDER = Path(__file__).resolve().parents[1] / 'weights'


@dataclass(frozen=True)
class EmbeddedModel:
    """Where a shipped model lies.

    Attributes:
        trunk: The trunk's name.
        folder: Holds trunk.safetensors, fpn.safetensors and the model card.
    """

    trunk: str
    folder: Path

    @property
    def weights(self) -> Path:
        """The trunk's weights."""
        return self._file('trunk.safetensors')

    @property
    def checkpoint(self) -> Path:
        """The trained neck and head."""
        return self._file('fpn.safetensors')

    @property
    def exported(self) -> Path | None:
        """The folder, if it also holds what runs without torch."""
        return self.folder if (self.folder / 'model.json').is_file() else None

    def _file(self, name: str) -> Path:
        path = self.folder / name
        if not path.is_file():
            raise WeightsError(
                f'{path} is missing: the installation is not whole; install affordance_ros again'
            )
        return path


EMBEDDED = {
    'household': EmbeddedModel('household', _FOLDER / 'household'),
}
