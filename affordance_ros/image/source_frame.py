# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""What a source of frames gives."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


class SourceError(RuntimeError):
    """A source of frames can't be opened, has nothing in it, or holds what can't be used."""


@dataclass(frozen=True, eq=False)
class SourceFrame:
    """An image, with what else the source knows of it.

    Attributes:
        bgr: (H, W, 3) uint8.
        depth: sensor_msgs/Image of the same stamp, or anything with its fields, as it was
            recorded; None where there is none.
        camera_info: sensor_msgs/CameraInfo, or anything with its fields; None where unknown.
        frame_id: The image's frame; '' where unknown.
    """

    bgr: NDArray[np.uint8]
    depth: Any = None
    camera_info: Any = None
    frame_id: str = ''
